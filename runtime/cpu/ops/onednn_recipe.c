/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/ops/onednn_recipe.h"

#include <stdio.h>
#include <string.h>

#include "cpu/ops/pixels.h"
#include "device/window.h"

enum { MOST_IMAGES_AT_ONCE = 8 };

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

static void set_images(trib_onednn_recipe *r, const trib_op_desc *desc, int images)
{
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    r->images = r->g.n = images;
    r->stage_source = !trib_pixels_dense(x, images);
    r->stage_target = !trib_pixels_dense(y, images);
    r->source_bytes = (int64_t)sizeof(float) * images * r->g.c * r->g.h * r->g.w;
    r->target_bytes = (int64_t)sizeof(float) * images * r->g.k * r->g.p * r->g.q;
}

/* For small images, Winograd weights are larger than the image, so they are read once for several images. */
static int images_per_winograd(const trib_op_desc *desc)
{
    if ((int64_t)desc->outputs[0].h * desc->outputs[0].w > 400) return 1;
    for (int images = MOST_IMAGES_AT_ONCE; images > 1; --images)
        if (desc->inputs[0].n % images == 0) return images;
    return 1;
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
    if (!strcmp(name, "onednn:direct")) return true;
    if (r->g.r != 3 || r->g.s != 3 || r->g.strides[0] != 1 || r->g.strides[1] != 1) return false;
    r->algorithm = dnnl_convolution_winograd;
    r->prefix = strcmp(name, "onednn:winograd_4x3") ? "jit_fp32_wino_2x3" : "jit_wino_4x3";
    set_images(r, desc, images_per_winograd(desc));
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

/* False: not a case for oneDNN. */
static bool recipe_of(const trib_op_desc *desc, const char *name, trib_onednn_recipe *r)
{
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    if (desc->input_count > 1) return false; /* a weight that is not packed here */
    memset(r, 0, sizeof *r);
    r->g = (trib_dnnl_geometry) { .c = padded(x->c, x->layout),
                                  .h = x->h,
                                  .w = x->w,
                                  .k = padded(y->c, y->layout),
                                  .p = y->h,
                                  .q = y->w,
                                  .source = format_of(x->layout),
                                  .target = format_of(y->layout),
                                  .has_bias = desc->has_bias,
                                  .relu = desc->relu };
    set_images(r, desc, 1);
    bool same = x->layout == y->layout;
    bool plain = !strcmp(name, "onednn");
    switch (desc->kind) {
    case TRIB_CONV2D: return conv_recipe(r, desc, name);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return plain && same && pool_recipe(r, desc);
    case TRIB_LRN: /* oneDNN centres the window; an even one has no centre. k = 0 makes 0 * inf of the padding */
        return plain && same && !desc->relu && desc->attributes.lrn.size % 2 && desc->attributes.lrn.k > 0;
    case TRIB_LINEAR: set_images(r, desc, x->n); return plain;
    case TRIB_SOFTMAX: /* padding would take part */
        set_images(r, desc, x->n);
        return plain && !desc->relu && r->g.c == x->c && r->g.k == y->c;
    default: return false;
    }
}

static dnnl_status_t describe(dnnl_engine_t engine, const trib_op_desc *desc, const trib_onednn_recipe *r,
                              dnnl_primitive_desc_t *out)
{
    switch (desc->kind) {
    case TRIB_CONV2D: return trib_dnnl_conv(engine, &r->g, r->algorithm, r->prefix, out);
    case TRIB_LRN: return trib_dnnl_lrn(engine, &r->g, &desc->attributes.lrn, out);
    case TRIB_LINEAR: return trib_dnnl_linear(engine, &r->g, out);
    case TRIB_SOFTMAX: return trib_dnnl_softmax(engine, &r->g, out);
    default: return trib_dnnl_pool(engine, &r->g, r->algorithm, out);
    }
}

/* Called with OpenMP set to the threads that the op will use. */
static dnnl_status_t describe_for(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                  dnnl_primitive_desc_t *out)
{
    int before = trib_cpu_omp_get_threads();
    trib_cpu_omp_set_threads(r->threads);
    dnnl_status_t status = TRIB_DNNL(describe(device->onednn->engine, desc, r, out));
    trib_cpu_omp_set_threads(before);
    return status;
}

/* Matrix products divide their sums among threads, and the brgemm convolutions of NHWC choose blocks by their number
 * (seen: 1x4 outputs of 24 channels). Their results would depend on a plan's share of the cores, so they run on one
 * thread. Those of the jit and Winograd kernels of the blocked layouts do not. */
static bool bits_depend_on_threads(const char *name) { return strstr(name, "gemm") || strstr(name, "brg"); }

trib_status trib_onednn_find(trib_cpu_device *device, const trib_op_desc *desc, const char *name, trib_onednn_recipe *r,
                             dnnl_primitive_desc_t *out, char *reason)
{
    *out = NULL;
    if (!device->onednn) {
        trib_status missing = trib_onednn_load();
        snprintf(reason, TRIB_MESSAGE_SIZE, "%s", missing.message);
        return trib_success();
    }
    if (!recipe_of(desc, name, r)) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN has no %s of this kind", trib_kind_name(desc->kind));
        return trib_success();
    }
    dnnl_primitive_desc_t found = NULL;
    r->threads = desc->threads;
    dnnl_status_t status = describe_for(device, desc, r, &found);
    if (!status && r->threads > 1 && bits_depend_on_threads(trib_dnnl_name(found))) {
        trib_dnnl.primitive_desc_destroy(found);
        r->threads = 1;
        status = describe_for(device, desc, r, &found);
    }
    if (status == dnnl_unimplemented || status == dnnl_invalid_arguments) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN: %s for %s from %s to %s", trib_dnnl_status_name(status),
                 trib_kind_name(desc->kind), trib_layout_name(desc->inputs[0].layout),
                 trib_layout_name(desc->outputs[0].layout));
        return trib_success();
    }
    if (status) return trib_dnnl_failure(status, "dnnl_primitive_desc_create", __FILE__, __LINE__);
    if (trib_dnnl_name_begins(found, "ref")) {
        snprintf(reason, TRIB_MESSAGE_SIZE,
                 "oneDNN: only its slow reference (%s) does %s from %s to %s; use another layout",
                 trib_dnnl_name(found), trib_kind_name(desc->kind), trib_layout_name(desc->inputs[0].layout),
                 trib_layout_name(desc->outputs[0].layout));
        trib_dnnl.primitive_desc_destroy(found);
        return trib_success();
    }
    *out = found;
    return trib_success();
}

int64_t trib_onednn_workspace_of(const trib_onednn_recipe *r, dnnl_primitive_desc_t descriptor, int64_t *scratch_bytes)
{
    trib_dnnl_md scratch = trib_dnnl.primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    *scratch_bytes = scratch ? (int64_t)trib_dnnl.memory_desc_get_size(scratch) : 0;
    return trib_aligned(*scratch_bytes) + (r->stage_source ? trib_aligned(r->source_bytes) : 0) +
           (r->stage_target ? trib_aligned(r->target_bytes) : 0);
}

/* Measured: F(4x4,3x3) wins where there are enough tiles, and F(2x2,3x3) then loses to direct; at 7x7 and few images
 * the weights of F(4x4,3x3) are too heavy. */
void trib_onednn_candidates(const trib_op_desc *desc, const char *names[TRIB_ONEDNN_CANDIDATES])
{
    names[0] = "onednn", names[1] = names[2] = NULL;
    if (desc->kind != TRIB_CONV2D) return;
    const trib_view *y = &desc->outputs[0];
    bool large = (int64_t)y->h * y->w >= 100 || images_per_winograd(desc) >= 4;
    names[0] = large ? "onednn:winograd_4x3" : "onednn:winograd_2x3";
    names[1] = "onednn:direct";
    names[2] = large ? "onednn:winograd_2x3" : "onednn:winograd_4x3";
}
