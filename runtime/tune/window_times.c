/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/window_times.h"

#include <math.h>

#include "graph/graph.h"
#include "lowering/stages.h"
#include "tributary/internal/alloc.h"

/* ---- places ---- */

/* A plan numbers layers as its passes left them: their names say which they are. */
static trib_status number_layers(const trib_graph *g, const trib_plan *p, int **out)
{
    int most = 0;
    for (int i = 0; i < p->op_count; ++i)
        if (p->ops[i].layer > most) most = p->ops[i].layer;
    *out = trib_alloc_zeroed((size_t)most + 1, sizeof **out);
    if (!*out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the times of a plan");
    for (int i = 0; i <= most; ++i) (*out)[i] = -1;
    for (int i = 0; i < p->op_count; ++i)
        if (p->ops[i].layer >= 0 && (*out)[p->ops[i].layer] < 0)
            (*out)[p->ops[i].layer] = trib_graph_find_layer(g, p->ops[i].name);
    return trib_success();
}

/* The fork on the trunk around an op, with branch and layer seen from there. */
static int outermost(const trib_graph *g, const trib_plan_op *op, int *branch, int *layer)
{
    int fork = op->fork;
    *branch = op->branch;
    for (; fork >= 0 && g->forks[fork].parent >= 0; fork = g->forks[fork].parent) {
        *branch = g->forks[fork].parent_branch;
        *layer = g->forks[fork].join;
    }
    return fork;
}

static int stage_of(const trib_graph *g, const trib_plan *p, int fork, int branch, int layer, bool backward)
{
    trib_stages s;
    const char *text = p->forks[fork].stages;
    if (!text || layer < 0 || !trib_stages_read(text, backward, &s)) return -1;
    const int number = trib_number_in_branch(g, fork, branch, layer);
    return trib_stages_find(&s, branch, backward ? trib_layers_of_branch(g, fork, branch) - 1 - number : number).stage;
}

static void place_op(const trib_graph *g, const trib_plan *p, const int *layers, int op, bool backward,
                     const trib_tune_window *windows, int count, trib_op_places *out)
{
    int branch, layer = p->ops[op].layer >= 0 ? layers[p->ops[op].layer] : -1;
    const int fork = outermost(g, &p->ops[op], &branch, &layer);
    out->window[op] = out->stage[op] = -1;
    for (int w = 0; w < count; ++w)
        if (windows[w].fork == fork && windows[w].backward == backward) out->window[op] = w;
    if (out->window[op] >= 0) out->stage[op] = stage_of(g, p, fork, branch, layer, backward);
}

trib_status trib_op_places_of(const trib_graph *g, const trib_plan *p, const trib_tune_window *windows, int count,
                              trib_op_places *out)
{
    const int first_backward = trib_first_backward(p->ops, p->op_count);
    int *layers = NULL;
    out->window = trib_alloc_zeroed((size_t)p->op_count, sizeof *out->window);
    out->stage = trib_alloc_zeroed((size_t)p->op_count, sizeof *out->stage);
    if (!out->window || !out->stage) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the times of a plan");
    TRIB_TRY(number_layers(g, p, &layers));
    for (int i = 0; i < p->op_count; ++i) place_op(g, p, layers, i, i >= first_backward, windows, count, out);
    trib_free(layers);
    return trib_success();
}

void trib_op_places_release(trib_op_places *places)
{
    trib_free(places->window);
    trib_free(places->stage);
}

/* ---- times ---- */

/* When the first op of the window started; INT64_MAX: none was timed. */
static int64_t first_start_of(const trib_plan *p, const trib_op_places *places, const trib_timeline_run *run,
                              int window)
{
    int64_t first = INT64_MAX;
    for (int i = 0; i < p->op_count; ++i)
        if (places->window[i] == window && run->ops[i].end && run->ops[i].start < first) first = run->ops[i].start;
    return first;
}

/* When the last of the ops before the window ended, or the window's first op started, whichever is earlier; 0: no op
 * before it was timed. */
static int64_t begin_of(const trib_plan *p, const trib_op_places *places, const trib_timeline_run *run, int window)
{
    const int64_t first = first_start_of(p, places, run, window);
    int64_t begin = 0;
    for (int i = 0; i < p->op_count && places->window[i] != window; ++i)
        if (run->ops[i].end > begin) begin = run->ops[i].end;
    return begin < first ? begin : first;
}

/* When the last op of the window's stages up to this one ended. */
static int64_t end_of(const trib_plan *p, const trib_op_places *places, const trib_timeline_run *run, int window,
                      int stage)
{
    int64_t end = 0;
    for (int i = 0; i < p->op_count; ++i)
        if (places->window[i] == window && places->stage[i] <= stage && run->ops[i].end > end) end = run->ops[i].end;
    return end;
}

void trib_add_window_times(const trib_plan *p, const trib_op_places *places, const trib_timeline_run *run, int count,
                           trib_tune_times *times)
{
    for (int w = 0; w < count; ++w) {
        const int64_t begin = begin_of(p, places, run, w);
        const int64_t end = end_of(p, places, run, w, TRIB_SPACE_LAYERS);
        int64_t before = begin;
        times->windows[w] += begin && end > begin ? 1e-9 * (double)(end - begin) : NAN;
        for (int i = 0; i < TRIB_SPACE_LAYERS; ++i) {
            int64_t ended = end_of(p, places, run, w, i);
            if (ended < before) ended = before;
            times->stages[w][i] += begin ? 1e-9 * (double)(ended - before) : NAN;
            before = ended;
        }
    }
}
