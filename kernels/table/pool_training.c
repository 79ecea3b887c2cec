/* SPDX-License-Identifier: Apache-2.0
 * Pools in training. Indices are bytes: the references work on a copy of what the table has as floats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

/* ---- shapes ---- */

static const struct {
    int n, c, h, w, size, stride, pad;
    bool ceil_mode, relu;
    int before, after;
} edges[] = {
    { 1, 8, 1, 1, 3, 1, 1, false, false, 0, 0 },  { 1, 8, 7, 7, 3, 1, 1, false, true, 8, 16 },
    { 2, 5, 9, 4, 3, 2, 0, true, false, 0, 0 },   { 2, 16, 6, 6, 3, 2, 0, true, false, 3, 2 },
    { 1, 24, 5, 8, 5, 3, 2, true, false, 8, 0 },  { 3, 8, 2, 2, 2, 2, 0, false, false, 0, 8 },
    { 2, 16, 7, 7, 2, 3, 0, false, false, 0, 0 }, { 2, 8, 7, 7, 7, 1, 0, false, true, 0, 0 },
    { 1, 4, 8, 8, 3, 2, 1, false, false, 4, 0 },
};

typedef struct shape {
    trib_window_geometry window;
    int before, after;
} shape;

static shape shape_at(int index)
{
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        shape s = { .window = trib_square_window(edges[index].n, edges[index].c, edges[index].h, edges[index].w,
                                                 edges[index].size, edges[index].stride, edges[index].pad,
                                                 edges[index].ceil_mode),
                    .before = edges[index].before,
                    .after = edges[index].after };
        s.window.relu = edges[index].relu;
        return s;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    const trib_window_geometry window = trib_random_window(&r, unit);
    return (shape) { window, unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2) };
}

/* An array of bytes that lies as y does. */
static trib_kernel_array indices(const trib_kernel_array *y, const trib_window_geometry *g)
{
    trib_kernel_array array = *y;
    array.element = TRIB_KERNEL_U8;
    array.below = g->r * g->s;
    return array;
}

/* dy, and for a max pool indices, to dx. */
static void turn_round(trib_kernel_problem *p, bool max, bool accumulate)
{
    const trib_kernel_array x = p->inputs[0], y = p->outputs[0];
    p->window.relu = false;
    p->accumulate = accumulate;
    p->inputs[0] = y;
    p->outputs[0] = x;
    if (accumulate) p->outputs[0].content = TRIB_KERNEL_UPDATED;
    if (max) p->inputs[p->input_count++] = indices(&y, &p->window);
}

/* ---- bytes ---- */

/* Dense, of the slice; NULL without memory. The caller frees it. */
static uint8_t *bytes_of(const trib_kernel_array *a, const float *values)
{
    uint8_t *bytes = malloc((size_t)a->rows * (size_t)a->c);
    for (int64_t i = 0; bytes && values && i < a->rows * a->c; ++i)
        bytes[i] = (uint8_t)values[i / a->c * a->pitch + i % a->c];
    return bytes;
}

static void to_floats(const trib_kernel_array *a, const uint8_t *bytes, float *values)
{
    for (int64_t i = 0; i < a->rows * a->c; ++i) values[i / a->c * a->pitch + i % a->c] = bytes[i];
}

/* ---- max_pool2d_indexed ---- */

static void indexed_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    trib_window_between_slices(p, &s.window, s.before, s.after);
    p->outputs[p->output_count++] = indices(&p->outputs[0], &s.window);
}

static void indexed_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    uint8_t *index = bytes_of(&p->outputs[1], NULL);
    if (!index) return;
    trib_ref_max_pool2d_indexed(&p->window, inputs[0], outputs[0], index, p->window.c);
    to_floats(&p->outputs[1], index, outputs[1]);
    free(index);
}

static trib_status indexed_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d_indexed(&p->window, dtype, inputs[0], outputs[0], outputs[1], p->outputs[1].pitch,
                                        stream);
}

/* ---- max_pool2d_backward ---- */

static void max_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    trib_window_between_slices(p, &s.window, s.before, s.after);
    turn_round(p, true, false);
}

static void max_accumulated_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    trib_window_between_slices(p, &s.window, s.before, s.after);
    turn_round(p, true, true);
}

static void max_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    uint8_t *index = bytes_of(&p->inputs[1], inputs[1]);
    if (!index) return;
    trib_ref_max_pool2d_backward(&p->window, inputs[0], index, p->window.c, outputs[0], p->accumulate);
    free(index);
}

static trib_status max_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d_backward(&p->window, dtype, inputs[0], inputs[1], p->inputs[1].pitch, outputs[0],
                                         p->accumulate, stream);
}

/* ---- avg_pool2d_backward, adaptive_avg_pool2d_backward ---- */

static void average_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    trib_window_between_slices(p, &s.window, s.before, s.after);
    turn_round(p, false, false);
}

static void average_accumulated_edge(int index, trib_kernel_problem *p)
{
    average_edge(index, p);
    p->accumulate = true;
    p->outputs[0].content = TRIB_KERNEL_UPDATED;
}

static void average_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_avg_pool2d_backward(&p->window, inputs[0], outputs[0], p->accumulate);
}

static trib_status average_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_avg_pool2d_backward(&p->window, dtype, inputs[0], outputs[0], p->accumulate, stream);
}

static void adaptive_edge(int index, trib_kernel_problem *p)
{
    trib_adaptive_edge(index, p);
    turn_round(p, false, false);
}

static void adaptive_accumulated_edge(int index, trib_kernel_problem *p)
{
    adaptive_edge(index, p);
    p->accumulate = true;
    p->outputs[0].content = TRIB_KERNEL_UPDATED;
}

static void adaptive_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_adaptive_avg_pool2d_backward(&p->window, inputs[0], outputs[0], p->accumulate);
}

static trib_status adaptive_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                void *const *outputs, void *stream)
{
    return trib_cuda_adaptive_avg_pool2d_backward(&p->window, dtype, inputs[0], outputs[0], p->accumulate, stream);
}

const trib_kernel trib_pool_training_kernels[] = {
    { .name = "max_pool2d_indexed",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 0, 0 },
      .edges = TRIB_COUNT(edges),
      .edge = indexed_edge,
      .reference = indexed_reference,
      .run = indexed_run },
    { .name = "max_pool2d_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = max_edge,
      .reference = max_reference,
      .run = max_run },
    { .name = "max_pool2d_backward_accumulated",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = max_accumulated_edge,
      .reference = max_reference,
      .run = max_run },
    { .name = "avg_pool2d_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = average_edge,
      .reference = average_reference,
      .run = average_run },
    { .name = "avg_pool2d_backward_accumulated",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = average_accumulated_edge,
      .reference = average_reference,
      .run = average_run },
    { .name = "adaptive_avg_pool2d_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_ADAPTIVE_EDGES,
      .edge = adaptive_edge,
      .reference = adaptive_reference,
      .run = adaptive_run },
    { .name = "adaptive_avg_pool2d_backward_accumulated",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_ADAPTIVE_EDGES,
      .edge = adaptive_accumulated_edge,
      .reference = adaptive_reference,
      .run = adaptive_run },
};
const int trib_pool_training_kernel_count = TRIB_COUNT(trib_pool_training_kernels);
