/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/rewrite.h"

#include "tributary/internal/alloc.h"

void trib_count_uses(const trib_graph *g, int *uses)
{
    for (size_t i = 0; i < g->layer_count; ++i) uses[i] = 0;
    for (size_t i = 0; i < g->layer_count; ++i)
        for (int k = 0; k < g->layers[i].input_count; ++k) ++uses[g->layers[i].inputs[k]];
    for (size_t i = 0; i < g->output_count; ++i) ++uses[g->outputs[i].layer];
}

trib_status trib_rewrite_begin(trib_lowering *l, trib_rewrite *out)
{
    const trib_graph *g = l->graph;
    trib_rewrite r = { .graph = l->graph, .folded = l->folded };
    r.replacement = trib_alloc_zeroed(g->layer_count, sizeof *r.replacement);
    r.uses = trib_alloc_zeroed(g->layer_count, sizeof *r.uses);
    if (!r.replacement || !r.uses) {
        trib_free(r.replacement);
        trib_free(r.uses);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to lower the graph");
    }
    for (size_t i = 0; i < g->layer_count; ++i) r.replacement[i] = (int)i;
    trib_count_uses(g, r.uses);
    *out = r;
    return trib_success();
}

/* Follows chains of replacements to the remaining layer. */
static int final_layer(const int *replacement, int layer)
{
    while (layer >= 0 && replacement[layer] != layer) layer = replacement[layer];
    return layer;
}

static void follow_replacements(trib_graph *g, const int *replacement)
{
    for (size_t i = 0; i < g->layer_count; ++i) {
        trib_layer *l = &g->layers[i];
        for (int k = 0; k < l->input_count; ++k) l->inputs[k] = final_layer(replacement, l->inputs[k]);
    }
    for (size_t i = 0; i < g->output_count; ++i) g->outputs[i].layer = final_layer(replacement, g->outputs[i].layer);
    for (size_t i = 0; i < g->fork_count; ++i) {
        g->forks[i].input = final_layer(replacement, g->forks[i].input);
        g->forks[i].join = final_layer(replacement, g->forks[i].join);
    }
}

/* Compacts the remaining layers; from then on replacement[i] is the new id. */
static void close_gaps(trib_graph *g, trib_folded *folded, int *replacement)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->layer_count; ++i) {
        bool stays = replacement[i] == (int)i;
        replacement[i] = stays ? (int)kept : -1;
        if (!stays) continue;
        g->layers[kept] = g->layers[i];
        folded[kept++] = folded[i];
    }
    g->layer_count = kept;
}

/* Parameters of layers that are gone have layer -1. */
static void renumber(trib_graph *g, const int *new_id)
{
    for (size_t i = 0; i < g->parameter_count; ++i) g->parameters[i].layer = -1;
    for (size_t i = 0; i < g->layer_count; ++i) {
        trib_layer *l = &g->layers[i];
        for (int k = 0; k < l->input_count; ++k) l->inputs[k] = new_id[l->inputs[k]];
        for (int role = 0; role < TRIB_ROLE_COUNT; ++role)
            if (l->parameters[role] >= 0) g->parameters[l->parameters[role]].layer = (int)i;
    }
    for (size_t i = 0; i < g->output_count; ++i) g->outputs[i].layer = new_id[g->outputs[i].layer];
    for (size_t i = 0; i < g->fork_count; ++i) {
        trib_fork_info *f = &g->forks[i];
        if (f->input >= 0) f->input = new_id[f->input];
        if (f->join >= 0) f->join = new_id[f->join];
    }
}

int trib_rewrite_end(trib_rewrite *r)
{
    size_t before = r->graph->layer_count;
    follow_replacements(r->graph, r->replacement);
    close_gaps(r->graph, r->folded, r->replacement);
    renumber(r->graph, r->replacement);
    trib_free(r->replacement);
    trib_free(r->uses);
    return (int)(before - r->graph->layer_count);
}
