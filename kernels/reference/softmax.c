/* SPDX-License-Identifier: Apache-2.0
 * y[row,c] = exp(x[row,c] - m) / sum over i of exp(x[row,i] - m), m the row's maximum: the shift cancels, and without
 * it a large x would overflow. A NaN anywhere makes its row NaN. */
#include <math.h>

#include "reference/reference.h"

typedef struct scale {
    double largest, sum;
} scale;

static scale scale_of(const float *x, int count)
{
    scale s = { -INFINITY, 0 };
    for (int i = 0; i < count; ++i) s.largest = fmax(s.largest, x[i]);
    for (int i = 0; i < count; ++i) s.sum += exp(x[i] - s.largest);
    return s;
}

static float scaled(float x, scale s) { return (float)(exp(x - s.largest) / s.sum); }

void trib_ref_softmax(const trib_pixel_geometry *g, const float *x, float *y)
{
    for (int64_t row = 0; row < g->rows; ++row, x += g->x_pitch, y += g->y_pitch) {
        const scale s = scale_of(x, g->c);
        for (int i = 0; i < g->c; ++i) y[i] = scaled(x[i], s);
    }
}

void trib_ref_softmax_top_k(const trib_pixel_geometry *g, int k, const float *x, float *y, int32_t *indices)
{
    for (int64_t row = 0; row < g->rows; ++row, x += g->x_pitch, y += g->y_pitch, indices += g->y_pitch) {
        const scale s = scale_of(x, g->c);
        trib_top_k(x, g->c, k, indices);
        for (int i = 0; i < k; ++i) y[i] = scaled(x[indices[i]], s);
    }
}
