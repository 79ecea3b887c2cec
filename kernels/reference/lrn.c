/* SPDX-License-Identifier: Apache-2.0
 * Local response normalisation across channels (Krizhevsky et al. 2012, 3.3), with alpha divided by the size, as in
 * Caffe, PyTorch, ONNX and oneDNN: y[c] = x[c] * (k + alpha/size * sum of x[i]^2, c - size/2 <= i <= c + (size-1)/2,
 * inside 0 .. C-1)^-beta */
#include <math.h>

#include "reference/reference.h"

void trib_ref_lrn(const trib_pixel_geometry *g, int size, float alpha, float beta, float k, const float *x, float *y)
{
    for (int64_t row = 0; row < g->rows; ++row) {
        const float *in = x + row * g->x_pitch;
        float *out = y + row * g->y_pitch;
        for (int c = 0; c < g->c; ++c) {
            const int first = trib_ref_max(0, c - size / 2), last = trib_ref_min(g->c - 1, c + (size - 1) / 2);
            double sum = 0;
            for (int i = first; i <= last; ++i) sum += (double)in[i] * in[i];
            out[c] = trib_ref_store(in[c] * pow(k + (double)alpha / size * sum, -(double)beta), g->relu);
        }
    }
}
