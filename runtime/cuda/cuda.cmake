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
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_SOURCE_DIR}/cuda/libraries)
find_package(CUDAToolkit 12 QUIET GLOBAL)
if(NOT CUDAToolkit_FOUND AND CUDAToolkit_NVCC_EXECUTABLE)
  # A compiler without the shared runtime: Python's packages may have that.
  include(cuda/libraries/nvidia_packages.cmake)
  trib_nvidia_packages(packages)
  find_library(CUDA_CUDART NAMES libcudart.so.13 libcudart.so.12 PATHS ${packages} PATH_SUFFIXES lib)
  find_package(CUDAToolkit 12 QUIET GLOBAL)
endif()
if(NOT CUDAToolkit_FOUND AND TRIB_CUDA STREQUAL "ON")
  find_package(CUDAToolkit 12 REQUIRED GLOBAL) # says what is missing
endif()
if(CUDAToolkit_FOUND AND NOT TARGET CUDA::cudart)
  add_library(CUDA::cudart SHARED IMPORTED GLOBAL)
  set_target_properties(CUDA::cudart PROPERTIES IMPORTED_LOCATION "${CUDA_CUDART}"
    INTERFACE_INCLUDE_DIRECTORIES "${CUDAToolkit_INCLUDE_DIRS}")
endif()
trib_report(CUDA "${CUDAToolkit_VERSION}" "${cuda_for}" nvidia-cuda-toolkit)
find_package(CUDNN QUIET)
find_package(CUBLASLT QUIET)
if(CUDNN_VERSION VERSION_GREATER_EQUAL 9.8)
  trib_report(cuDNN "${CUDNN_VERSION}" "convolutions on CUDA" cudnn9-cuda-13)
elseif(CUDNN_VERSION)
  trib_report(cuDNN "" "convolutions on CUDA (${CUDNN_VERSION} is too old, 9.8 is needed)" cudnn9-cuda-13)
else()
  trib_report(cuDNN "" "convolutions on CUDA" cudnn9-cuda-13)
endif()

if(CUDAToolkit_FOUND AND CUBLASLT_INCLUDE_DIR AND CUDNN_VERSION VERSION_GREATER_EQUAL 9.8)
  # cuDNN and cuBLASLt are not linked, but found when a CUDA device is opened: by trib_cuda_load, or by tests.
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.c)
  list(FILTER sources EXCLUDE REGEX "/absent\\.c$|/libraries/load\\.c$")
  add_library(trib_cuda OBJECT ${sources})
  add_library(trib_cuda_load OBJECT cuda/libraries/load.c)
  target_compile_definitions(trib_cuda_load PRIVATE TRIB_CUDNN_LIBRARY="${CUDNN_LIBRARY}" TRIB_CUBLASLT_LIBRARY="${CUBLASLT_LIBRARY}")
  target_include_directories(trib_cuda_load PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}
    SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS} ${CUDNN_INCLUDE_DIR} ${CUBLASLT_INCLUDE_DIR})
  target_link_libraries(trib_cuda_load PRIVATE trib_flags trib_base PUBLIC Threads::Threads ${CMAKE_DL_LIBS})
  target_include_directories(trib_cuda PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_include_directories(trib_cuda SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS} ${CUDNN_INCLUDE_DIR} ${CUBLASLT_INCLUDE_DIR})
  target_link_libraries(trib_cuda PRIVATE trib_flags PUBLIC trib_kernels)
endif()

# The library has the device when all it is linked with is there, too; the kernels need nvcc.
if(TARGET trib_cuda AND TARGET trib_kernels_cuda AND CUDNN_LIBRARY AND CUBLASLT_LIBRARY)
  set_property(GLOBAL PROPERTY TRIB_CUDA_OBJECTS trib_cuda trib_cuda_load trib_kernels_cuda)
  set_property(GLOBAL PROPERTY TRIB_CUDA_LIBRARIES CUDA::cudart)
else()
  set_property(GLOBAL PROPERTY TRIB_CUDA_OBJECTS trib_cuda_absent)
  if(TRIB_CUDA STREQUAL "ON" AND NOT TRIB_SANITIZE AND NOT TRIB_FUZZ)
    message(FATAL_ERROR "TRIB_CUDA=ON needs the CUDA toolkit with nvcc and cuBLASLt, and cuDNN 9.8 or newer")
  endif()
endif()
