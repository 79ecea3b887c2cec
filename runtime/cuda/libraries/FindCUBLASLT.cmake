# SPDX-License-Identifier: Apache-2.0
# Finds cuBLASLt's header and library: where -DCUBLASLT_ROOT=PREFIX says, in the CUDA toolkit, in the system, or in Python's
# packages. The library is not linked, but loaded when it is needed.
include(${CMAKE_CURRENT_LIST_DIR}/nvidia_packages.cmake)
trib_nvidia_packages(packages)
find_path(CUBLASLT_INCLUDE_DIR cublasLt.h HINTS ${CUDAToolkit_INCLUDE_DIRS} PATHS ${packages} PATH_SUFFIXES include)
find_library(CUBLASLT_LIBRARY NAMES cublasLt libcublasLt.so.${CUDAToolkit_VERSION_MAJOR} NAMES_PER_DIR
  HINTS ${CUDAToolkit_LIBRARY_DIR} PATHS ${packages} PATH_SUFFIXES lib)
mark_as_advanced(CUBLASLT_INCLUDE_DIR CUBLASLT_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUBLASLT REQUIRED_VARS CUBLASLT_INCLUDE_DIR)
