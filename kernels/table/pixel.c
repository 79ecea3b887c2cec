/* SPDX-License-Identifier: Apache-2.0
 * What works on each element by itself: batch normalisation, and changes of layout and type. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"

/* ---- scale_shift ---- */

/* Of a problem of pixels. */
static void add_scale_shift(trib_kernel_problem *p)
{
    p->input_count = 3;
    p->inputs[1] = p->inputs[2] = trib_slice(1, p->pixel.c, 0, 0);
    p->inputs[1].element = p->inputs[2].element = TRIB_KERNEL_F32;
    p->inputs[1].scale = 2;
    p->flops *= 2;
}

void trib_scale_shift_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int y_first)
{
    trib_pixel_problem(p, g, x_first, y_first);
    add_scale_shift(p);
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
        trib_pixels_between_slices(out, edges[index].rows, edges[index].c, edges[index].before, edges[index].after,
                                   edges[index].relu);
    } else {
        const int unit = trib_random_chance(&r, 2) ? 8 : 1;
        trib_pixels_between_slices(out, trib_random_between(&r, 1, 300), unit * trib_random_between(&r, 1, 20),
                                   unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2),
                                   trib_random_chance(&r, 2));
    }
    add_scale_shift(out);
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

static const struct {
    trib_kernel_element element;
    trib_dtype dtype;
} sources[] = { { TRIB_KERNEL_F32, TRIB_F32 }, { TRIB_KERNEL_F16, TRIB_F16 }, { TRIB_KERNEL_BF16, TRIB_BF16 } };

enum { SOURCES = TRIB_COUNT(sources) };

/* NULL: the one the kernel is run with. */
static const char *name_of(trib_kernel_element element)
{
    for (int i = 0; i < SOURCES; ++i)
        if (sources[i].element == element) return trib_dtype_name(sources[i].dtype);
    return NULL;
}

/* A slice in either layout; a row of N,C,H,W is an image. */
static trib_kernel_array layout_slice(const trib_reorder_geometry *g, bool nchw, int c, int first, int pitch)
{
    const int pixels = g->h * g->w, after = pitch - first - c;
    if (nchw) return trib_slice(g->n, c * pixels, first * pixels, after * pixels);
    return trib_slice((int64_t)g->n * pixels, c, first, after);
}

void trib_reorder_problem(trib_kernel_problem *p, const trib_reorder_geometry *g, trib_kernel_element from, int x_first,
                          int y_first)
{
    const char *source = name_of(from);
    memset(p, 0, sizeof *p);
    p->reorder = *g;
    p->input_count = p->output_count = 1;
    p->inputs[0] = layout_slice(g, g->x_nchw, g->c, x_first, g->x_pitch);
    p->inputs[0].element = from;
    p->outputs[0] = layout_slice(g, g->y_nchw, g->y_c, y_first, g->y_pitch);
    snprintf(p->text, sizeof p->text, "n=%d %dx%d c=%d of %d %s -> c=%d of %d %s%s%s%s", g->n, g->h, g->w, g->c,
             g->x_pitch, g->x_nchw ? "nchw" : "nhwc", g->y_c, g->y_pitch, g->y_nchw ? "nchw" : "nhwc",
             g->relu ? " relu" : "", source ? " from " : "", source ? source : "");
}

/* ---- edges of reorder ---- */

/* Takes pitches from the channels beside the slice of y; as many are beside x, the other way round. */
static void reorder_between_slices(trib_kernel_problem *p, const trib_reorder_geometry *geometry,
                                   trib_kernel_element from, int before, int after)
{
    trib_reorder_geometry g = *geometry;
    g.x_pitch = after + g.c + before;
    g.y_pitch = before + g.y_c + after;
    trib_reorder_problem(p, &g, from, after, before);
}

static void random_reorder(int index, trib_kernel_element from, trib_kernel_problem *out)
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
    const int before = unit * trib_random_between(&r, 0, 2);
    reorder_between_slices(out, &g, from, before, unit * trib_random_between(&r, 0, 2));
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

static void any_reorder_edge(int index, trib_kernel_element from, trib_kernel_problem *out)
{
    if (index >= TRIB_COUNT(reorders)) {
        random_reorder(index, from, out);
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
    reorder_between_slices(out, &g, from, reorders[index].before, reorders[index].after);
}

static void reorder_edge(int index, trib_kernel_problem *out) { any_reorder_edge(index, TRIB_KERNEL_STORAGE, out); }

/* The same from each type in turn: with the three that y is stored in, all pairs. */
static void converting_edge(int index, trib_kernel_problem *out)
{
    any_reorder_edge(index / SOURCES, sources[index % SOURCES].element, out);
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
    { .name = "scale_shift",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = 8,
      .edge = scale_shift_edge,
      .reference = scale_shift_reference,
      .run = scale_shift_run },
    { .name = "reorder",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 0, 0 },
      .edges = TRIB_COUNT(reorders),
      .edge = reorder_edge,
      .reference = reorder_reference,
      .run = reorder_run },
    { .name = "reorder_converting",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 1e-3, 8e-3 },
      .edges = SOURCES * TRIB_COUNT(reorders),
      .edge = converting_edge,
      .reference = reorder_reference,
      .run = reorder_run },
};
const int trib_pixel_kernel_count = TRIB_COUNT(trib_pixel_kernels);
