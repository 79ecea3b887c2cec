/* SPDX-License-Identifier: Apache-2.0
 * Builds a graph: layers by the rules of their kinds, and forks. The first failure is kept; later calls do
 * nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "graph/kinds.h"
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

static bool place_in_fork(trib_graph_builder *b, trib_layer *l)
{
    l->fork = -1;
    if (!b->depth) return true;
    l->fork = b->open[b->depth - 1].id;
    l->branch = b->open[b->depth - 1].branch;
    if (l->branch >= 0) return true;
    fail(b, l->name, "the fork is open but no branch was begun");
    return false;
}

static int add_parameter(trib_graph_builder *b, int layer, trib_role role, trib_shape shape)
{
    trib_graph *g = b->graph;
    if (trib_grow((void **)&g->parameters, &g->parameter_capacity, g->parameter_count + 1, sizeof *g->parameters))
        return no_memory(b);
    const char *name = trib_strings_format(&g->strings, "%s.%s", g->layers[layer].name, trib_role_leaf(role));
    if (!name) return no_memory(b);
    g->parameters[g->parameter_count] = (trib_parameter) { .name = name, .role = role, .layer = layer, .shape = shape };
    g->layers[layer].parameters[role] = (int)g->parameter_count++;
    return layer;
}

static int add_parameters(trib_graph_builder *b, int layer, trib_extent in)
{
    const trib_layer *l = &b->graph->layers[layer];
    const trib_kind_row *row = trib_kind_row_of(l->kind);
    for (int role = 0; row->parameter && role < TRIB_ROLE_COUNT; ++role) {
        trib_shape shape;
        if (row->parameter(&l->attributes, in, (trib_role)role, &shape) &&
            add_parameter(b, layer, (trib_role)role, shape) < 0)
            return -1;
    }
    return layer;
}

/* Appends a layer whose attributes are resolved and whose output's extent is known; returns its id. */
static int append(trib_graph_builder *b, const char *name, trib_kind kind, const int *inputs, int count,
                  const trib_attributes *attributes, trib_extent out)
{
    trib_graph *g = b->graph;
    if (!extents_ok(b, name, out.c, out.h, out.w)) return -1;
    if (trib_graph_find_layer(g, name) >= 0) return fail(b, name, "there is a layer of that name already");
    if (trib_grow((void **)&g->layers, &g->layer_capacity, g->layer_count + 1, sizeof *g->layers)) return no_memory(b);
    trib_layer *l = &g->layers[g->layer_count];
    *l = (trib_layer) { .kind = kind, .attributes = *attributes, .c = out.c, .h = out.h, .w = out.w };
    l->name = trib_strings_add(&g->strings, name);
    if (!l->name) return no_memory(b);
    l->input_count = count;
    for (int i = 0; i < count; ++i) l->inputs[i] = inputs[i];
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) l->parameters[role] = TRIB_NO_PARAMETER;
    return place_in_fork(b, l) ? (int)g->layer_count++ : -1;
}

/* A layer of any kind that reads others, after the rules of the kind's row. */
static int add_layer(trib_graph_builder *b, const char *name, trib_kind kind, const int *inputs, int count,
                     trib_attributes a)
{
    if (stopped(b)) return -1;
    const trib_kind_row *row = trib_kind_row_of(kind);
    trib_extent in[TRIB_MAX_INPUTS], out;
    if (count < row->least_inputs || count > row->most_inputs)
        return fail(b, name, "%d inputs; %d to %d are possible", count, row->least_inputs, row->most_inputs);
    for (int i = 0; i < count; ++i) {
        const trib_layer *l = input_of(b, name, inputs[i]);
        if (!l) return -1;
        in[i] = (trib_extent) { l->c, l->h, l->w };
    }
    if (row->resolve) row->resolve(&a, in);
    trib_status status = trib_kind_shape(kind, &a, in, count, &out);
    if (trib_failed(&status)) return fail(b, name, "%s", status.message);
    int id = append(b, name, kind, inputs, count, &a, out);
    return id < 0 ? id : add_parameters(b, id, in[0]);
}

int trib_add_input(trib_graph_builder *b, const char *name, int c, int h, int w)
{
    if (stopped(b)) return -1;
    if (b->depth) return fail(b, name, "an input belongs before the fork that reads it");
    return append(b, name, TRIB_INPUT, NULL, 0, &(trib_attributes) { 0 }, (trib_extent) { c, h, w });
}

int trib_add_layer(trib_graph_builder *b, const char *name, trib_kind kind, const int *inputs, int count,
                   const trib_attributes *attributes)
{
    if (stopped(b)) return -1;
    const trib_kind_row *row = trib_kind_row_of(kind);
    if (!row || row->plan_only || kind == TRIB_INPUT)
        return fail(b, name, "a layer of kind %s cannot be added", trib_kind_name(kind));
    return add_layer(b, name, kind, inputs, count, attributes ? *attributes : (trib_attributes) { 0 });
}

int trib_add_conv2d(trib_graph_builder *b, const char *name, int input, const trib_conv2d *conv)
{
    return add_layer(b, name, TRIB_CONV2D, &input, 1, (trib_attributes) { .conv2d = *conv });
}

int trib_add_batch_norm(trib_graph_builder *b, const char *name, int input, float eps)
{
    return add_layer(b, name, TRIB_BATCH_NORM, &input, 1, (trib_attributes) { .batch_norm = { eps } });
}

int trib_add_relu(trib_graph_builder *b, const char *name, int input)
{
    return add_layer(b, name, TRIB_RELU, &input, 1, (trib_attributes) { 0 });
}

int trib_add_dropout(trib_graph_builder *b, const char *name, int input, float p)
{
    return add_layer(b, name, TRIB_DROPOUT, &input, 1, (trib_attributes) { .dropout = { .p = p } });
}

int trib_add_lrn(trib_graph_builder *b, const char *name, int input, const trib_lrn *lrn)
{
    return add_layer(b, name, TRIB_LRN, &input, 1, (trib_attributes) { .lrn = *lrn });
}

int trib_add_softmax(trib_graph_builder *b, const char *name, int input)
{
    return add_layer(b, name, TRIB_SOFTMAX, &input, 1, (trib_attributes) { 0 });
}

int trib_add_max_pool2d(trib_graph_builder *b, const char *name, int input, const trib_pool2d *pool)
{
    return add_layer(b, name, TRIB_MAX_POOL2D, &input, 1, (trib_attributes) { .pool2d = *pool });
}

int trib_add_avg_pool2d(trib_graph_builder *b, const char *name, int input, const trib_pool2d *pool)
{
    return add_layer(b, name, TRIB_AVG_POOL2D, &input, 1, (trib_attributes) { .pool2d = *pool });
}

int trib_add_adaptive_avg_pool2d(trib_graph_builder *b, const char *name, int input, int p, int q)
{
    return add_layer(b, name, TRIB_ADAPTIVE_AVG_POOL2D, &input, 1, (trib_attributes) { .adaptive_pool2d = { p, q } });
}

int trib_add_linear(trib_graph_builder *b, const char *name, int input, const trib_linear *linear)
{
    return add_layer(b, name, TRIB_LINEAR, &input, 1, (trib_attributes) { .linear = *linear });
}

int trib_add_concat(trib_graph_builder *b, const char *name, const int *inputs, int count)
{
    return add_layer(b, name, TRIB_CONCAT, inputs, count, (trib_attributes) { 0 });
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
