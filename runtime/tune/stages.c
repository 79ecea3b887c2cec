/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/stages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tributary/internal/alloc.h"

static const double NEAR = 0.05, COARSE_SHARE = 0.85, ENOUGH = 1.3;
enum { COARSE = 2, TRIED = 3, ROUNDS = 16, SURE = 4, UNCHANGED = 2 };

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to measure stages"); }

/* ---- costs ---- */

trib_status trib_costs_create(const trib_search *s, trib_window_costs **out)
{
    trib_window_costs *costs = *out = trib_alloc_zeroed((size_t)s->window_count + 1, sizeof *costs);
    if (!costs) return no_memory();
    for (int w = 0; w < s->window_count; ++w) {
        const size_t stages = (size_t)s->windows[w].space->stage_count;
        costs[w].cost = trib_alloc_zeroed(stages, sizeof *costs[w].cost);
        costs[w].samples = trib_alloc_zeroed(stages, sizeof *costs[w].samples);
        costs[w].count = trib_alloc_zeroed(stages, sizeof *costs[w].count);
        if (!costs[w].cost || !costs[w].samples || !costs[w].count) return no_memory();
        for (size_t i = 0; i < stages; ++i) costs[w].cost[i] = INFINITY;
        costs[w].best_cost = INFINITY;
    }
    return trib_success();
}

void trib_costs_release(const trib_search *s, trib_window_costs *costs)
{
    for (int w = 0; costs && w < s->window_count; ++w) {
        trib_free(costs[w].cost);
        trib_free(costs[w].samples);
        trib_free(costs[w].count);
    }
    trib_free(costs);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A time that is no number is not one. */
static void add_sample(trib_window_costs *c, int stage, double seconds)
{
    double sorted[TRIB_STAGE_SAMPLES];
    if (!(seconds >= 0 && seconds < INFINITY)) return;
    c->samples[stage][c->count[stage]++ % TRIB_STAGE_SAMPLES] = seconds;
    const int count = c->count[stage] < TRIB_STAGE_SAMPLES ? c->count[stage] : TRIB_STAGE_SAMPLES;
    memcpy(sorted, c->samples[stage], sizeof sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_size);
    c->cost[stage] = sorted[(count - 1) / 2];
}

/* ---- ways ---- */

/* How the base's schedule runs a window, as stages. */
static trib_path path_of_base(const trib_space *space, trib_schedule base)
{
    trib_path serial, at_once = { .count = 1 };
    trib_space_serial(space, &serial);
    if (base == TRIB_SERIAL) return serial;
    const uint32_t all = space->sets[space->set_count - 1];
    while (space->stages[at_once.stages[0]] != all) ++at_once.stages[0];
    return at_once;
}

static int window_of(const trib_search *s, int fork, bool backward)
{
    for (int w = 0; w < s->window_count; ++w)
        if (s->windows[w].fork == fork && s->windows[w].backward == backward) return w;
    return -1;
}

static void add_text(const trib_search *s, const trib_way *base, int w, const trib_path *path, bool taken,
                     bool barriers, char *word)
{
    char text[TRIB_SPACE_TEXT];
    const trib_space *space = s->windows[w].space;
    const trib_path own = path_of_base(space, base->all);
    trib_space_text(space, taken ? path : &own, taken && barriers, text);
    const size_t used = strlen(word);
    snprintf(word + used, TRIB_WAY_WORD - used, "%s%s", used ? ":" : "", text);
}

trib_status trib_way_of_paths(const trib_search *s, const trib_way *base, const trib_path *const *paths,
                              const bool *taken, const bool *barriers, trib_way *out)
{
    TRIB_TRY(trib_way_copy(base, out));
    for (int f = 0; f < s->fork_count; ++f) {
        bool any = false;
        for (int backward = 0; backward < 2; ++backward) {
            const int w = window_of(s, f, backward);
            any |= w >= 0 && (!taken || taken[w]);
        }
        if (!any) continue;
        out->words[f][0] = '\0';
        for (int backward = 0; backward < 2; ++backward) {
            const int w = window_of(s, f, backward);
            if (w >= 0) add_text(s, base, w, paths[w], !taken || taken[w], !barriers || barriers[w], out->words[f]);
        }
        /* Inside, the schedule that its stages imply would put each branch on a stream. */
        for (int inner = 0; inner < s->fork_count; ++inner)
            if (s->parents[inner] == f) snprintf(out->words[inner], TRIB_WAY_WORD, "serial");
    }
    return trib_success();
}

/* ---- measuring ---- */

static void take_samples(const trib_search *s, trib_window_costs *costs, const trib_tune_times *times)
{
    for (int w = 0; w < s->window_count; ++w)
        for (int i = 0; i < costs[w].trying.count; ++i)
            add_sample(&costs[w], costs[w].trying.stages[i], times->stages[w][i]);
}

/* Runs the paths that are being tried. */
static trib_status measure(trib_trial *t, const trib_way *like, trib_window_costs *costs)
{
    const trib_search *s = t->search;
    trib_way way;
    void *runner = NULL;
    const trib_path **paths = trib_alloc_zeroed((size_t)s->window_count + 1, sizeof *paths);
    if (!paths) return no_memory();
    for (int w = 0; w < s->window_count; ++w) paths[w] = &costs[w].trying;
    trib_status status = trib_way_of_paths(s, like, paths, NULL, NULL, &way);
    trib_free(paths);
    if (!trib_failed(&status)) status = trib_trial_open(t, &way, true, &runner);
    if (!trib_failed(&status)) {
        for (int i = 0; i < COARSE && !trib_failed(&status); ++i) {
            status = trib_trial_run(t, runner, &t->times[0]);
            if (!trib_failed(&status)) take_samples(s, costs, &t->times[0]);
        }
        s->measurer->close(s->measurer->context, runner);
    }
    trib_way_release(&way);
    return status;
}

/* A path with as many stages as possible that need samples: of all, the first; of those wanted, some more. */
static void choose_path(const trib_space *space, trib_window_costs *c, const bool *wanted, double *scratch)
{
    const int enough = wanted ? SURE : 1;
    for (int i = 0; i < space->stage_count; ++i)
        scratch[i] = wanted && !wanted[i] ? INFINITY : c->count[i] < enough ? -1 : 1e-3 * c->count[i];
    if (!(trib_space_best(space, scratch, &c->trying) < INFINITY)) trib_space_serial(space, &c->trying);
}

/* Returns how many stages have no sample. */
static int unmeasured(const trib_search *s, const trib_window_costs *costs)
{
    int count = 0;
    for (int w = 0; w < s->window_count; ++w)
        for (int i = 0; i < s->windows[w].space->stage_count; ++i) count += costs[w].count[i] == 0;
    return count;
}

/* About how many ways to run it takes until every stage has been measured: most have few that are new. */
static double ways_expected(const trib_search *s)
{
    int most = 0;
    for (int w = 0; w < s->window_count; ++w)
        if (s->windows[w].space->stage_count > most) most = s->windows[w].space->stage_count;
    return 0.9 * most;
}

static trib_status measure_all(trib_trial *t, const trib_way *like, double share, trib_window_costs *costs,
                               double *scratch, double *needed)
{
    const trib_search *s = t->search;
    const int all = unmeasured(s, costs);
    const double begin = trib_trial_elapsed(t), time = share * t->seconds - begin;
    int left = all;
    for (int ways = 0, before = all + 1; left && left < before && !trib_trial_over(t, share); ++ways) {
        char doing[96];
        *needed = ways ? ways_expected(s) * (trib_trial_elapsed(t) - begin) / ways : 0;
        if (ways >= TRIED && *needed > ENOUGH * time) return trib_success();
        snprintf(doing, sizeof doing, "stages, %d of %d", all - left, all);
        trib_trial_say(t, doing);
        for (int w = 0; w < s->window_count; ++w) choose_path(s->windows[w].space, &costs[w], NULL, scratch);
        TRIB_TRY(measure(t, like, costs));
        before = left;
        left = unmeasured(s, costs);
    }
    if (!left) *needed = 0;
    if (left && !(*needed > 0)) *needed = t->seconds;
    return trib_success();
}

static bool same_path(const trib_path *a, const trib_path *b)
{
    return a->count == b->count && !memcmp(a->stages, b->stages, (size_t)a->count * sizeof *a->stages);
}

/* Whether any best path is another than before, or not yet sure. */
static bool find_best(const trib_search *s, trib_window_costs *costs)
{
    bool changed = false;
    for (int w = 0; w < s->window_count; ++w) {
        const trib_path before = costs[w].best;
        costs[w].best_cost = trib_space_best(s->windows[w].space, costs[w].cost, &costs[w].best);
        changed |= !same_path(&before, &costs[w].best);
        for (int i = 0; i < costs[w].best.count; ++i) changed |= costs[w].count[costs[w].best.stages[i]] < SURE;
    }
    return changed;
}

static trib_status measure_again(trib_trial *t, const trib_way *like, double share, trib_window_costs *costs,
                                 double *scratch, bool *near)
{
    const trib_search *s = t->search;
    for (int round = 0, unchanged = 0; round < ROUNDS && unchanged < UNCHANGED && !trib_trial_over(t, share); ++round) {
        trib_trial_say(t, "the best stages again");
        for (int w = 0; w < s->window_count; ++w) {
            trib_space_near(s->windows[w].space, costs[w].cost, NEAR, near);
            choose_path(s->windows[w].space, &costs[w], near, scratch);
        }
        TRIB_TRY(measure(t, like, costs));
        unchanged = find_best(s, costs) ? 0 : unchanged + 1;
    }
    return trib_success();
}

trib_status trib_measure_stages(trib_trial *t, const trib_way *like, double share, trib_window_costs *costs,
                                double *needed)
{
    *needed = 0;
    double *scratch = trib_alloc_zeroed(TRIB_SPACE_STAGES, sizeof *scratch);
    bool *near = trib_alloc_zeroed(TRIB_SPACE_STAGES, sizeof *near);
    trib_status status = scratch && near ? trib_success() : no_memory();
    if (!trib_failed(&status)) status = measure_all(t, like, COARSE_SHARE * share, costs, scratch, needed);
    find_best(t->search, costs);
    if (!trib_failed(&status) && !unmeasured(t->search, costs))
        status = measure_again(t, like, share, costs, scratch, near);
    trib_free(scratch);
    trib_free(near);
    return status;
}
