# SPDX-License-Identifier: Apache-2.0
# Finds the headers of oneDNN 2.6 or later, and the name its shared library goes by when a program loads it. Sets
# OneDNN_VERSION, OneDNN_INCLUDE_DIR, OneDNN_LIBRARY, OneDNN_SONAME; -DOneDNN_ROOT=PREFIX or CMAKE_PREFIX_PATH say where
# else to look. Not through oneDNN's own dnnl-config.cmake: Debian's fails where OpenCL's headers are not installed,
# though nothing here needs them.
find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
find_library(OneDNN_LIBRARY ${CMAKE_SHARED_LIBRARY_PREFIX}dnnl${CMAKE_SHARED_LIBRARY_SUFFIX})
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)

set(OneDNN_VERSION "")
if(OneDNN_INCLUDE_DIR)
  file(STRINGS ${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h version_lines REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" OneDNN_VERSION "${version_lines}")
  string(REPLACE ";" "." OneDNN_VERSION "${OneDNN_VERSION}")
endif()

# "libdnnl.so.2"; some systems count on: "libdnnl.so.3.6".
string(REGEX MATCH "^[0-9]+" major "${OneDNN_VERSION}")
set(OneDNN_SONAME libdnnl.so.${major})
if(OneDNN_LIBRARY AND CMAKE_READELF)
  execute_process(COMMAND ${CMAKE_READELF} -d ${OneDNN_LIBRARY} OUTPUT_VARIABLE sections ERROR_QUIET)
  if(sections MATCHES "SONAME[^\n]*\\[([^]\n]+)\\]")
    set(OneDNN_SONAME ${CMAKE_MATCH_1})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR VERSION_VAR OneDNN_VERSION)
