/* SPDX-License-Identifier: Apache-2.0
 * An op prepared for oneDNN: packing of its parameters, and running.
 *
 * With desc.chunk, an op is one task for every so many images, and the stream's team shares the tasks. Each thread that
 * runs tasks has a part of the workspace:
 *
 *     weights, or partial sums of their gradient | worker 0: scratchpad, staged x, staged y | worker 1: ...
 *
 * While weights are packed or unpacked, no task runs, so scratch memory for that lies where the workers' is. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_OP_H
#define TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_OP_H

#include "cpu/ops/onednn_recipe.h"
#include "cpu/ops/op.h"

typedef struct trib_onednn_workspace {
    int workers;
    int lanes;       /* gradient of weights: partial sums */
    int64_t partial; /* bytes of one of them */
    int64_t scratch, x, y;
    int64_t weights, worker; /* bytes of all weights, and of one worker */
    int64_t bytes;
} trib_onednn_workspace;

struct trib_onednn_op {
    trib_onednn_recipe recipe;
    trib_cpu_device *device;
    trib_onednn_descriptors descriptors;
    dnnl_primitive_desc_t packing;
    dnnl_primitive_t all, rest; /* of recipe.images and recipe.rest images; the rest of a filled recipe has none */
    dnnl_primitive_t packs;     /* from plain weights to those of the primitive, or back; NULL without weights */
    trib_packing parameters;    /* how packed parameters lie, the caller's or those in the workspace */
    trib_onednn_workspace workspace;
};

/* ---- onednn_packing.c ---- */

/* Places of weight and bias in packed parameters. */
trib_packing trib_onednn_packing_of(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t descriptor);
/* The reorder from plain weights to those that the primitive of `descriptor` reads, or back from those it writes. */
trib_status trib_onednn_describe_packing(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                         dnnl_primitive_desc_t descriptor, dnnl_primitive_desc_t *out);
/* Bytes of scratch memory while packing: weights with all channels of the primitive, then the reorder's own. */
int64_t trib_onednn_packing_scratch(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t packing);
trib_status trib_onednn_pack_parameters(const trib_cpu_op *op, dnnl_stream_t stream,
                                        const trib_op_parameters *parameters, void *packed, void *workspace);
/* From the primitive's format to O,I,R,S. */
trib_status trib_onednn_unpack_weight(const trib_cpu_op *op, dnnl_stream_t stream, const void *packed, float *weight,
                                      void *workspace);
/* As trib_cpu_pack in op.h. */
trib_status trib_onednn_pack(const trib_cpu_op *op, const trib_cpu_worker *worker, const trib_op_parameters *parameters,
                             void *packed, void *workspace);

/* ---- onednn_workspace.c ---- */

trib_onednn_workspace trib_onednn_workspace_of(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                               const trib_onednn_descriptors *found, int64_t packing_scratch);

/* ---- onednn_run.c ---- */

/* One run of an op. */
typedef struct trib_onednn_job {
    const trib_cpu_op *op;
    const void *const *inputs;
    void *const *outputs;
    const void *parameters; /* packed; NULL: none */
    char *workspace;
} trib_onednn_job;

/* Memory of this worker. */
char *trib_onednn_worker_memory(const trib_onednn_job *job, const trib_cpu_worker *worker);
/* Images of task `i`. A gradient of weights is written to `weight`. */
trib_status trib_onednn_run_task(const trib_onednn_job *job, const trib_cpu_worker *worker, int i, void *weight);
/* As trib_cpu_run in op.h. */
trib_status trib_onednn_run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                            void *const *outputs, const void *packed, void *workspace);

/* ---- onednn_weight_gradient.c ---- */

trib_status trib_onednn_run_weight_gradient(const trib_onednn_job *job, const trib_cpu_worker *worker);

/* ---- onednn_linear.c ---- */

/* A linear layer whose weight is in memory, or is its result. It has no primitive. */
bool trib_onednn_is_trained_linear(const trib_op_desc *desc);
/* False, and `reason` says why, if it cannot be run. */
bool trib_onednn_offer_linear(const trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out,
                              char *reason);
trib_status trib_onednn_prepare_linear(const trib_cpu_device *device, trib_cpu_op *op, const char *wanted);

#endif
