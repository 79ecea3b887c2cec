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
    if ((unsigned)v->dtype >= TRIB_DTYPE_COUNT) return INVALID("there is no dtype %d", (int)v->dtype);
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

static int most_outputs(const trib_op_desc *desc)
{
    if (desc->kind == TRIB_CONV2D || desc->kind == TRIB_MAX_POOL2D_CONV2D) return TRIB_MAX_OUTPUTS;
    return desc->kind == TRIB_TOP_K ? 2 : 1;
}

static trib_status check_counts(const trib_op_desc *desc)
{
    int most = desc->kind == TRIB_CONCAT ? TRIB_MAX_INPUTS : 1, least_outputs = desc->kind == TRIB_TOP_K ? 2 : 1;
    if (desc->input_count < 1 || desc->input_count > most)
        return INVALID("%d inputs where 1 to %d make sense", desc->input_count, most);
    if (desc->output_count < least_outputs || desc->output_count > most_outputs(desc))
        return INVALID("%d outputs where %d to %d make sense", desc->output_count, least_outputs, most_outputs(desc));
    if (desc->threads < 0) return INVALID("%d threads", desc->threads);
    if ((unsigned)desc->precision >= TRIB_PRECISION_COUNT)
        return INVALID("there is no precision %d", (int)desc->precision);
    return trib_success();
}

/* ---- element types ---- */

static bool is_float(trib_dtype dtype) { return dtype == TRIB_F32 || dtype == TRIB_F16 || dtype == TRIB_BF16; }

static trib_status expect_dtype(const trib_view *v, trib_dtype dtype)
{
    if (v->dtype == dtype) return trib_success();
    return INVALID("%s where %s is needed", trib_dtype_name(v->dtype), trib_dtype_name(dtype));
}

/* What the outputs hold when the inputs are what they are. */
static trib_status check_output_dtypes(const trib_op_desc *desc)
{
    if (desc->kind == TRIB_TOP_K) {
        TRIB_TRY(expect_dtype(&desc->outputs[0], TRIB_F32));
        return expect_dtype(&desc->outputs[1], TRIB_I32);
    }
    /* Rows of a linear layer may keep the float32 they are summed in. */
    bool converts = desc->kind == TRIB_REORDER || desc->kind == TRIB_PREPROCESS;
    bool may_widen = desc->kind == TRIB_LINEAR && desc->outputs[0].dtype == TRIB_F32;
    for (int i = 0; i < desc->output_count; ++i) {
        if (!is_float(desc->outputs[i].dtype))
            return INVALID("an output of %s", trib_dtype_name(desc->outputs[i].dtype));
        if (!converts && !may_widen) TRIB_TRY(expect_dtype(&desc->outputs[i], desc->inputs[0].dtype));
    }
    return trib_success();
}

static trib_status check_dtypes(const trib_op_desc *desc)
{
    bool multiplies = desc->kind == TRIB_CONV2D || desc->kind == TRIB_MAX_POOL2D_CONV2D || desc->kind == TRIB_LINEAR;
    for (int i = 0; i < desc->input_count; ++i) {
        const trib_view *x = &desc->inputs[i];
        if (desc->kind == TRIB_PREPROCESS)
            TRIB_TRY(expect_dtype(x, TRIB_U8));
        else if (multiplies)
            TRIB_TRY(expect_dtype(x, trib_precision_dtype(desc->precision)));
        else if (!is_float(x->dtype))
            return INVALID("an input of %s", trib_dtype_name(x->dtype));
        if (i > 0) TRIB_TRY(expect_dtype(x, desc->inputs[0].dtype));
    }
    return check_output_dtypes(desc);
}

static trib_status check_views(const trib_op_desc *desc)
{
    TRIB_TRY(check_counts(desc));
    for (int i = 0; i < desc->input_count; ++i) {
        trib_status status = check_view(&desc->inputs[i]);
        if (!trib_failed(&status) && desc->inputs[i].n != desc->outputs[0].n)
            status = INVALID("%d images in, %d out", desc->inputs[i].n, desc->outputs[0].n);
        trib_add_context(&status, "input %d", i);
        TRIB_TRY(status);
    }
    for (int i = 0; i < desc->output_count; ++i) {
        trib_status status = check_view(&desc->outputs[i]);
        if (!trib_failed(&status) && desc->outputs[i].n != desc->outputs[0].n)
            status = INVALID("%d images and %d images", desc->outputs[i].n, desc->outputs[0].n);
        trib_add_context(&status, "output");
        TRIB_TRY(status);
    }
    return check_dtypes(desc);
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

static trib_status check_conv(const trib_op_desc *desc, const trib_conv2d *a, const trib_view *x)
{
    int64_t channels = 0;
    TRIB_TRY(check_window(a->r, a->s, a->stride_h, a->stride_w, &a->pad, false));
    for (int i = 0; i < desc->output_count; ++i) {
        const trib_view *y = &desc->outputs[i];
        channels += y->c;
        TRIB_TRY(expect_extent(y, windows(x->h, a->r, a->stride_h, a->pad.top, a->pad.bottom, false),
                               windows(x->w, a->s, a->stride_w, a->pad.left, a->pad.right, false)));
    }
    if (channels != a->k) return INVALID("%lld output channels instead of %d", (long long)channels, a->k);
    if (x->c * channels > most_elements / a->r / a->s) return INVALID("the filter is too large");
    return trib_success();
}

static trib_status check_pool(const trib_view *x, const trib_pool2d *a, const trib_view *y)
{
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

/* The pooled image lies nowhere: it keeps the size of x. */
static trib_status check_pool_conv(const trib_op_desc *desc)
{
    const trib_view *x = &desc->inputs[0];
    TRIB_TRY(check_pool(x, &desc->attributes.pool_conv.pool2d, x));
    return check_conv(desc, &desc->attributes.pool_conv.conv2d, x);
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

static trib_status check_coefficients(const trib_lrn *a)
{
    if (!in_range(a->size, 1, MOST_WINDOW)) return INVALID("a size of %d", a->size);
    if (!isfinite(a->alpha) || !isfinite(a->beta) || !isfinite(a->k)) return INVALID("alpha, beta or k is not finite");
    return trib_success();
}

static trib_status check_lrn(const trib_op_desc *desc)
{
    TRIB_TRY(check_coefficients(&desc->attributes.lrn));
    return expect_same(desc);
}

static trib_status check_pool_lrn(const trib_op_desc *desc)
{
    TRIB_TRY(check_coefficients(&desc->attributes.pool_lrn.lrn));
    return check_pool(&desc->inputs[0], &desc->attributes.pool_lrn.pool2d, &desc->outputs[0]);
}

/* Channels may be added, none may go. */
static trib_status check_reorder(const trib_op_desc *desc)
{
    if (desc->outputs[0].c < desc->inputs[0].c)
        return INVALID("%d channels from %d", desc->outputs[0].c, desc->inputs[0].c);
    return expect_extent(&desc->outputs[0], desc->inputs[0].h, desc->inputs[0].w);
}

static trib_status check_preprocess(const trib_op_desc *desc)
{
    const trib_normalise *a = &desc->attributes.preprocess;
    const trib_view *x = &desc->inputs[0];
    for (int i = 0; i < 3; ++i)
        if (!isfinite(a->scale[i]) || !isfinite(a->shift[i])) return INVALID("scale or shift is not finite");
    if ((x->c != 1 && x->c != 3) || x->c != x->c_total || x->layout != TRIB_NHWC)
        return INVALID("pixels of %d channels in %s; 1 or 3 in nhwc are needed", x->c, trib_layout_name(x->layout));
    if (desc->outputs[0].c < 3) return INVALID("%d channels where 3 are needed", desc->outputs[0].c);
    return expect_extent(&desc->outputs[0], x->h, x->w);
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

static trib_status check_top_k(const trib_op_desc *desc)
{
    int k = desc->attributes.top_k.k;
    if (!in_range(k, 1, desc->inputs[0].c)) return INVALID("the %d largest of %d", k, desc->inputs[0].c);
    if (desc->inputs[0].h != 1 || desc->inputs[0].w != 1) return INVALID("rows are 1x1 images");
    for (int i = 0; i < 2; ++i) {
        TRIB_TRY(expect_channels(&desc->outputs[i], k));
        TRIB_TRY(expect_extent(&desc->outputs[i], 1, 1));
    }
    return trib_success();
}

static trib_status check_kind(const trib_op_desc *desc)
{
    switch (desc->kind) {
    case TRIB_CONV2D: return check_conv(desc, &desc->attributes.conv2d, &desc->inputs[0]);
    case TRIB_MAX_POOL2D_CONV2D: return check_pool_conv(desc);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return check_pool(&desc->inputs[0], &desc->attributes.pool2d, &desc->outputs[0]);
    case TRIB_MAX_POOL2D_LRN:
    case TRIB_LRN_MAX_POOL2D: return check_pool_lrn(desc);
    case TRIB_ADAPTIVE_AVG_POOL2D: return check_adaptive(desc);
    case TRIB_LRN: return check_lrn(desc);
    case TRIB_CONCAT: return check_concat(desc);
    case TRIB_LINEAR: return check_linear(desc);
    case TRIB_SOFTMAX: return check_softmax(desc);
    case TRIB_TOP_K: return check_top_k(desc);
    case TRIB_PREPROCESS: return check_preprocess(desc);
    case TRIB_REORDER: return check_reorder(desc);
    case TRIB_BATCH_NORM:
    case TRIB_RELU: return expect_same(desc);
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
    bool weighted =
        norm || desc->kind == TRIB_CONV2D || desc->kind == TRIB_MAX_POOL2D_CONV2D || desc->kind == TRIB_LINEAR;
    if (!weighted) return trib_success();
    if (!parameters || !parameters->weight) return INVALID("%s: its weight is missing", kind);
    if ((norm || desc->has_bias) && !parameters->bias)
        return INVALID("%s: its %s is missing", kind, norm ? "shift" : "bias");
    return trib_success();
}
