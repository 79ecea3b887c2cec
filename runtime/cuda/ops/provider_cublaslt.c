/* SPDX-License-Identifier: Apache-2.0
 * Matrix products through cuBLASLt: linear layers, and 1x1 convolutions over all pixels of a batch. */
#include <stdio.h>
#include <string.h>

#include "cuda/libraries/cublaslt_matmul.h"
#include "cuda/ops/geometry.h"
#include "cuda/ops/ops.h"
#include "cuda/ops/weights.h"
#include "tributary/internal/alloc.h"

enum { MOST_OFFERED = 4 };

/* What cuBLASLt asks for on Hopper. */
static const int64_t most_workspace = 32 << 20;
/* It chooses nothing without a card. */
static const char undecided[] = "cublaslt:undecided";

typedef struct prepared {
    trib_matmul_algorithm *plan;
    trib_cuda_weights weights;
} prepared;

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

/* Rows are pixels; the row of a linear layer is a whole image. */
static bool describe(const trib_op_desc *d, trib_matmul_desc *out, char *reason)
{
    const trib_view *x = &d->inputs[0], *y = &d->outputs[0];
    bool usable = is_product(d) && trib_lies_as_nhwc(x) && trib_lies_as_nhwc(y) && trib_begins_aligned(x) &&
                  trib_begins_aligned(y);
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

static trib_status offer(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason)
{
    trib_matmul_desc matmul;
    trib_matmul_algorithm *plans[MOST_OFFERED];
    int found = 0;
    trib_status status = trib_success();
    if (!describe(desc, &matmul, reason)) return status;
    if (device->described) {
        if (*count < capacity)
            out[(*count)++] = (trib_implementation) { .name = undecided, .note = "chosen when there is a card" };
        return status;
    }
    TRIB_TRY(trib_matmul_candidates(state, &matmul, most_workspace, plans, MOST_OFFERED, &found, reason));
    for (int i = 0; i < found; ++i) {
        const trib_matmul_algorithm_info *info = trib_matmul_algorithm_get_info(plans[i]);
        if (!trib_failed(&status) && *count < capacity) {
            out[*count] = (trib_implementation) { .workspace_bytes = info->workspace_bytes };
            status = trib_cuda_intern(&device->interned, info->name, &out[*count].name);
            *count += !trib_failed(&status);
        }
        trib_matmul_algorithm_destroy(plans[i]);
    }
    return status;
}

/* ---- preparing and running ---- */

static trib_status create(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name,
                          const trib_op_parameters *parameters)
{
    char reason[TRIB_MESSAGE_SIZE];
    trib_matmul_desc matmul;
    const trib_view *x = &op->desc.inputs[0];
    if (!describe(&op->desc, &matmul, reason)) return TRIB_ERROR(TRIB_UNSUPPORTED, "%.240s", reason);
    prepared *p = trib_alloc_zeroed(1, sizeof *p);
    if (!p) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cublaslt: out of memory");
    op->prepared = p;
    TRIB_TRY(trib_matmul_algorithm_by_name(state, &matmul, name, &p->plan));
    const trib_matmul_algorithm_info *info = trib_matmul_algorithm_get_info(p->plan);
    op->workspace_bytes = info->workspace_bytes;
    return trib_cuda_weights_upload(device, matmul.precision, matmul.out, x->c, matmul.in / x->c, parameters,
                                    matmul.has_bias, info->bias, &p->weights);
}

static void destroy(trib_cuda_device *device, void *state, trib_cuda_op *op)
{
    (void)state;
    prepared *p = op->prepared;
    if (!p) return;
    trib_cuda_weights_free(device, &p->weights);
    trib_matmul_algorithm_destroy(p->plan);
    trib_free(p);
}

static trib_status run(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs, void *const *outputs,
                       void *workspace)
{
    const prepared *p = op->prepared;
    trib_matmul_pointers pointers = { inputs[0], p->weights.weight, p->weights.bias, outputs[0] };
    return trib_matmul_run(p->plan, stream->handle, &pointers, workspace);
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
