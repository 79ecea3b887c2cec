/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_limits.h"

#include <stdlib.h>

#include "tributary/internal/alloc.h"

/* ---- copies ---- */

enum { COPIED = 32 << 20, COPY_ROUNDS = 4, MOST_COPIERS = 16 };

typedef struct copier {
    trib_stream *stream;
    void *target, *source;
} copier;

static trib_status open_copier(trib_device *device, copier *c)
{
    TRIB_TRY(trib_stream_create(device, &(trib_stream_options) { .name = "copies", .threads = 1 }, &c->stream));
    TRIB_TRY(trib_device_alloc(device, c->stream, COPIED, &c->target));
    TRIB_TRY(trib_device_alloc(device, c->stream, COPIED, &c->source));
    return trib_fill_zero(c->stream, c->source, COPIED);
}

static void close_copier(trib_device *device, copier *c)
{
    if (!c->stream) return;
    trib_stream_synchronize(c->stream);
    trib_device_free(device, c->stream, c->target);
    trib_device_free(device, c->stream, c->source);
    trib_stream_destroy(c->stream);
}

static trib_status copy_once(copier *copiers, int count)
{
    for (int i = 0; i < count; ++i)
        TRIB_TRY(trib_copy_on_device(copiers[i].stream, copiers[i].target, copiers[i].source, COPIED));
    for (int i = 0; i < count; ++i) TRIB_TRY(trib_stream_synchronize(copiers[i].stream));
    return trib_success();
}

static trib_status time_copies(copier *copiers, int count, double *best)
{
    for (int round = 0; round < COPY_ROUNDS; ++round) {
        if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        double start = cli_now();
        TRIB_TRY(copy_once(copiers, count));
        double rate = 2.0 * COPIED * count / (cli_now() - start);
        if (round && rate > *best) *best = rate; /* the first touches the memory */
    }
    return trib_success();
}

/* Each core has its own stream and its own memory. */
static trib_status measure_copies(trib_device *device, cli_limits *out)
{
    const trib_device_info *info = trib_device_get_info(device);
    int count = info->host ? (info->cores < MOST_COPIERS ? info->cores : MOST_COPIERS) : 1;
    copier copiers[MOST_COPIERS] = { { 0 } };
    trib_status status = trib_success();
    for (int i = 0; i < count && !trib_failed(&status); ++i) status = open_copier(device, &copiers[i]);
    if (!trib_failed(&status)) status = copy_once(copiers, count);
    if (!trib_failed(&status)) status = time_copies(copiers, count, &out->copy_rate);
    for (int i = 0; i < count; ++i) close_copier(device, &copiers[i]);
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
static const double PRODUCT_SECONDS = 0.15;

/* 1x1 convolutions are products of matrices, of 512 x 512 with 512 x 196 per image. */
static trib_status products_graph(trib_graph **out)
{
    trib_graph_builder *b = trib_graph_begin("products");
    int x = trib_add_input(b, "input", CHANNELS, SIDE, SIDE);
    static const char *const names[PRODUCTS] = { "product1", "product2", "product3", "product4" };
    for (int i = 0; i < PRODUCTS; ++i)
        x = trib_add_conv2d(b, names[i], x, &(trib_conv2d) { .k = CHANNELS, .r = 1, .s = 1 });
    trib_graph_mark_output(b, "output", x);
    return trib_graph_finish(b, out);
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
static trib_status time_products(rig *r, double *best)
{
    double flops = 2.0 * PRODUCTS * CHANNELS * CHANNELS * SIDE * SIDE * r->batch, begin = cli_now(), first = 0;
    TRIB_TRY(time_product(r, flops, &first));
    bool long_enough = cli_now() - begin > PRODUCT_SECONDS;
    if (long_enough && first > *best) *best = first;
    for (int run = 0; !long_enough && (run < FEWEST_RUNS || cli_now() - begin < PRODUCT_SECONDS); ++run)
        TRIB_TRY(time_product(r, flops, best));
    return trib_success();
}

static trib_status measure_products(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    const trib_device_info *info = trib_device_get_info(device);
    trib_session_options options;
    rig r = { 0 };
    int batch = info->host ? IMAGES_PER_CORE * (info->cores > 0 ? info->cores : 1) : 64;
    trib_status status = rig_options(settings, device, batch, TRIB_SERIAL, &options);
    if (!trib_failed(&status)) status = products_graph(&r.graph);
    if (!trib_failed(&status)) status = open_rig(&r, device, &options);
    if (!trib_failed(&status)) status = time_products(&r, &out->math_rate);
    close_rig(&r);
    trib_add_context(&status, "measuring the rate of products");
    return status;
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
    *out = (cli_limits) { .copy_rate = info->copy_rate,
                          .math_rate = info->math_rate[settings->precision],
                          .source = info->rates_source };
    out->of_table = out->copy_rate > 0 && out->math_rate > 0;
    TRIB_TRY(cli_limits_again(settings, device, out));
    return measure_latency(settings, device, out);
}

trib_status cli_limits_again(const cli_settings *settings, trib_device *device, cli_limits *out)
{
    if (out->of_table) return trib_success();
    out->source = "measured before and after the runs, with copies of 32 MiB and 1x1 convolutions of 512 channels";
    TRIB_TRY(unless_short_of_memory(measure_copies(device, out)));
    return unless_short_of_memory(measure_products(settings, device, out));
}
