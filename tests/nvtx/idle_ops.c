/* SPDX-License-Identifier: Apache-2.0
 * A provider of CUDA ops that takes every op and gives its stream a kernel that does nothing. Defines
 * trib_cuda_providers, so that the library's own are not linked. */
#include "nvtx/idle_ops.h"

#include "cuda/ops.h"

static trib_status offer(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason)
{
    (void)device;
    (void)state;
    (void)desc;
    (void)reason;
    if (*count < capacity) out[(*count)++] = (trib_implementation) { .name = "idle:" };
    return trib_success();
}

static trib_status create(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name,
                          const trib_op_parameters *parameters)
{
    (void)device;
    (void)state;
    (void)op;
    (void)name;
    (void)parameters;
    return trib_success();
}

static void destroy(trib_cuda_device *device, void *state, trib_cuda_op *op)
{
    (void)device;
    (void)state;
    (void)op;
}

static trib_status run(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs, void *const *outputs,
                       void *workspace)
{
    (void)inputs;
    (void)outputs;
    (void)workspace;
    return TRIB_CUDA(trib_cuda_of(op->base.device), test_launch_idle(stream->handle));
}

static const trib_cuda_provider idle = {
    .prefix = "idle:",
    .offer = offer,
    .create = create,
    .destroy = destroy,
    .run = run,
};

const trib_cuda_provider *const trib_cuda_providers[] = { &idle, NULL };
