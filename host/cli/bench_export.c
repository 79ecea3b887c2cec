/* SPDX-License-Identifier: Apache-2.0
 * bench --export-times: every timed run, in the order of the rows of the results. CSV has a row for each run; JSON an
 * object for each measurement, with arrays of the starts and times of its runs. */
#include <string.h>

#include "bench.h"

static const cli_samples *samples_of(const bench *b, const bench_cell *c)
{
    return b->options->train ? &c->train.samples : &c->rates.samples;
}

static const char *what_name(const bench *b, int what)
{
    static const char *const names[] = { "device", "with_copies", "end_to_end", "one_at_a_time" };
    return b->options->train ? "step" : names[what];
}

static double start_of(const bench *b, const cli_sample *s) { return s->start - b->begin; }

/* ---- CSV ---- */

static void add_csv_cell(const bench *b, const bench_cell *c, cli_buffer *text)
{
    const cli_samples *samples = samples_of(b, c);
    char schedule[CLI_SCHEDULE_TEXT];
    cli_schedule_text(&c->settings.schedule, schedule);
    for (size_t i = 0; i < samples->count; ++i) {
        const cli_sample *s = &samples->items[i];
        cli_append_format(text, "%d,%s,", c->is.batch, bench_precision(c));
        cli_append_csv(text, schedule);
        cli_append_format(text, ",%s,%d,%s,%d,%.6f,%.6f\n", bench_launch(c), bench_in_flight(b, c),
                          what_name(b, s->what), s->round + 1, start_of(b, s), 1e3 * s->seconds);
    }
}

static void add_csv(const bench *b, cli_buffer *text)
{
    static const char header[] = "batch,precision,schedule,launch,in_flight,rate,round,start_s,ms\n";
    cli_append(text, header, strlen(header));
    for (int i = 0; i < b->grid.count; ++i) add_csv_cell(b, &b->cells[i], text);
}

/* ---- JSON ---- */

/* The runs of one rate in one round, "[0.0, 24.1]": first .. end - 1. */
static void add_numbers(const bench *b, const cli_sample *s, size_t count, bool starts, cli_buffer *text)
{
    for (size_t i = 0; i < count; ++i)
        cli_append_format(text, "%s%.6f", i ? "," : "[", starts ? start_of(b, &s[i]) : 1e3 * s[i].seconds);
    cli_append(text, "]", 1);
}

static void add_json_series(const bench *b, const bench_cell *c, const cli_sample *s, size_t count, cli_buffer *text)
{
    char schedule[CLI_SCHEDULE_TEXT];
    cli_append_format(text, "{\"batch\":%d,\"precision\":\"%s\",\"schedule\":", c->is.batch, bench_precision(c));
    cli_append_json(text, cli_schedule_text(&c->settings.schedule, schedule));
    cli_append_format(text,
                      ",\"launch\":\"%s\",\"in_flight\":%d,\"rate\":\"%s\",\"round\":%d,\"start_s\":", bench_launch(c),
                      bench_in_flight(b, c), what_name(b, s->what), s->round + 1);
    add_numbers(b, s, count, true, text);
    cli_append_format(text, ",\"ms\":");
    add_numbers(b, s, count, false, text);
    cli_append(text, "}", 1);
}

static void add_json_cell(const bench *b, const bench_cell *c, bool *any, cli_buffer *text)
{
    const cli_samples *samples = samples_of(b, c);
    for (size_t i = 0, end; i < samples->count; i = end) {
        const cli_sample *s = &samples->items[i];
        for (end = i + 1; end < samples->count; ++end)
            if (samples->items[end].what != s->what || samples->items[end].round != s->round) break;
        cli_append_format(text, *any ? ",\n" : "");
        add_json_series(b, c, s, end - i, text);
        *any = true;
    }
}

static void add_json(const bench *b, cli_buffer *text)
{
    bool any = false;
    cli_append(text, "[", 1);
    for (int i = 0; i < b->grid.count; ++i) add_json_cell(b, &b->cells[i], &any, text);
    cli_append(text, "]\n", 2);
}

bool bench_is_json(const char *name)
{
    const size_t length = strlen(name);
    return length >= 5 && strcmp(name + length - 5, ".json") == 0;
}

trib_status bench_export_times(const bench *b, cli_output *file)
{
    cli_buffer text = { 0 };
    if (bench_is_json(b->options->times))
        add_json(b, &text);
    else
        add_csv(b, &text);
    trib_status status = cli_output_write(file, &text);
    cli_buffer_release(&text);
    return trib_failed(&status) ? status : cli_output_close(file);
}
