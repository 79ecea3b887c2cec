/* SPDX-License-Identifier: Apache-2.0
 * Gradients of average pools: a pixel gets from each window that it lies in the window's dy / (number of positions that
 * the window counts). */
#include "reference/reference.h"

/* ---- windows of one size ---- */

static double counted(const trib_window_geometry *g, int p, int q)
{
    const int top = p * g->stride_h - g->pad_top, left = q * g->stride_w - g->pad_left;
    return (double)(trib_ref_min(top + g->r, g->h + g->pad_bottom) - top) *
           (trib_ref_min(left + g->s, g->w + g->pad_right) - left);
}

static double gathered(const trib_window_geometry *g, const float *dy, int n, int h, int w)
{
    const int first_q = trib_ref_first_window(w, g->pad_left, g->s, g->stride_w);
    const int last_q = trib_ref_last_window(w, g->pad_left, g->stride_w, g->q);
    const int last_p = trib_ref_last_window(h, g->pad_top, g->stride_h, g->p);
    double sum = 0;
    for (int p = trib_ref_first_window(h, g->pad_top, g->r, g->stride_h); p <= last_p; ++p)
        for (int q = first_q; q <= last_q; ++q)
            sum += dy[trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch)] / counted(g, p, q);
    return sum;
}

/* ---- adaptive windows: window i of a side spans floor(i*h/p) .. ceil((i+1)*h/p) ---- */

static int64_t begin(int i, int extent, int windows) { return (int64_t)i * extent / windows; }

static int64_t end(int i, int extent, int windows) { return (((int64_t)i + 1) * extent + windows - 1) / windows; }

static bool inside(int position, int i, int extent, int windows)
{
    return position >= begin(i, extent, windows) && position < end(i, extent, windows);
}

static double gathered_adaptive(const trib_window_geometry *g, const float *dy, int n, int h, int w)
{
    double sum = 0;
    for (int p = 0; p < g->p; ++p)
        for (int q = 0; q < g->q; ++q) {
            if (!inside(h, p, g->h, g->p) || !inside(w, q, g->w, g->q)) continue;
            const int64_t rows = end(p, g->h, g->p) - begin(p, g->h, g->p);
            const int64_t columns = end(q, g->w, g->q) - begin(q, g->w, g->q);
            sum += dy[trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch)] / ((double)rows * (double)columns);
        }
    return sum;
}

/* ---- both ---- */

typedef double (*gather)(const trib_window_geometry *g, const float *dy, int n, int h, int w);

static void backward(const trib_window_geometry *g, gather of_pixel, const float *dy, float *dx, bool accumulate)
{
    for (int64_t i = 0; i < (int64_t)g->n * g->h * g->w; ++i)
        for (int c = 0; c < g->c; ++c) {
            float *out = dx + i * g->x_pitch + c;
            const double sum = of_pixel(g, dy + c, (int)(i / g->w / g->h), (int)(i / g->w % g->h), (int)(i % g->w));
            *out = (float)(accumulate ? *out + sum : sum);
        }
}

void trib_ref_avg_pool2d_backward(const trib_window_geometry *g, const float *dy, float *dx, bool accumulate)
{
    backward(g, gathered, dy, dx, accumulate);
}

void trib_ref_adaptive_avg_pool2d_backward(const trib_window_geometry *g, const float *dy, float *dx, bool accumulate)
{
    backward(g, gathered_adaptive, dy, dx, accumulate);
}
