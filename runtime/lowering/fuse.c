/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/fuse.h"

#include <string.h>

#include "graph/kinds.h"
#include "lowering/passes.h"

trib_status trib_can_run(const trib_lowering *l, const trib_op_desc *desc, bool *can)
{
    trib_implementation any;
    int count = 0;
    TRIB_TRY(trib_op_implementations(l->device, desc, false, &any, 1, &count, NULL));
    *can = count > 0;
    return trib_success();
}

/* The only op that reads `buffer`, or NULL if there are several or none. */
static trib_plan_op *only_reader(const trib_plan *p, int buffer)
{
    trib_plan_op *reader = NULL;
    for (int i = 0; i < p->op_count; ++i)
        for (int k = 0; k < p->ops[i].desc.input_count; ++k) {
            if (p->ops[i].desc.inputs[k].buffer != buffer) continue;
            if (reader) return NULL;
            reader = &p->ops[i];
        }
    return reader;
}

/* The op that `first` can be fused with, or NULL. A slice of a joined output is read by the join. */
static trib_plan_op *partner_of(const trib_plan *p, const trib_plan_op *first, trib_kind kind)
{
    const trib_view *between = &first->desc.outputs[0];
    trib_plan_op *second = only_reader(p, between->buffer);
    if (!second || second->desc.kind != kind || first->desc.relu) return NULL;
    bool same_branch = second->fork == first->fork && second->branch == first->branch;
    return same_branch && between->c == between->c_total ? second : NULL;
}

/* Both ops as one; false if one of them already has a stage in that place. */
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

/* Op `b` becomes both, and op `a` is removed. Parameters are the main op's. */
static trib_status become_one(trib_lowering *l, const trib_plan_op *a, trib_plan_op *b, const trib_op_desc *desc,
                              trib_fusion fusion)
{
    b->name = trib_strings_format(l->strings, "%s+%s", a->name, b->name);
    if (!b->name) return trib_plan_no_memory();
    trib_lowering_forget_buffer(l, a->desc.outputs[0].buffer); /* the tensor between them is never materialised */
    b->desc = *desc;
    b->flops += a->flops;
    if (fusion == TRIB_AS_EPILOGUE) {
        memcpy(b->parts, a->parts, sizeof b->parts);
        b->part_count = a->part_count;
    }
    return trib_success();
}

trib_status trib_fuse_pairs(trib_lowering *l, trib_pass pass, trib_kind first, trib_kind second, trib_fusion fusion,
                            trib_worth_fusing *worth, int *fused)
{
    *fused = 0;
    if (!(fusion == TRIB_AS_PROLOGUE ? allowed(second, first, fusion) : allowed(first, second, fusion)))
        return trib_success();
    for (int i = 0; i < l->plan->op_count; ++i) {
        trib_plan_op *a = &l->plan->ops[i];
        if (a->desc.kind != first || !trib_pass_concerns(l, pass, a->fork)) continue;
        trib_plan_op *b = partner_of(l->plan, a, second);
        trib_op_desc desc;
        bool can = false;
        if (b && fused_desc(&a->desc, &b->desc, fusion, &desc) && (!worth || worth(l, &desc)))
            TRIB_TRY(trib_can_run(l, &desc, &can));
        if (!can) continue;
        TRIB_TRY(become_one(l, a, b, &desc, fusion));
        trib_lowering_remove_op(l, i);
        --i;
        ++*fused;
    }
    return trib_success();
}
