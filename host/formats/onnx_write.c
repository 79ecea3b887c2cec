/* SPDX-License-Identifier: Apache-2.0
 * A layer becomes one node (a linear layer two), in the order of the graph; values have the names of their layers.
 * Batch norms stay nodes of their own: folded into convolutions, the file's tensors would not be the model's. */
#include "formats/onnx_write.h"

#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "formats/needed.h"
#include "formats/onnx.h"
#include "formats/protobuf_write.h"
#include "tributary/internal/alloc.h"
#include "tributary/version.h"

enum { IR_VERSION = 8, OPSET = 17, NAME_TEXT = 192 };
/* Fields of ModelProto, GraphProto and NodeProto. */
enum { MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE };
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT, ATTRIBUTE_INTS = 7 };

typedef struct writer {
    const trib_graph *graph;
    const trib_tensor *parameters;
    trib_pb_message out;          /* the GraphProto */
    trib_pb_message initialisers; /* its fields, which come after the nodes */
} writer;

static const trib_output *logits_of(const trib_graph *graph) { return trib_graph_output(graph, 0); }

/* The name of a layer's value: dropout passes its input's on. */
static const char *value_of(const writer *w, int id)
{
    const trib_layer *layer = trib_graph_layer(w->graph, id);
    if (id == logits_of(w->graph)->layer) return logits_of(w->graph)->name;
    return layer->kind == TRIB_DROPOUT ? value_of(w, layer->inputs[0]) : layer->name;
}

/* ---- attributes ---- */

static void put_ints(trib_pb_message *node, const char *name, const int *values, int count)
{
    trib_pb_message a = { 0 };
    trib_pb_put_string(&a, 1, name);
    for (int i = 0; i < count; ++i) trib_pb_put_number(&a, 8, (uint64_t)values[i]);
    trib_pb_put_number(&a, 20, ATTRIBUTE_INTS);
    trib_pb_move(node, NODE_ATTRIBUTE, &a);
}

static void put_int(trib_pb_message *node, const char *name, int value)
{
    trib_pb_message a = { 0 };
    trib_pb_put_string(&a, 1, name);
    trib_pb_put_number(&a, 3, (uint64_t)value);
    trib_pb_put_number(&a, 20, ATTRIBUTE_INT);
    trib_pb_move(node, NODE_ATTRIBUTE, &a);
}

static void put_float(trib_pb_message *node, const char *name, float value)
{
    trib_pb_message a = { 0 };
    trib_pb_put_string(&a, 1, name);
    trib_pb_put_float(&a, 2, value);
    trib_pb_put_number(&a, 20, ATTRIBUTE_FLOAT);
    trib_pb_move(node, NODE_ATTRIBUTE, &a);
}

static void put_window(trib_pb_message *node, int r, int s, const trib_pad *pad, int stride_h, int stride_w)
{
    put_ints(node, "kernel_shape", (const int[]) { r, s }, 2);
    put_ints(node, "pads", (const int[]) { pad->top, pad->left, pad->bottom, pad->right }, 4);
    put_ints(node, "strides", (const int[]) { stride_h, stride_w }, 2);
}

/* ---- parameters ---- */

static int onnx_type(trib_dtype dtype)
{
    switch (dtype) {
    case TRIB_F32: return TRIB_ONNX_F32;
    case TRIB_F16: return TRIB_ONNX_F16;
    case TRIB_BF16: return TRIB_ONNX_BF16;
    case TRIB_F64: return TRIB_ONNX_F64;
    default: return 0;
    }
}

static trib_status put_initialiser(writer *w, const trib_tensor *t)
{
    trib_pb_message tensor = { 0 };
    int64_t count = 0;
    TRIB_TRY(trib_shape_count(&t->shape, &count));
    if (!onnx_type(t->dtype))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "tensor '%.150s' is %s, which is no type of weights", t->name,
                          trib_dtype_name(t->dtype));
    for (int i = 0; i < t->shape.rank; ++i) trib_pb_put_number(&tensor, 1, (uint64_t)t->shape.dim[i]);
    trib_pb_put_number(&tensor, 2, (uint64_t)onnx_type(t->dtype));
    trib_pb_put_string(&tensor, 8, t->name);
    trib_pb_put_borrowed(&tensor, 9, t->data, (size_t)count * trib_dtype_size(t->dtype));
    trib_pb_move(&w->initialisers, GRAPH_INITIALIZER, &tensor);
    return trib_success();
}

/* The name under which nodes read the parameter. */
static const char *single_name(const trib_tensor *t, char text[NAME_TEXT])
{
    if (t->dtype == TRIB_F32) return t->name;
    snprintf(text, NAME_TEXT, "%s/f32", t->name);
    return text;
}

static void put_cast(writer *w, const trib_tensor *t)
{
    char text[NAME_TEXT];
    trib_pb_message node = { 0 };
    if (t->dtype == TRIB_F32) return;
    trib_pb_put_string(&node, NODE_INPUT, t->name);
    trib_pb_put_string(&node, NODE_OUTPUT, single_name(t, text));
    trib_pb_put_string(&node, NODE_NAME, text);
    trib_pb_put_string(&node, NODE_OP, "Cast");
    put_int(&node, "to", TRIB_ONNX_F32);
    trib_pb_move(&w->out, GRAPH_NODE, &node);
}

static trib_status put_parameters(writer *w, const trib_layer *layer)
{
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) {
        if (layer->parameters[role] == TRIB_NO_PARAMETER) continue;
        const trib_tensor *t = &w->parameters[layer->parameters[role]];
        TRIB_TRY(put_initialiser(w, t));
        put_cast(w, t);
    }
    return trib_success();
}

/* ---- nodes ---- */

/* What follows the inputs that are no parameters. Parameters come in the order of their roles, as in ONNX. */
static void name_node(const writer *w, trib_pb_message *node, int id, const char *op)
{
    char text[NAME_TEXT];
    const trib_layer *layer = trib_graph_layer(w->graph, id);
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role)
        if (layer->parameters[role] != TRIB_NO_PARAMETER)
            trib_pb_put_string(node, NODE_INPUT, single_name(&w->parameters[layer->parameters[role]], text));
    trib_pb_put_string(node, NODE_OUTPUT, value_of(w, id));
    trib_pb_put_string(node, NODE_NAME, layer->name);
    trib_pb_put_string(node, NODE_OP, op);
}

static void begin(const writer *w, trib_pb_message *node, int id, const char *op)
{
    const trib_layer *layer = trib_graph_layer(w->graph, id);
    for (int i = 0; i < layer->input_count; ++i) trib_pb_put_string(node, NODE_INPUT, value_of(w, layer->inputs[i]));
    name_node(w, node, id, op);
}

static void end(writer *w, trib_pb_message *node) { trib_pb_move(&w->out, GRAPH_NODE, node); }

static void put_conv(writer *w, int id, const trib_conv2d *c)
{
    trib_pb_message node = { 0 };
    begin(w, &node, id, "Conv");
    put_window(&node, c->r, c->s, &c->pad, c->stride_h, c->stride_w);
    end(w, &node);
}

static void put_max_pool(writer *w, int id, const trib_pool2d *p)
{
    trib_pb_message node = { 0 };
    begin(w, &node, id, "MaxPool");
    put_window(&node, p->r, p->s, &p->pad, p->stride_h, p->stride_w);
    put_int(&node, "ceil_mode", p->ceil_mode);
    end(w, &node);
}

static void put_lrn(writer *w, int id, const trib_lrn *n)
{
    trib_pb_message node = { 0 };
    begin(w, &node, id, "LRN");
    put_float(&node, "alpha", n->alpha);
    put_float(&node, "beta", n->beta);
    put_float(&node, "bias", n->k);
    put_int(&node, "size", n->size);
    end(w, &node);
}

static void put_batch_norm(writer *w, int id, const trib_batch_norm *n)
{
    trib_pb_message node = { 0 };
    begin(w, &node, id, "BatchNormalization");
    put_float(&node, "epsilon", n->eps);
    end(w, &node);
}

static void put_plain(writer *w, int id, const char *op)
{
    trib_pb_message node = { 0 };
    begin(w, &node, id, op);
    end(w, &node);
}

static void put_concat(writer *w, int id)
{
    trib_pb_message node = { 0 };
    begin(w, &node, id, "Concat");
    put_int(&node, "axis", 1);
    end(w, &node);
}

/* x W^T + b of a matrix. */
static void put_linear(writer *w, int id, const trib_layer *layer)
{
    char flat[NAME_TEXT];
    trib_pb_message flatten = { 0 }, gemm = { 0 };
    snprintf(flat, sizeof flat, "%s/flat", layer->name);
    trib_pb_put_string(&flatten, NODE_INPUT, value_of(w, layer->inputs[0]));
    trib_pb_put_string(&flatten, NODE_OUTPUT, flat);
    trib_pb_put_string(&flatten, NODE_NAME, flat);
    trib_pb_put_string(&flatten, NODE_OP, "Flatten");
    put_int(&flatten, "axis", 1);
    end(w, &flatten);
    trib_pb_put_string(&gemm, NODE_INPUT, flat);
    name_node(w, &gemm, id, "Gemm");
    put_int(&gemm, "transB", 1);
    end(w, &gemm);
}

static bool is_whole_map(const writer *w, const trib_layer *layer)
{
    const trib_layer *input = trib_graph_layer(w->graph, layer->inputs[0]);
    const trib_pool2d *p = &layer->attributes.pool2d;
    return p->r == input->h && p->s == input->w && !p->pad.top && !p->pad.left && layer->h == 1 && layer->w == 1;
}

static trib_status put_layer(writer *w, int id, const trib_layer *layer)
{
    TRIB_TRY(put_parameters(w, layer));
    switch (layer->kind) {
    case TRIB_INPUT:
    case TRIB_DROPOUT: return trib_success();
    case TRIB_CONV2D: put_conv(w, id, &layer->attributes.conv2d); return trib_success();
    case TRIB_BATCH_NORM: put_batch_norm(w, id, &layer->attributes.batch_norm); return trib_success();
    case TRIB_RELU: put_plain(w, id, "Relu"); return trib_success();
    case TRIB_MAX_POOL2D: put_max_pool(w, id, &layer->attributes.pool2d); return trib_success();
    case TRIB_LRN: put_lrn(w, id, &layer->attributes.lrn); return trib_success();
    case TRIB_CONCAT: put_concat(w, id); return trib_success();
    case TRIB_LINEAR: put_linear(w, id, layer); return trib_success();
    default: break;
    }
    if (layer->kind != TRIB_AVG_POOL2D || !is_whole_map(w, layer))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "layer %s: %s cannot be written to ONNX as the network has it", layer->name,
                          trib_kind_name(layer->kind));
    put_plain(w, id, "GlobalAveragePool");
    return trib_success();
}

/* ---- the model ---- */

/* ValueInfoProto: name 1, type 2 of tensor_type 1 of elem_type 1 and shape 2; the first extent is free. */
static void put_value(trib_pb_message *graph, uint32_t field, const char *name, const int *dims, int count)
{
    trib_pb_message shape = { 0 }, tensor = { 0 }, type = { 0 }, info = { 0 }, batch = { 0 };
    trib_pb_put_string(&batch, 2, "N");
    trib_pb_move(&shape, 1, &batch);
    for (int i = 0; i < count; ++i) {
        trib_pb_message dim = { 0 };
        trib_pb_put_number(&dim, 1, (uint64_t)dims[i]);
        trib_pb_move(&shape, 1, &dim);
    }
    trib_pb_put_number(&tensor, 1, TRIB_ONNX_F32);
    trib_pb_move(&tensor, 2, &shape);
    trib_pb_move(&type, 1, &tensor);
    trib_pb_put_string(&info, 1, name);
    trib_pb_move(&info, 2, &type);
    trib_pb_move(graph, field, &info);
}

static trib_status put_graph(writer *w, const bool *needed)
{
    const trib_layer *input = trib_graph_layer(w->graph, 0);
    const trib_output *logits = logits_of(w->graph);
    for (int id = 0; id < trib_graph_layer_count(w->graph); ++id)
        if (needed[id]) TRIB_TRY(put_layer(w, id, trib_graph_layer(w->graph, id)));
    trib_pb_put_string(&w->out, GRAPH_NAME, trib_graph_name(w->graph));
    trib_pb_append(&w->out, &w->initialisers);
    put_value(&w->out, GRAPH_INPUT, input->name, (const int[]) { input->c, input->h, input->w }, 3);
    put_value(&w->out, GRAPH_OUTPUT, logits->name, &trib_graph_layer(w->graph, logits->layer)->c, 1);
    return trib_success();
}

static void put_model(trib_pb_message *model, trib_pb_message *graph, const trib_key_value *metadata, int count)
{
    trib_pb_message opset = { 0 };
    trib_pb_put_number(model, 1, IR_VERSION);
    trib_pb_put_string(model, 2, "tributary");
    trib_pb_put_string(model, 3, trib_version());
    trib_pb_move(model, MODEL_GRAPH, graph);
    trib_pb_put_number(&opset, 2, OPSET);
    trib_pb_move(model, MODEL_OPSET, &opset);
    for (int i = 0; i < count; ++i) {
        trib_pb_message pair = { 0 };
        trib_pb_put_string(&pair, 1, metadata[i].key);
        trib_pb_put_string(&pair, 2, metadata[i].value);
        trib_pb_move(model, MODEL_METADATA, &pair);
    }
}

static trib_status write_file(const char *path, const trib_pb_message *model)
{
    trib_output *output = NULL;
    TRIB_TRY(trib_output_open(path, &output));
    trib_status s = trib_pb_write(model, output);
    if (!trib_failed(&s)) return trib_output_commit(output);
    trib_output_abandon(output);
    return s;
}

trib_status trib_onnx_write(const char *path, const trib_graph *graph, const trib_tensor *parameters,
                            const trib_key_value *metadata, int metadata_count)
{
    writer w = { .graph = graph, .parameters = parameters };
    trib_pb_message model = { 0 };
    bool *needed = NULL;
    trib_status s = trib_layers_needed(graph, logits_of(graph)->layer, &needed);
    if (!trib_failed(&s)) s = put_graph(&w, needed);
    if (!trib_failed(&s)) {
        put_model(&model, &w.out, metadata, metadata_count);
        s = trib_pb_message_check(&model);
    }
    trib_add_context(&s, "%s: cannot be written", trib_shorten(path).text);
    if (!trib_failed(&s)) s = write_file(path, &model);
    trib_pb_message_free(&model);
    trib_pb_message_free(&w.out);
    trib_pb_message_free(&w.initialisers);
    trib_free(needed);
    return s;
}
