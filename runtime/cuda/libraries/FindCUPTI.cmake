# SPDX-License-Identifier: Apache-2.0
# Finds CUPTI's headers and library: where -DCUPTI_ROOT=PREFIX says (PREFIX/include, PREFIX/lib64), in the CUDA toolkit, in the
# system, or in Python's packages. The library is not linked, but loaded when it is needed.
include(${CMAKE_CURRENT_LIST_DIR}/nvidia_packages.cmake)
trib_nvidia_packages(packages)
find_path(CUPTI_INCLUDE_DIR cupti.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_LIBRARY_ROOT}/extras/CUPTI/include
  PATHS ${packages} PATH_SUFFIXES include)
find_library(CUPTI_LIBRARY NAMES libcupti.so.${CUDAToolkit_VERSION_MAJOR} cupti NAMES_PER_DIR
  HINTS ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_LIBRARY_ROOT}/extras/CUPTI/lib64 PATHS ${packages} PATH_SUFFIXES lib lib64)
mark_as_advanced(CUPTI_INCLUDE_DIR CUPTI_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUPTI REQUIRED_VARS CUPTI_INCLUDE_DIR)
