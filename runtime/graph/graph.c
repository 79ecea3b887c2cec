/* SPDX-License-Identifier: Apache-2.0
 * A finished graph: lookups, copies, costs. */
#include "graph/graph.h"

#include <string.h>

#include "graph/kinds.h"
#include "tributary/internal/alloc.h"

const char *trib_role_name(trib_role role)
{
    static const char *const names[TRIB_ROLE_COUNT] = { "weight", "bias", "bn_weight", "bn_bias", "bn_mean", "bn_var" };
    return (unsigned)role < TRIB_ROLE_COUNT ? names[role] : "unknown";
}

const char *trib_role_leaf(trib_role role)
{
    static const char *const leaves[TRIB_ROLE_COUNT] = { "weight", "bias",         "weight",
                                                         "bias",   "running_mean", "running_var" };
    return leaves[role];
}

const char *trib_graph_name(const trib_graph *g) { return g->name; }
int trib_graph_layer_count(const trib_graph *g) { return (int)g->layer_count; }
int trib_graph_parameter_count(const trib_graph *g) { return (int)g->parameter_count; }
int trib_graph_fork_count(const trib_graph *g) { return (int)g->fork_count; }
int trib_graph_output_count(const trib_graph *g) { return (int)g->output_count; }

const trib_layer *trib_graph_layer(const trib_graph *g, int i)
{
    return i >= 0 && (size_t)i < g->layer_count ? &g->layers[i] : NULL;
}

const trib_parameter *trib_graph_parameter(const trib_graph *g, int i)
{
    return i >= 0 && (size_t)i < g->parameter_count ? &g->parameters[i] : NULL;
}

const trib_fork_info *trib_graph_fork(const trib_graph *g, int i)
{
    return i >= 0 && (size_t)i < g->fork_count ? &g->forks[i] : NULL;
}

const trib_output *trib_graph_output(const trib_graph *g, int i)
{
    return i >= 0 && (size_t)i < g->output_count ? &g->outputs[i] : NULL;
}

int trib_graph_find_layer(const trib_graph *g, const char *name)
{
    for (size_t i = 0; i < g->layer_count; ++i)
        if (!strcmp(g->layers[i].name, name)) return (int)i;
    return -1;
}

int trib_graph_find_parameter(const trib_graph *g, const char *name)
{
    for (size_t i = 0; i < g->parameter_count; ++i)
        if (!strcmp(g->parameters[i].name, name)) return (int)i;
    return -1;
}

int64_t trib_layer_flops(const trib_graph *g, int layer)
{
    const trib_layer *l = &g->layers[layer];
    const trib_kind_row *row = trib_kind_row_of(l->kind);
    if (!row->operations) return 0;
    const trib_layer *in = &g->layers[l->inputs[0]];
    return row->operations(&l->attributes, (trib_extent) { in->c, in->h, in->w }, (trib_extent) { l->c, l->h, l->w });
}

int64_t trib_layer_parameter_elements(const trib_graph *g, int layer)
{
    int64_t total = 0, count;
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) {
        int id = g->layers[layer].parameters[role];
        if (id == TRIB_NO_PARAMETER || role == TRIB_BN_MEAN || role == TRIB_BN_VAR) continue;
        trib_status s = trib_shape_count(&g->parameters[id].shape, &count);
        if (!trib_failed(&s)) total += count;
    }
    return total;
}

trib_graph *trib_graph_new(const char *name)
{
    trib_graph *g = trib_alloc_zeroed(1, sizeof *g);
    if (!g) return NULL;
    g->name = trib_strings_add(&g->strings, name);
    if (!g->name) {
        trib_graph_destroy(g);
        return NULL;
    }
    return g;
}

void trib_graph_destroy(trib_graph *g)
{
    if (!g) return;
    trib_free(g->layers);
    trib_free(g->parameters);
    trib_free(g->forks);
    trib_free(g->outputs);
    trib_strings_release(&g->strings);
    trib_free(g);
}

static bool copy_array(void **target, size_t *capacity, const void *source, size_t count, size_t size)
{
    if (trib_grow(target, capacity, count, size)) return false;
    if (count) memcpy(*target, source, count * size);
    return true;
}

/* Points every name at the clone's own copy. */
static bool copy_names(trib_graph *g)
{
    bool ok = true;
    for (size_t i = 0; i < g->layer_count; ++i)
        ok &= !!(g->layers[i].name = trib_strings_add(&g->strings, g->layers[i].name));
    for (size_t i = 0; i < g->parameter_count; ++i)
        ok &= !!(g->parameters[i].name = trib_strings_add(&g->strings, g->parameters[i].name));
    for (size_t i = 0; i < g->fork_count; ++i)
        ok &= !!(g->forks[i].name = trib_strings_add(&g->strings, g->forks[i].name));
    for (size_t i = 0; i < g->output_count; ++i)
        ok &= !!(g->outputs[i].name = trib_strings_add(&g->strings, g->outputs[i].name));
    return ok;
}

trib_status trib_graph_clone(const trib_graph *graph, trib_graph **out)
{
    trib_graph *g = trib_graph_new(graph->name);
    bool ok = g != NULL;
#define COPY(what)                                                                                        \
    ok = ok && copy_array((void **)&g->what##s, &g->what##_capacity, graph->what##s, graph->what##_count, \
                          sizeof *g->what##s);                                                            \
    if (ok) g->what##_count = graph->what##_count
    COPY(layer);
    COPY(parameter);
    COPY(fork);
    COPY(output);
#undef COPY
    if (!ok || !copy_names(g)) {
        trib_graph_destroy(g);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to copy the graph %s", graph->name);
    }
    *out = g;
    return trib_success();
}
