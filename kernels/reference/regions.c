/* SPDX-License-Identifier: Apache-2.0
 * Regions of pictures. Columns are computed once per block of them, and rows within: a sample then costs its four
 * pixels. */
#include "tributary/region_kernels.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 64 }; /* columns */

/* Where a sample lies between two pixels of its row or column. */
typedef struct point {
    int64_t first, second; /* pixels */
    float weight;          /* of the second */
    bool outside;
} point;

/* Sample i of `count` of a region that begins at `from` and is `extent` wide, in a picture of `size` pixels. */
static point point_of(float from, float extent, int count, int i, int size)
{
    const float at = fmaf((float)i + 0.5f, extent / (float)count, from) - 0.5f;
    point p = { .outside = !(size > 0 && at >= -0.5f && at <= (float)size - 0.5f) };
    if (p.outside) return p;
    const float below = floorf(at);
    const int64_t k = (int64_t)below;
    p.weight = at - below;
    p.first = k < 0 ? 0 : k < size ? k : size - 1;
    p.second = k + 1 < size ? k + 1 : size - 1;
    return p;
}

static void columns_of(const trib_region_row *row, int w, int from, int count, point *columns)
{
    for (int k = 0; k < count; ++k) {
        const int j = row->mirror ? w - 1 - (from + k) : from + k;
        columns[k] = point_of(row->x, row->width, w, j, row->picture_width);
        columns[k].first *= 3;
        columns[k].second *= 3;
    }
}

static float between(float a, float b, float weight) { return a + (b - a) * weight; }

static float sample(const uint8_t *above, const uint8_t *below, const point *column, float weight, int c)
{
    const int64_t a = column->first + c, b = column->second + c;
    return between(between(above[a], above[b], column->weight), between(below[a], below[b], column->weight), weight);
}

/* Samples of one row of y. */
static void row_of_samples(const trib_regions_geometry *g, const trib_region_row *row, const uint8_t *pixels, int i,
                           const point *columns, int count, float *y)
{
    const point p = point_of(row->y, row->height, g->h, i, row->picture_height);
    const int64_t pitch = 3 * (int64_t)row->picture_width;
    const uint8_t *above = pixels, *below = pixels; /* NULL without a picture */
    if (!p.outside) {
        above += p.first * pitch;
        below += p.second * pitch;
    }
    for (int k = 0; k < count; ++k, y += g->pixel) {
        const bool outside = p.outside || columns[k].outside;
        for (int c = 0; c < 3; ++c) {
            const int source = g->bgr ? 2 - c : c;
            y[c * g->channel] =
                outside ? 0 : sample(above, below, &columns[k], p.weight, source) * g->scale[c] + g->shift[c];
        }
        for (int c = 3; c < g->channels; ++c) y[c * g->channel] = 0;
    }
}

static void region(const trib_regions_geometry *g, const trib_region_row *row, const uint8_t *pixels, float *y)
{
    point columns[BLOCK];
    for (int from = 0; from < g->w; from += BLOCK) {
        const int count = g->w - from < BLOCK ? g->w - from : BLOCK;
        columns_of(row, g->w, from, count, columns);
        for (int i = 0; i < g->h; ++i)
            row_of_samples(g, row, pixels, i, columns, count, y + ((int64_t)i * g->w + from) * g->pixel);
    }
}

void trib_ref_regions(const trib_regions_geometry *g, const trib_region_row *rows, const uint8_t *pictures, float *y)
{
    for (int n = 0; n < g->n; ++n)
        region(g, &rows[n], (const uint8_t *)((uintptr_t)pictures + (uintptr_t)rows[n].pixels), y + n * g->image);
}
