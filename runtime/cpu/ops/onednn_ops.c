/* SPDX-License-Identifier: Apache-2.0
 * Ops through oneDNN: offering and preparing them. */
#include <stdio.h>

#include "cpu/ops/onednn_op.h"
#include "tributary/internal/alloc.h"

/* The memory that packing for `found` takes; ops without weights need none. */
static trib_status add_packing(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                               dnnl_primitive_desc_t found, trib_implementation *out)
{
    dnnl_primitive_desc_t packing = NULL;
    if (!trib_onednn_has_weight(desc)) return trib_success();
    TRIB_TRY(trib_onednn_describe_packing(device, desc, r, found, &packing));
    out->packed_bytes = trib_onednn_packing_of(desc, r, found).bytes;
    out->packing_bytes = trib_onednn_packing_scratch(desc, r, packing);
    trib_dnnl.primitive_desc_destroy(packing);
    return trib_success();
}

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    const char *names[TRIB_ONEDNN_CANDIDATES];
    trib_onednn_candidates(desc, names);
    for (int i = 0; i < TRIB_ONEDNN_CANDIDATES && names[i] && *count < capacity; ++i) {
        trib_onednn_recipe r;
        dnnl_primitive_desc_t found;
        int64_t scratch_bytes;
        TRIB_TRY(trib_onednn_find(device, desc, names[i], &r, &found, reason));
        if (!found) continue;
        out[*count] = (trib_implementation) {
            .name = names[i],
            .workspace_bytes = trib_onednn_workspace_of(&r, found, &scratch_bytes),
            .note = r.stage_source || r.stage_target ? "copies its slice: not dense in this layout" : NULL,
        };
        trib_status status = add_packing(device, desc, &r, found, &out[*count]);
        trib_dnnl.primitive_desc_destroy(found);
        if (trib_failed(&status)) return trib_outcome(&status);
        ++*count;
    }
    return trib_success();
}

static trib_status build(trib_onednn_op *own, const trib_op_desc *desc)
{
    trib_status status = trib_success();
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_create(&own->primitive, own->descriptor));
    if (!trib_onednn_has_weight(desc)) return trib_success();
    TRIB_TRY_GOTO(status, done,
                  trib_onednn_describe_packing(own->device, desc, &own->recipe, own->descriptor, &own->packing));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_create(&own->packs, own->packing));
done:
    return trib_outcome(&status);
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    char reason[TRIB_MESSAGE_SIZE] = "";
    trib_onednn_op *own = trib_alloc_zeroed(1, sizeof *own);
    if (!own) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", trib_kind_name(op->desc.kind));
    op->onednn = own; /* from here on, released with the op */
    own->device = device;
    TRIB_TRY(trib_onednn_find(device, &op->desc, name, &own->recipe, &own->descriptor, reason));
    if (!own->descriptor)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" here: %.300s", trib_kind_name(op->desc.kind),
                          name, reason);
    op->base.workspace_bytes = trib_onednn_workspace_of(&own->recipe, own->descriptor, &own->scratch_bytes);
    op->packing = trib_onednn_packing_of(&op->desc, &own->recipe, own->descriptor);
    snprintf(op->detail, sizeof op->detail, "%s", trib_dnnl_name(own->descriptor));
    op->run = trib_onednn_run;
    op->pack = trib_onednn_pack;
    op->cores = own->recipe.threads;
    int before = trib_cpu_omp_get_threads();
    trib_cpu_omp_set_threads(own->recipe.threads);
    trib_status status = build(own, &op->desc);
    trib_cpu_omp_set_threads(before);
    if (own->packing) op->base.packing_bytes = trib_onednn_packing_scratch(&op->desc, &own->recipe, own->packing);
    return trib_outcome(&status);
}

void trib_onednn_op_destroy(trib_onednn_op *op)
{
    if (!op) return;
    if (op->packs) trib_dnnl.primitive_destroy(op->packs);
    if (op->primitive) trib_dnnl.primitive_destroy(op->primitive);
    if (op->packing) trib_dnnl.primitive_desc_destroy(op->packing);
    if (op->descriptor) trib_dnnl.primitive_desc_destroy(op->descriptor);
    trib_free(op);
}

const trib_cpu_backend trib_cpu_onednn_backend = { offer, prepare };
