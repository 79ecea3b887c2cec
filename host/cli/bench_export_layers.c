/* SPDX-License-Identifier: Apache-2.0
 * bench --export-layers: each cell runs again, with a timeline, and its ops become rows. */
#include <string.h>

#include "bench.h"

/* At most, and never more than --iterations. */
enum { LAYER_BATCHES = 20, LAYER_STEPS = 5, MOST_CHUNKS = 256 };

/* ---- measuring ---- */

static int runs_of(const bench *b)
{
    const int most = b->options->train ? LAYER_STEPS : LAYER_BATCHES, wanted = b->options->iterations;
    return wanted && wanted < most ? wanted : most;
}

static trib_status time_batches(const bench *b, const bench_cell *c, cli_layers *layers)
{
    cli_rates_request request = bench_request(b, c);
    cli_rates unused = { 0 };
    cli_runner *runner = NULL;
    request.layers = layers;
    trib_status status = cli_runner_open(&request, &unused, &runner);
    if (!trib_failed(&status)) status = cli_runner_layers(runner, runs_of(b), b->seconds);
    cli_runner_close(runner);
    cli_rates_release(&unused);
    return status;
}

static trib_status time_steps(const bench *b, const bench_cell *c, cli_layers *layers)
{
    cli_train_request request = bench_train_request(b, c);
    cli_train_rates unused = { 0 };
    const cli_turn turn = { .iterations = runs_of(b), .warmup = 2 };
    request.layers = layers;
    trib_status status = cli_train_turn(&request, &turn, &unused);
    cli_train_release(&unused);
    return status;
}

/* ---- writing ---- */

static trib_status sum_of_medians(const cli_layers *l, double *sum)
{
    cli_layer_times times;
    *sum = 0;
    for (int i = 0; i < l->op_count; ++i) {
        TRIB_TRY(cli_layers_times(l, i, &times));
        *sum += times.median;
    }
    return trib_success();
}

static void add_csv_row(const bench *b, const bench_cell *c, const cli_layers *l, int i, const cli_layer_times *t,
                        double share, cli_buffer *text)
{
    const cli_layer *layer = &l->ops[i];
    char schedule[CLI_SCHEDULE_TEXT];
    cli_append_format(text, "%d,%s,", c->is.batch, bench_precision(c));
    cli_append_csv(text, cli_schedule_text(&c->settings.schedule, schedule));
    cli_append_format(text, ",%s,%d,%d,", bench_launch(c), bench_in_flight(b, c), l->images);
    cli_append_csv(text, layer->name);
    cli_append_format(text, ",%s,", layer->op);
    cli_append_csv(text, layer->implementation);
    cli_append_format(text, ",%s,%d,%d,%zu", layer->module, layer->branch, layer->stream, l->runs);
    cli_append_format(text, ",%.6f,%.6f,%.6f,%.6f,%.5f\n", t->start, t->median, t->min, t->max, share);
}

static void add_json_row(const cli_layers *l, int i, const cli_layer_times *t, double share, bool first,
                         cli_buffer *text)
{
    const cli_layer *layer = &l->ops[i];
    cli_append_format(text, "%s{\"name\":", first ? "" : ",\n  ");
    cli_append_json(text, layer->name);
    cli_append_format(text, ",\"op\":\"%s\",\"implementation\":", layer->op);
    cli_append_json(text, layer->implementation);
    cli_append_format(text, ",\"module\":");
    cli_append_json(text, layer->module);
    cli_append_format(text, ",\"branch\":%d,\"stream\":%d", layer->branch, layer->stream);
    cli_append_format(text, ",\"start_ms\":%.6f,\"median_ms\":%.6f,\"min_ms\":%.6f,\"max_ms\":%.6f,\"share\":%.5f}",
                      t->start, t->median, t->min, t->max, share);
}

static void begin_json_cell(const bench *b, const bench_cell *c, const cli_layers *l, cli_buffer *text)
{
    char schedule[CLI_SCHEDULE_TEXT];
    cli_append_format(text, "%s{\"batch\":%d,\"precision\":\"%s\",\"schedule\":", text->size > 1 ? ",\n" : "",
                      c->is.batch, bench_precision(c));
    cli_append_json(text, cli_schedule_text(&c->settings.schedule, schedule));
    cli_append_format(text,
                      ",\"launch\":\"%s\",\"in_flight\":%d,\"images\":%d,\"runs\":%zu,\"times_by\":", bench_launch(c),
                      bench_in_flight(b, c), l->images, l->runs);
    cli_append_json(text, trib_timeline_source(l->timeline));
    cli_append_format(text, ",\"layers\":[");
}

/* Ops that run nothing have no row. */
static trib_status add_rows(const bench *b, const bench_cell *c, const cli_layers *l, cli_buffer *text)
{
    const bool json = bench_is_json(b->options->layers);
    double sum;
    TRIB_TRY(sum_of_medians(l, &sum));
    if (json) begin_json_cell(b, c, l, text);
    for (int i = 0, rows = 0; i < l->op_count; ++i) {
        cli_layer_times times;
        if (!*l->ops[i].implementation) continue;
        TRIB_TRY(cli_layers_times(l, i, &times));
        const double share = sum > 0 ? times.median / sum : 0;
        if (json)
            add_json_row(l, i, &times, share, rows++ == 0, text);
        else
            add_csv_row(b, c, l, i, &times, share, text);
    }
    if (json) cli_append(text, "]}", 2);
    return trib_success();
}

/* ---- all cells ---- */

static trib_status time_and_add(const bench *b, const bench_cell *c, cli_buffer *text)
{
    cli_layers layers;
    const int batch = c->is.batch;
    TRIB_TRY(cli_layers_begin(&layers, batch < MOST_CHUNKS ? batch : MOST_CHUNKS));
    trib_status status = b->options->train ? time_steps(b, c, &layers) : time_batches(b, c, &layers);
    if (!trib_failed(&status)) status = add_rows(b, c, &layers, text);
    cli_layers_release(&layers);
    return status;
}

/* What was measured before is kept, whatever happens now. */
static trib_status add_cell(const bench *b, const bench_cell *c, cli_buffer *text, int *failures)
{
    char name[CLI_CELL_TEXT];
    if (trib_failed(&c->status)) return trib_success();
    trib_status status = time_and_add(b, c, text);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) return status;
    ++*failures;
    cli_message("--export-layers: batch %d, %s: %s", c->is.batch, cli_cell_name(&b->options->lists, &c->is, name),
                status.message);
    return trib_success();
}

trib_status bench_export_layers(const bench *b, cli_output *file, int *failures)
{
    static const char header[] = "batch,precision,schedule,launch,in_flight,images,layer,op,implementation,module,"
                                 "branch,stream,runs,start_ms,median_ms,min_ms,max_ms,share\n";
    const bool json = bench_is_json(b->options->layers);
    cli_buffer text = { 0 };
    trib_status status = trib_success();
    *failures = 0;
    cli_append(&text, json ? "[" : header, json ? 1 : strlen(header));
    for (int i = 0; i < b->grid.count && !trib_failed(&status); ++i)
        status = add_cell(b, &b->cells[i], &text, failures);
    if (json) cli_append(&text, "]\n", 2);
    if (!trib_failed(&status)) status = cli_output_write(file, &text);
    cli_buffer_release(&text);
    return trib_failed(&status) ? status : cli_output_close(file);
}
