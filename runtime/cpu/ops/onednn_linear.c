/* SPDX-License-Identifier: Apache-2.0
 * Linear layers in training, through oneDNN's matrix product. With x of N rows of D numbers, D in the order C,H,W:
 *
 *     forward           y  = x W'      a piece is some columns of y
 *     backward data     dx = dy W      some columns of dx
 *     backward weight   dW = dy' x     some rows of dW
 *
 * A piece is one product on one thread, and sums over the batch lie within a piece, so bits do not depend on threads.
 * An image of more than one pixel that is not nchw goes through a staging buffer. */
#include <stdio.h>
#include <string.h>

#include "cpu/ops/onednn_op.h"
#include "cpu/ops/pixels.h"
#include "graph/kinds.h"

/* Columns or rows of a piece. */
enum { PIECE = 64 };

static const trib_view *x_of(const trib_op_desc *desc)
{
    return desc->kind == TRIB_LINEAR_BACKWARD_DATA ? &desc->outputs[0] : &desc->inputs[0];
}

static const trib_view *y_of(const trib_op_desc *desc)
{
    if (desc->kind == TRIB_LINEAR) return &desc->outputs[0];
    return desc->kind == TRIB_LINEAR_BACKWARD_DATA ? &desc->inputs[0] : &desc->inputs[1];
}

static const trib_view *weight_of(const trib_op_desc *desc)
{
    return desc->kind == TRIB_LINEAR_BACKWARD_WEIGHT ? &desc->outputs[0] : &desc->inputs[1];
}

static int64_t columns_of(const trib_view *x) { return (int64_t)x->c * x->h * x->w; }

static bool stages_x(const trib_op_desc *desc)
{
    const trib_view *x = x_of(desc);
    return (int64_t)x->h * x->w > 1 && x->layout != TRIB_NCHW;
}

static int64_t workspace_of(const trib_op_desc *desc)
{
    const trib_view *x = x_of(desc);
    return stages_x(desc) ? trib_aligned((int64_t)sizeof(float) * x->n * columns_of(x)) : 0;
}

static int pieces_of(const trib_op_desc *desc)
{
    int64_t length = desc->kind == TRIB_LINEAR_BACKWARD_DATA ? columns_of(x_of(desc)) : y_of(desc)->c;
    return (int)((length + PIECE - 1) / PIECE);
}

/* ---- running ---- */

/* Rows of floats. */
typedef struct matrix {
    float *data;
    int64_t pitch;
} matrix;

typedef struct job {
    const trib_op_desc *desc;
    matrix x, y;
    float *weight;
    const float *bias;
    int64_t columns; /* of x */
} job;

/* Images that are single pixels, or nchw, are rows. */
static matrix rows_of(const trib_view *view, const void *data)
{
    return (matrix) { (float *)data, trib_pixels_of(view).image };
}

static trib_pixels dense_nchw(const trib_view *x)
{
    trib_view v = *x;
    v.layout = TRIB_NCHW;
    v.c_offset = 0;
    v.c_total = v.c;
    return trib_pixels_of(&v);
}

static void finish_forward(const job *j, int first, int count)
{
    for (int n = 0; n < j->desc->inputs[0].n; ++n) {
        float *y = j->y.data + n * j->y.pitch + first;
        for (int k = 0; k < count; ++k) {
            float value = j->bias ? y[k] + j->bias[first + k] : y[k];
            y[k] = j->desc->relu && value < 0 ? 0 : value; /* NaN stays visible */
        }
    }
}

static dnnl_status_t multiply(const job *j, int64_t first, int64_t count)
{
    const trib_op_desc *desc = j->desc;
    int n = x_of(desc)->n, k = y_of(desc)->c;
    int64_t d = j->columns;
    switch (desc->kind) {
    case TRIB_LINEAR:
        return TRIB_DNNL(trib_dnnl.sgemm('N', 'T', n, count, d, 1, j->x.data, j->x.pitch, j->weight + first * d, d, 0,
                                         j->y.data + first, j->y.pitch));
    case TRIB_LINEAR_BACKWARD_DATA:
        return TRIB_DNNL(trib_dnnl.sgemm('N', 'N', n, count, k, 1, j->y.data, j->y.pitch, j->weight + first, d,
                                         desc->accumulate && !stages_x(desc) ? 1 : 0, j->x.data + first, j->x.pitch));
    default:
        return TRIB_DNNL(trib_dnnl.sgemm('T', 'N', count, d, n, 1, j->y.data + first, j->y.pitch, j->x.data, j->x.pitch,
                                         0, j->weight + first * d, d));
    }
}

static trib_status run_piece(void *context, const trib_cpu_worker *worker, int i)
{
    (void)worker;
    const job *j = context;
    bool data = j->desc->kind == TRIB_LINEAR_BACKWARD_DATA;
    int64_t first = (int64_t)i * PIECE, left = (data ? j->columns : y_of(j->desc)->c) - first;
    int64_t count = left < PIECE ? left : PIECE;
    dnnl_status_t status = multiply(j, first, count);
    if (status) return trib_dnnl_failure(status, "dnnl_sgemm", __FILE__, __LINE__);
    if (j->desc->kind == TRIB_LINEAR) finish_forward(j, (int)first, (int)count);
    return trib_success();
}

/* x, unless it is the result, as rows. */
static void stage(job *j, const void *x, void *staging)
{
    const trib_view *view = x_of(j->desc);
    j->x = rows_of(view, x);
    if (!stages_x(j->desc)) return;
    trib_pixels from = trib_pixels_of(view), to = dense_nchw(view);
    if (j->desc->kind != TRIB_LINEAR_BACKWARD_DATA) trib_pixels_copy(&from, x, 0, &to, staging, 0, view->c, false);
    j->x = (matrix) { staging, j->columns };
}

/* The result, from rows, and zeros in its padding. */
static void finish(const job *j, float *result)
{
    const trib_op_desc *desc = j->desc;
    const trib_view *view = &desc->outputs[0];
    trib_pixels to = trib_pixels_of(view);
    if (desc->kind == TRIB_LINEAR_BACKWARD_WEIGHT) return;
    if (desc->kind == TRIB_LINEAR_BACKWARD_DATA && stages_x(desc)) {
        trib_pixels from = dense_nchw(view);
        if (desc->accumulate)
            trib_pixels_add(&from, j->x.data, &to, result, view->c);
        else
            trib_pixels_copy(&from, j->x.data, 0, &to, result, 0, view->c, false);
    }
    if (!desc->accumulate) trib_pixels_clear(&to, result, view->c);
}

static trib_status run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                       void *const *outputs, const void *packed, void *workspace)
{
    (void)packed;
    const trib_op_desc *desc = &op->desc;
    bool data = desc->kind == TRIB_LINEAR_BACKWARD_DATA, gradient = desc->kind == TRIB_LINEAR_BACKWARD_WEIGHT;
    job j = { .desc = desc,
              .columns = columns_of(x_of(desc)),
              .y = rows_of(y_of(desc), data       ? inputs[0]
                                       : gradient ? inputs[1]
                                                  : outputs[0]),
              .weight = gradient ? outputs[0] : (float *)inputs[1],
              .bias = desc->has_bias ? inputs[2] : NULL };
    stage(&j, data ? outputs[0] : inputs[0], workspace);
    TRIB_TRY(trib_cpu_team_run(worker, op->cores, pieces_of(desc), run_piece, &j));
    finish(&j, outputs[0]);
    return trib_success();
}

/* ---- offering and preparing ---- */

static const char name[] = "onednn:gemm";

bool trib_onednn_is_trained_linear(const trib_op_desc *desc)
{
    return (desc->kind == TRIB_LINEAR && desc->input_count > 1) || desc->kind == TRIB_LINEAR_BACKWARD_DATA ||
           desc->kind == TRIB_LINEAR_BACKWARD_WEIGHT;
}

static bool supported(const trib_cpu_device *device, const trib_op_desc *desc, char *reason)
{
    if (!device->onednn) {
        trib_status missing = trib_onednn_load();
        snprintf(reason, TRIB_MESSAGE_SIZE, "%s", missing.message);
        return false;
    }
    if (weight_of(desc)->layout == TRIB_NCHW) return true;
    snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN: its weight must be nchw");
    return false;
}

bool trib_onednn_offer_linear(const trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out,
                              char *reason)
{
    if (!supported(device, desc, reason)) return false;
    *out = (trib_implementation) { .name = name,
                                   .workspace_bytes = workspace_of(desc),
                                   .note = stages_x(desc) ? "copies its image: not in the order of the weight" : NULL };
    return true;
}

trib_status trib_onednn_prepare_linear(const trib_cpu_device *device, trib_cpu_op *op, const char *wanted)
{
    char reason[TRIB_MESSAGE_SIZE] = "no such name";
    const trib_op_desc *desc = &op->desc;
    if (strcmp(wanted, name) || !supported(device, desc, reason))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" here: %.300s", trib_kind_name(desc->kind),
                          wanted, reason);
    int pieces = pieces_of(desc);
    op->run = run;
    op->cores = desc->threads < pieces ? desc->threads : pieces;
    op->in_chunks = true;
    op->base.workspace_bytes = workspace_of(desc);
    snprintf(op->detail, sizeof op->detail, "sgemm");
    return trib_success();
}
