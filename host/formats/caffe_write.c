/* SPDX-License-Identifier: Apache-2.0
 * Caffe's networks, written as bytes and as text by the same calls; names and numbers of fields are those of the
 * readers' table. As in Caffe's own files, ReLU and dropout work in place: their output has their input's name. */
#include "formats/caffe_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "formats/caffe.h"
#include "formats/needed.h"
#include "formats/protobuf_write.h"
#include "train/number.h"
#include "tributary/internal/alloc.h"

/* Fields of NetParameter, LayerParameter and BlobProto. */
enum { NET_NAME = 1, NET_LAYER = 100 };
enum { LAYER_NAME = 1, LAYER_TYPE, BOTTOM, TOP, BLOBS = 7, DROPOUT_PARAM = 108, INPUT_PARAM = 143 };
enum { DATA = 5, SHAPE = 7 };

/* A message in both forms. */
typedef struct block {
    trib_pb_message bytes;
    trib_text *text; /* of the whole file; NULL: not in it */
    int depth;
} block;

typedef struct writer {
    const trib_graph *graph;
    const trib_tensor *parameters;
    const trib_preprocess *preprocess;
    trib_pb_message net;
    trib_text text;
} writer;

/* ---- fields ---- */

static void put_line(block *b, const char *name, const char *before, const char *value, const char *after)
{
    if (!b->text) return;
    for (int i = 0; i < b->depth; ++i) trib_text_add(b->text, "  ");
    trib_text_add(b->text, name);
    trib_text_add(b->text, before);
    trib_text_add(b->text, value);
    trib_text_add(b->text, after);
}

static void put_string(block *b, const char *name, uint32_t field, const char *value)
{
    trib_pb_put_string(&b->bytes, field, value);
    put_line(b, name, ": \"", value, "\"\n");
}

static void put_whole(block *b, const char *name, uint32_t field, int64_t value)
{
    char text[TRIB_NUMBER_TEXT];
    trib_pb_put_number(&b->bytes, field, (uint64_t)value);
    put_line(b, name, ": ", trib_number_text((double)value, text), "\n");
}

/* As few digits as read as the same number in single precision. */
static void put_float(block *b, const char *name, uint32_t field, float value)
{
    char text[32];
    trib_pb_put_float(&b->bytes, field, value);
    for (int digits = 1; digits <= 9; ++digits) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    put_line(b, name, ": ", text, "\n");
}

static block open_block(block *outer, const char *name)
{
    put_line(outer, name, " {", "", "\n");
    return (block) { .text = outer->text, .depth = outer->depth + 1 };
}

static void close_block(block *outer, uint32_t field, block *inner)
{
    trib_pb_move(&outer->bytes, field, &inner->bytes);
    put_line(outer, "}", "", "", "\n");
}

/* ---- numbers of layers ---- */

typedef struct pair {
    trib_caffe_number slot;
    double value, otherwise; /* Caffe's default, which is not written; NaN: there is none */
} pair;

static bool is_float(int slot)
{
    return slot == TRIB_CAFFE_ALPHA || slot == TRIB_CAFFE_BETA || slot == TRIB_CAFFE_K || slot == TRIB_CAFFE_SCALE;
}

static void put_pair(block *b, const trib_caffe_row *row, double value)
{
    static const char *const pools[] = { "MAX", "AVE" }, *const roundings[] = { "CEIL", "FLOOR" };
    const char *const *words = row->slot == TRIB_CAFFE_POOL ? pools : row->slot == TRIB_CAFFE_ROUND ? roundings : NULL;
    if (words) {
        trib_pb_put_number(&b->bytes, row->number, (uint64_t)value);
        put_line(b, row->name, ": ", words[(int)value], "\n");
    } else if (is_float(row->slot)) {
        put_float(b, row->name, row->number, (float)value);
    } else {
        put_whole(b, row->name, row->number, (int64_t)value);
    }
}

/* In the order of the table. */
static void put_pairs(block *layer, const char *name, const pair *pairs, size_t count)
{
    uint32_t field = 0;
    block inner = open_block(layer, name);
    for (size_t r = 0; r < trib_caffe_row_count; ++r) {
        const trib_caffe_row *row = &trib_caffe_rows[r];
        if (strcmp(row->block, name) != 0) continue;
        field = row->block_number;
        for (size_t i = 0; i < count; ++i)
            if ((int)pairs[i].slot == row->slot && !(pairs[i].value == pairs[i].otherwise))
                put_pair(&inner, row, pairs[i].value);
    }
    close_block(layer, field, &inner);
}
#define PUT_PAIRS(layer, name, pairs) put_pairs(layer, name, pairs, sizeof(pairs) / sizeof *(pairs))

static trib_status check_pad(const trib_pad *pad)
{
    if (pad->top == pad->bottom && pad->left == pad->right) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "pads differ at opposite edges, which Caffe does not have");
}

static trib_status put_conv(block *b, const trib_conv2d *c)
{
    const bool square = c->r == c->s && c->stride_h == c->stride_w && c->pad.top == c->pad.left;
    const pair both[] = { { TRIB_CAFFE_NUM_OUTPUT, c->k, NAN },
                          { TRIB_CAFFE_BIAS_TERM, !c->no_bias, 1 },
                          { TRIB_CAFFE_PAD, c->pad.top, 0 },
                          { TRIB_CAFFE_KERNEL, c->r, NAN },
                          { TRIB_CAFFE_STRIDE, c->stride_h, 1 } };
    const pair each[] = { { TRIB_CAFFE_NUM_OUTPUT, c->k, NAN },      { TRIB_CAFFE_BIAS_TERM, !c->no_bias, 1 },
                          { TRIB_CAFFE_PAD_H, c->pad.top, NAN },     { TRIB_CAFFE_PAD_W, c->pad.left, NAN },
                          { TRIB_CAFFE_KERNEL_H, c->r, NAN },        { TRIB_CAFFE_KERNEL_W, c->s, NAN },
                          { TRIB_CAFFE_STRIDE_H, c->stride_h, NAN }, { TRIB_CAFFE_STRIDE_W, c->stride_w, NAN } };
    TRIB_TRY(check_pad(&c->pad));
    if (square)
        PUT_PAIRS(b, "convolution_param", both);
    else
        PUT_PAIRS(b, "convolution_param", each);
    return trib_success();
}

static trib_status put_pool(block *b, const trib_pool2d *p, bool average)
{
    const bool square = p->r == p->s && p->stride_h == p->stride_w && p->pad.top == p->pad.left;
    const pair both[] = { { TRIB_CAFFE_POOL, average, NAN },
                          { TRIB_CAFFE_KERNEL, p->r, NAN },
                          { TRIB_CAFFE_STRIDE, p->stride_h, 1 },
                          { TRIB_CAFFE_PAD, p->pad.top, 0 },
                          { TRIB_CAFFE_ROUND, !p->ceil_mode, 0 } };
    const pair each[] = { { TRIB_CAFFE_POOL, average, NAN },         { TRIB_CAFFE_KERNEL_H, p->r, NAN },
                          { TRIB_CAFFE_KERNEL_W, p->s, NAN },        { TRIB_CAFFE_STRIDE_H, p->stride_h, NAN },
                          { TRIB_CAFFE_STRIDE_W, p->stride_w, NAN }, { TRIB_CAFFE_PAD_H, p->pad.top, NAN },
                          { TRIB_CAFFE_PAD_W, p->pad.left, NAN },    { TRIB_CAFFE_ROUND, !p->ceil_mode, 0 } };
    TRIB_TRY(check_pad(&p->pad));
    if (square)
        PUT_PAIRS(b, "pooling_param", both);
    else
        PUT_PAIRS(b, "pooling_param", each);
    return trib_success();
}

/* One window over the whole map has, in Caffe's own files, the stride 1 and no rounding. */
static trib_status put_average(const writer *w, const trib_layer *layer, block *b)
{
    const trib_layer *input = trib_graph_layer(w->graph, layer->inputs[0]);
    trib_pool2d pool = layer->attributes.pool2d;
    if (pool.r == input->h && pool.s == input->w) {
        pool.stride_h = pool.stride_w = 1;
        pool.ceil_mode = true;
    }
    return put_pool(b, &pool, true);
}

static void put_lrn(block *b, const trib_lrn *n)
{
    const pair pairs[] = { { TRIB_CAFFE_LOCAL_SIZE, n->size, NAN },
                           { TRIB_CAFFE_ALPHA, (double)n->alpha, NAN },
                           { TRIB_CAFFE_BETA, (double)n->beta, NAN },
                           { TRIB_CAFFE_K, (double)n->k, 1 } };
    PUT_PAIRS(b, "lrn_param", pairs);
}

static void put_linear(block *b, const trib_linear *l)
{
    const pair pairs[] = { { TRIB_CAFFE_NUM_OUTPUT, l->out, NAN }, { TRIB_CAFFE_BIAS_TERM, !l->no_bias, 1 } };
    PUT_PAIRS(b, "inner_product_param", pairs);
}

static void put_dropout(block *b, const trib_dropout *d)
{
    block inner = open_block(b, "dropout_param");
    put_float(&inner, "dropout_ratio", 1, d->p);
    close_block(b, DROPOUT_PARAM, &inner);
}

/* ---- the input ---- */

static bool caffe_prepares(const trib_preprocess *p)
{
    return p && p->bgr && p->scale == 1 && p->std[0] == p->std[1] && p->std[1] == p->std[2];
}

static void put_images(block *b, const trib_preprocess *p)
{
    const pair size[] = { { TRIB_CAFFE_SCALE, 1 / (double)p->std[0], 1 },
                          { TRIB_CAFFE_CROP, p->crop_height, p->crop_height == p->crop_width ? NAN : p->crop_height } };
    block inner = open_block(b, "transform_param");
    for (size_t r = 0; r < trib_caffe_row_count; ++r) {
        const trib_caffe_row *row = &trib_caffe_rows[r];
        if (strcmp(row->block, "transform_param") != 0) continue;
        for (int c = 0; row->slot == TRIB_CAFFE_MEAN_VALUE && c < 3; ++c)
            put_float(&inner, row->name, row->number, p->mean[c]);
        for (int i = 0; i < 2; ++i)
            if ((int)size[i].slot == row->slot && !(size[i].value == size[i].otherwise))
                put_pair(&inner, row, size[i].value);
    }
    close_block(b, 100, &inner);
}

static void put_input(block *b, const trib_layer *layer, const trib_preprocess *p)
{
    if (caffe_prepares(p)) put_images(b, p);
    block input = open_block(b, "input_param"), shape = open_block(&input, "shape");
    put_whole(&shape, "dim", 1, 1);
    put_whole(&shape, "dim", 1, layer->c);
    put_whole(&shape, "dim", 1, layer->h);
    put_whole(&shape, "dim", 1, layer->w);
    close_block(&input, 1, &shape);
    close_block(b, INPUT_PARAM, &input);
}

/* ---- layers ---- */

static const char *type_of(trib_kind kind)
{
    switch (kind) {
    case TRIB_INPUT: return "Input";
    case TRIB_CONV2D: return "Convolution";
    case TRIB_RELU: return "ReLU";
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return "Pooling";
    case TRIB_LRN: return "LRN";
    case TRIB_CONCAT: return "Concat";
    case TRIB_LINEAR: return "InnerProduct";
    case TRIB_DROPOUT: return "Dropout";
    case TRIB_SOFTMAX: return "Softmax";
    default: return NULL;
    }
}

static const char *name_of(const trib_layer *layer) { return layer->kind == TRIB_INPUT ? "data" : layer->name; }

/* The name of a layer's output. */
static const char *top_of(const trib_graph *graph, int id)
{
    const trib_layer *layer = trib_graph_layer(graph, id);
    const bool in_place = layer->kind == TRIB_RELU || layer->kind == TRIB_DROPOUT;
    return in_place ? top_of(graph, layer->inputs[0]) : name_of(layer);
}

static trib_status put_blob(block *b, const trib_tensor *t)
{
    trib_pb_message blob = { 0 }, shape = { 0 };
    int64_t count = 0;
    TRIB_TRY(trib_shape_count(&t->shape, &count));
    if (t->dtype != TRIB_F32)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "tensor '%.150s' is %s, but Caffe's models hold f32; write it with --dtype f32", t->name,
                          trib_dtype_name(t->dtype));
    for (int i = 0; i < t->shape.rank; ++i) trib_pb_put_number(&shape, 1, (uint64_t)t->shape.dim[i]);
    trib_pb_put_borrowed(&blob, DATA, t->data, (size_t)count * sizeof(float));
    trib_pb_move(&blob, SHAPE, &shape);
    trib_pb_move(&b->bytes, BLOBS, &blob);
    return trib_success();
}

static trib_status put_numbers(const writer *w, const trib_layer *layer, block *b)
{
    const trib_attributes *a = &layer->attributes;
    switch (layer->kind) {
    case TRIB_INPUT: put_input(b, layer, w->preprocess); return trib_success();
    case TRIB_CONV2D: return put_conv(b, &a->conv2d);
    case TRIB_MAX_POOL2D: return put_pool(b, &a->pool2d, false);
    case TRIB_AVG_POOL2D: return put_average(w, layer, b);
    case TRIB_LRN: put_lrn(b, &a->lrn); return trib_success();
    case TRIB_LINEAR: put_linear(b, &a->linear); return trib_success();
    case TRIB_DROPOUT: put_dropout(b, &a->dropout); return trib_success();
    default: return trib_success();
    }
}

static trib_status put_fields(const writer *w, int id, block *b)
{
    const trib_layer *layer = trib_graph_layer(w->graph, id);
    put_string(b, "name", LAYER_NAME, name_of(layer));
    put_string(b, "type", LAYER_TYPE, type_of(layer->kind));
    for (int i = 0; i < layer->input_count; ++i) put_string(b, "bottom", BOTTOM, top_of(w->graph, layer->inputs[i]));
    put_string(b, "top", TOP, top_of(w->graph, id));
    for (int role = TRIB_WEIGHT; role <= TRIB_BIAS; ++role)
        if (layer->parameters[role] != TRIB_NO_PARAMETER)
            TRIB_TRY(put_blob(b, &w->parameters[layer->parameters[role]]));
    return put_numbers(w, layer, b);
}

static trib_status put_layer(writer *w, int id, bool in_text)
{
    block net = { .text = in_text ? &w->text : NULL };
    block layer = open_block(&net, "layer");
    trib_status s = put_fields(w, id, &layer);
    trib_add_context(&s, "layer %s", trib_graph_layer(w->graph, id)->name);
    trib_pb_move(&w->net, NET_LAYER, &layer.bytes);
    put_line(&net, "}", "", "", "\n");
    return s;
}

/* What no choice of element type changes is said first. */
static trib_status check_kinds(const trib_graph *graph)
{
    for (int id = 0; id < trib_graph_layer_count(graph); ++id) {
        const trib_layer *layer = trib_graph_layer(graph, id);
        if (!type_of(layer->kind))
            return TRIB_ERROR(TRIB_UNSUPPORTED,
                              "layer %s: Caffe has no layer like this %s; ONNX, safetensors and PyTorch have",
                              layer->name, trib_kind_name(layer->kind));
    }
    return trib_success();
}

static trib_status put_net(writer *w, const bool *deployed)
{
    TRIB_TRY(check_kinds(w->graph));
    block net = { .text = &w->text };
    put_string(&net, "name", NET_NAME, trib_graph_name(w->graph));
    trib_pb_append(&w->net, &net.bytes);
    for (int id = 0; id < trib_graph_layer_count(w->graph); ++id) TRIB_TRY(put_layer(w, id, deployed[id]));
    if (w->text.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the network's text");
    return trib_pb_message_check(&w->net);
}

/* ---- files ---- */

static trib_status open_and_write_text(const char *path, const trib_text *text, trib_output **out)
{
    TRIB_TRY(trib_output_open(path, out));
    return trib_output_write(*out, text->bytes, text->size);
}

static trib_status write_files(const writer *w, const char *path, const char *prototxt)
{
    trib_output *model = NULL, *text = NULL;
    trib_status s = trib_output_open(path, &model);
    if (!trib_failed(&s)) s = trib_pb_write(&w->net, model);
    if (!trib_failed(&s) && prototxt) s = open_and_write_text(prototxt, &w->text, &text);
    if (!trib_failed(&s) && prototxt) {
        s = trib_output_commit(text);
        text = NULL;
    }
    if (!trib_failed(&s)) return trib_output_commit(model);
    trib_output_abandon(text);
    trib_output_abandon(model);
    return s;
}

trib_status trib_caffe_write(const char *path, const char *prototxt, const trib_graph *graph,
                             const trib_tensor *parameters, const trib_preprocess *preprocess)
{
    writer w = { .graph = graph, .parameters = parameters, .preprocess = preprocess };
    bool *deployed = NULL;
    trib_status s = trib_layers_needed(graph, trib_graph_output(graph, 1)->layer, &deployed);
    if (!trib_failed(&s)) s = put_net(&w, deployed);
    trib_add_context(&s, "%s: cannot be written", trib_shorten(path).text);
    if (!trib_failed(&s)) s = write_files(&w, path, prototxt);
    trib_pb_message_free(&w.net);
    trib_text_free(&w.text);
    trib_free(deployed);
    return s;
}
