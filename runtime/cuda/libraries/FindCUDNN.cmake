# SPDX-License-Identifier: Apache-2.0
# Finds cuDNN's headers and library, and sets CUDNN_VERSION: where -DCUDNN_ROOT=PREFIX says (PREFIX/include, PREFIX/lib),
# in the CUDA toolkit, in the system, or in Python's packages. The library is not linked, but loaded when it is needed.
include(${CMAKE_CURRENT_LIST_DIR}/nvidia_packages.cmake)
trib_nvidia_packages(packages)
find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${CUDAToolkit_INCLUDE_DIRS} PATHS ${packages} PATH_SUFFIXES include)
find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 NAMES_PER_DIR HINTS ${CUDAToolkit_LIBRARY_DIR} PATHS ${packages} PATH_SUFFIXES lib)
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)

set(CUDNN_VERSION "")
if(CUDNN_INCLUDE_DIR)
  file(STRINGS ${CUDNN_INCLUDE_DIR}/cudnn_version.h lines REGEX "define CUDNN_(MAJOR|MINOR|PATCHLEVEL) ")
  string(REGEX REPLACE "[^0-9;]*([0-9]+)[^;]*" "\\1" lines "${lines}")
  string(REPLACE ";" "." CUDNN_VERSION "${lines}")
endif()

# Headers are enough for all but the library itself, which tests on simulated ones do not need.
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUDNN REQUIRED_VARS CUDNN_INCLUDE_DIR VERSION_VAR CUDNN_VERSION)
