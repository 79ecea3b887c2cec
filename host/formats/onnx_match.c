/* SPDX-License-Identifier: Apache-2.0
 * Matches the graph of an ONNX model with a network's, from the output back: the names of its values lie (exporters
 * fold batch norms into convolutions and keep the names of the weights), its structure cannot. Every layer has one
 * value, so going back from a join leads through each branch in the order of the join's inputs. Whatever changes the
 * numbers is compared: kernels, strides, pads, the rounding of pools, LRN. */
#include <math.h>
#include <string.h>

#include "formats/onnx.h"
#include "tributary/internal/alloc.h"

typedef struct matcher {
    const trib_onnx_model *model;
    trib_onnx_match *match;
    trib_pb *values; /* of each layer; empty: not known yet */
    bool free_size;  /* the image may have any size */
} matcher;

static trib_status differs(const trib_onnx_node *node, const char *what, double found, double wanted)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: %s is %g where the network has %g", trib_onnx_show(node).text, what, found,
                      wanted);
}

/* `found` in single precision, as attributes are. */
static trib_status compare(const trib_onnx_node *node, const char *what, double found, double wanted)
{
    return (float)found == (float)wanted ? trib_success() : differs(node, what, found, wanted);
}

static const trib_pb *input_of(const matcher *m, const trib_onnx_node *node, int i)
{
    static const unsigned char empty[1];
    static const trib_pb none = { .file = empty, .at = empty, .end = empty };
    return i < node->input_count ? trib_onnx_input(m->model, node, i) : &none;
}

/* Inputs at the end may be left out, or have no name. */
static bool has_input(const matcher *m, const trib_onnx_node *node, int i)
{
    return i < node->input_count && trib_pb_size(trib_onnx_input(m->model, node, i));
}

/* ---- nodes that change nothing ---- */

static bool any_of(const trib_onnx_node *node, const char *const *ops)
{
    for (; *ops; ++ops)
        if (trib_onnx_is(node, *ops)) return true;
    return false;
}

/* Goes back over them; *value becomes what the first of them reads. */
static const trib_onnx_node *skip(const matcher *m, trib_pb *value, const char *const *ops)
{
    const trib_onnx_node *node;
    while ((node = trib_onnx_producer(m->model, value)) && any_of(node, ops) && node->input_count &&
           !trib_onnx_changes(m->model, node)) {
        const trib_onnx_value *v = trib_onnx_find(m->model, value);
        if (v->output != 0) break; /* a mask of dropout */
        *value = *trib_onnx_input(m->model, node, 0);
    }
    return node;
}

static const char *const copies[] = { "Identity", "Dropout", "Cast", NULL };
/* Between the last pool and the classifier the image has one pixel, so these change nothing there, either. */
static const char *const flat_copies[] = { "Identity", "Dropout", "Cast", "Flatten", "Reshape", "Squeeze", NULL };

/* The node of the operator that writes the layer's value. */
static trib_status need(const matcher *m, int layer, const char *op, const char *const *skipped,
                        const trib_onnx_node **out)
{
    trib_pb *value = &m->values[layer];
    const trib_onnx_node *node = skip(m, value, skipped);
    const trib_pb_shown shown = trib_pb_show(value);
    if (!node)
        return TRIB_ERROR(TRIB_BAD_DATA, "%.60s, which no node gives, stands where %s is needed", shown.text, op);
    if (trib_onnx_changes(m->model, node))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %s", trib_onnx_show(node).text, trib_onnx_changes(m->model, node));
    if (!trib_onnx_is(node, op))
        return TRIB_ERROR(TRIB_BAD_DATA, "%s stands where %s is needed", trib_onnx_show(node).text, op);
    if (trib_onnx_find(m->model, value)->output != 0)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: its second output is used", trib_onnx_show(node).text);
    *out = node;
    return trib_success();
}

/* The layer's input stands for this value; all its readers must agree. */
static trib_status assign(const matcher *m, int layer, trib_pb value)
{
    trib_pb *own = &m->values[layer];
    skip(m, &value, copies);
    if (!own->at) {
        *own = value;
        return trib_success();
    }
    if (trib_pb_size(own) == trib_pb_size(&value) && !memcmp(own->at, value.at, trib_pb_size(own)))
        return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "reads %.60s where another branch of the module reads %.60s",
                      trib_pb_show(&value).text, trib_pb_show(own).text);
}

static trib_status assign_input(const matcher *m, const trib_layer *layer, const trib_onnx_node *node, int i)
{
    const trib_pb *value = input_of(m, node, i);
    if (!trib_pb_size(value)) return TRIB_ERROR(TRIB_BAD_DATA, "%s: an input is missing", trib_onnx_show(node).text);
    return assign(m, layer->inputs[i < layer->input_count ? i : 0], *value);
}

/* ---- windows ---- */

typedef struct window {
    int64_t kernel[2], stride[2], begin[2], end[2], dilation[2];
} window;

static trib_status take_pairs(const trib_onnx_node *node, const char *name, int count, int64_t otherwise, int64_t *out)
{
    const trib_onnx_attribute a = trib_onnx_get(node, name);
    if (a.found && a.count != count)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: %s has %d values where an image has %d", trib_onnx_show(node).text, name,
                          a.count, count);
    for (int i = 0; i < count; ++i) out[i] = a.found ? a.ints[i] : otherwise;
    return trib_success();
}

static trib_status take_window(const trib_onnx_node *node, const int64_t kernel[2], window *w)
{
    const trib_onnx_attribute automatic = trib_onnx_get(node, "auto_pad");
    int64_t pads[4];
    if (automatic.found && !trib_pb_equals(&automatic.s, "NOTSET") && !trib_pb_equals(&automatic.s, "VALID"))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: auto_pad is %.20s; pads in numbers are needed",
                          trib_onnx_show(node).text, trib_pb_show(&automatic.s).text);
    w->kernel[0] = kernel ? kernel[0] : 0;
    if (!kernel || trib_onnx_get(node, "kernel_shape").found)
        TRIB_TRY(take_pairs(node, "kernel_shape", 2, 0, w->kernel));
    else
        w->kernel[1] = kernel[1];
    TRIB_TRY(take_pairs(node, "strides", 2, 1, w->stride));
    TRIB_TRY(take_pairs(node, "dilations", 2, 1, w->dilation));
    TRIB_TRY(take_pairs(node, "pads", 4, 0, pads));
    for (int i = 0; i < 2; ++i) {
        w->begin[i] = pads[i];
        w->end[i] = pads[2 + i];
        TRIB_TRY(compare(node, "a value of dilations", (double)w->dilation[i], 1));
    }
    return trib_success();
}

static trib_status check_window(const trib_onnx_node *node, const window *w, const int kernel[2], const int stride[2],
                                const int begin[2])
{
    for (int i = 0; i < 2; ++i) {
        TRIB_TRY(compare(node, i ? "the kernel's width" : "the kernel's height", (double)w->kernel[i], kernel[i]));
        TRIB_TRY(compare(node, i ? "the horizontal stride" : "the vertical stride", (double)w->stride[i], stride[i]));
        TRIB_TRY(compare(node, i ? "the pad on the left" : "the pad at the top", (double)w->begin[i], begin[i]));
    }
    return trib_success();
}

/* ---- layers ---- */

static trib_onnx_parameter *parameter_of(const matcher *m, const trib_layer *layer, trib_role role)
{
    return layer->parameters[role] < 0 ? NULL : &m->match->parameters[layer->parameters[role]];
}

static trib_onnx_constant everywhere(double value, int64_t count)
{
    return (trib_onnx_constant) { .kind = TRIB_ONNX_FILL, .fill = value, .shape = { .rank = 1, .dim = { count } } };
}

static trib_status match_conv(const matcher *m, int id, const trib_layer *layer)
{
    const trib_conv2d *conv = &layer->attributes.conv2d;
    const int kernel[2] = { conv->r, conv->s }, stride[2] = { conv->stride_h, conv->stride_w },
              begin[2] = { conv->pad.top, conv->pad.left };
    trib_onnx_parameter *weight = parameter_of(m, layer, TRIB_WEIGHT), *bias = parameter_of(m, layer, TRIB_BIAS);
    const trib_onnx_node *node;
    window w;
    TRIB_TRY(need(m, id, "Conv", copies, &node));
    TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, 1), &weight->constant));
    if (weight->constant.shape.rank != 4)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: its weights have %d dimensions", trib_onnx_show(node).text,
                          weight->constant.shape.rank);
    TRIB_TRY(take_window(node, &weight->constant.shape.dim[2], &w));
    TRIB_TRY(check_window(node, &w, kernel, stride, begin));
    TRIB_TRY(compare(node, "the pad at the bottom", (double)w.end[0], conv->pad.bottom));
    TRIB_TRY(compare(node, "the pad on the right", (double)w.end[1], conv->pad.right));
    TRIB_TRY(compare(node, "group", (double)trib_onnx_int(node, "group", 1), 1));
    if (bias && has_input(m, node, 2))
        TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, 2), &bias->constant));
    else if (bias)
        bias->constant = everywhere(0, weight->constant.shape.dim[0]);
    return assign_input(m, layer, node, 0);
}

/* The convolution before a batch norm: its node, and its channels and bias. */
static trib_status conv_before(const matcher *m, trib_pb value, int64_t *channels, trib_onnx_constant *bias,
                               bool *has_bias)
{
    const trib_onnx_node *node = skip(m, &value, copies);
    trib_onnx_constant weight;
    if (!trib_onnx_is(node, "Conv"))
        return TRIB_ERROR(TRIB_BAD_DATA, "%.120s stands where Conv is needed",
                          node ? trib_onnx_show(node).text : trib_pb_show(&value).text);
    TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, 1), &weight));
    *channels = weight.shape.dim[0];
    *has_bias = has_input(m, node, 2);
    return *has_bias ? trib_onnx_fold(m->model, input_of(m, node, 2), bias) : trib_success();
}

/* Without a BatchNormalization, one that only adds the convolution's bias: var + eps is exactly 1. */
static trib_status folded_norm(const matcher *m, int id, const trib_layer *layer)
{
    trib_onnx_constant bias;
    bool has_bias;
    int64_t channels;
    TRIB_TRY(conv_before(m, m->values[id], &channels, &bias, &has_bias));
    parameter_of(m, layer, TRIB_BN_WEIGHT)->constant = everywhere(1, channels);
    parameter_of(m, layer, TRIB_BN_MEAN)->constant = everywhere(0, channels);
    parameter_of(m, layer, TRIB_BN_VAR)->constant =
        everywhere((double)(1 - layer->attributes.batch_norm.eps), channels);
    parameter_of(m, layer, TRIB_BN_BIAS)->constant = has_bias ? bias : everywhere(0, channels);
    m->match->folded = true;
    return assign(m, layer->inputs[0], m->values[id]);
}

static trib_status match_norm(const matcher *m, int id, const trib_layer *layer)
{
    static const trib_role roles[] = { TRIB_BN_WEIGHT, TRIB_BN_BIAS, TRIB_BN_MEAN, TRIB_BN_VAR };
    const trib_onnx_node *node = skip(m, &m->values[id], copies);
    trib_onnx_parameter *mean = parameter_of(m, layer, TRIB_BN_MEAN);
    int64_t channels;
    if (!trib_onnx_is(node, "BatchNormalization")) return folded_norm(m, id, layer);
    TRIB_TRY(need(m, id, "BatchNormalization", copies, &node));
    if (trib_onnx_int(node, "training_mode", 0))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: it is exported for training (training_mode); export it with eval()",
                          trib_onnx_show(node).text);
    TRIB_TRY(compare(node, "epsilon", (double)trib_onnx_float(node, "epsilon", 1e-5f),
                     (double)layer->attributes.batch_norm.eps));
    for (int i = 0; i < 4; ++i)
        TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, i + 1), &parameter_of(m, layer, roles[i])->constant));
    TRIB_TRY(assign_input(m, layer, node, 0));
    return conv_before(m, m->values[layer->inputs[0]], &channels, &mean->minus, &mean->has_minus);
}

/* ceil((h + pads - k) / s) + 1, but a last window that starts behind the image is dropped; or rounded down. */
static int64_t outputs(int64_t size, int64_t kernel, int64_t stride, int64_t begin, int64_t end, bool ceil_mode)
{
    const int64_t over = size + begin + end - kernel;
    int64_t count = (over + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (count - 1) * stride >= size + begin) --count;
    return over < 0 ? 0 : count;
}

/* Exporters write a ceiling as ceil_mode, or as pads at the end that are right for the size they know. */
static trib_status check_rounding(const matcher *m, const trib_onnx_node *node, const window *w,
                                  const trib_pool2d *pool, const trib_layer *input)
{
    const int64_t known[2] = { input->h, input->w }, before[2] = { pool->pad.top, pool->pad.left },
                  after[2] = { pool->pad.bottom, pool->pad.right };
    const bool ceil_mode = trib_onnx_int(node, "ceil_mode", 0) != 0;
    for (int i = 0; i < 2; ++i)
        for (int64_t size = m->free_size ? 8 : known[i]; size <= (m->free_size ? 40 : known[i]); ++size) {
            if (w->end[i] < 0 || w->end[i] > 64)
                return differs(node, "a pad at the end", (double)w->end[i], (double)after[i]);
            const int64_t found = outputs(size, w->kernel[i], w->stride[i], w->begin[i], w->end[i], ceil_mode);
            const int64_t wanted = outputs(size, w->kernel[i], w->stride[i], before[i], after[i], pool->ceil_mode);
            if (found != wanted)
                return TRIB_ERROR(TRIB_UNSUPPORTED,
                                  "%s: the pool gives %lld of %lld pixels where the network's, which rounds up, gives "
                                  "%lld; this is another network, whose pools round down",
                                  trib_onnx_show(node).text, (long long)found, (long long)size, (long long)wanted);
        }
    return trib_success();
}

static trib_status match_max_pool(const matcher *m, int id, const trib_layer *layer)
{
    const trib_pool2d *p = &layer->attributes.pool2d;
    const int kernel[2] = { p->r, p->s }, stride[2] = { p->stride_h, p->stride_w },
              begin[2] = { p->pad.top, p->pad.left };
    const trib_onnx_node *node;
    window w;
    TRIB_TRY(need(m, id, "MaxPool", copies, &node));
    TRIB_TRY(take_window(node, NULL, &w));
    TRIB_TRY(check_window(node, &w, kernel, stride, begin));
    TRIB_TRY(check_rounding(m, node, &w, p, trib_graph_layer(m->match->graph, layer->inputs[0])));
    return assign_input(m, layer, node, 0);
}

/* One window that holds the whole image. */
static trib_status check_global(const matcher *m, const trib_onnx_node *node, const trib_layer *input)
{
    const int64_t size[2] = { input->h, input->w };
    const bool ceil_mode = trib_onnx_int(node, "ceil_mode", 0) != 0;
    window w;
    TRIB_TRY(take_window(node, NULL, &w));
    for (int i = 0; i < 2; ++i) {
        const bool padded = w.begin[i] || w.end[i];
        const bool odd = w.kernel[i] > 65535 || w.begin[i] < 0 || w.begin[i] > 64 || w.end[i] < 0 || w.end[i] > 64 ||
                         w.stride[i] < 1;
        if (padded && trib_onnx_int(node, "count_include_pad", 0)) return differs(node, "count_include_pad", 1, 0);
        if (odd || w.kernel[i] - w.begin[i] < size[i] ||
            (!m->free_size && outputs(size[i], w.kernel[i], w.stride[i], w.begin[i], w.end[i], ceil_mode) != 1))
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "%s: its window of %lld and its pads are not for one pixel of the %lld that the network "
                              "has there; perhaps "
                              "pools before it round down, where the network's round up",
                              trib_onnx_show(node).text, (long long)w.kernel[i], (long long)size[i]);
    }
    return trib_success();
}

static trib_status check_mean(const matcher *m, const trib_onnx_node *node)
{
    const trib_onnx_attribute a = trib_onnx_get(node, "axes");
    trib_onnx_constant c = { .count = a.count };
    memcpy(c.whole, a.ints, sizeof c.whole);
    if (!a.found) TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, 1), &c));
    unsigned axes = 0;
    for (int i = 0; i < c.count && i < TRIB_ONNX_INTS; ++i)
        axes |= 1u << ((c.whole[i] < 0 ? c.whole[i] + 4 : c.whole[i]) & 7);
    if (c.count == 2 && axes == (1u << 2 | 1u << 3)) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: its axes are not height and width", trib_onnx_show(node).text);
}

static trib_status match_average(const matcher *m, int id, const trib_layer *layer)
{
    static const char *const ops[] = { "GlobalAveragePool", "AveragePool", "ReduceMean", NULL };
    const trib_onnx_node *node = skip(m, &m->values[id], flat_copies);
    if (!node || !any_of(node, ops)) return need(m, id, "GlobalAveragePool", copies, &node);
    if (trib_onnx_is(node, "AveragePool"))
        TRIB_TRY(check_global(m, node, trib_graph_layer(m->match->graph, layer->inputs[0])));
    if (trib_onnx_is(node, "ReduceMean")) TRIB_TRY(check_mean(m, node));
    return assign_input(m, layer, node, 0);
}

static trib_status match_lrn(const matcher *m, int id, const trib_layer *layer)
{
    const trib_lrn *n = &layer->attributes.lrn;
    const trib_onnx_node *node;
    TRIB_TRY(need(m, id, "LRN", copies, &node));
    TRIB_TRY(compare(node, "size", (double)trib_onnx_int(node, "size", 0), n->size));
    TRIB_TRY(compare(node, "alpha", (double)trib_onnx_float(node, "alpha", 1e-4f), (double)n->alpha));
    TRIB_TRY(compare(node, "beta", (double)trib_onnx_float(node, "beta", 0.75f), (double)n->beta));
    TRIB_TRY(compare(node, "bias", (double)trib_onnx_float(node, "bias", 1), (double)n->k));
    return assign_input(m, layer, node, 0);
}

static trib_status match_concat(const matcher *m, int id, const trib_layer *layer)
{
    const trib_onnx_node *node;
    TRIB_TRY(need(m, id, "Concat", copies, &node));
    const int64_t axis = trib_onnx_int(node, "axis", 1);
    TRIB_TRY(compare(node, "axis", (double)(axis == -3 ? 1 : axis), 1));
    TRIB_TRY(compare(node, "the number of inputs", node->input_count, layer->input_count));
    for (int i = 0; i < layer->input_count; ++i) TRIB_TRY(assign_input(m, layer, node, i));
    return trib_success();
}

/* x W^T + b, as Gemm or as MatMul and Add. */
static trib_status match_linear(const matcher *m, int id, const trib_layer *layer)
{
    trib_onnx_parameter *weight = parameter_of(m, layer, TRIB_WEIGHT), *bias = parameter_of(m, layer, TRIB_BIAS);
    const trib_onnx_node *node = skip(m, &m->values[id], flat_copies);
    bool transposed = false, has_bias = true;
    if (trib_onnx_is(node, "Add")) {
        trib_pb sum[2] = { *input_of(m, node, 0), *input_of(m, node, 1) };
        const int product = trib_onnx_is(skip(m, &sum[0], flat_copies), "MatMul") ? 0 : 1;
        TRIB_TRY(trib_onnx_fold(m->model, &sum[!product], &bias->constant));
        m->values[id] = sum[product];
        TRIB_TRY(need(m, id, "MatMul", flat_copies, &node));
    } else {
        TRIB_TRY(need(m, id, "Gemm", flat_copies, &node));
        TRIB_TRY(compare(node, "alpha", (double)trib_onnx_float(node, "alpha", 1), 1));
        TRIB_TRY(compare(node, "beta", (double)trib_onnx_float(node, "beta", 1), 1));
        TRIB_TRY(compare(node, "transA", (double)trib_onnx_int(node, "transA", 0), 0));
        transposed = trib_onnx_int(node, "transB", 0) != 0;
        has_bias = has_input(m, node, 2);
        if (has_bias) TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, 2), &bias->constant));
    }
    TRIB_TRY(trib_onnx_fold(m->model, input_of(m, node, 1), &weight->constant));
    trib_onnx_constant *c = &weight->constant;
    if (c->shape.rank != 2)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: its weights are no matrix", trib_onnx_show(node).text);
    if (!transposed) { /* ours are [out, in] */
        const int64_t rows = c->shape.dim[0];
        c->shape.dim[0] = c->shape.dim[1];
        c->shape.dim[1] = rows;
        c->transposed = !c->transposed;
    }
    if (!has_bias) bias->constant = everywhere(0, c->shape.dim[0]);
    return assign_input(m, layer, node, 0);
}

/* A model may end with logits. */
static trib_status match_softmax(const matcher *m, int id, const trib_layer *layer)
{
    const trib_onnx_node *node = skip(m, &m->values[id], flat_copies);
    if (!trib_onnx_is(node, "Softmax")) return assign(m, layer->inputs[0], m->values[id]);
    const int64_t axis = trib_onnx_int(node, "axis", m->model->opset < 13 ? 1 : -1);
    TRIB_TRY(compare(node, "axis", (double)(axis == -1 ? 1 : axis), 1));
    return assign_input(m, layer, node, 0);
}

static trib_status match_relu(const matcher *m, int id, const trib_layer *layer)
{
    const trib_onnx_node *node;
    TRIB_TRY(need(m, id, "Relu", copies, &node));
    return assign_input(m, layer, node, 0);
}

static trib_status match_layer(const matcher *m, int id, const trib_layer *layer)
{
    switch (layer->kind) {
    case TRIB_INPUT: return trib_success();
    case TRIB_CONV2D: return match_conv(m, id, layer);
    case TRIB_BATCH_NORM: return match_norm(m, id, layer);
    case TRIB_RELU: return match_relu(m, id, layer);
    case TRIB_MAX_POOL2D: return match_max_pool(m, id, layer);
    case TRIB_AVG_POOL2D: return match_average(m, id, layer);
    case TRIB_LRN: return match_lrn(m, id, layer);
    case TRIB_CONCAT: return match_concat(m, id, layer);
    case TRIB_LINEAR: return match_linear(m, id, layer);
    case TRIB_DROPOUT: return assign(m, layer->inputs[0], m->values[id]);
    case TRIB_SOFTMAX: return match_softmax(m, id, layer);
    default: return TRIB_ERROR(TRIB_UNSUPPORTED, "%s layers cannot be read from ONNX", trib_kind_name(layer->kind));
    }
}

static trib_status match_all(matcher *m)
{
    const trib_graph *graph = m->match->graph;
    const int count = trib_graph_layer_count(graph);
    m->values[trib_graph_output(graph, 1)->layer] = m->model->output; /* probabilities, or logits */
    for (int id = count; id-- > 0; ++m->match->matched) {
        const trib_layer *layer = trib_graph_layer(graph, id);
        if (!m->values[id].at) return TRIB_ERROR(TRIB_INTERNAL, "layer %s: nothing reads it", layer->name);
        trib_status s = match_layer(m, id, layer);
        if (layer->fork >= 0 && s.code == TRIB_BAD_DATA)
            trib_add_context(&s, "branch %d of module %s, in the order of its Concat's inputs", layer->branch + 1,
                             trib_graph_fork(graph, layer->fork)->name);
        trib_add_context(&s, "layer %s", layer->name);
        if (trib_failed(&s)) return s;
    }
    m->match->image = m->values[0];
    return trib_success();
}

trib_status trib_onnx_match_network(const trib_onnx_model *model, const trib_network *network, trib_onnx_match *out)
{
    int64_t size[2];
    trib_network_spec spec = { .network = network };
    matcher m = { .model = model, .match = out, .free_size = !trib_onnx_image_size(model, size) };
    if (!m.free_size) spec.height = (int)size[0];
    if (!m.free_size) spec.width = (int)size[1];
    *out = (trib_onnx_match) { 0 };
    TRIB_TRY(trib_network_graph(&spec, &out->graph));
    m.values = trib_alloc_zeroed((size_t)trib_graph_layer_count(out->graph), sizeof *m.values);
    out->parameters = trib_alloc_zeroed((size_t)trib_graph_parameter_count(out->graph), sizeof *out->parameters);
    trib_status s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to compare it with %s", trib_network_name(network));
    if (m.values && out->parameters) s = match_all(&m);
    trib_free(m.values);
    return s;
}

void trib_onnx_match_release(trib_onnx_match *match)
{
    trib_graph_destroy(match->graph);
    trib_free(match->parameters);
    *match = (trib_onnx_match) { 0 };
}
