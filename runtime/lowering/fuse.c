/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/fuse.h"

#include <string.h>

#include "graph/kinds.h"

trib_status trib_can_run(const trib_lowering *l, const trib_op_desc *desc, bool *can)
{
    trib_implementation any;
    int count = 0;
    TRIB_TRY(trib_op_implementations(l->device, desc, false, &any, 1, &count, NULL));
    *can = count > 0;
    return trib_success();
}

void trib_remove_op(trib_lowering *l, size_t index)
{
    memmove(&l->ops[index], &l->ops[index + 1], (l->op_count - index - 1) * sizeof *l->ops);
    --l->op_count;
}

/* The only op that reads `buffer`, or op_count when there are several or none. */
static size_t only_reader(const trib_lowering *l, int buffer)
{
    size_t reader = l->op_count;
    for (size_t i = 0; i < l->op_count; ++i)
        for (int k = 0; k < l->ops[i].desc.input_count; ++k) {
            if (l->ops[i].desc.inputs[k].buffer != buffer) continue;
            if (reader != l->op_count) return l->op_count;
            reader = i;
        }
    return reader;
}

/* The index of the op that `first` can be fused with, or op_count. A slice of a joined output is read by the join. */
static size_t partner_of(const trib_lowering *l, size_t first, trib_kind kind)
{
    const trib_plan_op *op = &l->ops[first];
    const trib_view *between = &op->desc.outputs[0];
    size_t second = only_reader(l, between->buffer);
    if (second == l->op_count || l->ops[second].desc.kind != kind || op->desc.relu) return l->op_count;
    bool same_branch = l->ops[second].fork == op->fork && l->ops[second].branch == op->branch;
    return same_branch && between->c == between->c_total ? second : l->op_count;
}

/* Both ops as one; false when one of them has a stage in that place already. */
static bool fused_desc(const trib_op_desc *first, const trib_op_desc *second, trib_fusion fusion, trib_op_desc *out)
{
    bool prologue = fusion == TRIB_AS_PROLOGUE;
    const trib_op_desc *main = prologue ? second : first, *stage = prologue ? first : second;
    *out = *main;
    trib_op_stage *place = prologue ? &out->before : &out->after;
    if (place->kind != TRIB_NO_STAGE || stage->before.kind != TRIB_NO_STAGE || stage->after.kind != TRIB_NO_STAGE)
        return false;
    place->kind = stage->kind;
    place->attributes = stage->attributes;
    if (prologue)
        out->inputs[0] = first->inputs[0];
    else {
        out->outputs[0] = second->outputs[0];
        out->relu = second->relu;
    }
    return true;
}

static bool allowed(trib_kind main, trib_kind stage, trib_fusion fusion)
{
    const trib_kind_row *row = trib_kind_row_of(main);
    return (fusion == TRIB_AS_PROLOGUE ? row->before : row->after) >> stage & 1u;
}

/* Op `b` becomes both; op `a` is to go. Parameters are the main op's. */
static trib_status become_one(trib_lowering *l, const trib_plan_op *a, trib_plan_op *b, const trib_op_desc *desc,
                              trib_fusion fusion)
{
    b->name = trib_strings_format(l->strings, "%s+%s", a->name, b->name);
    if (!b->name) return trib_plan_no_memory();
    l->buffers[a->desc.outputs[0].buffer].bytes = 0; /* what lay between is never materialised */
    b->desc = *desc;
    b->flops += a->flops;
    if (fusion == TRIB_AS_EPILOGUE) {
        memcpy(b->parts, a->parts, sizeof b->parts);
        b->part_count = a->part_count;
    }
    return trib_success();
}

trib_status trib_fuse_pairs(trib_lowering *l, trib_kind first, trib_kind second, trib_fusion fusion, int *fused)
{
    *fused = 0;
    if (!(fusion == TRIB_AS_PROLOGUE ? allowed(second, first, fusion) : allowed(first, second, fusion)))
        return trib_success();
    for (size_t i = 0; i < l->op_count; ++i) {
        if (l->ops[i].desc.kind != first) continue;
        size_t partner = partner_of(l, i, second);
        if (partner == l->op_count) continue;
        trib_plan_op *a = &l->ops[i], *b = &l->ops[partner];
        trib_op_desc desc;
        bool can = false;
        if (fused_desc(&a->desc, &b->desc, fusion, &desc)) TRIB_TRY(trib_can_run(l, &desc, &can));
        if (!can) continue;
        TRIB_TRY(become_one(l, a, b, &desc, fusion));
        trib_remove_op(l, i);
        --i;
        ++*fused;
    }
    return trib_success();
}
