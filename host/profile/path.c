/* SPDX-License-Identifier: Apache-2.0
 * Critical paths: from what ended last back through what it followed. */
#include "profile/analysis.h"
#include "profile/blocks.h"

/* A walk back from the end of a window. Steps are found last to first. */
typedef struct walk {
    const trib_analysis *a;
    int64_t begin; /* of the window */
    int64_t now;   /* up to here, seen from the end, the path is known */
    trib_profile_step *steps;
    int count;
} walk;

static int64_t within(int64_t low, int64_t time, int64_t high) { return trib_later(low, trib_earlier(time, high)); }

static void add_step(walk *k, trib_profile_step step)
{
    step.branch = trib_analysis_op(k->a, step.op)->branch;
    k->steps[k->count++] = step;
    k->now = step.from - step.gap;
}

/* Op i, the gap before it, and the host's time before that. Returns the op to go on with, or -1 at the begin. */
static int step_back(walk *k, int i)
{
    const trib_profile_op_result *op = &k->a->ops[i];
    const int before = k->a->after[i];
    const int64_t end = k->now;
    const int64_t followed = before < 0 ? k->begin : within(k->begin, k->a->ops[before].to, end);
    const bool host = trib_analysis_op(k->a, i)->runs && op->predecessor < 0 && op->ready > followed;
    const int64_t ready = host ? trib_earlier(op->ready, end) : followed;
    const int64_t from = within(ready, op->from, end);
    add_step(k, (trib_profile_step) { .op = i, .gap = from - ready, .from = from, .to = end });
    if (ready > followed) add_step(k, (trib_profile_step) { .op = i, .from = followed, .to = ready, .host = true });
    return followed > k->begin ? before : -1;
}

static trib_status keep(const walk *k, void **storage, trib_profile_path *path)
{
    trib_profile_step *steps = trib_blocks_add(storage, (size_t)k->count, sizeof *steps);
    if (!steps) return trib_blocks_no_memory();
    for (int i = 0; i < k->count; ++i) {
        const trib_profile_step *step = &k->steps[k->count - 1 - i];
        steps[i] = *step;
        *(step->host ? &path->host : &path->busy) += step->to - step->from;
        path->gaps += step->gap;
    }
    path->steps = steps;
    path->step_count = k->count;
    return trib_success();
}

static trib_status find(trib_analysis *a, trib_profile_window *window, int last, trib_profile_step *steps)
{
    walk k = { a, window->from, window->to, steps, 0 };
    while (last >= 0 && k.now > k.begin) last = step_back(&k, last);
    return keep(&k, &a->out->storage, &window->path);
}

/* The op that ends last in window w, if the window is not empty: what it is said to end with, or the first of those
 * that end with the run. */
static int last_of(const trib_analysis *a, int w)
{
    if (w + 1 < a->out->window_count) return a->graph->parts[w].last;
    for (int i = 0; i < a->graph->op_count; ++i)
        if (a->ops[i].to == a->out->total.to) return i;
    return -1;
}

/* What the path owes to each branch. */
static void blame(const trib_analysis *a, trib_profile_window *window, int w)
{
    for (int k = 0; k < window->path.step_count; ++k) {
        const trib_profile_step *step = &window->path.steps[k];
        const bool own = step->branch >= 0 && trib_analysis_op(a, step->op)->window == w;
        trib_profile_branch *branch = own ? (trib_profile_branch *)&window->branches[step->branch] : &window->trunk;
        branch->gaps += step->gap + (step->host ? step->to - step->from : 0);
        branch->path += step->host ? 0 : step->to - step->from;
    }
}

/* Of the run: the ops of no branch. */
static void blame_trunk(trib_profile_window *total)
{
    for (int k = 0; k < total->path.step_count; ++k) {
        const trib_profile_step *step = &total->path.steps[k];
        if (step->branch >= 0) continue;
        total->trunk.gaps += step->gap + (step->host ? step->to - step->from : 0);
        total->trunk.path += step->host ? 0 : step->to - step->from;
    }
}

trib_status trib_analysis_paths(trib_analysis *a)
{
    trib_profile_window *total = &a->out->total;
    const int count = a->out->window_count;
    trib_profile_step *steps = trib_blocks_add(&a->scratch, 2 * (size_t)a->graph->op_count, sizeof *steps);
    if (!steps) return trib_blocks_no_memory();
    for (int w = 0; w < count; ++w) {
        TRIB_TRY(find(a, &a->windows[w], last_of(a, w), steps));
        blame(a, &a->windows[w], w);
    }
    TRIB_TRY(find(a, total, last_of(a, count - 1), steps));
    blame_trunk(total);
    for (int k = 0; k < total->path.step_count; ++k)
        if (!total->path.steps[k].host) a->ops[total->path.steps[k].op].critical = true;
    return trib_success();
}
