/* SPDX-License-Identifier: Apache-2.0
 * The backend of plain loops: which kinds have them, and how a run is divided. */
#include <stdio.h>
#include <string.h>

#include "cpu/ops/native/reduce.h"
#include "cpu/ops/native/training.h"
#include "cpu/ops/pixels.h"

/* ---- what is supported ---- */

static bool always(const trib_op_desc *desc)
{
    (void)desc;
    return true;
}

static bool without_relu(const trib_op_desc *desc) { return !desc->relu; }

static bool same_layout(const trib_op_desc *desc) { return desc->inputs[0].layout == desc->outputs[0].layout; }

static bool plain_pool(const trib_op_desc *desc) { return !desc->relu && same_layout(desc); }

/* dy, the forward's x, y or index, and dx */
static bool gradient(const trib_op_desc *desc)
{
    return same_layout(desc) && desc->inputs[1].layout == desc->outputs[0].layout;
}

static bool without_blocks(const trib_op_desc *desc)
{
    return trib_layout_block(desc->inputs[0].layout) == 1 && trib_layout_block(desc->outputs[0].layout) == 1 &&
           trib_layout_block(desc->outputs[1].layout) == 1;
}

#define BY_IMAGE(run, supports, inputs, outputs) \
    {                                            \
        run, supports, inputs, outputs, NULL     \
    }
#define WHOLE(run, supports, workspace_bytes) \
    {                                         \
        run, supports, 0, 0, workspace_bytes  \
    }

static const trib_native_row *row_of(trib_kind kind)
{
    static const trib_native_row rows[TRIB_KIND_COUNT] = {
        [TRIB_CONCAT] = BY_IMAGE(trib_native_copies, always, TRIB_MAX_INPUTS, 1),
        [TRIB_REORDER] = BY_IMAGE(trib_native_copies, always, 1, 1),
        [TRIB_REGIONS] = BY_IMAGE(trib_native_regions, without_relu, 1, 1),
        [TRIB_RELU] = BY_IMAGE(trib_native_relu, always, 1, 1),
        [TRIB_BATCH_NORM] = BY_IMAGE(trib_native_scale_shift, same_layout, 1, 1),
        [TRIB_SOFTMAX] = BY_IMAGE(trib_native_softmax, without_relu, 1, 1),
        [TRIB_TOP_K] = BY_IMAGE(trib_native_top_k, without_blocks, 1, 2),
        [TRIB_LRN] = BY_IMAGE(trib_native_lrn, without_relu, 1, 1),
        [TRIB_MAX_POOL2D] = BY_IMAGE(trib_native_max_pool, plain_pool, 1, 1),
        [TRIB_AVG_POOL2D] = BY_IMAGE(trib_native_avg_pool, plain_pool, 1, 1),
        [TRIB_ADAPTIVE_AVG_POOL2D] = BY_IMAGE(trib_native_avg_pool, plain_pool, 1, 1),
        [TRIB_FOLD] = WHOLE(trib_native_fold, always, NULL),
        [TRIB_BIAS_BACKWARD] = WHOLE(trib_native_bias_backward, always, trib_native_reduce_bytes),
        [TRIB_RELU_BACKWARD] = WHOLE(trib_native_relu_backward, gradient, trib_native_reduce_bytes),
        [TRIB_BATCH_STATISTICS] = WHOLE(trib_native_batch_statistics, always, trib_native_reduce_bytes),
        [TRIB_BATCH_NORM_APPLY] = BY_IMAGE(trib_native_batch_norm_apply, same_layout, 1, 1),
        [TRIB_BATCH_NORM_BACKWARD] =
            WHOLE(trib_native_batch_norm_backward, gradient, trib_native_batch_norm_backward_bytes),
        [TRIB_MAX_POOL2D_INDEXED] = BY_IMAGE(trib_native_max_pool_indexed, same_layout, 1, 2),
        [TRIB_MAX_POOL2D_BACKWARD] = BY_IMAGE(trib_native_max_pool_backward, gradient, 2, 1),
        [TRIB_AVG_POOL2D_BACKWARD] = BY_IMAGE(trib_native_avg_pool_backward, same_layout, 1, 1),
        [TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD] = BY_IMAGE(trib_native_avg_pool_backward, same_layout, 1, 1),
        [TRIB_LRN_BACKWARD] = { trib_native_lrn_backward, gradient, 2, 1, trib_native_lrn_backward_bytes },
        [TRIB_DROPOUT_TRAINING] = BY_IMAGE(trib_native_dropout, same_layout, 1, 1),
        [TRIB_CROSS_ENTROPY] = BY_IMAGE(trib_native_cross_entropy, always, 2, 2),
        [TRIB_SCALE_CONTROLS] = WHOLE(trib_native_scale_controls, always, NULL),
        [TRIB_CHECK_GRADIENTS] = WHOLE(trib_native_check_gradients, always, NULL),
        [TRIB_ADJUST_LOSS_SCALE] = WHOLE(trib_native_adjust_loss_scale, always, NULL),
        [TRIB_SUM_GRADIENTS] = WHOLE(trib_native_sum_gradients, always, NULL),
        [TRIB_CLIP_GRADIENTS] = WHOLE(trib_native_clip_gradients, always, trib_native_clip_gradients_bytes),
        [TRIB_SGD] = WHOLE(trib_native_sgd, always, NULL),
        [TRIB_MOVING_AVERAGE] = WHOLE(trib_native_moving_average, always, NULL),
    };
    return &rows[kind];
}

static bool supported(const trib_op_desc *desc)
{
    const trib_native_row *row = row_of(desc->kind);
    return row->run && row->supports(desc);
}

/* ---- parameters ---- */

/* Scale and shift are padded with zeros like the channels, so padding stays zero. */
static trib_packing packing_of(const trib_op_desc *desc)
{
    int64_t bytes = (int64_t)sizeof(float) * trib_pixels_of(&desc->inputs[0]).channels;
    return desc->kind == TRIB_BATCH_NORM ? trib_packing_of(bytes, bytes) : (trib_packing) { 0 };
}

static trib_status pack_scale_shift(const trib_cpu_op *op, const trib_cpu_worker *worker,
                                    const trib_op_parameters *parameters, void *packed, void *workspace)
{
    (void)worker, (void)workspace;
    size_t bytes = (size_t)op->desc.inputs[0].c * sizeof(float);
    memset(packed, 0, (size_t)op->packing.bytes);
    memcpy(packed, parameters->weight, bytes);
    memcpy(trib_packed_bias(&op->packing, packed), parameters->bias, bytes);
    return trib_success();
}

/* ---- running ---- */

typedef struct images {
    const trib_native_call *call;
    int inputs, outputs;
    trib_native_run run;
} images;

/* The view of image i alone, and its memory. */
static char *narrow(trib_view *view, const void *memory, int i)
{
    int64_t bytes = trib_pixels_of(view).image * (int64_t)trib_dtype_size(view->dtype);
    view->n = 1;
    return (char *)memory + i * bytes;
}

static trib_status run_image(void *context, const trib_cpu_worker *worker, int i)
{
    const images *all = context;
    trib_op_desc desc = *all->call->desc;
    trib_native_call one = *all->call;
    for (int k = 0; k < all->inputs && k < desc.input_count; ++k)
        one.inputs[k] = narrow(&desc.inputs[k], one.inputs[k], i);
    for (int k = 0; k < all->outputs && k < desc.output_count; ++k)
        one.outputs[k] = narrow(&desc.outputs[k], one.outputs[k], i);
    one.desc = &desc;
    one.worker = worker;
    one.image = i;
    return all->run(&one);
}

trib_status trib_native_each_image(const trib_native_call *call, int image_inputs, int image_outputs,
                                   trib_native_run run)
{
    images all = { call, image_inputs, image_outputs, run };
    return trib_cpu_team_run(call->worker, trib_native_threads(call->desc), call->images, run_image, &all);
}

static trib_status run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                       void *const *outputs, const void *packed, void *workspace)
{
    const trib_native_row *row = row_of(op->desc.kind);
    trib_native_call call = { .desc = &op->desc,
                              .packing = &op->packing,
                              .worker = worker,
                              .packed = packed,
                              .workspace = workspace,
                              .images = op->desc.inputs[0].n };
    memcpy(call.inputs, inputs, (size_t)op->desc.input_count * sizeof *inputs);
    memcpy(call.outputs, outputs, (size_t)op->desc.output_count * sizeof *outputs);
    if (!op->in_chunks || !row->image_inputs) return row->run(&call);
    return trib_native_each_image(&call, row->image_inputs, row->image_outputs, row->run);
}

/* ---- the backend ---- */

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    (void)device;
    const trib_native_row *row = row_of(desc->kind);
    if (*count < capacity && supported(desc))
        out[(*count)++] =
            (trib_implementation) { .name = "native",
                                    .note = desc->chunk ? "plain loops" : "plain loops, one thread",
                                    .workspace_bytes = row->workspace_bytes ? row->workspace_bytes(desc) : 0,
                                    .packed_bytes = packing_of(desc).bytes };
    else
        snprintf(reason, TRIB_MESSAGE_SIZE, "no plain loops for %s from %s to %s%s", trib_kind_name(desc->kind),
                 trib_layout_name(desc->inputs[0].layout), trib_layout_name(desc->outputs[0].layout),
                 desc->relu ? " with a fused relu" : "");
    return trib_success();
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    (void)device;
    const trib_op_desc *desc = &op->desc;
    if (strcmp(name, "native") || !supported(desc))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" for this", trib_kind_name(desc->kind), name);
    op->in_chunks = desc->chunk > 0;
    if (op->in_chunks) op->cores = desc->threads;
    op->run = run;
    op->packing = packing_of(desc);
    op->pack = pack_scale_shift;
    return trib_success();
}

const trib_cpu_backend trib_cpu_native_backend = { offer, prepare };
