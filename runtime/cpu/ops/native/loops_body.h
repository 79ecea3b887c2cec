/* SPDX-License-Identifier: Apache-2.0
 * The loops of loops.h for vectors of LANES floats. LOOPS is the name of their table, USABLE says whether this
 * processor has the instructions. The strip's vectors are the outer loop: where LANES is the strip's width, as it is
 * for the layout that suits the processor, all data passes once. */
#include <math.h>
#include <stddef.h>

#include "cpu/ops/native/lanes.h"
#include "cpu/ops/native/loops.h"

static inline vf pixel(trib_run run, int64_t i, int c) { return load(run.at + i * run.pitch + c); }

static inline void put(trib_run run, int64_t i, int c, vf value) { store(run.at + i * run.pitch + c, value); }

/* ---- sums and batch norm ---- */

static void sums(int width, int64_t count, trib_run x, double *sum)
{
    for (int c = 0; c < width; c += LANES) {
        wide total = load_wide(sum + c);
        for (int64_t i = 0; i < count; ++i) total = add_wide(total, pixel(x, i, c));
        store_wide(sum + c, total);
    }
}

static void square_sums(int width, int64_t count, trib_run x, double *sum, double *square)
{
    for (int c = 0; c < width; c += LANES) {
        wide total = load_wide(sum + c), squares = load_wide(square + c);
        for (int64_t i = 0; i < count; ++i) {
            const vf value = pixel(x, i, c);
            total = add_wide(total, value);
            squares = add_square(squares, value);
        }
        store_wide(sum + c, total);
        store_wide(square + c, squares);
    }
}

/* All ones unless there is a ReLU. */
static inline vi always_unless(bool relu) { return equal((vi) { 0 }, relu); }

static void scale_shift(int width, int64_t count, trib_run x, const trib_norm_values *v, trib_run y)
{
    const vi always = always_unless(v->relu);
    for (int c = 0; c < width; c += LANES) {
        const vf scale = load(v->scale + c), shift = load(v->shift + c);
        for (int64_t i = 0; i < count; ++i) {
            const vf value = pixel(x, i, c) * scale + shift;
            put(y, i, c, keep(always | ~at_most(value, every(0)), value)); /* NaN stays visible */
        }
    }
}

static void norm_sums(int width, int64_t count, trib_run dy, trib_run x, const trib_norm_values *v, double *sum,
                      double *product)
{
    const vi always = always_unless(v->relu);
    for (int c = 0; c < width; c += LANES) {
        const vf scale = load(v->scale + c), shift = load(v->shift + c), mean = load(v->mean + c);
        wide total = load_wide(sum + c), products = load_wide(product + c);
        for (int64_t i = 0; i < count; ++i) {
            const vf in = pixel(x, i, c);
            const vf d = keep(always | ~at_most(in * scale + shift, every(0)), pixel(dy, i, c));
            total = add_wide(total, d);
            products = add_wide(products, d * (in - mean));
        }
        store_wide(sum + c, total);
        store_wide(product + c, products);
    }
}

static void norm_backward(int width, int64_t count, trib_run dy, trib_run x, const trib_norm_values *v, const float *a,
                          const float *b, trib_run dx)
{
    const vi always = always_unless(v->relu);
    for (int c = 0; c < width; c += LANES) {
        const vf scale = load(v->scale + c), shift = load(v->shift + c), mean = load(v->mean + c);
        const vf constant = load(a + c), slope = load(b + c);
        for (int64_t i = 0; i < count; ++i) {
            const vf in = pixel(x, i, c);
            const vf d = keep(always | ~at_most(in * scale + shift, every(0)), pixel(dy, i, c));
            put(dx, i, c, scale * (d - constant - (in - mean) * slope));
        }
    }
}

static void relu_backward(int width, int64_t count, trib_run dy, trib_run y, trib_run dx, double *sum)
{
    for (int c = 0; c < width; c += LANES) {
        wide total = load_wide(sum + c);
        for (int64_t i = 0; i < count; ++i) {
            const vf d = keep(greater(pixel(y, i, c), every(0)), pixel(dy, i, c));
            put(dx, i, c, d);
            total = add_wide(total, d);
        }
        store_wide(sum + c, total);
    }
}

/* ---- pools ---- */

static inline int larger(int a, int b) { return a > b ? a : b; }
static inline int smaller(int a, int b) { return a < b ? a : b; }

/* The part of a window that lies in the image. */
typedef struct window {
    int top, left, bottom, right; /* bottom and right exclusive */
    int first;                    /* the place of its first pixel */
} window;

static inline window window_at(const trib_pool_windows *g, int p, int q)
{
    const int top = p * g->stride_h - g->pad_top, left = q * g->stride_w - g->pad_left;
    window v = { .top = larger(top, 0),
                 .left = larger(left, 0),
                 .bottom = smaller(top + g->r, g->h),
                 .right = smaller(left + g->s, g->w) };
    v.first = (v.top - top) * g->s + v.left - left;
    return v;
}

/* The maximum of rows x columns pixels from (v->top, v->left); `s` is the width of a whole window. */
static inline vf maximum_of(int rows, int columns, int s, const trib_pool_windows *g, const window *v, trib_run x,
                            int c, vi *place)
{
    vf best = pixel(x, (int64_t)v->top * g->w + v->left, c);
    *place = equal((vi) { 0 }, 0) & v->first;
    for (int h = 0; h < rows; ++h)
        for (int w = 0; w < columns; ++w) {
            const vf value = pixel(x, (int64_t)(v->top + h) * g->w + v->left + w, c);
            const vi wins = greater(value, best) | is_nan(value);
            best = choose(wins, value, best);
            *place = choose_int(wins, v->first + h * s + w, *place);
        }
    return best;
}

static inline vf maximum(const trib_pool_windows *g, const window *v, trib_run x, int c, vi *place)
{
    const int rows = v->bottom - v->top, columns = v->right - v->left;
    if (rows == 3 && columns == 3 && g->s == 3) return maximum_of(3, 3, 3, g, v, x, c, place); /* unrolled */
    return maximum_of(rows, columns, g->s, g, v, x, c, place);
}

static void max_pool(int width, const trib_pool_windows *windows, trib_run x, trib_run y, uint8_t *index,
                     int64_t index_pitch)
{
    const trib_pool_windows copy = *windows, *g = &copy; /* no store can change it: it stays in registers */
    for (int p = 0; p < g->p; ++p)
        for (int q = 0; q < g->q; ++q) {
            const window v = window_at(g, p, q);
            const int64_t i = (int64_t)p * g->q + q;
            for (int c = 0; c < width; c += LANES) {
                vi place;
                put(y, i, c, maximum(g, &v, x, c, &place));
                if (index) store_bytes(index + i * index_pitch + c, place);
            }
        }
}

/* Windows first .. last - 1 contain a row or column. */
typedef struct span {
    int first, last;
} span;

/* From the span of the previous row or column to that of `at`, which counts the padding. */
static inline void move_to(span *s, int at, int window, int stride, int windows)
{
    while (s->last < windows && s->last * stride <= at) s->last++;
    while (s->first * stride + window <= at) s->first++;
}

static inline vf gather(const trib_pool_windows *g, span rows, span columns, int place, trib_run dy,
                        const uint8_t *index, int64_t index_pitch, int c)
{
    vf sum = every(0);
    for (int p = rows.first; p < rows.last; ++p)
        for (int q = columns.first; q < columns.last; ++q) {
            const int64_t i = (int64_t)p * g->q + q;
            const vi here =
                equal(load_bytes(index + i * index_pitch + c), place - p * g->stride_h * g->s - q * g->stride_w);
            sum += keep(here, pixel(dy, i, c));
        }
    return sum;
}

static void max_pool_backward(int width, const trib_pool_windows *windows, trib_run dy, const uint8_t *index,
                              int64_t index_pitch, trib_run dx, bool accumulate)
{
    const trib_pool_windows copy = *windows, *g = &copy;
    span rows = { 0, 0 };
    for (int h = 0; h < g->h; ++h) {
        span columns = { 0, 0 };
        move_to(&rows, h + g->pad_top, g->r, g->stride_h, g->p);
        for (int w = 0; w < g->w; ++w) {
            const int place = (h + g->pad_top) * g->s + w + g->pad_left;
            const int64_t i = (int64_t)h * g->w + w;
            move_to(&columns, w + g->pad_left, g->s, g->stride_w, g->q);
            for (int c = 0; c < width; c += LANES) {
                const vf sum = gather(g, rows, columns, place, dy, index, index_pitch, c);
                put(dx, i, c, sum + (accumulate ? pixel(dx, i, c) : every(0)));
            }
        }
    }
}

static void spread(int width, int rows, int columns, const float *dy, float divisor, trib_run dx, int64_t dx_row)
{
    for (int c = 0; c < width; c += LANES) {
        const vf share = load(dy + c) / every(divisor);
        for (int h = 0; h < rows; ++h) {
            const trib_run row = { dx.at + h * dx_row, dx.pitch };
            for (int w = 0; w < columns; ++w) put(row, w, c, pixel(row, w, c) + share);
        }
    }
}

/* ---- LRN: compilers vectorise these ---- */

static void window_sums(int channels, int first, int last, const float *restrict values, float *restrict sum)
{
    for (int c = 0; c < channels; ++c) sum[c] = values[c + first];
    for (int i = first + 1; i <= last; ++i)
        for (int c = 0; c < channels; ++c) sum[c] += values[c + i];
}

/* power = scale^-beta, and scale becomes scale^(-beta-1). Everyone's beta is 3/4: two square roots and a division. */
static void powers(int channels, float beta, float *restrict scale, float *restrict power)
{
    if (beta == 0.75f)
        for (int c = 0; c < channels; ++c) {
            const float root = 1 / sqrtf(scale[c]);
            power[c] = root * sqrtf(root);
            scale[c] = power[c] * (root * root);
        }
    else
        for (int c = 0; c < channels; ++c) {
            power[c] = powf(scale[c], -beta);
            scale[c] = power[c] / scale[c];
        }
}

static void lrn_backward(const trib_lrn_pixel *p)
{
    const float *restrict x = p->x;
    float *restrict dy = p->dy, *restrict squares = p->squares, *restrict scale = p->scale, *restrict power = p->power;
    const float slope = 2 * p->factor * p->beta;
    for (int c = 0; c < p->channels; ++c) squares[c] = x[c] * x[c];
    window_sums(p->channels, -p->before, p->after, squares, scale);
    for (int c = 0; c < p->channels; ++c) scale[c] = p->k + p->factor * scale[c];
    powers(p->channels, p->beta, scale, power);
    for (int c = 0; c < p->channels; ++c) squares[c] = dy[c] * x[c] * scale[c];
    window_sums(p->channels, -p->after, p->before, squares, scale);
    for (int c = 0; c < p->channels; ++c) dy[c] = dy[c] * power[c] - slope * x[c] * scale[c];
}

static bool usable(void) { return USABLE; }

const trib_loops LOOPS = { .lanes = LANES,
                           .usable = usable,
                           .sums = sums,
                           .square_sums = square_sums,
                           .scale_shift = scale_shift,
                           .norm_sums = norm_sums,
                           .norm_backward = norm_backward,
                           .relu_backward = relu_backward,
                           .max_pool = max_pool,
                           .max_pool_backward = max_pool_backward,
                           .spread = spread,
                           .lrn_backward = lrn_backward };
