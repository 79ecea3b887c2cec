/* SPDX-License-Identifier: Apache-2.0
 * Cells take turns in rounds. A session stays open between its turns as long as all of them together take at most
 * kept_bytes; one that does not fit is opened for each of its turns and closed after it. */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "feed.h"

bool bench_on_host(const bench *b) { return trib_device_get_info(b->device)->host; }

bool bench_wants(const bench *b, cli_rate rate)
{
    return b->options->rate == BENCH_ALL_RATES || b->options->rate == BENCH_ONE_RATE + (int)rate;
}

trib_dtype bench_pixels(const bench *b)
{
    if (b->options->train) return TRIB_F32;
    bool chosen = b->options->end_to_end || b->options->pixels == CLI_NOT_GIVEN;
    bool raw = chosen ? cli_wants_raw_pixels(b->settings, b->device) : b->options->pixels == BENCH_PIXELS_U8;
    return raw ? TRIB_U8 : TRIB_F32;
}

int bench_in_flight(const bench *b, const bench_cell *cell)
{
    if (cell->is.in_flight) return cell->is.in_flight;
    return bench_on_host(b) ? 1 : 2;
}

const char *bench_precision(const bench_cell *cell) { return trib_precision_name((trib_precision)cell->is.precision); }
const char *bench_launch(const bench_cell *cell) { return cell->is.launch == TRIB_GRAPH ? "graph" : "eager"; }

/* ---- sessions ---- */

static void close_cell(bench_cell *c)
{
    cli_runner_close(c->runner);
    c->runner = NULL;
}

/* False if none was open. */
static bool close_all(bench *b)
{
    bool closed = false;
    for (int i = 0; i < b->grid.count; ++i) {
        closed |= b->cells[i].runner != NULL;
        close_cell(&b->cells[i]);
    }
    return closed;
}

/* Nobody else will need the model's parameters. */
static bool is_alone(const bench *b) { return b->grid.count == 1 && !b->options->layers; }

cli_rates_request bench_request(const bench *b, const bench_cell *c)
{
    cli_rates_request request = { .settings = &c->settings,
                                  .device = b->device,
                                  .model = b->model,
                                  .preprocess = &b->preprocess,
                                  .batch = c->is.batch,
                                  .in_flight = bench_in_flight(b, c),
                                  .pixels = bench_pixels(b),
                                  .last = is_alone(b) };
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate) request.wanted[rate] = bench_wants(b, (cli_rate)rate);
    return request;
}

static trib_status open_cell(bench *b, bench_cell *c)
{
    c->request = bench_request(b, c);
    trib_status status = cli_runner_open(&c->request, &c->rates, &c->runner);
    if (status.code != TRIB_OUT_OF_MEMORY || !close_all(b)) return status;
    b->kept_bytes = 0;
    b->reopened = true;
    return cli_runner_open(&c->request, &c->rates, &c->runner);
}

static bool fits(const bench *b)
{
    int64_t bytes = 0;
    for (int i = 0; i < b->grid.count; ++i)
        if (b->cells[i].runner) bytes += b->cells[i].rates.session_bytes;
    return b->grid.count == 1 || bytes <= b->kept_bytes;
}

static trib_status rates_turn(bench *b, bench_cell *c, const cli_turn *turn)
{
    if (!c->runner) TRIB_TRY(open_cell(b, c));
    trib_status status = cli_runner_turn(c->runner, turn);
    if (trib_failed(&status) || !fits(b)) {
        b->reopened |= !trib_failed(&status);
        close_cell(c);
    }
    return status;
}

cli_train_request bench_train_request(const bench *b, const bench_cell *c)
{
    return (cli_train_request) { .settings = &c->settings,
                                 .device = b->device,
                                 .model = b->model,
                                 .batch = c->is.batch,
                                 .aux_weight = b->options->aux_weight,
                                 .last = is_alone(b) && b->rounds == 1 };
}

static trib_status train_turn(bench *b, bench_cell *c, const cli_turn *turn)
{
    const cli_train_request request = bench_train_request(b, c);
    return cli_train_turn(&request, turn, &c->train);
}

/* ---- rounds ---- */

static bool is_last(const bench *b, int round, int i) { return round + 1 == b->rounds && i + 1 == b->grid.count; }

static trib_status take_turn(bench *b, bench_cell *c, int round, int i)
{
    const bench_options *o = b->options;
    cli_turn turn = { .round = round,
                      .seconds = b->seconds / b->rounds,
                      .iterations = cli_cells_share(o->iterations, b->rounds, round),
                      .warmup = round && o->warmup > 1 ? 1 : o->warmup };
    if (o->end_to_end) return bench_pass(b, c, round, is_last(b, round, i));
    return o->train ? train_turn(b, c, &turn) : rates_turn(b, c, &turn);
}

static void show_progress(const bench *b, int round, int i)
{
    if (!isatty(STDERR_FILENO) || b->options->end_to_end || b->rounds * b->grid.count == 1) return;
    if (i < b->grid.count)
        fprintf(stderr, "\r\033[Kround %d of %d, %d of %d", round + 1, b->rounds, i + 1, b->grid.count);
    else
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

bool bench_concerns_cell(const trib_status *s)
{
    return s->code == TRIB_UNSUPPORTED || s->code == TRIB_OUT_OF_MEMORY || s->code == TRIB_INVALID_ARGUMENT;
}

static trib_status measure_round(bench *b, int round)
{
    for (int i = 0; i < b->grid.count; ++i) {
        bench_cell *c = &b->cells[cli_cells_turn(b->grid.count, round, i)];
        if (trib_failed(&c->status)) continue;
        show_progress(b, round, i);
        trib_status status = take_turn(b, c, round, i);
        if (trib_failed(&status) && !bench_concerns_cell(&status)) return status;
        c->status = status;
    }
    return trib_success();
}

int bench_failures(const bench *b)
{
    int failures = 0;
    for (int i = 0; i < b->grid.count; ++i) failures += trib_failed(&b->cells[i].status);
    return failures;
}

static trib_status measure_rounds(bench *b)
{
    for (b->rounds_done = 0; b->rounds_done < b->rounds; ++b->rounds_done) TRIB_TRY(measure_round(b, b->rounds_done));
    return bench_failures(b) == b->grid.count ? b->cells[0].status : trib_success();
}

/* After a failure some cells have had no turn. */
static void mark_unreached(bench *b)
{
    for (int i = 0; i < b->grid.count; ++i) {
        bench_cell *c = &b->cells[i];
        if (!trib_failed(&c->status) && bench_spread(b, c).count == 0)
            c->status = TRIB_ERROR(TRIB_CANCELLED, "the measurement ended before its first turn");
    }
}

trib_status bench_measure(bench *b)
{
    b->kept_bytes = (bench_on_host(b) ? trib_memory_get().bytes : trib_device_get_info(b->device)->memory_bytes) / 2;
    b->begin = cli_now();
    trib_status status = measure_rounds(b);
    show_progress(b, b->rounds, b->grid.count);
    b->took = cli_now() - b->begin;
    close_all(b);
    const bool complete = !trib_failed(&status);
    for (int i = 0; i < b->grid.count; ++i) {
        trib_status finished = cli_rates_finish(&b->cells[i].rates, b->cells[i].is.batch, b->rounds);
        if (trib_failed(&finished) && !trib_failed(&status)) status = finished;
    }
    if (!complete) mark_unreached(b);
    return status;
}

/* ---- what the rounds say ---- */

double bench_rate(const bench *b, const bench_cell *c, int round)
{
    if (trib_failed(&c->status)) return 0;
    if (b->options->end_to_end) return cli_samples_per_second(&c->passes.samples, 0, round);
    if (b->options->train) return c->is.batch * cli_samples_per_second(&c->train.samples, CLI_STEP, round);
    return c->is.batch * cli_samples_per_second(&c->rates.samples, (int)cli_rates_main(&c->rates), round);
}

static void rates_by_round(const bench *b, const bench_cell *c, double rates[BENCH_MOST_ROUNDS])
{
    for (int round = 0; round < b->rounds; ++round) rates[round] = bench_rate(b, c, round);
}

cli_spread bench_spread(const bench *b, const bench_cell *c)
{
    double rates[BENCH_MOST_ROUNDS];
    int count = 0;
    rates_by_round(b, c, rates);
    for (int round = 0; round < b->rounds; ++round)
        if (rates[round] > 0) rates[count++] = rates[round];
    return cli_spread_of(rates, count);
}

cli_spread bench_ratio(const bench *b, const bench_cell *c)
{
    double own[BENCH_MOST_ROUNDS], first[BENCH_MOST_ROUNDS];
    if (c->is.configuration == 0) return (cli_spread) { 0 };
    rates_by_round(b, c, own);
    rates_by_round(b, c - c->is.configuration, first);
    return cli_ratio_of(own, first, b->rounds);
}
