/* SPDX-License-Identifier: Apache-2.0 */
#include "device/op_check.h"

#include <math.h>

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)

/* Far above any activation, and far from overflow in the sums and products that follow. */
static const int64_t most_elements = (int64_t)1 << 40;
enum { MOST_WINDOW = 1 << 16 };

static trib_status check_size(const trib_view *v)
{
    int64_t elements = 1;
    const int extents[] = { v->n, v->c_total, v->h, v->w };
    for (int i = 0; i < 4; ++i) {
        if (extents[i] < 1) return INVALID("an extent of %dx%dx%dx%d is not positive", v->n, v->c_total, v->h, v->w);
        if (elements > most_elements / extents[i])
            return INVALID("a tensor of %dx%dx%dx%d is too large", v->n, v->c_total, v->h, v->w);
        elements *= extents[i];
    }
    return trib_success();
}

static trib_status check_view(const trib_view *v)
{
    if (v->dtype != TRIB_F32) return TRIB_ERROR(TRIB_UNSUPPORTED, "only f32 is computed, not dtype %d", (int)v->dtype);
    if ((int)v->layout < 0 || v->layout >= TRIB_LAYOUT_COUNT) return INVALID("there is no layout %d", (int)v->layout);
    TRIB_TRY(check_size(v));
    if (v->c < 1 || v->c_offset < 0 || v->c > v->c_total - v->c_offset)
        return INVALID("channels %d to %d do not lie within %d", v->c_offset, v->c_offset + v->c - 1, v->c_total);
    int block = trib_layout_block(v->layout);
    bool last = v->c_offset + v->c == v->c_total;
    if (v->c_offset % block || (v->c % block && !last))
        return INVALID("a slice of channels %d to %d of %d does not fit blocks of %d", v->c_offset,
                       v->c_offset + v->c - 1, v->c_total, block);
    return trib_success();
}

static trib_status check_views(const trib_op_desc *desc)
{
    int most = desc->kind == TRIB_CONCAT ? TRIB_MAX_INPUTS : 1;
    if (desc->input_count < 1 || desc->input_count > most)
        return INVALID("%d inputs where 1 to %d make sense", desc->input_count, most);
    if (desc->output_count != 1) return INVALID("%d outputs where 1 makes sense", desc->output_count);
    if (desc->threads < 0) return INVALID("%d threads", desc->threads);
    for (int i = 0; i < desc->input_count; ++i) {
        trib_status status = check_view(&desc->inputs[i]);
        if (!trib_failed(&status) && desc->inputs[i].n != desc->outputs[0].n)
            status = INVALID("%d images in, %d out", desc->inputs[i].n, desc->outputs[0].n);
        trib_add_context(&status, "input %d", i);
        TRIB_TRY(status);
    }
    trib_status status = check_view(&desc->outputs[0]);
    trib_add_context(&status, "output");
    return status;
}

/* ---- windows ---- */

static bool in_range(int value, int least, int most) { return value >= least && value <= most; }

/* A pooling window must not lie in the padding alone. */
static trib_status check_window(int r, int s, int stride_h, int stride_w, const trib_pad *pad, bool pools)
{
    int most_h = pools ? r - 1 : MOST_WINDOW, most_w = pools ? s - 1 : MOST_WINDOW;
    if (!in_range(r, 1, MOST_WINDOW) || !in_range(s, 1, MOST_WINDOW)) return INVALID("a window of %dx%d", r, s);
    if (!in_range(stride_h, 0, MOST_WINDOW) || !in_range(stride_w, 0, MOST_WINDOW))
        return INVALID("strides of %d and %d", stride_h, stride_w);
    if (!in_range(pad->top, 0, most_h) || !in_range(pad->bottom, 0, most_h) || !in_range(pad->left, 0, most_w) ||
        !in_range(pad->right, 0, most_w))
        return INVALID("padding of %d, %d, %d, %d (top, left, bottom, right) for a window of %dx%d", pad->top,
                       pad->left, pad->bottom, pad->right, r, s);
    return trib_success();
}

/* Windows along one axis; 0: not even one fits. */
static int64_t windows(int64_t size, int window, int stride, int before, int after, bool ceil_mode)
{
    stride = stride ? stride : 1;
    int64_t room = size + before + after - window;
    if (room < 0) return 0;
    int64_t count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (count - 1) * stride >= size + before)
        --count; /* must start inside the image or its left padding */
    return count;
}

static trib_status expect_extent(const trib_view *y, int64_t h, int64_t w)
{
    if (y->h == h && y->w == w) return trib_success();
    return INVALID("an output of %dx%d where the windows give %lldx%lld", y->h, y->w, (long long)h, (long long)w);
}

static trib_status expect_channels(const trib_view *y, int64_t c)
{
    return y->c == c ? trib_success() : INVALID("%d output channels instead of %lld", y->c, (long long)c);
}

static trib_status check_conv(const trib_op_desc *desc)
{
    const trib_conv2d *a = &desc->attributes.conv2d;
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    TRIB_TRY(check_window(a->r, a->s, a->stride_h, a->stride_w, &a->pad, false));
    TRIB_TRY(expect_channels(y, a->k));
    if ((int64_t)x->c * y->c > most_elements / a->r / a->s) return INVALID("the filter is too large");
    return expect_extent(y, windows(x->h, a->r, a->stride_h, a->pad.top, a->pad.bottom, false),
                         windows(x->w, a->s, a->stride_w, a->pad.left, a->pad.right, false));
}

static trib_status check_pool(const trib_op_desc *desc)
{
    const trib_pool2d *a = &desc->attributes.pool2d;
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    TRIB_TRY(check_window(a->r, a->s, a->stride_h, a->stride_w, &a->pad, true));
    TRIB_TRY(expect_channels(y, x->c));
    TRIB_TRY(expect_extent(y, windows(x->h, a->r, a->stride_h, a->pad.top, a->pad.bottom, a->ceil_mode),
                           windows(x->w, a->s, a->stride_w, a->pad.left, a->pad.right, a->ceil_mode)));
    /* The last window may lie in the padding behind the image only: there is no maximum in it. */
    int64_t row = (int64_t)(y->h - 1) * (a->stride_h ? a->stride_h : 1) - a->pad.top;
    int64_t column = (int64_t)(y->w - 1) * (a->stride_w ? a->stride_w : 1) - a->pad.left;
    if (row >= x->h || column >= x->w) return INVALID("the last window does not touch the image");
    return trib_success();
}

static trib_status check_adaptive(const trib_op_desc *desc)
{
    TRIB_TRY(expect_channels(&desc->outputs[0], desc->inputs[0].c));
    return expect_extent(&desc->outputs[0], desc->attributes.adaptive_pool2d.p, desc->attributes.adaptive_pool2d.q);
}

/* ---- the others ---- */

static trib_status expect_same(const trib_op_desc *desc)
{
    TRIB_TRY(expect_channels(&desc->outputs[0], desc->inputs[0].c));
    return expect_extent(&desc->outputs[0], desc->inputs[0].h, desc->inputs[0].w);
}

static trib_status check_lrn(const trib_op_desc *desc)
{
    const trib_lrn *a = &desc->attributes.lrn;
    if (!in_range(a->size, 1, MOST_WINDOW)) return INVALID("a size of %d", a->size);
    if (!isfinite(a->alpha) || !isfinite(a->beta) || !isfinite(a->k)) return INVALID("alpha, beta or k is not finite");
    return expect_same(desc);
}

static trib_status check_concat(const trib_op_desc *desc)
{
    int64_t channels = 0;
    for (int i = 0; i < desc->input_count; ++i) {
        channels += desc->inputs[i].c;
        TRIB_TRY(expect_extent(&desc->outputs[0], desc->inputs[i].h, desc->inputs[i].w));
    }
    return expect_channels(&desc->outputs[0], channels);
}

static trib_status check_linear(const trib_op_desc *desc)
{
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    TRIB_TRY(expect_channels(y, desc->attributes.linear.out));
    if ((int64_t)x->c * x->h * x->w > most_elements / y->c) return INVALID("the weight matrix is too large");
    return expect_extent(y, 1, 1);
}

static trib_status check_softmax(const trib_op_desc *desc)
{
    TRIB_TRY(expect_same(desc));
    return expect_extent(&desc->outputs[0], 1, 1);
}

static trib_status check_kind(const trib_op_desc *desc)
{
    switch (desc->kind) {
    case TRIB_CONV2D: return check_conv(desc);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return check_pool(desc);
    case TRIB_ADAPTIVE_AVG_POOL2D: return check_adaptive(desc);
    case TRIB_LRN: return check_lrn(desc);
    case TRIB_CONCAT: return check_concat(desc);
    case TRIB_LINEAR: return check_linear(desc);
    case TRIB_SOFTMAX: return check_softmax(desc);
    case TRIB_BATCH_NORM:
    case TRIB_RELU:
    case TRIB_REORDER: return expect_same(desc);
    default: return INVALID("a device does not run this kind of layer");
    }
}

trib_status trib_op_check(const trib_op_desc *desc)
{
    if ((int)desc->kind < 0 || desc->kind >= TRIB_KIND_COUNT) return INVALID("there is no op kind %d", (int)desc->kind);
    trib_status status = check_views(desc);
    if (!trib_failed(&status)) status = check_kind(desc);
    trib_add_context(&status, "%s", trib_kind_name(desc->kind));
    return status;
}

trib_status trib_op_check_parameters(const trib_op_desc *desc, const trib_op_parameters *parameters)
{
    const char *kind = trib_kind_name(desc->kind);
    bool norm = desc->kind == TRIB_BATCH_NORM;
    bool weighted = norm || desc->kind == TRIB_CONV2D || desc->kind == TRIB_LINEAR;
    if (!weighted) return trib_success();
    if (!parameters || !parameters->weight) return INVALID("%s: its weight is missing", kind);
    if ((norm || desc->has_bias) && !parameters->bias)
        return INVALID("%s: its %s is missing", kind, norm ? "shift" : "bias");
    return trib_success();
}
