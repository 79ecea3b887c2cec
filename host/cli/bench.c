/* SPDX-License-Identifier: Apache-2.0
 * tributary bench: throughput and latency, and what each number includes. */
#include "bench.h"

#include <string.h>

#include "training.h"
#include "tributary/internal/alloc.h"

#define AT(field) offsetof(bench_options, field)
static const cli_option table[] = {
    { 'b', "batch-size", CLI_INTS, AT(lists.batches), "N,...", "batch sizes to measure; default 1,32", 1, 65536 },
    { 0, "schedule", CLI_SCHEDULE_LIST, AT(lists.schedules), "SCHEDULE[,FORK=SCHEDULE]...,...",
      "serial: one stream (default); branches: one stream per branch of a module; fused: the 1x1 convolutions that "
      "read a module's input as one op, then the large convolutions side by side. FORK=SCHEDULE changes one module, or "
      "all that match, of the schedule before it: 'serial,fused,inception_3a=serial' are two. "
      "Stages (inception_3a=1110-0112) and auto, what 'tributary tune' found, are as in other commands",
      0, 0 },
    { 0, "launch", CLI_CHOICES, AT(lists.launches), "eager|graph",
      "issue ops one by one (default), or record them once and replay the recording", 0, 0 },
    { 0, "precision", CLI_CHOICES, AT(lists.precisions), "fp32|tf32|fp16|bf16",
      "element type of activations and products; sums are always fp32, in training weights, too; default: fp32. "
      "'tributary devices' lists what each device supports",
      0, 0 },
    { 0, "in-flight", CLI_INTS, AT(lists.in_flights), "N,...",
      "batches submitted before the first is waited for; default: 2 on a GPU, which copies one while it computes the "
      "other, and 1 on a CPU, where each needs a lane of its own",
      1, 1024 },
    { 0, "seconds", CLI_REAL, AT(seconds), "S",
      "measure each combination for at least S seconds, all its rates and rounds together; default 5", 0, 1e6 },
    { 0, "total-seconds", CLI_REAL, AT(total_seconds), "S",
      "measure all combinations together for at least S seconds, in equal parts", 0, 1e6 },
    { 0, "iterations", CLI_INT, AT(iterations), "N", "measure N runs per rate instead of --seconds", 1, 100000000 },
    { 0, "warmup", CLI_INT, AT(warmup), "W",
      "runs before each measurement, from the second round on at most one; default 3", 0, 1000000 },
    { 0, "rounds", CLI_INT, AT(rounds), "N",
      "divide the time into N rounds, in which all combinations take turns, forwards and backwards, so that a machine "
      "that becomes slower does so for all of them; default: 4, and 1 if there is but one or with --end-to-end",
      1, BENCH_MOST_ROUNDS },
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
    { 0, "export-times", CLI_FILE_OUT, AT(times), "FILE",
      "write start and time of every run to FILE: as JSON if its name ends in .json, otherwise as CSV", 0, 0 },
    { 0, "export-layers", CLI_FILE_OUT, AT(layers), "FILE",
      "then run up to 20 batches (5 steps) of each combination again, one at a time, and write how long every op took "
      "to FILE, as JSON or CSV like --export-times",
      0, 0 },
    { 0, "plot", CLI_FILE_OUT, AT(plot), "FILE.svg",
      "draw throughput and latency by batch size, with a curve for each of up to 12 combinations of other options", 0,
      0 },
    CLI_OVERWRITE_OPTION(AT(overwrite)),
};

/* ---- cells ---- */

static int default_rounds(const bench *b)
{
    const bench_options *o = b->options;
    int rounds = o->rounds ? o->rounds : b->grid.count == 1 || o->end_to_end ? 1 : 4;
    return o->iterations && o->iterations < rounds ? o->iterations : rounds;
}

static trib_status make_cells(bench *b)
{
    const bench_options *o = b->options;
    TRIB_TRY(cli_cells_make(&o->lists, &b->grid));
    if (o->plot && b->grid.configurations > BENCH_MOST_PLOTTED)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "--plot can tell %d curves apart, but these are %d: leave out some schedules, launches, "
                          "precisions or numbers in flight",
                          BENCH_MOST_PLOTTED, b->grid.configurations);
    b->cells = trib_alloc_zeroed((size_t)b->grid.count, sizeof *b->cells);
    if (!b->cells) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d measurements", b->grid.count);
    for (int i = 0; i < b->grid.count; ++i) {
        bench_cell *c = &b->cells[i];
        c->is = b->grid.items[i];
        c->settings = *b->settings;
        c->settings.schedule = *cli_cell_schedules(&o->lists, &c->is);
        c->settings.precision = c->is.precision;
        c->settings.launch = c->is.launch;
    }
    b->rounds = default_rounds(b);
    b->seconds = o->total_seconds > 0 ? o->total_seconds / b->grid.count : o->seconds > 0 ? o->seconds : 5;
    return trib_success();
}

static void release(bench *b)
{
    for (int i = 0; b->cells && i < b->grid.count; ++i) {
        cli_rates_release(&b->cells[i].rates);
        cli_train_release(&b->cells[i].train);
        cli_samples_release(&b->cells[i].passes.samples);
    }
    trib_free(b->cells);
    cli_cells_release(&b->grid);
    trib_model_destroy(b->model);
    trib_device_close(b->device);
}

/* ---- files ---- */

enum { JSON_FILE, TIMES_FILE, LAYERS_FILE, PLOT_FILE, FILE_COUNT };

static trib_status open_file(const bench *b, const char *path, cli_output *out)
{
    const cli_output_mode mode = b->options->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW;
    return path ? cli_output_open(path, mode, out) : trib_success();
}

static trib_status open_files(const bench *b, cli_output files[FILE_COUNT])
{
    const bench_options *o = b->options;
    TRIB_TRY(cli_files_check(&b->files));
    TRIB_TRY(b->text ? open_file(b, o->json, &files[JSON_FILE]) : cli_output_open(NULL, 0, &files[JSON_FILE]));
    TRIB_TRY(open_file(b, o->times, &files[TIMES_FILE]));
    TRIB_TRY(open_file(b, o->layers, &files[LAYERS_FILE]));
    return open_file(b, o->plot, &files[PLOT_FILE]);
}

/* The layers last: they take runs of their own. */
static trib_status report(bench *b, cli_output files[FILE_COUNT])
{
    const bench_options *o = b->options;
    if (b->text) TRIB_TRY(bench_print(b));
    if (o->json) TRIB_TRY(bench_write_json(b, &files[JSON_FILE]));
    if (o->times) TRIB_TRY(bench_export_times(b, &files[TIMES_FILE]));
    if (o->plot) TRIB_TRY(bench_plot(b, &files[PLOT_FILE]));
    return o->layers ? bench_export_layers(b, &files[LAYERS_FILE], &b->untimed) : trib_success();
}

/* ---- the command ---- */

static trib_status bench_all(bench *b, const char *model, cli_output files[FILE_COUNT])
{
    const bench_options *o = b->options;
    b->text = !o->json || strcmp(o->json, "-") != 0;
    TRIB_TRY(make_cells(b));
    TRIB_TRY(open_files(b, files));
    TRIB_TRY(cli_open_device(b->settings, &b->device));
    TRIB_TRY(cli_load_model(b->settings, model, &b->model, &b->preprocess));
    cli_catch_signals(); /* not while loading waits for the writer of a pipe */
    b->load_seconds = cli_now() - cli_start_time();
    if (b->text) bench_print_heading(b);
    trib_status status = bench_measure(b);
    if (!trib_failed(&status)) return report(b, files);
    if (b->text && bench_failures(b) < b->grid.count) bench_print(b); /* what there is; files are for whole results */
    return status;
}

static int check(const cli_command *self, const cli_settings *settings, const bench_options *o)
{
    if (o->seconds > 0 && o->total_seconds > 0)
        return cli_usage(self, "--seconds is for each combination, --total-seconds for all: leave one out");
    if (o->end_to_end && o->pixels != CLI_NOT_GIVEN)
        return cli_usage(self, "--pixels describes input in memory, but --end-to-end reads images: leave one out");
    if (o->end_to_end && o->rate != BENCH_ALL_RATES)
        return cli_usage(self, "--rate measures synthetic pixels, but --end-to-end reads images: leave one out");
    if (o->end_to_end && o->lists.in_flights.count)
        return cli_usage(self, "--in-flight measures synthetic pixels, but --end-to-end reads images: leave one out");
    if (o->end_to_end && (o->times || o->layers))
        return cli_usage(self,
                         "--export-times and --export-layers are about synthetic batches: leave out --end-to-end");
    if (o->train && (o->end_to_end || o->rate != BENCH_ALL_RATES || o->lists.in_flights.count))
        return cli_usage(self, "--train measures steps of training: leave out --end-to-end, --rate and --in-flight");
    const char *const files[] = { o->times, o->layers, o->plot };
    for (size_t i = 0; i < sizeof files / sizeof *files; ++i)
        if (files[i] && strcmp(files[i], "-") == 0)
            return cli_usage(
                self, "--export-times, --export-layers and --plot take the name of a file; only --json - prints");
    if (settings->fast && !o->train) return cli_usage(self, "--fast is for training: add --train");
    return CLI_GO_ON;
}

static int measure(const cli_group *groups, const cli_settings *settings, const bench_options *o,
                   const cli_texts *arguments)
{
    bench b = { .options = o, .settings = settings, .files = cli_files_of(groups, settings, arguments) };
    cli_output files[FILE_COUNT] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
    trib_status status = bench_all(&b, !settings->arch ? arguments->items[0] : NULL, files);
    int failures = trib_failed(&status) ? 0 : bench_failures(&b);
    if (failures) cli_message("%d of %d combinations could not be measured", failures, b.grid.count);
    int code = trib_failed(&status) ? cli_report(&status) : failures || b.untimed ? CLI_SKIPPED : CLI_OK;
    for (int i = 0; i < FILE_COUNT; ++i) cli_output_close(&files[i]);
    release(&b);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    bench_options own = { .warmup = 3, .pixels = CLI_NOT_GIVEN, .aux_weight = CLI_AUX_WEIGHT };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_swept_compute_group(&settings),
                           cli_order_group(&settings),        cli_size_group(&settings),
                           cli_random_group(&settings),       CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 0, 0, NULL);
    if (code == CLI_GO_ON) code = check(self, &settings, &own);
    if (code == CLI_GO_ON && own.train) cli_training_settings(&settings, own.aux_weight);
    if (code == CLI_GO_ON) code = measure(groups, &settings, &own, &arguments);
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "measure throughput and latency",
    .synopsis = "MODEL|--arch ARCH [-b 1,32] [--train] [--seconds S|--iterations N] [--json FILE]",
    .description =
        "Runs the network on synthetic pixels and prints three rates, with what each includes and what bounds it: on "
        "the device alone; with copies from and to page-locked memory; and end to end, from and to ordinary memory, "
        "where decoded images lie. Also prints the latency of a single batch (min, mean, p50, p90, p95 and p99, as far "
        "as there are enough runs for them) and what memory it takes.\n\n"
        "Batch sizes, schedules, launches, precisions and numbers in flight may be lists: every combination is "
        "measured, in turns, and compared with the first. What the device cannot do is named, the others are measured, "
        "and the exit code is 3. Sessions stay open between their turns while together they take at most half of the "
        "memory; others are prepared anew for each.\n\n"
        "No rate includes reading, decoding or resizing images; --end-to-end INPUT measures those as well.\n\n"
        "With --train, prints the rate of training steps, and by how much the process grows for them: its peak over "
        "what it had with the model and a batch in memory. A trainer is made for each turn.",
    .examples =
        "  $ tributary bench model.safetensors\n"
        "  $ tributary bench --arch googlenet -b 1,32 --seconds 10 --json results.json\n"
        "  $ tributary bench model.safetensors -b 1,8,32 --schedule serial,branches --launch eager,graph --plot "
        "sweep.svg\n"
        "  $ tributary bench model.safetensors -b 1 --in-flight 2 --rate copies --export-times times.csv\n"
        "  $ tributary bench model.safetensors --device cuda --precision bf16 --schedule fused -b 256\n"
        "  $ tributary bench model.safetensors --end-to-end photos/ -b 32\n"
        "  $ tributary bench --arch torchvision --train -b 32 --json -\n",
    .run = run,
};
