/* SPDX-License-Identifier: Apache-2.0
 * Chooses, prepares and runs ops by asking the providers in turn. */
#include "cuda/ops/ops.h"

#include <stdio.h>
#include <string.h>

#include "device/op_check.h"
#include "device/window.h"
#include "tributary/internal/alloc.h"

enum { MOST_IMPLEMENTATIONS = 16 };

/* ---- providers ---- */

trib_status trib_cuda_ops_open(trib_cuda_device *device)
{
    char *library = device->base.info.library;
    for (int i = 0; trib_cuda_providers[i]; ++i) {
        const char *version = NULL;
        if (!trib_cuda_providers[i]->open) continue;
        trib_status status = trib_cuda_providers[i]->open(device, &device->providers[i], &version);
        trib_cuda_note_failure(device, &status);
        TRIB_TRY(status);
        size_t used = strlen(library);
        if (version) snprintf(library + used, sizeof device->base.info.library - used, ", %s", version);
    }
    return trib_success();
}

void trib_cuda_ops_close(trib_cuda_device *device)
{
    for (int i = 0; trib_cuda_providers[i]; ++i)
        if (device->providers[i]) trib_cuda_providers[i]->close(device, device->providers[i]);
}

trib_status trib_cuda_ops_open_stream(trib_cuda_stream *stream)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    for (int i = 0; trib_cuda_providers[i]; ++i)
        if (trib_cuda_providers[i]->open_stream && device->providers[i]) {
            trib_status status = trib_cuda_providers[i]->open_stream(device, device->providers[i], stream->handle,
                                                                     &stream->providers[i]);
            trib_cuda_note_failure(device, &status);
            TRIB_TRY(status);
        }
    return trib_success();
}

void trib_cuda_ops_close_stream(trib_cuda_stream *stream)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    for (int i = 0; trib_cuda_providers[i]; ++i)
        if (stream->providers[i])
            trib_cuda_providers[i]->close_stream(device, device->providers[i], stream->providers[i]);
}

/* ---- choosing ---- */

static trib_status ask(trib_cuda_device *device, int index, const trib_op_desc *desc, trib_implementation *found,
                       int *total, char *all)
{
    char why[TRIB_MESSAGE_SIZE] = "";
    int before = *total;
    trib_status status = trib_cuda_providers[index]->offer(device, device->providers[index], desc, found,
                                                           MOST_IMPLEMENTATIONS, total, why);
    trib_cuda_note_failure(device, &status);
    TRIB_TRY(status);
    size_t used = strlen(all);
    if (*total == before) snprintf(all + used, TRIB_MESSAGE_SIZE - used, "%s%.200s", used ? "; " : "", why);
    return trib_success();
}

/* In 16 bits a product with one destination is for the libraries: on an H100, cuBLASLt's takes a third to a half less
 * time than our kernel at all batch sizes. That one is for several destinations, where there is no library, and for
 * tf32, where it rounds what a library would cut. */
static bool is_for_libraries(const trib_op_desc *d)
{
    const bool half = d->precision == TRIB_PRECISION_FP16 || d->precision == TRIB_PRECISION_BF16;
    return half && d->kind == TRIB_CONV2D && d->output_count == 1 && !trib_op_has_stages(d) &&
           trib_is_pointwise(&d->attributes.conv2d);
}

static int provider_count(void)
{
    int count = 0;
    while (trib_cuda_providers[count]) ++count;
    return count;
}

trib_status trib_cuda_op_implementations(trib_device *base, const trib_op_desc *desc, bool include_reference,
                                         trib_implementation *out, int capacity, int *count, char *reason)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_implementation found[MOST_IMPLEMENTATIONS];
    char all[TRIB_MESSAGE_SIZE] = "";
    int total = 0;
    (void)include_reference; /* it is plain C, for the host */
    TRIB_TRY(trib_op_check(desc));
    TRIB_TRY(trib_cuda_enter(device));
    const int providers = provider_count();
    for (int i = 0; i < providers; ++i)
        TRIB_TRY(ask(device, is_for_libraries(desc) ? providers - 1 - i : i, desc, found, &total, all));
    if (!total && !all[0])
        snprintf(all, sizeof all, "%s: this build has no implementation for CUDA devices", trib_kind_name(desc->kind));
    *count = total < capacity ? total : capacity;
    if (*count) memcpy(out, found, (size_t)*count * sizeof *out);
    if (reason) snprintf(reason, TRIB_MESSAGE_SIZE, "%s", total ? "" : all);
    return trib_success();
}

/* ---- preparing and running ---- */

static trib_status prepare(trib_cuda_op *op, const char *name)
{
    trib_cuda_device *device = trib_cuda_of(op->base.device);
    for (int i = 0; trib_cuda_providers[i]; ++i) {
        if (strncmp(name, trib_cuda_providers[i]->prefix, strlen(trib_cuda_providers[i]->prefix))) continue;
        op->provider = trib_cuda_providers[i];
        op->provider_index = i;
        trib_status status = op->provider->create(device, device->providers[i], op, name);
        trib_cuda_note_failure(device, &status);
        return status;
    }
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation is called \"%s\" here", trib_kind_name(op->desc.kind),
                      name);
}

trib_status trib_cuda_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                                trib_op_handle **out)
{
    TRIB_TRY(trib_op_check(desc));
    TRIB_TRY(trib_cuda_enter(trib_cuda_of(device)));
    trib_cuda_op *op = trib_alloc_zeroed(1, sizeof *op);
    if (!op) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", trib_kind_name(desc->kind));
    op->base.device = device;
    op->desc = *desc;
    op->base.desc = &op->desc;
    trib_status status = prepare(op, implementation);
    if (trib_failed(&status)) {
        trib_cuda_op_destroy(&op->base);
        return status;
    }
    op->base.packed_bytes = op->packing.place.bytes;
    *out = &op->base;
    return trib_outcome(&status);
}

void trib_cuda_op_destroy(trib_op_handle *base)
{
    trib_cuda_op *op = (trib_cuda_op *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    if (op->provider) op->provider->destroy(device, device->providers[op->provider_index], op);
    trib_free(op);
}

const char *trib_cuda_op_detail(const trib_op_handle *op) { return ((const trib_cuda_op *)op)->detail; }

trib_status trib_cuda_op_pack(trib_op_handle *base, trib_stream *stream, const trib_op_parameters *parameters,
                              void *packed, void *workspace)
{
    trib_cuda_op *op = (trib_cuda_op *)base;
    (void)workspace;
    TRIB_TRY(trib_cuda_enter(trib_cuda_of(base->device)));
    trib_status status = trib_cuda_packing_run(&op->packing, parameters, packed, ((trib_cuda_stream *)stream)->handle);
    trib_cuda_note_failure(trib_cuda_of(base->device), &status);
    trib_add_context(&status, "parameters of %s", trib_kind_name(op->desc.kind));
    return trib_outcome(&status);
}

trib_status trib_cuda_op_run(trib_op_handle *base, trib_stream *stream, const void *const *inputs, void *const *outputs,
                             const void *packed, void *workspace)
{
    trib_cuda_op *op = (trib_cuda_op *)base;
    TRIB_TRY(trib_cuda_enter(trib_cuda_of(base->device)));
    trib_status status = op->provider->run(op, (trib_cuda_stream *)stream, inputs, outputs, packed, workspace);
    trib_cuda_note_failure(trib_cuda_of(base->device), &status);
    trib_add_context(&status, "%s", trib_kind_name(op->desc.kind));
    return trib_outcome(&status);
}
