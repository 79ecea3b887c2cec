/* SPDX-License-Identifier: Apache-2.0
 * First the fixed schedules and the lanes of the whole network; then stages, module by module; then the whole again. */
#include "tune/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tributary/internal/alloc.h"
#include "tune/stages.h"
#include "tune/trial.h"

/* When each phase ends, of the time there is. */
static const double FIXED_UNTIL = 0.3, STAGES_UNTIL = 0.7, FORMS_UNTIL = 0.75, MODULES_UNTIL = 0.88;
static const double STAGES_SHARE = 0.3; /* of all time, for every stage once */
/* A quick comparison that is no better than this is not repeated; another setting worth searching is not slower. */
static const double PROMISING = 0.99, WORTH_STAGES = 1.15;

/* ---- fixed schedules and settings ---- */

typedef struct fixed {
    trib_way way;
    trib_ratio quick;
    char name[128];
} fixed;

typedef struct phase {
    trib_trial trial;
    trib_way base; /* what is accepted so far */
    char base_name[128];
    fixed *fixed; /* one per setting and schedule; the first is the base of the beginning */
    int fixed_count;
} phase;

static void name_fixed(const trib_search *s, fixed *f)
{
    const char *schedule = trib_schedule_name(f->way.all), *setting = f->way.setting.name;
    if (s->setting_count > 1 && *setting)
        snprintf(f->name, sizeof f->name, "%s, %s", schedule, setting);
    else
        snprintf(f->name, sizeof f->name, "%s", schedule);
}

static trib_status list_fixed(phase *p)
{
    const trib_search *s = p->trial.search;
    p->fixed = trib_alloc_zeroed((size_t)s->setting_count * TRIB_SCHEDULE_COUNT, sizeof *p->fixed);
    if (!p->fixed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to search schedules");
    for (int i = 0; i < s->setting_count; ++i)
        for (int schedule = 0; schedule < TRIB_SCHEDULE_COUNT; ++schedule) {
            if (schedule != TRIB_SERIAL && (!s->settings[i].staged || !s->fork_count)) continue;
            fixed *f = &p->fixed[p->fixed_count++];
            TRIB_TRY(trib_way_create(s->fork_count, &f->way));
            f->way.all = (trib_schedule)schedule;
            f->way.setting = s->settings[i];
            name_fixed(s, f);
        }
    return trib_success();
}

static trib_status take(phase *p, const trib_way *way, const char *name)
{
    trib_way copy;
    trib_status status = trib_way_copy(way, &copy);
    if (trib_failed(&status)) {
        trib_way_release(&copy);
        return status;
    }
    trib_way_release(&p->base);
    p->base = copy;
    snprintf(p->base_name, sizeof p->base_name, "%s", name);
    return status;
}

/* Pairs of the whole network; if they say that `b` is faster, as many again, which have to say so as well. One interval
 * of 95 % in forty promises a gain that is not there, and several are tried. */
static trib_status judge(trib_trial *t, const trib_way *a, const trib_way *b, double share, trib_ratio *ratio)
{
    bool faster = true;
    for (int round = 0; round < TRIB_WHOLE_ROUNDS && faster; ++round) {
        TRIB_TRY(trib_trial_compare(t, a, b, TRIB_WHOLE_PAIRS, share, ratio, NULL));
        faster = trib_is_faster(ratio);
    }
    return trib_success();
}

/* The one that looks fastest and has not been tried; -1: none looks faster than the base. */
static int most_promising(const phase *p)
{
    int best = -1;
    for (int i = 1; i < p->fixed_count; ++i)
        if (p->fixed[i].quick.ratio < PROMISING && (best < 0 || p->fixed[i].quick.ratio < p->fixed[best].quick.ratio))
            best = i;
    return best;
}

/* Those that do not look faster are named, too. */
static trib_status decide_rest(phase *p)
{
    for (int i = 1; i < p->fixed_count; ++i)
        if (p->fixed[i].quick.pairs && p->fixed[i].quick.ratio >= PROMISING)
            TRIB_TRY(trib_trial_decide(&p->trial, -1, p->fixed[i].name, p->fixed[0].name, p->fixed[i].quick, false));
    return trib_success();
}

/* A device may not have a schedule's ops, or not the memory. */
static bool cannot_be_had(const trib_status *status)
{
    return status->code == TRIB_UNSUPPORTED || status->code == TRIB_OUT_OF_MEMORY;
}

static trib_status try_fixed(phase *p)
{
    trib_trial *t = &p->trial;
    TRIB_TRY(list_fixed(p));
    TRIB_TRY(take(p, &p->fixed[0].way, p->fixed[0].name));
    for (int i = 1; i < p->fixed_count && !trib_trial_over(t, 0.5 * FIXED_UNTIL); ++i) {
        trib_trial_say(t, p->fixed[i].name);
        trib_status status = trib_trial_compare(t, &p->fixed[0].way, &p->fixed[i].way, TRIB_QUICK_PAIRS, FIXED_UNTIL,
                                                &p->fixed[i].quick, NULL);
        if (trib_failed(&status) && !cannot_be_had(&status)) return status;
    }
    return decide_rest(p);
}

static trib_status judge_fixed(phase *p, double share)
{
    trib_trial *t = &p->trial;
    for (int i; (i = most_promising(p)) > 0 && !trib_trial_over(t, share);) {
        trib_ratio ratio;
        trib_trial_say(t, p->fixed[i].name);
        TRIB_TRY(judge(t, &p->fixed[0].way, &p->fixed[i].way, share, &ratio));
        const bool faster = trib_is_faster(&ratio);
        TRIB_TRY(trib_trial_decide(t, -1, p->fixed[i].name, p->fixed[0].name, ratio, faster));
        if (faster || ratio.pairs == TRIB_WHOLE_PAIRS) p->fixed[i].quick.ratio = INFINITY; /* tried */
        if (faster) return take(p, &p->fixed[i].way, p->fixed[i].name);
    }
    return trib_success();
}

/* What there was no time for: against the base of the beginning, if that still is what runs. */
static trib_status judge_rest(phase *p)
{
    return strcmp(p->base_name, p->fixed[0].name) ? trib_success() : judge_fixed(p, 1);
}

/* ---- stages ---- */

static void say_why(trib_trial *t, const char *why) { snprintf(t->out->note, sizeof t->out->note, "%s", why); }

/* The way whose modules are searched: the base, or another setting's serial way that may become faster. -1: none. */
static int find_searchable(const phase *p)
{
    int found = -1;
    for (int i = 0; i < p->fixed_count; ++i) {
        const fixed *f = &p->fixed[i];
        const bool worth = i == 0 || (f->quick.pairs && f->quick.ratio < WORTH_STAGES);
        if (f->way.setting.staged && f->way.all == TRIB_SERIAL && worth && found < 0) found = i;
    }
    return found;
}

/* A path that is not expected to gain is not tried. */
static bool expects_gain(const trib_search *s, const trib_window_costs *costs, trib_schedule base, int w)
{
    const trib_space *space = s->windows[w].space;
    trib_path own = { 0 };
    trib_space_serial(space, &own);
    double cost = 0;
    if (base != TRIB_SERIAL) {
        own.count = 1;
        own.stages[0] = 0;
        while (space->stages[own.stages[0]] != space->sets[space->set_count - 1]) ++own.stages[0];
    }
    for (int i = 0; i < own.count; ++i) cost += costs[w].cost[own.stages[i]];
    return costs[w].best_cost < TRIB_FASTER * cost;
}

typedef struct composite {
    const trib_path **paths;
    bool *taken, *barriers;
    trib_ratio *ratios;
} composite;

static trib_status open_composite(const trib_search *s, const trib_window_costs *costs, composite *c)
{
    const size_t n = (size_t)s->window_count + 1;
    c->paths = trib_alloc_zeroed(n, sizeof *c->paths);
    c->taken = trib_alloc_zeroed(n, sizeof *c->taken);
    c->barriers = trib_alloc_zeroed(n, sizeof *c->barriers);
    c->ratios = trib_alloc_zeroed(n, sizeof *c->ratios);
    if (!c->paths || !c->taken || !c->barriers || !c->ratios)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to search schedules");
    for (int w = 0; w < s->window_count; ++w) c->paths[w] = &costs[w].best;
    return trib_success();
}

static void close_composite(composite *c)
{
    trib_free(c->paths);
    trib_free(c->taken);
    trib_free(c->barriers);
    trib_free(c->ratios);
}

static int count_taken(const trib_search *s, const composite *c)
{
    int count = 0;
    for (int w = 0; w < s->window_count; ++w) count += c->taken[w];
    return count;
}

/* With barriers or without: each window as it is faster. */
static trib_status choose_forms(phase *p, const trib_way *like, composite *c)
{
    trib_trial *t = &p->trial;
    const trib_search *s = t->search;
    trib_way with = { 0 }, without = { 0 };
    trib_ratio network;
    trib_trial_say(t, "with barriers and without");
    trib_status status = trib_way_of_paths(s, like, c->paths, c->taken, NULL, &with);
    if (!trib_failed(&status)) status = trib_way_of_paths(s, like, c->paths, c->taken, c->barriers, &without);
    if (!trib_failed(&status))
        status = trib_trial_compare(t, &with, &without, 2 * TRIB_QUICK_PAIRS, FORMS_UNTIL, &network, c->ratios);
    for (int w = 0; w < s->window_count; ++w) c->barriers[w] = c->ratios[w].ratio > 1;
    trib_way_release(&with);
    trib_way_release(&without);
    return status;
}

static trib_status decide_windows(phase *p, composite *c, const char *than)
{
    trib_trial *t = &p->trial;
    const trib_search *s = t->search;
    for (int w = 0; w < s->window_count; ++w) {
        char text[TRIB_SPACE_TEXT];
        if (!c->taken[w]) continue;
        c->taken[w] = trib_is_faster(&c->ratios[w]);
        trib_space_text(s->windows[w].space, c->paths[w], c->barriers[w], text);
        TRIB_TRY(trib_trial_decide(t, w, text, than, c->ratios[w], c->taken[w]));
    }
    return trib_success();
}

static trib_status judge_modules(phase *p, const trib_way *like, const char *like_name, composite *c)
{
    trib_trial *t = &p->trial;
    trib_way staged = { 0 };
    trib_ratio network;
    trib_trial_say(t, "modules in pairs");
    trib_status status = trib_way_of_paths(t->search, like, c->paths, c->taken, c->barriers, &staged);
    if (!trib_failed(&status))
        status = trib_trial_compare(t, like, &staged, TRIB_MODULE_PAIRS, MODULES_UNTIL, &network, c->ratios);
    trib_way_release(&staged);
    return trib_failed(&status) ? status : decide_windows(p, c, like_name);
}

static trib_status judge_whole(phase *p, const trib_way *like, composite *c)
{
    trib_trial *t = &p->trial;
    trib_way staged = { 0 };
    trib_ratio ratio;
    trib_trial_say(t, "the whole network in pairs");
    trib_status status = trib_way_of_paths(t->search, like, c->paths, c->taken, c->barriers, &staged);
    if (!trib_failed(&status)) status = judge(t, &p->base, &staged, 1, &ratio);
    const bool faster = !trib_failed(&status) && trib_is_faster(&ratio);
    if (!trib_failed(&status)) status = trib_trial_decide(t, -1, "stages", p->base_name, ratio, faster);
    if (faster && !trib_failed(&status)) status = take(p, &staged, "stages");
    trib_way_release(&staged);
    return status;
}

static trib_status use_costs(phase *p, const trib_way *like, const char *like_name, const trib_window_costs *costs)
{
    const trib_search *s = p->trial.search;
    composite c = { 0 };
    trib_status status = open_composite(s, costs, &c);
    for (int w = 0; w < s->window_count && !trib_failed(&status); ++w)
        c.taken[w] = expects_gain(s, costs, like->all, w);
    if (!trib_failed(&status) && !count_taken(s, &c))
        say_why(&p->trial, "no stages of any module looked faster by 1 %");
    if (!trib_failed(&status) && count_taken(s, &c)) status = choose_forms(p, like, &c);
    if (!trib_failed(&status) && count_taken(s, &c)) status = judge_modules(p, like, like_name, &c);
    if (!trib_failed(&status) && count_taken(s, &c)) status = judge_whole(p, like, &c);
    close_composite(&c);
    return status;
}

static trib_status search_stages(phase *p)
{
    trib_trial *t = &p->trial;
    const trib_search *s = t->search;
    const int found = find_searchable(p);
    trib_window_costs *costs = NULL;
    double needed = 0;
    if (!s->window_count) return say_why(t, "no module has stages to search"), trib_success();
    if (found < 0) return say_why(t, "stages were not searched: a lane has one thread"), trib_success();
    const trib_way *like = p->base.setting.staged && p->base.all != TRIB_FUSED ? &p->base : &p->fixed[found].way;
    const char *name = like == &p->base ? p->base_name : p->fixed[found].name;
    trib_status status = trib_costs_create(s, &costs);
    if (!trib_failed(&status)) status = trib_measure_stages(t, like, STAGES_UNTIL, costs, &needed);
    if (!trib_failed(&status) && needed > 0)
        snprintf(t->out->note, sizeof t->out->note,
                 "stages were not searched: with this load, %.0f s would be needed in all", needed / STAGES_SHARE);
    else if (!trib_failed(&status))
        status = use_costs(p, like, name, costs);
    trib_costs_release(s, costs);
    if (!trib_failed(&status) || !cannot_be_had(&status)) return status;
    snprintf(t->out->note, sizeof t->out->note, "stages were not searched: %.200s", status.message);
    return trib_success();
}

/* ---- the result ---- */

static trib_status keep(const trib_search *s, const trib_way *way, trib_tuned *out)
{
    char(*words)[TRIB_WAY_WORD] = out->storage = trib_alloc_zeroed((size_t)s->fork_count + 1, 2 * sizeof *words);
    out->forks = trib_alloc_zeroed((size_t)s->fork_count + 1, sizeof *out->forks);
    if (!words || !out->forks) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a schedule");
    for (int f = 0; f < s->fork_count; ++f) {
        char *name = words[2 * f], *word = words[2 * f + 1];
        if (!*way->words[f]) continue;
        snprintf(name, TRIB_WAY_WORD, "%s", s->forks[f]);
        memcpy(word, way->words[f], TRIB_WAY_WORD);
        trib_fork_schedule *one = &out->forks[out->fork_count++];
        one->fork = name;
        trib_fork_schedule_read(word, &one->schedule, &one->stages);
    }
    out->schedule = way->all;
    out->lanes = way->setting.lanes;
    out->chunk = way->setting.chunk;
    out->threads = way->setting.threads;
    return trib_success();
}

trib_status trib_search_run(const trib_search *s, trib_tuned *out)
{
    phase p = { .base = { 0 } };
    trib_status status = trib_trial_begin(s, out, &p.trial);
    if (!trib_failed(&status)) status = try_fixed(&p);
    if (!trib_failed(&status)) status = judge_fixed(&p, FIXED_UNTIL);
    if (!trib_failed(&status)) status = search_stages(&p);
    if (!trib_failed(&status)) status = judge_rest(&p);
    if (!trib_failed(&status)) status = keep(s, &p.base, out);
    out->complete = !trib_failed(&status) && !trib_trial_over(&p.trial, 1);
    out->seconds = s->measurer->now(s->measurer->context) - p.trial.begin;
    for (int i = 0; i < p.fixed_count; ++i) trib_way_release(&p.fixed[i].way);
    trib_free(p.fixed);
    trib_way_release(&p.base);
    trib_trial_end(&p.trial);
    return status;
}
