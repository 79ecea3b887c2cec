/* SPDX-License-Identifier: Apache-2.0
 * A fork's layers are counted in the graph, branch by branch, so that its stages read the same for every plan. An op
 * belongs to the layer that it ends with; what is computed again for a backward op, to that op. */
#include "lowering/stages.h"

#include <stdio.h>
#include <string.h>

#include "graph/kinds.h"
#include "tributary/internal/alloc.h"

/* ---- layers ---- */

static bool is_join_of_inner(const trib_graph *g, int fork, int layer)
{
    for (size_t f = 0; f < g->fork_count; ++f)
        if (g->forks[f].parent == fork && g->forks[f].join == layer) return true;
    return false;
}

/* Layers that are counted. */
static bool counts(const trib_graph *g, int fork, int layer)
{
    const trib_work work = trib_kind_row_of(g->layers[layer].kind)->work;
    return work == TRIB_WORK_FORWARD || work == TRIB_WORK_POOL || is_join_of_inner(g, fork, layer);
}

/* Those of the branch up to `layer`. */
static int counted(const trib_graph *g, int fork, int branch, int layer)
{
    int number = 0;
    for (int i = 0; i <= layer; ++i)
        if (g->layers[i].fork == fork && g->layers[i].branch == branch) number += counts(g, fork, i);
    return number;
}

int trib_layers_of_branch(const trib_graph *g, int fork, int branch)
{
    const int number = counted(g, fork, branch, (int)g->layer_count - 1);
    return number ? number : 1;
}

int trib_number_in_branch(const trib_graph *g, int fork, int branch, int layer)
{
    const int number = counted(g, fork, branch, layer);
    return number ? number - 1 : 0;
}

trib_status trib_check_stages(const trib_graph *g, const trib_plan_fork *forks, int fork)
{
    trib_stages s;
    const trib_plan_fork *f = &forks[fork];
    const int branches = g->forks[fork].branch_count;
    if (f->schedule == TRIB_SERIAL)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "fork %s: schedule serial has no stages", f->name);
    if (!trib_stages_read(f->stages, false, &s))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "fork %s: '%.80s' are no stages; \"1110-0112\" are two of 4 branches",
                          f->name, f->stages);
    for (int backward = 0; backward < 2; ++backward) {
        trib_stages_read(f->stages, backward, &s);
        if (s.branches != branches)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "fork %s: stages '%.80s' are for %d branches; it has %d", f->name,
                              f->stages, s.branches, branches);
        for (int b = 0; b < branches; ++b)
            if (trib_stages_layers(&s, b) != trib_layers_of_branch(g, fork, b))
                return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                                  "fork %s: stages '%.80s' have %d layers of branch %d%s; it has %d convolutions and "
                                  "pools",
                                  f->name, f->stages, trib_stages_layers(&s, b), b + 1, backward ? " backward" : "",
                                  trib_layers_of_branch(g, fork, b));
    }
    return trib_success();
}

/* ---- ops ---- */

int trib_first_backward(const trib_plan_op *ops, int count)
{
    int i = 0;
    while (i < count && ops[i].desc.kind != TRIB_CROSS_ENTROPY) ++i;
    return i;
}

/* Among backward ops: the one for which this is computed again, or itself. */
static int served(const trib_plan_op *ops, int count, int index)
{
    const trib_kind kind = ops[index].desc.kind;
    if (kind != TRIB_BATCH_NORM_APPLY && kind != TRIB_MAX_POOL2D) return index;
    for (int i = index + 1; i < count; ++i)
        for (int k = 0; k < ops[i].desc.input_count; ++k)
            if (ops[i].desc.inputs[k].buffer == ops[index].desc.outputs[0].buffer) return served(ops, count, i);
    return index;
}

bool trib_is_inside(const trib_lowering *l, const trib_plan_op *op, int fork)
{
    int f = op->fork;
    while (f >= 0 && f != fork) f = l->graph->forks[f].parent;
    return f >= 0;
}

trib_stage_place trib_stage_of(const trib_lowering *l, const trib_plan_op *ops, int count, int index, int fork)
{
    const trib_graph *g = l->graph;
    const bool backward = index >= trib_first_backward(ops, count);
    const trib_plan_op *op = &ops[backward ? served(ops, count, index) : index];
    if (!trib_is_inside(l, op, fork)) op = &ops[index];
    int branch = op->branch, layer = op->layer;
    trib_stages s;
    for (int f = op->fork; f != fork; f = g->forks[f].parent) {
        branch = g->forks[f].parent_branch;
        layer = g->forks[f].join;
    }
    trib_stages_read(l->plan->forks[fork].stages, backward, &s);
    const int number = trib_number_in_branch(g, fork, branch, layer);
    return trib_stages_find(&s, branch, backward ? trib_layers_of_branch(g, fork, branch) - 1 - number : number);
}

int trib_staged_streams(const trib_lowering *l, int fork)
{
    trib_stages s;
    int most = 1;
    for (int backward = 0; backward < 2; ++backward) {
        trib_stages_read(l->plan->forks[fork].stages, backward, &s);
        if ((l->plan->training || !backward) && s.slots > most) most = s.slots;
    }
    return most - 1;
}

/* ---- barriers ---- */

trib_status trib_barriers_of(const trib_lowering *l, trib_barriers *out)
{
    const trib_plan *p = l->plan;
    const int first_backward = trib_first_backward(p->ops, p->op_count);
    bool any = false;
    *out = (trib_barriers) { .forks = p->fork_count };
    for (int f = 0; f < p->fork_count; ++f) any |= p->forks[f].stages && strchr(p->forks[f].stages, '/');
    if (!any) return trib_success();
    out->levels = trib_alloc_zeroed((size_t)p->op_count * (size_t)p->fork_count, sizeof *out->levels);
    if (!out->levels) return trib_plan_no_memory();
    for (int i = 0; i < p->op_count; ++i)
        for (int f = 0; f < p->fork_count; ++f) {
            const bool staged = p->forks[f].stages && trib_is_inside(l, &p->ops[i], f);
            out->levels[i * p->fork_count + f] =
                staged ? 2 * trib_stage_of(l, p->ops, p->op_count, i, f).level + (i >= first_backward) : -1;
        }
    return trib_success();
}

/* ---- for people ---- */

/* Within the fork: "3x3_reduce". */
static const char *short_name(const char *fork, const char *layer)
{
    const size_t length = strlen(fork);
    return !strncmp(fork, layer, length) && layer[length] == '/' ? layer + length + 1 : layer;
}

typedef struct line {
    char text[400];
    size_t used;
} line;

static void add(line *to, const char *text)
{
    const size_t length = strlen(text);
    if (to->used + length < sizeof to->text) memcpy(to->text + to->used, text, length + 1);
    to->used += length;
}

/* The counted layers of one branch in one stage, one after the other. */
static void add_layers(const trib_lowering *l, int fork, int branch, int first, int count, line *to)
{
    const trib_graph *g = l->graph;
    int number = 0;
    for (int i = 0; i < (int)g->layer_count; ++i) {
        if (g->layers[i].fork != fork || g->layers[i].branch != branch || !counts(g, fork, i)) continue;
        if (number >= first && number < first + count) {
            if (number > first) add(to, " ");
            add(to, short_name(g->forks[fork].name, g->layers[i].name));
        }
        ++number;
    }
}

static trib_status note_one(trib_lowering *l, int fork)
{
    trib_stages s;
    line text = { .used = 0 };
    int done[TRIB_MAX_STAGED_BRANCHES] = { 0 };
    trib_stages_read(l->plan->forks[fork].stages, false, &s);
    for (int i = 0; i < s.count; ++i) {
        add(&text, !i ? "" : s.barrier[i] ? "; after all of that " : "; then ");
        bool first = true;
        for (int b = 0; b < s.branches; ++b) {
            if (!s.layers[i][b]) continue;
            if (!first) add(&text, " | ");
            first = false;
            add_layers(l, fork, b, done[b], s.layers[i][b], &text);
            done[b] += s.layers[i][b];
        }
    }
    return trib_lowering_note(l, "assign_streams: %s in %d stages: %s%s", l->plan->forks[fork].name, s.count, text.text,
                              text.used < sizeof text.text ? "" : "...");
}

trib_status trib_note_stages(trib_lowering *l)
{
    for (int f = 0; f < l->plan->fork_count; ++f)
        if (l->plan->forks[f].stages) TRIB_TRY(note_one(l, f));
    return trib_success();
}
