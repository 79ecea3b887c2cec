/* SPDX-License-Identifier: Apache-2.0
 * With x flattened in C,H,W order, y = w x: dx[i] = sum over o of w[o,i] dy[o], and dw[o,i] = sum over n of dy[n,o]
 * x[n,i]. Sums in double. */
#include "reference/reference.h"

/* Where column i of the weights lies in an NHWC image. */
static int64_t place(const trib_linear_geometry *g, int64_t i)
{
    const int64_t pixels = (int64_t)g->h * g->w;
    return i % pixels * g->x_pitch + i / pixels;
}

void trib_ref_linear_backward_data(const trib_linear_geometry *g, const float *dy, const float *w, float *dx,
                                   bool accumulate)
{
    const int64_t columns = (int64_t)g->c * g->h * g->w;
    for (int n = 0; n < g->n; ++n) {
        const float *row = dy + (int64_t)n * g->y_pitch;
        float *image = dx + trib_ref_pixel(n, 0, 0, g->h, g->w, g->x_pitch);
        for (int64_t i = 0; i < columns; ++i) {
            double sum = accumulate ? image[place(g, i)] : 0;
            for (int o = 0; o < g->out; ++o) sum += (double)row[o] * w[o * columns + i];
            image[place(g, i)] = (float)sum;
        }
    }
}

void trib_ref_linear_backward_weight(const trib_linear_geometry *g, const float *x, const float *dy, float *dw)
{
    const int64_t columns = (int64_t)g->c * g->h * g->w, image = (int64_t)g->h * g->w * g->x_pitch;
    for (int o = 0; o < g->out; ++o)
        for (int64_t i = 0; i < columns; ++i) {
            double sum = 0;
            for (int n = 0; n < g->n; ++n) sum += (double)dy[(int64_t)n * g->y_pitch + o] * x[n * image + place(g, i)];
            dw[o * columns + i] = (float)sum;
        }
}
