# SPDX-License-Identifier: Apache-2.0
# How test programs are made: what all of them are compiled with, and what several of them share.

# Test code runs once and is compiled often, so it is not optimised, however the library is. What computes for a test
# (tests/fakecuda, tests/emulation) is a library of its own that does not link this.
add_library(trib_test_code INTERFACE)
target_compile_options(trib_test_code INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-O0>)
target_include_directories(trib_test_code INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/runtime
  ${PROJECT_SOURCE_DIR}/models ${PROJECT_SOURCE_DIR}/host ${PROJECT_SOURCE_DIR}/kernels/base/include ${PROJECT_SOURCE_DIR}/kernels/include
  ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/models/include ${PROJECT_SOURCE_DIR}/host/include)
target_link_libraries(trib_test_code INTERFACE trib_flags GTest::gtest)
# A precompiled header is only taken by what is compiled with the same flags: objects and programs alike.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

# ccache keeps what includes a precompiled header only if told that times and macros of that header do not matter.
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$")
  list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros)
endif()

# What tests share. An archive, so that a program gets only what it uses; of the library's functions it takes those that
# the program is linked with, real or on the simulated CUDA.
set(shared ${CMAKE_CURRENT_SOURCE_DIR}/conformance/conformance.cc ${CMAKE_CURRENT_SOURCE_DIR}/runtime/nets.cc
  ${CMAKE_CURRENT_SOURCE_DIR}/runtime/mutants.cc ${CMAKE_CURRENT_SOURCE_DIR}/runtime/regions.cc)
add_library(trib_test_support STATIC support/support.cc support/any_device.cc support/central_differences.cc support/devices.cc
  ${shared})
target_link_libraries(trib_test_support PRIVATE trib_test_code)
target_precompile_headers(trib_test_support PRIVATE
  <algorithm> <atomic> <chrono> <cmath> <cstdint> <cstdio> <cstdlib> <cstring> <filesystem> <fstream> <functional> <map> <memory>
  <random> <set> <sstream> <string> <thread> <vector> <gtest/gtest.h>)
set_source_files_properties(support/support.cc PROPERTIES COMPILE_DEFINITIONS
  "TRIB_TEST_DATA=\"${CMAKE_CURRENT_SOURCE_DIR}/data\";TRIB_MODELS=\"${PROJECT_SOURCE_DIR}/models/pretrained\"")

# trib_test_compile(target): test code with the shared flags and precompiled headers.
function(trib_test_compile target)
  target_link_libraries(${target} PRIVATE trib_test_code)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.c$")
  set_source_files_properties(${sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_precompile_headers(${target} REUSE_FROM trib_test_support)
endfunction()

# trib_test_objects(name source...): test code that several programs link as $<TARGET_OBJECTS:name>.
function(trib_test_objects name)
  add_library(${name} OBJECT ${ARGN})
  trib_test_compile(${name})
endfunction()

# trib_test_program(name source...): links what tests share; the library under test is the caller's to add.
function(trib_test_program name)
  add_executable(${name} ${ARGN})
  trib_test_compile(${name})
  target_link_libraries(${name} PRIVATE trib_test_support)
endfunction()

# trib_test_discover(target [argument of gtest_discover_tests...]): registers each test of a program by its own name.
function(trib_test_discover target)
  gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES ${ARGN})
endfunction()

# Suites that run on the devices of this machine and on the simulated CUDA.
file(GLOB conformance CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/conformance/*.cc)
list(REMOVE_ITEM conformance ${shared})
trib_test_objects(trib_conformance ${conformance})
# Every value of every case goes through these.
set(computing op_values.cc op_run.cc conv_training.cc)
list(TRANSFORM computing PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/conformance/)
set_source_files_properties(${computing} PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
set(golden ${CMAKE_CURRENT_SOURCE_DIR}/golden/golden_test.cc ${CMAKE_CURRENT_SOURCE_DIR}/golden/train_test.cc)
trib_test_objects(trib_golden ${golden})
set(panel ${CMAKE_CURRENT_SOURCE_DIR}/panel/ask.cc ${CMAKE_CURRENT_SOURCE_DIR}/panel/panel_test.cc)
trib_test_objects(trib_panel_tests ${panel})
set(trib_test_shared ${shared} ${conformance} ${golden} ${panel})
