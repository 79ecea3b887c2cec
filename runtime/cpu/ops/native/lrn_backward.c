/* SPDX-License-Identifier: Apache-2.0
 * The gradient of local response normalisation: the channels of one pixel at a time, in buffers of the thread. */
#include <string.h>

#include "cpu/ops/native/strips.h"
#include "cpu/ops/native/training.h"

enum { BUFFERS = 5, ALIGNMENT = 16 };

static int64_t rounded(int64_t floats) { return (floats + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* Zeros in front of the channels, and behind them. */
static int64_t margin_of(const trib_op_desc *desc) { return rounded(desc->attributes.lrn.size - 1); }

static int64_t buffer_of(const trib_op_desc *desc)
{
    return rounded(trib_pixels_of(&desc->inputs[0]).channels) + 2 * margin_of(desc);
}

int64_t trib_native_lrn_backward_bytes(const trib_op_desc *desc)
{
    return trib_native_threads(desc) * BUFFERS * buffer_of(desc) * (int64_t)sizeof(float);
}

static trib_lrn_pixel pixel_of(const trib_native_call *call)
{
    const trib_lrn *a = &call->desc->attributes.lrn;
    const int64_t size = buffer_of(call->desc);
    float *memory = (float *)call->workspace + call->worker->index * BUFFERS * size;
    memset(memory, 0, (size_t)(BUFFERS * size) * sizeof *memory);
    memory += margin_of(call->desc);
    return (trib_lrn_pixel) { .channels = trib_pixels_of(&call->desc->inputs[0]).channels,
                              .before = a->size / 2,
                              .after = (a->size - 1) / 2,
                              .factor = a->alpha / (float)a->size,
                              .beta = a->beta,
                              .k = a->k,
                              .x = memory,
                              .dy = memory + size,
                              .squares = memory + 2 * size,
                              .scale = memory + 3 * size,
                              .power = memory + 4 * size };
}

/* One group of channels. Of a size that the compiler knows, it is a few instructions instead of a call. */
static inline void copy_group(float *to, const float *from, int width)
{
    if (width == 16)
        memcpy(to, from, 16 * sizeof *to);
    else if (width == 8)
        memcpy(to, from, 8 * sizeof *to);
    else
        memcpy(to, from, (size_t)width * sizeof *to);
}

static void collect(const trib_pixels *p, const float *from, float *channels)
{
    for (int g = 0; g < p->groups; ++g) copy_group(channels + (int64_t)g * p->width, from + g * p->group, p->width);
}

static void spread(const trib_pixels *p, const float *channels, float *to)
{
    for (int g = 0; g < p->groups; ++g) copy_group(to + g * p->group, channels + (int64_t)g * p->width, p->width);
}

trib_status trib_native_lrn_backward(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const trib_pixels dy = trib_pixels_of(&desc->inputs[0]), x = trib_pixels_of(&desc->inputs[1]);
    const trib_pixels dx = trib_pixels_of(&desc->outputs[0]);
    const trib_lrn_pixel pixel = pixel_of(call);
    for (int n = 0; n < dy.n; ++n)
        for (int64_t i = 0; i < trib_image_pixels(&dy); ++i) {
            collect(&dy, (const float *)call->inputs[0] + n * dy.image + i * dy.pitch, pixel.dy);
            collect(&x, (const float *)call->inputs[1] + n * x.image + i * x.pitch, pixel.x);
            trib_loops_of(TRIB_WIDEST_STRIP)->lrn_backward(&pixel);
            spread(&dx, pixel.dy, (float *)call->outputs[0] + n * dx.image + i * dx.pitch);
        }
    return trib_success();
}
