/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

/* Strong enough to reveal a wrong window or exponent. */
static const trib_lrn_coefficients strong[] = {
    { 5, 2, 0.75f, 1 }, { 3, 1, 0.5f, 2 }, { 4, 3, 0.75f, 1 }, { 9, 2, 1.25f, 0.5f }, { 1, 1, 0.75f, 1 },
};

void trib_problem_add_lrn(trib_kernel_problem *p, const trib_lrn_coefficients *lrn, double values)
{
    const size_t used = strlen(p->text);
    p->lrn = *lrn;
    p->inputs[0].scale = 3;
    p->flops += 2 * lrn->size * values;
    snprintf(p->text + used, sizeof p->text - used, " lrn size %d alpha %g beta %g k %g", lrn->size, lrn->alpha,
             lrn->beta, lrn->k);
}

static void lrn_edge(int index, trib_kernel_problem *out)
{
    static const struct {
        int64_t rows;
        int c, before, after;
    } edges[] = {
        { 1, 8, 0, 0 }, { 3, 1, 0, 2 }, { 5, 3, 1, 0 }, { 7, 16, 8, 8 }, { 49, 24, 0, 8 }, { 9, 72, 16, 0 },
    };
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        trib_pixels_between_slices(out, edges[index].rows, edges[index].c, edges[index].before, edges[index].after,
                                   false);
        trib_problem_add_lrn(out, &strong[index % TRIB_COUNT(strong)], out->flops);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    trib_pixels_between_slices(out, trib_random_between(&r, 1, 200), unit * trib_random_between(&r, 1, 20),
                               unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2),
                               trib_random_chance(&r, 3));
    trib_problem_add_lrn(out, &strong[trib_random_between(&r, 0, TRIB_COUNT(strong) - 1)], out->flops);
}

static void pooled_edge(int index, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    trib_window_geometry g = trib_random_window(&r, 8);
    switch (index) {
    case 0: g = trib_square_window(2, 8, 1, 1, 3, 1, 1, false); break;
    case 1: g = trib_square_window(1, 2056, 3, 2, 3, 2, 0, true); break;
    case 2: g = trib_square_window(2, 40, 9, 12, 2, 2, 0, false); break;
    case 3: g = trib_square_window(1, 16, 30, 30, 7, 3, 3, true); break;
    }
    trib_window_between_slices(out, &g, 8 * trib_random_between(&r, 0, 2), 8 * trib_random_between(&r, 0, 2));
    trib_problem_add_lrn(out, &strong[index % 3], (double)g.n * g.p * g.q * g.c);
}

/* ---- running ---- */

static void reference(const trib_pixel_geometry *g, const trib_lrn_coefficients *lrn, const float *x, float *y)
{
    trib_ref_lrn(g, lrn->size, lrn->alpha, lrn->beta, lrn->k, x, y);
}

static void lrn_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    reference(&p->pixel, &p->lrn, inputs[0], outputs[0]);
}

static trib_status lrn_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    return trib_cuda_lrn(&p->pixel, &p->lrn, dtype, inputs[0], outputs[0], stream);
}

/* In place, after pooling: LRN of a row needs only that row and a copy of it. */
static void pool_lrn_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_window_geometry pool = p->window;
    pool.relu = false;
    trib_ref_max_pool2d(&pool, inputs[0], outputs[0]);
    float *row = malloc(sizeof(float) * (size_t)pool.c);
    if (!row) return; /* writes nothing, so the comparison fails */
    const trib_pixel_geometry g = { 1, pool.c, pool.c, pool.c, p->window.relu };
    for (int64_t i = 0; i < (int64_t)pool.n * pool.p * pool.q; ++i) {
        memcpy(row, outputs[0] + i * pool.y_pitch, sizeof(float) * (size_t)pool.c);
        reference(&g, &p->lrn, row, outputs[0] + i * pool.y_pitch);
    }
    free(row);
}

static trib_status pool_lrn_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d_lrn(&p->window, &p->lrn, dtype, inputs[0], outputs[0], stream);
}

static void lrn_pool_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_window_geometry pool = p->window;
    const int64_t rows = (int64_t)pool.n * pool.h * pool.w;
    const trib_pixel_geometry g = { rows, pool.c, pool.x_pitch, pool.c, false };
    float *normalised = malloc(sizeof(float) * (size_t)(rows * pool.c));
    if (!normalised) return;
    reference(&g, &p->lrn, inputs[0], normalised);
    pool.x_pitch = pool.c;
    trib_ref_max_pool2d(&pool, normalised, outputs[0]);
    free(normalised);
}

static trib_status lrn_pool_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                void *const *outputs, void *stream)
{
    return trib_cuda_lrn_max_pool2d(&p->window, &p->lrn, dtype, inputs[0], outputs[0], stream);
}

const trib_kernel trib_lrn_kernels[] = {
    { .name = "lrn",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = 6,
      .edge = lrn_edge,
      .reference = lrn_reference,
      .run = lrn_run },
    { .name = "max_pool2d_lrn",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = 4,
      .edge = pooled_edge,
      .reference = pool_lrn_reference,
      .run = pool_lrn_run },
    { .name = "lrn_max_pool2d",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = 4,
      .edge = pooled_edge,
      .reference = lrn_pool_reference,
      .run = lrn_pool_run },
};
const int trib_lrn_kernel_count = TRIB_COUNT(trib_lrn_kernels);
