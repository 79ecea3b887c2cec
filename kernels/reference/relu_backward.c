/* SPDX-License-Identifier: Apache-2.0
 * Gradients of a ReLU, from its output, and of a bias. */
#include "reference/reference.h"

void trib_ref_bias_backward(const trib_gradient_geometry *g, const float *dy, float *db)
{
    for (int c = 0; c < g->c; ++c) {
        double sum = 0;
        for (int64_t row = 0; row < g->rows; ++row) sum += dy[row * g->dy_pitch + c];
        db[c] = (float)sum;
    }
}

void trib_ref_relu_backward(const trib_gradient_geometry *g, const float *dy, const float *y, float *dx, float *db)
{
    for (int64_t row = 0; row < g->rows; ++row)
        for (int c = 0; c < g->c; ++c)
            dx[row * g->dx_pitch + c] = y[row * g->x_pitch + c] > 0 ? dy[row * g->dy_pitch + c] : 0;
    const trib_gradient_geometry of_dx = { .rows = g->rows, .c = g->c, .dy_pitch = g->dx_pitch };
    if (db) trib_ref_bias_backward(&of_dx, dx, db);
}
