/* SPDX-License-Identifier: Apache-2.0
 * y[row,c] = x[row,c], or max(0, x[row,c]): a ReLU, or a branch's channels into their slice of a concatenation. */
#include "reference/reference.h"

void trib_ref_copy(const trib_pixel_geometry *g, const float *x, float *y)
{
    for (int64_t row = 0; row < g->rows; ++row) {
        const float *in = x + row * g->x_pitch;
        float *out = y + row * g->y_pitch;
        for (int c = 0; c < g->c; ++c) out[c] = trib_ref_store(in[c], g->relu);
    }
}
