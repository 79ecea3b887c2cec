/* SPDX-License-Identifier: Apache-2.0
 * The JSON of bench: what was measured where, then an object for each measurement. */
#include <math.h>
#include <string.h>

#include "bench.h"

static const char *const rate_keys[CLI_RATE_COUNT] = { "device", "with_copies", "end_to_end" };

/* Percentiles that the number of runs does not support are left out. */
static void add_summary(cJSON *json, const char *key, const cli_bench_summary *s)
{
    size_t needs;
    cJSON *times = cJSON_AddObjectToObject(json, key);
    cJSON_AddNumberToObject(times, "count", (double)s->count);
    cJSON_AddNumberToObject(times, "min", s->min);
    cJSON_AddNumberToObject(times, "mean", s->mean);
    for (int i = 0; i < CLI_PERCENTILES; ++i)
        if (!isnan(s->percentile[i])) cJSON_AddNumberToObject(times, cli_percentile_name(i, &needs), s->percentile[i]);
}

static void add_rates(cJSON *json, const cli_rates *rates)
{
    char sentence[256];
    cJSON *all = cJSON_AddObjectToObject(json, "rates");
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate)
        if (rates->images_per_second[rate] > 0)
            cJSON_AddNumberToObject(all, rate_keys[rate], rates->images_per_second[rate]);
    const char *bound = cli_rates_bound(rates, sentence, sizeof sentence);
    if (*bound) cJSON_AddStringToObject(json, "bound_by", bound);
    if (*bound) cJSON_AddStringToObject(json, "bound", sentence);
    if (rates->copy_alone <= 0) return;
    cJSON_AddNumberToObject(json, "bytes_to_device_per_image", rates->bytes_in);
    cJSON_AddNumberToObject(json, "bytes_to_host_per_image", rates->bytes_out);
    cJSON_AddNumberToObject(json, "copy_alone_bytes_per_second", rates->copy_alone);
}

static trib_status add_measured(const bench *b, const bench_cell *c, cJSON *json)
{
    const cli_rates *rates = &c->rates;
    cli_bench_summary latency;
    cJSON_AddNumberToObject(json, "in_flight", bench_in_flight(b, c));
    add_rates(json, rates);
    TRIB_TRY(cli_samples_summarise(&rates->samples, rates->latency, &latency));
    if (latency.count) add_summary(json, "latency_ms", &latency);
    cJSON_AddNumberToObject(json, "iterations", (double)cli_samples_count(&rates->samples, (int)cli_rates_main(rates)));
    cJSON_AddNumberToObject(json, "session_bytes", (double)rates->session_bytes);
    if (b->grid.count == 1) cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)rates->peak_rss);
    cJSON_AddNumberToObject(json, "start_to_first_ms", 1e3 * (b->load_seconds + rates->first_seconds));
    cJSON_AddNumberToObject(json, "lanes", rates->lanes);
    cJSON_AddNumberToObject(json, "threads_per_lane", rates->threads);
    return trib_success();
}

static trib_status add_train(const bench *b, const bench_cell *c, cJSON *json)
{
    const cli_train_rates *r = &c->train;
    cli_bench_summary step;
    TRIB_TRY(cli_samples_summarise(&r->samples, CLI_STEP, &step));
    if (bench_on_host(b))
        cJSON_AddNumberToObject(json, "cpu_seconds_per_image", r->cpu_seconds / (double)step.count / c->is.batch);
    if (r->at_best > 0) cJSON_AddNumberToObject(json, "images_per_second_at_best", r->at_best);
    if (r->any_order_ops) cJSON_AddNumberToObject(json, "any_order_ops", r->any_order_ops);
    add_summary(json, "step_ms", &step);
    cJSON_AddNumberToObject(json, "iterations", (double)step.count);
    cJSON_AddNumberToObject(json, "rss_before_bytes", (double)r->rss_before);
    cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)r->peak_rss);
    cJSON_AddNumberToObject(json, "plan_bytes", (double)r->plan_bytes);
    return trib_success();
}

static trib_status add_passes(const bench_cell *c, cJSON *json)
{
    const bench_passes *p = &c->passes;
    cJSON_AddNumberToObject(json, "images", (double)p->good);
    cJSON_AddNumberToObject(json, "skipped", (double)p->skipped);
    cJSON_AddNumberToObject(json, "decode_core_seconds", p->decode_seconds);
    cJSON_AddNumberToObject(json, "wait_seconds", p->wait_seconds);
    cJSON_AddNumberToObject(json, "seconds", p->seconds);
    cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)p->peak_rss);
    return trib_success();
}

/* What is the same for all is said once, above; precision, schedule and launch also here. */
static cJSON *begin_cell(const bench_cell *c)
{
    char schedule[CLI_SCHEDULE_TEXT];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "batch", c->is.batch);
    cJSON_AddItemToObject(json, "precision", cli_json_text(bench_precision(c)));
    cJSON_AddItemToObject(json, "schedule", cli_json_text(cli_schedule_text(&c->settings.schedule, schedule)));
    cJSON_AddItemToObject(json, "launch", cli_json_text(bench_launch(c)));
    return json;
}

static void add_rounds(const bench *b, const bench_cell *c, cJSON *json)
{
    const cli_spread ratio = bench_ratio(b, c);
    cJSON *rounds = b->rounds > 1 ? cJSON_AddArrayToObject(json, "images_per_second_by_round") : NULL;
    for (int round = 0; rounds && round < b->rounds; ++round) {
        const double rate = bench_rate(b, c, round);
        cJSON_AddItemToArray(rounds, rate > 0 ? cJSON_CreateNumber(rate) : cJSON_CreateNull());
    }
    if (!ratio.count) return;
    cJSON *object = cJSON_AddObjectToObject(json, "ratio_to_first");
    cJSON_AddNumberToObject(object, "median", ratio.median);
    cJSON_AddNumberToObject(object, "min", ratio.min);
    cJSON_AddNumberToObject(object, "max", ratio.max);
}

static trib_status add_result(const bench *b, const bench_cell *c, cJSON *results)
{
    cJSON *json = begin_cell(c);
    cJSON_AddItemToArray(results, json);
    cJSON_AddNumberToObject(json, "images_per_second", bench_spread(b, c).median);
    add_rounds(b, c, json);
    if (b->options->end_to_end) return add_passes(c, json);
    return b->options->train ? add_train(b, c, json) : add_measured(b, c, json);
}

static trib_status add_cells(const bench *b, cJSON *json)
{
    cJSON *results = cJSON_AddArrayToObject(json, "results"), *failures = NULL;
    if (bench_failures(b)) failures = cJSON_AddArrayToObject(json, "not_measured");
    for (int i = 0; i < b->grid.count; ++i) {
        const bench_cell *c = &b->cells[i];
        if (!trib_failed(&c->status)) {
            TRIB_TRY(add_result(b, c, results));
            continue;
        }
        cJSON *failure = begin_cell(c);
        cJSON_AddItemToObject(failure, "reason", cli_json_text(c->status.message));
        cJSON_AddItemToArray(failures, failure);
    }
    return trib_success();
}

static void add_includes(const bench *b, cJSON *json)
{
    if (b->options->train) {
        cJSON_AddStringToObject(json, "includes", "forward, losses, backward, update");
        return;
    }
    if (b->options->end_to_end) {
        cJSON_AddStringToObject(json, "includes", "reading, decoding, resizing, computing");
        return;
    }
    cJSON *all = cJSON_AddObjectToObject(json, "includes");
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate)
        if (bench_wants(b, (cli_rate)rate))
            cJSON_AddStringToObject(all, rate_keys[rate], bench_includes(b, (cli_rate)rate));
}

static trib_status make_json(const bench *b, cJSON *json)
{
    const trib_device_info *info = trib_device_get_info(b->device);
    const bench_cell *first = &b->cells[0];
    char schedule[CLI_SCHEDULE_TEXT];
    cJSON_AddStringToObject(json, "version", trib_version());
    cli_json_add_name(json, "model", trib_model_path(b->model));
    cJSON_AddItemToObject(json, "spec", cli_json_text(info->spec));
    cJSON_AddItemToObject(json, "device", cli_json_text(info->name));
    cJSON_AddItemToObject(json, "library", cli_json_text(info->library));
    cJSON_AddNumberToObject(json, "threads", info->cores);
    if (b->grid.configurations == 1) {
        cJSON_AddItemToObject(json, "precision", cli_json_text(bench_precision(first)));
        cJSON_AddItemToObject(json, "schedule", cli_json_text(cli_schedule_text(&first->settings.schedule, schedule)));
        cJSON_AddItemToObject(json, "launch", cli_json_text(bench_launch(first)));
    }
    cJSON_AddItemToObject(json, "pixels", cli_json_text(trib_dtype_name(bench_pixels(b))));
    cJSON_AddNumberToObject(json, "rounds", b->rounds);
    cJSON_AddNumberToObject(json, "measured_seconds", b->took);
    add_includes(b, json);
    return add_cells(b, json);
}

trib_status bench_write_json(const bench *b, cli_output *file)
{
    cJSON *json = cJSON_CreateObject();
    trib_status status = json ? make_json(b, json) : trib_success();
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    cli_buffer buffer = { .failed = !text };
    if (text) cli_append(&buffer, text, strlen(text));
    cli_append(&buffer, "\n", 1);
    if (!trib_failed(&status)) status = cli_output_write(file, &buffer);
    cli_buffer_release(&buffer);
    cJSON_free(text);
    return trib_failed(&status) ? status : cli_output_close(file);
}
