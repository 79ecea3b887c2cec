# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` installs, and how other projects find it: find_package(Tributary), or pkg-config.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Tributary)

set_target_properties(tributary_shared PROPERTIES EXPORT_NAME tributary)
install(TARGETS tributary_shared EXPORT TributaryTargets)
install(EXPORT TributaryTargets NAMESPACE Tributary:: DESTINATION ${package_folder})

# Users of the static library also link its dependencies, which TributaryConfig.cmake finds.
get_property(modules GLOBAL PROPERTY TRIB_MODULES)
list(APPEND modules libcjson)
set(static_needs Threads::Threads ${CMAKE_DL_LIBS} m PkgConfig::TRIBUTARY_USES)
get_property(TRIB_USES_CUDA GLOBAL PROPERTY TRIB_CUDA_LIBRARIES)
list(APPEND static_needs ${TRIB_USES_CUDA})
foreach(need IN LISTS static_needs)
  target_link_libraries(tributary_static INTERFACE $<INSTALL_INTERFACE:${need}>)
endforeach()
install(TARGETS tributary_static EXPORT TributaryStaticTargets)
install(EXPORT TributaryStaticTargets NAMESPACE Tributary:: DESTINATION ${package_folder})

string(REPLACE ";" " " TRIB_USES "${modules}")
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/TributaryConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/TributaryConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/TributaryConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/TributaryConfig.cmake ${PROJECT_BINARY_DIR}/package/TributaryConfigVersion.cmake
  DESTINATION ${package_folder})

# pkg-config. libarchive is named as a library, not as a module: its own .pc file lists libraries for static linking
# whose development packages libarchive-dev does not bring along.
set(pc_modules ${modules})
list(REMOVE_ITEM pc_modules libarchive)
string(REPLACE ";" ", " TRIB_PC_MODULES "${pc_modules}")
set(TRIB_PC_LIBS "-pthread -lm")
if("libarchive" IN_LIST modules)
  string(PREPEND TRIB_PC_LIBS "-larchive ")
endif()
if(TRIB_USES_CUDA)
  get_target_property(cudart CUDA::cudart IMPORTED_LOCATION)
  get_filename_component(folder ${cudart} DIRECTORY)
  string(PREPEND TRIB_PC_LIBS "-L${folder} -lcudart ")
endif()
foreach(lib IN LISTS CMAKE_DL_LIBS)
  string(APPEND TRIB_PC_LIBS " -l${lib}")
endforeach()
# A program linked as the README says it must start, too: outside the system's own folders the loader looks only where it
# is told (under /usr/local only after ldconfig has run).
set(TRIB_PC_RPATH "")
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND NOT CMAKE_INSTALL_PREFIX STREQUAL "/")
  set(TRIB_PC_RPATH " -Wl,-rpath,\${libdir}")
endif()
file(RELATIVE_PATH TRIB_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/tributary.pc.in ${PROJECT_BINARY_DIR}/package/tributary.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/tributary.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Public headers; internal/ is for our own layers and tests.
foreach(layer IN ITEMS kernels/base kernels runtime models host)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN *.h PATTERN internal EXCLUDE)
endforeach()
include(${CMAKE_CURRENT_LIST_DIR}/man.cmake)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/host/examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/labels DESTINATION ${CMAKE_INSTALL_DATADIR}/tributary)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
