/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double CLEARLY = 0.01, ROUGHLY = 0.05;
/* A concurrency, a stretch and a bound that are next to 1. */
static const double HARDLY = 1.1, HARDLY_STRETCHED = 0.95, NOTHING_TO_GAIN = 1.03;
/* Serial's time over that of the ops alone: below this, they have fewer cores. */
static const double FEWER_CORES = 0.9;
/* Percent of a module's time, of its path. */
static const double MUCH_WAITING = 20, LONG_BRANCH = 40;
/* So much of its bound counts as all that is possible. */
static const double NEARLY_ALL = 0.95;

trib_comparison trib_compare(const trib_verdict_gain *g)
{
    bool known = !isnan(g->low) && !isnan(g->high);
    double margin = known ? CLEARLY : ROUGHLY, low = known ? g->low : g->gain, high = known ? g->high : g->gain;
    return low > 1 + margin ? TRIB_FASTER : high < 1 - margin ? TRIB_SLOWER : TRIB_EQUAL;
}

trib_fastest trib_find_fastest(const trib_verdict_gain *gains, int count)
{
    trib_fastest f = { .compared = TRIB_EQUAL };
    for (int i = 1; i < count; ++i) {
        const bool clear = trib_compare(&gains[i]) == TRIB_FASTER, before = f.compared == TRIB_FASTER;
        if (f.other && (clear != before ? before : !(gains[i].gain > gains[f.other].gain))) continue;
        f.other = i;
        f.compared = trib_compare(&gains[i]);
    }
    f.known = f.other && !isnan(gains[f.other].low) && !isnan(gains[f.other].high);
    f.best = f.known && f.compared == TRIB_FASTER ? f.other : 0;
    return f;
}

void trib_verdict_headline(const trib_fastest *f, double gain, char text[TRIB_VERDICT_SIZE])
{
    static const char branches[] = "running the branches of a module at the same time";
    *text = '\0';
    if (!f->other) return;
    if (!f->known)
        snprintf(text, TRIB_VERDICT_SIZE, "These are too few iterations to say which schedule is the fastest.");
    else if (f->best)
        snprintf(text, TRIB_VERDICT_SIZE, "On this device, %s makes the network %.2f times as fast.", branches, gain);
    else
        snprintf(text, TRIB_VERDICT_SIZE, "On this device, %s %s.", branches,
                 f->compared == TRIB_SLOWER ? "makes the network slower" : "does not make the network clearly faster");
}

/* ---- reasons ---- */

static double percent(int64_t part, int64_t whole) { return whole > 0 ? 100.0 * (double)part / (double)whole : 0; }

/* Of the causes that make a path wait: the one with the most idle time; if there is none, dependency. */
static trib_idle_cause largest_wait(const trib_profile_median *m)
{
    static const trib_idle_cause waits[] = { TRIB_IDLE_LAUNCH, TRIB_IDLE_LATENCY, TRIB_IDLE_CONTENTION };
    trib_idle_cause largest = TRIB_IDLE_DEPENDENCY;
    int64_t most = 0;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; ++i)
        if (m->idle[waits[i]] > most) {
            largest = waits[i];
            most = m->idle[largest];
        }
    return largest;
}

/* The branch that the critical path spends most of its time in; -1: none. */
static int longest_branch(const trib_profile_window *w)
{
    int longest = -1;
    for (int b = 0; b < w->branch_count; ++b)
        if (w->branches[b].path > 0 && (longest < 0 || w->branches[b].path > w->branches[longest].path)) longest = b;
    return longest;
}

/* "branch 3x3 alone takes 78 % of the module's time"; nothing if no branch is long. */
static void say_path(const trib_verdict_input *in, char *text, size_t size)
{
    const trib_profile_window *w = in->trace;
    int branch = in->part ? longest_branch(w) : -1;
    *text = '\0';
    if (branch >= 0 && percent(w->branches[branch].path, w->wall) >= LONG_BRANCH)
        snprintf(text, size, "branch %s alone takes %.0f %% of the module's time", in->part->branches[branch],
                 percent(w->branches[branch].path, w->wall));
}

static void say_full(const trib_verdict_input *in, char *text, size_t size)
{
    if (in->cores == 1)
        snprintf(text, size, "there is one core, on which branches take turns");
    else if (in->cores > 1)
        snprintf(text, size, "each op already computes on all %d cores, and none are left for another branch",
                 in->cores);
    else
        snprintf(text, size, "each op already fills the GPU, and nothing is left for another branch");
}

/* How much of its time the path waits, though the next op on it is ready. */
static double waiting(const trib_profile_median *m) { return percent(m->path_gaps + m->path_host, m->wall); }

static void say_wait(const trib_verdict_input *in, trib_idle_cause cause, char *text, size_t size)
{
    const char *cores = in->cores ? "a free core" : "free multiprocessors";
    double share = waiting(in->median);
    if (cause == TRIB_IDLE_CONTENTION)
        snprintf(text, size, "for %.0f %% of its time, the next op of the critical path is ready and waits for %s",
                 share, cores);
    else if (cause == TRIB_IDLE_LAUNCH)
        snprintf(text, size, "for %.0f %% of its time, the critical path waits for the host to issue the next op%s",
                 share, in->recorded ? "" : ": record them once (--launch graph)");
    else
        snprintf(
            text, size,
            "for %.0f %% of its time, the next op of the critical path is about to start: a larger batch makes ops "
            "longer",
            share);
}

/* The path waits for a core, for the start of an op or for the host; or there is nothing that could run beside it. */
static void say_no_overlap(const trib_verdict_input *in, char *text, size_t size)
{
    trib_idle_cause cause = largest_wait(in->median);
    if (cause == TRIB_IDLE_DEPENDENCY || waiting(in->median) < MUCH_WAITING)
        say_path(in, text, size);
    else
        say_wait(in, cause, text, size);
}

static void say_stretch(const trib_verdict_input *in, char *text, size_t size)
{
    const trib_profile_gain *g = &in->median->gain;
    snprintf(text, size, "%.1f streams are busy on average, but side by side an op takes %.2f times as long as alone",
             g->concurrency, 1 / g->stretch);
}

/* Ops alone fill all of the device, or next to all of it. */
static bool is_full(const trib_verdict_input *in)
{
    const trib_profile_median *m = in->median;
    return m->bounds.device > 0 && (double)m->bounds.device >= (1 - ROUGHLY) * (double)m->alone;
}

static const char *made_up(const trib_verdict_gain *g)
{
    trib_comparison compared = trib_compare(g);
    if (compared == TRIB_SLOWER) return "do not make up for that";
    if (compared == TRIB_FASTER) return "more than make up for that";
    return g->gain < 1 - CLEARLY ? "may not make up for that" : "make up for that, and hardly more";
}

/* Shared cores make ops longer even alone. */
static void say_fewer_cores(const trib_verdict_input *in, char *text, size_t size)
{
    static const char fewer[] = "its ops have fewer cores each, so that alone they take %.2f times as long as serial";
    const trib_profile_gain *g = &in->median->gain;
    char more[TRIB_VERDICT_SIZE / 2] = "";
    int used = snprintf(text, size, fewer, 1 / g->serial_gaps);
    if (g->concurrency < HARDLY) {
        say_no_overlap(in, more, sizeof more);
        snprintf(text + used, size - (size_t)used, ", and streams hardly overlap%s%s", *more ? ": " : "", more);
        return;
    }
    if (g->stretch < HARDLY_STRETCHED)
        snprintf(more, sizeof more, ": side by side they take %.2f times as long as alone", 1 / g->stretch);
    snprintf(text + used, size - (size_t)used, "; %.1f streams at a time %s%s", g->concurrency, made_up(&in->gain),
             more);
}

void trib_verdict_reason(const trib_verdict_input *in, char *text, size_t size)
{
    const trib_profile_gain *g = &in->median->gain;
    if (in->trace->streams < 2)
        snprintf(text, size, "all of its ops are on one stream");
    else if (is_full(in))
        say_full(in, text, size);
    else if (in->cores && g->serial_gaps < FEWER_CORES)
        say_fewer_cores(in, text, size);
    else if (g->concurrency >= HARDLY && g->stretch < HARDLY_STRETCHED)
        say_stretch(in, text, size);
    else
        say_no_overlap(in, text, size);
}

/* ---- sentences ---- */

static const char *term_in_words(const trib_verdict_input *in)
{
    switch (in->median->binding) {
    case TRIB_BOUND_PATH: return "its longest chain of ops allows";
    case TRIB_BOUND_STREAMS: return "its number of streams allows";
    case TRIB_BOUND_DEVICE: return in->cores ? "the cores allow" : "the multiprocessors allow";
    case TRIB_BOUND_ROOFLINE: return in->cores ? "memory and arithmetic of this CPU allow" : "this card allows";
    default: return "is possible";
    }
}

/* Above its bound: what is known is how, by overlap or by ops that became faster. */
static void say_surplus(const trib_verdict_input *in, char text[TRIB_VERDICT_SIZE])
{
    const trib_profile_gain *g = &in->median->gain;
    if (g->concurrency < HARDLY && g->stretch > 1)
        snprintf(
            text, TRIB_VERDICT_SIZE,
            "%s is %.2f times as fast as serial, though streams hardly overlap: beside each other ops take %.0f %% "
            "less time than alone.",
            in->schedule, in->gain.gain, 100 * (1 - 1 / g->stretch));
    else
        snprintf(text, TRIB_VERDICT_SIZE, "%s is %.2f times as fast as serial: %.1f streams are busy on average.",
                 in->schedule, in->gain.gain, g->concurrency);
}

static const char *colon(const char *reason) { return *reason ? ": " : ""; }

static void say_faster(const trib_verdict_input *in, const char *reason, char text[TRIB_VERDICT_SIZE])
{
    double gain = in->gain.gain, bound = in->median->gain.bound;
    if (isnan(bound))
        snprintf(text, TRIB_VERDICT_SIZE, "%s is %.2f times as fast as serial.", in->schedule, gain);
    else if (gain > bound)
        say_surplus(in, text);
    else if (gain >= NEARLY_ALL * bound)
        snprintf(text, TRIB_VERDICT_SIZE, "%s is %.2f times as fast as serial, nearly all of the %.2f that %s.",
                 in->schedule, gain, bound, term_in_words(in));
    else
        snprintf(text, TRIB_VERDICT_SIZE, "%s is %.2f times as fast as serial, of at most %.2f that %s%s%s.",
                 in->schedule, gain, bound, term_in_words(in), colon(reason), reason);
}

/* A bound that the gain exceeds proves nothing. */
static bool cannot_gain(const trib_verdict_input *in)
{
    double bound = in->median->gain.bound;
    return bound < NOTHING_TO_GAIN && bound >= in->gain.gain - CLEARLY && in->trace->streams > 1 && !is_full(in);
}

static void say_equal(const trib_verdict_input *in, const char *reason, char text[TRIB_VERDICT_SIZE])
{
    const trib_verdict_gain *g = &in->gain;
    if (cannot_gain(in))
        snprintf(text, TRIB_VERDICT_SIZE, "%s gains nothing over serial, and cannot: at most %.2f is what %s.",
                 in->schedule, in->median->gain.bound, term_in_words(in));
    else if (isnan(g->low) || fabs(g->gain - 1) <= CLEARLY)
        snprintf(text, TRIB_VERDICT_SIZE, "%s gains nothing over serial%s%s.", in->schedule, colon(reason), reason);
    else
        snprintf(text, TRIB_VERDICT_SIZE,
                 "%s may be no faster than serial: %.2f times in the median, but between %.2f and %.2f%s%s.",
                 in->schedule, g->gain, g->low, g->high, *reason ? "; " : "", reason);
}

void trib_verdict_of(const trib_verdict_input *in, char text[TRIB_VERDICT_SIZE])
{
    char reason[TRIB_VERDICT_SIZE / 2];
    trib_verdict_reason(in, reason, sizeof reason);
    switch (trib_compare(&in->gain)) {
    case TRIB_FASTER: say_faster(in, reason, text); break;
    case TRIB_EQUAL: say_equal(in, reason, text); break;
    default:
        snprintf(text, TRIB_VERDICT_SIZE, "%s takes %.2f times as long as serial%s%s. Keep serial here.", in->schedule,
                 1 / in->gain.gain, colon(reason), reason);
    }
}
