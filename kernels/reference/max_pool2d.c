/* SPDX-License-Identifier: Apache-2.0
 * Max pooling: y[n,p,q,c] = the largest x[n,h,w,c] of the window that starts at (p*stride_h - pad_top, q*stride_w -
 * pad_left). Positions outside the image never win; a NaN always does, as in PyTorch. */
#include <math.h>

#include "reference/reference.h"

static void max_of_window(const trib_window_geometry *g, const float *x, int n, int p, int q, float *y)
{
    const int top = p * g->stride_h - g->pad_top, left = q * g->stride_w - g->pad_left;
    for (int c = 0; c < g->c; ++c) {
        float best = -INFINITY;
        for (int h = trib_ref_max(0, top); h < trib_ref_min(g->h, top + g->r); ++h) {
            for (int w = trib_ref_max(0, left); w < trib_ref_min(g->w, left + g->s); ++w) {
                float value = x[trib_ref_pixel(n, h, w, g->h, g->w, g->x_pitch) + c];
                if (value > best || isnan(value)) best = value;
            }
        }
        y[c] = trib_ref_store(best, g->relu);
    }
}

void trib_ref_max_pool2d(const trib_window_geometry *g, const float *x, float *y)
{
    for (int n = 0; n < g->n; ++n)
        for (int p = 0; p < g->p; ++p)
            for (int q = 0; q < g->q; ++q)
                max_of_window(g, x, n, p, q, y + trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch));
}
