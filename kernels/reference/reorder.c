/* SPDX-License-Identifier: Apache-2.0
 * y[n,c,h,w] = x[n,c,h,w] in another layout: N,C,H,W input of a host, a branch's channels into their slice of a
 * concatenation, an image padded to 8 channels with zeros. */
#include "reference/reference.h"

static int64_t element(const trib_reorder_geometry *g, bool nchw, int pitch, int n, int c, int pixel)
{
    const int64_t pixels = (int64_t)g->h * g->w;
    return nchw ? ((int64_t)n * pitch + c) * pixels + pixel : (n * pixels + pixel) * pitch + c;
}

void trib_ref_reorder(const trib_reorder_geometry *g, const float *x, float *y)
{
    for (int n = 0; n < g->n; ++n)
        for (int c = 0; c < g->y_c; ++c)
            for (int pixel = 0; pixel < g->h * g->w; ++pixel) {
                const float value = c < g->c ? x[element(g, g->x_nchw, g->x_pitch, n, c, pixel)] : 0;
                y[element(g, g->y_nchw, g->y_pitch, n, c, pixel)] = trib_ref_store(value, g->relu);
            }
}
