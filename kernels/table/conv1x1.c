/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

/* What a network asks for: pixels of an image, channels, and those of each output. */
typedef struct shape {
    int n, h, w, c;
    int k[TRIB_CONV1X1_MAX_OUTPUTS];
} shape;

/* Edges: one pixel, one column group, several tiles and a bit, inner dimensions that end inside a 64-byte slice. */
static const shape edges[] = {
    { 1, 1, 1, 8, { 8 } },         { 1, 7, 7, 8, { 8, 8, 8, 8 } }, { 1, 7, 7, 40, { 72 } },
    { 1, 1, 65, 24, { 64, 8 } },   { 2, 9, 8, 200, { 128, 8 } },   { 3, 6, 11, 56, { 16, 104, 24, 8 } },
    { 1, 13, 10, 72, { 8, 120 } },
};

/* GoogLeNet at batch 1: in front of a module its three merged; conv2/3x3_reduce; the auxiliary classifiers. */
static const shape merged[] = {
    { 1, 28, 28, 192, { 64, 96, 16 } },
    { 1, 28, 28, 256, { 128, 128, 32 } },
    { 1, 14, 14, 480, { 192, 96, 16 } },
    { 1, 14, 14, 512, { 160, 112, 24 } },
    { 1, 14, 14, 512, { 128, 128, 24 } },
    { 1, 14, 14, 512, { 112, 144, 32 } },
    { 1, 14, 14, 528, { 256, 160, 32 } },
    { 1, 7, 7, 832, { 256, 160, 32 } },
    { 1, 7, 7, 832, { 384, 192, 48 } },
    { 1, 56, 56, 64, { 64 } },
    { 1, 4, 4, 512, { 128 } },
    { 1, 4, 4, 528, { 128 } },
};
static const shape projections[] = {
    { 1, 28, 28, 192, { 32 } }, { 1, 28, 28, 256, { 64 } },  { 1, 14, 14, 480, { 64 } },
    { 1, 14, 14, 512, { 64 } }, { 1, 14, 14, 528, { 128 } }, { 1, 7, 7, 832, { 128 } },
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

/* `seed` chooses slices, bias, ReLU and tile. */
static void problem(const shape *s, int seed, bool tf32, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(seed);
    memset(out, 0, sizeof *out);
    trib_conv1x1_geometry *g = &out->conv1x1;
    const int64_t rows = (int64_t)s->n * s->h * s->w;
    int columns = 0;
    *g = (trib_conv1x1_geometry) { .n = s->n, .h = s->h, .w = s->w, .c = s->c, .tf32 = tf32 };
    g->relu = !trib_random_chance(&r, 3);
    g->tile = trib_random_chance(&r, 2) ? TRIB_TILE_64 : TRIB_TILE_128;
    out->input_count = trib_random_chance(&r, 5) ? 2 : 3;
    out->inputs[0] = trib_slice(rows, s->c, 8 * trib_random_between(&r, 0, 2), 8 * trib_random_between(&r, 0, 2));
    g->x_pitch = out->inputs[0].pitch;
    for (; g->outputs < TRIB_CONV1X1_MAX_OUTPUTS && s->k[g->outputs]; ++g->outputs) {
        const int i = g->outputs;
        g->k[i] = s->k[i];
        columns += s->k[i];
        out->outputs[i] =
            trib_slice(rows, s->k[i], 8 * trib_random_between(&r, 0, 3), 8 * trib_random_between(&r, 0, 3));
        g->y_pitch[i] = out->outputs[i].pitch;
    }
    out->output_count = g->outputs;
    out->inputs[1] = trib_slice(columns, s->c, 0, 0);
    out->inputs[1].scale = sqrtf(3.0f / (float)s->c);
    out->inputs[2] = trib_slice(1, columns, 0, 0);
    out->inputs[2].element = TRIB_KERNEL_F32;
    out->flops = 2.0 * (double)rows * s->c * columns;
    describe(out);
}

enum { EDGES = TRIB_COUNT(edges), MERGED = TRIB_COUNT(merged), PROJECTIONS = TRIB_COUNT(projections) };

/* Edges twice, with different tiles, then the network's, then random ones. */
static void choose(int index, const shape *network, int network_count, bool tf32, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    if (index < 2 * EDGES) {
        problem(&edges[index / 2], index, tf32, out);
        out->conv1x1.tile = index % 2 ? TRIB_TILE_128 : TRIB_TILE_64;
        describe(out);
    } else if (index < 2 * EDGES + network_count) {
        problem(&network[index - 2 * EDGES], index, tf32, out);
        out->conv1x1.tile = TRIB_TILE_AUTO;
        describe(out);
    } else {
        const shape s = random_shape(&r);
        problem(&s, index, tf32, out);
    }
}

static void plain_shape(int index, trib_kernel_problem *out) { choose(index, merged, MERGED, false, out); }
static void plain_tf32_shape(int index, trib_kernel_problem *out) { choose(index, merged, MERGED, true, out); }
static void pooled_shape(int index, trib_kernel_problem *out) { choose(index, projections, PROJECTIONS, false, out); }
static void pooled_tf32_shape(int index, trib_kernel_problem *out)
{
    choose(index, projections, PROJECTIONS, true, out);
}

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

static void pooled_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_conv1x1_geometry *g = &p->conv1x1;
    trib_window_geometry pool = trib_square_window(g->n, g->c, g->h, g->w, 3, 1, 1, false);
    pool.x_pitch = g->x_pitch;
    pool.y_pitch = g->c;
    float *pooled = malloc(sizeof(float) * (size_t)g->n * (size_t)g->h * (size_t)g->w * (size_t)g->c);
    if (!pooled) return; /* nothing written: the comparison fails */
    trib_ref_max_pool2d(&pool, inputs[0], pooled);
    convolve(p, pooled, g->c, inputs, outputs);
    free(pooled);
}

static trib_status plain_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                             void *const *outputs, void *stream)
{
    return trib_cuda_conv1x1(&p->conv1x1, dtype, inputs[0], inputs[1], inputs[2], outputs, stream);
}

static trib_status pooled_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                              void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d_conv1x1(&p->conv1x1, dtype, inputs[0], inputs[1], inputs[2], outputs, stream);
}

const trib_kernel trib_conv1x1_kernels[] = {
    { "conv1x1", TRIB_ALL_FLOATS, { 1e-5, 1e-3, 8e-3 }, 2 * EDGES + MERGED, plain_shape, plain_reference, plain_run },
    { "conv1x1_tf32", 1 << TRIB_F32, { 2e-3 }, 2 * EDGES + MERGED, plain_tf32_shape, plain_reference, plain_run },
    { "max_pool2d_conv1x1",
      TRIB_ALL_FLOATS,
      { 1e-5, 1e-3, 8e-3 },
      2 * EDGES + PROJECTIONS,
      pooled_shape,
      pooled_reference,
      pooled_run },
    { "max_pool2d_conv1x1_tf32",
      1 << TRIB_F32,
      { 2e-3 },
      2 * EDGES + PROJECTIONS,
      pooled_tf32_shape,
      pooled_reference,
      pooled_run },
};
const int trib_conv1x1_kernel_count = TRIB_COUNT(trib_conv1x1_kernels);
