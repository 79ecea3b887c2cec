/* SPDX-License-Identifier: Apache-2.0
 * Our own kernels as ops: 1x1 convolutions (several at once, or of a pooled input), pooling, normalisation, rows, and
 * what moves data. NHWC, except for changes of layout. */
#include <stdio.h>
#include <string.h>

#include "cuda/ops/geometry.h"
#include "cuda/ops/kernel_ops.h"
#include "cuda/ops/ops.h"
#include "device/fold.h"
#include "device/op_check.h"
#include "device/regions.h"

enum { KERNEL_ALIGNMENT = 16 };

/* ---- what they need ---- */

bool trib_kernel_refuses(char *reason, const char *why)
{
    snprintf(reason, TRIB_MESSAGE_SIZE, "tributary: %.200s", why);
    return false;
}

static bool is_aligned(const trib_view *v)
{
    size_t size = trib_dtype_size(v->dtype);
    return trib_begins_aligned(v) && (size_t)v->c_total * size % KERNEL_ALIGNMENT == 0 &&
           (size_t)v->c * size % KERNEL_ALIGNMENT == 0;
}

static bool all(const trib_op_desc *d, bool (*test)(const trib_view *view))
{
    for (int i = 0; i < d->input_count; ++i)
        if (!test(&d->inputs[i])) return false;
    for (int i = 0; i < d->output_count; ++i)
        if (!test(&d->outputs[i])) return false;
    return true;
}

bool trib_kernel_is_plain(const trib_op_desc *d, char *reason)
{
    return all(d, trib_lies_as_nhwc) || trib_kernel_refuses(reason, "its kernels work in nhwc");
}

bool trib_kernel_is_plain_without_relu(const trib_op_desc *d, char *reason)
{
    return d->relu ? trib_kernel_refuses(reason, "no fused relu here") : trib_kernel_is_plain(d, reason);
}

bool trib_kernel_has_small_lrn(const trib_lrn *lrn, char *reason)
{
    return lrn->size <= TRIB_CUDA_LRN_MAX_SIZE || trib_kernel_refuses(reason, "LRN over at most 9 channels");
}

static bool lrn(const trib_op_desc *d, char *reason)
{
    return trib_kernel_is_plain(d, reason) && trib_kernel_has_small_lrn(&d->attributes.lrn, reason);
}

/* Before or after a pool. */
static const trib_op_stage *lrn_stage(const trib_op_desc *d)
{
    return d->before.kind == TRIB_LRN ? &d->before : &d->after;
}

static bool pool_lrn(const trib_op_desc *d, char *reason)
{
    if (!all(d, is_aligned)) return trib_kernel_refuses(reason, "channels that are no multiple of 16 bytes");
    return trib_kernel_is_plain(d, reason) && trib_kernel_has_small_lrn(&lrn_stage(d)->attributes.lrn, reason);
}

static bool product(const trib_op_desc *d, char *reason)
{
    trib_conv1x1_geometry g = trib_conv1x1_of(d);
    trib_status status = trib_cuda_conv1x1_check(&g, d->inputs[0].dtype);
    if (trib_failed(&status)) return trib_kernel_refuses(reason, status.message);
    return trib_kernel_is_plain(d, reason) &&
           (all(d, is_aligned) || trib_kernel_refuses(reason, "a slice that does not begin at 16 bytes"));
}

static bool conv1x1(const trib_op_desc *d, char *reason)
{
    return trib_is_pointwise(&d->attributes.conv2d) ? product(d, reason)
                                                    : trib_kernel_refuses(reason, "only 1x1 convolutions");
}

static bool pool_conv1x1(const trib_op_desc *d, char *reason)
{
    const trib_pool2d *p = &d->before.attributes.pool2d;
    bool same = p->r == 3 && p->s == 3 && p->stride_h == 1 && p->stride_w == 1 && p->pad.top == 1 && p->pad.left == 1 &&
                p->pad.bottom == 1 && p->pad.right == 1;
    if (!same || !trib_is_pointwise(&d->attributes.conv2d))
        return trib_kernel_refuses(reason, "only 1x1 convolutions of 3x3 pools");
    return product(d, reason);
}

static bool is_row_or_plain(const trib_view *v) { return v->layout == TRIB_NHWC || v->layout == TRIB_NCHW; }

static bool reorder(const trib_op_desc *d, char *reason)
{
    return all(d, is_row_or_plain) || trib_kernel_refuses(reason, "layouts nchw and nhwc only");
}

static bool preprocess(const trib_op_desc *d, char *reason)
{
    const trib_view *y = &d->outputs[0];
    if (y->c != TRIB_PREPROCESS_CHANNELS || y->c_total != y->c)
        return trib_kernel_refuses(reason, "pixels of 8 channels only");
    return trib_kernel_is_plain_without_relu(d, reason);
}

static bool regions(const trib_op_desc *d, char *reason)
{
    if (d->relu) return trib_kernel_refuses(reason, "no fused relu here");
    return is_row_or_plain(&d->outputs[0]) || trib_kernel_refuses(reason, "regions in nchw and nhwc only");
}

static bool top_k(const trib_op_desc *d, char *reason)
{
    if (d->outputs[0].c != d->outputs[0].c_total || d->outputs[1].c != d->outputs[1].c_total)
        return trib_kernel_refuses(reason, "results in dense rows only");
    return trib_kernel_is_plain_without_relu(d, reason);
}

/* ---- running ---- */

static trib_status run_conv1x1(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_conv1x1_geometry g = trib_conv1x1_of(d);
    return trib_cuda_conv1x1(&g, d->inputs[0].dtype, c->inputs[0], c->weight, c->bias, c->outputs, c->stream);
}

static trib_status run_max_pool_conv1x1(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_conv1x1_geometry g = trib_conv1x1_of(d);
    return trib_cuda_max_pool2d_conv1x1(&g, d->inputs[0].dtype, c->inputs[0], c->weight, c->bias, c->outputs,
                                        c->stream);
}

static trib_status run_avg_pool_conv1x1(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_conv1x1_geometry g = trib_conv1x1_of(d);
    return trib_cuda_avg_pool2d_conv1x1(&g, d->inputs[0].dtype, c->inputs[0], c->weight, c->bias, c->outputs,
                                        c->stream);
}

static trib_status run_max_pool(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_window_of(&d->inputs[0], &d->attributes.pool2d, &d->outputs[0]);
    return trib_cuda_max_pool2d(&g, d->inputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status run_avg_pool(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_window_of(&d->inputs[0], &d->attributes.pool2d, &d->outputs[0]);
    return trib_cuda_avg_pool2d(&g, d->inputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status run_adaptive(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_adaptive_window_of(&d->inputs[0], &d->outputs[0]);
    return trib_cuda_adaptive_avg_pool2d(&g, d->inputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status run_lrn(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_pixel_geometry g = trib_pixels_between(&d->inputs[0], &d->outputs[0], d->relu);
    trib_lrn_coefficients lrn = trib_coefficients_of(&d->attributes.lrn);
    return trib_cuda_lrn(&g, &lrn, d->inputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

typedef trib_status (*pool_lrn_kernel)(const trib_window_geometry *g, const trib_lrn_coefficients *lrn,
                                       trib_dtype dtype, const void *x, void *y, void *stream);

static trib_status run_pair(pool_lrn_kernel kernel, const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_window_of(&d->inputs[0], &d->attributes.pool2d, &d->outputs[0]);
    trib_lrn_coefficients lrn = trib_coefficients_of(&lrn_stage(d)->attributes.lrn);
    g.relu = d->relu;
    return kernel(&g, &lrn, d->inputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status run_max_pool_lrn(const trib_op_desc *d, const trib_kernel_call *c)
{
    return run_pair(trib_cuda_max_pool2d_lrn, d, c);
}

static trib_status run_lrn_max_pool(const trib_op_desc *d, const trib_kernel_call *c)
{
    return run_pair(trib_cuda_lrn_max_pool2d, d, c);
}

static trib_status run_scale_shift(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_pixel_geometry g = trib_pixels_between(&d->inputs[0], &d->outputs[0], d->relu);
    return trib_cuda_scale_shift(&g, d->inputs[0].dtype, c->inputs[0], c->weight, c->bias, c->outputs[0], c->stream);
}

static trib_status run_softmax(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_pixel_geometry g = trib_pixels_between(&d->inputs[0], &d->outputs[0], false);
    return trib_cuda_softmax(&g, d->inputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status run_top_k(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_pixel_geometry g = trib_pixels_between(&d->inputs[0], &d->outputs[0], false);
    return trib_cuda_softmax_top_k(&g, d->attributes.top_k.k, d->inputs[0].dtype, c->inputs[0], c->outputs[0],
                                   c->outputs[1], c->stream);
}

static trib_status run_reorder(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_view *x = &d->inputs[0], *y = &d->outputs[0];
    trib_reorder_geometry g = trib_reorder_of(x, y, d->relu || d->kind == TRIB_RELU);
    return trib_cuda_reorder(&g, x->dtype, y->dtype, c->inputs[0], c->outputs[0], c->stream);
}

/* Each input into its channels of the output. */
static trib_status run_concat(const trib_op_desc *d, const trib_kernel_call *c)
{
    unsigned char *y = c->outputs[0];
    for (int i = 0; i < d->input_count; ++i) {
        const trib_view *x = &d->inputs[i];
        trib_view slice = d->outputs[0];
        slice.c = x->c;
        trib_reorder_geometry g = trib_reorder_of(x, &slice, d->relu);
        TRIB_TRY(trib_cuda_reorder(&g, x->dtype, slice.dtype, c->inputs[i], y, c->stream));
        y += (size_t)x->c * trib_dtype_size(slice.dtype);
    }
    return trib_success();
}

static trib_status run_preprocess(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_normalise *a = &d->attributes.preprocess;
    const trib_view *x = &d->inputs[0];
    trib_preprocess_geometry g = { .pixels = (int64_t)x->n * x->h * x->w, .channels = x->c, .bgr = a->bgr };
    memcpy(g.scale, a->scale, sizeof g.scale);
    memcpy(g.shift, a->shift, sizeof g.shift);
    return trib_cuda_preprocess(&g, d->outputs[0].dtype, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status run_regions(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_regions_geometry g = trib_regions_of(d);
    return trib_cuda_regions(&g, d->outputs[0].dtype, c->inputs[0], NULL, c->outputs[0], c->stream);
}

static trib_status run_fold(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_fold_geometry g = trib_fold_geometry_of(d);
    trib_fold_inputs x = trib_fold_inputs_of(d, c->inputs);
    return trib_cuda_fold_batch_norm(&g, &x, c->outputs[0], c->outputs[1], c->stream);
}

static const trib_kernel_op kernels[] = {
    { .kind = TRIB_CONV2D,
      .name = "tributary:conv1x1",
      .note = "product over all pixels, results straight into their slices",
      .supports = conv1x1,
      .run = run_conv1x1 },
    { .kind = TRIB_CONV2D,
      .before = TRIB_MAX_POOL2D,
      .name = "tributary:max_pool2d_conv1x1",
      .note = "the pooled input is never materialised",
      .supports = pool_conv1x1,
      .run = run_max_pool_conv1x1 },
    { .kind = TRIB_CONV2D,
      .before = TRIB_AVG_POOL2D,
      .name = "tributary:avg_pool2d_conv1x1",
      .note = "the averages are never materialised",
      .supports = pool_conv1x1,
      .run = run_avg_pool_conv1x1 },
    { .kind = TRIB_MAX_POOL2D,
      .name = "tributary:max_pool2d",
      .supports = trib_kernel_is_plain_without_relu,
      .run = run_max_pool },
    { .kind = TRIB_MAX_POOL2D,
      .after = TRIB_LRN,
      .name = "tributary:max_pool2d_lrn",
      .note = "one pass over memory",
      .supports = pool_lrn,
      .run = run_max_pool_lrn },
    { .kind = TRIB_MAX_POOL2D,
      .before = TRIB_LRN,
      .name = "tributary:lrn_max_pool2d",
      .note = "one pass over memory",
      .supports = pool_lrn,
      .run = run_lrn_max_pool },
    { .kind = TRIB_AVG_POOL2D,
      .name = "tributary:avg_pool2d",
      .supports = trib_kernel_is_plain_without_relu,
      .run = run_avg_pool },
    { .kind = TRIB_ADAPTIVE_AVG_POOL2D,
      .name = "tributary:adaptive_avg_pool2d",
      .supports = trib_kernel_is_plain_without_relu,
      .run = run_adaptive },
    { .kind = TRIB_LRN, .name = "tributary:lrn", .supports = lrn, .run = run_lrn },
    { .kind = TRIB_BATCH_NORM,
      .name = "tributary:scale_shift",
      .supports = trib_kernel_is_plain,
      .run = run_scale_shift },
    { .kind = TRIB_SOFTMAX,
      .name = "tributary:softmax",
      .supports = trib_kernel_is_plain_without_relu,
      .run = run_softmax },
    { .kind = TRIB_TOP_K, .name = "tributary:softmax_top_k", .supports = top_k, .run = run_top_k },
    { .kind = TRIB_RELU, .name = "tributary:relu", .supports = reorder, .run = run_reorder },
    { .kind = TRIB_REORDER, .name = "tributary:reorder", .supports = reorder, .run = run_reorder },
    { .kind = TRIB_CONCAT, .name = "tributary:copy", .supports = trib_kernel_is_plain, .run = run_concat },
    { .kind = TRIB_FOLD, .name = "tributary:fold_batch_norm", .supports = reorder, .run = run_fold },
    { .kind = TRIB_PREPROCESS, .name = "tributary:preprocess", .supports = preprocess, .run = run_preprocess },
    { .kind = TRIB_REGIONS,
      .name = "tributary:regions",
      .note = "cut, warped and normalised in one pass",
      .supports = regions,
      .run = run_regions },
};

/* ---- the provider ---- */

static const trib_kernel_op *find(const trib_op_desc *d)
{
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; ++i) {
        const trib_kernel_op *k = &kernels[i];
        if (k->kind == d->kind && k->before == d->before.kind && k->after == d->after.kind) return k;
    }
    return trib_op_has_stages(d) ? NULL : trib_training_kernel(d->kind);
}

static int64_t workspace_of(const trib_kernel_op *kernel, const trib_op_desc *d)
{
    return kernel->workspace ? kernel->workspace(d) : 0;
}

static trib_cuda_packing packing_of(const trib_op_desc *d)
{
    int k = 0;
    if (trib_op_weights_are_inputs(d)) return (trib_cuda_packing) { 0 };
    for (int i = 0; i < d->output_count; ++i) k += d->outputs[i].c;
    if (d->kind == TRIB_CONV2D) return trib_cuda_packing_of(d->precision, k, d->inputs[0].c, 1, d->has_bias, TRIB_F32);
    if (d->kind != TRIB_BATCH_NORM) return (trib_cuda_packing) { 0 };
    return trib_cuda_packing_of(TRIB_PRECISION_FP32, k, 1, 1, true, TRIB_F32);
}

static trib_status offer(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason)
{
    (void)device, (void)state;
    const trib_kernel_op *kernel = find(desc);
    if (!kernel)
        trib_kernel_refuses(reason, "no kernel for this kind, prologue and epilogue");
    else if (kernel->supports(desc, reason) && *count < capacity)
        out[(*count)++] = (trib_implementation) { .name = kernel->name,
                                                  .note = kernel->note,
                                                  .workspace_bytes = workspace_of(kernel, desc),
                                                  .packed_bytes = packing_of(desc).place.bytes };
    return trib_success();
}

/* `prepared` is the row of the table. */
static trib_status create(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name)
{
    (void)device, (void)state;
    const trib_kernel_op *kernel = find(&op->desc);
    char reason[TRIB_MESSAGE_SIZE] = "no such name";
    if (!kernel || strcmp(name, kernel->name) || !kernel->supports(&op->desc, reason))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" for this: %.200s",
                          trib_kind_name(op->desc.kind), name, reason);
    op->prepared = (void *)kernel;
    op->packing = packing_of(&op->desc);
    op->base.workspace_bytes = workspace_of(kernel, &op->desc);
    return trib_success();
}

static void destroy(trib_cuda_device *device, void *state, trib_cuda_op *op) { (void)device, (void)state, (void)op; }

static trib_status run(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs, void *const *outputs,
                       const void *packed, void *workspace)
{
    const trib_kernel_op *kernel = op->prepared;
    trib_kernel_call c = { inputs,    outputs,       packed, trib_packed_bias(&op->packing.place, packed),
                           workspace, stream->handle };
    if (trib_op_weights_are_inputs(&op->desc)) {
        c.weight = inputs[1];
        c.bias = op->desc.has_bias ? inputs[2] : NULL;
    }
    return kernel->run(&op->desc, &c);
}

const trib_cuda_provider trib_cuda_kernels_provider = {
    .prefix = "tributary:", .offer = offer, .create = create, .destroy = destroy, .run = run
};
