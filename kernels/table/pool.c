/* SPDX-License-Identifier: Apache-2.0 */
#include "table/googlenet.h"
#include "table/problem.h"

static const struct {
    int n, c, h, w, size, stride, pad;
    bool ceil_mode, relu;
    int before, after;
} edges[] = {
    { 1, 8, 1, 1, 3, 1, 1, false, false, 0, 0 }, { 1, 8, 7, 7, 3, 1, 1, false, true, 8, 16 },
    { 2, 5, 9, 4, 3, 2, 0, true, false, 0, 0 },  { 2, 16, 6, 6, 3, 2, 0, true, false, 3, 2 },
    { 1, 24, 5, 8, 5, 3, 2, true, false, 8, 0 }, { 3, 8, 2, 2, 2, 2, 0, false, false, 0, 8 },
};

static void edge(int index, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        trib_window_geometry g =
            trib_square_window(edges[index].n, edges[index].c, edges[index].h, edges[index].w, edges[index].size,
                               edges[index].stride, edges[index].pad, edges[index].ceil_mode);
        g.relu = edges[index].relu;
        trib_window_problem(out, &g, edges[index].before, edges[index].after);
        return;
    }
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    const trib_window_geometry g = trib_random_window(&r, unit);
    trib_window_problem(out, &g, unit * trib_random_between(&r, 0, 2), unit * trib_random_between(&r, 0, 2));
}

/* Over the whole image, and windows shared by many lanes. */
static void average_edge(int index, trib_kernel_problem *out)
{
    static const struct {
        int n, c, h, w, size, stride, pad;
    } averages[] = {
        { 2, 24, 7, 7, 7, 1, 0 },
        { 1, 5, 6, 11, 5, 2, 2 },
        { 3, 16, 6, 6, 6, 1, 3 },
    };
    if (index >= TRIB_COUNT(averages)) {
        edge(index - TRIB_COUNT(averages), out);
        return;
    }
    const trib_window_geometry g =
        trib_square_window(averages[index].n, averages[index].c, averages[index].h, averages[index].w,
                           averages[index].size, averages[index].stride, averages[index].pad, true);
    trib_window_problem(out, &g, 0, 8 * index);
}

static void adaptive_edge(int index, trib_kernel_problem *out)
{
    static const int sides[][4] = { { 14, 14, 4, 4 }, { 7, 7, 1, 1 }, { 3, 5, 4, 7 }, { 10, 3, 7, 3 } };
    trib_random_state r = trib_random_from(index);
    trib_window_geometry g = trib_random_window(&r, trib_random_chance(&r, 2) ? 8 : 1);
    if (index < TRIB_COUNT(sides)) {
        g.c = g.k = 32 + 8 * index;
        g.h = sides[index][0], g.w = sides[index][1], g.p = sides[index][2], g.q = sides[index][3];
    }
    g.r = g.s = g.stride_h = g.stride_w = 1;
    g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = 0;
    trib_window_problem(out, &g, 8 * index % 24, 0);
}

/* ---- GoogLeNet ---- */

static void max_layer(int index, int batch, trib_kernel_problem *out)
{
    static const struct {
        const char *name;
        int c, side, size;
    } between[] = {
        { "pool1/3x3_s2", 64, 112, 3 }, { "pool2/3x3_s2", 192, 56, 3 },         { "pool3/3x3_s2", 480, 28, 3 },
        { "pool4/3x3_s2", 832, 14, 3 }, { "pool4 of torchvision", 832, 14, 2 },
    };
    if (index < TRIB_MODULES) {
        const trib_module *m = trib_module_at(index);
        const trib_window_geometry g = trib_square_window(batch, m->in, m->side, m->side, 3, 1, 1, true);
        trib_window_problem(out, &g, 0, 0);
        trib_name_layer(out, m->name, "pool");
        return;
    }
    index -= TRIB_MODULES;
    const trib_window_geometry g = trib_square_window(batch, between[index].c, between[index].side, between[index].side,
                                                      between[index].size, 2, 0, true);
    trib_window_problem(out, &g, 0, 0);
    trib_name_layer(out, "", between[index].name);
}

static void average_layer(int index, int batch, trib_kernel_problem *out)
{
    static const struct {
        const char *name;
        int c, side, size, stride;
    } averages[] = { { "pool5/7x7_s1", 1024, 7, 7, 1 },
                     { "loss1/ave_pool", 512, 14, 5, 3 },
                     { "loss2/ave_pool", 528, 14, 5, 3 } };
    const trib_window_geometry g =
        trib_square_window(batch, averages[index].c, averages[index].side, averages[index].side, averages[index].size,
                           averages[index].stride, 0, true);
    trib_window_problem(out, &g, 0, 0);
    trib_name_layer(out, "", averages[index].name);
}

/* torchvision's. */
static void adaptive_layer(int index, int batch, trib_kernel_problem *out)
{
    static const struct {
        const char *name;
        int c, side, to;
    } averages[] = { { "avgpool", 1024, 7, 1 }, { "aux1", 512, 14, 4 }, { "aux2", 528, 14, 4 } };
    trib_window_geometry g =
        trib_square_window(batch, averages[index].c, averages[index].side, averages[index].side, 1, 1, 0, false);
    g.p = g.q = averages[index].to;
    trib_window_problem(out, &g, 0, 0);
    out->flops = (double)batch * g.c * g.h * g.w;
    trib_name_layer(out, "", averages[index].name);
}

static void max_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_max_pool2d(&p->window, inputs[0], outputs[0]);
}

static trib_status max_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    return trib_cuda_max_pool2d(&p->window, dtype, inputs[0], outputs[0], stream);
}

static void average_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_avg_pool2d(&p->window, inputs[0], outputs[0]);
}

static trib_status average_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_avg_pool2d(&p->window, dtype, inputs[0], outputs[0], stream);
}

static void adaptive_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_adaptive_avg_pool2d(&p->window, inputs[0], outputs[0]);
}

static trib_status adaptive_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                void *const *outputs, void *stream)
{
    return trib_cuda_adaptive_avg_pool2d(&p->window, dtype, inputs[0], outputs[0], stream);
}

const trib_kernel trib_pool_kernels[] = {
    { "max_pool2d",
      TRIB_ALL_FLOATS,
      { 0, 0, 0 },
      TRIB_COUNT(edges),
      edge,
      TRIB_MODULES + 5,
      max_layer,
      max_reference,
      max_run },
    { "avg_pool2d",
      TRIB_ALL_FLOATS,
      { 1e-6, 1e-3, 8e-3 },
      3 + TRIB_COUNT(edges),
      average_edge,
      3,
      average_layer,
      average_reference,
      average_run },
    { "adaptive_avg_pool2d",
      TRIB_ALL_FLOATS,
      { 1e-6, 1e-3, 8e-3 },
      4,
      adaptive_edge,
      3,
      adaptive_layer,
      adaptive_reference,
      adaptive_run },
};
const int trib_pool_kernel_count = TRIB_COUNT(trib_pool_kernels);
