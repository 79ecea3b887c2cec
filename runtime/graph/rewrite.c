/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/rewrite.h"

#include "tributary/internal/alloc.h"

void trib_count_uses(const trib_graph *g, int *uses)
{
    for (size_t i = 0; i < g->layer_count; ++i) uses[i] = 0;
    for (size_t i = 0; i < g->layer_count; ++i)
        for (int k = 0; k < g->layers[i].input_count; ++k) ++uses[g->layers[i].inputs[k]];
    for (size_t i = 0; i < g->output_count; ++i) ++uses[g->outputs[i].layer];
}

int *trib_new_replacement(const trib_graph *g)
{
    int *replacement = trib_alloc_zeroed(g->layer_count, sizeof *replacement);
    for (size_t i = 0; replacement && i < g->layer_count; ++i) replacement[i] = (int)i;
    return replacement;
}

/* Follows chains of replacements to the layer that stays. */
static int final_layer(const int *replacement, int layer)
{
    while (layer >= 0 && replacement[layer] != layer) layer = replacement[layer];
    return layer;
}

void trib_remove_layers(trib_graph *g, int *replacement)
{
    for (size_t i = 0; i < g->layer_count; ++i) {
        trib_layer *l = &g->layers[i];
        for (int k = 0; k < l->input_count; ++k) l->inputs[k] = final_layer(replacement, l->inputs[k]);
    }
    for (size_t i = 0; i < g->output_count; ++i) g->outputs[i].layer = final_layer(replacement, g->outputs[i].layer);
    for (size_t i = 0; i < g->fork_count; ++i) {
        g->forks[i].input = final_layer(replacement, g->forks[i].input);
        if (g->forks[i].join >= 0) g->forks[i].join = final_layer(replacement, g->forks[i].join);
    }
    /* Close the gaps: from here on replacement[i] is the new id. */
    size_t kept = 0;
    for (size_t i = 0; i < g->layer_count; ++i) {
        bool stays = replacement[i] == (int)i;
        replacement[i] = stays ? (int)kept : -1;
        if (stays) g->layers[kept++] = g->layers[i];
    }
    g->layer_count = kept;
    for (size_t i = 0; i < kept; ++i) {
        trib_layer *l = &g->layers[i];
        for (int k = 0; k < l->input_count; ++k) l->inputs[k] = replacement[l->inputs[k]];
        for (int role = 0; role < TRIB_ROLE_COUNT; ++role)
            if (l->parameters[role] >= 0) g->parameters[l->parameters[role]].layer = (int)i;
    }
    for (size_t i = 0; i < g->output_count; ++i) g->outputs[i].layer = replacement[g->outputs[i].layer];
    for (size_t i = 0; i < g->fork_count; ++i) {
        trib_fork_info *f = &g->forks[i];
        f->input = f->input >= 0 ? replacement[f->input] : -1;
        f->join = f->join >= 0 ? replacement[f->join] : -1;
    }
}
