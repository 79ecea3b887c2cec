/* SPDX-License-Identifier: Apache-2.0
 * Adaptive average pooling to p x q: window i of a side of h positions spans floor(i*h/p) .. ceil((i+1)*h/p), so that
 * windows cover everything and may overlap (PyTorch's AdaptiveAvgPool2d). */
#include "reference/reference.h"

static int window_begin(int i, int extent, int windows) { return (int)((int64_t)i * extent / windows); }

static int window_end(int i, int extent, int windows)
{
    return (int)((((int64_t)i + 1) * extent + windows - 1) / windows);
}

static void average_of_window(const trib_window_geometry *g, const float *x, int n, int p, int q, float *y)
{
    const int top = window_begin(p, g->h, g->p), bottom = window_end(p, g->h, g->p);
    const int left = window_begin(q, g->w, g->q), right = window_end(q, g->w, g->q);
    for (int c = 0; c < g->c; ++c) {
        double sum = 0;
        for (int h = top; h < bottom; ++h)
            for (int w = left; w < right; ++w) sum += x[trib_ref_pixel(n, h, w, g->h, g->w, g->x_pitch) + c];
        y[c] = trib_ref_store(sum / ((double)(bottom - top) * (right - left)), g->relu);
    }
}

void trib_ref_adaptive_avg_pool2d(const trib_window_geometry *g, const float *x, float *y)
{
    for (int n = 0; n < g->n; ++n)
        for (int p = 0; p < g->p; ++p)
            for (int q = 0; q < g->q; ++q)
                average_of_window(g, x, n, p, q, y + trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch));
}
