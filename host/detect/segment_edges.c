/* SPDX-License-Identifier: Apache-2.0
 * Tributary: edges between pixels, from a blurred image, in order of weight. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/segments.h"
#include "tributary/internal/alloc.h"

/* ---- the Gaussian ---- */

/* exp(-x^2 / (2 0.8^2)) in 1/256, to either side; what lies beyond rounds to 0. */
enum { TAP0 = 128, TAP1 = 58, TAP2 = 6, RADIUS = 2 };

/* A row of `count` bytes with its end pixels repeated RADIUS times, through the horizontal pass: 8.8 bits. */
static void blur_row(const uint8_t *padded, int count, int channels, uint16_t *out)
{
    const uint8_t *p = padded + (ptrdiff_t)RADIUS * channels;
    for (int i = 0; i < count; ++i)
        out[i] = (uint16_t)(TAP0 * p[i] + TAP1 * (p[i - channels] + p[i + channels]) +
                            TAP2 * (p[i - 2 * channels] + p[i + 2 * channels]));
}

static void pad_row(const uint8_t *row, int width, int channels, uint8_t *padded)
{
    size_t pixel = (size_t)channels, bytes = (size_t)width * pixel;
    for (size_t i = 0; i < RADIUS; ++i) {
        memcpy(padded + i * pixel, row, pixel);
        memcpy(padded + RADIUS * pixel + bytes + i * pixel, row + bytes - pixel, pixel);
    }
    memcpy(padded + RADIUS * pixel, row, bytes);
}

/* Rows r[0 .. 4] through the vertical pass, in units of 1 / TRIB_SEGMENT_UNIT. */
static void blur_column(const uint16_t *const r[2 * RADIUS + 1], int count, int16_t *out)
{
    for (int i = 0; i < count; ++i) {
        int sum = TAP0 * r[2][i] + TAP1 * (r[1][i] + r[3][i]) + TAP2 * (r[0][i] + r[4][i]);
        out[i] = (int16_t)((sum + (1 << 9)) >> 10);
    }
}

static int within(int y, int height) { return y < 0 ? 0 : y >= height ? height - 1 : y; }

/* Row after row of the blurred image, from a ring of rows that are through the horizontal pass. */
typedef struct blur {
    const uint8_t *planes;
    int width, height, channels, made;
    uint8_t *padded;
    uint16_t *ring; /* 2 RADIUS + 1 rows */
} blur;

static uint16_t *ring_row(const blur *b, int y)
{
    return b->ring + (size_t)(y % (2 * RADIUS + 1)) * (size_t)b->width * (size_t)b->channels;
}

static void blurred_row(blur *b, int y, int16_t *out)
{
    const uint16_t *rows[2 * RADIUS + 1];
    int count = b->width * b->channels;
    for (; b->made <= within(y + RADIUS, b->height); ++b->made) {
        pad_row(b->planes + (size_t)b->made * (size_t)count, b->width, b->channels, b->padded);
        blur_row(b->padded, count, b->channels, ring_row(b, b->made));
    }
    for (int i = 0; i <= 2 * RADIUS; ++i) rows[i] = ring_row(b, within(y + i - RADIUS, b->height));
    blur_column(rows, count, out);
}

/* ---- weights ---- */

/* Greater than every weight: the edge would leave the image. */
enum { MOST_WEIGHT = 255 * 2 * TRIB_SEGMENT_UNIT, NO_EDGE = 0xffff };

/* Of the edges from a[i] to b[i]: weights[0], weights[2], ... */
static void weigh(const int16_t *a, const int16_t *b, int count, int channels, uint16_t *weights)
{
    for (int i = 0; i < count; ++i) {
        int32_t squares = 0;
        for (int c = 0; c < channels; ++c) {
            int32_t d = a[(ptrdiff_t)i * channels + c] - b[(ptrdiff_t)i * channels + c];
            squares += d * d;
        }
        weights[(ptrdiff_t)2 * i] = (uint16_t)(int)(sqrtf((float)squares) + 0.5f);
    }
}

static void weigh_gray(const int16_t *a, const int16_t *b, int count, uint16_t *weights)
{
    for (int i = 0; i < count; ++i) weights[(ptrdiff_t)2 * i] = (uint16_t)abs(a[i] - b[i]);
}

static void weigh_row(const int16_t *a, const int16_t *b, int count, int channels, uint16_t *weights)
{
    if (channels == 1)
        weigh_gray(a, b, count, weights);
    else
        weigh(a, b, count, 3, weights);
}

/* `rows`: two rows of the blurred image, used in turn. */
static void weigh_image(blur *b, int16_t *rows[2], uint16_t *weights)
{
    size_t width = (size_t)b->width;
    blurred_row(b, 0, rows[0]);
    for (int y = 0; y < b->height; ++y) {
        uint16_t *w = weights + 2 * width * (size_t)y;
        const int16_t *row = rows[y % 2];
        weigh_row(row, row + b->channels, b->width - 1, b->channels, w);
        w[2 * (width - 1)] = NO_EDGE;
        if (y + 1 < b->height) {
            blurred_row(b, y + 1, rows[(y + 1) % 2]);
            weigh_row(row, rows[(y + 1) % 2], b->width, b->channels, w + 1);
        } else {
            for (size_t x = 0; x < width; ++x) w[2 * x + 1] = NO_EDGE;
        }
    }
}

static trib_status out_of_memory(void)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the edges of an image's pixels");
}

/* `weights` has two for each pixel. */
static trib_status make_weights(const uint8_t *planes, int width, int height, int channels, uint16_t *weights)
{
    size_t row = (size_t)width * (size_t)channels;
    blur b = { .planes = planes, .width = width, .height = height, .channels = channels };
    b.padded = trib_alloc(row + 2 * RADIUS * (size_t)channels);
    b.ring = trib_alloc((2 * RADIUS + 1) * row * sizeof *b.ring);
    int16_t *rows = trib_alloc(2 * row * sizeof *rows);
    bool enough = b.padded && b.ring && rows;
    if (enough) weigh_image(&b, (int16_t *[2]) { rows, rows + row }, weights);
    trib_free(b.padded);
    trib_free(b.ring);
    trib_free(rows);
    return enough ? trib_success() : out_of_memory();
}

/* ---- the order ---- */

/* A counting sort, which keeps the order of equal weights. `starts`: MOST_WEIGHT + 2 zeros. */
static void sort(const uint16_t *weights, size_t count, uint32_t *starts, trib_edges *out)
{
    for (size_t e = 0; e < count; ++e)
        if (weights[e] != NO_EDGE) ++starts[weights[e] + 1];
    for (size_t w = 0; w <= MOST_WEIGHT; ++w) {
        for (uint32_t i = 0; i < starts[w + 1]; ++i) out->weights[starts[w] + i] = (uint16_t)w;
        starts[w + 1] += starts[w];
    }
    for (size_t e = 0; e < count; ++e)
        if (weights[e] != NO_EDGE) out->edges[starts[weights[e]]++] = (uint32_t)e;
}

void trib_edges_release(trib_edges *edges)
{
    trib_free(edges->edges);
    trib_free(edges->weights);
    *edges = (trib_edges) { 0 };
}

trib_status trib_edges_make(const uint8_t *planes, int width, int height, int channels, trib_edges *out)
{
    size_t pixels = (size_t)width * (size_t)height;
    trib_status status = trib_success();
    trib_edges edges = { .width = width, .height = height };
    edges.count = 2 * pixels - (size_t)width - (size_t)height;
    edges.edges = trib_alloc(edges.count * sizeof *edges.edges);
    edges.weights = trib_alloc(edges.count * sizeof *edges.weights);
    uint16_t *weights = trib_alloc(2 * pixels * sizeof *weights);
    uint32_t *starts = trib_alloc_zeroed(MOST_WEIGHT + 2, sizeof *starts);
    if (!edges.edges || !edges.weights || !weights || !starts) {
        status = out_of_memory();
        goto done;
    }
    TRIB_TRY_GOTO(status, done, make_weights(planes, width, height, channels, weights));
    sort(weights, 2 * pixels, starts, &edges);
    *out = edges;
    edges = (trib_edges) { 0 };
done:
    trib_free(weights);
    trib_free(starts);
    trib_edges_release(&edges);
    return trib_outcome(&status);
}
