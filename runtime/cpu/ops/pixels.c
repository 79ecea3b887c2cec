/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/ops/pixels.h"

#include <string.h>

static int padded(int channels, trib_layout layout)
{
    int block = trib_layout_block(layout);
    return (channels + block - 1) / block * block;
}

trib_pixels trib_pixels_of(const trib_view *v)
{
    bool nhwc = v->layout == TRIB_NHWC;
    trib_pixels p = { .n = v->n, .h = v->h, .w = v->w, .channels = padded(v->c, v->layout) };
    p.width = nhwc ? p.channels : trib_layout_block(v->layout);
    p.groups = p.channels / p.width;
    p.pitch = nhwc ? v->c_total : p.width;
    p.group = nhwc ? 0 : p.pitch * v->h * v->w;
    p.image = (int64_t)padded(v->c_total, v->layout) * v->h * v->w;
    return p;
}

bool trib_pixels_dense(const trib_view *v, int images)
{
    if (padded(v->c, v->layout) == padded(v->c_total, v->layout)) return true;
    return images == 1 && (v->layout != TRIB_NHWC || (v->h == 1 && v->w == 1));
}

/* `run` channels that lie side by side on both sides. */
static void copy_run(int64_t pixels, int run, const float *x, int64_t x_pitch, float *y, int64_t y_pitch)
{
    if (run == x_pitch && run == y_pitch) {
        memcpy(y, x, (size_t)(pixels * run) * sizeof *y);
    } else if (run == 1) {
        for (int64_t i = 0; i < pixels; ++i) y[i * y_pitch] = x[i * x_pitch];
    } else {
        for (int64_t i = 0; i < pixels; ++i) memcpy(y + i * y_pitch, x + i * x_pitch, (size_t)run * sizeof *y);
    }
}

static void rectify_run(int64_t pixels, int run, const float *x, int64_t x_pitch, float *y, int64_t y_pitch)
{
    for (int64_t i = 0; i < pixels; ++i)
        for (int c = 0; c < run; ++c) {
            float value = x[i * x_pitch + c];
            y[i * y_pitch + c] = value < 0 ? 0 : value; /* NaN stays visible */
        }
}

static void add_run(int64_t pixels, int run, const float *x, int64_t x_pitch, float *y, int64_t y_pitch)
{
    if (run == x_pitch && run == y_pitch) {
        for (int64_t i = 0; i < pixels * run; ++i) y[i] += x[i];
        return;
    }
    for (int64_t i = 0; i < pixels; ++i)
        for (int c = 0; c < run; ++c) y[i * y_pitch + c] += x[i * x_pitch + c];
}

static int smaller(int a, int b) { return a < b ? a : b; }

typedef void (*run_function)(int64_t pixels, int run, const float *x, int64_t x_pitch, float *y, int64_t y_pitch);

static void for_each_run(const trib_pixels *from, const float *x, int from_first, const trib_pixels *to, float *y,
                         int to_first, int count, run_function function)
{
    int64_t pixels = (int64_t)from->h * from->w;
    for (int n = 0; n < from->n; ++n) {
        for (int done = 0, run; done < count; done += run) {
            int a = from_first + done, b = to_first + done;
            run = smaller(count - done, smaller(from->width - a % from->width, to->width - b % to->width));
            const float *source = x + n * from->image + a / from->width * from->group + a % from->width;
            float *target = y + n * to->image + b / to->width * to->group + b % to->width;
            function(pixels, run, source, from->pitch, target, to->pitch);
        }
    }
}

void trib_pixels_copy(const trib_pixels *from, const float *x, int from_first, const trib_pixels *to, float *y,
                      int to_first, int count, bool relu)
{
    for_each_run(from, x, from_first, to, y, to_first, count, relu ? rectify_run : copy_run);
}

void trib_pixels_add(const trib_pixels *from, const float *x, const trib_pixels *to, float *y, int count)
{
    for_each_run(from, x, 0, to, y, 0, count, add_run);
}

void trib_pixels_clear(const trib_pixels *to, float *y, int first)
{
    for (int n = 0; n < to->n; ++n)
        for (int c = first; c < to->channels; ++c) {
            float *target = y + n * to->image + c / to->width * to->group + c % to->width;
            for (int64_t i = 0; i < (int64_t)to->h * to->w; ++i) target[i * to->pitch] = 0;
        }
}
