# SPDX-License-Identifier: Apache-2.0
# What plans give the kernels to do (layers.h), for the benchmark and for tests; linked before the library, whose table of
# providers it replaces.
set(kernel_layers ${CMAKE_CURRENT_LIST_DIR}/layers.c ${CMAKE_CURRENT_LIST_DIR}/op_problem.c
  ${CMAKE_CURRENT_LIST_DIR}/training_problem.c ${CMAKE_CURRENT_LIST_DIR}/average_pools.c ${CMAKE_CURRENT_LIST_DIR}/providers.c)
