/* SPDX-License-Identifier: Apache-2.0
 * Average pooling: y[n,p,q,c] = (sum of the window's x inside the image) / (number of the window's positions inside the
 * image and its stated padding). Positions that a window of ceil mode covers beyond that are not counted: PyTorch's
 * count_include_pad=True, and Caffe. */
#include "reference/reference.h"

static void average_of_window(const trib_window_geometry *g, const float *x, int n, int p, int q, float *y)
{
    const int top = p * g->stride_h - g->pad_top, left = q * g->stride_w - g->pad_left;
    const int bottom = trib_ref_min(top + g->r, g->h + g->pad_bottom);
    const int right = trib_ref_min(left + g->s, g->w + g->pad_right);
    const double divisor = (double)(bottom - top) * (right - left);
    for (int c = 0; c < g->c; ++c) {
        double sum = 0;
        for (int h = trib_ref_max(0, top); h < trib_ref_min(g->h, bottom); ++h)
            for (int w = trib_ref_max(0, left); w < trib_ref_min(g->w, right); ++w)
                sum += x[trib_ref_pixel(n, h, w, g->h, g->w, g->x_pitch) + c];
        y[c] = trib_ref_store(sum / divisor, g->relu);
    }
}

void trib_ref_avg_pool2d(const trib_window_geometry *g, const float *x, float *y)
{
    for (int n = 0; n < g->n; ++n)
        for (int p = 0; p < g->p; ++p)
            for (int q = 0; q < g->q; ++q)
                average_of_window(g, x, n, p, q, y + trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch));
}
