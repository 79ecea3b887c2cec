/* SPDX-License-Identifier: Apache-2.0
 * Ops through oneDNN: offering and preparing them. */
#include <stdio.h>

#include "cpu/ops/onednn_op.h"
#include "tributary/internal/alloc.h"

/* Scratch memory for packing; ops without weights need none. */
static trib_status packing_scratch(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                   dnnl_primitive_desc_t found, int64_t *bytes)
{
    dnnl_primitive_desc_t packing = NULL;
    *bytes = 0;
    if (!trib_onednn_has_weight(desc)) return trib_success();
    TRIB_TRY(trib_onednn_describe_packing(device, desc, r, found, &packing));
    *bytes = trib_onednn_packing_scratch(desc, r, packing);
    trib_dnnl.primitive_desc_destroy(packing);
    return trib_success();
}

static const char *note_of(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    bool other = r->x_layout != trib_onednn_x(desc, r)->layout || r->y_layout != trib_onednn_y(desc, r)->layout;
    if (other) return "copies its images into another layout";
    if (desc->accumulate && !r->turned) return "adds its result to memory in a second step";
    return (r->stage_x || r->stage_y) && !r->filled ? "copies its slice: not dense in this layout" : NULL;
}

static trib_status describe(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                            const trib_onednn_descriptors *found, const char *name, trib_implementation *out)
{
    int64_t scratch;
    TRIB_TRY(packing_scratch(device, desc, r, found->all, &scratch));
    *out = (trib_implementation) { .name = name,
                                   .workspace_bytes = trib_onednn_workspace_of(desc, r, found, scratch).bytes,
                                   .note = note_of(desc, r) };
    if (!trib_onednn_has_weight(desc) || trib_onednn_trains(desc)) return trib_success();
    out->packed_bytes = trib_onednn_packing_of(desc, r, found->all).bytes;
    out->packing_bytes = scratch;
    return trib_success();
}

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    const char *names[TRIB_ONEDNN_CANDIDATES];
    if (trib_onednn_is_trained_linear(desc)) {
        if (*count < capacity && trib_onednn_offer_linear(device, desc, &out[*count], reason)) ++*count;
        return trib_success();
    }
    trib_onednn_candidates(desc, names);
    for (int i = 0; i < TRIB_ONEDNN_CANDIDATES && names[i] && *count < capacity; ++i) {
        trib_onednn_recipe r;
        trib_onednn_descriptors found;
        TRIB_TRY(trib_onednn_find(device, desc, names[i], &r, &found, reason));
        if (!found.all) continue;
        trib_status status = describe(device, desc, &r, &found, names[i], &out[*count]);
        trib_onednn_descriptors_destroy(&found);
        if (trib_failed(&status)) return trib_outcome(&status);
        ++*count;
    }
    return trib_success();
}

static trib_status build(trib_onednn_op *own, const trib_op_desc *desc)
{
    trib_status status = trib_success();
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_create(&own->all, own->descriptors.all));
    if (own->descriptors.rest)
        TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_create(&own->rest, own->descriptors.rest));
    if (!trib_onednn_has_weight(desc)) return trib_success();
    TRIB_TRY_GOTO(status, done,
                  trib_onednn_describe_packing(own->device, desc, &own->recipe, own->descriptors.all, &own->packing));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_create(&own->packs, own->packing));
done:
    return trib_outcome(&status);
}

/* What a caller asks of the op, once its descriptors exist. */
static void state_needs(trib_cpu_op *op)
{
    trib_onednn_op *own = op->onednn;
    const trib_op_desc *desc = &op->desc;
    int64_t scratch = own->packing ? trib_onednn_packing_scratch(desc, &own->recipe, own->packing) : 0;
    own->parameters = trib_onednn_packing_of(desc, &own->recipe, own->descriptors.all);
    own->workspace = trib_onednn_workspace_of(desc, &own->recipe, &own->descriptors, scratch);
    op->base.workspace_bytes = own->workspace.bytes;
    op->in_chunks = desc->chunk > 0;
    op->cores = op->in_chunks ? own->workspace.workers : own->recipe.threads;
    if (trib_onednn_trains(desc)) return;
    op->packing = own->parameters;
    op->base.packing_bytes = scratch;
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    char reason[TRIB_MESSAGE_SIZE] = "";
    if (trib_onednn_is_trained_linear(&op->desc)) return trib_onednn_prepare_linear(device, op, name);
    trib_onednn_op *own = trib_alloc_zeroed(1, sizeof *own);
    if (!own) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", trib_kind_name(op->desc.kind));
    op->onednn = own; /* from here on, released with the op */
    own->device = device;
    TRIB_TRY(trib_onednn_find(device, &op->desc, name, &own->recipe, &own->descriptors, reason));
    if (!own->descriptors.all)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" here: %.300s", trib_kind_name(op->desc.kind),
                          name, reason);
    snprintf(op->detail, sizeof op->detail, "%s", trib_dnnl_name(own->descriptors.all));
    op->run = trib_onednn_run;
    op->pack = trib_onednn_pack;
    int before = trib_cpu_omp_get_threads();
    trib_cpu_omp_set_threads(own->recipe.threads);
    trib_status status = build(own, &op->desc);
    trib_cpu_omp_set_threads(before);
    if (!trib_failed(&status)) state_needs(op);
    return trib_outcome(&status);
}

void trib_onednn_op_destroy(trib_onednn_op *op)
{
    if (!op) return;
    if (op->packs) trib_dnnl.primitive_destroy(op->packs);
    if (op->rest) trib_dnnl.primitive_destroy(op->rest);
    if (op->all) trib_dnnl.primitive_destroy(op->all);
    if (op->packing) trib_dnnl.primitive_desc_destroy(op->packing);
    trib_onednn_descriptors_destroy(&op->descriptors);
    trib_free(op);
}

const trib_cpu_backend trib_cpu_onednn_backend = { offer, prepare };
