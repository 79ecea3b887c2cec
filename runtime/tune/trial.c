/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/trial.h"

#include <stdio.h>

#include "tributary/internal/alloc.h"

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to search schedules"); }

static bool open_times(const trib_search *s, trib_tune_times *t)
{
    t->windows = trib_alloc_zeroed((size_t)s->window_count + 1, sizeof *t->windows);
    t->stages = trib_alloc_zeroed((size_t)s->window_count + 1, sizeof *t->stages);
    return t->windows && t->stages;
}

trib_status trib_trial_begin(const trib_search *s, trib_tuned *out, trib_trial *t)
{
    const trib_tune_measurer *m = s->measurer;
    *t = (trib_trial) { .search = s, .out = out, .begin = m->now(m->context) };
    t->seconds = s->how.seconds > 0 ? s->how.seconds : 60;
    t->ratios = trib_alloc_zeroed(((size_t)s->window_count + 1) * TRIB_WHOLE_PAIRS, sizeof *t->ratios);
    return t->ratios && open_times(s, &t->times[0]) && open_times(s, &t->times[1]) ? trib_success() : no_memory();
}

void trib_trial_end(trib_trial *t)
{
    for (int i = 0; i < 2; ++i) {
        trib_free(t->times[i].windows);
        trib_free(t->times[i].stages);
    }
    trib_free(t->ratios);
}

double trib_trial_elapsed(const trib_trial *t)
{
    const trib_tune_measurer *m = t->search->measurer;
    return m->now(m->context) - t->begin;
}

bool trib_trial_over(const trib_trial *t, double share)
{
    const trib_tune_options *how = &t->search->how;
    return (how->stopped && how->stopped(how->context)) || trib_trial_elapsed(t) >= share * t->seconds;
}

void trib_trial_say(const trib_trial *t, const char *doing)
{
    const trib_tune_options *how = &t->search->how;
    if (how->progress) how->progress(how->context, doing, trib_trial_elapsed(t), t->seconds);
}

trib_status trib_trial_run(trib_trial *t, void *runner, trib_tune_times *times)
{
    const trib_tune_measurer *m = t->search->measurer;
    ++t->out->runs;
    return m->run(m->context, runner, times);
}

/* The first run of a session is not like the others. */
trib_status trib_trial_open(trib_trial *t, const trib_way *way, bool timed, void **runner)
{
    const trib_tune_measurer *m = t->search->measurer;
    ++t->out->ways;
    TRIB_TRY(m->open(m->context, way, timed, runner));
    trib_status status = trib_trial_run(t, *runner, &t->times[0]);
    if (trib_failed(&status)) m->close(m->context, *runner);
    return status;
}

/* ---- pairs ---- */

/* A B, then B A, and so on. */
static trib_status run_pair(trib_trial *t, void *const runners[2], int pair)
{
    for (int i = 0; i < 2; ++i) {
        const int which = i ^ (pair & 1);
        TRIB_TRY(trib_trial_run(t, runners[which], &t->times[which]));
    }
    t->ratios[pair] = t->times[1].network / t->times[0].network;
    for (int w = 0; w < t->search->window_count; ++w)
        t->ratios[(w + 1) * TRIB_WHOLE_PAIRS + pair] = t->times[1].windows[w] / t->times[0].windows[w];
    return trib_success();
}

static trib_status run_pairs(trib_trial *t, void *const runners[2], int most, double share, int *count)
{
    for (*count = 0; *count < most && !trib_trial_over(t, share); ++*count) TRIB_TRY(run_pair(t, runners, *count));
    return trib_success();
}

trib_status trib_trial_compare(trib_trial *t, const trib_way *a, const trib_way *b, int most, double share,
                               trib_ratio *network, trib_ratio *windows)
{
    const trib_tune_measurer *m = t->search->measurer;
    void *runners[2] = { NULL, NULL };
    int pairs = 0;
    trib_status status = trib_trial_open(t, a, windows != NULL, &runners[0]);
    if (trib_failed(&status)) return status;
    status = trib_trial_open(t, b, windows != NULL, &runners[1]);
    if (!trib_failed(&status)) {
        status = run_pairs(t, runners, most, share, &pairs);
        m->close(m->context, runners[1]);
    }
    m->close(m->context, runners[0]);
    *network = trib_ratio_of(t->ratios, pairs);
    for (int w = 0; windows && w < t->search->window_count; ++w)
        windows[w] = trib_ratio_of(t->ratios + (w + 1) * TRIB_WHOLE_PAIRS, pairs);
    return status;
}

trib_status trib_trial_decide(trib_trial *t, int window, const char *what, const char *than, trib_ratio ratio,
                              bool taken)
{
    trib_tuned *out = t->out;
    const trib_search *s = t->search;
    if (trib_grow((void **)&out->verdicts, &t->verdict_capacity, (size_t)out->verdict_count + 1, sizeof *out->verdicts))
        return no_memory();
    trib_tune_verdict *v = &out->verdicts[out->verdict_count++];
    *v = (trib_tune_verdict) { .ratio = ratio, .taken = taken };
    if (window >= 0)
        snprintf(v->fork, sizeof v->fork, "%.80s%s", s->forks[s->windows[window].fork],
                 s->windows[window].backward ? " backward" : "");
    snprintf(v->what, sizeof v->what, "%.*s", (int)sizeof v->what - 1, what);
    snprintf(v->than, sizeof v->than, "%.*s", (int)sizeof v->than - 1, than);
    return trib_success();
}
