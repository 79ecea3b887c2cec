/* SPDX-License-Identifier: Apache-2.0
 * The forward ops of training, layer by layer. */
#include <string.h>

#include "graph/kinds.h"
#include "lowering/training.h"

trib_status trib_new_training_op(const char *name, trib_kind kind, trib_plan_op *op)
{
    if (!name) return trib_plan_no_memory();
    memset(op, 0, sizeof *op); /* including padding: descriptors are compared as bytes */
    op->name = name;
    op->layer = op->fork = -1;
    op->record = op->workspace = op->parameters = op->consumer = -1;
    op->part_count = 1;
    op->parts[0] = trib_no_parameters();
    op->desc.kind = kind;
    return trib_success();
}

void trib_add_input_view(trib_plan_op *op, trib_view view) { op->desc.inputs[op->desc.input_count++] = view; }

void trib_add_output_view(trib_plan_op *op, trib_view view) { op->desc.outputs[op->desc.output_count++] = view; }

/* The layer's parameter in this role, if it has one. */
static void add_parameter(const trib_lowering *l, int id, trib_role role, trib_plan_op *op)
{
    int parameter = l->graph->layers[id].parameters[role];
    if (parameter >= 0) trib_add_input_view(op, trib_view_read(&l->trained[parameter]));
}

static trib_status new_op(const trib_lowering *l, int id, const char *name, trib_kind kind, trib_plan_op *op)
{
    const trib_layer *layer = &l->graph->layers[id];
    TRIB_TRY(trib_lowering_new_op(l, id, name, op));
    op->desc.kind = kind;
    op->desc.precision = l->options.precision;
    for (int k = 0; k < layer->input_count; ++k) trib_add_input_view(op, l->views[layer->inputs[k]]);
    memcpy(op->parts[0].parameters, layer->parameters, sizeof op->parts[0].parameters);
    op->flops = trib_layer_flops(l->graph, id) * l->options.batch;
    return trib_success();
}

/* ---- batch norm ---- */

trib_status trib_new_activation(trib_lowering *l, const char *name, trib_view *view)
{
    if (!name) return trib_plan_no_memory();
    return trib_lowering_add_buffer(l, name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(view), &view->buffer);
}

/* Four values per channel: scale, shift, mean and 1 / standard deviation. */
static trib_view saved_view(const trib_view *x)
{
    return (trib_view) {
        .buffer = -1, .dtype = TRIB_F32, .layout = TRIB_NCHW, .n = 4, .c = x->c, .h = 1, .w = 1, .c_total = x->c
    };
}

/* Frozen running statistics keep their values. */
static float statistics_momentum(const trib_lowering *l, const trib_layer *layer)
{
    const trib_training *t = l->options.training;
    if (trib_is_frozen(t, l->graph->parameters[layer->parameters[TRIB_BN_MEAN]].name)) return 0;
    return t->statistics_momentum > 0 ? t->statistics_momentum : 0.1f;
}

static trib_status add_statistics(trib_lowering *l, int id, trib_view *saved)
{
    static const trib_role roles[] = { TRIB_BN_WEIGHT, TRIB_BN_BIAS, TRIB_BN_MEAN, TRIB_BN_VAR };
    const trib_layer *layer = &l->graph->layers[id];
    trib_plan_op op;
    TRIB_TRY(new_op(l, id, trib_strings_format(l->strings, "%s/statistics", layer->name), TRIB_BATCH_STATISTICS, &op));
    op.desc.relu = false;
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.desc.attributes.batch_statistics =
        (trib_batch_statistics) { layer->attributes.batch_norm.eps, statistics_momentum(l, layer) };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; ++i) add_parameter(l, id, roles[i], &op);
    *saved = saved_view(&op.desc.inputs[0]);
    TRIB_TRY(trib_new_activation(l, op.name, saved));
    trib_add_output_view(&op, *saved);
    for (int k = 3; k <= 4; ++k) trib_add_output_view(&op, op.desc.inputs[k]); /* running statistics, in place */
    return trib_lowering_add_op(l, &op);
}

static trib_status add_batch_norm(trib_lowering *l, int id)
{
    trib_view saved;
    trib_plan_op op;
    TRIB_TRY(add_statistics(l, id, &saved));
    TRIB_TRY(new_op(l, id, trib_strings_add(l->strings, l->graph->layers[id].name), TRIB_BATCH_NORM_APPLY, &op));
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    trib_add_input_view(&op, saved);
    trib_add_output_view(&op, l->views[id]);
    return trib_lowering_add_op(l, &op);
}

/* ---- pools, dropout, products ---- */

static trib_status add_max_pool(trib_lowering *l, int id)
{
    const char *name = l->graph->layers[id].name;
    trib_view index = l->views[id];
    trib_plan_op op;
    TRIB_TRY(new_op(l, id, trib_strings_add(l->strings, name), TRIB_MAX_POOL2D_INDEXED, &op));
    index.dtype = TRIB_U8;
    index.c_offset = 0;
    index.c_total = index.c;
    TRIB_TRY(trib_new_activation(l, trib_strings_format(l->strings, "%s/index", name), &index));
    trib_add_output_view(&op, l->views[id]);
    trib_add_output_view(&op, index);
    return trib_lowering_add_op(l, &op);
}

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; ++text) hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static trib_status add_dropout(trib_lowering *l, int id)
{
    const char *name = l->graph->layers[id].name;
    trib_plan_op op;
    TRIB_TRY(new_op(l, id, trib_strings_add(l->strings, name), TRIB_DROPOUT_TRAINING, &op));
    op.desc.attributes.dropout.salt = hash_of(name);
    trib_add_input_view(&op, l->controls);
    trib_add_output_view(&op, l->views[id]);
    return trib_lowering_add_op(l, &op);
}

static trib_status add_plain(trib_lowering *l, int id)
{
    const trib_layer *layer = &l->graph->layers[id];
    trib_plan_op op;
    TRIB_TRY(new_op(l, id, trib_strings_add(l->strings, layer->name), layer->kind, &op));
    add_parameter(l, id, TRIB_WEIGHT, &op);
    add_parameter(l, id, TRIB_BIAS, &op);
    op.desc.has_bias = layer->parameters[TRIB_BIAS] >= 0;
    trib_add_output_view(&op, l->views[id]);
    return trib_lowering_add_op(l, &op);
}

trib_status trib_add_training_ops(trib_lowering *l, int id)
{
    switch (l->graph->layers[id].kind) {
    case TRIB_BATCH_NORM: return add_batch_norm(l, id);
    case TRIB_MAX_POOL2D: return add_max_pool(l, id);
    case TRIB_DROPOUT: return add_dropout(l, id);
    default: return add_plain(l, id);
    }
}
