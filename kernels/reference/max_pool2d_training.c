/* SPDX-License-Identifier: Apache-2.0
 * Max pooling that remembers where each maximum was, and its gradient, which gathers: each pixel asks the windows it
 * lies in, in row order, whether it was their maximum. */
#include <math.h>

#include "reference/reference.h"

/* The maximum of one channel, whose first pixel is `image`; `index` gets its place. */
static float max_of_window(const trib_window_geometry *g, const float *image, int p, int q, uint8_t *index)
{
    const int top = p * g->stride_h - g->pad_top, left = q * g->stride_w - g->pad_left;
    float best = 0;
    bool found = false;
    for (int h = trib_ref_max(0, top); h < trib_ref_min(g->h, top + g->r); ++h)
        for (int w = trib_ref_max(0, left); w < trib_ref_min(g->w, left + g->s); ++w) {
            const float value = image[trib_ref_pixel(0, h, w, g->h, g->w, g->x_pitch)];
            if (found && !(value > best) && !isnan(value)) continue;
            best = value;
            *index = (uint8_t)((h - top) * g->s + w - left);
            found = true;
        }
    return best;
}

void trib_ref_max_pool2d_indexed(const trib_window_geometry *g, const float *x, float *y, uint8_t *index, int i_pitch)
{
    for (int64_t i = 0; i < (int64_t)g->n * g->p * g->q; ++i) {
        const int p = (int)(i / g->q % g->p), q = (int)(i % g->q);
        const float *image = x + trib_ref_pixel((int)(i / g->q / g->p), 0, 0, g->h, g->w, g->x_pitch);
        for (int c = 0; c < g->c; ++c)
            y[i * g->y_pitch + c] = trib_ref_store(max_of_window(g, image + c, p, q, index + i * i_pitch + c), g->relu);
    }
}

/* What the windows around (h,w) give it. */
static double gathered(const trib_window_geometry *g, const float *dy, const uint8_t *index, int i_pitch, int n, int h,
                       int w)
{
    const int first_q = trib_ref_first_window(w, g->pad_left, g->s, g->stride_w);
    const int last_q = trib_ref_last_window(w, g->pad_left, g->stride_w, g->q);
    const int last_p = trib_ref_last_window(h, g->pad_top, g->stride_h, g->p);
    double sum = 0;
    for (int p = trib_ref_first_window(h, g->pad_top, g->r, g->stride_h); p <= last_p; ++p)
        for (int q = first_q; q <= last_q; ++q) {
            const int here = (h + g->pad_top - p * g->stride_h) * g->s + w + g->pad_left - q * g->stride_w;
            if (index[trib_ref_pixel(n, p, q, g->p, g->q, i_pitch)] == here)
                sum += dy[trib_ref_pixel(n, p, q, g->p, g->q, g->y_pitch)];
        }
    return sum;
}

void trib_ref_max_pool2d_backward(const trib_window_geometry *g, const float *dy, const uint8_t *index, int i_pitch,
                                  float *dx, bool accumulate)
{
    for (int64_t i = 0; i < (int64_t)g->n * g->h * g->w; ++i)
        for (int c = 0; c < g->c; ++c) {
            float *out = dx + i * g->x_pitch + c;
            const double sum = gathered(g, dy + c, index + c, i_pitch, (int)(i / g->w / g->h), (int)(i / g->w % g->h),
                                        (int)(i % g->w));
            *out = (float)(accumulate ? *out + sum : sum);
        }
}
