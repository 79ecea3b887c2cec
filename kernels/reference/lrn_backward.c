/* SPDX-License-Identifier: Apache-2.0
 * Gradient of y[i] = x[i] s[i]^-beta, s[i] = k + alpha/size * (sum of x^2 over the window of i). Channel c takes part
 * in the windows of all i with c - (size-1)/2 <= i <= c + size/2: with an even size, the mirror image of a window. */
#include <math.h>

#include "reference/reference.h"

typedef struct lrn {
    int size;
    double alpha, beta, k;
} lrn;

static double scale_of(const lrn *a, const float *x, int c, int channels)
{
    const int first = trib_ref_max(0, c - a->size / 2), last = trib_ref_min(channels - 1, c + (a->size - 1) / 2);
    double sum = 0;
    for (int i = first; i <= last; ++i) sum += (double)x[i] * x[i];
    return a->k + a->alpha / a->size * sum;
}

static double gradient(const lrn *a, const float *dy, const float *x, int c, int channels)
{
    const int first = trib_ref_max(0, c - (a->size - 1) / 2), last = trib_ref_min(channels - 1, c + a->size / 2);
    double sum = 0;
    for (int i = first; i <= last; ++i) sum += (double)dy[i] * x[i] * pow(scale_of(a, x, i, channels), -a->beta - 1);
    return dy[c] * pow(scale_of(a, x, c, channels), -a->beta) - 2 * a->alpha * a->beta / a->size * x[c] * sum;
}

void trib_ref_lrn_backward(const trib_gradient_geometry *g, int size, float alpha, float beta, float k, const float *dy,
                           const float *x, float *dx)
{
    const lrn a = { size, (double)alpha, (double)beta, (double)k };
    for (int64_t row = 0; row < g->rows; ++row)
        for (int c = 0; c < g->c; ++c)
            dx[row * g->dx_pitch + c] = (float)gradient(&a, dy + row * g->dy_pitch, x + row * g->x_pitch, c, g->c);
}
