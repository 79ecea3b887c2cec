/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_rates.h"

#include "tributary/internal/alloc.h"

enum { INPUTS = 4, MOST_COPIES = 16, COPY_ROUNDS = 10, COPIED_AT_ONCE = 64 << 20 };

/* ---- memory ---- */

/* Input and results in ordinary memory, or in memory that the device copies without the host's help. A few inputs are
 * used in turn; each batch in flight has its own results. */
typedef struct buffers {
    trib_device *device; /* NULL: ordinary memory */
    void *inputs[INPUTS];
    void **results;
    int depth;
} buffers;

static trib_status allocate(const buffers *b, size_t count, size_t size, void **out)
{
    if (b->device && count <= SIZE_MAX / size) return trib_host_alloc(b->device, count * size, out);
    *out = trib_realloc_array(NULL, count, size);
    return *out ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch");
}

static void give_back(const buffers *b, void *memory)
{
    if (b->device)
        trib_host_free(b->device, memory);
    else
        trib_free(memory);
}

/* Pixels, raw or as if normalised: values a network sees, without repetition. */
static void fill(void *pixels, size_t count, trib_dtype dtype, uint64_t state)
{
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

static trib_status open_buffers(const cli_rates_request *r, bool ordinary, int depth, buffers *b)
{
    const trib_network_spec *net = trib_model_network(r->model);
    size_t images = (size_t)r->batch, pixels = 3 * (size_t)net->height * (size_t)net->width * images;
    *b = (buffers) { .device = ordinary ? NULL : r->device, .depth = depth };
    b->results = trib_alloc_zeroed((size_t)depth, sizeof *b->results);
    if (!b->results) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d batches in flight", depth);
    for (int i = 0; i < INPUTS && i < depth; ++i) {
        TRIB_TRY(allocate(b, pixels, trib_dtype_size(r->pixels), &b->inputs[i]));
        fill(b->inputs[i], pixels, r->pixels, 88172645463325252u + (uint64_t)i);
    }
    for (int i = 0; i < depth; ++i) TRIB_TRY(allocate(b, (size_t)net->classes * images, sizeof(float), &b->results[i]));
    return trib_success();
}

static void close_buffers(buffers *b)
{
    for (int i = 0; i < INPUTS; ++i) give_back(b, b->inputs[i]);
    for (int i = 0; b->results && i < b->depth; ++i) give_back(b, b->results[i]);
    trib_free(b->results);
}

/* ---- batches ---- */

struct cli_runner {
    const cli_rates_request *request;
    cli_rates *rates;
    trib_session *session;
    buffers memory;
    bool resident; /* nothing is copied */
    bool filled;   /* all of the device's input memory has held images */
    int64_t *jobs; /* memory.depth of them */
    int64_t submitted, finished;
};
typedef struct cli_runner runner;

/* A series of batches: how many, and what becomes of their times. */
typedef struct series {
    int depth; /* batches in flight */
    double seconds;
    int iterations;  /* 0: by time */
    int round, what; /* of the samples; CLI_NOTHING: times are not kept */
} series;

static trib_status submit(runner *r)
{
    int slot = (int)(r->submitted % r->memory.depth), inputs = r->memory.depth < INPUTS ? r->memory.depth : INPUTS;
    trib_status status = r->resident ? trib_session_submit_resident(r->session, r->request->batch, &r->jobs[slot])
                                     : trib_session_submit(r->session, r->memory.inputs[slot % inputs],
                                                           r->request->batch, &r->memory.results[slot], &r->jobs[slot]);
    r->submitted += !trib_failed(&status);
    return status;
}

static trib_status finish(runner *r) { return trib_session_wait(r->session, r->jobs[r->finished++ % r->memory.depth]); }

static bool go_on(const runner *r, double begin, double seconds, int iterations)
{
    if (iterations) return r->submitted < iterations;
    return r->submitted == 0 || cli_now() - begin < seconds;
}

/* From the submission of the first batch to its last result; adds the time from result to result. */
static trib_status time_batches(runner *r, const series *s)
{
    double begin = cli_now(), last = begin;
    for (bool more = true; more || r->finished < r->submitted;) {
        if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        more = more && go_on(r, begin, s->seconds, s->iterations);
        if (more) TRIB_TRY(submit(r));
        if (r->finished == r->submitted || (more && r->submitted - r->finished < s->depth)) continue;
        TRIB_TRY(finish(r));
        double now = cli_now();
        cli_sample sample = { s->round, s->what, last, now - last };
        if (s->what != CLI_NOTHING) TRIB_TRY(cli_samples_add(&r->rates->samples, sample));
        last = now;
    }
    return trib_success();
}

/* Waits for all of them. */
static trib_status run_batches(runner *r, const series *s)
{
    r->submitted = r->finished = 0;
    trib_status status = time_batches(r, s);
    while (r->finished < r->submitted) finish(r);
    return status;
}

static trib_status run_unkept(runner *r, int depth, int runs)
{
    series s = { .depth = depth, .iterations = runs, .what = CLI_NOTHING };
    return runs ? run_batches(r, &s) : trib_success();
}

/* ---- rates ---- */

/* With several in flight on a CPU, each lane has a second batch queued and never waits for this thread. */
static int depth_of(const cli_rates_request *r)
{
    bool host = trib_device_get_info(r->device)->host;
    return host && r->in_flight > 1 ? 2 * r->in_flight : r->in_flight;
}

static bool latency_apart(const cli_rates_request *r)
{
    return r->in_flight > 1 && !trib_device_get_info(r->device)->host && r->wanted[CLI_RATE_COPIES];
}

static double share(const cli_rates_request *r, const cli_turn *turn)
{
    int parts = latency_apart(r);
    for (int i = 0; i < CLI_RATE_COUNT; ++i) parts += r->wanted[i];
    return turn->seconds / parts;
}

static trib_status measure(runner *r, const cli_turn *turn, int depth, int what)
{
    series s = { depth, share(r->request, turn), turn->iterations, turn->round, what };
    TRIB_TRY(run_unkept(r, depth, turn->warmup));
    return run_batches(r, &s);
}

/* The first run, and enough further ones to fill all of the device's input memory with images. */
static trib_status first_runs(runner *r)
{
    double start = cli_now();
    TRIB_TRY(run_unkept(r, 1, 1));
    if (r->rates->samples.count == 0) r->rates->first_seconds += cli_now() - start;
    TRIB_TRY(run_unkept(r, r->memory.depth, r->memory.depth));
    r->filled = true;
    return trib_success();
}

static trib_status measure_copied_as_it_lies(runner *r, const cli_turn *turn)
{
    const cli_rates_request *q = r->request;
    if (!r->filled) TRIB_TRY(first_runs(r));
    r->resident = !trib_device_get_info(q->device)->host;
    trib_status status =
        q->wanted[CLI_RATE_DEVICE] ? measure(r, turn, r->memory.depth, CLI_RATE_DEVICE) : trib_success();
    r->resident = false;
    if (!trib_failed(&status) && q->wanted[CLI_RATE_COPIES])
        status = measure(r, turn, r->memory.depth, CLI_RATE_COPIES);
    if (!trib_failed(&status) && latency_apart(q)) status = measure(r, turn, 1, CLI_ONE_AT_A_TIME);
    return status;
}

static trib_status measure_in(runner *r, bool ordinary, const cli_turn *turn)
{
    TRIB_TRY(open_buffers(r->request, ordinary, depth_of(r->request), &r->memory));
    return ordinary ? measure(r, turn, r->memory.depth, CLI_RATE_END_TO_END) : measure_copied_as_it_lies(r, turn);
}

trib_status cli_runner_turn(runner *r, const cli_turn *turn)
{
    trib_status status = trib_success();
    for (int ordinary = 0; ordinary < 2 && !trib_failed(&status); ++ordinary) {
        if (ordinary && !r->request->wanted[CLI_RATE_END_TO_END]) continue;
        status = measure_in(r, ordinary, turn);
        close_buffers(&r->memory);
    }
    int64_t peak = cli_peak_rss();
    if (peak > r->rates->peak_rss) r->rates->peak_rss = peak;
    return status;
}

/* ---- op by op ---- */

static trib_status take_layers(runner *r, int most, double seconds)
{
    TRIB_TRY(open_buffers(r->request, false, 1, &r->memory));
    TRIB_TRY(run_unkept(r, 1, 1));
    cli_layers_pass(r->request->layers);
    const double begin = cli_now();
    for (int i = 0; i < most && (i < 3 || cli_now() - begin < seconds); ++i) {
        TRIB_TRY(run_unkept(r, 1, 1));
        TRIB_TRY(cli_layers_take(r->request->layers, trib_session_plan(r->session)));
    }
    return trib_success();
}

trib_status cli_runner_layers(runner *r, int most, double seconds)
{
    trib_status status = take_layers(r, most, seconds);
    close_buffers(&r->memory);
    return status;
}

/* ---- copies alone ---- */

static trib_status time_copies(trib_stream *stream, void *target, const void *source, size_t bytes, double *rate)
{
    size_t fit = COPIED_AT_ONCE / bytes, count = fit < 1 ? 1 : fit > MOST_COPIES ? MOST_COPIES : fit;
    double best = 0;
    for (int round = 0; round < COPY_ROUNDS; ++round) {
        double start = cli_now();
        for (size_t i = 0; i < count; ++i) TRIB_TRY(trib_copy_to_device(stream, target, source, bytes));
        TRIB_TRY(trib_stream_synchronize(stream));
        double now = (double)(bytes * count) / (cli_now() - start);
        if (round && now > best) best = now; /* the first is a warm-up */
    }
    *rate = best;
    return trib_success();
}

static trib_status measure_copies(const cli_rates_request *q, cli_rates *rates)
{
    trib_stream *stream = NULL;
    void *target = NULL, *source = NULL;
    size_t bytes = (size_t)(rates->bytes_in * q->batch);
    if (trib_device_get_info(q->device)->host) return trib_success();
    TRIB_TRY(trib_stream_create(q->device, &(trib_stream_options) { .name = "copies" }, &stream));
    trib_status status = trib_device_alloc(q->device, stream, bytes, &target);
    if (!trib_failed(&status)) status = trib_host_alloc(q->device, bytes, &source);
    if (!trib_failed(&status)) status = time_copies(stream, target, source, bytes, &rates->copy_alone);
    trib_status done = trib_stream_synchronize(stream);
    trib_device_free(q->device, stream, target);
    trib_host_free(q->device, source);
    trib_stream_destroy(stream);
    return trib_failed(&status) ? status : done;
}

/* ---- a session ---- */

static trib_status create_session(const cli_rates_request *q, trib_session **out)
{
    static const char *const outputs[] = { "logits" };
    const trib_device_info *info = trib_device_get_info(q->device);
    cli_settings settings = *q->settings;
    trib_session_options options;
    trib_normalise normalise;
    if (info->host && q->in_flight > 1) {
        settings.lanes = q->in_flight;
        settings.chunk = q->batch;
    }
    TRIB_TRY(cli_session_options(&settings, q->device, q->batch, &options));
    if (q->pixels == TRIB_U8) cli_take_raw_pixels(&options.plan, q->preprocess, &normalise);
    options.in_flight = depth_of(q);
    options.timeline = q->layers ? q->layers->timeline : NULL;
    options.plan.outputs = outputs;
    options.plan.output_count = 1;
    return cli_create_session(&settings, q->device, q->model, &options, out);
}

static trib_status open_session(runner *r)
{
    const cli_rates_request *q = r->request;
    cli_rates *rates = r->rates;
    r->jobs = trib_alloc_zeroed((size_t)depth_of(q), sizeof *r->jobs);
    if (!r->jobs) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d batches in flight", depth_of(q));
    double start = cli_now();
    int64_t before = trib_device_memory(q->device).current_bytes;
    TRIB_TRY(create_session(q, &r->session));
    if (q->last) trib_model_release_parameters(q->model);
    if (rates->samples.count == 0) rates->first_seconds = cli_now() - start;
    rates->session_bytes = trib_device_memory(q->device).current_bytes - before;
    rates->lanes = trib_session_lanes(r->session);
    rates->threads = trib_session_plan(r->session)->threads;
    return trib_success();
}

static void describe(const cli_rates_request *q, cli_rates *rates)
{
    const trib_network_spec *net = trib_model_network(q->model);
    const bool copies = q->wanted[CLI_RATE_COPIES];
    rates->bytes_in = 3.0 * net->height * net->width * (double)trib_dtype_size(q->pixels);
    rates->bytes_out = net->classes * (double)sizeof(float);
    rates->latency = latency_apart(q) ? CLI_ONE_AT_A_TIME : q->in_flight == 1 && copies ? CLI_RATE_COPIES : CLI_NOTHING;
}

trib_status cli_runner_open(const cli_rates_request *request, cli_rates *rates, runner **out)
{
    runner *r = trib_alloc_zeroed(1, sizeof *r);
    if (!r) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to measure a batch of %d", request->batch);
    r->request = request;
    r->rates = rates;
    describe(request, rates);
    trib_status status = rates->copy_alone > 0 ? trib_success() : measure_copies(request, rates);
    cli_reset_peak_rss();
    if (!trib_failed(&status)) status = open_session(r);
    if (trib_failed(&status)) {
        cli_runner_close(r);
        return status;
    }
    *out = r;
    return status;
}

void cli_runner_close(runner *r)
{
    if (!r) return;
    trib_session_destroy(r->session);
    trib_free(r->jobs);
    trib_free(r);
}

static trib_status finish_rate(cli_rates *rates, cli_rate rate, int batch, int rounds)
{
    double *values = trib_realloc_array(NULL, (size_t)rounds, sizeof *values);
    int count = 0;
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the rates of %d rounds", rounds);
    for (int round = 0; round < rounds; ++round) {
        double rate_now = batch * cli_samples_per_second(&rates->samples, (int)rate, round);
        if (rate_now > 0) values[count++] = rate_now;
    }
    rates->images_per_second[rate] = cli_spread_of(values, count).median;
    trib_free(values);
    return trib_success();
}

trib_status cli_rates_finish(cli_rates *rates, int batch, int rounds)
{
    for (int rate = 0; rate < CLI_RATE_COUNT; ++rate) TRIB_TRY(finish_rate(rates, (cli_rate)rate, batch, rounds));
    return trib_success();
}

void cli_rates_release(cli_rates *rates) { cli_samples_release(&rates->samples); }
