/* SPDX-License-Identifier: Apache-2.0
 * dw[k,c,r,s] = sum over n,p,q of dy[n,p,q,k] * x[n, p*stride_h + r - pad_top, q*stride_w + s - pad_left, c], where
 * that lies inside the image. Sums in double. Eight output channels are summed side by side, as in conv2d.c. */
#include "reference/reference.h"

enum { BLOCK = 8 };

/* One element of `channels` filters, the first of which belongs to output k. */
static void sum_pixels(const trib_window_geometry *g, const float *x, const float *dy, int r, int s, int channels,
                       double sums[BLOCK])
{
    for (int n = 0; n < g->n; ++n)
        for (int p = 0; p < g->p; ++p) {
            const int h = p * g->stride_h + r - g->pad_top;
            if (h < 0 || h >= g->h) continue;
            for (int q = 0; q < g->q; ++q) {
                const int w = q * g->stride_w + s - g->pad_left;
                if (w < 0 || w >= g->w) continue;
                const double value = x[trib_ref_pixel(n, h, w, g->h, g->w, g->x_pitch)];
                const float *out = dy + trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch);
                for (int i = 0; i < channels; ++i) sums[i] += value * out[i];
            }
        }
}

void trib_ref_conv2d_backward_weight(const trib_window_geometry *g, const float *x, const float *dy, float *dw)
{
    const int64_t filter_size = (int64_t)g->c * g->r * g->s;
    for (int k = 0; k < g->k; k += BLOCK) {
        const int channels = trib_ref_min(BLOCK, g->k - k);
        for (int64_t i = 0; i < filter_size; ++i) { /* in C,R,S order */
            double sums[BLOCK] = { 0 };
            sum_pixels(g, x + i / g->s / g->r, dy + k, (int)(i / g->s % g->r), (int)(i % g->s), channels, sums);
            for (int j = 0; j < channels; ++j) dw[(k + j) * filter_size + i] = (float)sums[j];
        }
    }
}
