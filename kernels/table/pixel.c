/* SPDX-License-Identifier: Apache-2.0
 * What works on each element by itself: batch normalisation, and changes of layout and type. */
#include <stdio.h>
#include <string.h>

#include "table/googlenet.h"
#include "table/problem.h"

/* ---- scale_shift ---- */

static void scale_shift_problem(trib_kernel_problem *p, int64_t rows, int c, int before, int after, bool relu)
{
    trib_pixel_problem(p, rows, c, before, after, relu);
    p->input_count = 3;
    p->inputs[1] = p->inputs[2] = trib_slice(1, c, 0, 0);
    p->inputs[1].element = p->inputs[2].element = TRIB_KERNEL_F32;
    p->inputs[1].scale = 2;
    p->flops = 2 * (double)rows * c;
}

static void scale_shift_edge(int index, trib_kernel_problem *out)
{
    static const struct {
        int64_t rows;
        int c, before, after;
        bool relu;
    } edges[] = {
        { 1, 1, 0, 0, false },  { 3, 8, 0, 0, true },  { 4, 8, 8, 0, false },     { 5, 24, 0, 8, true },
        { 257, 3, 1, 2, true }, { 9, 16, 4, 4, true }, { 63, 1032, 0, 0, false }, { 784, 32, 0, 64, true },
    };
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        scale_shift_problem(out, edges[index].rows, edges[index].c, edges[index].before, edges[index].after,
                            edges[index].relu);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    scale_shift_problem(out, trib_random_between(&r, 1, 300), unit * trib_random_between(&r, 1, 20),
                        unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2),
                        trib_random_chance(&r, 2));
}

/* Where it is not folded: behind the stem's convolutions, and a module's 3x3, into the concatenation. */
static void scale_shift_layer(int index, int batch, trib_kernel_problem *out)
{
    static const struct {
        const char *name;
        int side, c;
    } stem[] = { { "conv1", 112, 64 }, { "conv2", 56, 64 }, { "conv3", 56, 192 } };
    if (index < TRIB_MODULES) {
        const trib_module *m = trib_module_at(index);
        const int64_t rows = (int64_t)batch * m->side * m->side;
        scale_shift_problem(out, rows, m->k3x3, m->k1x1, m->k5x5 + m->pool_proj, true);
        out->inputs[0] = trib_slice(rows, m->k3x3, 0, 0);
        out->pixel.x_pitch = m->k3x3;
        trib_name_layer(out, m->name, "3x3/bn");
        return;
    }
    index -= TRIB_MODULES;
    scale_shift_problem(out, (int64_t)batch * stem[index].side * stem[index].side, stem[index].c, 0, 0, true);
    trib_name_layer(out, stem[index].name, "bn");
}

static void scale_shift_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_scale_shift(&p->pixel, inputs[1], inputs[2], inputs[0], outputs[0]);
}

static trib_status scale_shift_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                   void *const *outputs, void *stream)
{
    return trib_cuda_scale_shift(&p->pixel, dtype, inputs[0], inputs[1], inputs[2], outputs[0], stream);
}

/* ---- reorder ---- */

/* A slice in either layout; a row of N,C,H,W is an image. */
static trib_kernel_array layout_slice(const trib_reorder_geometry *g, bool nchw, int c, int before, int after)
{
    const int pixels = g->h * g->w;
    if (nchw) return trib_slice(g->n, c * pixels, before * pixels, after * pixels);
    return trib_slice((int64_t)g->n * pixels, c, before, after);
}

/* Takes pitches from the channels beside the slice of y; x is dense. */
static void reorder_problem(trib_kernel_problem *p, const trib_reorder_geometry *geometry, int before, int after)
{
    memset(p, 0, sizeof *p);
    trib_reorder_geometry *g = &p->reorder;
    *g = *geometry;
    g->x_pitch = g->c;
    g->y_pitch = before + g->y_c + after;
    p->input_count = p->output_count = 1;
    p->inputs[0] = layout_slice(g, g->x_nchw, g->c, 0, 0);
    p->outputs[0] = layout_slice(g, g->y_nchw, g->y_c, before, after);
    snprintf(p->text, sizeof p->text, "n=%d %dx%d c=%d %s -> c=%d %s beside %d+%d%s", g->n, g->h, g->w, g->c,
             g->x_nchw ? "nchw" : "nhwc", g->y_c, g->y_nchw ? "nchw" : "nhwc", before, after, g->relu ? " relu" : "");
}

/* The same with as much beside x, the other way round. */
static void reorder_between_slices(trib_kernel_problem *p, const trib_reorder_geometry *geometry, int before, int after)
{
    reorder_problem(p, geometry, before, after);
    p->reorder.x_pitch = after + geometry->c + before;
    p->inputs[0] = layout_slice(geometry, geometry->x_nchw, geometry->c, after, before);
}

static void random_reorder(int index, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    trib_reorder_geometry g = { .n = trib_random_between(&r, 1, 3), .c = unit * trib_random_between(&r, 1, 80 / unit) };
    g.h = trib_random_between(&r, 1, 25);
    g.w = trib_random_between(&r, 1, 25);
    g.y_c = g.c + (trib_random_chance(&r, 3) ? unit * trib_random_between(&r, 1, 7) : 0);
    g.x_nchw = trib_random_chance(&r, 2);
    g.y_nchw = trib_random_chance(&r, 2);
    g.relu = trib_random_chance(&r, 2);
    reorder_between_slices(out, &g, unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2));
}

/* Every pair of layouts; fewer and more channels, pixels and rows than a tile has, and exactly as many. */
static const struct {
    int n, c, h, w, y_c;
    bool x_nchw, y_nchw, relu;
    int before, after;
} reorders[] = {
    { 1, 1, 1, 1, 1, false, true, false, 0, 0 },    { 2, 3, 9, 61, 8, true, false, false, 0, 0 },
    { 2, 8, 16, 32, 8, true, false, true, 0, 0 },   { 1, 9, 23, 23, 12, true, false, false, 1, 2 },
    { 2, 64, 8, 8, 64, true, false, true, 8, 0 },   { 1, 65, 13, 5, 70, true, false, false, 0, 3 },
    { 2, 5, 23, 23, 7, false, true, false, 1, 2 },  { 1, 64, 8, 8, 64, false, true, false, 0, 0 },
    { 2, 66, 5, 13, 80, false, true, true, 3, 1 },  { 3, 128, 4, 4, 128, false, true, false, 0, 0 },
    { 2, 24, 5, 7, 24, false, false, true, 8, 16 }, { 2, 24, 5, 7, 40, false, false, false, 16, 0 },
    { 2, 3, 11, 11, 8, false, false, false, 0, 0 }, { 2, 7, 3, 5, 7, false, false, true, 1, 0 },
    { 3, 8, 7, 7, 10, true, true, true, 1, 2 },     { 2, 16, 4, 4, 24, true, true, false, 8, 8 },
    { 3, 40, 1, 1, 48, true, false, false, 8, 8 },  { 1, 3, 64, 65, 8, true, false, false, 0, 0 },
};

static void reorder_edge(int index, trib_kernel_problem *out)
{
    if (index >= TRIB_COUNT(reorders)) {
        random_reorder(index, out);
        return;
    }
    const trib_reorder_geometry g = { .n = reorders[index].n,
                                      .c = reorders[index].c,
                                      .h = reorders[index].h,
                                      .w = reorders[index].w,
                                      .y_c = reorders[index].y_c,
                                      .x_nchw = reorders[index].x_nchw,
                                      .y_nchw = reorders[index].y_nchw,
                                      .relu = reorders[index].relu };
    reorder_between_slices(out, &g, reorders[index].before, reorders[index].after);
}

static const struct {
    trib_kernel_element element;
    trib_dtype dtype;
} sources[] = { { TRIB_KERNEL_F32, TRIB_F32 }, { TRIB_KERNEL_F16, TRIB_F16 }, { TRIB_KERNEL_BF16, TRIB_BF16 } };

enum { SOURCES = TRIB_COUNT(sources) };

/* The same from each type in turn: with the three that y is stored in, all pairs. */
static void converting_edge(int index, trib_kernel_problem *out)
{
    reorder_edge(index / SOURCES, out);
    out->inputs[0].element = sources[index % SOURCES].element;
    const size_t used = strlen(out->text);
    snprintf(out->text + used, sizeof out->text - used, " from %s", trib_dtype_name(sources[index % SOURCES].dtype));
}

/* A module's 3x3 into the concatenation; the image; what the auxiliary classifiers flatten. */
static void reorder_layer(int index, int batch, trib_kernel_problem *out)
{
    if (index < TRIB_MODULES) {
        const trib_module *m = trib_module_at(index);
        const trib_reorder_geometry g = { .n = batch, .c = m->k3x3, .h = m->side, .w = m->side, .y_c = m->k3x3 };
        reorder_problem(out, &g, m->k1x1, m->k5x5 + m->pool_proj);
        trib_name_layer(out, m->name, "output");
    } else if (index == TRIB_MODULES) {
        const trib_reorder_geometry g = { .n = batch, .c = 3, .h = 224, .w = 224, .y_c = 8, .x_nchw = true };
        reorder_problem(out, &g, 0, 0);
        trib_name_layer(out, "", "data");
    } else {
        const trib_reorder_geometry g = { .n = batch, .c = 128, .h = 4, .w = 4, .y_c = 128, .y_nchw = true };
        reorder_problem(out, &g, 0, 0);
        trib_name_layer(out, "", "loss1/conv flattened");
    }
}

/* The image, as a host has it: float32. */
static void converting_layer(int index, int batch, trib_kernel_problem *out)
{
    reorder_layer(TRIB_MODULES + index, batch, out);
    out->inputs[0].element = TRIB_KERNEL_F32;
}

static void reorder_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_reorder(&p->reorder, inputs[0], outputs[0]);
}

static trib_status reorder_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    trib_dtype from = dtype;
    for (int i = 0; i < SOURCES; ++i)
        if (sources[i].element == p->inputs[0].element) from = sources[i].dtype;
    return trib_cuda_reorder(&p->reorder, from, dtype, inputs[0], outputs[0], stream);
}

const trib_kernel trib_pixel_kernels[] = {
    { "scale_shift",
      TRIB_ALL_FLOATS,
      { 1e-6, 1e-3, 8e-3 },
      8,
      scale_shift_edge,
      TRIB_MODULES + 3,
      scale_shift_layer,
      scale_shift_reference,
      scale_shift_run },
    { "reorder",
      TRIB_ALL_FLOATS,
      { 0, 0, 0 },
      TRIB_COUNT(reorders),
      reorder_edge,
      TRIB_MODULES + 2,
      reorder_layer,
      reorder_reference,
      reorder_run },
    { "reorder_converting",
      TRIB_ALL_FLOATS,
      { 0, 1e-3, 8e-3 },
      SOURCES *TRIB_COUNT(reorders),
      converting_edge,
      1,
      converting_layer,
      reorder_reference,
      reorder_run },
};
const int trib_pixel_kernel_count = TRIB_COUNT(trib_pixel_kernels);
