/* SPDX-License-Identifier: Apache-2.0
 * The minimum cost of a kernel: bytes to move, operations to do, and how long the card needs for each. */
#ifndef TRIBUTARY_BENCHES_KERNELS_COST_H
#define TRIBUTARY_BENCHES_KERNELS_COST_H

#include "table/table.h"

TRIB_BEGIN_DECLS

/* Measured on the card, in the same run. 0: not known. */
typedef struct bench_limits {
    double copy;                   /* bytes per second, read and written together */
    double fp32, tf32, fp16, bf16; /* operations per second of a large product; a multiply-add is two */
    double launch,
        launch_and_wait; /* seconds per launch in a sequence; and of one launch until the host sees its end */
    double hop;          /* seconds from stream to stream: an empty kernel, event record and wait */
} bench_limits;

/* Inputs, parameters and outputs once each, what is updated twice, scratch memory not at all; channels beside a slice
 * are not moved. */
int64_t bench_bytes(const trib_kernel_problem *problem, trib_dtype dtype);

/* Places of a problem's arrays in one block of memory; `bytes` include all channels of their pitch. */
typedef struct bench_layout {
    int64_t inputs[TRIB_KERNEL_MAX_INPUTS], outputs[TRIB_KERNEL_MAX_OUTPUTS]; /* offsets, multiples of 256 */
    int64_t bytes;
} bench_layout;
bench_layout bench_layout_of(const trib_kernel_problem *problem, trib_dtype dtype);

/* The type of an array's elements. Controls count as words of TRIB_F32. */
trib_dtype bench_stored(const trib_kernel_array *array, trib_dtype dtype);

/* The rate at which the problem can be computed: for matrix products that of their type, otherwise that of float32. */
double bench_math_rate(const bench_limits *limits, const trib_kernel_problem *problem, trib_dtype dtype);
/* max(bytes / copy rate, operations / math rate), in seconds; unknown rates do not count. */
double bench_floor(const bench_limits *limits, const trib_kernel_problem *problem, trib_dtype dtype);

/* Sorts. 0 of none. */
double bench_median(double *values, int count);

TRIB_END_DECLS
#endif
