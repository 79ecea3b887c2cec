/* SPDX-License-Identifier: Apache-2.0
 * Tributary: start regions measured in one pass over the image's pixels. */
#include "detect/regions.h"

#include <stdlib.h>

#include "detect/texture.h"
#include "tributary/internal/alloc.h"

/* Bins of an axis: both signs. */
enum { AXIS_BINS = 2 * TRIB_TEXTURE_BINS };

static int rounded_up(int bins) { return (bins + TRIB_HISTOGRAM_STEP - 1) / TRIB_HISTOGRAM_STEP * TRIB_HISTOGRAM_STEP; }

void trib_regions_release(trib_regions *regions)
{
    trib_free(regions->histograms);
    trib_free(regions->sizes);
    trib_free(regions->boxes);
    trib_free(regions->pairs);
    *regions = (trib_regions) { 0 };
}

/* ---- sizes, boxes, histograms ---- */

static void widen(trib_proposal *box, int x, int y)
{
    if (x < box->x0) box->x0 = x;
    if (x >= box->x1) box->x1 = x + 1;
    if (y < box->y0) box->y0 = y;
    if (y >= box->y1) box->y1 = y + 1;
}

static void count_colour(const uint8_t *planes, int channels, int32_t *bins)
{
    for (int c = 0; c < channels; ++c) ++bins[c * TRIB_COLOUR_BINS + (planes[c] * TRIB_COLOUR_BINS >> 8)];
}

/* `texture`: of the pixel in the row of the first axis; the next axis's row is `row` bytes further. */
static void count_texture(const uint8_t *texture, size_t row, int channels, int32_t *bins)
{
    for (int c = 0; c < channels; ++c)
        for (int a = 0; a < TRIB_TEXTURE_AXES; ++a, bins += AXIS_BINS) ++bins[texture[(size_t)a * row + (size_t)c]];
}

/* The first bins of either sign, where all pixels are that are in no other. */
static void complete_texture(int axes, int32_t size, int32_t *bins)
{
    for (int half = 0; half < 2 * axes; ++half) {
        int32_t *first = bins + (ptrdiff_t)half * TRIB_TEXTURE_BINS;
        *first = size;
        for (int i = 1; i < TRIB_TEXTURE_BINS; ++i) *first -= first[i];
    }
}

static void measure_row(const trib_region_source *source, const int32_t *labels, int y, trib_regions *regions)
{
    size_t channels = (size_t)source->channels, row = (size_t)source->width * channels;
    size_t stride = (size_t)(regions->colour_bins + regions->texture_bins);
    const uint8_t *planes = source->planes + (size_t)y * row;
    const uint8_t *texture = source->texture + (size_t)y * TRIB_TEXTURE_AXES * row;
    for (int x = 0; x < source->width; ++x) {
        int32_t *bins = regions->histograms + (size_t)labels[x] * stride;
        count_colour(planes + (size_t)x * channels, source->channels, bins);
        count_texture(texture + (size_t)x * channels, row, source->channels, bins + regions->colour_bins);
        ++regions->sizes[labels[x]];
        widen(&regions->boxes[labels[x]], x, y);
    }
}

static void measure(const trib_region_source *source, const int32_t *labels, trib_regions *regions)
{
    int axes = source->channels * TRIB_TEXTURE_AXES;
    for (int i = 0; i < regions->count; ++i)
        regions->boxes[i] = (trib_proposal) { source->width, source->height, 0, 0 };
    for (int y = 0; y < source->height; ++y)
        measure_row(source, labels + (size_t)y * (size_t)source->width, y, regions);
    for (int i = 0; i < regions->count; ++i) {
        int32_t *bins = regions->histograms + (ptrdiff_t)i * (regions->colour_bins + regions->texture_bins);
        complete_texture(axes, regions->sizes[i], bins + regions->colour_bins);
    }
}

/* ---- neighbours ---- */

/* Meetings of two regions, sorted by their lower number. */
typedef struct meetings {
    size_t *ends;    /* of each lower number's list; count + 1 */
    int32_t *higher; /* the lists */
} meetings;

/* The other side of pixel p's right or lower side; p's own region at the end of the image. */
static int32_t beyond(const trib_region_source *source, const int32_t *labels, size_t p, int x, int y, int below)
{
    if (below) return y + 1 < source->height ? labels[p + (size_t)source->width] : labels[p];
    return x + 1 < source->width ? labels[p + 1] : labels[p];
}

/* Counts meetings per lower number in m->ends[lower + 1], or, if there are lists, writes them. A meeting is left out
 * where the pixel before had the same. */
static void meet(const trib_region_source *source, const int32_t *labels, int below, meetings *m)
{
    size_t p = 0;
    int32_t last_low = -1, last_high = -1;
    for (int y = 0; y < source->height; ++y)
        for (int x = 0; x < source->width; ++x, ++p) {
            int32_t here = labels[p], there = beyond(source, labels, p, x, y, below);
            if (here == there) continue;
            int32_t low = here < there ? here : there, high = here < there ? there : here;
            if (low == last_low && high == last_high) continue;
            last_low = low, last_high = high;
            if (m->higher)
                m->higher[m->ends[low]++] = high;
            else
                ++m->ends[low + 1];
        }
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Short lists, nearly always. */
static void sort_list(int32_t *list, size_t count)
{
    if (count > 32) {
        qsort(list, count, sizeof *list, ascending);
        return;
    }
    for (size_t i = 1; i < count; ++i) {
        int32_t value = list[i];
        size_t to = i;
        for (; to > 0 && list[to - 1] > value; --to) list[to] = list[to - 1];
        list[to] = value;
    }
}

/* Once for each pair, in order; returns their number. `pairs`: NULL to count only. */
static size_t distinct_pairs(const meetings *m, int count, trib_region_pair *pairs)
{
    size_t found = 0, begin = 0;
    for (int32_t low = 0; low < count; ++low) {
        for (size_t i = begin; i < m->ends[low]; ++i) {
            if (i > begin && m->higher[i] == m->higher[i - 1]) continue;
            if (pairs) pairs[found] = (trib_region_pair) { low, m->higher[i] };
            ++found;
        }
        begin = m->ends[low];
    }
    return found;
}

static trib_status out_of_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for an image's regions"); }

static trib_status find_neighbours(const trib_region_source *source, const int32_t *labels, trib_regions *regions)
{
    size_t count = (size_t)regions->count, begin = 0;
    trib_status status = trib_success();
    meetings m = { trib_alloc_zeroed(count + 1, sizeof *m.ends), NULL };
    if (!m.ends) return out_of_memory();
    for (int below = 0; below < 2; ++below) meet(source, labels, below, &m);
    for (size_t i = 0; i < count; ++i) m.ends[i + 1] += m.ends[i];
    m.higher = trib_alloc(m.ends[count] * sizeof *m.higher);
    if (!m.higher) {
        status = out_of_memory();
        goto done;
    }
    for (int below = 0; below < 2; ++below) meet(source, labels, below, &m); /* ends[i] becomes the end of list i */
    for (size_t i = 0; i < count; begin = m.ends[i++]) sort_list(m.higher + begin, m.ends[i] - begin);
    regions->pair_count = distinct_pairs(&m, regions->count, NULL);
    regions->pairs = trib_alloc(regions->pair_count * sizeof *regions->pairs);
    if (regions->pairs)
        distinct_pairs(&m, regions->count, regions->pairs);
    else
        status = out_of_memory();
done:
    trib_free(m.ends);
    trib_free(m.higher);
    return trib_outcome(&status);
}

trib_status trib_regions_make(const trib_region_source *source, const int32_t *labels, int count, trib_regions *out)
{
    size_t n = (size_t)count;
    trib_status status = trib_success();
    trib_regions r = { .count = count, .channels = source->channels, .pixels = source->width * source->height };
    r.colour_bins = rounded_up(r.channels * TRIB_COLOUR_BINS);
    r.texture_bins = r.channels * TRIB_TEXTURE_AXES * AXIS_BINS;
    r.histograms = trib_alloc_zeroed(n * (size_t)(r.colour_bins + r.texture_bins), sizeof *r.histograms);
    r.sizes = trib_alloc_zeroed(n, sizeof *r.sizes);
    r.boxes = trib_alloc_zeroed(n, sizeof *r.boxes);
    if (!r.histograms || !r.sizes || !r.boxes) {
        status = out_of_memory();
        goto done;
    }
    measure(source, labels, &r);
    TRIB_TRY_GOTO(status, done, find_neighbours(source, labels, &r));
    *out = r;
    r = (trib_regions) { 0 };
done:
    trib_regions_release(&r);
    return trib_outcome(&status);
}
