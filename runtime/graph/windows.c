/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/windows.h"

#include "tributary/status.h"

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)

/* Far above any network's, and far from overflow in the sums and products that follow. */
enum { MOST_WINDOW = 1 << 16 };

int trib_window_extent(int in, int window, int stride, int pad_begin, int pad_end, bool ceil_mode)
{
    if (stride < 1 || window < 1) return 0;
    int64_t span = (int64_t)in + pad_begin + pad_end - window + (ceil_mode ? stride - 1 : 0);
    if (span < 0) return 0;
    int64_t out = span / stride + 1;
    if (ceil_mode && (out - 1) * stride >= (int64_t)in + pad_begin)
        --out; /* must start inside the image or its padding */
    return (int)out;
}

static void one_if_zero(int *stride)
{
    if (!*stride) *stride = 1;
}

static bool in_range(int value, int least, int most) { return value >= least && value <= most; }

/* A pool's window must not be entirely in the padding, where there is nothing to choose from. */
static trib_status check_window(int r, int s, int stride_h, int stride_w, const trib_pad *pad, bool pools)
{
    int most_h = pools ? r - 1 : MOST_WINDOW, most_w = pools ? s - 1 : MOST_WINDOW;
    if (!in_range(r, 1, MOST_WINDOW) || !in_range(s, 1, MOST_WINDOW)) return INVALID("a window of %dx%d", r, s);
    if (!in_range(stride_h, 1, MOST_WINDOW) || !in_range(stride_w, 1, MOST_WINDOW))
        return INVALID("strides of %d and %d", stride_h, stride_w);
    if (in_range(pad->top, 0, most_h) && in_range(pad->bottom, 0, most_h) && in_range(pad->left, 0, most_w) &&
        in_range(pad->right, 0, most_w))
        return trib_success();
    return INVALID("padding of %d, %d, %d, %d (top, left, bottom, right) for a window of %dx%d", pad->top, pad->left,
                   pad->bottom, pad->right, r, s);
}

static trib_status no_window_fits(int r, int s, const trib_extent *in)
{
    return INVALID("%dx%d over an input of %dx%d: the window and its padding do not fit; use a larger input", r, s,
                   in->h, in->w);
}

static void describe_window(const trib_fields *f, int r, int s, int stride_h, int stride_w, const trib_pad *pad)
{
    f->ints(f->context, "window", (const int[]) { r, s }, 2);
    f->ints(f->context, "stride", (const int[]) { stride_h, stride_w }, 2);
    f->ints(f->context, "pad", (const int[]) { pad->top, pad->left, pad->bottom, pad->right }, 4);
}

/* ---- convolution ---- */

void trib_conv2d_resolve(trib_attributes *a, const trib_extent *in)
{
    (void)in;
    one_if_zero(&a->conv2d.stride_h);
    one_if_zero(&a->conv2d.stride_w);
}

trib_status trib_conv2d_check(const trib_attributes *a)
{
    const trib_conv2d *v = &a->conv2d;
    if (v->k < 1) return INVALID("%d output channels", v->k);
    return check_window(v->r, v->s, v->stride_h, v->stride_w, &v->pad, false);
}

trib_status trib_conv2d_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)count;
    const trib_conv2d *v = &a->conv2d;
    out->c = v->k;
    out->h = trib_window_extent(in->h, v->r, v->stride_h, v->pad.top, v->pad.bottom, false);
    out->w = trib_window_extent(in->w, v->s, v->stride_w, v->pad.left, v->pad.right, false);
    return out->h && out->w ? trib_success() : no_window_fits(v->r, v->s, in);
}

bool trib_conv2d_parameter(const trib_attributes *a, trib_extent in, trib_role role, trib_shape *shape)
{
    const trib_conv2d *v = &a->conv2d;
    if (role == TRIB_WEIGHT) *shape = trib_shape_of(4, v->k, in.c, v->r, v->s);
    if (role == TRIB_BIAS) *shape = trib_shape_of(1, v->k, 0, 0, 0);
    return role == TRIB_WEIGHT || (role == TRIB_BIAS && !v->no_bias);
}

int64_t trib_conv2d_operations(const trib_attributes *a, trib_extent in, trib_extent out)
{
    return 2 * (int64_t)out.c * out.h * out.w * in.c * a->conv2d.r * a->conv2d.s;
}

void trib_conv2d_describe(const trib_attributes *a, const trib_fields *f)
{
    const trib_conv2d *v = &a->conv2d;
    describe_window(f, v->r, v->s, v->stride_h, v->stride_w, &v->pad);
}

/* ---- pools ---- */

void trib_pool2d_resolve(trib_attributes *a, const trib_extent *in)
{
    trib_pool2d *v = &a->pool2d;
    if (!v->r) *v = (trib_pool2d) { .r = in->h, .s = in->w, .stride_h = in->h, .stride_w = in->w };
    one_if_zero(&v->stride_h);
    one_if_zero(&v->stride_w);
}

trib_status trib_pool2d_check(const trib_attributes *a)
{
    const trib_pool2d *v = &a->pool2d;
    return check_window(v->r, v->s, v->stride_h, v->stride_w, &v->pad, true);
}

trib_status trib_pool2d_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)count;
    const trib_pool2d *v = &a->pool2d;
    out->c = in->c;
    out->h = trib_window_extent(in->h, v->r, v->stride_h, v->pad.top, v->pad.bottom, v->ceil_mode);
    out->w = trib_window_extent(in->w, v->s, v->stride_w, v->pad.left, v->pad.right, v->ceil_mode);
    if (!out->h || !out->w) return no_window_fits(v->r, v->s, in);
    /* The last window may be entirely in the padding after the image, which has no maximum. */
    int64_t row = (int64_t)(out->h - 1) * v->stride_h - v->pad.top;
    int64_t column = (int64_t)(out->w - 1) * v->stride_w - v->pad.left;
    if (row >= in->h || column >= in->w) return INVALID("the last window does not touch the image");
    return trib_success();
}

int64_t trib_pool2d_operations(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)in;
    return (int64_t)out.c * out.h * out.w * a->pool2d.r * a->pool2d.s;
}

void trib_pool2d_describe(const trib_attributes *a, const trib_fields *f)
{
    const trib_pool2d *v = &a->pool2d;
    describe_window(f, v->r, v->s, v->stride_h, v->stride_w, &v->pad);
    if (v->ceil_mode) f->word(f->context, "rounding", "ceil");
}
