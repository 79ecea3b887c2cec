/* SPDX-License-Identifier: Apache-2.0
 * The library's table of providers, replaced: "scale" runs batch norm as a kernel, with a handle per stream; "refuse"
 * offers nothing and says why. */
#include "cuda/ops_providers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/ops/ops.h"

test_provider_counts test_counts;
const test_way test_plain = { .name = "scale:plain", .workspace = 256 };
const test_way *test_ways = &test_plain;
int test_way_count = 1;

static trib_status open_scale(trib_cuda_device *device, void **state, const char **version)
{
    (void)device;
    *state = &test_counts;
    *version = "scale 1.0";
    test_counts.devices++;
    return trib_success();
}

static void close_scale(trib_cuda_device *device, void *state)
{
    (void)device;
    ((test_provider_counts *)state)->devices--;
}

static void close_stream(trib_cuda_device *device, void *state, void *of_stream)
{
    (void)device;
    ((test_provider_counts *)state)->handles--;
    free(of_stream);
}

static trib_cuda_packing packing_of(const trib_op_desc *desc)
{
    return trib_cuda_packing_of(TRIB_PRECISION_FP32, desc->inputs[0].c, 1, 1, true, TRIB_F32);
}

static trib_status offer_scale(trib_cuda_device *device, void *state, const trib_op_desc *desc,
                               trib_implementation *out, int capacity, int *count, char *reason)
{
    (void)device;
    (void)state;
    if (desc->kind != TRIB_BATCH_NORM) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "scale: only batch norm");
        return trib_success();
    }
    for (int i = 0; i < test_way_count && *count < capacity; ++i)
        out[(*count)++] = (trib_implementation) { .name = test_ways[i].name,
                                                  .workspace_bytes = test_ways[i].workspace,
                                                  .packed_bytes = packing_of(desc).place.bytes };
    return trib_success();
}

static trib_status create_scale(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name)
{
    (void)device, (void)state;
    int way = 0;
    while (way < test_way_count && strcmp(name, test_ways[way].name)) ++way;
    if (way == test_way_count) return TRIB_ERROR(TRIB_UNSUPPORTED, "scale: there is no \"%s\"", name);
    const test_way **prepared = calloc(1, sizeof *prepared);
    if (!prepared) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "scale: out of memory");
    *prepared = &test_ways[way];
    op->prepared = prepared;
    op->base.workspace_bytes = test_ways[way].workspace;
    op->packing = packing_of(&op->desc);
    snprintf(op->detail, sizeof op->detail, "plain kernel");
    return trib_success();
}

static void destroy_scale(trib_cuda_device *device, void *state, trib_cuda_op *op)
{
    (void)device, (void)state;
    free(op->prepared);
}

static trib_status run_scale(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs,
                             void *const *outputs, const void *packed, void *workspace)
{
    const test_way *const *way = op->prepared;
    const trib_view *view = &op->desc.inputs[0];
    (void)workspace;
    if (!stream->providers[op->provider_index]) {
        stream->providers[op->provider_index] = malloc(1);
        if (!stream->providers[op->provider_index]) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "scale: out of memory");
        test_counts.handles++;
    }
    return TRIB_CUDA(trib_cuda_of(op->base.device), test_launch_scale(stream->handle, inputs[0], outputs[0], packed,
                                                                      trib_packed_bias(&op->packing.place, packed),
                                                                      view->n * view->h * view->w, view->c, *way));
}

static trib_status offer_nothing(trib_cuda_device *device, void *state, const trib_op_desc *desc,
                                 trib_implementation *out, int capacity, int *count, char *reason)
{
    (void)device;
    (void)state;
    (void)desc;
    (void)out;
    (void)capacity;
    (void)count;
    snprintf(reason, TRIB_MESSAGE_SIZE, "refuse: never");
    return trib_success();
}

static const trib_cuda_provider scale_provider = {
    .prefix = "scale:",
    .open = open_scale,
    .close = close_scale,
    .close_stream = close_stream,
    .offer = offer_scale,
    .create = create_scale,
    .destroy = destroy_scale,
    .run = run_scale,
};
static const trib_cuda_provider refusing_provider = { .prefix = "refuse:", .offer = offer_nothing };

const trib_cuda_provider *const trib_cuda_providers[] = { &scale_provider, &refusing_provider, NULL };
