/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

/* Images, their pixels, channels, and those of each output. */
typedef struct shape {
    int n, h, w, c;
    int k[TRIB_CONV1X1_MAX_OUTPUTS];
} shape;

/* Edges: one pixel, one column group, slightly more than several tiles, inner dimensions that end inside a 64-byte
 * slice. */
static const shape edges[] = {
    { 1, 1, 1, 8, { 8 } },         { 1, 7, 7, 8, { 8, 8, 8, 8 } }, { 1, 7, 7, 40, { 72 } },
    { 1, 1, 65, 24, { 64, 8 } },   { 2, 9, 8, 200, { 128, 8 } },   { 3, 6, 11, 56, { 16, 104, 24, 8 } },
    { 1, 13, 10, 72, { 8, 120 } },
};

static shape random_shape(trib_random_state *r)
{
    shape s = { trib_random_between(r, 1, 3),
                trib_random_between(r, 1, 14),
                trib_random_between(r, 1, 14),
                8 * trib_random_between(r, 1, 16),
                { 0 } };
    const int outputs = trib_random_between(r, 1, TRIB_CONV1X1_MAX_OUTPUTS);
    for (int i = 0; i < outputs; ++i) s.k[i] = 8 * trib_random_between(r, 1, 10);
    return s;
}

static void describe(trib_kernel_problem *p)
{
    const trib_conv1x1_geometry *g = &p->conv1x1;
    int used = snprintf(p->text, sizeof p->text, "n=%d %dx%d c=%d of %d k=", g->n, g->h, g->w, g->c, g->x_pitch);
    for (int i = 0; i < g->outputs; ++i)
        used += snprintf(p->text + used, sizeof p->text - (size_t)used, "%d of %d%s", g->k[i], g->y_pitch[i],
                         i + 1 < g->outputs ? " + " : "");
    snprintf(p->text + used, sizeof p->text - (size_t)used, "%s%s tile %d", g->relu ? " relu" : "",
             p->input_count < 3 ? " no bias" : "", (int)g->tile);
}

void trib_conv1x1_problem(trib_kernel_problem *p, const trib_conv1x1_geometry *g, bool bias, int x_first,
                          const int *y_first)
{
    const int64_t rows = (int64_t)g->n * g->h * g->w;
    int columns = 0;
    memset(p, 0, sizeof *p);
    p->conv1x1 = *g;
    p->input_count = bias ? 3 : 2;
    p->output_count = g->outputs;
    p->inputs[0] = trib_slice(rows, g->c, x_first, g->x_pitch - x_first - g->c);
    for (int i = 0; i < g->outputs; columns += g->k[i], ++i)
        p->outputs[i] = trib_slice(rows, g->k[i], y_first[i], g->y_pitch[i] - y_first[i] - g->k[i]);
    p->inputs[1] = trib_slice(columns, g->c, 0, 0);
    p->inputs[1].scale = sqrtf(3.0f / (float)g->c);
    p->inputs[2] = trib_slice(1, columns, 0, 0);
    p->inputs[2].element = TRIB_KERNEL_F32;
    p->flops = 2.0 * (double)rows * g->c * columns;
    describe(p);
}

/* ---- edges ---- */

/* Of a slice with `before` channels before it and up to 8 * most, drawn, behind it. */
static int pitch(trib_random_state *r, int before, int c, int most)
{
    return before + c + 8 * trib_random_between(r, 0, most);
}

/* `seed` chooses slices, bias and ReLU. */
static void problem(const shape *s, int seed, trib_conv1x1_tile tile, bool tf32, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(seed);
    trib_conv1x1_geometry g = { .n = s->n, .h = s->h, .w = s->w, .c = s->c, .tf32 = tf32, .tile = tile };
    int y_first[TRIB_CONV1X1_MAX_OUTPUTS];
    g.relu = !trib_random_chance(&r, 3);
    const bool bias = !trib_random_chance(&r, 5);
    const int x_first = 8 * trib_random_between(&r, 0, 2);
    g.x_pitch = pitch(&r, x_first, g.c, 2);
    for (; g.outputs < TRIB_CONV1X1_MAX_OUTPUTS && s->k[g.outputs]; ++g.outputs) {
        const int i = g.outputs;
        g.k[i] = s->k[i];
        y_first[i] = 8 * trib_random_between(&r, 0, 3);
        g.y_pitch[i] = pitch(&r, y_first[i], g.k[i], 3);
    }
    trib_conv1x1_problem(out, &g, bias, x_first, y_first);
}

enum { EDGES = TRIB_COUNT(edges) };

/* Edges twice, with different tiles, then random ones. */
static void any_edge(int index, bool tf32, trib_kernel_problem *out)
{
    const trib_conv1x1_tile tile = index % 2 ? TRIB_TILE_128 : TRIB_TILE_64;
    trib_random_state r = trib_random_from(index);
    const shape s = index < 2 * EDGES ? edges[index / 2] : random_shape(&r);
    problem(&s, index, tile, tf32, out);
}

static void edge(int index, trib_kernel_problem *out) { any_edge(index, false, out); }
static void tf32_edge(int index, trib_kernel_problem *out) { any_edge(index, true, out); }

/* ---- running ---- */

/* One convolution per output. */
static void convolve(const trib_kernel_problem *p, const float *x, int x_pitch, const float *const *inputs,
                     float *const *outputs)
{
    const trib_conv1x1_geometry *g = &p->conv1x1;
    const float *bias = p->input_count > 2 ? inputs[2] : NULL;
    int first = 0;
    for (int i = 0; i < g->outputs; first += g->k[i], ++i) {
        trib_window_geometry conv = trib_square_window(g->n, g->c, g->h, g->w, 1, 1, 0, false);
        conv.k = g->k[i];
        conv.x_pitch = x_pitch;
        conv.y_pitch = g->y_pitch[i];
        conv.relu = g->relu;
        trib_ref_conv2d(&conv, x, inputs[1] + (int64_t)first * g->c, bias ? bias + first : NULL, outputs[i]);
    }
}

static void plain_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    convolve(p, inputs[0], p->conv1x1.x_pitch, inputs, outputs);
}

typedef void (*pool_reference)(const trib_window_geometry *g, const float *x, float *y);

static void pooled(pool_reference pool_of, const trib_kernel_problem *p, const float *const *inputs,
                   float *const *outputs)
{
    const trib_conv1x1_geometry *g = &p->conv1x1;
    trib_window_geometry pool = trib_square_window(g->n, g->c, g->h, g->w, 3, 1, 1, false);
    pool.x_pitch = g->x_pitch;
    pool.y_pitch = g->c;
    float *image = malloc(sizeof(float) * (size_t)g->n * (size_t)g->h * (size_t)g->w * (size_t)g->c);
    if (!image) return; /* writes nothing, so the comparison fails */
    pool_of(&pool, inputs[0], image);
    convolve(p, image, g->c, inputs, outputs);
    free(image);
}

static void max_pooled_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    pooled(trib_ref_max_pool2d, p, inputs, outputs);
}

static void avg_pooled_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    pooled(trib_ref_avg_pool2d, p, inputs, outputs);
}

static trib_status plain_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                             void *const *outputs, void *stream)
{
    return trib_cuda_conv1x1(&p->conv1x1, dtype, inputs[0], inputs[1], inputs[2], outputs, stream);
}

static trib_status max_pooled_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                  void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d_conv1x1(&p->conv1x1, dtype, inputs[0], inputs[1], inputs[2], outputs, stream);
}

static trib_status avg_pooled_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                  void *const *outputs, void *stream)
{
    return trib_cuda_avg_pool2d_conv1x1(&p->conv1x1, dtype, inputs[0], inputs[1], inputs[2], outputs, stream);
}

const trib_kernel trib_conv1x1_kernels[] = {
    { .name = "conv1x1",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-5, 1e-3, 8e-3 },
      .edges = 2 * EDGES,
      .edge = edge,
      .reference = plain_reference,
      .run = plain_run },
    { .name = "conv1x1_tf32",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 2e-3 },
      .edges = 2 * EDGES,
      .edge = tf32_edge,
      .reference = plain_reference,
      .run = plain_run },
    { .name = "max_pool2d_conv1x1",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-5, 1e-3, 8e-3 },
      .edges = 2 * EDGES,
      .edge = edge,
      .reference = max_pooled_reference,
      .run = max_pooled_run },
    { .name = "max_pool2d_conv1x1_tf32",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 2e-3 },
      .edges = 2 * EDGES,
      .edge = tf32_edge,
      .reference = max_pooled_reference,
      .run = max_pooled_run },
    { .name = "avg_pool2d_conv1x1",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-5, 1e-3, 8e-3 },
      .edges = 2 * EDGES,
      .edge = edge,
      .reference = avg_pooled_reference,
      .run = avg_pooled_run },
    { .name = "avg_pool2d_conv1x1_tf32",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 2e-3 },
      .edges = 2 * EDGES,
      .edge = tf32_edge,
      .reference = avg_pooled_reference,
      .run = avg_pooled_run },
};
const int trib_conv1x1_kernel_count = TRIB_COUNT(trib_conv1x1_kernels);
