/* SPDX-License-Identifier: Apache-2.0
 * What runs when parameters change: for each op that has some, batch norm is folded into weight and bias (one op for
 * each of the convolutions that were merged, side by side in one weight), and they are packed. Packed parameters stay;
 * all that is needed to make those of one op shares its memory with what the next op needs. */
#include <string.h>

#include "device/alignment.h"
#include "graph/kinds.h"
#include "lowering/candidates.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

/* One op whose parameters are prepared. */
typedef struct consumer {
    trib_lowering *l;
    int index;              /* of the op */
    int first;              /* of what prepares it, in the plan's list */
    int64_t offset;         /* in the loading memory, behind what was placed */
    trib_view weight, bias; /* dense, of all its parts */
    bool has_bias;
} consumer;

/* The plan's list may move while it grows: a pointer does not outlive an addition. */
static const trib_plan_op *op_of(const consumer *c) { return &c->l->plan->ops[c->index]; }

static const trib_shape *shape_of(const consumer *c, int parameter)
{
    return &c->l->graph->parameters[parameter].shape;
}

/* ---- memory ---- */

/* O,I,R*S, or as many values as O. */
static trib_view view_of(const trib_shape *shape)
{
    int64_t rest = 1;
    for (int i = 2; i < shape->rank; ++i) rest *= shape->dim[i];
    return (trib_view) { .dtype = TRIB_F32,
                         .layout = TRIB_NCHW,
                         .n = 1,
                         .c = (int)shape->dim[0],
                         .h = shape->rank > 1 ? (int)shape->dim[1] : 1,
                         .w = (int)rest,
                         .c_total = (int)shape->dim[0] };
}

static trib_status place(consumer *c, const char *name, int64_t bytes, int *buffer)
{
    if (!name) return trib_plan_no_memory();
    TRIB_TRY(trib_lowering_add_buffer(c->l, name, TRIB_BUFFER_LOADING, bytes, buffer));
    c->l->plan->buffers[*buffer].offset = c->offset;
    c->offset += trib_aligned(bytes);
    if (c->offset > c->l->plan->loading_bytes) c->l->plan->loading_bytes = c->offset;
    return trib_success();
}

/* Where a parameter of the graph is brought to before the consumer is prepared. */
static trib_status add_load(consumer *c, int parameter, const trib_view *view)
{
    trib_plan *p = c->l->plan;
    if (trib_grow((void **)&p->loads, &c->l->load_capacity, (size_t)p->load_count + 1, sizeof *p->loads))
        return trib_plan_no_memory();
    p->loads[p->load_count++] = (trib_plan_load) { .parameter = parameter, .op = c->first, .view = *view };
    return trib_success();
}

/* A parameter in a buffer of its own. */
static trib_status load_alone(consumer *c, int parameter, trib_view *view)
{
    *view = view_of(shape_of(c, parameter));
    TRIB_TRY(place(c, c->l->graph->parameters[parameter].name, trib_view_bytes(view), &view->buffer));
    return add_load(c, parameter, view);
}

/* ---- ops ---- */

static trib_status new_op(const consumer *c, const char *does, trib_kind kind, trib_plan_op *out)
{
    const char *name = trib_strings_format(c->l->strings, "%s/%s", op_of(c)->name, does);
    TRIB_TRY(trib_lowering_new_op(c->l, op_of(c)->layer, name, out));
    memset(&out->desc, 0, sizeof out->desc);
    out->desc.kind = kind;
    out->desc.threads = op_of(c)->desc.threads;
    out->fork = -1;
    out->branch = 0;
    out->consumer = c->index;
    return trib_success();
}

static trib_status add_op(consumer *c, trib_plan_op *op)
{
    trib_plan *p = c->l->plan;
    for (int i = 0; i < op->desc.input_count; ++i) op->bytes += trib_view_bytes(&op->desc.inputs[i]);
    for (int i = 0; i < op->desc.output_count; ++i) op->bytes += trib_view_bytes(&op->desc.outputs[i]);
    if (trib_grow((void **)&p->prepare, &c->l->prepare_capacity, (size_t)p->prepare_count + 1, sizeof *p->prepare))
        return trib_plan_no_memory();
    p->prepare[p->prepare_count++] = *op;
    return trib_success();
}

/* The reference, or the device's best: there is little to choose. */
static trib_status choose_fold(consumer *c, trib_plan_op *op)
{
    trib_candidates found;
    TRIB_TRY(trib_ask_candidates(c->l, &op->desc, &found));
    if (!found.count)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "layer %s: device %s cannot fold batch norm: %s", op_of(c)->name,
                          trib_device_get_info(c->l->device)->spec, found.reason);
    int which = c->l->options.reference ? found.count - 1 : 0;
    op->implementation = trib_strings_add(c->l->strings, found.list[which].name);
    return op->implementation ? trib_success() : trib_plan_no_memory();
}

static trib_status add_fold(consumer *c, const trib_plan_part *part, const trib_view *weight, const trib_view *bias)
{
    trib_plan_op op;
    TRIB_TRY(new_op(c, "fold", TRIB_FOLD, &op));
    op.parts[0] = *part;
    op.desc.attributes.fold = (trib_fold) { .weight = part->parameters[TRIB_WEIGHT] >= 0,
                                            .bias = part->parameters[TRIB_BIAS] >= 0,
                                            .eps = part->bn_eps };
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role)
        if (part->parameters[role] >= 0)
            TRIB_TRY(load_alone(c, part->parameters[role], &op.desc.inputs[op.desc.input_count++]));
    op.desc.output_count = 2;
    op.desc.outputs[0] = *weight;
    op.desc.outputs[1] = *bias;
    TRIB_TRY(choose_fold(c, &op));
    return add_op(c, &op);
}

/* A part without batch norm is brought to its place as it is. */
static trib_status prepare_part(consumer *c, const trib_plan_part *part, int first, int channels)
{
    trib_view weight = c->weight, bias = c->bias;
    weight.c_offset = bias.c_offset = first;
    weight.c = bias.c = channels;
    if (part->parameters[TRIB_BN_MEAN] >= 0) return add_fold(c, part, &weight, &bias);
    TRIB_TRY(add_load(c, part->parameters[TRIB_WEIGHT], &weight));
    return c->has_bias ? add_load(c, part->parameters[TRIB_BIAS], &bias) : trib_success();
}

static trib_status add_pack(consumer *c)
{
    trib_plan_op op;
    TRIB_TRY(new_op(c, "pack", TRIB_PACK, &op));
    const trib_plan_op *consumer = op_of(c);
    const trib_plan_buffer *packed = &c->l->plan->buffers[consumer->parameters];
    op.implementation = consumer->implementation;
    if (trib_kind_row_of(consumer->desc.kind)->ignores_zeros) op.desc.attributes.pack.channels = c->weight.h;
    op.desc.inputs[op.desc.input_count++] = c->weight;
    if (c->has_bias) op.desc.inputs[op.desc.input_count++] = c->bias;
    op.desc.output_count = 1;
    op.desc.outputs[0] = (trib_view) { .buffer = consumer->parameters,
                                       .dtype = TRIB_U8,
                                       .n = 1,
                                       .c = TRIB_ALIGNMENT,
                                       .h = (int)(packed->bytes / TRIB_ALIGNMENT),
                                       .w = 1,
                                       .c_total = TRIB_ALIGNMENT };
    if (consumer->packing_bytes) TRIB_TRY(place(c, op.name, consumer->packing_bytes, &op.workspace));
    return add_op(c, &op);
}

/* ---- all of an op's ---- */

/* Dense weight and bias, as wide as all parts together. */
static trib_status place_values(consumer *c)
{
    const trib_plan_op *op = op_of(c);
    const char *weight_name = trib_strings_format(c->l->strings, "%s/weight", op->name);
    const char *bias_name = trib_strings_format(c->l->strings, "%s/bias", op->name);
    int id = op->parts[0].parameters[TRIB_WEIGHT];
    c->has_bias = op->desc.has_bias || trib_kind_row_of(op->desc.kind)->scales_and_shifts;
    c->bias = view_of(&(trib_shape) { .rank = 1, .dim = { 0 } });
    for (int i = 0; i < op->desc.output_count; ++i) c->bias.c += op->desc.outputs[i].c;
    c->bias.c_total = c->bias.c;
    c->weight = id >= 0 ? view_of(shape_of(c, id)) : c->bias;
    c->weight.c = c->weight.c_total = c->bias.c;
    TRIB_TRY(place(c, weight_name, trib_view_bytes(&c->weight), &c->weight.buffer));
    return c->has_bias ? place(c, bias_name, trib_view_bytes(&c->bias), &c->bias.buffer) : trib_success();
}

/* Of one part; it is the only one where there is no weight. */
static int channels_of(const consumer *c, const trib_plan_part *part)
{
    int id = part->parameters[TRIB_WEIGHT];
    return id >= 0 ? shape_of(c, id)->dim[0] : c->bias.c;
}

static trib_status prepare(consumer *c)
{
    int first = 0;
    TRIB_TRY(place_values(c));
    for (int i = 0; i < op_of(c)->part_count; ++i) {
        const trib_plan_part part = op_of(c)->parts[i];
        int channels = channels_of(c, &part);
        TRIB_TRY(prepare_part(c, &part, first, channels));
        first += channels;
    }
    return add_pack(c);
}

trib_status trib_pass_prepare_parameters(trib_lowering *l)
{
    trib_plan *p = l->plan;
    int consumers = 0;
    for (int i = 0; i < p->op_count; ++i) {
        if (p->ops[i].parameters < 0) continue;
        trib_plan_buffer *packed = &p->buffers[p->ops[i].parameters];
        packed->offset = p->parameter_bytes;
        p->parameter_bytes += packed->bytes;
        TRIB_TRY(prepare(&(consumer) { .l = l, .index = i, .first = p->prepare_count }));
        ++consumers;
    }
    return trib_lowering_note(
        l,
        "prepare_parameters: those of %d ops are packed, %d batch norms are folded; %.2f MB packed, "
        "%.2f MB more while they are loaded",
        consumers, p->prepare_count - consumers, (double)p->parameter_bytes * 1e-6, (double)p->loading_bytes * 1e-6);
}
