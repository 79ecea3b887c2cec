/* SPDX-License-Identifier: Apache-2.0
 * Matrix products through cuBLASLt: linear layers, and 1x1 convolutions over all pixels of a batch. */
#include <stdio.h>
#include <string.h>

#include "cuda/libraries/cublaslt_matmul.h"
#include "cuda/ops/geometry.h"
#include "cuda/ops/ops.h"
#include "device/op_check.h"

enum { MOST_OFFERED = 4 };

/* The size that cuBLASLt asks for on Hopper. */
static const int64_t most_workspace = 32 << 20;
/* It chooses nothing without a card. */
static const char undecided[] = "cublaslt:undecided";

static trib_status open_library(trib_cuda_device *device, void **state, const char **version)
{
    trib_cublaslt *library = NULL;
    char text[64];
    if (device->described) return trib_success();
    TRIB_TRY(trib_cublaslt_open(&library));
    snprintf(text, sizeof text, "cuBLASLt %.32s", trib_cublaslt_version(library));
    trib_status status = trib_cuda_intern(&device->interned, text, version);
    if (trib_failed(&status))
        trib_cublaslt_close(library);
    else
        *state = library;
    return status;
}

static void close_library(trib_cuda_device *device, void *state)
{
    (void)device;
    trib_cublaslt_close(state);
}

/* ---- offering ---- */

static bool is_product(const trib_op_desc *d)
{
    if (trib_op_has_stages(d)) return false;
    if (d->kind == TRIB_LINEAR) return d->inputs[0].c == d->inputs[0].c_total || d->inputs[0].h * d->inputs[0].w == 1;
    return d->kind == TRIB_CONV2D && d->output_count == 1 && trib_is_pointwise(&d->attributes.conv2d);
}

/* Inputs in place of packed parameters: the same order, and a bias of the type of y, which is float32. */
static bool parameters_fit(const trib_op_desc *d)
{
    if (!trib_op_weights_are_inputs(d)) return true;
    if (d->has_bias && (!trib_begins_aligned(&d->inputs[2]) || d->outputs[0].dtype != TRIB_F32)) return false;
    return trib_lies_as_nhwc(&d->inputs[1]);
}

/* Rows are pixels; the row of a linear layer is a whole image. */
static bool describe(const trib_op_desc *d, trib_matmul_desc *out, char *reason)
{
    const trib_view *x = &d->inputs[0], *y = &d->outputs[0];
    bool usable = is_product(d) && parameters_fit(d) && trib_lies_as_nhwc(x) && trib_lies_as_nhwc(y) &&
                  trib_begins_aligned(x) && trib_begins_aligned(y);
    if (!usable) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "cublaslt: linear layers and 1x1 convolutions in nhwc only");
        return false;
    }
    bool linear = d->kind == TRIB_LINEAR;
    int pixels = x->h * x->w;
    *out = (trib_matmul_desc) { .precision = d->precision,
                                .y_dtype = y->dtype,
                                .rows = linear ? x->n : (int64_t)x->n * pixels,
                                .in = linear ? x->c * pixels : x->c,
                                .out = y->c,
                                .x_pitch = linear ? (int64_t)x->c_total * pixels : x->c_total,
                                .y_pitch = y->c_total,
                                .has_bias = d->has_bias,
                                .relu = d->relu };
    return true;
}

/* A row of weights is an image: channels and their pixels. */
static trib_cuda_packing packing_of(const trib_op_desc *d, const trib_matmul_desc *matmul, trib_dtype bias)
{
    int channels = d->inputs[0].c;
    if (trib_op_weights_are_inputs(d)) return (trib_cuda_packing) { 0 };
    return trib_cuda_packing_of(matmul->precision, matmul->out, channels, matmul->in / channels, matmul->has_bias,
                                bias);
}

static trib_status offer(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason)
{
    trib_matmul_desc matmul;
    trib_matmul_algorithm *list[MOST_OFFERED];
    int found = 0;
    trib_status status = trib_success();
    if (!describe(desc, &matmul, reason)) return status;
    if (device->described) {
        if (*count < capacity)
            out[(*count)++] = (trib_implementation) { .name = undecided,
                                                      .note = "chosen when there is a card",
                                                      .packed_bytes = packing_of(desc, &matmul, TRIB_F32).place.bytes };
        return status;
    }
    TRIB_TRY(trib_matmul_candidates(state, &matmul, most_workspace, list, MOST_OFFERED, &found, reason));
    for (int i = 0; i < found; ++i) {
        const trib_matmul_algorithm_info *info = trib_matmul_algorithm_get_info(list[i]);
        if (!trib_failed(&status) && *count < capacity) {
            out[*count] = (trib_implementation) { .workspace_bytes = info->workspace_bytes,
                                                  .packed_bytes = packing_of(desc, &matmul, info->bias).place.bytes };
            status = trib_cuda_intern(&device->interned, info->name, &out[*count].name);
            *count += !trib_failed(&status);
        }
        trib_matmul_algorithm_destroy(list[i]);
    }
    return status;
}

/* ---- preparing and running ---- */

/* `prepared` is the algorithm. */
static trib_status create(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name)
{
    (void)device;
    char reason[TRIB_MESSAGE_SIZE];
    trib_matmul_desc matmul;
    trib_matmul_algorithm *chosen;
    if (!describe(&op->desc, &matmul, reason)) return TRIB_ERROR(TRIB_UNSUPPORTED, "%.240s", reason);
    TRIB_TRY(trib_matmul_algorithm_by_name(state, &matmul, name, &chosen));
    op->prepared = chosen;
    const trib_matmul_algorithm_info *info = trib_matmul_algorithm_get_info(chosen);
    op->base.workspace_bytes = info->workspace_bytes;
    op->packing = packing_of(&op->desc, &matmul, info->bias);
    return trib_success();
}

static void destroy(trib_cuda_device *device, void *state, trib_cuda_op *op)
{
    (void)device, (void)state;
    trib_matmul_algorithm_destroy(op->prepared);
}

static trib_status run(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs, void *const *outputs,
                       const void *packed, void *workspace)
{
    trib_matmul_pointers pointers = { inputs[0], packed, trib_packed_bias(&op->packing.place, packed), outputs[0] };
    if (trib_op_weights_are_inputs(&op->desc)) {
        pointers.w = inputs[1];
        pointers.bias = op->desc.has_bias ? inputs[2] : NULL;
    }
    return trib_matmul_run(op->prepared, stream->handle, &pointers, workspace);
}

const trib_cuda_provider trib_cuda_cublaslt_provider = {
    .prefix = "cublaslt:",
    .open = open_library,
    .close = close_library,
    .offer = offer,
    .create = create,
    .destroy = destroy,
    .run = run,
};
