/* SPDX-License-Identifier: Apache-2.0
 * Leaky ReLU: y = x where x is not negative, else slope * x. NaN stays NaN. */
#include "reference/reference.h"

void trib_ref_leaky_relu(const trib_pixel_geometry *g, float slope, const float *x, float *y)
{
    for (int64_t row = 0; row < g->rows; ++row)
        for (int c = 0; c < g->c; ++c) {
            const float value = x[row * g->x_pitch + c];
            y[row * g->y_pitch + c] = trib_ref_store(value < 0 ? (double)slope * value : value, g->relu);
        }
}
