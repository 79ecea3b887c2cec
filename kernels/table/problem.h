/* SPDX-License-Identifier: Apache-2.0
 * Shared by the parts of the table. */
#ifndef TRIBUTARY_KERNEL_PROBLEM_H
#define TRIBUTARY_KERNEL_PROBLEM_H

#include "table/table.h"

#define TRIB_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { TRIB_ALL_FLOATS = 1 << TRIB_F32 | 1 << TRIB_F16 | 1 << TRIB_BF16 };

/* Repeatable random numbers: the same on every machine for the same seed. */
typedef struct trib_random_state {
    uint64_t state;
} trib_random_state;

trib_random_state trib_random_from(int index);
int trib_random_between(trib_random_state *r, int low, int high);
bool trib_random_chance(trib_random_state *r, int in);

trib_window_geometry trib_square_window(int n, int c, int h, int w, int size, int stride, int pad, bool ceil_mode);
/* Channels are a multiple of channel_unit. */
trib_window_geometry trib_random_window(trib_random_state *r, int channel_unit);

/* A slice whose pitch leaves `before` and `after` channels beside it. */
trib_kernel_array trib_slice(int64_t rows, int c, int before, int after);
void trib_name_layer(trib_kernel_problem *p, const char *network_part, const char *layer);
/* Takes pitches, and texts, from the arrays: inputs[0] is x, outputs[0] is y. */
void trib_window_problem(trib_kernel_problem *p, const trib_window_geometry *g, int before, int after);
void trib_pixel_problem(trib_kernel_problem *p, int64_t rows, int c, int before, int after, bool relu);

extern const trib_kernel trib_conv1x1_kernels[], trib_pool_kernels[], trib_lrn_kernels[], trib_pixel_kernels[],
    trib_preprocess_kernels[], trib_softmax_kernels[], trib_parameter_kernels[];
extern const int trib_conv1x1_kernel_count, trib_pool_kernel_count, trib_lrn_kernel_count, trib_pixel_kernel_count,
    trib_preprocess_kernel_count, trib_softmax_kernel_count, trib_parameter_kernel_count;

#endif
