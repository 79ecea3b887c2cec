/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

static const trib_lrn_coefficients googlenet = { 5, 1e-4f, 0.75f, 1 };
/* Strong enough that a wrong window or exponent shows. */
static const trib_lrn_coefficients strong[] = {
    { 5, 2, 0.75f, 1 }, { 3, 1, 0.5f, 2 }, { 4, 3, 0.75f, 1 }, { 9, 2, 1.25f, 0.5f }, { 1, 1, 0.75f, 1 },
};

static void add_lrn(trib_kernel_problem *p, const trib_lrn_coefficients *lrn)
{
    const size_t used = strlen(p->text);
    p->lrn = *lrn;
    p->inputs[0].scale = 3;
    p->flops *= 2 * lrn->size;
    snprintf(p->text + used, sizeof p->text - used, " lrn size %d alpha %g beta %g k %g", lrn->size, lrn->alpha,
             lrn->beta, lrn->k);
}

static void lrn_shape(int index, trib_kernel_problem *out)
{
    static const struct {
        int64_t rows;
        int c, before, after;
    } shapes[] = {
        { 1, 8, 0, 0 },   { 3, 1, 0, 2 },   { 5, 3, 1, 0 },     { 7, 16, 8, 8 },
        { 49, 24, 0, 8 }, { 9, 72, 16, 0 }, { 3136, 64, 0, 0 }, { 3136, 192, 0, 0 },
    };
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(shapes)) {
        trib_pixel_problem(out, shapes[index].rows, shapes[index].c, shapes[index].before, shapes[index].after, false);
        add_lrn(out, shapes[index].rows > 3000 ? &googlenet : &strong[index % TRIB_COUNT(strong)]);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    trib_pixel_problem(out, trib_random_between(&r, 1, 200), unit * trib_random_between(&r, 1, 20),
                       unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2),
                       trib_random_chance(&r, 3));
    add_lrn(out, &strong[trib_random_between(&r, 0, TRIB_COUNT(strong) - 1)]);
}

/* Where the pooled kernels are tried: index 0 is GoogLeNet's, with `c` channels of an image of side `side`. */
static void pooled_shape(int index, int c, int side, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    trib_window_geometry g = trib_random_window(&r, 8);
    switch (index) {
    case 0: g = trib_square_window(1, c, side, side, 3, 2, 0, true); break;
    case 1: g = trib_square_window(2, 8, 1, 1, 3, 1, 1, false); break;
    case 2: g = trib_square_window(1, 2056, 3, 2, 3, 2, 0, true); break;
    case 3: g = trib_square_window(2, 40, 9, 12, 2, 2, 0, false); break;
    case 4: g = trib_square_window(1, 16, 30, 30, 7, 3, 3, true); break;
    }
    trib_window_problem(out, &g, 8 * trib_random_between(&r, 0, 2), 8 * trib_random_between(&r, 0, 2));
    add_lrn(out, index == 0 ? &googlenet : &strong[index % 3]);
}

static void pool_lrn_shape(int index, trib_kernel_problem *out) { pooled_shape(index, 64, 112, out); }
static void lrn_pool_shape(int index, trib_kernel_problem *out) { pooled_shape(index, 192, 56, out); }

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

/* In place, after pooling: LRN of a row needs that row only, and a copy of it. */
static void pool_lrn_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_window_geometry pool = p->window;
    pool.relu = false;
    trib_ref_max_pool2d(&pool, inputs[0], outputs[0]);
    float *row = malloc(sizeof(float) * (size_t)pool.c);
    if (!row) return; /* nothing written: the comparison fails */
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
    { "lrn", TRIB_ALL_FLOATS, { 2e-6, 1e-3, 8e-3 }, 8, lrn_shape, lrn_reference, lrn_run },
    { "max_pool2d_lrn", TRIB_ALL_FLOATS, { 2e-6, 1e-3, 8e-3 }, 5, pool_lrn_shape, pool_lrn_reference, pool_lrn_run },
    { "lrn_max_pool2d", TRIB_ALL_FLOATS, { 2e-6, 1e-3, 8e-3 }, 5, lrn_pool_shape, lrn_pool_reference, lrn_pool_run },
};
const int trib_lrn_kernel_count = TRIB_COUNT(trib_lrn_kernels);
