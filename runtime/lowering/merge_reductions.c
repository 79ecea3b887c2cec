/* SPDX-License-Identifier: Apache-2.0
 * The 1x1 convolutions that read one fork's input (1x1, 3x3_reduce, 5x5_reduce) become one op with several
 * destinations: the input is read once, and one large product fills the device better than three small ones. The
 * destinations do not change: the 1x1 branch writes directly into its slice of the joined output. */
#include <string.h>

#include "device/window.h"
#include "lowering/fuse.h"
#include "lowering/passes.h"

static bool is_reduction(const trib_op_desc *d)
{
    return d->kind == TRIB_CONV2D && trib_is_pointwise(&d->attributes.conv2d);
}

/* Whether `b` can become further outputs of `a`: same fork, same input, same epilogue. */
static bool goes_with(const trib_plan_op *a, const trib_plan_op *b)
{
    return b->fork == a->fork && is_reduction(&b->desc) && b->desc.relu == a->desc.relu &&
           b->desc.has_bias == a->desc.has_bias && b->desc.output_count + a->desc.output_count <= TRIB_MAX_OUTPUTS &&
           !memcmp(&b->desc.inputs[0], &a->desc.inputs[0], sizeof a->desc.inputs[0]);
}

static const char *leaf(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* `a` with everything of `b` added. */
static trib_status merged(trib_lowering *l, const trib_plan_op *a, const trib_plan_op *b, trib_plan_op *out)
{
    *out = *a;
    out->name = trib_strings_format(l->strings, "%s+%s", a->name, leaf(b->name));
    if (!out->name) return trib_plan_no_memory();
    for (int i = 0; i < b->desc.output_count; ++i) {
        out->desc.outputs[out->desc.output_count++] = b->desc.outputs[i];
        out->parts[out->part_count++] = b->parts[i];
    }
    out->desc.attributes.conv2d.k += b->desc.attributes.conv2d.k;
    out->flops += b->flops;
    return trib_success();
}

/* Merges all matching ops into op `first`, which comes before every other op of its branch. */
static trib_status merge_into(trib_lowering *l, int first, int *gone)
{
    for (int i = first + 1; i < l->plan->op_count; ++i) {
        trib_plan_op *a = &l->plan->ops[first], both;
        bool can = false;
        if (!goes_with(a, &l->plan->ops[i])) continue;
        TRIB_TRY(merged(l, a, &l->plan->ops[i], &both));
        TRIB_TRY(trib_can_run(l, &both.desc, &can));
        if (!can) continue;
        *a = both;
        trib_lowering_remove_op(l, i);
        --i;
        ++*gone;
    }
    return trib_success();
}

trib_status trib_pass_merge_reductions(trib_lowering *l)
{
    int ops = 0, gone = 0;
    for (int i = 0; i < l->plan->op_count; ++i) {
        const trib_plan_op *op = &l->plan->ops[i];
        if (op->fork < 0 || !trib_pass_concerns(l, TRIB_PASS_MERGE_REDUCTIONS, op->fork)) continue;
        if (!is_reduction(&op->desc)) continue;
        int before = gone;
        TRIB_TRY(merge_into(l, i, &gone));
        ops += gone > before;
    }
    return trib_lowering_note(l, "merge_reductions: %d convolutions became %d ops", gone + ops, ops);
}
