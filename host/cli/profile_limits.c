/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_limits.h"

#include <stdio.h>
#include <stdlib.h>

#include "profile_cell.h"
#include "tributary/internal/alloc.h"

/* ---- copies ---- */

enum { LEAST_COPIED = 32 << 20, MOST_COPIED = 512 << 20, COPY_ROUNDS = 4, COPIES_IN_A_ROW = 8, MOST_COPIERS = 16 };

typedef struct copier {
    trib_stream *stream;
    void *target, *source;
} copier;

/* On a cpu, each core has its own stream and its own memory. A device of its own has one stream, whose copies follow
 * each other; they are larger than its cache by far. */
typedef struct copying {
    trib_device *device;
    size_t bytes; /* of a copy */
    int count, in_a_row;
    copier copiers[MOST_COPIERS];
} copying;

static trib_status open_copier(const copying *g, copier *c)
{
    TRIB_TRY(trib_stream_create(g->device, &(trib_stream_options) { .name = "copies", .threads = 1 }, &c->stream));
    TRIB_TRY(trib_device_alloc(g->device, c->stream, g->bytes, &c->target));
    TRIB_TRY(trib_device_alloc(g->device, c->stream, g->bytes, &c->source));
    return trib_fill_zero(c->stream, c->source, g->bytes);
}

static void close_copier(const copying *g, copier *c)
{
    if (!c->stream) return;
    trib_stream_synchronize(c->stream);
    trib_device_free(g->device, c->stream, c->target);
    trib_device_free(g->device, c->stream, c->source);
    trib_stream_destroy(c->stream);
    *c = (copier) { 0 };
}

static trib_status copy_in_a_row(const copying *g)
{
    for (int i = 0; i < g->count * g->in_a_row; ++i) {
        const copier *c = &g->copiers[i % g->count];
        TRIB_TRY(trib_copy_on_device(c->stream, c->target, c->source, g->bytes));
    }
    for (int i = 0; i < g->count; ++i) TRIB_TRY(trib_stream_synchronize(g->copiers[i].stream));
    return trib_success();
}

static trib_status time_copies(const copying *g, double *best)
{
    for (int round = 0; round < COPY_ROUNDS; ++round) {
        if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        double start = cli_now();
        TRIB_TRY(copy_in_a_row(g));
        double rate = 2.0 * (double)g->bytes * g->count * g->in_a_row / (cli_now() - start);
        if (round && rate > *best) *best = rate; /* the first touches the memory */
    }
    return trib_success();
}

static trib_status copy_and_time(copying *g, double *best)
{
    trib_status status = trib_success();
    for (int i = 0; i < g->count && !trib_failed(&status); ++i) status = open_copier(g, &g->copiers[i]);
    if (!trib_failed(&status)) status = copy_in_a_row(g);
    if (!trib_failed(&status)) status = time_copies(g, best);
    for (int i = 0; i < g->count; ++i) close_copier(g, &g->copiers[i]);
    return status;
}

static copying copying_on(trib_device *device)
{
    const trib_device_info *info = trib_device_get_info(device);
    copying g = { .device = device, .bytes = LEAST_COPIED, .count = 1, .in_a_row = 1 };
    if (info->host) {
        g.count = info->cores < MOST_COPIERS ? info->cores : MOST_COPIERS;
        return g;
    }
    g.in_a_row = COPIES_IN_A_ROW;
    while (g.bytes < MOST_COPIED && (int64_t)g.bytes * 32 < info->memory_bytes) g.bytes *= 2;
    return g;
}

/* Of half the size where there is no memory. */
static trib_status measure_copies(trib_device *device, cli_limits *out)
{
    copying g = copying_on(device);
    trib_status status = copy_and_time(&g, &out->copy_rate);
    while (status.code == TRIB_OUT_OF_MEMORY && g.bytes > LEAST_COPIED) {
        g.bytes /= 2;
        status = copy_and_time(&g, &out->copy_rate);
    }
    out->copied = g.bytes;
    trib_add_context(&status, "measuring the rate of copies");
    return status;
}

/* ---- a network of a few layers ---- */

typedef struct rig {
    trib_graph *graph;
    trib_tensor *parameters;
    float *values, *input, *output; /* of the largest parameter; of a batch */
    trib_session *session;
    int batch;
} rig;

static int64_t elements_of(const trib_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; ++i) count *= shape->dim[i];
    return count;
}

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a network to measure"); }

static float *some_values(int64_t count)
{
    float *values = trib_realloc_array(NULL, (size_t)count, sizeof *values);
    for (int64_t i = 0; values && i < count; ++i) values[i] = (float)(i % 17 - 8) * 0.01f;
    return values;
}

/* All parameters are beginnings of the same values. */
static trib_status fill_parameters(rig *r)
{
    int count = trib_graph_parameter_count(r->graph);
    int64_t most = 1;
    for (int i = 0; i < count; ++i) {
        int64_t elements = elements_of(&trib_graph_parameter(r->graph, i)->shape);
        if (elements > most) most = elements;
    }
    r->values = some_values(most);
    r->parameters = trib_alloc_zeroed((size_t)count + 1, sizeof *r->parameters);
    if (!r->values || !r->parameters) return no_memory();
    for (int i = 0; i < count; ++i) {
        const trib_parameter *p = trib_graph_parameter(r->graph, i);
        r->parameters[i] = (trib_tensor) { p->name, TRIB_F32, p->shape, r->values };
    }
    return trib_success();
}

static trib_status open_rig(rig *r, trib_device *device, trib_session_options *options)
{
    TRIB_TRY(fill_parameters(r));
    TRIB_TRY(trib_session_create(device, r->graph, r->parameters, options, &r->session));
    const trib_plan *plan = trib_session_plan(r->session);
    r->batch = options->max_batch;
    r->input = some_values(elements_of(&plan->inputs[0].shape) / plan->batch * r->batch);
    r->output = some_values(elements_of(&plan->outputs[0].shape) / plan->batch * r->batch);
    return r->input && r->output ? trib_success() : no_memory();
}

static void close_rig(rig *r)
{
    trib_session_destroy(r->session);
    trib_free(r->output);
    trib_free(r->input);
    trib_free(r->parameters);
    trib_free(r->values);
    trib_graph_destroy(r->graph);
}

static trib_status run_rig(rig *r)
{
    if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
    return trib_session_run(r->session, r->input, r->batch, (void *[]) { r->output });
}

/* As the network is run, but for what concerns its modules. */
static trib_status rig_options(const cli_settings *settings, trib_device *device, int batch, trib_schedule schedule,
                               trib_session_options *out)
{
    cli_settings own = *settings;
    own.schedule = (cli_schedules) { .all = (int)schedule };
    own.disabled_passes = (cli_texts) { 0 };
    return cli_session_options(&own, device, batch, out);
}

/* ---- products ---- */

enum { CHANNELS = 512, SIDE = 14, PRODUCTS = 4, IMAGES_PER_CORE = 2, FEWEST_RUNS = 2 };
enum { DEVICE_IMAGES = 32, RUNS_IN_A_ROW = 8, RUNS_IN_FLIGHT = 2 };
static const double PRODUCT_SECONDS = 0.15;

/* 1x1 convolutions, one after another, are products of matrices: of channels x channels with channels x 196 per image.
 */
typedef struct products {
    int channels, images, count;
} products;

static trib_status products_graph(const products *p, trib_graph **out)
{
    trib_graph_builder *b = trib_graph_begin("products");
    int x = trib_add_input(b, "input", p->channels, SIDE, SIDE);
    for (int i = 0; i < p->count; ++i) {
        char name[32];
        snprintf(name, sizeof name, "product%d", i + 1);
        x = trib_add_conv2d(b, name, x, &(trib_conv2d) { .k = p->channels, .r = 1, .s = 1 });
    }
    trib_graph_mark_output(b, "output", x);
    return trib_graph_finish(b, out);
}

static double flops_of(const products *p)
{
    return 2.0 * p->count * p->channels * p->channels * SIDE * SIDE * p->images;
}

static trib_status time_product(rig *r, double flops, double *best)
{
    double start = cli_now();
    TRIB_TRY(run_rig(r));
    double rate = flops / (cli_now() - start);
    if (rate > *best) *best = rate;
    return trib_success();
}

/* The first run, which warms up, will do where even that takes long: with plain C. */
static trib_status time_products(rig *r, double flops, double *best)
{
    double begin = cli_now(), first = 0;
    TRIB_TRY(time_product(r, flops, &first));
    bool long_enough = cli_now() - begin > PRODUCT_SECONDS;
    if (long_enough && first > *best) *best = first;
    for (int run = 0; !long_enough && (run < FEWEST_RUNS || cli_now() - begin < PRODUCT_SECONDS); ++run)
        TRIB_TRY(time_product(r, flops, best));
    return trib_success();
}

/* Without copies, after runs that warm up and fill the device's memory for input. */
static trib_status time_resident(rig *r, double flops, double *best)
{
    double seconds;
    int runs = 1;
    for (int i = 0; i < RUNS_IN_FLIGHT; ++i) TRIB_TRY(run_rig(r));
    double begin = cli_now();
    do {
        TRIB_TRY(cli_run_in_a_row(r->session, r->batch, runs, &seconds));
        double rate = flops * runs / seconds;
        if (rate > *best) *best = rate;
        if (seconds < PRODUCT_SECONDS / RUNS_IN_A_ROW) runs = RUNS_IN_A_ROW;
    } while (cli_now() - begin < PRODUCT_SECONDS);
    return trib_success();
}

static trib_status measure_products_of(const cli_settings *settings, trib_device *device, const products *p,
                                       double *best)
{
    bool host = trib_device_get_info(device)->host;
    trib_session_options options;
    rig r = { 0 };
    trib_status status = rig_options(settings, device, p->images, TRIB_SERIAL, &options);
    if (!host) options.in_flight = RUNS_IN_FLIGHT;
    if (!trib_failed(&status)) status = products_graph(p, &r.graph);
    if (!trib_failed(&status)) status = open_rig(&r, device, &options);
    if (!trib_failed(&status))
        status = host ? time_products(&r, flops_of(p), best) : time_resident(&r, flops_of(p), best);
    close_rig(&r);
    trib_add_context(&status, "measuring the rate of products");
    return status;
}

/* Only large products fill a large card; a slow one would take long for them. The largest are many: input and output
 * are converted, too, which takes as long as a third of a product. */
static trib_status measure_products_on_device(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    static const products sizes[] = { { 128, DEVICE_IMAGES, PRODUCTS },
                                      { 1024, DEVICE_IMAGES, PRODUCTS },
                                      { 4096, DEVICE_IMAGES, 3 * PRODUCTS } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        double best = 0;
        if (i && flops_of(&sizes[i]) > PRODUCT_SECONDS * out->math_rate) break;
        TRIB_TRY(measure_products_of(settings, device, &sizes[i], &best));
        if (best <= out->math_rate) continue;
        out->math_rate = best;
        out->channels = sizes[i].channels;
    }
    return trib_success();
}

static trib_status measure_products(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    const trib_device_info *info = trib_device_get_info(device);
    if (!info->host) return measure_products_on_device(settings, device, out);
    const products p = { CHANNELS, IMAGES_PER_CORE * (info->cores > 0 ? info->cores : 1), PRODUCTS };
    out->channels = CHANNELS;
    return measure_products_of(settings, device, &p, &out->math_rate);
}

/* ---- how long an op that is ready waits for its stream ---- */

enum { GROUPS = 5, GROUP_RUNS = 40, LATENCY_WARMUP = 10 };

/* Two branches of next to nothing. */
static trib_status small_graph(trib_graph **out)
{
    trib_graph_builder *b = trib_graph_begin("small");
    int x = trib_add_input(b, "input", 16, 4, 4);
    x = trib_add_max_pool2d(b, "pool", x, &(trib_pool2d) { .r = 1, .s = 1 });
    trib_fork f = trib_fork_open(b, "branches", x);
    trib_fork_branch(&f);
    int left = trib_add_max_pool2d(b, "left", x, &(trib_pool2d) { .r = 1, .s = 1 });
    trib_fork_branch(&f);
    int right = trib_add_max_pool2d(b, "right", x, &(trib_pool2d) { .r = 1, .s = 1 });
    trib_graph_mark_output(b, "output", trib_fork_join_concat(&f, "join", (const int[]) { left, right }, 2));
    return trib_graph_finish(b, out);
}

/* When the last op ended that an event of op `i` stands for; 0: none was timed. */
static int64_t ready_at(const trib_plan *plan, const trib_op_time *times, int i)
{
    int64_t ready = times[i].issued;
    for (int w = 0; w < plan->ops[i].wait_count; ++w)
        for (int k = 0; k < i; ++k) {
            bool before = plan->ops[k].record == plan->ops[i].waits[w];
            if (before && times[k].end > ready) ready = times[k].end;
        }
    return ready;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of ops on other streams than the first: they begin when another stream lets them. */
static int collect_latencies(const trib_plan *plan, const trib_timeline *timeline, int64_t *out, int most)
{
    int count = 0;
    for (int k = 0; k < trib_timeline_count(timeline); ++k) {
        const trib_op_time *times = trib_timeline_at(timeline, k).ops;
        for (int i = 0; i < plan->op_count && count < most; ++i) {
            if (plan->ops[i].stream == 0 || times[i].end == 0) continue;
            int64_t latency = times[i].start - ready_at(plan, times, i);
            out[count++] = latency > 0 ? latency : 0;
        }
    }
    qsort(out, (size_t)count, sizeof *out, by_size);
    return count;
}

/* The quietest group counts: other programs make an op wait, too, but that is no latency. */
static trib_status time_group(rig *r, trib_timeline *timeline, cli_limits *out)
{
    int64_t latencies[GROUP_RUNS];
    trib_timeline_clear(timeline);
    for (int run = 0; run < GROUP_RUNS; ++run) TRIB_TRY(run_rig(r));
    int count = collect_latencies(trib_session_plan(r->session), timeline, latencies, GROUP_RUNS);
    if (!count) return trib_success();
    int64_t latency = latencies[(size_t)(0.95 * (count - 1) + 0.5)];
    if (!out->start_latency_samples || latency < out->start_latency_ns) out->start_latency_ns = latency;
    out->start_latency_samples += count;
    return trib_success();
}

static trib_status time_latency(rig *r, trib_timeline *timeline, cli_limits *out)
{
    for (int run = 0; run < LATENCY_WARMUP; ++run) TRIB_TRY(run_rig(r));
    for (int group = 0; group < GROUPS; ++group) TRIB_TRY(time_group(r, timeline, out));
    return trib_success();
}

static trib_status measure_latency(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    trib_session_options options;
    trib_timeline *timeline = NULL;
    rig r = { 0 };
    trib_status status = rig_options(settings, device, 1, TRIB_BRANCHES, &options);
    if (!trib_failed(&status)) status = trib_timeline_create(GROUP_RUNS, &timeline);
    options.timeline = timeline;
    if (!trib_failed(&status)) status = small_graph(&r.graph);
    if (!trib_failed(&status)) status = open_rig(&r, device, &options);
    if (!trib_failed(&status)) status = time_latency(&r, timeline, out);
    close_rig(&r);
    trib_timeline_destroy(timeline);
    trib_add_context(&status, "measuring how fast an op starts");
    return status;
}

/* ---- all ---- */

/* A rate that cannot be measured is unknown, which says less and spoils nothing. */
static trib_status unless_short_of_memory(trib_status status)
{
    return status.code == TRIB_OUT_OF_MEMORY ? trib_success() : status;
}

trib_status cli_limits_measure(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    const trib_device_info *info = trib_device_get_info(device);
    *out = (cli_limits) { .copy_rate = info->copy_rate, .math_rate = info->math_rate[settings->precision] };
    out->of_table = out->copy_rate > 0 && out->math_rate > 0;
    if (out->of_table) snprintf(out->source, sizeof out->source, "%s", info->rates_source);
    TRIB_TRY(cli_limits_again(settings, device, out));
    return measure_latency(settings, device, out);
}

trib_status cli_limits_again(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    if (out->of_table) return trib_success();
    TRIB_TRY(unless_short_of_memory(measure_copies(device, out)));
    TRIB_TRY(unless_short_of_memory(measure_products(settings, device, out)));
    snprintf(out->source, sizeof out->source,
             "measured %sbefore and after the runs, with copies of %zu MiB and 1x1 convolutions of %d channels",
             trib_device_get_info(device)->host ? "" : "on the device alone, ", out->copied >> 20, out->channels);
    return trib_success();
}
