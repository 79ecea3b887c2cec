/* SPDX-License-Identifier: Apache-2.0 */
#include "table/problem.h"

static const struct {
    int n, c, h, w, size, stride, pad;
    bool ceil_mode, relu;
    int before, after;
} edges[] = {
    { 1, 8, 1, 1, 3, 1, 1, false, false, 0, 0 }, { 1, 8, 7, 7, 3, 1, 1, false, true, 8, 16 },
    { 2, 5, 9, 4, 3, 2, 0, true, false, 0, 0 },  { 2, 16, 6, 6, 3, 2, 0, true, false, 3, 2 },
    { 1, 24, 5, 8, 5, 3, 2, true, false, 8, 0 }, { 3, 8, 2, 2, 2, 2, 0, false, false, 0, 8 },
};

static void edge(int index, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        trib_window_geometry g =
            trib_square_window(edges[index].n, edges[index].c, edges[index].h, edges[index].w, edges[index].size,
                               edges[index].stride, edges[index].pad, edges[index].ceil_mode);
        g.relu = edges[index].relu;
        trib_window_between_slices(out, &g, edges[index].before, edges[index].after);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    const trib_window_geometry g = trib_random_window(&r, unit);
    trib_window_between_slices(out, &g, unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2));
}

/* Over the whole image, and windows shared by many lanes. */
static void average_edge(int index, trib_kernel_problem *out)
{
    static const struct {
        int n, c, h, w, size, stride, pad;
    } averages[] = {
        { 2, 24, 7, 7, 7, 1, 0 },
        { 1, 5, 6, 11, 5, 2, 2 },
        { 3, 16, 6, 6, 6, 1, 3 },
    };
    if (index >= TRIB_COUNT(averages)) {
        edge(index - TRIB_COUNT(averages), out);
        return;
    }
    const trib_window_geometry g =
        trib_square_window(averages[index].n, averages[index].c, averages[index].h, averages[index].w,
                           averages[index].size, averages[index].stride, averages[index].pad, true);
    trib_window_between_slices(out, &g, 0, 8 * index);
}

void trib_adaptive_edge(int index, trib_kernel_problem *out)
{
    static const int sides[][4] = { { 14, 14, 4, 4 }, { 7, 7, 1, 1 }, { 3, 5, 4, 7 }, { 10, 3, 7, 3 } };
    trib_random_state r = trib_random_from(index);
    trib_window_geometry g = trib_random_window(&r, trib_random_chance(&r, 2) ? 8 : 1);
    if (index < TRIB_COUNT(sides)) {
        g.c = g.k = 32 + 8 * index;
        g.h = sides[index][0], g.w = sides[index][1], g.p = sides[index][2], g.q = sides[index][3];
    }
    g.r = g.s = g.stride_h = g.stride_w = 1;
    g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = 0;
    trib_window_between_slices(out, &g, 8 * index % 24, 0);
}

void trib_adaptive_problem(trib_kernel_problem *p, const trib_window_geometry *g, int x_first, int y_first)
{
    trib_window_problem(p, g, x_first, y_first);
    p->flops = (double)g->n * g->c * g->h * g->w;
}

static void max_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_max_pool2d(&p->window, inputs[0], outputs[0]);
}

static trib_status max_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d(&p->window, dtype, inputs[0], outputs[0], stream);
}

static void average_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_avg_pool2d(&p->window, inputs[0], outputs[0]);
}

static trib_status average_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_avg_pool2d(&p->window, dtype, inputs[0], outputs[0], stream);
}

static void adaptive_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_adaptive_avg_pool2d(&p->window, inputs[0], outputs[0]);
}

static trib_status adaptive_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                void *const *outputs, void *stream)
{
    return trib_cuda_adaptive_avg_pool2d(&p->window, dtype, inputs[0], outputs[0], stream);
}

const trib_kernel trib_pool_kernels[] = {
    { .name = "max_pool2d",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 0, 0 },
      .edges = TRIB_COUNT(edges),
      .edge = edge,
      .reference = max_reference,
      .run = max_run },
    { .name = "avg_pool2d",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = 3 + TRIB_COUNT(edges),
      .edge = average_edge,
      .reference = average_reference,
      .run = average_run },
    { .name = "adaptive_avg_pool2d",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = TRIB_ADAPTIVE_EDGES,
      .edge = trib_adaptive_edge,
      .reference = adaptive_reference,
      .run = adaptive_run },
};
const int trib_pool_kernel_count = TRIB_COUNT(trib_pool_kernels);
