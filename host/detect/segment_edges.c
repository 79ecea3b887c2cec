/* SPDX-License-Identifier: Apache-2.0
 * Tributary: edges between pixels, from a blurred image, in order of weight. */
#include <math.h>
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

/* Rows r[0 .. 4] through the vertical pass, exactly: 8.16 bits. */
static void blur_column(const uint16_t *const r[2 * RADIUS + 1], int count, int32_t *out)
{
    for (int i = 0; i < count; ++i) out[i] = TAP0 * r[2][i] + TAP1 * (r[1][i] + r[3][i]) + TAP2 * (r[0][i] + r[4][i]);
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

static void blurred_row(blur *b, int y, int32_t *out)
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

/* Weights of the edges from a[i] to b[i], of three channels. Squares and their sum are whole numbers below 2^53, and so
 * exact in double. */
static void weigh_colours(const int32_t *a, const int32_t *b, int count, uint32_t *weights)
{
    for (ptrdiff_t i = 0; i < count; ++i) {
        double x = a[3 * i] - b[3 * i], y = a[3 * i + 1] - b[3 * i + 1], z = a[3 * i + 2] - b[3 * i + 2];
        weights[i] = (uint32_t)(int32_t)(sqrt(x * x + y * y + z * z) + 0.5);
    }
}

static void weigh_grays(const int32_t *a, const int32_t *b, int count, uint32_t *weights)
{
    for (ptrdiff_t i = 0; i < count; ++i) weights[i] = (uint32_t)(a[i] < b[i] ? b[i] - a[i] : a[i] - b[i]);
}

/* Rows of one image, and the edges found so far. */
typedef struct collector {
    blur blur;
    int32_t *rows[2];  /* two rows of the blurred image, used in turn */
    uint32_t *weights; /* of a row's edges to the right, then of those down */
    trib_edge *next;
} collector;

static void weigh(const collector *c, const int32_t *a, const int32_t *b, int count, uint32_t *weights)
{
    if (c->blur.channels == 1)
        weigh_grays(a, b, count, weights);
    else
        weigh_colours(a, b, count, weights);
}

static void collect_row(collector *c, int y)
{
    int width = c->blur.width;
    bool last = y + 1 == c->blur.height;
    const int32_t *row = c->rows[y % 2];
    uint32_t *right = c->weights, *down = c->weights + width, first = 2 * (uint32_t)y * (uint32_t)width;
    weigh(c, row, row + c->blur.channels, width - 1, right);
    if (!last) {
        blurred_row(&c->blur, y + 1, c->rows[(y + 1) % 2]);
        weigh(c, row, c->rows[(y + 1) % 2], width, down);
    }
    for (int x = 0; x < width; ++x) {
        if (x + 1 < width) *c->next++ = (trib_edge) { right[x], first + 2 * (uint32_t)x };
        if (!last) *c->next++ = (trib_edge) { down[x], first + 2 * (uint32_t)x + 1 };
    }
}

static trib_status out_of_memory(void)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the edges of an image's pixels");
}

/* Writes all edges in order of their number. */
static trib_status collect(const uint8_t *planes, int width, int height, int channels, trib_edge *list)
{
    size_t row = (size_t)width * (size_t)channels;
    collector c = { .blur = { .planes = planes, .width = width, .height = height, .channels = channels } };
    c.blur.padded = trib_alloc(row + 2 * RADIUS * (size_t)channels);
    c.blur.ring = trib_alloc((2 * RADIUS + 1) * row * sizeof *c.blur.ring);
    c.rows[0] = trib_alloc(2 * row * sizeof *c.rows[0]);
    c.weights = trib_alloc(2 * (size_t)width * sizeof *c.weights);
    c.next = list;
    bool enough = c.blur.padded && c.blur.ring && c.rows[0] && c.weights;
    if (enough) {
        c.rows[1] = c.rows[0] + row;
        blurred_row(&c.blur, 0, c.rows[0]);
        for (int y = 0; y < height; ++y) collect_row(&c, y);
    }
    trib_free(c.blur.padded);
    trib_free(c.blur.ring);
    trib_free(c.rows[0]);
    trib_free(c.weights);
    return enough ? trib_success() : out_of_memory();
}

/* ---- the order ---- */

/* A radix sort, which keeps the order of equal weights, in digits of nine bits. The greatest weight is below 2^25. */
enum { DIGITS = 3, DIGIT_BITS = 9, DIGIT_VALUES = 1 << DIGIT_BITS };

static size_t digit_of(const trib_edge *edge, int digit)
{
    return edge->weight >> digit * DIGIT_BITS & (DIGIT_VALUES - 1);
}

static void sort_by(int digit, uint32_t starts[DIGIT_VALUES], const trib_edge *from, size_t count, trib_edge *to)
{
    uint32_t start = 0;
    for (size_t v = 0; v < DIGIT_VALUES; ++v) {
        uint32_t these = starts[v];
        starts[v] = start;
        start += these;
    }
    for (size_t i = 0; i < count; ++i) to[starts[digit_of(&from[i], digit)]++] = from[i];
}

/* Returns the one of both lists that has the result. */
static trib_edge *sort(trib_edge *list, trib_edge *other, size_t count)
{
    uint32_t counts[DIGITS][DIGIT_VALUES] = { 0 };
    for (size_t i = 0; i < count; ++i)
        for (int d = 0; d < DIGITS; ++d) ++counts[d][digit_of(&list[i], d)];
    for (int d = 0; d < DIGITS; ++d) {
        sort_by(d, counts[d], list, count, other);
        trib_edge *sorted = other;
        other = list;
        list = sorted;
    }
    return list;
}

void trib_edges_release(trib_edges *edges)
{
    trib_free(edges->list);
    *edges = (trib_edges) { 0 };
}

trib_status trib_edges_make(const uint8_t *planes, int width, int height, int channels, trib_edges *out)
{
    size_t count = 2 * (size_t)width * (size_t)height - (size_t)width - (size_t)height;
    trib_edge *list = trib_alloc(count * sizeof *list), *other = trib_alloc(count * sizeof *other), *sorted = NULL;
    trib_status status = list && other ? trib_success() : out_of_memory();
    if (trib_failed(&status)) goto done;
    TRIB_TRY_GOTO(status, done, collect(planes, width, height, channels, list));
    sorted = sort(list, other, count);
    *out = (trib_edges) { .width = width, .height = height, .count = count, .list = sorted };
done:
    if (list != sorted) trib_free(list);
    if (other != sorted) trib_free(other);
    return trib_outcome(&status);
}
