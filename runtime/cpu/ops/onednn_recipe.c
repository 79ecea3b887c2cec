/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/ops/onednn_recipe.h"

#include <string.h>

#include "cpu/ops/pixels.h"
#include "device/window.h"

enum { MOST_IMAGES_AT_ONCE = 8 };
/* Of a linear layer. Matrix products of other sizes sum in another order (seen with AVX2: 1, 2, 3, 4 and 8 rows), so an
 * image's bits would depend on those it is computed with, and with it on the number of threads, which divide a batch.
 */
enum { ROWS = 4 };

static int padded(int channels, trib_layout layout)
{
    int block = trib_layout_block(layout);
    return (channels + block - 1) / block * block;
}

static dnnl_format_tag_t format_of(trib_layout layout)
{
    switch (layout) {
    case TRIB_NHWC: return dnnl_nhwc;
    case TRIB_NCHW8C: return dnnl_nChw8c;
    case TRIB_NCHW16C: return dnnl_nChw16c;
    default: return dnnl_nchw;
    }
}

static void set_window(trib_dnnl_geometry *g, int r, int s, int stride_h, int stride_w, const trib_pad *pad)
{
    g->r = r;
    g->s = s;
    g->strides[0] = stride_h;
    g->strides[1] = stride_w;
    g->before[0] = pad->top;
    g->before[1] = pad->left;
    g->after[0] = trib_window_reach_behind(g->p, (int)g->strides[0], g->r, pad->top, g->h);
    g->after[1] = trib_window_reach_behind(g->q, (int)g->strides[1], g->s, pad->left, g->w);
}

/* Removes taps of a filter that only ever meet padding, as in a 5x5 on a 2x2 image: the result is the same, and oneDNN
 * has no fast implementation for filters much larger than the image. Returns the first tap kept. */
static int crop(int *taps, int outputs, int stride, int64_t *before, int size)
{
    int64_t first = *before - (int64_t)(outputs - 1) * stride, last = size - 1 + *before;
    if (first < 0) first = 0;
    if (last > *taps - 1) last = *taps - 1;
    if (last < first) return 0;
    *taps = (int)(last - first + 1);
    *before -= first;
    return (int)first;
}

const trib_view *trib_onednn_x(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    return desc->kind == TRIB_CONV2D_BACKWARD_DATA && !r->turned ? &desc->outputs[0] : &desc->inputs[0];
}

const trib_view *trib_onednn_y(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    if (desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT) return &desc->inputs[1];
    return desc->kind == TRIB_CONV2D_BACKWARD_DATA && !r->turned ? &desc->inputs[0] : &desc->outputs[0];
}

bool trib_onednn_trains(const trib_op_desc *desc)
{
    return (desc->kind == TRIB_CONV2D && desc->input_count > 1) || desc->kind == TRIB_CONV2D_BACKWARD_DATA ||
           desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT;
}

bool trib_onednn_has_weight(const trib_op_desc *desc)
{
    return desc->kind == TRIB_LINEAR || desc->kind == TRIB_CONV2D || trib_onednn_trains(desc);
}

int trib_onednn_tasks(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    return (trib_onednn_x(desc, r)->n + r->chunk - 1) / r->chunk;
}

static int chunk_of(const trib_op_desc *desc, const trib_view *view)
{
    return desc->chunk > 0 && desc->chunk < view->n ? desc->chunk : view->n;
}

static void set_images(trib_onednn_recipe *r, const trib_op_desc *desc, int images)
{
    const trib_view *x = trib_onednn_x(desc, r), *y = trib_onednn_y(desc, r);
    r->images = r->g.n = images;
    r->rest = x->n % images;
    r->stage_x = r->x_layout != x->layout || (desc->accumulate && !r->turned) || !trib_pixels_dense(x, images);
    r->stage_y = r->y_layout != y->layout || !trib_pixels_dense(y, images);
    r->x_bytes = (int64_t)sizeof(float) * images * r->g.c * r->g.h * r->g.w;
    r->y_bytes = (int64_t)sizeof(float) * images * r->g.k * r->g.p * r->g.q;
}

/* For small images, Winograd weights are larger than the image, so they are read once for several images. */
static int images_per_winograd(const trib_op_desc *desc, int chunk)
{
    if (trib_onednn_trains(desc)) return chunk;
    if ((int64_t)desc->outputs[0].h * desc->outputs[0].w > 400) return 1;
    for (int images = MOST_IMAGES_AT_ONCE; images > 1; --images)
        if (chunk % images == 0) return images;
    return 1;
}

/* In training all images of a chunk, unless that would copy a slice that is dense image by image. A gradient of weights
 * is as large for one image as for many. */
static int images_per_direct(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    const trib_view *x = trib_onednn_x(desc, r), *y = trib_onednn_y(desc, r);
    if (!trib_onednn_trains(desc)) return 1;
    if (desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT) return r->chunk;
    bool dense = trib_pixels_dense(x, r->chunk) && trib_pixels_dense(y, r->chunk);
    bool dense_alone = trib_pixels_dense(x, 1) && trib_pixels_dense(y, 1);
    return dense || !dense_alone ? r->chunk : 1;
}

static bool conv_recipe(trib_onednn_recipe *r, const trib_op_desc *desc, const char *name)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    set_window(&r->g, conv->r, conv->s, conv->stride_h, conv->stride_w, &conv->pad);
    r->first_r = crop(&r->g.r, r->g.p, (int)r->g.strides[0], &r->g.before[0], r->g.h);
    r->first_s = crop(&r->g.s, r->g.q, (int)r->g.strides[1], &r->g.before[1], r->g.w);
    r->g.after[0] = trib_window_reach_behind(r->g.p, (int)r->g.strides[0], r->g.r, (int)r->g.before[0], r->g.h);
    r->g.after[1] = trib_window_reach_behind(r->g.q, (int)r->g.strides[1], r->g.s, (int)r->g.before[1], r->g.w);
    r->algorithm = dnnl_convolution_direct;
    set_images(r, desc, images_per_direct(desc, r));
    if (!strcmp(name, "onednn:direct")) return true;
    if (r->g.r != 3 || r->g.s != 3 || r->g.strides[0] != 1 || r->g.strides[1] != 1) return false;
    r->algorithm = dnnl_convolution_winograd;
    r->prefix = strcmp(name, "onednn:winograd_4x3") ? "jit_fp32_wino_2x3" : "jit_wino_4x3";
    set_images(r, desc, images_per_winograd(desc, r->chunk));
    return true;
}

/* oneDNN averages over the whole window or over its part inside the image; we need the part inside the image and its
 * stated padding. */
static bool average_recipe(trib_onednn_recipe *r, const trib_pool2d *pool)
{
    const trib_pad *pad = &pool->pad;
    bool overhang = r->g.after[0] > pad->bottom || r->g.after[1] > pad->right;
    bool unpadded = !pad->top && !pad->left && !pad->bottom && !pad->right;
    r->algorithm = unpadded ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_avg_include_padding;
    return unpadded || !overhang;
}

static bool pool_recipe(trib_onednn_recipe *r, const trib_op_desc *desc)
{
    const trib_pool2d *pool = &desc->attributes.pool2d;
    set_window(&r->g, pool->r, pool->s, pool->stride_h, pool->stride_w, &pool->pad);
    r->algorithm = dnnl_pooling_max;
    return !desc->relu && (desc->kind == TRIB_MAX_POOL2D || average_recipe(r, pool));
}

static bool linear_recipe(trib_onednn_recipe *r, const trib_op_desc *desc)
{
    r->chunk = desc->inputs[0].n;
    set_images(r, desc, ROWS);
    r->filled = r->rest > 0;
    r->stage_x = r->stage_x || r->filled;
    r->stage_y = r->stage_y || r->filled;
    return desc->input_count == 1;
}

/* Weights that are inputs or outputs. */
static bool plain_weights(const trib_op_desc *desc)
{
    bool backward_weight = desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT;
    return !trib_onednn_trains(desc) || (backward_weight ? &desc->outputs[0] : &desc->inputs[1])->layout == TRIB_NCHW;
}

static trib_dnnl_direction direction_of(trib_kind kind)
{
    if (kind == TRIB_CONV2D_BACKWARD_DATA) return TRIB_DNNL_BACKWARD_DATA;
    return kind == TRIB_CONV2D_BACKWARD_WEIGHT ? TRIB_DNNL_BACKWARD_WEIGHT : TRIB_DNNL_FORWARD;
}

/* Backward data cannot add to what memory holds, but a forward convolution can. For a 1x1 one it is the same product.
 */
static bool can_turn(const trib_op_desc *desc)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    const trib_view *dy = &desc->inputs[0], *dx = &desc->outputs[0];
    bool padded_channels = padded(dy->c, dy->layout) != dy->c || padded(dx->c, dx->layout) != dx->c;
    return desc->kind == TRIB_CONV2D_BACKWARD_DATA && desc->accumulate && trib_is_pointwise(conv) && !padded_channels &&
           trib_pixels_dense(dx, 1);
}

int trib_onednn_ways(const trib_op_desc *desc, trib_onednn_way all[TRIB_ONEDNN_WAYS])
{
    int count = 0;
    const trib_onednn_recipe straight = { 0 };
    if (can_turn(desc)) all[count++] = (trib_onednn_way) { desc->inputs[0].layout, desc->outputs[0].layout, true };
    trib_layout x = trib_onednn_x(desc, &straight)->layout, y = trib_onednn_y(desc, &straight)->layout;
    all[count++] = (trib_onednn_way) { x, y, false };
    if (!trib_onednn_trains(desc)) return count;
    /* the three channels of a picture: plain, or as y */
    all[count++] = (trib_onednn_way) { y == TRIB_NHWC ? TRIB_NHWC : TRIB_NCHW, y, false };
    /* images smaller than the filter have no fast gradient in nChw8c, but as a matrix product */
    all[count++] = (trib_onednn_way) { TRIB_NCHW, TRIB_NCHW, false };
    return count;
}

static void describe_views(trib_onednn_recipe *r, const trib_op_desc *desc, const trib_onednn_way *way)
{
    memset(r, 0, sizeof *r);
    r->turned = way->turned;
    r->x_layout = way->x;
    r->y_layout = way->y;
    const trib_view *x = trib_onednn_x(desc, r), *y = trib_onednn_y(desc, r);
    r->chunk = chunk_of(desc, x);
    r->g = (trib_dnnl_geometry) { .direction = way->turned ? TRIB_DNNL_FORWARD : direction_of(desc->kind),
                                  .c = padded(x->c, way->x),
                                  .h = x->h,
                                  .w = x->w,
                                  .k = padded(y->c, way->y),
                                  .p = y->h,
                                  .q = y->w,
                                  .source = format_of(way->x),
                                  .target = format_of(way->y),
                                  .training = trib_onednn_trains(desc),
                                  .accumulate = way->turned,
                                  .has_bias = desc->has_bias,
                                  .relu = desc->relu };
    set_images(r, desc, 1);
}

bool trib_onednn_recipe_of(const trib_op_desc *desc, const char *name, const trib_onednn_way *way,
                           trib_onednn_recipe *r)
{
    describe_views(r, desc, way);
    bool same = desc->inputs[0].layout == desc->outputs[0].layout;
    bool plain = !strcmp(name, "onednn");
    switch (desc->kind) {
    case TRIB_CONV2D:
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_CONV2D_BACKWARD_WEIGHT: return plain_weights(desc) && conv_recipe(r, desc, name);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return plain && same && pool_recipe(r, desc);
    case TRIB_LRN: /* oneDNN centres the window; an even one has no centre. k = 0 makes 0 * inf of the padding */
        return plain && same && !desc->relu && desc->attributes.lrn.size % 2 && desc->attributes.lrn.k > 0;
    case TRIB_LINEAR: return plain && linear_recipe(r, desc);
    case TRIB_SOFTMAX: /* padding would take part */
        set_images(r, desc, r->chunk);
        return plain && !desc->relu && r->g.c == desc->inputs[0].c && r->g.k == desc->outputs[0].c;
    default: return false;
    }
}

/* Measured: F(4x4,3x3) wins where there are enough tiles, and F(2x2,3x3) then loses to direct; at 7x7 and few images
 * the weights of F(4x4,3x3) are too heavy. */
static void rank_inference(const trib_op_desc *desc, const char *names[TRIB_ONEDNN_CANDIDATES])
{
    const trib_view *y = &desc->outputs[0];
    bool large = (int64_t)y->h * y->w >= 100 || images_per_winograd(desc, chunk_of(desc, y)) >= 4;
    names[0] = large ? "onednn:winograd_4x3" : "onednn:winograd_2x3";
    names[1] = "onednn:direct";
    names[2] = large ? "onednn:winograd_2x3" : "onednn:winograd_4x3";
}

/* Measured for the three directions of GoogLeNet's 3x3 convolutions, how many times as fast as direct F(4x4,3x3) is:
 *
 *     pixels of a chunk   8x28x28          8x14x14          16x7x7         8x7x7          64x4x4         32x4x4
 *                         2.1 1.8 1.6 up   1.3 1.3 1.5 up   1.1 1.1 1.6    0.8 0.8 1.1    1.2 1.0 1.4    1.1 0.9 1.4
 *
 * With few channels less: 16 x 32 at 8x28x28 1.1 1.1 0.7, 32 x 64 at 8x14x14 1.1 1.0 0.8. At 2x2 most of a tile is
 * empty: 0.3 even for 64 images. */
static void rank_training(const trib_op_desc *desc, const char *names[TRIB_ONEDNN_CANDIDATES])
{
    const trib_onednn_recipe straight = { 0 };
    const trib_view *x = trib_onednn_x(desc, &straight), *y = trib_onednn_y(desc, &straight);
    int64_t pixels = (int64_t)chunk_of(desc, x) * y->h * y->w;
    int64_t least = desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT ? 512 : 768;
    bool winograd = y->h >= 4 && y->w >= 4 && pixels >= least && pixels * x->c * y->c > 8000000;
    names[0] = winograd ? "onednn:winograd_4x3" : "onednn:direct";
    names[1] = winograd ? "onednn:direct" : "onednn:winograd_4x3";
}

void trib_onednn_candidates(const trib_op_desc *desc, const char *names[TRIB_ONEDNN_CANDIDATES])
{
    names[0] = "onednn", names[1] = names[2] = NULL;
    if (trib_onednn_trains(desc))
        rank_training(desc, names);
    else if (desc->kind == TRIB_CONV2D)
        rank_inference(desc, names);
}
