/* SPDX-License-Identifier: Apache-2.0
 * What follows from the rows of kinds.c, for ops with prologue and epilogue. */
#include <string.h>

#include "graph/kinds.h"
#include "tributary/status.h"

const char *trib_kind_name(trib_kind kind)
{
    const trib_kind_row *row = trib_kind_row_of(kind);
    return row ? row->name : "unknown";
}

trib_status trib_kind_shape(trib_kind kind, const trib_attributes *a, const trib_extent *in, int count,
                            trib_extent *out)
{
    const trib_kind_row *row = trib_kind_row_of(kind);
    if (row->check) TRIB_TRY(row->check(a));
    if (row->shape) return row->shape(a, in, count, out);
    *out = in[0];
    return trib_success();
}

static trib_extent extent_of(const trib_view *v) { return (trib_extent) { v->c, v->h, v->w }; }

/* A prologue or epilogue takes one tensor and gives one. */
static trib_status stage_shape(const trib_op_stage *stage, uint64_t allowed, const char *which, trib_extent *e)
{
    if (stage->kind == TRIB_NO_STAGE) return trib_success();
    if ((unsigned)stage->kind >= TRIB_KIND_COUNT || !(allowed >> stage->kind & 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s cannot be its %s", trib_kind_name(stage->kind), which);
    trib_extent in = *e;
    trib_status status = trib_kind_shape(stage->kind, &stage->attributes, &in, 1, e);
    trib_add_context(&status, "%s %s", which, trib_kind_name(stage->kind));
    return status;
}

trib_status trib_op_shape(const trib_op_desc *desc, trib_extent *main_input, trib_extent *out)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    trib_extent in[TRIB_MAX_INPUTS];
    for (int i = 0; i < desc->input_count; ++i) in[i] = extent_of(&desc->inputs[i]);
    TRIB_TRY(stage_shape(&desc->before, row->before, "prologue", &in[0]));
    *main_input = in[0];
    TRIB_TRY(trib_kind_shape(desc->kind, &desc->attributes, in, desc->input_count, out));
    return stage_shape(&desc->after, row->after, "epilogue", out);
}

static void describe_stage(const char *which, trib_kind kind, const trib_attributes *a, const trib_fields *fields)
{
    const trib_kind_row *row = trib_kind_row_of(kind);
    if (which) fields->word(fields->context, which, row->name);
    if (row->describe) row->describe(a, fields);
}

void trib_op_describe(const trib_op_desc *desc, const trib_fields *fields)
{
    describe_stage(NULL, desc->kind, &desc->attributes, fields);
    if (desc->before.kind != TRIB_NO_STAGE)
        describe_stage("before", desc->before.kind, &desc->before.attributes, fields);
    if (desc->after.kind != TRIB_NO_STAGE) describe_stage("after", desc->after.kind, &desc->after.attributes, fields);
}

bool trib_op_updates(const trib_op_desc *desc, int input)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    if (!row || trib_op_has_stages(desc) || input >= desc->input_count) return false;
    for (int i = 0; i < desc->output_count; ++i)
        if (row->updates[i] == 1 + input && !memcmp(&desc->inputs[input], &desc->outputs[i], sizeof desc->inputs[0]))
            return true;
    return false;
}

bool trib_op_in_place(const trib_op_desc *desc) { return trib_op_updates(desc, 0); }

int64_t trib_op_weight_elements(const trib_op_desc *desc)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    trib_extent in, out;
    trib_shape shape;
    int64_t count = 0;
    trib_status status = trib_op_shape(desc, &in, &out);
    if (trib_failed(&status)) return 0;
    if (row->scales_and_shifts) return in.c;
    if (!row->parameter || !row->parameter(&desc->attributes, in, TRIB_WEIGHT, &shape)) return 0;
    status = trib_shape_count(&shape, &count);
    return trib_failed(&status) ? 0 : count;
}
