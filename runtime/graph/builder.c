/* SPDX-License-Identifier: Apache-2.0
 * Building a graph: one function per layer kind, forks, and shape inference. The first failure is kept; later calls do
 * nothing. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "tributary/internal/alloc.h"

enum { MAX_EXTENT = 1 << 24, MAX_FORK_DEPTH = 8 };

typedef struct open_fork {
    int id, branch;
} open_fork;

struct trib_graph_builder {
    trib_graph *graph;
    trib_status status;
    open_fork open[MAX_FORK_DEPTH];
    int depth;
};

TRIB_PRINTF(3, 4)
static int fail(trib_graph_builder *b, const char *layer, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!trib_failed(&b->status)) b->status = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "layer %s: %s", layer, text);
    return -1;
}

static int no_memory(trib_graph_builder *b)
{
    if (!trib_failed(&b->status)) b->status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the graph");
    return -1;
}

static bool stopped(const trib_graph_builder *b) { return !b || trib_failed(&b->status); }

trib_graph_builder *trib_graph_begin(const char *name)
{
    trib_graph_builder *b = trib_alloc_zeroed(1, sizeof *b);
    if (!b) return NULL;
    b->graph = trib_graph_new(name);
    if (!b->graph) no_memory(b);
    return b;
}

/* ---- shapes ---- */

int trib_window_extent(int in, int window, int stride, int pad_begin, int pad_end, bool ceil_mode)
{
    int64_t span = (int64_t)in + pad_begin + pad_end - window + (ceil_mode ? stride - 1 : 0);
    if (span < 0 || window < 1 || stride < 1) return 0;
    int64_t out = span / stride + 1;
    if (ceil_mode && (out - 1) * stride >= (int64_t)in + pad_begin) --out;
    return (int)out;
}

static const char *const window_rule = "the window and its padding do not fit; use a larger input";

/* ---- layers ---- */

static const trib_layer *input_of(trib_graph_builder *b, const char *name, int input)
{
    if (input >= 0 && (size_t)input < b->graph->layer_count) return &b->graph->layers[input];
    fail(b, name, "its input %d is not a layer", input);
    return NULL;
}

static bool extents_ok(trib_graph_builder *b, const char *name, int c, int h, int w)
{
    bool ok = c > 0 && h > 0 && w > 0 && c <= MAX_EXTENT && h <= MAX_EXTENT && w <= MAX_EXTENT &&
              (int64_t)c * h <= ((int64_t)1 << 40) / w;
    if (!ok) fail(b, name, "its output would be %d x %d x %d, which is out of range", c, h, w);
    return ok;
}

/* Appends a layer of one input (none when `input` < 0) and returns its id. */
static int append(trib_graph_builder *b, const char *name, trib_kind kind, int input, trib_attributes attributes, int c,
                  int h, int w)
{
    trib_graph *g = b->graph;
    if (trib_failed(&b->status) || !extents_ok(b, name, c, h, w)) return -1;
    if (trib_graph_find_layer(g, name) >= 0) return fail(b, name, "there is a layer of that name already");
    if (trib_grow((void **)&g->layers, &g->layer_capacity, g->layer_count + 1, sizeof *g->layers)) return no_memory(b);
    trib_layer *l = &g->layers[g->layer_count];
    *l = (trib_layer) { .kind = kind, .attributes = attributes, .c = c, .h = h, .w = w, .fork = -1 };
    l->name = trib_strings_add(&g->strings, name);
    if (!l->name) return no_memory(b);
    if (input >= 0) {
        l->input_count = 1;
        l->inputs[0] = input;
    }
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) l->parameters[role] = TRIB_NO_PARAMETER;
    if (b->depth) {
        l->fork = b->open[b->depth - 1].id;
        l->branch = b->open[b->depth - 1].branch;
        if (l->branch < 0) return fail(b, name, "the fork is open but no branch was begun");
    }
    return (int)g->layer_count++;
}

static int add_parameter(trib_graph_builder *b, int layer, trib_role role, const char *leaf, trib_shape shape)
{
    trib_graph *g = b->graph;
    if (layer < 0) return -1;
    if (trib_grow((void **)&g->parameters, &g->parameter_capacity, g->parameter_count + 1, sizeof *g->parameters))
        return no_memory(b);
    const char *name = trib_strings_format(&g->strings, "%s.%s", g->layers[layer].name, leaf);
    if (!name) return no_memory(b);
    g->parameters[g->parameter_count] = (trib_parameter) { .name = name, .role = role, .layer = layer, .shape = shape };
    g->layers[layer].parameters[role] = (int)g->parameter_count++;
    return layer;
}

int trib_add_input(trib_graph_builder *b, const char *name, int c, int h, int w)
{
    if (stopped(b)) return -1;
    if (b->graph->layer_count) return fail(b, name, "the input must be the first layer, and there is one only");
    return append(b, name, TRIB_INPUT, -1, (trib_attributes) { 0 }, c, h, w);
}

static bool pad_ok(trib_pad p, int r, int s)
{
    return p.top >= 0 && p.left >= 0 && p.bottom >= 0 && p.right >= 0 && p.top < r && p.bottom < r && p.left < s &&
           p.right < s;
}

int trib_add_conv2d(trib_graph_builder *b, const char *name, int input, const trib_conv2d *conv)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    if (!in) return -1;
    trib_attributes a = { .conv2d = *conv };
    trib_conv2d *v = &a.conv2d;
    if (!v->stride_h) v->stride_h = 1;
    if (!v->stride_w) v->stride_w = 1;
    if (v->k < 1 || v->r < 1 || v->s < 1 || v->stride_h < 1 || v->stride_w < 1 || !pad_ok(v->pad, v->r, v->s))
        return fail(b, name, "a %dx%d convolution to %d channels with stride %dx%d is not possible", v->r, v->s, v->k,
                    v->stride_h, v->stride_w);
    int p = trib_window_extent(in->h, v->r, v->stride_h, v->pad.top, v->pad.bottom, false);
    int q = trib_window_extent(in->w, v->s, v->stride_w, v->pad.left, v->pad.right, false);
    int c = in->c;
    if (!p || !q) return fail(b, name, "%dx%d over an input of %dx%d: %s", v->r, v->s, in->h, in->w, window_rule);
    int id = append(b, name, TRIB_CONV2D, input, a, v->k, p, q);
    id = add_parameter(b, id, TRIB_WEIGHT, "weight", trib_shape_of(4, v->k, c, v->r, v->s));
    return v->no_bias ? id : add_parameter(b, id, TRIB_BIAS, "bias", trib_shape_of(1, v->k, 0, 0, 0));
}

int trib_add_batch_norm(trib_graph_builder *b, const char *name, int input, float eps)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    if (!in) return -1;
    if (!(eps > 0)) return fail(b, name, "eps must be greater than 0");
    trib_shape per_channel = trib_shape_of(1, in->c, 0, 0, 0);
    trib_attributes a = { .batch_norm = { eps } };
    int id = append(b, name, TRIB_BATCH_NORM, input, a, in->c, in->h, in->w);
    id = add_parameter(b, id, TRIB_BN_WEIGHT, "weight", per_channel);
    id = add_parameter(b, id, TRIB_BN_BIAS, "bias", per_channel);
    id = add_parameter(b, id, TRIB_BN_MEAN, "running_mean", per_channel);
    return add_parameter(b, id, TRIB_BN_VAR, "running_var", per_channel);
}

/* A layer whose output has its input's shape. */
static int add_same_shape(trib_graph_builder *b, const char *name, trib_kind kind, int input, trib_attributes a)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    return in ? append(b, name, kind, input, a, in->c, in->h, in->w) : -1;
}

int trib_add_relu(trib_graph_builder *b, const char *name, int input)
{
    return add_same_shape(b, name, TRIB_RELU, input, (trib_attributes) { 0 });
}

int trib_add_dropout(trib_graph_builder *b, const char *name, int input, float p)
{
    if (!stopped(b) && !(p >= 0 && p < 1)) return fail(b, name, "dropout probability %g is not in [0, 1)", (double)p);
    return add_same_shape(b, name, TRIB_DROPOUT, input, (trib_attributes) { .dropout = { p } });
}

int trib_add_lrn(trib_graph_builder *b, const char *name, int input, const trib_lrn *lrn)
{
    if (!stopped(b) &&
        (lrn->size < 1 || lrn->size % 2 == 0 || !isfinite(lrn->alpha) || !isfinite(lrn->beta) || !(lrn->k > 0)))
        return fail(b, name, "local response norm over %d channels (must be odd) is not possible", lrn->size);
    return add_same_shape(b, name, TRIB_LRN, input, (trib_attributes) { .lrn = *lrn });
}

int trib_add_softmax(trib_graph_builder *b, const char *name, int input)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    if (!in) return -1;
    if (in->h != 1 || in->w != 1) return fail(b, name, "softmax needs an input of 1x1, not %dx%d", in->h, in->w);
    return append(b, name, TRIB_SOFTMAX, input, (trib_attributes) { 0 }, in->c, 1, 1);
}

static int add_pool(trib_graph_builder *b, const char *name, trib_kind kind, int input, const trib_pool2d *pool)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    if (!in) return -1;
    trib_attributes a = { .pool2d = *pool };
    trib_pool2d *v = &a.pool2d;
    if (!v->r) *v = (trib_pool2d) { .r = in->h, .s = in->w, .stride_h = in->h, .stride_w = in->w };
    if (!v->stride_h) v->stride_h = 1;
    if (!v->stride_w) v->stride_w = 1;
    if (v->r < 1 || v->s < 1 || v->stride_h < 1 || v->stride_w < 1 || !pad_ok(v->pad, v->r, v->s))
        return fail(b, name, "a %dx%d pool with stride %dx%d is not possible", v->r, v->s, v->stride_h, v->stride_w);
    int p = trib_window_extent(in->h, v->r, v->stride_h, v->pad.top, v->pad.bottom, v->ceil_mode);
    int q = trib_window_extent(in->w, v->s, v->stride_w, v->pad.left, v->pad.right, v->ceil_mode);
    if (!p || !q) return fail(b, name, "%dx%d over an input of %dx%d: %s", v->r, v->s, in->h, in->w, window_rule);
    return append(b, name, kind, input, a, in->c, p, q);
}

int trib_add_max_pool2d(trib_graph_builder *b, const char *name, int input, const trib_pool2d *pool)
{
    return add_pool(b, name, TRIB_MAX_POOL2D, input, pool);
}

int trib_add_avg_pool2d(trib_graph_builder *b, const char *name, int input, const trib_pool2d *pool)
{
    return add_pool(b, name, TRIB_AVG_POOL2D, input, pool);
}

int trib_add_adaptive_avg_pool2d(trib_graph_builder *b, const char *name, int input, int p, int q)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    if (!in) return -1;
    trib_attributes a = { .adaptive_pool2d = { p, q } };
    return append(b, name, TRIB_ADAPTIVE_AVG_POOL2D, input, a, in->c, p, q);
}

int trib_add_linear(trib_graph_builder *b, const char *name, int input, const trib_linear *linear)
{
    if (stopped(b)) return -1;
    const trib_layer *in = input_of(b, name, input);
    if (!in) return -1;
    int64_t columns = (int64_t)in->c * in->h * in->w;
    int id = append(b, name, TRIB_LINEAR, input, (trib_attributes) { .linear = *linear }, linear->out, 1, 1);
    id = add_parameter(b, id, TRIB_WEIGHT, "weight", trib_shape_of(2, linear->out, columns, 0, 0));
    return linear->no_bias ? id : add_parameter(b, id, TRIB_BIAS, "bias", trib_shape_of(1, linear->out, 0, 0, 0));
}

int trib_add_concat(trib_graph_builder *b, const char *name, const int *inputs, int count)
{
    if (stopped(b)) return -1;
    if (count < 1 || count > TRIB_MAX_INPUTS)
        return fail(b, name, "%d inputs; 1 to %d are possible", count, TRIB_MAX_INPUTS);
    int64_t channels = 0;
    const trib_layer *first = input_of(b, name, inputs[0]);
    for (int i = 0; i < count; ++i) {
        const trib_layer *in = input_of(b, name, inputs[i]);
        if (!in) return -1;
        if (in->h != first->h || in->w != first->w)
            return fail(b, name, "%s is %dx%d but %s is %dx%d", first->name, first->h, first->w, in->name, in->h,
                        in->w);
        channels += in->c;
    }
    if (channels > MAX_EXTENT) return fail(b, name, "%lld channels are too many", (long long)channels);
    int id = append(b, name, TRIB_CONCAT, inputs[0], (trib_attributes) { 0 }, (int)channels, first->h, first->w);
    if (id < 0) return -1;
    b->graph->layers[id].input_count = count;
    memcpy(b->graph->layers[id].inputs, inputs, (size_t)count * sizeof *inputs);
    return id;
}

/* ---- forks ---- */

trib_fork trib_fork_open(trib_graph_builder *b, const char *name, int input)
{
    trib_fork none = { b, -1 };
    if (stopped(b) || !input_of(b, name, input)) return none;
    trib_graph *g = b->graph;
    if (b->depth == MAX_FORK_DEPTH) {
        fail(b, name, "forks nested deeper than %d", MAX_FORK_DEPTH);
        return none;
    }
    if (trib_grow((void **)&g->forks, &g->fork_capacity, g->fork_count + 1, sizeof *g->forks)) {
        no_memory(b);
        return none;
    }
    trib_fork_info *f = &g->forks[g->fork_count];
    *f = (trib_fork_info) { .name = trib_strings_add(&g->strings, name), .input = input, .join = -1, .parent = -1 };
    if (!f->name) {
        no_memory(b);
        return none;
    }
    if (b->depth) {
        f->parent = b->open[b->depth - 1].id;
        f->parent_branch = b->open[b->depth - 1].branch;
    }
    int id = (int)g->fork_count++;
    b->open[b->depth++] = (open_fork) { id, -1 };
    return (trib_fork) { b, id };
}

static bool is_innermost(trib_fork *fork)
{
    trib_graph_builder *b = fork->builder;
    if (stopped(b)) return false;
    if (fork->id >= 0 && b->depth && b->open[b->depth - 1].id == fork->id) return true;
    fail(b, fork->id >= 0 ? b->graph->forks[fork->id].name : "fork", "it is not the innermost open fork");
    return false;
}

void trib_fork_branch(trib_fork *fork)
{
    if (!is_innermost(fork)) return;
    open_fork *top = &fork->builder->open[fork->builder->depth - 1];
    ++top->branch;
    fork->builder->graph->forks[fork->id].branch_count = top->branch + 1;
}

int trib_fork_join_concat(trib_fork *fork, const char *name, const int *branches, int count)
{
    if (!is_innermost(fork)) return -1;
    trib_graph_builder *b = fork->builder;
    if (count != b->graph->forks[fork->id].branch_count)
        return fail(b, name, "%d branches were begun but %d are joined", b->graph->forks[fork->id].branch_count, count);
    for (int i = 0; i < count; ++i) {
        const trib_layer *last = input_of(b, name, branches[i]);
        if (!last) return -1;
        if (last->fork != fork->id || last->branch != i)
            return fail(b, name, "%s is not the end of branch %d", last->name, i);
    }
    --b->depth;
    int id = trib_add_concat(b, name, branches, count);
    b->graph->forks[fork->id].join = id;
    return id;
}

/* ---- finishing ---- */

void trib_graph_mark_output(trib_graph_builder *b, const char *name, int layer)
{
    if (stopped(b) || !input_of(b, name, layer)) return;
    trib_graph *g = b->graph;
    for (size_t i = 0; i < g->output_count; ++i)
        if (!strcmp(g->outputs[i].name, name)) {
            fail(b, name, "there is an output of that name already");
            return;
        }
    const char *copy = trib_strings_add(&g->strings, name);
    if (!copy || trib_grow((void **)&g->outputs, &g->output_capacity, g->output_count + 1, sizeof *g->outputs)) {
        no_memory(b);
        return;
    }
    g->outputs[g->output_count++] = (trib_output) { copy, layer };
}

trib_status trib_graph_finish(trib_graph_builder *b, trib_graph **out)
{
    if (!b) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the graph");
    if (!trib_failed(&b->status) && b->depth)
        fail(b, b->graph->forks[b->open[b->depth - 1].id].name, "the fork was opened but never joined");
    if (!trib_failed(&b->status) && !b->graph->output_count) fail(b, b->graph->name, "the graph has no output");
    trib_status status = b->status;
    if (trib_failed(&status)) {
        if (b->graph) trib_add_context(&status, "%s", b->graph->name);
        trib_graph_destroy(b->graph);
    } else {
        *out = b->graph;
    }
    trib_free(b);
    return status;
}
