/* SPDX-License-Identifier: Apache-2.0
 * Batch norm with the statistics of the batch (Ioffe and Szegedy 2015, algorithm 1), and its gradient (section 3). The
 * variance is summed around the mean, in a second pass: E[x^2] - E[x]^2 would cancel. */
#include <math.h>

#include "reference/reference.h"

static double mean_of(const trib_pixel_geometry *g, const float *x)
{
    double sum = 0;
    for (int64_t row = 0; row < g->rows; ++row) sum += x[row * g->x_pitch];
    return sum / (double)g->rows;
}

static double variance_of(const trib_pixel_geometry *g, const float *x, double mean)
{
    double sum = 0;
    for (int64_t row = 0; row < g->rows; ++row) {
        const double from_mean = x[row * g->x_pitch] - mean;
        sum += from_mean * from_mean;
    }
    return sum / (double)g->rows;
}

static float moved(float running, double batch, float momentum)
{
    return (float)((1 - (double)momentum) * running + momentum * batch);
}

void trib_ref_batch_statistics(const trib_pixel_geometry *g, const float *x, const trib_batch_norm_parameters *p,
                               float *saved, float *running_mean, float *running_var)
{
    const double unbiased = g->rows > 1 ? (double)g->rows / (double)(g->rows - 1) : 1;
    float *scale = saved, *shift = scale + g->c, *means = shift + g->c, *inverses = means + g->c;
    for (int c = 0; c < g->c; ++c) {
        const double mean = mean_of(g, x + c), variance = variance_of(g, x + c, mean);
        const double inverse = 1 / sqrt(variance + (double)p->eps);
        scale[c] = (float)(p->weight[c] * inverse);
        shift[c] = (float)(p->bias[c] - mean * p->weight[c] * inverse);
        means[c] = (float)mean;
        inverses[c] = (float)inverse;
        running_mean[c] = moved(running_mean[c], mean, p->momentum);
        running_var[c] = moved(running_var[c], variance * unbiased, p->momentum);
    }
}

void trib_ref_batch_norm_apply(const trib_pixel_geometry *g, const float *x, const float *saved, float *y)
{
    trib_ref_scale_shift(g, saved, saved + g->c, x, y);
}

/* What comes back from y to one channel. */
static double passed(const float *dy, const float *x, bool relu, double scale, double shift)
{
    return relu && *x * scale + shift <= 0 ? 0 : *dy;
}

void trib_ref_batch_norm_backward(const trib_gradient_geometry *g, bool relu, const float *dy, const float *x,
                                  const float *saved, float *dx, float *dweight, float *dbias)
{
    const double rows = (double)g->rows;
    for (int c = 0; c < g->c; ++c) {
        const double scale = saved[c], shift = saved[g->c + c], mean = saved[2 * g->c + c];
        const double inverse = saved[3 * g->c + c];
        double sum = 0, product = 0; /* of dy, and of dy with x^ */
        for (int64_t row = 0; row < g->rows; ++row) {
            const float *in = x + row * g->x_pitch + c;
            const double d = passed(dy + row * g->dy_pitch + c, in, relu, scale, shift);
            sum += d;
            product += d * (*in - mean) * inverse;
        }
        for (int64_t row = 0; row < g->rows; ++row) {
            const float *in = x + row * g->x_pitch + c;
            const double d = passed(dy + row * g->dy_pitch + c, in, relu, scale, shift);
            dx[row * g->dx_pitch + c] = (float)(scale * (d - sum / rows - (*in - mean) * inverse * product / rows));
        }
        dweight[c] = (float)product;
        dbias[c] = (float)sum;
    }
}
