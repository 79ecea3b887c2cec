/* SPDX-License-Identifier: Apache-2.0
 * Two sums per channel over all images: chunk by chunk, then over the chunks in order, all in double. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_REDUCE_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_REDUCE_H

#include "cpu/ops/native/native.h"
#include "cpu/ops/native/strips.h"

/* Adds image n's pixels of the strip to the sums of its channels. */
typedef void (*trib_native_sum)(const trib_native_call *call, int n, const trib_strip *s, double *first,
                                double *second);

/* Over the channels of the first input. The sums are left at the beginning of the workspace: the first of all channels
 * (with block padding), then the second. */
trib_status trib_native_reduce(const trib_native_call *call, trib_native_sum sum, double *workspace);
/* Size of that workspace. */
int64_t trib_native_reduce_bytes(const trib_op_desc *desc);

#endif
