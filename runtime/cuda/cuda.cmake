# SPDX-License-Identifier: Apache-2.0
# The CUDA device: trib_cuda, objects that the library links with CUDA's runtime, cuDNN, cuBLASLt and our kernels, and
# tests with simulated ones; or trib_cuda_absent, which says that this build has none. Only headers are needed to build
# trib_cuda.
set(cuda_for "CUDA devices")

add_library(trib_cuda_absent OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/cuda/absent.c)
target_include_directories(trib_cuda_absent PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} include)
target_link_libraries(trib_cuda_absent PRIVATE trib_flags PUBLIC trib_kernels)

if(NOT TRIB_CUDA OR "CUDA" IN_LIST TRIB_WITHOUT)
  trib_report(CUDA "" "${cuda_for}" "")
  set_property(GLOBAL PROPERTY TRIB_CUDA_OBJECTS trib_cuda_absent)
  return()
endif()
if(TRIB_CUDA STREQUAL "AUTO")
  find_package(CUDAToolkit 12 QUIET GLOBAL)
else()
  find_package(CUDAToolkit 12 REQUIRED GLOBAL)
endif()
trib_report(CUDA "${CUDAToolkit_VERSION}" "${cuda_for}" nvidia-cuda-toolkit)

find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)
set(CUDNN_VERSION "")
if(CUDNN_INCLUDE_DIR)
  file(STRINGS ${CUDNN_INCLUDE_DIR}/cudnn_version.h lines REGEX "define CUDNN_(MAJOR|MINOR|PATCHLEVEL) ")
  string(REGEX REPLACE "[^0-9;]*([0-9]+)[^;]*" "\\1" lines "${lines}")
  string(REPLACE ";" "." CUDNN_VERSION "${lines}")
endif()
if(CUDNN_VERSION VERSION_GREATER_EQUAL 9.8)
  trib_report(cuDNN "${CUDNN_VERSION}" "convolutions on CUDA" cudnn9-cuda-13)
elseif(CUDNN_VERSION)
  trib_report(cuDNN "" "convolutions on CUDA (${CUDNN_VERSION} is too old, 9.8 is needed)" cudnn9-cuda-13)
else()
  trib_report(cuDNN "" "convolutions on CUDA" cudnn9-cuda-13)
endif()

if(CUDAToolkit_FOUND AND CUDNN_VERSION VERSION_GREATER_EQUAL 9.8)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.c)
  list(FILTER sources EXCLUDE REGEX "/absent\\.c$")
  add_library(trib_cuda OBJECT ${sources})
  target_include_directories(trib_cuda PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/include
    SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS} ${CUDNN_INCLUDE_DIR})
  target_link_libraries(trib_cuda PRIVATE trib_flags PUBLIC trib_kernels)
endif()

# The library has the device when all it is linked with is there, too; the kernels need nvcc.
if(TARGET trib_cuda AND TARGET trib_kernels_cuda AND CUDNN_LIBRARY AND TARGET CUDA::cublasLt)
  # cuDNN and cuBLASLt are not linked, but loaded when a CUDA device is opened.
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/lazy/*.c)
  get_target_property(cublaslt CUDA::cublasLt IMPORTED_LOCATION)
  add_library(trib_cuda_lazy OBJECT ${sources})
  target_include_directories(trib_cuda_lazy PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}
    SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS} ${CUDNN_INCLUDE_DIR})
  target_compile_definitions(trib_cuda_lazy PRIVATE
    TRIB_CUDNN_LIBRARY="${CUDNN_LIBRARY}" TRIB_CUBLASLT_LIBRARY="${cublaslt}")
  target_link_libraries(trib_cuda_lazy PRIVATE trib_flags PUBLIC Threads::Threads ${CMAKE_DL_LIBS})
  set_property(GLOBAL PROPERTY TRIB_CUDA_OBJECTS trib_cuda trib_cuda_lazy trib_kernels_cuda)
  set_property(GLOBAL PROPERTY TRIB_CUDA_LIBRARIES CUDA::cudart)
else()
  set_property(GLOBAL PROPERTY TRIB_CUDA_OBJECTS trib_cuda_absent)
  if(TRIB_CUDA STREQUAL "ON" AND NOT TRIB_SANITIZE AND NOT TRIB_FUZZ)
    message(FATAL_ERROR "TRIB_CUDA=ON needs the CUDA toolkit with nvcc and cuBLASLt, and cuDNN 9.8 or newer")
  endif()
endif()
