/* SPDX-License-Identifier: Apache-2.0
 * What works on each element by itself: batch normalisation, and changes of layout and type. */
#include <stdio.h>
#include <string.h>

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

static void scale_shift_shape(int index, trib_kernel_problem *out)
{
    static const struct {
        int64_t rows;
        int c, before, after;
        bool relu;
    } shapes[] = {
        { 1, 1, 0, 0, false },  { 3, 8, 0, 0, true },  { 4, 8, 8, 0, false },     { 5, 24, 0, 8, true },
        { 257, 3, 1, 2, true }, { 9, 16, 4, 4, true }, { 63, 1032, 0, 0, false }, { 784, 192, 0, 64, true },
    };
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(shapes)) {
        scale_shift_problem(out, shapes[index].rows, shapes[index].c, shapes[index].before, shapes[index].after,
                            shapes[index].relu);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    scale_shift_problem(out, trib_random_between(&r, 1, 300), unit * trib_random_between(&r, 1, 20),
                        unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2),
                        trib_random_chance(&r, 2));
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

/* Takes pitches from the channels beside the slices, the same for x and y the other way round. */
static void reorder_problem(trib_kernel_problem *p, const trib_reorder_geometry *geometry, int before, int after)
{
    memset(p, 0, sizeof *p);
    trib_reorder_geometry *g = &p->reorder;
    *g = *geometry;
    g->x_pitch = after + g->c + before;
    g->y_pitch = before + g->y_c + after;
    p->input_count = p->output_count = 1;
    p->inputs[0] = layout_slice(g, g->x_nchw, g->c, after, before);
    p->outputs[0] = layout_slice(g, g->y_nchw, g->y_c, before, after);
    snprintf(p->text, sizeof p->text, "n=%d %dx%d c=%d %s -> c=%d %s beside %d+%d%s", g->n, g->h, g->w, g->c,
             g->x_nchw ? "nchw" : "nhwc", g->y_c, g->y_nchw ? "nchw" : "nhwc", before, after, g->relu ? " relu" : "");
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
    reorder_problem(out, &g, unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2));
}

/* Every pair of layouts; fewer and more channels, pixels and rows than a tile has, and exactly as many. */
static const struct {
    int n, c, h, w, y_c;
    bool x_nchw, y_nchw, relu;
    int before, after;
} reorders[] = {
    { 1, 1, 1, 1, 1, false, true, false, 0, 0 },       { 2, 3, 9, 61, 8, true, false, false, 0, 0 },
    { 2, 8, 16, 32, 8, true, false, true, 0, 0 },      { 1, 9, 23, 23, 12, true, false, false, 1, 2 },
    { 2, 64, 8, 8, 64, true, false, true, 8, 0 },      { 1, 65, 13, 5, 70, true, false, false, 0, 3 },
    { 2, 5, 23, 23, 7, false, true, false, 1, 2 },     { 1, 64, 8, 8, 64, false, true, false, 0, 0 },
    { 2, 66, 5, 13, 80, false, true, true, 3, 1 },     { 3, 128, 4, 4, 128, false, true, false, 0, 0 },
    { 2, 24, 5, 7, 24, false, false, true, 8, 16 },    { 2, 24, 5, 7, 40, false, false, false, 16, 0 },
    { 2, 3, 11, 11, 8, false, false, false, 0, 0 },    { 2, 7, 3, 5, 7, false, false, true, 1, 0 },
    { 3, 8, 7, 7, 10, true, true, true, 1, 2 },        { 2, 16, 4, 4, 24, true, true, false, 8, 8 },
    { 3, 40, 1, 1, 48, true, false, false, 8, 8 },     { 1, 3, 64, 65, 8, true, false, false, 0, 0 },
    { 1, 64, 28, 28, 64, false, false, true, 0, 192 },
};

static void reorder_shape(int index, trib_kernel_problem *out)
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
    reorder_problem(out, &g, reorders[index].before, reorders[index].after);
}

static const struct {
    trib_kernel_element element;
    trib_dtype dtype;
} sources[] = { { TRIB_KERNEL_F32, TRIB_F32 }, { TRIB_KERNEL_F16, TRIB_F16 }, { TRIB_KERNEL_BF16, TRIB_BF16 } };

enum { SOURCES = TRIB_COUNT(sources) };

/* The same from each type in turn: with the three that y is stored in, all pairs. */
static void converting_shape(int index, trib_kernel_problem *out)
{
    reorder_shape(index / SOURCES, out);
    out->inputs[0].element = sources[index % SOURCES].element;
    const size_t used = strlen(out->text);
    snprintf(out->text + used, sizeof out->text - used, " from %s", trib_dtype_name(sources[index % SOURCES].dtype));
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
      scale_shift_shape,
      scale_shift_reference,
      scale_shift_run },
    { "reorder", TRIB_ALL_FLOATS, { 0, 0, 0 }, TRIB_COUNT(reorders), reorder_shape, reorder_reference, reorder_run },
    { "reorder_converting",
      TRIB_ALL_FLOATS,
      { 0, 1e-3, 8e-3 },
      SOURCES *TRIB_COUNT(reorders),
      converting_shape,
      reorder_reference,
      reorder_run },
};
const int trib_pixel_kernel_count = TRIB_COUNT(trib_pixel_kernels);
