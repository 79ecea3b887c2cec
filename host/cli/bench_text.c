/* SPDX-License-Identifier: Apache-2.0
 * What bench prints: of a single configuration a paragraph for each batch size, of several a table. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const double mebibyte = 1048576.0;

/* ---- heading ---- */

const char *bench_includes(const bench *b, cli_rate rate)
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
    return bench_on_host(b) ? host[rate] : gpu[rate];
}

/* What all cells share. */
static void print_choice(const char *name, const char *value, bool varies)
{
    if (!varies) printf("%s %s, ", name, value);
}

static void print_settings(const bench *b)
{
    const cli_cell_lists *l = &b->options->lists;
    const bench_cell *first = &b->cells[0];
    char schedule[CLI_SCHEDULE_TEXT];
    print_choice("precision", bench_precision(first), l->precisions.count > 1);
    print_choice("schedule", cli_schedule_text(&first->settings.schedule, schedule), l->schedules.count > 1);
    print_choice("launch", bench_launch(first), l->launches.count > 1);
    printf("pixels %s\n", trib_dtype_name(bench_pixels(b)));
}

static void print_rounds(const bench *b)
{
    if (b->rounds == 1 && b->grid.count == 1) return;
    printf("%d measurement%s in %d round%s", b->grid.count, b->grid.count == 1 ? "" : "s", b->rounds,
           b->rounds == 1 ? "\n" : "s");
    if (b->rounds > 1) puts(": each has a turn in every round, in the opposite order in every second");
}

static void print_included(const bench *b)
{
    if (b->options->end_to_end || b->options->train) return;
    printf("Rates in images/s, and what each includes; pixels are %s:\n",
           bench_pixels(b) == TRIB_U8 ? "8-bit, normalised by the device" : "float32, already normalised");
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate)
        if (bench_wants(b, (cli_rate)rate))
            printf("  %-12s %s\n", cli_rate_name((cli_rate)rate), bench_includes(b, (cli_rate)rate));
    printf("Not included: reading, decoding and resizing images; loading the model; preparing the session.\n");
    if (b->grid.configurations == 1)
        printf(
            "start to first: loading the model, preparing the session, and the first run. Latency is that of a whole "
            "batch, one at a time, with copies.\n");
}

void bench_print_heading(const bench *b)
{
    const trib_device_info *info = trib_device_get_info(b->device);
    printf("%s on %s: %s, %s\n", trib_model_path(b->model), info->spec, info->name, info->library);
    print_settings(b);
    print_rounds(b);
    print_included(b);
    fflush(stdout);
}

/* ---- a paragraph ---- */

static const cli_bench_summary no_latency = { 0 };

static trib_status latency_of(const bench_cell *c, cli_bench_summary *out)
{
    *out = no_latency;
    return c->rates.latency == CLI_NOTHING ? trib_success()
                                           : cli_samples_summarise(&c->rates.samples, c->rates.latency, out);
}

static void print_rates(const bench *b, const bench_cell *c)
{
    char sentence[256];
    printf("  images/s     ");
    for (int rate = 0, shown = 0; rate < CLI_RATE_COUNT; ++rate)
        if (bench_wants(b, (cli_rate)rate))
            printf("%s%s %.1f", shown++ ? "  " : " ", cli_rate_name((cli_rate)rate), c->rates.images_per_second[rate]);
    putchar('\n');
    if (*cli_rates_bound(&c->rates, sentence, sizeof sentence)) printf("  %s\n", sentence);
}

/* "p50 1.20  p90 1.25  (p95 needs 20 runs)": a percentile that so few runs do not support is not printed. */
static void print_percentiles(const cli_bench_summary *s)
{
    size_t needs;
    int i = 0;
    for (; i < CLI_PERCENTILES && !isnan(s->percentile[i]); ++i)
        printf("  %s %.2f", cli_percentile_name(i, &needs), s->percentile[i]);
    printf("  of %zu run%s", s->count, s->count == 1 ? "" : "s");
    if (i == CLI_PERCENTILES) return;
    const char *name = cli_percentile_name(i, &needs);
    printf(" (%s needs %zu)", name, needs);
}

static void print_latency(const char *title, const cli_bench_summary *s)
{
    printf("  %s min %.2f  mean %.2f", title, s->min, s->mean);
    print_percentiles(s);
    putchar('\n');
}

static void print_spread(const bench *b, const bench_cell *c)
{
    const cli_spread s = bench_spread(b, c);
    if (b->rounds > 1) printf("  %d rounds     lowest %.1f  highest %.1f images/s\n", s.count, s.min, s.max);
}

static trib_status print_cell(const bench *b, const bench_cell *c)
{
    cli_bench_summary latency;
    const cli_rate rate = cli_rates_main(&c->rates);
    TRIB_TRY(latency_of(c, &latency));
    const size_t runs = cli_samples_count(&c->rates.samples, (int)rate);
    printf("batch %d, %d in flight, %zu run%s: %.1f images/s\n", c->is.batch, bench_in_flight(b, c), runs,
           runs == 1 ? "" : "s", c->rates.images_per_second[rate]);
    print_rates(b, c);
    print_spread(b, c);
    if (latency.count) print_latency("latency ms   ", &latency);
    printf("  memory        %.1f MiB for the session", (double)c->rates.session_bytes / mebibyte);
    if (b->grid.count == 1) printf("; %.1f MiB at the peak of the process", (double)c->rates.peak_rss / mebibyte);
    printf("\n  start to first %.0f ms; lanes %d", 1e3 * (b->load_seconds + c->rates.first_seconds), c->rates.lanes);
    if (c->rates.threads > 0) printf(", each of %d thread%s", c->rates.threads, c->rates.threads == 1 ? "" : "s");
    putchar('\n');
    return trib_success();
}

static trib_status print_passes(const bench *b, const bench_cell *c)
{
    const bench_passes *p = &c->passes;
    printf("batch %d, %" PRId64 " images end to end, %" PRId64 " skipped: %.1f images/s\n", c->is.batch, p->good,
           p->skipped, bench_spread(b, c).median);
    print_spread(b, c);
    printf("  decoding took %.2f ms of a core per image; computing waited %.2f s of %.2f s for images\n",
           p->good ? 1e3 * p->decode_seconds / (double)p->good : 0.0, p->wait_seconds, p->seconds);
    return trib_success();
}

static trib_status print_train(const bench *b, const bench_cell *c)
{
    const cli_train_rates *r = &c->train;
    const double rate = bench_spread(b, c).median;
    cli_bench_summary step;
    TRIB_TRY(cli_samples_summarise(&r->samples, CLI_STEP, &step));
    printf("batch %d, %zu steps of training: %.1f images/s\n", c->is.batch, step.count, rate);
    print_spread(b, c);
    print_latency("a step ms    ", &step);
    printf("  the first step, with preparation, %.0f ms\n"
           "  memory        grows by %.1f MiB over the model and its input; %.1f MiB planned\n",
           1e3 * r->first_seconds, (double)(r->peak_rss - r->rss_before) / mebibyte, (double)r->plan_bytes / mebibyte);
    if (r->at_best > 0)
        printf("  at best       %.0f images/s, each op at the card's limit; this is %.0f %% of it\n", r->at_best,
               100 * rate / r->at_best);
    return trib_success();
}

static trib_status print_paragraph(const bench *b, const bench_cell *c)
{
    if (trib_failed(&c->status)) {
        printf("batch %d: not measured: %s\n", c->is.batch, c->status.message);
        return trib_success();
    }
    if (b->options->end_to_end) return print_passes(b, c);
    return b->options->train ? print_train(b, c) : print_cell(b, c);
}

trib_status bench_print(const bench *b)
{
    if (b->grid.configurations > 1) TRIB_TRY(bench_print_table(b));
    for (int i = 0; i < b->grid.count && b->grid.configurations == 1; ++i) TRIB_TRY(print_paragraph(b, &b->cells[i]));
    if (b->grid.count > 1) printf("%.1f s in all", b->took);
    if (b->grid.count > 1 && b->reopened)
        printf("; not all sessions stayed open between their turns, for want of memory");
    if (b->grid.count > 1) putchar('\n');
    if (b->options->layers)
        printf("Ops are now timed in further runs, one at a time, and written to %s\n", b->options->layers);
    fflush(stdout);
    return trib_success();
}
