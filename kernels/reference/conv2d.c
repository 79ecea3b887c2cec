/* SPDX-License-Identifier: Apache-2.0
 * Convolution (strictly: cross-correlation, as in every framework):
 *     y[n,p,q,k] = bias[k] + sum over r,s,c of x[n, p*stride_h + r - pad_top, q*stride_w + s - pad_left, c] *
 * w[k,c,r,s] Positions outside the image add nothing. Direct, in double.
 *
 * Eight output channels are summed side by side, because the additions of a single sum depend on each other. */
#include "reference/reference.h"

enum { BLOCK = 8 };

/* Sums of one output pixel for the channels that `filters` point at. */
static void sum_window(const trib_window_geometry *g, const float *x, int n, int p, int q,
                       const float *const filters[BLOCK], double sums[BLOCK])
{
    const int top = p * g->stride_h - g->pad_top, left = q * g->stride_w - g->pad_left;
    const int64_t step = (int64_t)g->r * g->s;
    for (int r = trib_ref_max(0, -top); r < trib_ref_min(g->r, g->h - top); ++r) {
        for (int s = trib_ref_max(0, -left); s < trib_ref_min(g->s, g->w - left); ++s) {
            const float *pixel = x + trib_ref_pixel(n, top + r, left + s, g->h, g->w, g->x_pitch);
            int64_t at = (int64_t)r * g->s + s;
            for (int c = 0; c < g->c; ++c, at += step)
                for (int i = 0; i < BLOCK; ++i) sums[i] += (double)pixel[c] * filters[i][at];
        }
    }
}

static void convolve_pixel(const trib_window_geometry *g, const float *x, const float *w, const float *bias, int n,
                           int p, int q, float *y)
{
    const int64_t filter_size = (int64_t)g->c * g->r * g->s;
    for (int k = 0; k < g->k; k += BLOCK) {
        /* The last block may be short: its unused places repeat the last channel and are not stored. */
        const float *filters[BLOCK];
        double sums[BLOCK];
        for (int i = 0; i < BLOCK; ++i) {
            int channel = trib_ref_min(k + i, g->k - 1);
            filters[i] = w + channel * filter_size;
            sums[i] = bias ? bias[channel] : 0;
        }
        sum_window(g, x, n, p, q, filters, sums);
        for (int i = 0; i < trib_ref_min(BLOCK, g->k - k); ++i) y[k + i] = trib_ref_store(sums[i], g->relu);
    }
}

void trib_ref_conv2d(const trib_window_geometry *g, const float *x, const float *w, const float *bias, float *y)
{
    for (int n = 0; n < g->n; ++n)
        for (int p = 0; p < g->p; ++p)
            for (int q = 0; q < g->q; ++q)
                convolve_pixel(g, x, w, bias, n, p, q, y + trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch));
}
