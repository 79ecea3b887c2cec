# SPDX-License-Identifier: Apache-2.0
# CJSON::CJSON: models carry JSON, so that cJSON is needed. Through pkg-config, or where that or its file is missing, where
# -DCJSON_ROOT=PREFIX says or the system has it.
if(PkgConfig_FOUND)
  pkg_check_modules(CJSON QUIET IMPORTED_TARGET GLOBAL libcjson)
endif()
add_library(CJSON::CJSON INTERFACE IMPORTED GLOBAL)
if(CJSON_FOUND)
  target_link_libraries(CJSON::CJSON INTERFACE PkgConfig::CJSON)
else()
  find_path(CJSON_INCLUDE_DIR cjson/cJSON.h HINTS ${CJSON_ROOT}/include)
  find_library(CJSON_LIBRARY NAMES cjson libcjson.so.1 NAMES_PER_DIR HINTS ${CJSON_ROOT}/lib)
  if(NOT CJSON_INCLUDE_DIR OR NOT CJSON_LIBRARY)
    message(FATAL_ERROR "cJSON is needed: docker/install-dependencies.sh installs it and pkg-config, or -DCJSON_ROOT=PREFIX says where it is")
  endif()
  target_include_directories(CJSON::CJSON INTERFACE ${CJSON_INCLUDE_DIR})
  target_link_libraries(CJSON::CJSON INTERFACE ${CJSON_LIBRARY})
endif()
