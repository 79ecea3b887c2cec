/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_files.h"

#include <time.h>

#include "profile/html.h"
#include "profile/trace_json.h"
#include "tributary/internal/alloc.h"

static trib_status no_memory(const char *path) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for it", path); }

/* ---- a trace ---- */

static trib_trace_part part_of(const cli_profile_results *r, const cli_profiled *s, trib_trace_run *runs)
{
    const int first = s->medians.trace / r->chunks * r->chunks;
    for (int c = 0; c < r->chunks; ++c) {
        const trib_profile *run = &s->runs[first + c];
        runs[c] = (trib_trace_run) { run, cli_profiled_times_of(s, run).ops };
    }
    return (trib_trace_part) { s->name, cli_cell_plan(&s->cell), &s->graph, runs, r->chunks };
}

trib_status cli_profile_write_trace(const cli_profile_results *r, const char *path)
{
    const size_t count = (size_t)r->schedule_count;
    trib_trace_run *runs = trib_alloc_zeroed(count * (size_t)r->chunks, sizeof *runs);
    trib_trace_part *parts = trib_alloc_zeroed(count, sizeof *parts);
    trib_status status = runs && parts ? trib_success() : no_memory(path);
    for (int i = 0; !trib_failed(&status) && i < r->schedule_count; ++i)
        parts[i] = part_of(r, &r->schedules[i], &runs[i * r->chunks]);
    if (!trib_failed(&status)) status = trib_trace_write(path, parts, r->schedule_count, NULL);
    trib_free(parts);
    trib_free(runs);
    return status;
}

/* ---- a page ---- */

static trib_html_schedule html_of(const cli_profile_results *r, const cli_profile_texts *t, int index,
                                  const char **sentences)
{
    const cli_profiled *s = &r->schedules[index];
    const trib_profile *run = cli_profiled_trace(s);
    for (int w = 0; w < t->window_count; ++w)
        sentences[w] = *cli_window_sentence(t, index, w) ? cli_window_sentence(t, index, w) : NULL;
    return (trib_html_schedule) { .name = s->name,
                                  .plan = cli_cell_plan(&s->cell),
                                  .graph = &s->graph,
                                  .profile = run,
                                  .medians = &s->medians,
                                  .times = cli_profiled_times_of(s, run).ops,
                                  .wall = (int64_t)s->wall.median,
                                  .gain = { s->gain.median, s->gain.low, s->gain.high },
                                  .sentence = *t->schedules[index] ? t->schedules[index] : NULL,
                                  .sentences = sentences };
}

static void say_date(char text[32])
{
    time_t now = time(NULL);
    struct tm local;
    *text = '\0';
    if (localtime_r(&now, &local)) strftime(text, 32, "%Y-%m-%d %H:%M", &local);
}

static void say_device(const cli_profile_heading *h, char text[256])
{
    if (h->device->host)
        snprintf(text, 256, "%s, %d core%s", h->device->name, h->device->cores, h->device->cores > 1 ? "s" : "");
    else
        snprintf(text, 256, "%s", h->device->name);
}

static trib_status write_page(const cli_profile_heading *h, const cli_profile_results *r, const cli_profile_texts *t,
                              trib_html_schedule *schedules, const char **sentences, const char *path)
{
    char date[32], device[256];
    const char *notes[CLI_MOST_NOTES];
    say_date(date);
    say_device(h, device);
    for (int i = 0; i < t->note_count; ++i) notes[i] = t->notes[i];
    for (int i = 0; i < r->schedule_count; ++i) schedules[i] = html_of(r, t, i, &sentences[i * t->window_count]);
    const trib_html_report report = { .model = h->model,
                                      .device = device,
                                      .batch = h->batch,
                                      .fastest = t->fastest,
                                      .headline = *t->headline ? t->headline : NULL,
                                      .verdict = t->verdict,
                                      .advice = *t->advice ? t->advice : NULL,
                                      .date = *date ? date : NULL,
                                      .notes = notes,
                                      .note_count = t->note_count,
                                      .schedules = schedules,
                                      .schedule_count = r->schedule_count };
    return trib_html_write(path, &report);
}

trib_status cli_profile_write_html(const cli_profile_heading *h, const cli_profile_results *r,
                                   const cli_profile_texts *t, const char *path)
{
    const size_t count = (size_t)r->schedule_count;
    trib_html_schedule *schedules = trib_alloc_zeroed(count, sizeof *schedules);
    const char **sentences = trib_alloc_zeroed(count * (size_t)t->window_count + 1, sizeof *sentences);
    trib_status status = schedules && sentences ? write_page(h, r, t, schedules, sentences, path) : no_memory(path);
    trib_free(sentences);
    trib_free(schedules);
    return status;
}
