/* SPDX-License-Identifier: Apache-2.0
 * Which schedule to run: one of those measured, or a mixture, which has for each module the one that is fastest there.
 */
#include <stdarg.h>
#include <string.h>

#include "profile_texts.h"

static trib_verdict_gain gain_of(const cli_interval *i) { return (trib_verdict_gain) { i->median, i->low, i->high }; }

/* ---- modules ---- */

/* Forward and backward windows of a fork have one schedule. */
static int64_t wall_of_fork(const cli_profiled *s, int fork)
{
    int64_t wall = 0;
    for (int w = 0; w < s->medians.window_count; ++w)
        if (cli_profiled_part(s, w)->fork == fork) wall += s->medians.windows[w].wall;
    return wall;
}

/* In one of the fork's windows, and slower in none. */
static bool is_clearly_faster(const cli_profiled *s, int fork)
{
    bool faster = false;
    for (int w = 0; w < s->medians.window_count; ++w) {
        const trib_verdict_gain gain = gain_of(&s->window_gains[w]);
        if (cli_profiled_part(s, w)->fork != fork) continue;
        if (trib_compare(&gain) == TRIB_SLOWER) return false;
        faster |= trib_compare(&gain) == TRIB_FASTER;
    }
    return faster;
}

/* Serial unless another one is clearly faster. */
static int schedule_of_fork(const cli_profile_results *r, int fork)
{
    int best = 0;
    for (int i = 1; i < r->schedule_count; ++i)
        if (is_clearly_faster(&r->schedules[i], fork) &&
            wall_of_fork(&r->schedules[i], fork) < wall_of_fork(&r->schedules[best], fork))
            best = i;
    return best;
}

/* ---- mixtures ---- */

static bool is_fork(const cli_profiled *s, int w) { return cli_profiled_part(s, w)->kind == TRIB_PROFILE_FORWARD; }

static int forks_with(const cli_profile_results *r, int schedule)
{
    const cli_profiled *serial = r->schedules;
    int count = 0;
    for (int w = 0; w < serial->medians.window_count; ++w)
        count += is_fork(serial, w) && schedule_of_fork(r, cli_profiled_part(serial, w)->fork) == schedule;
    return count;
}

static int most_common(const cli_profile_results *r)
{
    int best = 0;
    for (int i = 1; i < r->schedule_count; ++i)
        if (forks_with(r, i) > forks_with(r, best)) best = i;
    return best;
}

/* Not all modules take the same one. Mixtures of mixtures cannot be named by module. */
static bool is_mixture(const cli_profile_results *r)
{
    int schedules = 0;
    for (int i = 0; i < r->schedule_count; ++i) {
        if (trib_schedule_find(r->schedules[i].name) < 0) return false;
        schedules += forks_with(r, i) > 0;
    }
    return schedules > 1;
}

/* By the sum of its parts; with `only` of that schedule alone. */
static int64_t wall_of_mixture(const cli_profile_results *r, int only)
{
    const cli_profiled *serial = r->schedules;
    int64_t wall = 0;
    for (int w = 0; w < serial->medians.window_count; ++w) {
        int fork = cli_profiled_part(serial, w)->fork;
        int best = only >= 0 ? only : fork < 0 ? 0 : schedule_of_fork(r, fork);
        wall += r->schedules[best].medians.windows[w].wall;
    }
    return wall;
}

static void append(char *text, size_t size, const char *format, ...) TRIB_PRINTF(3, 4);
static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    if (used + 1 < size) vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

static const char *name_of(const cli_profile_results *r, int schedule)
{
    return trib_schedule_name((trib_schedule)r->schedules[schedule].settings.schedule.all);
}

/* "fused,inception_4a=serial" */
static void say_mixture(const cli_profile_results *r, char *text, size_t size)
{
    const cli_profiled *serial = r->schedules;
    int base = most_common(r);
    append(text, size, "%s", name_of(r, base));
    for (int w = 0; w < serial->medians.window_count; ++w) {
        const trib_profile_part *part = cli_profiled_part(serial, w);
        int best = is_fork(serial, w) ? schedule_of_fork(r, part->fork) : base;
        if (best != base) append(text, size, ",%s=%s", part->name, name_of(r, best));
    }
}

/* ---- advice ---- */

static const double CLEARLY = 0.99;

void cli_profile_advise(const cli_profile_results *r, const trib_fastest *fastest, char *text, size_t size)
{
    const int best = fastest->best;
    *text = '\0';
    if (!fastest->known) return;
    double share = (double)wall_of_mixture(r, -1) / (double)wall_of_mixture(r, best);
    if (!is_mixture(r) || !(share < CLEARLY)) {
        append(text, size, "Use --schedule %s.", r->schedules[best].name);
        return;
    }
    append(
        text, size,
        "With the fastest schedule of each module, times add up to %.0f %% less. 'tributary tune' searches further; to "
        "measure this mixture:\n  --schedule ",
        100 * (1 - share));
    say_mixture(r, text, size);
}
