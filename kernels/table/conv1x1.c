/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/googlenet.h"
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

static void place_input(trib_kernel_problem *p, int before, int after)
{
    p->inputs[0] = trib_slice(p->inputs[0].rows, p->conv1x1.c, before, after);
    p->conv1x1.x_pitch = p->inputs[0].pitch;
}

static void place_output(trib_kernel_problem *p, int i, int before, int after)
{
    p->outputs[i] = trib_slice(p->inputs[0].rows, p->conv1x1.k[i], before, after);
    p->conv1x1.y_pitch[i] = p->outputs[i].pitch;
}

/* With bias, dense. */
static void dense(const shape *s, bool tf32, trib_kernel_problem *out)
{
    memset(out, 0, sizeof *out);
    trib_conv1x1_geometry *g = &out->conv1x1;
    int columns = 0;
    *g = (trib_conv1x1_geometry) { .n = s->n, .h = s->h, .w = s->w, .c = s->c, .tf32 = tf32 };
    out->inputs[0].rows = (int64_t)s->n * s->h * s->w;
    place_input(out, 0, 0);
    for (; g->outputs < TRIB_CONV1X1_MAX_OUTPUTS && s->k[g->outputs]; ++g->outputs) {
        g->k[g->outputs] = s->k[g->outputs];
        columns += s->k[g->outputs];
        place_output(out, g->outputs, 0, 0);
    }
    out->input_count = 3;
    out->output_count = g->outputs;
    out->inputs[1] = trib_slice(columns, s->c, 0, 0);
    out->inputs[1].scale = sqrtf(3.0f / (float)s->c);
    out->inputs[2] = trib_slice(1, columns, 0, 0);
    out->inputs[2].element = TRIB_KERNEL_F32;
    out->flops = 2.0 * (double)out->inputs[0].rows * s->c * columns;
}

/* ---- edges ---- */

/* `seed` chooses slices, bias and ReLU. */
static void problem(const shape *s, int seed, trib_conv1x1_tile tile, bool tf32, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(seed);
    dense(s, tf32, out);
    out->conv1x1.relu = !trib_random_chance(&r, 3);
    out->conv1x1.tile = tile;
    out->input_count = trib_random_chance(&r, 5) ? 2 : 3;
    const int x_before = 8 * trib_random_between(&r, 0, 2);
    place_input(out, x_before, 8 * trib_random_between(&r, 0, 2));
    for (int i = 0; i < out->output_count; ++i) {
        const int before = 8 * trib_random_between(&r, 0, 3);
        place_output(out, i, before, 8 * trib_random_between(&r, 0, 3));
    }
    describe(out);
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

/* ---- networks ---- */

/* `out`'s first output becomes channels `first` .. of a concatenation of `joined`. */
static void finish_layer(trib_kernel_problem *p, int first, int joined)
{
    p->conv1x1.relu = true;
    place_output(p, 0, first, joined - first - p->conv1x1.k[0]);
    describe(p);
}

/* The three merged convolutions of each module; then the single ones. */
static void merged(int index, int batch, bool tf32, trib_kernel_problem *out)
{
    static const struct {
        const char *name;
        int side, in, out;
    } alone[] = { { "conv2/3x3_reduce", 56, 64, 64 }, { "loss1/conv", 4, 512, 128 }, { "loss2/conv", 4, 528, 128 } };
    if (index < TRIB_MODULES) {
        const trib_module *m = trib_module_at(index);
        const shape s = { batch, m->side, m->side, m->in, { m->k1x1, m->reduce_3x3, m->reduce_5x5 } };
        dense(&s, tf32, out);
        finish_layer(out, 0, trib_module_out(m));
        trib_name_layer(out, m->name, "1x1+3x3_reduce+5x5_reduce");
        return;
    }
    index -= TRIB_MODULES;
    const shape s = { batch, alone[index].side, alone[index].side, alone[index].in, { alone[index].out } };
    dense(&s, tf32, out);
    finish_layer(out, 0, alone[index].out);
    trib_name_layer(out, "", alone[index].name);
}

static void projection(int index, int batch, bool tf32, trib_kernel_problem *out)
{
    const trib_module *m = trib_module_at(index);
    const shape s = { batch, m->side, m->side, m->in, { m->pool_proj } };
    dense(&s, tf32, out);
    finish_layer(out, trib_module_out(m) - m->pool_proj, trib_module_out(m));
    trib_name_layer(out, m->name, "pool+pool_proj");
}

/* Pools of averages are Inception v3's, of 299x299 pixels: each pool branch that is unlike the others. */
static const struct {
    const char *name;
    int side, in, out, joined;
} averages[] = {
    { "mixed_5b", 35, 192, 32, 256 },  { "mixed_5c", 35, 256, 64, 288 },   { "mixed_5d", 35, 288, 64, 288 },
    { "mixed_6b", 17, 768, 192, 768 }, { "mixed_7b", 8, 1280, 192, 2048 }, { "mixed_7c", 8, 2048, 192, 2048 },
};
enum { AVERAGES = TRIB_COUNT(averages) };

static void averaged(int index, int batch, bool tf32, trib_kernel_problem *out)
{
    const shape s = { batch, averages[index].side, averages[index].side, averages[index].in, { averages[index].out } };
    dense(&s, tf32, out);
    finish_layer(out, averages[index].joined - averages[index].out, averages[index].joined);
    trib_name_layer(out, averages[index].name, "pool+pool_proj");
}

enum { MERGED = TRIB_MODULES + 3, PROJECTIONS = TRIB_MODULES };

static void plain_layer(int index, int batch, trib_kernel_problem *out) { merged(index, batch, false, out); }
static void plain_tf32_layer(int index, int batch, trib_kernel_problem *out) { merged(index, batch, true, out); }
static void max_pooled_layer(int index, int batch, trib_kernel_problem *out) { projection(index, batch, false, out); }
static void max_pooled_tf32_layer(int index, int batch, trib_kernel_problem *out)
{
    projection(index, batch, true, out);
}
static void avg_pooled_layer(int index, int batch, trib_kernel_problem *out) { averaged(index, batch, false, out); }
static void avg_pooled_tf32_layer(int index, int batch, trib_kernel_problem *out) { averaged(index, batch, true, out); }

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
    { "conv1x1",
      TRIB_ALL_FLOATS,
      { 1e-5, 1e-3, 8e-3 },
      2 * EDGES,
      edge,
      MERGED,
      plain_layer,
      plain_reference,
      plain_run },
    { "conv1x1_tf32",
      1 << TRIB_F32,
      { 2e-3 },
      2 * EDGES,
      tf32_edge,
      MERGED,
      plain_tf32_layer,
      plain_reference,
      plain_run },
    { "max_pool2d_conv1x1",
      TRIB_ALL_FLOATS,
      { 1e-5, 1e-3, 8e-3 },
      2 * EDGES,
      edge,
      PROJECTIONS,
      max_pooled_layer,
      max_pooled_reference,
      max_pooled_run },
    { "max_pool2d_conv1x1_tf32",
      1 << TRIB_F32,
      { 2e-3 },
      2 * EDGES,
      tf32_edge,
      PROJECTIONS,
      max_pooled_tf32_layer,
      max_pooled_reference,
      max_pooled_run },
    { "avg_pool2d_conv1x1",
      TRIB_ALL_FLOATS,
      { 1e-5, 1e-3, 8e-3 },
      2 * EDGES,
      edge,
      AVERAGES,
      avg_pooled_layer,
      avg_pooled_reference,
      avg_pooled_run },
    { "avg_pool2d_conv1x1_tf32",
      1 << TRIB_F32,
      { 2e-3 },
      2 * EDGES,
      tf32_edge,
      AVERAGES,
      avg_pooled_tf32_layer,
      avg_pooled_reference,
      avg_pooled_run },
};
const int trib_conv1x1_kernel_count = TRIB_COUNT(trib_conv1x1_kernels);
