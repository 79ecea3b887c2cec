/* SPDX-License-Identifier: Apache-2.0
 * The plan's lists, while they grow. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lowering/lowering.h"
#include "tributary/internal/alloc.h"

/* ---- buffers ---- */

trib_status trib_lowering_add_buffer(trib_lowering *l, const char *name, trib_buffer_kind kind, int64_t bytes, int *out)
{
    trib_plan *p = l->plan;
    if (trib_grow((void **)&p->buffers, &l->buffer_capacity, (size_t)p->buffer_count + 1, sizeof *p->buffers))
        return trib_plan_no_memory();
    const char *copy = trib_strings_add(l->strings, name);
    if (!copy) return trib_plan_no_memory();
    p->buffers[p->buffer_count] = (trib_plan_buffer) { .name = copy, .kind = kind, .bytes = bytes, .offset = -1 };
    *out = p->buffer_count++;
    return trib_success();
}

void trib_lowering_forget_buffer(trib_lowering *l, int buffer) { l->plan->buffers[buffer].bytes = 0; }

static void renumber_op(trib_plan_op *op, const int *number)
{
    for (int k = 0; k < op->desc.input_count; ++k) op->desc.inputs[k].buffer = number[op->desc.inputs[k].buffer];
    for (int k = 0; k < op->desc.output_count; ++k) op->desc.outputs[k].buffer = number[op->desc.outputs[k].buffer];
    if (op->workspace >= 0) op->workspace = number[op->workspace];
    if (op->parameters >= 0) op->parameters = number[op->parameters];
}

trib_status trib_lowering_drop_buffers(trib_lowering *l)
{
    trib_plan *p = l->plan;
    int kept = 0, *number = trib_alloc_zeroed((size_t)p->buffer_count, sizeof *number);
    if (!number) return trib_plan_no_memory();
    for (int b = 0; b < p->buffer_count; ++b) {
        number[b] = p->buffers[b].bytes > 0 ? kept : -1;
        if (p->buffers[b].bytes > 0) p->buffers[kept++] = p->buffers[b];
    }
    p->buffer_count = kept;
    for (int i = 0; i < p->op_count; ++i) renumber_op(&p->ops[i], number);
    for (int i = 0; i < p->prepare_count; ++i) renumber_op(&p->prepare[i], number);
    for (int i = 0; i < p->load_count; ++i) p->loads[i].view.buffer = number[p->loads[i].view.buffer];
    for (int i = 0; i < p->output_count; ++i) p->outputs[i].buffer = number[p->outputs[i].buffer];
    for (int i = 0; i < p->input_count; ++i) p->inputs[i].buffer = number[p->inputs[i].buffer];
    for (int i = 0; i < p->tensor_count; ++i) p->tensors[i].view.buffer = number[p->tensors[i].view.buffer];
    if (p->loss_scale >= 0) p->loss_scale = number[p->loss_scale];
    trib_free(number);
    return trib_success();
}

/* ---- ops ---- */

trib_plan_part trib_no_parameters(void)
{
    trib_plan_part part;
    memset(&part, 0, sizeof part);
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) part.parameters[role] = TRIB_NO_PARAMETER;
    return part;
}

trib_status trib_lowering_new_op(const trib_lowering *l, int id, const char *name, trib_plan_op *op)
{
    const trib_layer *layer = &l->graph->layers[id];
    if (!name) return trib_plan_no_memory();
    memset(op, 0, sizeof *op); /* including padding: descriptors are compared as bytes */
    op->name = name;
    op->layer = id;
    op->fork = layer->fork;
    op->branch = layer->branch;
    op->record = op->workspace = op->parameters = op->consumer = -1;
    op->part_count = 1;
    op->parts[0] = trib_no_parameters();
    op->desc.kind = layer->kind;
    op->desc.attributes = layer->attributes;
    op->desc.relu = l->folded[id].relu;
    return trib_success();
}

trib_status trib_lowering_add_op(trib_lowering *l, const trib_plan_op *op)
{
    trib_plan *p = l->plan;
    if (trib_grow((void **)&p->ops, &l->op_capacity, (size_t)p->op_count + 1, sizeof *p->ops))
        return trib_plan_no_memory();
    p->ops[p->op_count++] = *op;
    return trib_success();
}

trib_status trib_lowering_insert_op(trib_lowering *l, int index, const trib_plan_op *op)
{
    TRIB_TRY(trib_lowering_add_op(l, op));
    trib_plan_op *at = &l->plan->ops[index];
    memmove(at + 1, at, (size_t)(l->plan->op_count - 1 - index) * sizeof *at);
    *at = *op;
    return trib_success();
}

void trib_lowering_remove_op(trib_lowering *l, int index)
{
    trib_plan *p = l->plan;
    --p->op_count;
    memmove(&p->ops[index], &p->ops[index + 1], (size_t)(p->op_count - index) * sizeof *p->ops);
}

/* ---- notes ---- */

trib_status trib_lowering_note(trib_lowering *l, const char *format, ...)
{
    trib_plan *p = l->plan;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = trib_strings_add(l->strings, text);
    if (!copy || trib_grow((void **)&p->notes, &l->note_capacity, (size_t)p->note_count + 1, sizeof *p->notes))
        return trib_plan_no_memory();
    p->notes[p->note_count++] = copy;
    return trib_success();
}
