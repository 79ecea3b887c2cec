/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the weights of an antialiased resize, in fixed point.
 *
 * The filter is stretched by the scale when reducing; each output sample's weights are made to sum to one in double and
 * then rounded half away from zero. The order of the floating-point operations is PIL's: it decides the last bit. */
#include <math.h>

#include "image/resample.h"
#include "tributary/internal/alloc.h"

/* Keeps sums of rounded weights far inside 32 bits, and memory in proportion. */
enum { MAX_TAPS = 1 << 16 };

static double triangle(double x) { return fabs(x) < 1 ? 1 - fabs(x) : 0; }

/* Closed on the right only, so that a sample between two outputs counts once. */
static double box(double x) { return x > -0.5 && x <= 0.5; }

/* Keys' cubic with a = -1/2. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

typedef struct filter {
    double (*at)(double x);
    double support;
} filter;

static const filter filters[] = {
    [TRIB_BILINEAR] = { triangle, 1 }, [TRIB_BICUBIC] = { cubic, 2 }, [TRIB_AREA] = { box, 0.5 }
};

static int clamp(double value, int high) { return value < 0 ? 0 : value > high ? high : (int)value; }

static int32_t to_fixed(double weight)
{
    double scaled = weight * (1 << TRIB_WEIGHT_BITS);
    return (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

static void fill_sample(trib_axis axis, const filter *f, int i, double *row, trib_weights *w)
{
    double scale = (double)axis.in / axis.out, stretch = scale < 1 ? 1 : scale;
    double support = f->support * stretch, centre = (axis.first + i + 0.5) * scale, sum = 0;
    int begin = clamp(centre - support + 0.5, axis.in), end = clamp(centre + support + 0.5, axis.in);
    w->begin[i] = begin;
    w->length[i] = end - begin;
    for (int t = 0; t < end - begin; ++t) {
        row[t] = f->at((t + begin - centre + 0.5) * (1 / stretch));
        sum += row[t];
    }
    int32_t *weight = w->weight + (size_t)i * (size_t)w->taps;
    for (int t = 0; t < end - begin; ++t) weight[t] = to_fixed(sum != 0 ? row[t] / sum : row[t]);
}

int trib_weights_taps(trib_axis axis, trib_interpolation interpolation)
{
    double scale = (double)axis.in / axis.out, support = filters[interpolation].support * (scale < 1 ? 1 : scale);
    int64_t taps = 2 * (int64_t)ceil(support) + 1;
    if (taps > axis.in) taps = axis.in; /* a window never extends outside */
    taps += taps % 2;
    return taps > MAX_TAPS ? 0 : (int)taps;
}

trib_status trib_weights_make(trib_axis axis, trib_interpolation interpolation, trib_weights *out)
{
    const filter *f = &filters[interpolation];
    int taps = trib_weights_taps(axis, interpolation);
    if (!taps) return TRIB_ERROR(TRIB_BAD_DATA, "%d pixels are too many to be reduced to %d", axis.in, axis.out);
    trib_weights w = { .count = axis.count, .taps = taps };
    size_t count = (size_t)axis.count;
    w.begin = trib_alloc_zeroed(count, sizeof *w.begin);
    w.length = trib_alloc_zeroed(count, sizeof *w.length);
    w.weight = trib_alloc_zeroed(count, (size_t)taps * sizeof *w.weight);
    double *row = trib_alloc_zeroed((size_t)taps, sizeof *row);
    bool enough = w.begin && w.length && w.weight && row;
    for (int i = 0; enough && i < axis.count; ++i) fill_sample(axis, f, i, row, &w);
    trib_free(row);
    if (!enough) {
        trib_weights_release(&w);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the weights of resizing %d to %d", axis.in, axis.out);
    }
    *out = w;
    return trib_success();
}

void trib_weights_release(trib_weights *w)
{
    trib_free(w->begin);
    trib_free(w->length);
    trib_free(w->weight);
    *w = (trib_weights) { 0 };
}
