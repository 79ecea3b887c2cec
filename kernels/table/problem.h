/* SPDX-License-Identifier: Apache-2.0
 * How problems are made: from geometries (the edges of the table, and the ops of plans), and from random numbers. */
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

/* Dense, float32. */
trib_kernel_array trib_floats(int64_t rows, int c);

/* For problems that read the controls of a step. */
extern const trib_step_controls trib_some_controls;

/* ---- problems from geometries, pitches included ----
 * Inputs and outputs are slices that begin at channels x_first and y_first. */

void trib_window_problem(trib_kernel_problem *p, const trib_window_geometry *g, int x_first, int y_first);
void trib_adaptive_problem(trib_kernel_problem *p, const trib_window_geometry *g, int x_first, int y_first);
/* Adaptive pools: more pixels than windows, fewer, and sides that no window divides; then random ones. */
enum { TRIB_ADAPTIVE_EDGES = 4 };
void trib_adaptive_edge(int index, trib_kernel_problem *out);
void trib_pixel_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int y_first);
/* LRN of `values` elements, in a problem of pixels or of windows. */
void trib_problem_add_lrn(trib_kernel_problem *p, const trib_lrn_coefficients *lrn, double values);
void trib_scale_shift_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int y_first);
void trib_softmax_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int y_first);
/* Its results are dense. */
void trib_top_k_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int k);
/* `from`: the type of x; TRIB_KERNEL_STORAGE: the one the kernel is run with. */
void trib_reorder_problem(trib_kernel_problem *p, const trib_reorder_geometry *g, trib_kernel_element from, int x_first,
                          int y_first);
/* y_first: one per output. */
void trib_conv1x1_problem(trib_kernel_problem *p, const trib_conv1x1_geometry *g, bool bias, int x_first,
                          const int *y_first);
void trib_preprocess_problem(trib_kernel_problem *p, int64_t pixels, int channels, bool bgr);
/* Of `row` values per channel; eps and values are the problem's own. */
/* See trib_kernel_regions. */
void trib_regions_problem(trib_kernel_problem *p, const trib_regions_geometry *g, int pictures, int width, int height,
                          int seed);
void trib_fold_problem(trib_kernel_problem *p, int k, int64_t row, bool weight, bool bias);
void trib_pack_problem(trib_kernel_problem *p, const trib_pack_geometry *g);
void trib_column_problem(trib_kernel_problem *p, const trib_column_geometry *g);

/* ---- the same for edges: `before` and `after` channels beside y, as many beside x the other way round ---- */

void trib_window_between_slices(trib_kernel_problem *p, const trib_window_geometry *g, int before, int after);
void trib_pixels_between_slices(trib_kernel_problem *p, int64_t rows, int c, int before, int after, bool relu);

/* ---- the parts of the table ---- */

extern const trib_kernel trib_conv1x1_kernels[], trib_pool_kernels[], trib_lrn_kernels[], trib_pixel_kernels[],
    trib_preprocess_kernels[], trib_region_kernels[], trib_softmax_kernels[], trib_parameter_kernels[],
    trib_gradient_kernels[], trib_pool_training_kernels[], trib_step_kernels[], trib_loss_scale_kernels[];
extern const int trib_conv1x1_kernel_count, trib_pool_kernel_count, trib_lrn_kernel_count, trib_pixel_kernel_count,
    trib_preprocess_kernel_count, trib_region_kernel_count, trib_softmax_kernel_count, trib_parameter_kernel_count,
    trib_gradient_kernel_count, trib_pool_training_kernel_count, trib_step_kernel_count, trib_loss_scale_kernel_count;

#endif
