/* SPDX-License-Identifier: Apache-2.0
 * Tributary: separable resampling of a window of the result. The horizontal pass comes first,
 *
 *     source rows --horizontal--> ring of the rows under the current output row's filter --vertical--> window
 *
 * or, where Pillow 13 does so, the vertical pass:
 *
 *     source rows, as far as the columns' filters reach --vertical--> a few rows --horizontal--> window
 *
 * The few rows keep memory and cache use small, however tall the image is. */
#include "image/resample.h"

#include <string.h>

#include "image/decoders.h"
#include "tributary/internal/alloc.h"

/* Rows are made in groups, a multiple of the two that the AVX2 loop takes at once. */
enum { GROUP = 4 };

typedef struct resampler {
    const uint8_t *origin, *end; /* first byte of the source, and the end of the memory it lies in */
    int channels, height;        /* of the source */
    trib_axis x, y;
    trib_weights columns, lines;
    trib_resample_kernels kernels;
    size_t row_bytes, window_bytes; /* from one source row, or window row, to the next */
    int made;                       /* source rows before this one are through the horizontal pass */
    bool vertical_first;
    int capacity; /* rows in the ring, or of the few rows */
    uint8_t *ring;
    const uint8_t **rows; /* those under the filter */
} resampler;

/* An axis of equal sizes is copied, not filtered. */
static bool resized(trib_axis axis) { return axis.in != axis.out; }

static const uint8_t *source_row(const resampler *r, int row) { return r->origin + (size_t)row * r->row_bytes; }

static void make_rows(resampler *r, int row, int count, uint8_t *to)
{
    r->kernels.horizontal(source_row(r, row), r->row_bytes, r->end, count, r->channels, &r->columns, to,
                          r->window_bytes);
}

static uint8_t *ring_row(const resampler *r, int row)
{
    return r->ring + (size_t)(row % r->capacity) * r->window_bytes;
}

/* Fills the ring with every row before `end`; groups never straddle the ring's end, whose capacity is a multiple of
 * theirs. */
static void fill_ring(resampler *r, int end)
{
    while (r->made < end) {
        int count = GROUP - r->made % GROUP;
        if (count > r->height - r->made) count = r->height - r->made;
        make_rows(r, r->made, count, ring_row(r, r->made));
        r->made += count;
    }
}

/* Computes line i of the window from r->rows. */
static void filter_line(resampler *r, int i, size_t bytes, uint8_t *to)
{
    r->kernels.vertical(r->rows, r->lines.weight + (size_t)i * (size_t)r->lines.taps, r->lines.length[i], bytes, to);
}

/* Computes bytes [at, at + bytes) of it from the source rows themselves. */
static void filter_source_line(resampler *r, int i, size_t at, size_t bytes, uint8_t *to)
{
    for (int t = 0; t < r->lines.length[i]; ++t) r->rows[t] = source_row(r, r->lines.begin[i] + t) + at;
    filter_line(r, i, bytes, to);
}

static void filter_lines_only(resampler *r, trib_image *window)
{
    size_t at = (size_t)r->x.first * (size_t)r->channels;
    for (int i = 0; i < r->lines.count; ++i)
        filter_source_line(r, i, at, r->window_bytes, window->pixels + (size_t)i * r->window_bytes);
}

static void filter_lines_last(resampler *r, trib_image *window)
{
    r->made = r->lines.begin[0];
    for (int i = 0; i < r->lines.count; ++i) {
        int begin = r->lines.begin[i], length = r->lines.length[i];
        fill_ring(r, begin + length);
        for (int t = 0; t < length; ++t) r->rows[t] = ring_row(r, begin + t);
        filter_line(r, i, r->window_bytes, window->pixels + (size_t)i * r->window_bytes);
    }
}

static void filter_lines_first(resampler *r, trib_image *window)
{
    const trib_weights *w = &r->columns;
    size_t channels = (size_t)r->channels, at = (size_t)w->begin[0] * channels;
    size_t end = (size_t)(w->begin[w->count - 1] + w->length[w->count - 1]) * channels;
    for (int i = 0; i < r->lines.count; i += r->capacity) {
        int count = r->lines.count - i < r->capacity ? r->lines.count - i : r->capacity;
        for (int k = 0; k < count; ++k)
            filter_source_line(r, i + k, at, end - at, r->ring + (size_t)k * r->row_bytes + at);
        r->kernels.horizontal(r->ring, r->row_bytes, r->ring + (size_t)r->capacity * r->row_bytes, count, r->channels,
                              w, window->pixels + (size_t)i * r->window_bytes, r->window_bytes);
    }
}

/* The rows under one filter, and those that the last group needs beyond them on either side. */
static int ring_rows(int taps) { return (taps / GROUP + 3) * GROUP; }

static trib_status prepare(resampler *r, trib_interpolation interpolation)
{
    if (resized(r->x)) TRIB_TRY(trib_weights_make(r->x, interpolation, &r->columns));
    if (!resized(r->y)) return trib_success();
    TRIB_TRY(trib_weights_make(r->y, interpolation, &r->lines));
    r->capacity = r->vertical_first ? GROUP : ring_rows(r->lines.taps);
    size_t bytes = r->vertical_first ? r->row_bytes : r->window_bytes;
    r->rows = trib_alloc_zeroed((size_t)r->lines.taps, sizeof *r->rows);
    if (resized(r->x)) r->ring = trib_alloc_zeroed((size_t)r->capacity, bytes);
    if (r->rows && (r->ring || !resized(r->x))) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d rows of %zu bytes to resize through", r->capacity, bytes);
}

static void copy_window(const resampler *r, trib_image *window)
{
    const uint8_t *from = source_row(r, r->y.first) + (size_t)r->x.first * (size_t)r->channels;
    for (int i = 0; i < window->height; ++i)
        memcpy(window->pixels + (size_t)i * r->window_bytes, from + (size_t)i * r->row_bytes, r->window_bytes);
}

/* Pillow 13's rule, by the sizes of the whole images. */
static bool vertical_first(trib_axis x, trib_axis y, trib_resample_order order)
{
    int64_t columns_lost = (int64_t)x.in - x.out, rows_lost = (int64_t)y.in - y.out;
    return order == TRIB_CHEAPER_FIRST && resized(x) && rows_lost > 0 && rows_lost > 2 * columns_lost;
}

static const uint8_t *first_byte(const trib_image *in, trib_image_part box)
{
    return in->pixels + ((size_t)box.top * (size_t)in->width + (size_t)box.left) * (size_t)in->channels;
}

static trib_status resample_filtered(const trib_image *in, trib_image_part box, trib_axis x, trib_axis y,
                                     trib_interpolation interpolation, trib_resample_order order, trib_image *window)
{
    resampler r = { .origin = first_byte(in, box),
                    .channels = in->channels,
                    .height = box.height,
                    .x = x,
                    .y = y,
                    .kernels = trib_resample_best(),
                    .vertical_first = vertical_first(x, y, order) };
    r.row_bytes = (size_t)in->width * (size_t)in->channels;
    r.end = in->pixels + (size_t)in->height * r.row_bytes;
    r.window_bytes = (size_t)x.count * (size_t)in->channels;
    trib_status s = prepare(&r, interpolation);
    if (trib_failed(&s))
        ;
    else if (r.vertical_first)
        filter_lines_first(&r, window);
    else if (resized(y) && resized(x))
        filter_lines_last(&r, window);
    else if (resized(y))
        filter_lines_only(&r, window);
    else if (resized(x))
        make_rows(&r, y.first, y.count, window->pixels);
    else
        copy_window(&r, window);
    trib_weights_release(&r.columns);
    trib_weights_release(&r.lines);
    trib_free(r.ring);
    trib_free(r.rows);
    return trib_outcome(&s);
}

/* PIL adds up the step from pixel to pixel: this gives its positions, rounding included. */
static void nearest_positions(trib_axis axis, int *position)
{
    double step = (double)axis.in / axis.out, at = step * 0.5;
    for (int i = 0; i < axis.first + axis.count; ++i, at += step)
        if (i >= axis.first) position[i - axis.first] = at < axis.in ? (int)at : axis.in - 1;
}

static trib_status resample_nearest(const trib_image *in, trib_image_part box, trib_axis x, trib_axis y,
                                    trib_image *window)
{
    size_t channels = (size_t)in->channels, window_bytes = (size_t)x.count * channels;
    int *column = trib_alloc_zeroed((size_t)x.count, sizeof *column);
    int *line = trib_alloc_zeroed((size_t)y.count, sizeof *line);
    trib_status s = trib_success();
    if (!column || !line) {
        s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the positions of %d x %d pixels", x.count, y.count);
        goto done;
    }
    nearest_positions(x, column);
    nearest_positions(y, line);
    for (int i = 0; i < y.count; ++i) {
        const uint8_t *from = first_byte(in, box) + (size_t)line[i] * (size_t)in->width * channels;
        uint8_t *to = window->pixels + (size_t)i * window_bytes;
        for (int j = 0; j < x.count; ++j)
            for (size_t c = 0; c < channels; ++c) *to++ = from[(size_t)column[j] * channels + c];
    }
done:
    trib_free(column);
    trib_free(line);
    return trib_outcome(&s);
}

trib_status trib_resample_box(const trib_image *in, trib_image_part box, trib_axis x, trib_axis y,
                              trib_interpolation interpolation, trib_resample_order order, trib_image *window)
{
    trib_image result = { 0 };
    TRIB_TRY(trib_image_create(x.count, y.count, in->channels, INT64_MAX, &result));
    trib_status s = interpolation == TRIB_NEAREST ? resample_nearest(in, box, x, y, &result)
                                                  : resample_filtered(in, box, x, y, interpolation, order, &result);
    if (trib_failed(&s))
        trib_image_release(&result);
    else
        *window = result;
    return trib_outcome(&s);
}

trib_status trib_resample(const trib_image *in, trib_axis x, trib_axis y, trib_interpolation interpolation,
                          trib_resample_order order, trib_image *window)
{
    return trib_resample_box(in, (trib_image_part) { 0, 0, in->width, in->height }, x, y, interpolation, order, window);
}

/* The result of trib_weights_make and its temporary memory. */
static int64_t weights_bytes(trib_axis axis, int64_t taps)
{
    return axis.count * (2 * (int64_t)sizeof(int) + taps * (int64_t)sizeof(int32_t)) + taps * (int64_t)sizeof(double);
}

int64_t trib_resample_bytes(trib_axis x, trib_axis y, int channels, trib_interpolation interpolation)
{
    int64_t row = (int64_t)x.count * channels, bytes = row * y.count;
    if (interpolation == TRIB_NEAREST) return bytes + ((int64_t)x.count + y.count) * (int64_t)sizeof(int);
    if (resized(x)) bytes += weights_bytes(x, trib_weights_taps(x, interpolation));
    if (!resized(y)) return bytes;
    int taps = trib_weights_taps(y, interpolation);
    int64_t across = ring_rows(taps) * row, down = GROUP * (int64_t)x.in * channels; /* by the order of passes */
    return bytes + weights_bytes(y, taps) + taps * (int64_t)sizeof(uint8_t *) + (across > down ? across : down);
}
