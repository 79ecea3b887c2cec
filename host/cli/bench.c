/* SPDX-License-Identifier: Apache-2.0
 * tributary bench: throughput and latency, and what each number includes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench_stats.h"
#include "feed.h"
#include "output.h"
#include "text.h"
#include "tributary/internal/alloc.h"

typedef struct bench_options {
    cli_ints batches;
    double seconds;
    int iterations, warmup, workers, in_flight, pixels;
    const char *json;
    const char *end_to_end;
    bool overwrite;
} bench_options;
#define AT(field) offsetof(bench_options, field)
static const cli_option table[] = {
    { 'b', "batch-size", CLI_INTS, AT(batches), "N,...", "batch sizes to measure, one after another; default 1,32", 1,
      65536 },
    { 0, "seconds", CLI_REAL, AT(seconds), "S", "measure each batch size for at least S seconds; default 5", 0, 1e6 },
    { 0, "iterations", CLI_INT, AT(iterations), "N", "measure N runs instead of a time", 1, 100000000 },
    { 0, "warmup", CLI_INT, AT(warmup), "W", "runs before measuring; default 3", 0, 1000000 },
    { 0, "in-flight", CLI_INT, AT(in_flight), "N",
      "throughput with N batches computed at once, each on a lane of its own; default 1: one after another", 1, 1024 },
    { 0, "pixels", CLI_CHOICE, AT(pixels), "u8|f32",
      "what lies in host memory: f32 (default), or 8-bit pixels that the device normalises, a quarter of the bytes "
      "('tributary devices' shows which can)",
      0, 0 },
    { 0, "end-to-end", CLI_TEXT, AT(end_to_end), "INPUT",
      "measure all that classify does with INPUT instead: reading, decoding, resizing, computing", 0, 0 },
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "with --end-to-end: threads that decode; default: one per CPU this process may use, or OMP_NUM_THREADS if that "
      "is less",
      1, 1024 },
    { 0, "json", CLI_TEXT, AT(json), "FILE",
      "write the results to FILE as JSON; - is standard output, in place of the text", 0, 0 },
    { 0, "overwrite", CLI_FLAG, AT(overwrite), NULL, "replace what is in the --json FILE", 0, 0 },
};

typedef struct bench {
    const bench_options *options;
    const cli_settings *settings;
    trib_device *device;
    trib_model *model;
    trib_preprocess preprocess;
    double load_seconds; /* device and model, once */
    int lanes, threads;
    cJSON *results;
    bool text;
} bench;

/* ---- one batch size ---- */

enum { BATCHES_PER_LANE = 8 }; /* handed over at once with --in-flight, so that lanes seldom wait for each other */

typedef struct measured {
    cli_bench_times times;
    double first_seconds; /* session and first run */
    int64_t peak_rss;
} measured;

/* Pixels, raw or like normalised ones: values a network sees, and none of them the same twice in a row. */
static void fill(void *pixels, size_t count, trib_dtype dtype)
{
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < count; ++i) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if (dtype == TRIB_U8)
            ((uint8_t *)pixels)[i] = (uint8_t)(state >> 56);
        else
            ((float *)pixels)[i] = (float)(state >> 40) * (4.0f / 16777216.0f) - 2.0f;
    }
}

/* What the device is handed. End to end it is as in classify. */
static trib_dtype pixels_of(const bench *b)
{
    bool raw = b->options->end_to_end ? cli_wants_raw_pixels(b->settings, b->device) : b->options->pixels == 0;
    return raw ? TRIB_U8 : TRIB_F32;
}

static trib_status time_runs(const bench *b, trib_session *session, const void *pixels, int batch, float *logits,
                             cli_bench_times *times)
{
    const bench_options *o = b->options;
    double begin = cli_now();
    while (o->iterations ? times->count < (size_t)o->iterations : times->count == 0 || cli_now() - begin < o->seconds) {
        if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        double start = cli_now();
        TRIB_TRY(trib_session_run(session, pixels, batch, (void *const[]) { logits }));
        TRIB_TRY(cli_bench_add(times, cli_now() - start));
    }
    return trib_success();
}

/* Images handed over at once: one batch, or with --in-flight so many that every lane always has one. */
static int images_at_once(const bench *b, int batch)
{
    return b->options->in_flight > 1 ? batch * b->options->in_flight * BATCHES_PER_LANE : batch;
}

static cli_settings settings_for(const bench *b, int batch)
{
    cli_settings s = *b->settings;
    if (b->options->in_flight > 1) {
        s.lanes = b->options->in_flight;
        s.chunk = batch;
    }
    return s;
}

static trib_status create_session(const bench *b, int batch, trib_session **out)
{
    static const char *const outputs[] = { "logits" };
    cli_settings settings = settings_for(b, batch);
    trib_session_options options;
    trib_normalise normalise;
    TRIB_TRY(cli_session_options(&settings, b->device, images_at_once(b, batch), &options));
    if (pixels_of(b) == TRIB_U8) cli_take_raw_pixels(&options.plan, &b->preprocess, &normalise);
    options.plan.outputs = outputs;
    options.plan.output_count = 1;
    return cli_create_session(&settings, b->device, b->model, &options, out);
}

static trib_status run_batch(bench *b, int batch, const void *pixels, float *logits, measured *m)
{
    trib_session *session = NULL;
    double start = cli_now();
    int images = images_at_once(b, batch);
    TRIB_TRY(create_session(b, batch, &session));
    b->lanes = trib_session_lanes(session);
    b->threads = trib_session_plan(session)->threads;
    trib_status status = trib_session_run(session, pixels, images, (void *const[]) { logits });
    m->first_seconds = cli_now() - start;
    for (int i = 0; !trib_failed(&status) && i < b->options->warmup && !cli_stopped(); ++i)
        status = trib_session_run(session, pixels, images, (void *const[]) { logits });
    if (!trib_failed(&status)) status = time_runs(b, session, pixels, images, logits, &m->times);
    m->peak_rss = cli_peak_rss();
    trib_session_destroy(session);
    return status;
}

static trib_status measure(bench *b, int batch, measured *m)
{
    const trib_googlenet *net = trib_model_network(b->model);
    size_t images = (size_t)images_at_once(b, batch);
    size_t count = 3 * (size_t)net->height * (size_t)net->width * images;
    cli_reset_peak_rss();
    void *pixels = trib_realloc_array(NULL, count, trib_dtype_size(pixels_of(b)));
    float *logits = trib_realloc_array(NULL, (size_t)net->classes * images, sizeof *logits);
    trib_status status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch of %d images", batch);
    if (pixels && logits) {
        fill(pixels, count, pixels_of(b));
        status = run_batch(b, batch, pixels, logits, m);
    }
    trib_free(pixels);
    trib_free(logits);
    return status;
}

/* ---- reporting ---- */

static const char *precision_of(const bench *b) { return trib_precision_name((trib_precision)b->settings->precision); }
static const char *schedule_of(const bench *b) { return trib_schedule_name((trib_schedule)b->settings->schedule); }
static const char *launch_of(const bench *b) { return b->settings->launch == TRIB_GRAPH ? "graph" : "eager"; }

static void print_heading(const bench *b)
{
    const trib_device_info *info = trib_device_get_info(b->device);
    printf("%s on %s: %s, %s\nprecision %s, schedule %s, launch %s, pixels %s\n", trib_model_path(b->model), info->spec,
           info->name, info->library, precision_of(b), schedule_of(b), launch_of(b), trib_dtype_name(pixels_of(b)));
    if (b->options->end_to_end) return;
    printf("Each run includes: input that lies in host memory as %s, through the network, until logits lie in host "
           "memory.\n"
           "Not included: reading, decoding and resizing images; loading the model; preparing the session.\n"
           "start to first: loading the model, preparing the session, and the first run. Latency is that of a whole "
           "batch.\n",
           pixels_of(b) == TRIB_U8 ? "8-bit pixels" : "float32");
}

static void add_result(bench *b, int batch, const measured *m, const cli_bench_summary *s)
{
    double first_ms = 1e3 * (b->load_seconds + m->first_seconds);
    double rate = s->per_second * images_at_once(b, batch);
    bool one_by_one = b->options->in_flight == 1; /* else a run's time is not a batch's latency */
    if (b->text) {
        printf("batch %d, %d in flight, %zu runs: %.1f images/s\n", batch, b->options->in_flight, m->times.count, rate);
        if (one_by_one)
            printf("  latency ms    min %.2f  mean %.2f  median %.2f  p90 %.2f  p95 %.2f  p99 %.2f\n", s->min, s->mean,
                   s->median, s->p90, s->p95, s->p99);
        printf("  peak memory   %.1f MiB of the process; start to first %.0f ms; lanes %d",
               (double)m->peak_rss / 1048576.0, first_ms, b->lanes);
        printf(b->threads > 0 ? ", each of %d threads\n" : "\n", b->threads);
    }
    fflush(stdout);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "batch", batch);
    cJSON_AddNumberToObject(json, "in_flight", b->options->in_flight);
    cJSON_AddNumberToObject(json, "images_per_second", rate);
    if (one_by_one) {
        cJSON *latency = cJSON_AddObjectToObject(json, "latency_ms");
        cJSON_AddNumberToObject(latency, "min", s->min);
        cJSON_AddNumberToObject(latency, "mean", s->mean);
        cJSON_AddNumberToObject(latency, "median", s->median);
        cJSON_AddNumberToObject(latency, "p90", s->p90);
        cJSON_AddNumberToObject(latency, "p95", s->p95);
        cJSON_AddNumberToObject(latency, "p99", s->p99);
    }
    cJSON_AddNumberToObject(json, "iterations", (double)m->times.count);
    cJSON_AddNumberToObject(json, "peak_rss_bytes", (double)m->peak_rss);
    cJSON_AddNumberToObject(json, "start_to_first_ms", first_ms);
    cJSON_AddNumberToObject(json, "lanes", b->lanes);
    cJSON_AddNumberToObject(json, "threads_per_lane", b->threads);
    cJSON_AddItemToArray(b->results, json);
}

static trib_status write_json(bench *b, cli_output *file)
{
    const trib_device_info *info = trib_device_get_info(b->device);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "version", trib_version());
    cJSON_AddItemToObject(json, "model", cli_json_text(trib_model_path(b->model)));
    cJSON_AddItemToObject(json, "spec", cli_json_text(info->spec));
    cJSON_AddItemToObject(json, "device", cli_json_text(info->name));
    cJSON_AddItemToObject(json, "library", cli_json_text(info->library));
    cJSON_AddNumberToObject(json, "threads", info->cores);
    cJSON_AddNumberToObject(json, "lanes", b->lanes);
    cJSON_AddItemToObject(json, "precision", cli_json_text(precision_of(b)));
    cJSON_AddItemToObject(json, "schedule", cli_json_text(schedule_of(b)));
    cJSON_AddItemToObject(json, "launch", cli_json_text(launch_of(b)));
    cJSON_AddItemToObject(json, "pixels", cli_json_text(trib_dtype_name(pixels_of(b))));
    cJSON_AddItemToObject(json, "includes",
                          cli_json_text(b->options->end_to_end ? "reading, decoding, resizing, computing"
                                                               : "input and logits in host memory; no decoding"));
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

static trib_status end_to_end_batch(bench *b, const char *model, int batch)
{
    cli_feed feed;
    cli_texts inputs = { .items = (char *[]) { (char *)b->options->end_to_end }, .count = 1 };
    trib_status status = cli_feed_open(b->settings, model, &inputs, 0, NULL, batch, b->options->workers, &feed);
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
    cli_feed_close(&feed);
    return status;
}

/* ---- the command ---- */

static trib_status bench_batch(bench *b, const char *model, int batch)
{
    if (b->options->end_to_end) return end_to_end_batch(b, model, batch);
    measured m = { 0 };
    trib_status status = measure(b, batch, &m);
    if (!trib_failed(&status)) {
        cli_bench_summary summary = cli_bench_summarise(&m.times);
        add_result(b, batch, &m, &summary);
    }
    cli_bench_release(&m.times);
    return status;
}

static trib_status bench_all(bench *b, const char *model, cli_output *file)
{
    static const int usual[] = { 1, 32 };
    const bench_options *o = b->options;
    const int *batches = o->batches.count ? o->batches.items : usual;
    int count = o->batches.count ? o->batches.count : 2;
    b->text = !o->json || strcmp(o->json, "-") != 0;
    if (o->json)
        TRIB_TRY(cli_output_open(b->text ? o->json : NULL, o->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW, file));
    TRIB_TRY(cli_open_device(b->settings, &b->device));
    TRIB_TRY(cli_load_model(b->settings, model, &b->model, &b->preprocess));
    b->load_seconds = cli_now() - cli_start_time();
    b->results = cJSON_CreateArray();
    if (b->text) print_heading(b);
    for (int i = 0; i < count; ++i) TRIB_TRY(bench_batch(b, model, batches[i]));
    return o->json ? write_json(b, file) : trib_success();
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    bench_options own = { .seconds = 5, .warmup = 3, .in_flight = 1, .pixels = -1 };
    cli_group groups[] = { CLI_GROUP("Measuring", table, &own), cli_compute_group(&settings), cli_size_group(&settings),
                           cli_random_group(&settings) };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, 4, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 0, 0, NULL);
    if (code == CLI_GO_ON && own.end_to_end && own.pixels >= 0)
        code = cli_usage(self, "--pixels says what lies in memory, but --end-to-end reads images: leave one out");
    if (code == CLI_GO_ON) {
        bench b = { .options = &own, .settings = &settings };
        cli_output file = { .fd = -1 };
        cli_catch_signals();
        trib_status status = bench_all(&b, settings.arch < 0 ? arguments.items[0] : NULL, &file);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
        cli_output_close(&file);
        cJSON_Delete(b.results);
        trib_model_destroy(b.model);
        trib_device_close(b.device);
    }
    cli_options_release(groups, 4, &arguments);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "throughput and latency",
    .synopsis = "MODEL|--arch ARCH [-b 1,32] [--seconds S|--iterations N] [--json FILE]",
    .description = "Runs the network on made-up input and prints, per batch size: images per second, latency (min, "
                   "mean, median, p90,\n"
                   "p95, p99), and peak memory of the process. A run takes input in host memory (--pixels) to logits "
                   "in host memory; it\n"
                   "includes no reading, decoding or resizing. --end-to-end INPUT measures those too.",
    .examples = "  tributary bench model.safetensors\n"
                "  tributary bench --arch googlenet -b 1,32 --seconds 10 --json results.json\n"
                "  tributary bench model.safetensors -b 1 --in-flight 2\n"
                "  tributary bench model.safetensors --device cuda --precision bf16 --pixels u8 -b 256\n"
                "  tributary bench model.safetensors --end-to-end photos/ -b 32\n",
    .run = run,
};
