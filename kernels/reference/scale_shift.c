/* SPDX-License-Identifier: Apache-2.0
 * y[row,c] = x[row,c] * scale[c] + shift[c]: batch normalisation at inference, with scale = weight / sqrt(var + eps)
 * and shift = bias - mean * scale. */
#include "reference/reference.h"

void trib_ref_scale_shift(const trib_pixel_geometry *g, const float *scale, const float *shift, const float *x,
                          float *y)
{
    for (int64_t row = 0; row < g->rows; ++row) {
        const float *in = x + row * g->x_pitch;
        float *out = y + row * g->y_pitch;
        for (int c = 0; c < g->c; ++c) out[c] = trib_ref_store((double)in[c] * scale[c] + shift[c], g->relu);
    }
}
