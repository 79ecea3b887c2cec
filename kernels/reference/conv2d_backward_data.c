/* SPDX-License-Identifier: Apache-2.0
 * dx[n,h,w,c] = sum over the windows (p,q) that contain (h,w), and over k, of dy[n,p,q,k] * w[k,c,r,s], with (r,s) the
 * pixel's place in the window. Sums in double. Eight input channels are summed side by side, as in conv2d.c. */
#include "reference/reference.h"

enum { BLOCK = 8 };

/* What the window (p,q) gives the channels that `filters` point at. */
static void sum_outputs(const trib_window_geometry *g, const float *dy, int r, int s, const float *const filters[BLOCK],
                        double sums[BLOCK])
{
    const int64_t step = (int64_t)g->c * g->r * g->s;
    int64_t at = (int64_t)r * g->s + s;
    for (int k = 0; k < g->k; ++k, at += step)
        for (int i = 0; i < BLOCK; ++i) sums[i] += (double)dy[k] * filters[i][at];
}

static void sum_windows(const trib_window_geometry *g, const float *dy, int n, int h, int w,
                        const float *const filters[BLOCK], double sums[BLOCK])
{
    const int first_q = trib_ref_first_window(w, g->pad_left, g->s, g->stride_w);
    const int last_q = trib_ref_last_window(w, g->pad_left, g->stride_w, g->q);
    const int last_p = trib_ref_last_window(h, g->pad_top, g->stride_h, g->p);
    for (int p = trib_ref_first_window(h, g->pad_top, g->r, g->stride_h); p <= last_p; ++p)
        for (int q = first_q; q <= last_q; ++q)
            sum_outputs(g, dy + trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch), h + g->pad_top - p * g->stride_h,
                        w + g->pad_left - q * g->stride_w, filters, sums);
}

void trib_ref_conv2d_backward_data(const trib_window_geometry *g, const float *dy, const float *w, float *dx,
                                   bool accumulate)
{
    for (int64_t pixel = 0; pixel < (int64_t)g->n * g->h * g->w; ++pixel)
        for (int c = 0; c < g->c; c += BLOCK) {
            const float *filters[BLOCK]; /* beyond the last channel they repeat it, and are not stored */
            double sums[BLOCK] = { 0 };
            float *out = dx + pixel * g->x_pitch + c;
            for (int i = 0; i < BLOCK; ++i) filters[i] = w + (int64_t)trib_ref_min(c + i, g->c - 1) * g->r * g->s;
            sum_windows(g, dy, (int)(pixel / g->w / g->h), (int)(pixel / g->w % g->h), (int)(pixel % g->w), filters,
                        sums);
            for (int i = 0; i < trib_ref_min(BLOCK, g->c - c); ++i)
                out[i] = (float)(accumulate ? out[i] + sums[i] : sums[i]);
        }
}
