/* SPDX-License-Identifier: Apache-2.0 */
#include "cost.h"

#include <stdlib.h>

enum { ALIGNMENT = 256 };

trib_dtype bench_stored(const trib_kernel_array *array, trib_dtype dtype)
{
    switch (array->element) {
    case TRIB_KERNEL_STORAGE: return dtype;
    case TRIB_KERNEL_F16: return TRIB_F16;
    case TRIB_KERNEL_BF16: return TRIB_BF16;
    case TRIB_KERNEL_U8: return TRIB_U8;
    case TRIB_KERNEL_I32: return TRIB_I32;
    default: return TRIB_F32;
    }
}

static int64_t element_size(const trib_kernel_array *array, trib_dtype dtype)
{
    return (int64_t)trib_dtype_size(bench_stored(array, dtype));
}

static int64_t moved(const trib_kernel_array *array, trib_dtype dtype)
{
    return array->rows * array->c * element_size(array, dtype);
}

int64_t bench_bytes(const trib_kernel_problem *problem, trib_dtype dtype)
{
    static const int times[] = { [TRIB_KERNEL_RESULT] = 1, [TRIB_KERNEL_UPDATED] = 2, [TRIB_KERNEL_SCRATCH] = 0 };
    int64_t bytes = 0;
    for (int i = 0; i < problem->input_count; ++i) bytes += moved(&problem->inputs[i], dtype);
    for (int i = 0; i < problem->output_count; ++i)
        bytes += times[problem->outputs[i].content] * moved(&problem->outputs[i], dtype);
    return bytes;
}

/* Returns the offset of the array. */
static int64_t place(const trib_kernel_array *array, trib_dtype dtype, int64_t *end)
{
    const int64_t begin = *end, bytes = array->rows * array->pitch * element_size(array, dtype);
    *end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return begin;
}

bench_layout bench_layout_of(const trib_kernel_problem *problem, trib_dtype dtype)
{
    bench_layout layout = { 0 };
    for (int i = 0; i < problem->input_count; ++i) layout.inputs[i] = place(&problem->inputs[i], dtype, &layout.bytes);
    for (int i = 0; i < problem->output_count; ++i)
        layout.outputs[i] = place(&problem->outputs[i], dtype, &layout.bytes);
    return layout;
}

double bench_math_rate(const bench_limits *limits, const trib_kernel_problem *problem, trib_dtype dtype)
{
    const bool product = problem->conv1x1.outputs > 0;
    if (product && dtype == TRIB_F16) return limits->fp16;
    if (product && dtype == TRIB_BF16) return limits->bf16;
    if (product && problem->conv1x1.tf32) return limits->tf32;
    return limits->fp32;
}

double bench_floor(const bench_limits *limits, const trib_kernel_problem *problem, trib_dtype dtype)
{
    const double rate = bench_math_rate(limits, problem, dtype);
    const double memory = limits->copy > 0 ? (double)bench_bytes(problem, dtype) / limits->copy : 0;
    const double math = rate > 0 ? problem->flops / rate : 0;
    return memory > math ? memory : math;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, int count)
{
    if (count < 1) return 0;
    qsort(values, (size_t)count, sizeof *values, by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
