/* SPDX-License-Identifier: Apache-2.0
 * Ops of the CUDA device: a list of providers, each one way of running ops (a library, our own kernels), best first. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_OPS_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_OPS_H

#include "cuda/device.h"
#include "cuda/ops/packing.h"
#include "cuda/streams/stream.h"

/* Immutable after creation. `prepared` is the provider's. */
typedef struct trib_cuda_op {
    trib_op_handle base;
    const struct trib_cuda_provider *provider;
    int provider_index; /* into the device's and the streams' `providers` */
    trib_op_desc desc;
    trib_cuda_packing packing;
    void *prepared;
    char detail[96];
} trib_cuda_op;

typedef struct trib_cuda_provider {
    const char *prefix; /* of its names */
    /* Optional, both or neither: its state for a device (device->providers[index]). `open` may leave it NULL if its
     * library is not usable; the provider then offers nothing. `version` is "cuDNN 9.19.0", static. */
    trib_status (*open)(trib_cuda_device *device, void **state, const char **version);
    void (*close)(trib_cuda_device *device, void *state);
    /* Optional, both or neither: its state for a stream (stream->providers[index]), created with the stream, because
     * nothing can be created while a graph is captured. */
    trib_status (*open_stream)(trib_cuda_device *device, void *state, cudaStream_t stream, void **of_stream);
    void (*close_stream)(trib_cuda_device *device, void *state, void *of_stream);

    /* Appends its implementations of a checked desc; if there are none, writes the reason. */
    trib_status (*offer)(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason);
    /* Fills `prepared`, `packing`, `base.workspace_bytes` and `detail`; desc is checked. `name` may be one it does not
     * offer. */
    trib_status (*create)(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name);
    /* Runs of the op may be in progress. `prepared` may be NULL or incomplete. */
    void (*destroy)(trib_cuda_device *device, void *state, trib_cuda_op *op);
    /* Enqueues work on stream->handle; never waits. `packed`: parameters as op->packing says. */
    trib_status (*run)(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs, void *const *outputs,
                       const void *packed, void *workspace);
} trib_cuda_provider;

/* Our kernels, cuDNN, cuBLASLt (provider_*.c). */
extern const trib_cuda_provider trib_cuda_kernels_provider, trib_cuda_cudnn_provider, trib_cuda_cublaslt_provider;

/* NULL-terminated, at most TRIB_CUDA_MAX_PROVIDERS (providers.c). */
extern const trib_cuda_provider *const trib_cuda_providers[];

trib_status trib_cuda_ops_open(trib_cuda_device *device); /* appends versions to info.library */
void trib_cuda_ops_close(trib_cuda_device *device);
/* On failure, call trib_cuda_ops_close_stream. */
trib_status trib_cuda_ops_open_stream(trib_cuda_stream *stream);
void trib_cuda_ops_close_stream(trib_cuda_stream *stream);

trib_status trib_cuda_op_implementations(trib_device *device, const trib_op_desc *desc, bool include_reference,
                                         trib_implementation *out, int capacity, int *count, char *reason);
trib_status trib_cuda_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                                trib_op_handle **out);
void trib_cuda_op_destroy(trib_op_handle *op);
const char *trib_cuda_op_detail(const trib_op_handle *op);
trib_status trib_cuda_op_pack(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters,
                              void *packed, void *workspace);
trib_status trib_cuda_op_run(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                             const void *packed, void *workspace);

#endif
