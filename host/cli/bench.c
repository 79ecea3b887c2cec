/* SPDX-License-Identifier: Apache-2.0
 * tributary bench: throughput and latency, and what each number includes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench_rates.h"
#include "bench_train.h"
#include "feed.h"
#include "files.h"
#include "output.h"
#include "text.h"
#include "training.h"
#include "tributary/internal/alloc.h"

/* The words of --pixels; of --rate, "all", then the rates in the order of cli_rate. */
enum { PIXELS_U8, PIXELS_F32 };
enum { ALL_RATES, ONE_RATE };

typedef struct bench_options {
    cli_ints batches;
    double seconds;
    int iterations, warmup, workers, in_flight, pixels, rate;
    const char *json;
    const char *end_to_end;
    bool overwrite, train;
    double aux_weight;
} bench_options;
#define AT(field) offsetof(bench_options, field)
static const cli_option table[] = {
    { 'b', "batch-size", CLI_INTS, AT(batches), "N,...", "batch sizes to measure, one after another; default 1,32", 1,
      65536 },
    { 0, "seconds", CLI_REAL, AT(seconds), "S",
      "measure each batch size for at least S seconds, all rates together; default 5", 0, 1e6 },
    { 0, "iterations", CLI_INT, AT(iterations), "N", "measure N runs per rate instead of --seconds", 1, 100000000 },
    { 0, "warmup", CLI_INT, AT(warmup), "W", "runs before each measurement; default 3", 0, 1000000 },
    { 0, "in-flight", CLI_INT, AT(in_flight), "N",
      "batches submitted before the first is waited for; default: 2 on a GPU, which copies one while it computes the "
      "other, and 1 on a CPU, where each needs a lane of its own",
      1, 1024 },
    { 0, "pixels", CLI_CHOICE, AT(pixels), "u8|f32",
      "input format: 8-bit pixels, which the device normalises (a quarter of the bytes), or f32; default: u8 if the "
      "device takes it ('tributary devices' lists pixel formats)",
      0, 0 },
    { 0, "train", CLI_FLAG, AT(train), NULL,
      "instead, measure steps of training on random images: forward, losses, backward and update", 0, 0 },
    { 0, "aux-weight", CLI_AMOUNT, AT(aux_weight), "W", "with --train: " CLI_AUX_WEIGHT_HELP, 0, 1000 },
    { 0, "rate", CLI_CHOICE, AT(rate), "all|device|copies|end-to-end", "measure only this rate; default: all", 0, 0 },
    { 0, "end-to-end", CLI_TEXT, AT(end_to_end), "INPUT",
      "instead, measure everything that classify does with INPUT: reading, decoding, resizing, computing", 0, 0 },
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "with --end-to-end: threads that read and decode; default: one per CPU this process may use, or "
      "OMP_NUM_THREADS if lower",
      1, 1024 },
    { 0, "json", CLI_FILE_OUT, AT(json), "FILE|-",
      "write the results to FILE as JSON; - prints JSON in place of the text", 0, 0 },
    CLI_OVERWRITE_OPTION(AT(overwrite)),
};

typedef struct bench {
    const bench_options *options;
    const cli_settings *settings;
    cli_files files;
    trib_device *device;
    trib_model *model;
    trib_preprocess preprocess;
    double load_seconds; /* device and model */
    int lanes;           /* of the latest batch size */
    cJSON *results;
    bool text;
    bool last; /* no session will be created after the next one */
} bench;

static bool on_host(const bench *b) { return trib_device_get_info(b->device)->host; }

/* The input of the device: 8-bit pixels if it takes them, as in classify. */
static trib_dtype pixels_of(const bench *b)
{
    if (b->options->train) return TRIB_F32;
    bool chosen = b->options->end_to_end || b->options->pixels == CLI_NOT_GIVEN;
    bool raw = chosen ? cli_wants_raw_pixels(b->settings, b->device) : b->options->pixels == PIXELS_U8;
    return raw ? TRIB_U8 : TRIB_F32;
}

static int in_flight_of(const bench *b)
{
    if (b->options->in_flight) return b->options->in_flight;
    return on_host(b) ? 1 : 2;
}

static bool wants(const bench *b, cli_rate rate)
{
    return b->options->rate == ALL_RATES || b->options->rate == ONE_RATE + (int)rate;
}

/* ---- reporting ---- */

static const char *precision_of(const bench *b) { return trib_precision_name((trib_precision)b->settings->precision); }
static const char *launch_of(const bench *b) { return b->settings->launch == TRIB_GRAPH ? "graph" : "eager"; }

/* What each rate includes. */
static const char *includes(const bench *b, cli_rate rate)
{
    static const char *const gpu[CLI_RATE_COUNT] = {
        "pixels already on the device, through the network; logits stay there",
        "pixels in page-locked memory to the device, through the network, logits back into page-locked memory",
        "the same from and to ordinary memory, where decoded images lie; includes the host's copies",
    };
    static const char *const host[CLI_RATE_COUNT] = {
        "pixels and logits in host memory, which is the device's: like with copies, measured separately",
        "pixels and logits in memory of trib_host_alloc: no copies",
        "pixels and logits in ordinary memory, where decoded images lie: no copies",
    };
    return on_host(b) ? host[rate] : gpu[rate];
}

static void print_heading(const bench *b)
{
    const trib_device_info *info = trib_device_get_info(b->device);
    char schedule[CLI_SCHEDULE_TEXT];
    printf("%s on %s: %s, %s\nprecision %s, schedule %s, launch %s, pixels %s\n", trib_model_path(b->model), info->spec,
           info->name, info->library, precision_of(b), cli_schedule_text(&b->settings->schedule, schedule),
           launch_of(b), trib_dtype_name(pixels_of(b)));
    if (b->options->end_to_end || b->options->train) return;
    printf("Rates in images/s, and what each includes; pixels are %s:\n",
           pixels_of(b) == TRIB_U8 ? "8-bit, normalised by the device" : "float32, already normalised");
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate)
        if (wants(b, (cli_rate)rate))
            printf("  %-12s %s\n", cli_rate_name((cli_rate)rate), includes(b, (cli_rate)rate));
    printf("Not included: reading, decoding and resizing images; loading the model; preparing the session.\n"
           "start to first: loading the model, preparing the session, and the first run. Latency is that of a whole "
           "batch, one at a time, with copies.\n");
}

static void print_rates(const bench *b, const cli_rates *rates)
{
    char sentence[256];
    printf("  images/s     ");
    for (int rate = 0, shown = 0; rate < CLI_RATE_COUNT; ++rate)
        if (wants(b, (cli_rate)rate))
            printf("%s%s %.1f", shown++ ? "  " : " ", cli_rate_name((cli_rate)rate), rates->images_per_second[rate]);
    putchar('\n');
    if (*cli_rates_bound(rates, sentence, sizeof sentence)) printf("  %s\n", sentence);
}

static void print_result(const bench *b, int batch, const cli_rates *rates, const cli_bench_summary *latency)
{
    printf("batch %d, %d in flight, %zu runs: %.1f images/s\n", batch, in_flight_of(b), rates->runs,
           rates->images_per_second[cli_rates_main(rates)]);
    print_rates(b, rates);
    if (latency)
        printf("  latency ms    min %.2f  mean %.2f  median %.2f  p90 %.2f  p95 %.2f  p99 %.2f\n", latency->min,
               latency->mean, latency->median, latency->p90, latency->p95, latency->p99);
    printf("  peak memory   %.1f MiB of the process; start to first %.0f ms; lanes %d",
           (double)rates->peak_rss / 1048576.0, 1e3 * (b->load_seconds + rates->first_seconds), rates->lanes);
    printf(rates->threads > 0 ? ", each of %d threads\n" : "\n", rates->threads);
    fflush(stdout);
}

static void add_latency(cJSON *json, const cli_bench_summary *s)
{
    cJSON *latency = cJSON_AddObjectToObject(json, "latency_ms");
    cJSON_AddNumberToObject(latency, "min", s->min);
    cJSON_AddNumberToObject(latency, "mean", s->mean);
    cJSON_AddNumberToObject(latency, "median", s->median);
    cJSON_AddNumberToObject(latency, "p90", s->p90);
    cJSON_AddNumberToObject(latency, "p95", s->p95);
    cJSON_AddNumberToObject(latency, "p99", s->p99);
}

static const char *const rate_keys[CLI_RATE_COUNT] = { "device", "with_copies", "end_to_end" };

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

static void add_result(bench *b, int batch, const cli_rates *rates, const cli_bench_summary *latency)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "batch", batch);
    cJSON_AddNumberToObject(json, "in_flight", in_flight_of(b));
    cJSON_AddNumberToObject(json, "images_per_second", rates->images_per_second[cli_rates_main(rates)]);
    add_rates(json, rates);
    if (latency) add_latency(json, latency);
    cJSON_AddNumberToObject(json, "iterations", (double)rates->runs);
    cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)rates->peak_rss);
    cJSON_AddNumberToObject(json, "start_to_first_ms", 1e3 * (b->load_seconds + rates->first_seconds));
    cJSON_AddNumberToObject(json, "lanes", rates->lanes);
    cJSON_AddNumberToObject(json, "threads_per_lane", rates->threads);
    cJSON_AddItemToArray(b->results, json);
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
        if (wants(b, (cli_rate)rate)) cJSON_AddStringToObject(all, rate_keys[rate], includes(b, (cli_rate)rate));
}

static trib_status write_json(bench *b, cli_output *file)
{
    const trib_device_info *info = trib_device_get_info(b->device);
    char schedule[CLI_SCHEDULE_TEXT];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "version", trib_version());
    cli_json_add_name(json, "model", trib_model_path(b->model));
    cJSON_AddItemToObject(json, "spec", cli_json_text(info->spec));
    cJSON_AddItemToObject(json, "device", cli_json_text(info->name));
    cJSON_AddItemToObject(json, "library", cli_json_text(info->library));
    cJSON_AddNumberToObject(json, "threads", info->cores);
    cJSON_AddNumberToObject(json, "lanes", b->lanes);
    cJSON_AddItemToObject(json, "precision", cli_json_text(precision_of(b)));
    cJSON_AddItemToObject(json, "schedule", cli_json_text(cli_schedule_text(&b->settings->schedule, schedule)));
    cJSON_AddItemToObject(json, "launch", cli_json_text(launch_of(b)));
    cJSON_AddItemToObject(json, "pixels", cli_json_text(trib_dtype_name(pixels_of(b))));
    add_includes(b, json);
    cJSON_AddItemToObject(json, "results", b->results);
    b->results = NULL;
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    cli_buffer buffer = { 0 };
    if (text) cli_append(&buffer, text, strlen(text));
    cli_append(&buffer, "\n", 1);
    buffer.failed |= !text;
    trib_status status = cli_output_write(file, &buffer);
    cli_buffer_release(&buffer);
    cJSON_free(text);
    return trib_failed(&status) ? status : cli_output_close(file);
}

/* ---- everything that classify does ---- */

enum { USUAL_TOP_K = 5 };

static trib_status ignore_batch(void *context, const trib_batch *batch, int k, const float *probabilities,
                                const int32_t *indices)
{
    (void)context, (void)batch, (void)k, (void)probabilities, (void)indices;
    return trib_success();
}

/* Uses the bench's device and model: a pipe can deliver its model only once. */
static trib_status end_to_end_batch(bench *b, int batch)
{
    cli_feed feed = { .settings = b->settings,
                      .device = b->device,
                      .model = b->model,
                      .preprocess = b->preprocess,
                      .batch_size = batch,
                      .workers = b->options->workers,
                      .keeps_parameters = !b->last };
    cli_texts inputs = { .items = (char *[]) { (char *)b->options->end_to_end }, .count = 1 };
    trib_source_options source = { .outputs = b->files.writes.path, .output_count = b->files.writes.count };
    trib_status status = cli_feed_open_source(&feed, &inputs, 0, &source);
    cli_reset_peak_rss();
    if (!trib_failed(&status)) status = cli_feed_run(&feed, USUAL_TOP_K, ignore_batch, NULL);
    if (!trib_failed(&status)) {
        double rate = (double)feed.good / feed.seconds, decode = feed.loader.decode_seconds;
        if (b->text)
            printf("batch %d, %" PRId64 " images end to end, %" PRId64 " skipped: %.1f images/s\n"
                   "  decoding took %.2f ms of a core per image; computing waited %.2f s of %.2f s for images\n",
                   batch, feed.good, feed.skipped, rate, feed.good ? 1e3 * decode / (double)feed.good : 0.0,
                   feed.loader.wait_seconds, feed.seconds);
        cJSON *json = cJSON_CreateObject();
        cJSON_AddNumberToObject(json, "batch", batch);
        cJSON_AddNumberToObject(json, "images_per_second", rate);
        cJSON_AddNumberToObject(json, "images", (double)feed.good);
        cJSON_AddNumberToObject(json, "skipped", (double)feed.skipped);
        cJSON_AddNumberToObject(json, "decode_core_seconds", decode);
        cJSON_AddNumberToObject(json, "wait_seconds", feed.loader.wait_seconds);
        cJSON_AddNumberToObject(json, "seconds", feed.seconds);
        cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)cli_peak_rss());
        cJSON_AddItemToArray(b->results, json);
    }
    trib_source_close(feed.source);
    return status;
}

/* ---- training ---- */

static void print_train(int batch, const cli_train_rates *rates)
{
    printf("batch %d, %zu steps of training: %.1f images/s\n"
           "  a step ms     min %.1f  median %.1f  p95 %.1f; the first, with preparation, %.0f\n"
           "  memory        grows by %.1f MiB over the model and its input; %.1f MiB planned\n",
           batch, rates->steps, rates->images_per_second, rates->step.min, rates->step.median, rates->step.p95,
           1e3 * rates->first_seconds, (double)(rates->peak_rss - rates->rss_before) / 1048576.0,
           (double)rates->plan_bytes / 1048576.0);
    if (rates->at_best > 0)
        printf("  at best       %.0f images/s, each op at the card's limit; this is %.0f %% of it\n", rates->at_best,
               100 * rates->images_per_second / rates->at_best);
    fflush(stdout);
}

static trib_status train_batch(bench *b, int batch)
{
    const bench_options *o = b->options;
    cli_train_request request = { .settings = b->settings,
                                  .device = b->device,
                                  .model = b->model,
                                  .batch = batch,
                                  .iterations = o->iterations,
                                  .warmup = o->warmup,
                                  .seconds = o->seconds,
                                  .aux_weight = o->aux_weight,
                                  .last = b->last };
    cli_train_rates rates;
    TRIB_TRY(cli_train_measure(&request, &rates));
    if (b->text) print_train(batch, &rates);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "batch", batch);
    cJSON_AddNumberToObject(json, "images_per_second", rates.images_per_second);
    if (rates.cpu_seconds_per_image > 0)
        cJSON_AddNumberToObject(json, "cpu_seconds_per_image", rates.cpu_seconds_per_image);
    if (rates.at_best > 0) cJSON_AddNumberToObject(json, "images_per_second_at_best", rates.at_best);
    if (rates.any_order_ops) cJSON_AddNumberToObject(json, "any_order_ops", rates.any_order_ops);
    cJSON_AddNumberToObject(json, "median_step_ms", rates.step.median);
    cJSON_AddNumberToObject(json, "iterations", (double)rates.steps);
    cJSON_AddNumberToObject(json, "rss_before_bytes", (double)rates.rss_before);
    cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)rates.peak_rss);
    cJSON_AddNumberToObject(json, "plan_bytes", (double)rates.plan_bytes);
    cJSON_AddItemToArray(b->results, json);
    return trib_success();
}

/* ---- the command ---- */

static trib_status bench_batch(bench *b, int batch)
{
    if (b->options->end_to_end) return end_to_end_batch(b, batch);
    if (b->options->train) return train_batch(b, batch);
    const bench_options *o = b->options;
    cli_rates_request request = { .settings = b->settings,
                                  .device = b->device,
                                  .model = b->model,
                                  .preprocess = &b->preprocess,
                                  .batch = batch,
                                  .in_flight = in_flight_of(b),
                                  .pixels = pixels_of(b),
                                  .seconds = o->seconds,
                                  .iterations = o->iterations,
                                  .warmup = o->warmup,
                                  .last = b->last };
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate) request.wanted[rate] = wants(b, (cli_rate)rate);
    cli_rates rates;
    trib_status status = cli_rates_measure(&request, &rates);
    if (!trib_failed(&status)) {
        bool timed = rates.latency.count > 0;
        cli_bench_summary summary = timed ? cli_bench_summarise(&rates.latency) : (cli_bench_summary) { 0 };
        b->lanes = rates.lanes;
        if (b->text) print_result(b, batch, &rates, timed ? &summary : NULL);
        add_result(b, batch, &rates, timed ? &summary : NULL);
    }
    cli_rates_release(&rates);
    return status;
}

static trib_status bench_all(bench *b, const char *model, cli_output *file)
{
    static const int usual[] = { 1, 32 };
    const bench_options *o = b->options;
    const int *batches = o->batches.count ? o->batches.items : usual;
    int count = o->batches.count ? o->batches.count : 2;
    b->text = !o->json || strcmp(o->json, "-") != 0;
    TRIB_TRY(cli_files_check(&b->files));
    if (o->json)
        TRIB_TRY(cli_output_open(b->text ? o->json : NULL, o->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW, file));
    TRIB_TRY(cli_open_device(b->settings, &b->device));
    TRIB_TRY(cli_load_model(b->settings, model, &b->model, &b->preprocess));
    cli_catch_signals(); /* not while loading waits for the writer of a pipe */
    b->load_seconds = cli_now() - cli_start_time();
    b->results = cJSON_CreateArray();
    if (b->text) print_heading(b);
    for (int i = 0; i < count; ++i) {
        b->last = i + 1 == count;
        TRIB_TRY(bench_batch(b, batches[i]));
    }
    return o->json ? write_json(b, file) : trib_success();
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    bench_options own = { .seconds = 5, .warmup = 3, .pixels = CLI_NOT_GIVEN, .aux_weight = CLI_AUX_WEIGHT };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_compute_group(&settings), cli_order_group(&settings),
                           cli_size_group(&settings),         cli_random_group(&settings),  CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 0, 0, NULL);
    if (code == CLI_GO_ON && own.end_to_end && own.pixels != CLI_NOT_GIVEN)
        code = cli_usage(self, "--pixels describes input in memory, but --end-to-end reads images: leave one out");
    if (code == CLI_GO_ON && own.end_to_end && own.rate != ALL_RATES)
        code = cli_usage(self, "--rate measures synthetic pixels, but --end-to-end reads images: leave one out");
    if (code == CLI_GO_ON && own.train && (own.end_to_end || own.rate != ALL_RATES || own.in_flight))
        code = cli_usage(self, "--train measures steps of training: leave out --end-to-end, --rate and --in-flight");
    if (code == CLI_GO_ON && settings.fast && !own.train) code = cli_usage(self, "--fast is for training: add --train");
    if (code == CLI_GO_ON) {
        if (own.train) cli_training_settings(&settings, own.aux_weight);
        bench b = { .options = &own, .settings = &settings, .files = cli_files_of(groups, &settings, &arguments) };
        cli_output file = { .fd = -1 };
        trib_status status = bench_all(&b, !settings.arch ? arguments.items[0] : NULL, &file);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
        cli_output_close(&file);
        cJSON_Delete(b.results);
        trib_model_destroy(b.model);
        trib_device_close(b.device);
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "measure throughput and latency",
    .synopsis = "MODEL|--arch ARCH [-b 1,32] [--train] [--seconds S|--iterations N] [--json FILE]",
    .description =
        "Runs the network on synthetic pixels and prints three rates for each batch size, with what each includes and "
        "what bounds it: on the device alone; with copies from and to page-locked memory; and end to end, from and to "
        "ordinary memory, where decoded images lie. Also prints the latency of a single batch (min, mean, median, p90, "
        "p95, p99) and the peak memory of the process.\n\n"
        "No rate includes reading, decoding or resizing images; --end-to-end INPUT measures those as well.\n\n"
        "With --train, prints the rate of training steps, and by how much the process grows for them: its peak over "
        "what "
        "it had with the model and a batch in memory.",
    .examples = "  $ tributary bench model.safetensors\n"
                "  $ tributary bench --arch googlenet -b 1,32 --seconds 10 --json results.json\n"
                "  $ tributary bench model.safetensors -b 1 --in-flight 2 --rate copies\n"
                "  $ tributary bench model.safetensors --device cuda --precision bf16 --schedule fused -b 256\n"
                "  $ tributary bench model.safetensors --end-to-end photos/ -b 32\n"
                "  $ tributary bench --arch torchvision --train -b 32 --json -\n",
    .run = run,
};
