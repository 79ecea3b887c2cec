# SPDX-License-Identifier: Apache-2.0
# cuDNN and cuBLASLt for the CUDA device: trib_cuda_libraries, objects that a program links with the real libraries or,
# in tests, with simulated ones. Only headers are needed to build them.
set(files ${CMAKE_CURRENT_SOURCE_DIR}/cuda)
file(GLOB cuda_library_sources CONFIGURE_DEPENDS ${files}/cudnn_*.c ${files}/cublaslt_*.c ${files}/plan_*.c ${files}/precision.c)
get_target_property(sources trib_runtime SOURCES)
list(REMOVE_ITEM sources ${cuda_library_sources})
set_property(TARGET trib_runtime PROPERTY SOURCES ${sources})

find_package(CUDAToolkit 12 QUIET GLOBAL)
find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)
set(CUDNN_VERSION "")
if(CUDNN_INCLUDE_DIR)
  file(STRINGS ${CUDNN_INCLUDE_DIR}/cudnn_version.h lines REGEX "define CUDNN_(MAJOR|MINOR|PATCHLEVEL) ")
  string(REGEX REPLACE "[^0-9;]*([0-9]+)[^;]*" "\\1" lines "${lines}")
  string(REPLACE ";" "." CUDNN_VERSION "${lines}")
endif()

if(CUDAToolkit_FOUND AND CUDNN_VERSION VERSION_GREATER_EQUAL 9.8)
  trib_report(cuDNN "${CUDNN_VERSION}" "convolutions on CUDA" cudnn9-cuda-13)
  add_library(trib_cuda_libraries OBJECT ${cuda_library_sources})
  target_include_directories(trib_cuda_libraries PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
    SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS} ${CUDNN_INCLUDE_DIR})
  target_link_libraries(trib_cuda_libraries PRIVATE trib_flags PUBLIC trib_base)
elseif(CUDNN_VERSION)
  trib_report(cuDNN "" "convolutions on CUDA (${CUDNN_VERSION} is too old, 9.8 is needed)" cudnn9-cuda-13)
else()
  trib_report(cuDNN "" "convolutions on CUDA" cudnn9-cuda-13)
endif()
