/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/reference.h"

/* floor(a / b) for b > 0. */
static int floor_div(int a, int b) { return a / b - (a % b < 0); }

trib_column_geometry trib_columns_of(int k, int c, int r, int s, int padded, int stride, int outputs, int pad)
{
    const int columns = stride * outputs, before = (pad + columns - 1) / columns;
    return (trib_column_geometry) { .k = k,
                                    .c = c,
                                    .r = r,
                                    .s = s,
                                    .padded = padded,
                                    .stride = stride,
                                    .outputs = outputs,
                                    .pad = pad,
                                    .columns = columns,
                                    .before = before,
                                    .taps = before + floor_div(s - 1 + stride * (outputs - 1) - pad, columns) + 1 };
}

int64_t trib_column_values(const trib_column_geometry *g)
{
    return (int64_t)g->outputs * g->k * g->r * g->taps * g->columns * g->padded;
}

void trib_ref_pack_columns(const trib_column_geometry *g, const float *w, float *packed)
{
    const int64_t count = trib_column_values(g);
    for (int64_t i = 0; i < count; ++i) packed[i] = 0;
    for (int output = 0; output < g->outputs; ++output)
        for (int64_t k = 0; k < g->k; ++k)
            for (int c = 0; c < g->c; ++c)
                for (int r = 0; r < g->r; ++r)
                    for (int s = 0; s < g->s; ++s) {
                        const int column = s + g->stride * output - g->pad + g->before * g->columns;
                        const int64_t row = ((output * g->k + k) * g->r + r) * g->taps + column / g->columns;
                        packed[(row * g->columns + column % g->columns) * g->padded + c] =
                            w[((k * g->c + c) * g->r + r) * g->s + s];
                    }
}
