/* SPDX-License-Identifier: Apache-2.0
 * loss = log(sum of exp(x - m)) - sum over c of t[c] (x[c] - m), m the row's maximum: the shift cancels, since t sums
 * up to 1, and without it a large x would overflow. Its gradient is softmax(x) - t. */
#include <math.h>

#include "reference/reference.h"

typedef struct row {
    int classes, label;
    double smoothing, largest, sum; /* of exp(x - largest) */
} row;

static row row_of(const trib_cross_entropy_geometry *g, const float *x, int32_t label)
{
    row r = { g->classes, label, (double)g->smoothing, -INFINITY, 0 };
    for (int c = 0; c < r.classes; ++c) r.largest = fmax(r.largest, x[c]);
    for (int c = 0; c < r.classes; ++c) r.sum += exp(x[c] - r.largest);
    return r;
}

static double target(const row *r, int c) { return r->smoothing / r->classes + (c == r->label ? 1 - r->smoothing : 0); }

static double loss_of(const row *r, const float *x)
{
    double expected = 0;
    for (int c = 0; c < r->classes; ++c)
        if (target(r, c) > 0) expected += target(r, c) * (x[c] - r->largest); /* 0 times -infinity is none */
    return log(r->sum) - expected;
}

void trib_ref_cross_entropy(const trib_cross_entropy_geometry *g, const float *x, const int32_t *labels, float *dx,
                            float *loss)
{
    const double scale = (double)g->scale / g->n;
    for (int n = 0; n < g->n; ++n, x += g->x_pitch, dx += g->dx_pitch) {
        const row r = row_of(g, x, labels[n]);
        const bool valid = r.label >= 0 && r.label < r.classes;
        loss[n] = valid ? (float)loss_of(&r, x) : NAN;
        for (int c = 0; c < r.classes; ++c)
            dx[c] = valid ? (float)(scale * (exp(x[c] - r.largest) / r.sum - target(&r, c))) : 0;
    }
}
