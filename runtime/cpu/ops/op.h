/* SPDX-License-Identifier: Apache-2.0
 * Ops of the CPU device: three ways to run one (oneDNN, plain loops in any layout, the C reference), one table. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_OP_H
#define TRIBUTARY_RUNTIME_CPU_OPS_OP_H

#include "cpu/memory.h"
#include "cpu/streams/stream.h"
#include "device/packing.h"

/* How an op is run, and how its parameters are packed. Chosen by name, see the table of backends in ops.c. */
typedef trib_status (*trib_cpu_run)(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                                    void *const *outputs, const void *packed, void *workspace);
typedef trib_status (*trib_cpu_pack)(const trib_cpu_op *op, const trib_cpu_worker *worker,
                                     const trib_op_parameters *parameters, void *packed, void *workspace);

/* Immutable after creation; the caller and every queued run hold a reference. */
struct trib_cpu_op {
    trib_op_handle base;
    atomic_int references;
    trib_op_desc desc;
    int cores;      /* tokens taken while it runs; a oneDNN primitive runs with the thread count it was built for */
    bool in_chunks; /* cores are those of the stream's team (team.h), each with an OpenMP team of one */
    trib_cpu_run run;
    trib_cpu_pack pack; /* NULL: it has no parameters */
    trib_packing packing;
    struct trib_onednn_op *onednn;
    char detail[64];
};

void trib_cpu_op_retain(trib_cpu_op *op);
void trib_cpu_op_release(trib_cpu_op *op);
int trib_cpu_op_cores(const trib_cpu_op *op);
bool trib_cpu_op_in_chunks(const trib_cpu_op *op);
/* Executes the item (TRIB_CPU_OP, TRIB_CPU_PACK). */
trib_status trib_cpu_op_execute(const trib_cpu_item *item, const trib_cpu_worker *worker);

/* One way of running ops. */
typedef struct trib_cpu_backend {
    /* Appends its implementations of a checked desc; if there are none, writes the reason. */
    trib_status (*offer)(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason);
    /* Completes `op`, whose desc is set and checked. `name` may be one it does not offer. */
    trib_status (*prepare)(trib_cpu_device *device, trib_cpu_op *op, const char *name);
} trib_cpu_backend;

extern const trib_cpu_backend trib_cpu_reference_backend, trib_cpu_native_backend, trib_cpu_onednn_backend;

trib_status trib_cpu_op_implementations(trib_device *device, const trib_op_desc *desc, bool include_reference,
                                        trib_implementation *out, int capacity, int *count, char *reason);
trib_status trib_cpu_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                               trib_op_handle **out);
void trib_cpu_op_destroy(trib_op_handle *op);
const char *trib_cpu_op_detail(const trib_op_handle *op);
trib_status trib_cpu_op_pack(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters,
                             void *packed, void *workspace);
trib_status trib_cpu_op_run(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                            const void *packed, void *workspace);

#endif
