/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/traffic.h"

#include "graph/kinds.h"

static int64_t view_traffic(const trib_view *v)
{
    return (int64_t)v->n * v->c * v->h * v->w * (int64_t)trib_dtype_size(v->dtype);
}

/* Weights are stored in the type of their factors, all other parameters as float32. */
static int64_t parameter_traffic(const trib_graph *g, const trib_plan_op *op, const trib_plan_part *part)
{
    int64_t bytes = 0, count;
    for (int role = 0; role <= TRIB_BIAS; ++role) {
        if (part->parameters[role] == TRIB_NO_PARAMETER) continue;
        trib_status s = trib_shape_count(&g->parameters[part->parameters[role]].shape, &count);
        trib_dtype dtype = role == TRIB_WEIGHT ? op->desc.inputs[0].dtype : TRIB_F32;
        if (!trib_failed(&s)) bytes += count * (int64_t)trib_dtype_size(dtype);
    }
    return bytes;
}

int64_t trib_op_traffic(const trib_graph *g, const trib_plan_op *op)
{
    int64_t bytes = 0;
    for (int i = 0; i < op->desc.input_count; ++i) bytes += view_traffic(&op->desc.inputs[i]);
    for (int i = 0; i < op->desc.output_count; ++i) bytes += view_traffic(&op->desc.outputs[i]);
    const trib_kind_row *row = trib_kind_row_of(op->desc.kind);
    if (row->reads_beside) bytes += op->desc.outputs[0].n * row->reads_beside(&op->desc.attributes);
    if (op->desc.accumulate) bytes += view_traffic(&op->desc.outputs[0]); /* read, too */
    /* in training they are inputs */
    for (int i = 0; op->parameters >= 0 && i < op->part_count; ++i) bytes += parameter_traffic(g, op, &op->parts[i]);
    return bytes;
}
