/* SPDX-License-Identifier: Apache-2.0
 * y[n,o] = bias[o] + sum over c,h,w of w[o, (c*H + h)*W + w] * x[n,h,w,c]. The weights' columns are in C,H,W order, as
 * every framework flattens; the image is NHWC. Sums in double. */
#include "reference/reference.h"

static double dot(const trib_linear_geometry *g, const float *image, const float *weights)
{
    double sum = 0;
    for (int c = 0; c < g->c; ++c)
        for (int pixel = 0; pixel < g->h * g->w; ++pixel)
            sum += (double)*weights++ * image[(int64_t)pixel * g->x_pitch + c];
    return sum;
}

void trib_ref_linear(const trib_linear_geometry *g, const float *x, const float *w, const float *bias, float *y)
{
    const int64_t columns = (int64_t)g->c * g->h * g->w;
    for (int n = 0; n < g->n; ++n) {
        const float *image = x + trib_ref_pixel(n, 0, 0, g->h, g->w, g->x_pitch);
        for (int o = 0; o < g->out; ++o) {
            double sum = dot(g, image, w + o * columns) + (bias ? bias[o] : 0);
            y[(int64_t)n * g->y_pitch + o] = trib_ref_store(sum, g->relu);
        }
    }
}
