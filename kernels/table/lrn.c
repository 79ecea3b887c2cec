/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

static const trib_lrn_coefficients googlenet = { 5, 1e-4f, 0.75f, 1 };
/* Strong enough to reveal a wrong window or exponent. */
static const trib_lrn_coefficients strong[] = {
    { 5, 2, 0.75f, 1 }, { 3, 1, 0.5f, 2 }, { 4, 3, 0.75f, 1 }, { 9, 2, 1.25f, 0.5f }, { 1, 1, 0.75f, 1 },
};

/* Of `elements` values. */
static void add_lrn(trib_kernel_problem *p, double elements, const trib_lrn_coefficients *lrn)
{
    const size_t used = strlen(p->text);
    p->lrn = *lrn;
    p->inputs[0].scale = 3;
    p->flops += 2 * lrn->size * elements;
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
        trib_pixel_problem(out, edges[index].rows, edges[index].c, edges[index].before, edges[index].after, false);
        add_lrn(out, out->flops, &strong[index % TRIB_COUNT(strong)]);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    trib_pixel_problem(out, trib_random_between(&r, 1, 200), unit * trib_random_between(&r, 1, 20),
                       unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2),
                       trib_random_chance(&r, 3));
    add_lrn(out, out->flops, &strong[trib_random_between(&r, 0, TRIB_COUNT(strong) - 1)]);
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
    trib_window_problem(out, &g, 8 * trib_random_between(&r, 0, 2), 8 * trib_random_between(&r, 0, 2));
    add_lrn(out, (double)g.n * g.p * g.q * g.c, &strong[index % 3]);
}

/* ---- GoogLeNet ---- */

static void lrn_layer(int index, int batch, trib_kernel_problem *out)
{
    trib_pixel_problem(out, (int64_t)batch * 56 * 56, index ? 192 : 64, 0, 0, false);
    add_lrn(out, out->flops, &googlenet);
    trib_name_layer(out, "", index ? "conv2/norm2" : "pool1/norm1");
}

static void pool_lrn_layer(int index, int batch, trib_kernel_problem *out)
{
    (void)index;
    const trib_window_geometry g = trib_square_window(batch, 64, 112, 112, 3, 2, 0, true);
    trib_window_problem(out, &g, 0, 0);
    add_lrn(out, (double)batch * g.p * g.q * g.c, &googlenet);
    trib_name_layer(out, "", "pool1/3x3_s2+norm1");
}

static void lrn_pool_layer(int index, int batch, trib_kernel_problem *out)
{
    (void)index;
    const trib_window_geometry g = trib_square_window(batch, 192, 56, 56, 3, 2, 0, true);
    trib_window_problem(out, &g, 0, 0);
    add_lrn(out, (double)batch * g.h * g.w * g.c, &googlenet);
    trib_name_layer(out, "", "conv2/norm2+pool2/3x3_s2");
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
    { "lrn", TRIB_ALL_FLOATS, { 2e-6, 1e-3, 8e-3 }, 6, lrn_edge, 2, lrn_layer, lrn_reference, lrn_run },
    { "max_pool2d_lrn",
      TRIB_ALL_FLOATS,
      { 2e-6, 1e-3, 8e-3 },
      4,
      pooled_edge,
      1,
      pool_lrn_layer,
      pool_lrn_reference,
      pool_lrn_run },
    { "lrn_max_pool2d",
      TRIB_ALL_FLOATS,
      { 2e-6, 1e-3, 8e-3 },
      4,
      pooled_edge,
      1,
      lrn_pool_layer,
      lrn_pool_reference,
      lrn_pool_run },
};
const int trib_lrn_kernel_count = TRIB_COUNT(trib_lrn_kernels);
