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

typedef struct scale {
    float *weight, *bias;
    const test_way *way;
} scale;

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
        out[(*count)++] =
            (trib_implementation) { .name = test_ways[i].name, .workspace_bytes = test_ways[i].workspace };
    return trib_success();
}

static trib_status create_scale(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name,
                                const trib_op_parameters *parameters)
{
    (void)state;
    int way = 0;
    while (way < test_way_count && strcmp(name, test_ways[way].name)) ++way;
    if (way == test_way_count) return TRIB_ERROR(TRIB_UNSUPPORTED, "scale: there is no \"%s\"", name);
    scale *prepared = calloc(1, sizeof *prepared);
    if (!prepared) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "scale: out of memory");
    op->prepared = prepared;
    op->workspace_bytes = test_ways[way].workspace;
    prepared->way = &test_ways[way];
    snprintf(op->detail, sizeof op->detail, "plain kernel");
    size_t bytes = (size_t)op->desc.inputs[0].c * sizeof(float);
    void *weight, *bias;
    TRIB_TRY(trib_cuda_upload(device, parameters->weight, bytes, &weight));
    prepared->weight = weight;
    TRIB_TRY(trib_cuda_upload(device, parameters->bias, bytes, &bias));
    prepared->bias = bias;
    return trib_success();
}

static void destroy_scale(trib_cuda_device *device, void *state, trib_cuda_op *op)
{
    (void)state;
    scale *prepared = op->prepared;
    if (!prepared) return;
    if (prepared->weight) trib_cuda_free(&device->base, NULL, prepared->weight);
    if (prepared->bias) trib_cuda_free(&device->base, NULL, prepared->bias);
    free(prepared);
}

static trib_status run_scale(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs,
                             void *const *outputs, void *workspace)
{
    const scale *prepared = op->prepared;
    const trib_view *view = &op->desc.inputs[0];
    (void)workspace;
    if (!stream->providers[op->provider_index]) {
        stream->providers[op->provider_index] = malloc(1);
        if (!stream->providers[op->provider_index]) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "scale: out of memory");
        test_counts.handles++;
    }
    return TRIB_CUDA(trib_cuda_of(op->base.device),
                     test_launch_scale(stream->handle, inputs[0], outputs[0], prepared->weight, prepared->bias,
                                       view->n * view->h * view->w, view->c, prepared->way));
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
