/* SPDX-License-Identifier: Apache-2.0
 * Compiled with -mavx2: loops.cmake. */
#define LANES 8
#define LOOPS trib_loops_avx2
#define USABLE __builtin_cpu_supports("avx2")
#include "cpu/ops/native/loops_body.h"
