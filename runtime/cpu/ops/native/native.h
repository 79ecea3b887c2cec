/* SPDX-License-Identifier: Apache-2.0
 * Ops as plain loops, in any layout: what oneDNN lacks, or is slow at. A table (table.c) has a row per kind.
 *
 * With desc.chunk, an op runs on the stream's team: by images where they are independent of each other, by chunks where
 * it sums over images. Otherwise it uses one thread. Either way results never depend on threads. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_NATIVE_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_NATIVE_H

#include "cpu/ops/op.h"

/* One run of an op, or of an image of it: then desc, inputs and outputs are those of that image. */
typedef struct trib_native_call {
    const trib_op_desc *desc;
    const trib_packing *packing;
    const trib_cpu_worker *worker;
    const void *inputs[TRIB_MAX_INPUTS];
    void *outputs[TRIB_MAX_OUTPUTS];
    const void *packed;
    void *workspace;
    int image, images; /* the first one's number, and those of the whole batch */
} trib_native_call;

typedef trib_status (*trib_native_run)(const trib_native_call *call);

typedef struct trib_native_row {
    trib_native_run run; /* NULL: the kind has no plain loops */
    bool (*supports)(const trib_op_desc *desc);
    /* Images are independent; so many inputs and outputs, the first ones, have the batch's. 0: run divides the work. */
    int image_inputs, image_outputs;
    int64_t (*workspace_bytes)(const trib_op_desc *desc); /* NULL: none */
} trib_native_row;

/* ---- rows; those of training are in training.h ---- */

/* concat, reorder and relu */
trib_status trib_native_copies(const trib_native_call *call);
trib_status trib_native_regions(const trib_native_call *call);
trib_status trib_native_relu(const trib_native_call *call);
trib_status trib_native_scale_shift(const trib_native_call *call);
trib_status trib_native_softmax(const trib_native_call *call);
trib_status trib_native_top_k(const trib_native_call *call);
trib_status trib_native_lrn(const trib_native_call *call);
trib_status trib_native_max_pool(const trib_native_call *call);
/* fixed and adaptive windows */
trib_status trib_native_avg_pool(const trib_native_call *call);
trib_status trib_native_fold(const trib_native_call *call);

/* ---- for rows that divide the work themselves ---- */

/* Threads it may use: without desc.chunk, the caller's alone. */
static inline int trib_native_threads(const trib_op_desc *desc) { return desc->chunk > 0 ? desc->threads : 1; }

/* Runs `run` for every image of the batch (image_inputs and image_outputs as in a row). */
trib_status trib_native_each_image(const trib_native_call *call, int image_inputs, int image_outputs,
                                   trib_native_run run);

#endif
