/* SPDX-License-Identifier: Apache-2.0
 * Choices in a file: one entry of a choice cache each, whose content is lines of text. Numbers are whole, so that no
 * locale changes them: ratios in millionths, -1 for what is not finite. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choices/choice_cache.h"
#include "choices/choice_entries.h"
#include "graph/graph.h"
#include "lowering/stages.h"
#include "tributary/internal/alloc.h"
#include "tributary/tune.h"
#include "tune/key.h"
#include "tune/way.h"

enum { MOST_FORKS = 4096, MOST_VERDICTS = 65536, LINE = 2048 };

/* ---- writing ---- */

static int64_t millionths(double x) { return x >= 0 && x < 1e6 ? (int64_t)(1e6 * x + 0.5) : -1; }

static void write_verdict(const trib_tune_verdict *v, FILE *out)
{
    fprintf(out, "verdict %d %" PRId64 " %" PRId64 " %" PRId64 " %d\t%s\t%s\t%s\n", v->taken,
            millionths(v->ratio.ratio), millionths(v->ratio.low), millionths(v->ratio.high), v->ratio.pairs, v->fork,
            v->what, v->than);
}

static void write_fork(const trib_fork_schedule *f, FILE *out)
{
    const bool named = !f->stages || f->schedule != TRIB_BRANCHES;
    fprintf(out, "fork\t%s\t%s%s%s\n", f->fork, named ? trib_schedule_name(f->schedule) : "",
            named && f->stages ? ":" : "", f->stages ? f->stages : "");
}

static void write_all(const trib_tuned *t, FILE *out)
{
    fprintf(out, "schedule %s\nlanes %d %d %d\nsearch %" PRId64 " %d %d %d\nnote\t%s\nforks %d\n",
            trib_schedule_name(t->schedule), t->lanes, t->chunk, t->threads, millionths(t->seconds), t->runs, t->ways,
            t->complete, t->note, t->fork_count);
    for (int i = 0; i < t->fork_count; ++i) write_fork(&t->forks[i], out);
    fprintf(out, "verdicts %d\n", t->verdict_count);
    for (int i = 0; i < t->verdict_count; ++i) write_verdict(&t->verdicts[i], out);
}

static trib_status put(trib_choice_cache *cache, const trib_tuned *t)
{
    trib_choice choice = { .nanoseconds = 0 };
    FILE *out = open_memstream(&choice.json, &choice.json_bytes);
    if (!out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to write a schedule");
    snprintf(choice.name, sizeof choice.name, "%s", trib_schedule_name(t->schedule));
    write_all(t, out);
    trib_status status = fclose(out) ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to write a schedule")
                                     : trib_choice_cache_put(cache, t->key, &choice);
    free(choice.json); /* the C library's */
    return status;
}

trib_status trib_tuned_check(const char *path)
{
    if (!path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a schedule is saved to a file");
    return trib_choice_file_check(path);
}

trib_status trib_tuned_save(const trib_tuned *t, const char *path)
{
    trib_choice_cache *cache = NULL;
    if (!t || !path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a schedule is saved to a file");
    TRIB_TRY(trib_choice_cache_open(path, t->library, t->device, NULL, &cache));
    trib_status status = put(cache, t);
    if (!trib_failed(&status)) status = trib_choice_cache_save(cache);
    trib_choice_cache_close(cache);
    return status;
}

/* ---- reading: trusts nothing ---- */

typedef struct lines {
    const char *at, *end;
    char line[LINE];
} lines;

static bool next_line(lines *in)
{
    const char *newline = in->at < in->end ? memchr(in->at, '\n', (size_t)(in->end - in->at)) : NULL;
    const size_t length = newline ? (size_t)(newline - in->at) : 0;
    if (!newline || length >= sizeof in->line) return false;
    memcpy(in->line, in->at, length);
    in->line[length] = '\0';
    in->at = newline + 1;
    return strlen(in->line) == length;
}

static bool is_count(int value, int most) { return value >= 0 && value <= most; }

static double of_millionths(int64_t value, double otherwise) { return value < 0 ? otherwise : 1e-6 * (double)value; }

static bool copy_field(char *out, size_t size, const char *from)
{
    if (!from || strlen(from) >= size) return false;
    memcpy(out, from, strlen(from) + 1);
    return true;
}

/* The next field behind a tab, ended in place; NULL: there is none. */
static char *next_field(char **rest)
{
    char *tab = *rest ? strchr(*rest, '\t') : NULL;
    if (!tab) return NULL;
    *tab = '\0';
    return *rest = tab + 1;
}

static bool read_verdict(lines *in, trib_tune_verdict *v)
{
    int64_t ratio, low, high;
    int taken;
    if (!next_line(in) || sscanf(in->line, "verdict %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %d", &taken, &ratio, &low,
                                 &high, &v->ratio.pairs) != 5)
        return false;
    char *rest = in->line, *fork = next_field(&rest), *what = next_field(&rest), *than = next_field(&rest);
    v->taken = taken != 0;
    v->ratio.ratio = of_millionths(ratio, NAN);
    v->ratio.low = of_millionths(low, 0);
    v->ratio.high = of_millionths(high, INFINITY);
    return than && v->ratio.pairs >= 0 && copy_field(v->fork, sizeof v->fork, fork) &&
           copy_field(v->what, sizeof v->what, what) && copy_field(v->than, sizeof v->than, than);
}

static bool read_fork(lines *in, char name[TRIB_WAY_WORD], char word[TRIB_WAY_WORD], trib_fork_schedule *out)
{
    if (!next_line(in) || strncmp(in->line, "fork\t", 5) != 0) return false;
    char *rest = in->line, *fork = next_field(&rest), *text = next_field(&rest);
    if (!text || !copy_field(name, TRIB_WAY_WORD, fork) || !copy_field(word, TRIB_WAY_WORD, text)) return false;
    out->fork = name;
    return trib_fork_schedule_read(word, &out->schedule, &out->stages);
}

static bool read_head(lines *in, trib_tuned *t)
{
    char name[32];
    int64_t seconds;
    int complete, schedule;
    if (!next_line(in) || sscanf(in->line, "schedule %31s", name) != 1 || (schedule = trib_schedule_find(name)) < 0)
        return false;
    t->schedule = (trib_schedule)schedule;
    if (!next_line(in) || sscanf(in->line, "lanes %d %d %d", &t->lanes, &t->chunk, &t->threads) != 3) return false;
    if (!is_count(t->lanes, 1024) || !is_count(t->chunk, 1 << 20) || !is_count(t->threads, 1 << 16)) return false;
    if (!next_line(in) || sscanf(in->line, "search %" SCNd64 " %d %d %d", &seconds, &t->runs, &t->ways, &complete) != 4)
        return false;
    t->seconds = of_millionths(seconds, 0);
    t->complete = complete != 0;
    if (!next_line(in) || strncmp(in->line, "note\t", 5) != 0) return false;
    return copy_field(t->note, sizeof t->note, in->line + 5);
}

static bool read_count(lines *in, const char *format, int most, int *count)
{
    return next_line(in) && sscanf(in->line, format, count) == 1 && is_count(*count, most);
}

/* False: not such a text, or no memory, which is then said. */
static bool read_all(lines *in, trib_tuned *t, bool *no_memory)
{
    int forks, verdicts;
    if (!read_head(in, t) || !read_count(in, "forks %d", MOST_FORKS, &forks)) return false;
    char(*words)[TRIB_WAY_WORD] = t->storage = trib_alloc_zeroed((size_t)forks + 1, 2 * sizeof *words);
    t->forks = trib_alloc_zeroed((size_t)forks + 1, sizeof *t->forks);
    *no_memory = !words || !t->forks;
    for (; !*no_memory && t->fork_count < forks; ++t->fork_count)
        if (!read_fork(in, words[2 * t->fork_count], words[2 * t->fork_count + 1], &t->forks[t->fork_count]))
            return false;
    if (*no_memory || !read_count(in, "verdicts %d", MOST_VERDICTS, &verdicts)) return false;
    t->verdicts = trib_alloc_zeroed((size_t)verdicts + 1, sizeof *t->verdicts);
    *no_memory = !t->verdicts;
    for (; !*no_memory && t->verdict_count < verdicts; ++t->verdict_count)
        if (!read_verdict(in, &t->verdicts[t->verdict_count])) return false;
    return !*no_memory && in->at == in->end;
}

static trib_status read_choice(const trib_choice *choice, const char *path, trib_tuned *t)
{
    lines in = { .at = choice->json, .end = choice->json ? choice->json + choice->json_bytes : NULL };
    bool no_memory = false;
    if (read_all(&in, t, &no_memory)) return trib_success();
    if (no_memory) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to read a schedule");
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: the schedule stored for this network cannot be read", path);
}

static int find_fork(const trib_graph *g, const char *name)
{
    for (size_t f = 0; f < g->fork_count; ++f)
        if (strcmp(g->forks[f].name, name) == 0) return (int)f;
    return -1;
}

static trib_status check_fork(const trib_graph *g, const trib_fork_schedule *of, trib_plan_fork *forks)
{
    const int f = find_fork(g, of->fork);
    if (f < 0) return TRIB_ERROR(TRIB_BAD_DATA, "the network has no module '%.80s'", of->fork);
    forks[f].name = g->forks[f].name;
    forks[f].schedule = of->schedule;
    forks[f].stages = of->stages;
    return of->stages ? trib_check_stages(g, forks, f) : trib_success();
}

/* What no search of this network on this device can have found. */
static trib_status check_fit(const trib_tuned *t, const trib_graph *g, const trib_device *device)
{
    const int cores = trib_device_get_info(device)->cores;
    if (t->threads > cores)
        return TRIB_ERROR(TRIB_BAD_DATA, "lanes of %d threads, and the device has %d", t->threads, cores);
    trib_plan_fork *forks = trib_alloc_zeroed(g->fork_count + 1, sizeof *forks);
    if (!forks) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to read a schedule");
    trib_status status = trib_success();
    for (int i = 0; i < t->fork_count && !trib_failed(&status); ++i) status = check_fork(g, &t->forks[i], forks);
    trib_free(forks);
    return status;
}

static trib_status find(trib_choice_cache *cache, const char *path, char *note, trib_tuned *t, bool *found)
{
    trib_choice choice = { .json = NULL };
    TRIB_TRY(trib_choice_cache_find(cache, t->key, found, &choice));
    if (!*found) {
        if (!*note) snprintf(note, TRIB_MESSAGE_SIZE, "%.160s holds none for: %.240s", path, t->key);
        return trib_success();
    }
    trib_status status = read_choice(&choice, path, t);
    trib_choice_clear(&choice);
    if (!trib_failed(&status) || status.code == TRIB_OUT_OF_MEMORY) return status;
    *found = false;
    snprintf(note, TRIB_MESSAGE_SIZE, "%s", status.message);
    return trib_success();
}

trib_status trib_tuned_load(const char *path, trib_device *device, const trib_graph *graph,
                            const trib_plan_options *options, trib_launch launch, char *note, trib_tuned **out)
{
    trib_choice_cache *cache = NULL;
    bool found = false;
    *out = NULL;
    *note = '\0';
    trib_tuned *t = trib_alloc_zeroed(1, sizeof *t);
    if (!t) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to read a schedule");
    trib_tune_key(device, graph, options, launch, t->key);
    trib_tune_versions(device, t->library, t->device);
    trib_status status = trib_choice_cache_open(path, t->library, t->device, note, &cache);
    if (!trib_failed(&status)) status = find(cache, path, note, t, &found);
    trib_choice_cache_close(cache);
    if (found && !trib_failed(&status)) {
        const trib_status fit = check_fit(t, graph, device);
        found = !trib_failed(&fit);
        if (fit.code == TRIB_OUT_OF_MEMORY) status = fit;
        if (!found) snprintf(note, TRIB_MESSAGE_SIZE, "%.120s: what is stored is damaged: %.240s", path, fit.message);
    }
    if (found && !trib_failed(&status))
        *out = t;
    else
        trib_tuned_destroy(t);
    return status;
}
