/* SPDX-License-Identifier: Apache-2.0
 * Chooses, prepares and queues ops. */
#include <stdio.h>
#include <string.h>

#include "cpu/libraries/onednn.h"
#include "cpu/ops/op.h"
#include "device/op_check.h"
#include "graph/kinds.h"
#include "tributary/internal/alloc.h"

enum { MOST_IMPLEMENTATIONS = 8 };

/* Best first. */
static const struct {
    const char *prefix; /* of its names */
    const trib_cpu_backend *backend;
    bool only_on_request;
} backends[] = {
    { "onednn", &trib_cpu_onednn_backend, false },
    { "native", &trib_cpu_native_backend, false },
    { "reference", &trib_cpu_reference_backend, true },
};
enum { BACKENDS = sizeof backends / sizeof *backends };

static int cores_of(const trib_device *device, const trib_op_desc *desc)
{
    return desc->threads > 0 && desc->threads < device->info.cores ? desc->threads : device->info.cores;
}

/* Kinds with types of their own (indices, labels, controls) have had them checked; their numbers are f32, too. */
static bool is_f32(const trib_view *views, int count, bool own_types)
{
    for (int i = 0; i < count; ++i)
        if (views[i].dtype != TRIB_F32 && !(own_types && !trib_dtype_is_float(views[i].dtype))) return false;
    return true;
}

/* Several outputs, a prologue or an epilogue: what only some devices have. */
static bool is_joined(const trib_op_desc *desc, const trib_kind_row *row)
{
    bool divides = row->most_outputs > row->least_outputs && !row->own_extents;
    return (divides && desc->output_count > 1) || trib_op_has_stages(desc);
}

/* Backends check kinds, layouts and shapes; this refuses what no backend supports. */
static bool refuses(const trib_op_desc *desc, char *reason)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    bool rows = desc->kind == TRIB_TOP_K;
    bool wider = desc->kind == TRIB_REORDER && desc->outputs[0].c != desc->inputs[0].c;
    bool bytes = row->own_extents || row->takes == TRIB_TAKES_REGIONS;
    bool f32 = is_f32(desc->inputs, desc->input_count, bytes) &&
               is_f32(desc->outputs, rows ? 1 : desc->output_count, row->own_extents);
    bool refused = is_joined(desc, row) || wider || !f32 || desc->precision != TRIB_PRECISION_FP32;
    if (refused) snprintf(reason, TRIB_MESSAGE_SIZE, "the cpu device computes in f32, and has no joined ops");
    return refused;
}

trib_status trib_cpu_op_implementations(trib_device *base, const trib_op_desc *desc, bool include_reference,
                                        trib_implementation *out, int capacity, int *count, char *reason)
{
    trib_implementation found[MOST_IMPLEMENTATIONS];
    char why[TRIB_MESSAGE_SIZE] = "", all[TRIB_MESSAGE_SIZE] = "";
    int total = 0;
    trib_op_desc wanted = *desc;
    TRIB_TRY(trib_op_check(desc));
    *count = 0;
    if (refuses(desc, reason ? reason : why)) return trib_success();
    wanted.threads = cores_of(base, desc);
    for (int i = 0; i < BACKENDS; ++i) {
        if (backends[i].only_on_request && !include_reference) continue;
        int before = total;
        TRIB_TRY(backends[i].backend->offer(trib_cpu_of(base), &wanted, found, MOST_IMPLEMENTATIONS, &total, why));
        size_t used = strlen(all);
        if (total == before) snprintf(all + used, sizeof all - used, "%s%.200s", used ? "; " : "", why);
    }
    *count = total < capacity ? total : capacity;
    memcpy(out, found, (size_t)*count * sizeof *out);
    if (reason) snprintf(reason, TRIB_MESSAGE_SIZE, "%s", total ? "" : all);
    return trib_success();
}

static trib_status prepare(trib_cpu_op *op, const char *name)
{
    for (int i = 0; i < BACKENDS; ++i)
        if (!strncmp(name, backends[i].prefix, strlen(backends[i].prefix)))
            return backends[i].backend->prepare(trib_cpu_of(op->base.device), op, name);
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation is called \"%s\" here", trib_kind_name(op->desc.kind),
                      name);
}

trib_status trib_cpu_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                               trib_op_handle **out)
{
    char why[TRIB_MESSAGE_SIZE];
    TRIB_TRY(trib_op_check(desc));
    if (refuses(desc, why)) return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %s", trib_kind_name(desc->kind), why);
    trib_cpu_op *op = trib_alloc_zeroed(1, sizeof *op);
    if (!op) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", trib_kind_name(desc->kind));
    op->base.device = device;
    atomic_init(&op->references, 1);
    op->desc = *desc;
    op->base.desc = &op->desc;
    op->desc.threads = cores_of(device, desc);
    op->cores = 1;
    trib_status status = prepare(op, implementation);
    if (trib_failed(&status)) {
        trib_cpu_op_release(op);
        return status;
    }
    op->base.packed_bytes = op->packing.bytes;
    *out = &op->base;
    return trib_outcome(&status);
}

void trib_cpu_op_retain(trib_cpu_op *op) { atomic_fetch_add(&op->references, 1); }

void trib_cpu_op_release(trib_cpu_op *op)
{
    if (atomic_fetch_sub(&op->references, 1) > 1) return;
    trib_onednn_op_destroy(op->onednn);
    trib_free(op);
}

void trib_cpu_op_destroy(trib_op_handle *op) { trib_cpu_op_release((trib_cpu_op *)op); }

const char *trib_cpu_op_detail(const trib_op_handle *op) { return ((const trib_cpu_op *)op)->detail; }

int trib_cpu_op_cores(const trib_cpu_op *op) { return op->cores; }

bool trib_cpu_op_in_chunks(const trib_cpu_op *op) { return op->in_chunks; }

trib_status trib_cpu_op_execute(const trib_cpu_item *item, const trib_cpu_worker *worker)
{
    bool runs = item->work == TRIB_CPU_OP;
    const trib_cpu_op *op = trib_cpu_item_op(item);
    trib_status status =
        runs ? op->run(op, worker, item->run.inputs, item->run.outputs, item->run.packed, item->run.workspace)
             : op->pack(op, worker, &item->pack.parameters, item->pack.packed, item->pack.workspace);
    trib_add_context(&status, runs ? "%s" : "parameters of %s", trib_kind_name(op->desc.kind));
    return trib_outcome(&status);
}

/* An item for work of the op; it holds a reference to the op. */
static trib_status take_item(trib_cpu_op *op, trib_cpu_stream *stream, trib_cpu_work work, trib_cpu_item **out)
{
    const char *kind = trib_kind_name(op->desc.kind);
    /* A oneDNN primitive starts as many threads as it was built for, whatever the OpenMP setting. */
    if (op->cores > stream->threads)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: prepared for %d threads, but stream \"%s\" allows %d; prepare it with desc.threads = %d",
                          kind, op->cores, stream->name, stream->threads, stream->threads);
    *out = trib_cpu_item_take(stream, work);
    if (!*out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", kind);
    trib_cpu_op_retain(op);
    return trib_success();
}

trib_status trib_cpu_op_pack(trib_op_handle *base, trib_stream *target, const trib_op_parameters *parameters,
                             void *packed, void *workspace)
{
    trib_cpu_item *item = NULL;
    TRIB_TRY(take_item((trib_cpu_op *)base, (trib_cpu_stream *)target, TRIB_CPU_PACK, &item));
    item->pack.op = (trib_cpu_op *)base;
    item->pack.parameters = *parameters;
    item->pack.packed = packed;
    item->pack.workspace = workspace;
    return trib_cpu_submit((trib_cpu_stream *)target, item);
}

trib_status trib_cpu_op_run(trib_op_handle *base, trib_stream *target, const void *const *inputs, void *const *outputs,
                            const void *packed, void *workspace)
{
    trib_cpu_op *op = (trib_cpu_op *)base;
    trib_cpu_item *item = NULL;
    TRIB_TRY(take_item(op, (trib_cpu_stream *)target, TRIB_CPU_OP, &item));
    item->run.op = op;
    memcpy(item->run.inputs, inputs, (size_t)op->desc.input_count * sizeof *inputs);
    memcpy(item->run.outputs, outputs, (size_t)op->desc.output_count * sizeof *outputs);
    item->run.packed = packed;
    item->run.workspace = workspace;
    item->run.observed = ((trib_cpu_stream *)target)->observed;
    return trib_cpu_submit((trib_cpu_stream *)target, item);
}
