/* SPDX-License-Identifier: Apache-2.0
 * Compiled with -mavx512f and what every server since Skylake has beside it: loops.cmake. */
#define LANES 16
#define LOOPS trib_loops_avx512
#define USABLE                                                                                                        \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && \
     __builtin_cpu_supports("avx512vl"))
#include "cpu/ops/native/loops_body.h"
