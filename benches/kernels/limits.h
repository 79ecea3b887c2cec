/* SPDX-License-Identifier: Apache-2.0
 * Measures the limits of the card. */
#ifndef TRIBUTARY_BENCHES_KERNELS_LIMITS_H
#define TRIBUTARY_BENCHES_KERNELS_LIMITS_H

#include "gpu.h"

TRIB_BEGIN_DECLS

/* `seconds` for each. Products that cuBLASLt does not support here are 0. */
trib_status bench_measure_limits(bench_gpu *gpu, double seconds, bench_limits *limits);

TRIB_END_DECLS
#endif
