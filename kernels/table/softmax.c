/* SPDX-License-Identifier: Apache-2.0
 * Softmax, and the most likely classes of a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

void trib_softmax_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int y_first)
{
    trib_pixel_problem(p, g, x_first, y_first);
    p->inputs[0].scale = 8;
}

void trib_top_k_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int k)
{
    const trib_pixel_geometry rows = { g->rows, g->c, g->x_pitch, g->c, false };
    trib_softmax_problem(p, &rows, x_first, 0);
    const size_t used = strlen(p->text);
    snprintf(p->text + used, sizeof p->text - used, " k=%d", k);
    p->k = k;
    p->output_count = 2;
    p->outputs[0] = p->outputs[1] = trib_slice(g->rows, k, 0, 0);
    p->outputs[0].element = TRIB_KERNEL_F32;
    p->outputs[1].element = TRIB_KERNEL_I32;
}

/* ---- edges ---- */

typedef struct edge_shape {
    int rows, c, k, before, after;
} edge_shape;

static edge_shape edge_of(int index)
{
    static const struct {
        int rows, c, k;
    } edges[] = { { 1, 1, 1 }, { 2, 2, 2 }, { 3, 255, 5 }, { 1, 257, 257 }, { 2, 1008, 1 } };
    trib_random_state r = trib_random_from(index);
    const bool fixed = index < TRIB_COUNT(edges);
    edge_shape e = { .c = fixed ? edges[index].c : trib_random_between(&r, 1, 600) };
    e.rows = fixed ? edges[index].rows : trib_random_between(&r, 1, 4);
    e.before = trib_random_between(&r, 0, 3);
    e.after = trib_random_between(&r, 0, 3);
    const int some = trib_random_between(&r, 1, e.c < 10 ? e.c : 10);
    e.k = fixed ? edges[index].k : trib_random_chance(&r, 4) ? e.c : some;
    return e;
}

static trib_pixel_geometry rows_of(const edge_shape *e)
{
    const int pitch = e->before + e->c + e->after;
    return (trib_pixel_geometry) { e->rows, e->c, pitch, pitch, false };
}

static void softmax_edge(int index, trib_kernel_problem *out)
{
    const edge_shape e = edge_of(index);
    const trib_pixel_geometry g = rows_of(&e);
    trib_softmax_problem(out, &g, e.after, e.before);
}

static void top_k_edge(int index, trib_kernel_problem *out)
{
    const edge_shape e = edge_of(index);
    const trib_pixel_geometry g = rows_of(&e);
    trib_top_k_problem(out, &g, e.after, e.k);
}

/* ---- running ---- */

static void softmax_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_softmax(&p->pixel, inputs[0], outputs[0]);
}

static trib_status softmax_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_softmax(&p->pixel, dtype, inputs[0], outputs[0], stream);
}

static void top_k_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_pixel_geometry g = { p->pixel.rows, p->pixel.c, p->pixel.x_pitch, p->k, false };
    const size_t count = (size_t)g.rows * (size_t)p->k;
    int32_t *indices = malloc(sizeof *indices * count);
    if (indices) trib_ref_softmax_top_k(&g, p->k, inputs[0], outputs[0], indices);
    for (size_t i = 0; indices && i < count; ++i) outputs[1][i] = (float)indices[i];
    free(indices);
}

static trib_status top_k_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                             void *const *outputs, void *stream)
{
    return trib_cuda_softmax_top_k(&p->pixel, p->k, dtype, inputs[0], outputs[0], outputs[1], stream);
}

const trib_kernel trib_softmax_kernels[] = {
    { .name = "softmax",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = 5,
      .edge = softmax_edge,
      .reference = softmax_reference,
      .run = softmax_run },
    { .name = "softmax_top_k",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 2e-6, 2e-6 },
      .edges = 5,
      .edge = top_k_edge,
      .reference = top_k_reference,
      .run = top_k_run },
};
const int trib_softmax_kernel_count = TRIB_COUNT(trib_softmax_kernels);
