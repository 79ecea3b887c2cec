/* SPDX-License-Identifier: Apache-2.0
 * y[row,c] = exp(x[row,c] - m) / sum over i of exp(x[row,i] - m), m the row's maximum: the shift cancels, and without
 * it a large x would overflow. A NaN anywhere makes its row NaN. */
#include <math.h>

#include "reference/reference.h"

static void softmax_row(const float *x, int count, float *y)
{
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < count; ++i) largest = fmax(largest, x[i]);
    for (int i = 0; i < count; ++i) sum += exp(x[i] - largest);
    for (int i = 0; i < count; ++i) y[i] = (float)(exp(x[i] - largest) / sum);
}

void trib_ref_softmax(const trib_pixel_geometry *g, const float *x, float *y)
{
    for (int64_t row = 0; row < g->rows; ++row) softmax_row(x + row * g->x_pitch, g->c, y + row * g->y_pitch);
}
