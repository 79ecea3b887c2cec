/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_texts.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "tributary/internal/alloc.h"

const char *cli_window_sentence(const cli_profile_texts *t, int schedule, int window)
{
    return t->windows[(size_t)schedule * (size_t)t->window_count + (size_t)window];
}

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a profile"); }

/* ---- one schedule ---- */

static trib_verdict_gain gain_of(const cli_interval *i) { return (trib_verdict_gain) { i->median, i->low, i->high }; }

static trib_verdict_input input_of(const trib_device *device, const cli_profile_results *r, const cli_profiled *s)
{
    const trib_device_info *info = trib_device_get_info(device);
    return (trib_verdict_input) { .schedule = s->name,
                                  .cores = !info->host              ? 0
                                           : info->cores > r->lanes ? info->cores / r->lanes
                                                                    : 1,
                                  .threads = info->host ? cli_cell_plan(&s->cell)->threads : 0,
                                  .recorded = s->settings.launch == TRIB_GRAPH };
}

static void say_windows(const trib_device *device, const cli_profile_results *r, int schedule, cli_profile_texts *t)
{
    const cli_profiled *s = &r->schedules[schedule];
    const trib_profile *trace = cli_profiled_trace(s);
    for (int w = 0; w < t->window_count; ++w) {
        trib_verdict_input in = input_of(device, r, s);
        if (cli_profiled_part(s, w)->kind == TRIB_PROFILE_TRUNK) continue;
        in.gain = gain_of(&s->window_gains[w]);
        in.median = &s->medians.windows[w];
        in.trace = &trace->windows[w];
        in.part = cli_profiled_part(s, w);
        trib_verdict_of(&in, t->windows[(size_t)schedule * (size_t)t->window_count + (size_t)w]);
    }
}

static void say_schedule(const trib_device *device, const cli_profile_results *r, int schedule, cli_profile_texts *t)
{
    const cli_profiled *s = &r->schedules[schedule];
    trib_verdict_input in = input_of(device, r, s);
    in.gain = gain_of(&s->gain);
    in.median = &s->medians.total;
    in.trace = &cli_profiled_trace(s)->total;
    trib_verdict_of(&in, t->schedules[schedule]);
}

/* ---- the network ---- */

static const double JUST = 0.0005, CLOSE = 0.03; /* of the fastest */

/* How much of serial's time is spent in modules. */
static double share_of_modules(const cli_profile_results *r)
{
    const cli_profiled *serial = r->schedules;
    int64_t modules = 0;
    for (int w = 0; w < serial->medians.window_count; ++w)
        if (cli_profiled_part(serial, w)->kind != TRIB_PROFILE_TRUNK) modules += serial->medians.windows[w].wall;
    int64_t total = serial->medians.total.wall;
    return total > 0 ? (double)modules / (double)total : 0;
}

static void say_range(const cli_interval *i, char text[64])
{
    *text = '\0';
    if (!isnan(i->low)) snprintf(text, 64, " (95 %% interval %.2f to %.2f)", i->low, i->high);
}

/* ", with branches 0.9 % behind", or just as fast; nothing if none is close. */
static void say_next(const cli_profile_results *r, const cli_profiled *best, char *text, size_t size)
{
    const cli_profiled *next = NULL;
    *text = '\0';
    for (int i = 1; i < r->schedule_count; ++i) {
        const cli_profiled *s = &r->schedules[i];
        const trib_verdict_gain gain = gain_of(&s->gain);
        if (s == best || trib_compare(&gain) != TRIB_FASTER) continue;
        if (!next || s->gain.median > next->gain.median) next = s;
    }
    double behind = next ? 1 - next->gain.median / best->gain.median : 1;
    if (behind < JUST)
        snprintf(text, size, ", and %.128s is just as fast", next->name);
    else if (behind < CLOSE)
        snprintf(text, size, ", with %.128s %.1f %% behind", next->name, 100 * behind);
}

static void say_fastest(const cli_profile_results *r, cli_profile_texts *t)
{
    const cli_profiled *s = &r->schedules[t->fastest.other];
    char range[64], next[192];
    say_range(&s->gain, range);
    say_next(r, s, next, sizeof next);
    if (t->fastest.best)
        snprintf(
            t->verdict, sizeof t->verdict,
            "%.128s is the fastest: %.2f times as fast as serial%s%s. Modules are %.0f %% of serial's time; the rest "
            "is the trunk, which has no branches.",
            s->name, s->gain.median, range, next, 100 * share_of_modules(r));
    else
        snprintf(t->verdict, sizeof t->verdict, "%s: %.128s is %.2f times as fast%s.",
                 t->fastest.compared == TRIB_SLOWER ? "serial is the fastest here"
                                                    : "No other schedule is clearly faster than serial here",
                 s->name, s->gain.median, range);
}

static void say_verdict(const cli_profile_results *r, cli_profile_texts *t)
{
    if (r->schedule_count == 1)
        snprintf(t->verdict, sizeof t->verdict, "Only serial was measured; add --schedule to compare others with it.");
    else if (!t->fastest.known)
        snprintf(t->verdict, sizeof t->verdict,
                 "A verdict needs 6 iterations or more; in these, %.128s was the fastest.",
                 r->schedules[r->schedules[t->fastest.other].gain.median > 1 ? t->fastest.other : 0].name);
    else
        say_fastest(r, t);
}

/* The one choice that verdict, advice, JSON and page show. */
static trib_status choose(const cli_profile_results *r, cli_profile_texts *t)
{
    trib_verdict_gain *gains = trib_alloc_zeroed((size_t)r->schedule_count, sizeof *gains);
    if (!gains) return no_memory();
    for (int i = 0; i < r->schedule_count; ++i) gains[i] = gain_of(&r->schedules[i].gain);
    t->fastest = trib_find_fastest(gains, r->schedule_count);
    trib_verdict_headline(&t->fastest, gains[t->fastest.other].gain, t->headline);
    trib_free(gains);
    return trib_success();
}

/* ---- how it was measured ---- */

static const double BUSY = 0.5; /* load per core */
static const double SLIGHTLY = 0.01;

static void note(cli_profile_texts *t, const char *format, ...) TRIB_PRINTF(2, 3);
static void note(cli_profile_texts *t, const char *format, ...)
{
    va_list args;
    if (t->note_count == CLI_MOST_NOTES) return;
    va_start(args, format);
    vsnprintf(t->notes[t->note_count++], TRIB_VERDICT_SIZE, format, args);
    va_end(args);
}

/* On a GPU, what counts is what its own clock says; most of what the host sees is copies, and records that are fetched
 * after each batch. */
static void note_rows(const cli_profile_results *r, cli_profile_texts *t)
{
    const cli_profiled *s = &r->schedules[r->paired];
    if (r->row_seconds)
        note(t,
             "Times are the GPU's own. By them a batch takes %.3f ms with %.128s; without being timed, many in a row "
             "take "
             "%.3f ms each, with the gaps between them: a difference of %+.1f %%.",
             1e-6 * s->wall.median, s->name, 1e-6 * r->row_wall.median,
             100 * (s->wall.median / r->row_wall.median - 1));
}

static void note_overhead(const cli_profile_results *r, cli_profile_texts *t)
{
    const cli_interval *o = &r->overhead;
    const char *name = r->schedules[r->paired].name;
    char range[64] = "";
    if (!isnan(o->low))
        snprintf(range, sizeof range, " (95 %% interval %+.1f to %+.1f %%)", 100 * (o->low - 1), 100 * (o->high - 1));
    note_rows(r, t);
    if (r->untimed_before)
        note(t,
             "From submission to results, with copies, timing changes a batch with %.128s by %+.1f %%%s, compared with "
             "earlier runs: times of ops are fetched after each batch, which no time above contains.",
             name, 100 * (o->median - 1), range);
    else
        note(t, "Timing changes the processor time of a batch (%.128s), by %+.1f %%%s.", name, 100 * (o->median - 1),
             range);
}

static void note_limits(const cli_profile_results *r, cli_profile_texts *t)
{
    const cli_limits *l = &r->limits;
    if (l->copy_rate > 0 && l->math_rate > 0)
        note(t, "Bounds assume copies of %.1f GB/s and products of %.1f GFLOP/s (%s).", 1e-9 * l->copy_rate,
             1e-9 * l->math_rate, l->source);
    else
        note(t, "Bounds assume no limit of copies or products: their rates are unknown.");
    if (l->start_latency_samples)
        note(t,
             "Up to %.1f us from ready to started count as latency: 95 %% of ops that do next to nothing start within "
             "that, in the quietest fifth of %d runs.",
             1e-3 * (double)l->start_latency_ns, l->start_latency_samples);
    else
        note(t, "Latency is unknown, and counted as contention: no op of next to nothing could be timed.");
}

/* On a cpu, other programs take cores. */
static void note_load(const trib_device *device, const cli_profile_results *r, cli_profile_texts *t)
{
    const trib_device_info *info = trib_device_get_info(device);
    if (info->host && r->load > BUSY * info->cores)
        note(t,
             "Other programs were computing when this began (load average %.1f on %d cores): times vary, and a quiet "
             "machine may come to another result.",
             r->load, info->cores);
}

static int negative_gaps(const cli_profile_results *r, int *trimmed)
{
    int gaps = *trimmed = 0;
    for (int i = 0; i < r->schedule_count; ++i) {
        gaps += cli_profiled_trace(&r->schedules[i])->negative_gaps;
        *trimmed += cli_profiled_trace(&r->schedules[i])->trimmed;
    }
    return gaps;
}

/* By more than what rounding shows, where it is made of times that vary. */
static bool exceeds_bound(const trib_profile_median *m, bool roofline)
{
    if ((m->binding == TRIB_BOUND_ROOFLINE) != roofline) return false;
    return m->gain.gain > (roofline ? 1 : 1 + SLIGHTLY) * m->gain.bound;
}

static bool any_exceeds(const cli_profile_results *r, bool roofline)
{
    bool any = false;
    for (int i = 1; i < r->schedule_count; ++i)
        for (int w = 0; w < r->schedules[i].medians.window_count; ++w)
            any |= exceeds_bound(&r->schedules[i].medians.windows[w], roofline);
    return any;
}

static void note_exceeded(const cli_profile_results *r, cli_profile_texts *t)
{
    if (any_exceeds(r, true))
        note(t, "A gain above 'at most' shows ops that are faster than their bytes and operations should allow: their "
                "data is in a cache, or a convolution of Winograd's kind multiplies less than is counted.");
    if (any_exceeds(r, false))
        note(t, "A gain above 'at most' that the roofline does not limit shows ops that take less time beside each "
                "other than alone, or times that vary.");
}

static void note_dropped(const cli_profile_results *r, cli_profile_texts *t)
{
    int trimmed, gaps = negative_gaps(r, &trimmed);
    if (*r->left_out) note(t, "%s is left out: on this device its ops are those of branches.", r->left_out);
    if (r->dropped)
        note(t, "%d iterations are left out, since the times of an op were lost%s%s.", r->dropped,
             trib_failed(&r->loss) ? ": " : "", trib_failed(&r->loss) ? r->loss.message : "");
    if (gaps + trimmed == 1)
        note(t, "One op seems to begin before what it waited for ended, by no more than the clock may be wrong: that "
                "counts as no gap.");
    else if (gaps + trimmed)
        note(t,
             "%d ops seem to begin before what they waited for ended, by no more than the clock may be wrong: that "
             "counts as no gap.",
             gaps + trimmed);
}

static void note_tuned(const cli_profile_results *r, cli_profile_texts *t)
{
    const trib_plan *plan = cli_cell_plan(&r->schedules[0].cell);
    if (r->automatic && !r->tuned)
        note(t, "auto is serial here, because nothing has been measured for it: 'tributary tune' measures.");
    if (r->tuned_lanes)
        note(t,
             "All schedules run on %d lane%s of %d thread%s, %d image%s at a time, which 'tributary tune' chose for "
             "auto: what is gained by these does not show here.",
             r->lanes, r->lanes == 1 ? "" : "s", plan->threads, plan->threads == 1 ? "" : "s", plan->batch,
             plan->batch == 1 ? "" : "s");
    if (r->other_lanes) note(t, "auto is the schedule that 'tributary tune' chose, on other lanes: those of --lanes.");
}

/* ---- all ---- */

trib_status cli_profile_texts_make(const trib_device *device, const cli_profile_results *r, cli_profile_texts *t)
{
    *t = (cli_profile_texts) { .window_count = r->schedules[0].medians.window_count };
    size_t schedules = (size_t)r->schedule_count;
    t->windows = trib_alloc_zeroed(schedules * (size_t)t->window_count, sizeof *t->windows);
    t->schedules = trib_alloc_zeroed(schedules, sizeof *t->schedules);
    if (!t->windows || !t->schedules) return no_memory();
    TRIB_TRY(choose(r, t));
    for (int i = 1; i < r->schedule_count; ++i) {
        say_windows(device, r, i, t);
        say_schedule(device, r, i, t);
    }
    say_verdict(r, t);
    cli_profile_advise(r, &t->fastest, t->advice, sizeof t->advice);
    note_load(device, r, t);
    note_tuned(r, t);
    note_overhead(r, t);
    note_limits(r, t);
    note_exceeded(r, t);
    note_dropped(r, t);
    return trib_success();
}

void cli_profile_texts_release(cli_profile_texts *t)
{
    trib_free(t->schedules);
    trib_free(t->windows);
    *t = (cli_profile_texts) { 0 };
}
