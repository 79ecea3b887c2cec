/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/runnable.h"

#include <string.h>

#include "graph/kinds.h"
#include "lowering/candidates.h"

static trib_status nothing_fits(const trib_lowering *l, const trib_plan_op *op, const char *reason)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "layer %s: device %s has no implementation of %s in layout %s: %s", op->name,
                      trib_device_get_info(l->device)->spec, trib_kind_name(op->desc.kind),
                      trib_layout_name(op->desc.outputs[0].layout), reason);
}

/* Puts a reorder of op's first input to `layout` in front of it. */
static trib_status add_reorder(trib_lowering *l, trib_plan_op *op, trib_layout layout)
{
    trib_plan_op reorder = *op;
    memset(&reorder.desc, 0, sizeof reorder.desc);
    trib_view from = op->desc.inputs[0], to = from;
    to.layout = layout;
    to.c_offset = 0;
    to.c_total = from.c;
    reorder.name = trib_strings_format(l->strings, "%s/to_%s", op->name, trib_layout_name(layout));
    if (!reorder.name) return trib_plan_no_memory();
    TRIB_TRY(trib_lowering_add_buffer(l, reorder.name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(&to), &to.buffer));
    reorder.part_count = 1;
    reorder.parts[0] = trib_no_parameters();
    reorder.flops = 0;
    reorder.desc.kind = TRIB_REORDER;
    reorder.desc.input_count = reorder.desc.output_count = 1;
    reorder.desc.inputs[0] = from;
    reorder.desc.outputs[0] = to;
    reorder.desc.threads = op->desc.threads;
    op->desc.inputs[0] = to;
    trib_candidates c;
    TRIB_TRY(trib_ask_candidates(l, &reorder.desc, &c));
    if (!c.count) return nothing_fits(l, &reorder, c.reason);
    TRIB_TRY(trib_take_candidate(l, &reorder, &c));
    return trib_lowering_add_op(l, &reorder);
}

/* A layout for which the device has implementations if the source is dense, or `c->count` == 0. */
static trib_status try_source_layouts(trib_lowering *l, const trib_plan_op *op, trib_candidates *c, trib_layout *found)
{
    static const trib_layout others[] = { TRIB_NCHW, TRIB_NHWC, TRIB_NCHW16C, TRIB_NCHW8C };
    const trib_view *source = &op->desc.inputs[0];
    bool alone = op->desc.input_count == 1 || trib_kind_row_of(op->desc.kind)->operands;
    if (!trib_dtype_is_float(source->dtype)) return trib_success(); /* a reorder has no bytes */
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        if (!alone || (others[i] == source->layout && source->c == source->c_total)) continue;
        trib_op_desc other = op->desc;
        other.inputs[0].layout = others[i];
        other.inputs[0].c_offset = 0;
        other.inputs[0].c_total = other.inputs[0].c;
        char first_reason[TRIB_MESSAGE_SIZE];
        memcpy(first_reason, c->reason, sizeof first_reason);
        TRIB_TRY(trib_ask_candidates(l, &other, c));
        *found = others[i];
        if (c->count) return trib_success();
        memcpy(c->reason, first_reason, sizeof first_reason);
    }
    return trib_success();
}

/* Gives op's output a buffer of its own; *copy then brings it to the slice. */
static trib_status give_up_slice(trib_lowering *l, trib_plan_op *op, trib_plan_op *copy)
{
    trib_view slice = op->desc.outputs[0], own = slice;
    own.c_offset = 0;
    own.c_total = own.c;
    TRIB_TRY(trib_lowering_add_buffer(l, op->name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(&own), &own.buffer));
    TRIB_TRY(trib_lowering_new_op(l, op->layer, trib_strings_format(l->strings, "%s/copy_to_slice", op->name), copy));
    copy->desc.kind = TRIB_CONCAT;
    memset(&copy->desc.attributes, 0, sizeof copy->desc.attributes);
    copy->desc.relu = false;
    copy->desc.input_count = copy->desc.output_count = 1;
    copy->desc.inputs[0] = own;
    copy->desc.outputs[0] = slice;
    copy->desc.threads = op->desc.threads;
    op->desc.outputs[0] = own;
    return trib_success();
}

trib_status trib_add_runnable_op(trib_lowering *l, trib_plan_op *op, int *slices_given_up)
{
    trib_candidates c;
    trib_layout source = op->desc.inputs[0].layout;
    TRIB_TRY(trib_ask_candidates(l, &op->desc, &c));
    bool as_it_is = c.count > 0;
    if (!as_it_is) TRIB_TRY(try_source_layouts(l, op, &c, &source));
    if (c.count) {
        if (!as_it_is) TRIB_TRY(add_reorder(l, op, source));
        TRIB_TRY(trib_take_candidate(l, op, &c));
        return trib_lowering_add_op(l, op);
    }
    const trib_view *out = &op->desc.outputs[0];
    if (out->c == out->c_total || op->desc.output_count > 1 || op->desc.kind == TRIB_CONCAT)
        return nothing_fits(l, op, c.reason);
    trib_plan_op copy;
    TRIB_TRY(give_up_slice(l, op, &copy));
    ++*slices_given_up;
    TRIB_TRY(trib_add_runnable_op(l, op, slices_given_up));
    return trib_add_runnable_op(l, &copy, slices_given_up);
}
