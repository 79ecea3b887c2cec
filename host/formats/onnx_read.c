/* SPDX-License-Identifier: Apache-2.0
 * ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8, functions 25. GraphProto: node 1, initializer 5,
 * input 11, output 12, sparse_initializer 15. NodeProto: input 1, output 2, name 3, op_type 4, attribute 5, domain 7.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/foreign.h"
#include "formats/onnx.h"
#include "formats/text.h"
#include "tributary/internal/alloc.h"

enum { LEAST_OPSET = 7, MOST_OPSET = 22 };

bool trib_onnx_recognises(const unsigned char *head, size_t size)
{
    /* the version, then the producer's name or version, the domain, the model's version, a comment, the graph, or the
     * operator set */
    static const char next[] = "\x12\x1A\x22\x28\x32\x3A\x42";
    if (size < 4 || head[0] != 0x08 || head[1] < 1 || head[1] >= 0x20 || trib_is_text(head, size)) return false;
    const bool saved_model = head[1] == 1 && head[2] == 0x12 && head[3] >= 0x80; /* TensorFlow's: a graph follows */
    return head[2] && strchr(next, head[2]) && !saved_model;
}

bool trib_onnx_is(const trib_onnx_node *node, const char *op) { return node && trib_pb_equals(&node->op, op); }

trib_onnx_shown trib_onnx_show(const trib_onnx_node *node)
{
    trib_onnx_shown shown;
    const trib_pb_shown name = trib_pb_show(&node->name), op = trib_pb_show(&node->op);
    const trib_pb_shown domain = trib_pb_show(&node->domain);
    snprintf(shown.text, sizeof shown.text, "node '%.60s' (%.40s%s%.40s)", name.text, domain.text,
             domain.text[0] ? "." : "", op.text);
    return shown;
}

/* ---- nodes ---- */

static trib_status too_many(const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "more than %d %s", TRIB_ONNX_MOST, what);
}

static trib_status add_name(trib_onnx_model *m, const trib_pb *name)
{
    if (m->name_count == TRIB_ONNX_MOST_NAMES) return too_many("inputs and outputs of nodes");
    if (trib_grow((void **)&m->names, &m->name_capacity, m->name_count + 1, sizeof *m->names))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its names");
    m->names[m->name_count++] = *name;
    return trib_success();
}

/* Inputs (field 1) or outputs (2). */
static trib_status add_names(trib_onnx_model *m, trib_pb message, uint32_t field, int *count)
{
    trib_pb_field f;
    while (trib_pb_next(&message, &f)) {
        if (!trib_pb_is(&f, field, TRIB_PB_BYTES)) continue;
        TRIB_TRY(add_name(m, &f.bytes));
        ++*count;
    }
    return trib_pb_end(&message);
}

/* An attribute's message is looked at when it is asked for; what is damaged is told here. */
static trib_status check_attribute(trib_pb message)
{
    trib_pb_field f;
    int64_t ints[1];
    int count = 0;
    while (trib_pb_next(&message, &f))
        if (f.number == 8) TRIB_TRY(trib_pb_take_integers(&f, ints, 1, &count));
    return trib_pb_end(&message);
}

static trib_status read_node(trib_onnx_model *m, trib_pb message)
{
    if (m->node_count == TRIB_ONNX_MOST) return too_many("nodes");
    if (trib_grow((void **)&m->nodes, &m->node_capacity, m->node_count + 1, sizeof *m->nodes))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its nodes");
    const trib_pb none = trib_pb_of("", 0);
    trib_onnx_node *node = &m->nodes[m->node_count++];
    trib_pb rest = message;
    trib_pb_field f;
    *node = (trib_onnx_node) { message, none, none, none, (int)m->name_count, 0, 0 };
    while (trib_pb_next(&rest, &f)) {
        if (trib_pb_is(&f, 3, TRIB_PB_BYTES)) node->name = f.bytes;
        if (trib_pb_is(&f, 4, TRIB_PB_BYTES)) node->op = f.bytes;
        if (trib_pb_is(&f, 7, TRIB_PB_BYTES)) node->domain = f.bytes;
        if (trib_pb_is(&f, 5, TRIB_PB_BYTES)) TRIB_TRY(check_attribute(f.bytes));
    }
    TRIB_TRY(trib_pb_end(&rest));
    TRIB_TRY(add_names(m, message, 1, &node->input_count));
    return add_names(m, message, 2, &node->output_count);
}

static bool starts(const trib_pb *text, const char *prefix)
{
    return trib_pb_size(text) >= strlen(prefix) && !memcmp(text->at, prefix, strlen(prefix));
}

/* Operators of quantised models, and those that this reader has not heard of. */
static trib_status check_node(const trib_onnx_node *node)
{
    static const char *const known[] = { "Conv",
                                         "Relu",
                                         "MaxPool",
                                         "AveragePool",
                                         "GlobalAveragePool",
                                         "LRN",
                                         "BatchNormalization",
                                         "Concat",
                                         "Dropout",
                                         "Gemm",
                                         "MatMul",
                                         "Softmax",
                                         "Flatten",
                                         "Reshape",
                                         "Squeeze",
                                         "Unsqueeze",
                                         "ReduceMean",
                                         "Identity",
                                         "Cast",
                                         "CastLike",
                                         "Constant",
                                         "ConstantOfShape",
                                         "Shape",
                                         "Transpose",
                                         "Expand",
                                         "Gather",
                                         "Add",
                                         "Sub",
                                         "Mul",
                                         "Div",
                                         "Slice" };
    const bool own = !trib_pb_size(&node->domain) || trib_pb_equals(&node->domain, "ai.onnx");
    if (starts(&node->op, "QLinear") || starts(&node->op, "QuantizeLinear") || starts(&node->op, "DequantizeLinear") ||
        starts(&node->op, "DynamicQuantize") || starts(&node->op, "ConvInteger") || starts(&node->op, "QGemm"))
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "%s: the model is quantised; name the model in floating point that it was made from",
                          trib_onnx_show(node).text);
    for (size_t i = 0; own && i < sizeof known / sizeof *known; ++i)
        if (trib_pb_equals(&node->op, known[i])) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: GoogLeNet has no such operator", trib_onnx_show(node).text);
}

/* ---- the graph ---- */

static trib_status add_tensor(trib_onnx_model *m, trib_pb message)
{
    trib_onnx_tensor tensor;
    if (m->tensor_count == TRIB_ONNX_MOST) return too_many("initialisers");
    trib_status s = trib_onnx_read_tensor(message, &tensor);
    if (trib_failed(&s)) return s;
    if (trib_grow((void **)&m->tensors, &m->tensor_capacity, m->tensor_count + 1, sizeof *m->tensors))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its initialisers");
    m->tensors[m->tensor_count++] = tensor;
    return trib_success();
}

static trib_status sparse(trib_pb message)
{
    trib_pb_field f, inner;
    trib_pb name = trib_pb_of("", 0);
    while (trib_pb_next(&message, &f)) /* the values, which have the name */
        while (trib_pb_is(&f, 1, TRIB_PB_BYTES) && trib_pb_next(&f.bytes, &inner))
            if (trib_pb_is(&inner, 8, TRIB_PB_BYTES)) name = inner.bytes;
    return TRIB_ERROR(TRIB_UNSUPPORTED, "initialiser %s is sparse; save it dense", trib_pb_show(&name).text);
}

static trib_pb name_of(trib_pb message)
{
    trib_pb_field f;
    trib_pb name = trib_pb_of("", 0);
    while (trib_pb_next(&message, &f))
        if (trib_pb_is(&f, 1, TRIB_PB_BYTES)) name = f.bytes;
    return name;
}

static trib_status read_graph(trib_onnx_model *m, trib_pb graph)
{
    trib_pb_field f;
    m->graph = graph;
    m->output = trib_pb_of("", 0);
    while (trib_pb_next(&graph, &f)) {
        if (trib_pb_is(&f, 1, TRIB_PB_BYTES)) TRIB_TRY(read_node(m, f.bytes));
        if (trib_pb_is(&f, 5, TRIB_PB_BYTES)) TRIB_TRY(add_tensor(m, f.bytes));
        if (trib_pb_is(&f, 12, TRIB_PB_BYTES) && !trib_pb_size(&m->output)) m->output = name_of(f.bytes);
        if (trib_pb_is(&f, 15, TRIB_PB_BYTES)) return sparse(f.bytes);
    }
    TRIB_TRY(trib_pb_end(&graph));
    if (!m->node_count) return TRIB_ERROR(TRIB_BAD_DATA, "its graph has no nodes");
    for (size_t i = 0; i < m->node_count; ++i) TRIB_TRY(check_node(&m->nodes[i]));
    return trib_success();
}

/* ---- values ---- */

static int compare_names(const trib_pb *a, const trib_pb *b)
{
    const size_t m = trib_pb_size(a), n = trib_pb_size(b);
    const int order = memcmp(a->at, b->at, m < n ? m : n);
    return order ? order : (m > n) - (m < n);
}

static int compare_values(const void *a, const void *b)
{
    return compare_names(&((const trib_onnx_value *)a)->name, &((const trib_onnx_value *)b)->name);
}

static trib_status written_twice(const trib_onnx_value *a, const trib_onnx_value *b)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s is there twice: %s", trib_pb_show(&a->name).text,
                      a->node < 0 && b->node < 0 ? "two initialisers have this name"
                                                 : "two nodes, or a node and an initialiser, give it");
}

static trib_status list_values(trib_onnx_model *m)
{
    m->values = trib_alloc_zeroed(m->tensor_count + m->name_count, sizeof *m->values);
    if (!m->values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its values");
    for (size_t i = 0; i < m->tensor_count; ++i)
        m->values[m->value_count++] = (trib_onnx_value) { m->tensors[i].name, -1, 0, (int)i };
    for (size_t n = 0; n < m->node_count; ++n)
        for (int o = 0; o < m->nodes[n].output_count; ++o) {
            const trib_pb *name = trib_onnx_output(m, &m->nodes[n], o);
            if (trib_pb_size(name)) m->values[m->value_count++] = (trib_onnx_value) { *name, (int)n, o, -1 };
        }
    qsort(m->values, m->value_count, sizeof *m->values, compare_values);
    for (size_t i = 1; i < m->value_count; ++i)
        if (!compare_values(&m->values[i - 1], &m->values[i])) return written_twice(&m->values[i - 1], &m->values[i]);
    return trib_success();
}

/* Nodes come after those whose results they read, so that no way leads in a circle. */
static trib_status check_order(const trib_onnx_model *m)
{
    for (size_t n = 0; n < m->node_count; ++n)
        for (int i = 0; i < m->nodes[n].input_count; ++i) {
            const trib_onnx_value *value = trib_onnx_find(m, trib_onnx_input(m, &m->nodes[n], i));
            if (value && value->node >= (int)n)
                return TRIB_ERROR(TRIB_BAD_DATA,
                                  "%s reads %.60s, which is only written by itself or later: the graph goes in a "
                                  "circle, or its order is wrong",
                                  trib_onnx_show(&m->nodes[n]).text, trib_pb_show(&value->name).text);
        }
    return trib_success();
}

const trib_onnx_value *trib_onnx_find(const trib_onnx_model *m, const trib_pb *name)
{
    const trib_onnx_value key = { .name = *name };
    if (!m->value_count || !trib_pb_size(name)) return NULL;
    return bsearch(&key, m->values, m->value_count, sizeof key, compare_values);
}

const trib_pb *trib_onnx_input(const trib_onnx_model *m, const trib_onnx_node *node, int i)
{
    return &m->names[node->first_name + i];
}

const trib_pb *trib_onnx_output(const trib_onnx_model *m, const trib_onnx_node *node, int i)
{
    return &m->names[node->first_name + node->input_count + i];
}

const trib_onnx_node *trib_onnx_producer(const trib_onnx_model *m, const trib_pb *name)
{
    const trib_onnx_value *value = trib_onnx_find(m, name);
    return value && value->node >= 0 ? &m->nodes[value->node] : NULL;
}

/* ---- inputs ---- */

/* ValueInfoProto's type 2, its tensor_type 1, its shape 2, dim 1, dim_value 1. */
static void read_size(trib_pb info, int64_t size[2])
{
    static const uint32_t path[] = { 2, 1, 2 };
    trib_pb_field f;
    trib_pb at = info, inner = trib_pb_of("", 0);
    int dim = 0;
    for (size_t step = 0; step < sizeof path / sizeof *path; ++step, at = inner) {
        inner = trib_pb_of("", 0);
        while (trib_pb_next(&at, &f))
            if (trib_pb_is(&f, path[step], TRIB_PB_BYTES)) inner = f.bytes;
    }
    size[0] = size[1] = 0;
    for (; trib_pb_next(&at, &f); ++dim) {
        trib_pb_field v;
        while (f.type == TRIB_PB_BYTES && trib_pb_next(&f.bytes, &v))
            if (trib_pb_is(&v, 1, TRIB_PB_VARINT) && (dim == 2 || dim == 3)) size[dim - 2] = (int64_t)v.value;
    }
}

bool trib_onnx_image(const trib_onnx_model *m, const trib_pb *name, trib_pb *own, int64_t size[2])
{
    trib_pb graph = m->graph;
    trib_pb_field f;
    while (trib_pb_next(&graph, &f)) {
        if (!trib_pb_is(&f, 11, TRIB_PB_BYTES)) continue;
        *own = name_of(f.bytes);
        if (compare_names(own, name) != 0) continue;
        read_size(f.bytes, size);
        return true;
    }
    return false;
}

/* The image is the input that is no initialiser, and not always the first. */
bool trib_onnx_image_size(const trib_onnx_model *m, int64_t size[2])
{
    trib_pb graph = m->graph;
    trib_pb_field f;
    while (trib_pb_next(&graph, &f)) {
        if (!trib_pb_is(&f, 11, TRIB_PB_BYTES)) continue;
        const trib_pb name = name_of(f.bytes);
        if (trib_onnx_find(m, &name)) continue;
        read_size(f.bytes, size);
        return size[0] >= 1 && size[1] >= 1 && size[0] <= 65535 && size[1] <= 65535;
    }
    return false;
}

/* ---- the model ---- */

/* The version of ONNX's own operators. */
static trib_status read_opset(trib_pb message, int64_t *opset)
{
    trib_pb_field f;
    trib_pb domain = trib_pb_of("", 0);
    int64_t version = 0;
    while (trib_pb_next(&message, &f)) {
        if (trib_pb_is(&f, 1, TRIB_PB_BYTES)) domain = f.bytes;
        if (trib_pb_is(&f, 2, TRIB_PB_VARINT)) version = (int64_t)f.value;
    }
    if (!trib_pb_size(&domain) || trib_pb_equals(&domain, "ai.onnx")) *opset = version;
    return trib_pb_end(&message);
}

/* UTF-8 that a C string can hold. */
static bool is_text(const trib_pb *bytes)
{
    for (const unsigned char *c = bytes->at; c < bytes->end;) {
        char sequence[5] = "";
        memcpy(sequence, c, (size_t)(bytes->end - c) < 4 ? (size_t)(bytes->end - c) : 4);
        const int length = trib_utf8_length(sequence);
        if (!*c || !length) return false;
        c += length;
    }
    return true;
}

/* StringStringEntryProto: key 1, value 2. Keys of other programs are passed over. */
static trib_status read_metadata(trib_pb message, trib_onnx_model *m)
{
    trib_pb_field f;
    trib_pb key = trib_pb_of("", 0), value = trib_pb_of("", 0);
    while (trib_pb_next(&message, &f)) {
        if (trib_pb_is(&f, 1, TRIB_PB_BYTES)) key = f.bytes;
        if (trib_pb_is(&f, 2, TRIB_PB_BYTES)) value = f.bytes;
    }
    TRIB_TRY(trib_pb_end(&message));
    trib_pb *slot = trib_pb_equals(&key, "tributary.labels")          ? &m->labels
                    : trib_pb_equals(&key, "tributary.preprocessing") ? &m->preprocessing
                    : trib_pb_equals(&key, "tributary.provenance")    ? &m->provenance
                                                                      : NULL;
    if (!slot) return trib_success();
    if (!is_text(&value))
        return TRIB_ERROR(TRIB_BAD_DATA, "its metadata %s is no text in UTF-8", trib_pb_show(&key).text);
    *slot = value;
    return trib_success();
}

static trib_status read_model(trib_pb file, trib_onnx_model *m, trib_pb *graph)
{
    trib_pb_field f;
    m->labels = m->preprocessing = m->provenance = trib_pb_of("", 0);
    while (trib_pb_next(&file, &f)) {
        if (trib_pb_is(&f, 2, TRIB_PB_BYTES)) m->producer = trib_pb_show(&f.bytes);
        if (trib_pb_is(&f, 7, TRIB_PB_BYTES)) *graph = f.bytes;
        if (trib_pb_is(&f, 8, TRIB_PB_BYTES)) TRIB_TRY(read_opset(f.bytes, &m->opset));
        if (trib_pb_is(&f, 14, TRIB_PB_BYTES)) TRIB_TRY(read_metadata(f.bytes, m));
        if (trib_pb_is(&f, 25, TRIB_PB_BYTES))
            return TRIB_ERROR(TRIB_UNSUPPORTED,
                              "it has local functions, which may stand for any operator; export it without them");
    }
    return trib_pb_end(&file);
}

trib_status trib_onnx_read(trib_pb file, trib_onnx_model *m)
{
    trib_pb graph = trib_pb_of("", 0);
    TRIB_TRY(read_model(file, m, &graph));
    if (!m->opset) return TRIB_ERROR(TRIB_BAD_DATA, "it names no operator set (opset_import)");
    if (m->opset < LEAST_OPSET || m->opset > MOST_OPSET)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "it needs operator set (opset) %lld; %d to %d can be read",
                          (long long)m->opset, LEAST_OPSET, MOST_OPSET);
    TRIB_TRY(read_graph(m, graph));
    TRIB_TRY(list_values(m));
    return check_order(m);
}

void trib_onnx_release(trib_onnx_model *m)
{
    trib_free(m->nodes);
    trib_free(m->names);
    trib_free(m->tensors);
    trib_free(m->values);
    *m = (trib_onnx_model) { 0 };
}

/* ---- attributes ---- */

/* AttributeProto: name 1, f 2, i 3, s 4, t 5, ints 8. */
static void read_attribute(trib_pb message, trib_onnx_attribute *a)
{
    trib_pb_field f;
    while (trib_pb_next(&message, &f)) {
        if (f.number == 2) a->f = trib_pb_float(&f);
        if (trib_pb_is(&f, 3, TRIB_PB_VARINT)) a->i = (int64_t)f.value;
        if (trib_pb_is(&f, 4, TRIB_PB_BYTES)) a->s = f.bytes;
        if (trib_pb_is(&f, 5, TRIB_PB_BYTES)) a->tensor = f.bytes;
        if (f.number == 8) (void)trib_pb_take_integers(&f, a->ints, TRIB_ONNX_INTS, &a->count); /* succeeded before */
    }
}

trib_onnx_attribute trib_onnx_get(const trib_onnx_node *node, const char *name)
{
    trib_onnx_attribute a = { .s = trib_pb_of("", 0), .tensor = trib_pb_of("", 0) };
    trib_pb message = node->message;
    trib_pb_field f;
    while (!a.found && trib_pb_next(&message, &f)) {
        if (!trib_pb_is(&f, 5, TRIB_PB_BYTES)) continue;
        const trib_pb own = name_of(f.bytes);
        if (!trib_pb_equals(&own, name)) continue;
        a.found = true;
        read_attribute(f.bytes, &a);
    }
    return a;
}

int64_t trib_onnx_int(const trib_onnx_node *node, const char *name, int64_t otherwise)
{
    const trib_onnx_attribute a = trib_onnx_get(node, name);
    return a.found ? a.i : otherwise;
}

float trib_onnx_float(const trib_onnx_node *node, const char *name, float otherwise)
{
    const trib_onnx_attribute a = trib_onnx_get(node, name);
    return a.found ? a.f : otherwise;
}
