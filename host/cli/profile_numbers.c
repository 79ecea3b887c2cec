/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_numbers.h"

#include "tributary/internal/alloc.h"

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results of a profile"); }

/* ---- which iterations have all their times ---- */

/* The iterations that count, and how many calls came before them. */
typedef struct kept {
    int warmup, count;
    int *iterations;
} kept;

static int find_run(const trib_timeline *timeline, int64_t chunk)
{
    for (int i = 0; i < trib_timeline_count(timeline); ++i)
        if (trib_timeline_at(timeline, i).chunk == chunk) return i;
    return -1;
}

static int64_t chunk_of(const cli_profile_results *r, const kept *k, int iteration, int chunk)
{
    return (int64_t)(k->warmup + iteration) * r->chunks + chunk;
}

/* In every schedule: iterations are compared in pairs. */
static bool is_complete(const cli_profile_results *r, const kept *k, int iteration)
{
    for (int s = 0; s < r->schedule_count; ++s)
        for (int c = 0; c < r->chunks; ++c)
            if (find_run(r->schedules[s].cell.timeline, chunk_of(r, k, iteration, c)) < 0) return false;
    return true;
}

static void note_losses(cli_profile_results *r)
{
    for (int s = 0; s < r->schedule_count && !trib_failed(&r->loss); ++s)
        r->loss = trib_timeline_loss(r->schedules[s].cell.timeline);
}

static trib_status keep_complete(cli_profile_results *r, int iterations, kept *k)
{
    k->iterations = trib_alloc_zeroed((size_t)iterations, sizeof *k->iterations);
    if (!k->iterations) return no_memory();
    for (int i = 0; i < iterations; ++i)
        if (is_complete(r, k, i)) k->iterations[k->count++] = i;
    r->dropped = iterations - k->count;
    note_losses(r);
    if (k->count) return trib_success();
    return trib_failed(&r->loss) ? r->loss
                                 : TRIB_ERROR(TRIB_DEVICE_ERROR, "the device told the times of no run completely");
}

/* ---- one schedule ---- */

static trib_status find_alone(const cli_profile_results *r, cli_profiled *s)
{
    const trib_timeline *timeline = s->has_sequence ? s->sequence.timeline : r->schedules[0].cell.timeline;
    int count = trib_timeline_count(timeline);
    const trib_op_time **runs = trib_alloc_zeroed((size_t)count + 1, sizeof *runs);
    s->alone = trib_alloc_zeroed((size_t)s->graph.op_count, sizeof *s->alone);
    trib_status status = runs && s->alone ? trib_success() : no_memory();
    for (int i = 0; !trib_failed(&status) && i < count; ++i) runs[i] = trib_timeline_at(timeline, i).ops;
    if (!trib_failed(&status)) status = trib_profile_alone(&s->graph, runs, count, s->alone);
    trib_free(runs);
    return status;
}

/* `serial`: of the same chunk of the same iteration; NULL while there is none. */
static trib_status analyse(const cli_profile_results *r, const cli_profiled *s, int64_t chunk,
                           const trib_profile *serial, trib_profile *out)
{
    const trib_profile_limits limits = { r->limits.copy_rate / r->sharing, r->limits.math_rate / r->sharing,
                                         r->limits.start_latency_ns };
    const trib_timeline_run run = trib_timeline_at(s->cell.timeline, find_run(s->cell.timeline, chunk));
    trib_profile_run input = { run.ops, run.clock_step, run.lane, run.chunk, s->alone, NULL };
    int64_t *walls = serial ? trib_alloc_zeroed((size_t)serial->window_count + 1, sizeof *walls) : NULL;
    if (serial && !walls) return no_memory();
    for (int w = 0; serial && w < serial->window_count; ++w) walls[w] = serial->windows[w].wall;
    input.serial = walls;
    trib_status status = trib_profile_analyse(&s->graph, &input, &limits, out, NULL);
    trib_add_context(&status, "schedule %s", s->name);
    trib_free(walls);
    return status;
}

/* Serial's own walls are known after a first analysis. */
static trib_status analyse_serial(const cli_profile_results *r, cli_profiled *s, int64_t chunk, trib_profile *out)
{
    trib_profile first = { 0 };
    trib_status status = analyse(r, s, chunk, NULL, &first);
    if (!trib_failed(&status)) status = analyse(r, s, chunk, &first, out);
    trib_profile_release(&first);
    return status;
}

static trib_status analyse_all(const cli_profile_results *r, const kept *k, cli_profiled *s)
{
    s->runs = trib_alloc_zeroed((size_t)(r->iterations * r->chunks), sizeof *s->runs);
    if (!s->runs) return no_memory();
    for (int i = 0; i < r->iterations; ++i)
        for (int c = 0; c < r->chunks; ++c) {
            int at = i * r->chunks + c;
            int64_t chunk = chunk_of(r, k, k->iterations[i], c);
            if (s == r->schedules)
                TRIB_TRY(analyse_serial(r, s, chunk, &s->runs[at]));
            else
                TRIB_TRY(analyse(r, s, chunk, &r->schedules[0].runs[at], &s->runs[at]));
        }
    return trib_success();
}

/* ---- medians ---- */

static trib_status find_medians(const cli_profile_results *r, cli_profiled *s)
{
    int count = r->iterations * r->chunks;
    const trib_profile **runs = trib_alloc_zeroed((size_t)count, sizeof *runs);
    if (!runs) return no_memory();
    for (int i = 0; i < count; ++i) runs[i] = &s->runs[i];
    trib_status status = trib_profile_medians_of(runs, count, &s->medians);
    trib_free(runs);
    return status;
}

static trib_status join_batch(const cli_profile_results *r, const cli_profiled *s, int iteration,
                              const trib_profile **runs, const trib_profile_graph **graphs)
{
    for (int c = 0; c < r->chunks; ++c) {
        runs[c] = &s->runs[iteration * r->chunks + c];
        graphs[c] = &s->graph;
    }
    return trib_profile_device_of(runs, graphs, r->chunks, 0, 0, &s->batches[iteration]);
}

static trib_status join_batches(const cli_profile_results *r, cli_profiled *s)
{
    const trib_profile **runs = trib_alloc_zeroed((size_t)r->chunks, sizeof *runs);
    const trib_profile_graph **graphs = trib_alloc_zeroed((size_t)r->chunks, sizeof *graphs);
    s->batches = trib_alloc_zeroed((size_t)r->iterations, sizeof *s->batches);
    trib_status status = runs && graphs && s->batches ? trib_success() : no_memory();
    for (int i = 0; !trib_failed(&status) && i < r->iterations; ++i) status = join_batch(r, s, i, runs, graphs);
    trib_free(graphs);
    trib_free(runs);
    return status;
}

/* ---- in pairs ---- */

static double wall_of(const cli_profiled *s, int iteration)
{
    return (double)(s->batches[iteration].to - s->batches[iteration].from);
}

static void compare_windows(const cli_profile_results *r, cli_profiled *s, double *values)
{
    int runs = r->iterations * r->chunks;
    for (int w = 0; w < s->medians.window_count; ++w) {
        for (int i = 0; i < runs; ++i) values[i] = trib_profile_gain_of(&s->runs[i].windows[w]).gain;
        s->window_gains[w] = cli_interval_of(values, runs);
    }
}

static trib_status compare(const cli_profile_results *r, cli_profiled *s)
{
    double *values = trib_alloc_zeroed((size_t)(r->iterations * r->chunks), sizeof *values);
    s->window_gains = trib_alloc_zeroed((size_t)s->medians.window_count, sizeof *s->window_gains);
    if (!values || !s->window_gains) {
        trib_free(values);
        return no_memory();
    }
    for (int i = 0; i < r->iterations; ++i) values[i] = wall_of(s, i);
    s->wall = cli_interval_of(values, r->iterations);
    for (int i = 0; i < r->iterations; ++i) values[i] = wall_of(r->schedules, i) / wall_of(s, i);
    s->gain = cli_interval_of(values, r->iterations);
    compare_windows(r, s, values);
    trib_free(values);
    return trib_success();
}

/* Lost times are no reason to leave out an iteration here: the host's clock took these. */
static trib_status find_overhead(cli_profile_results *r, int iterations)
{
    double *values = trib_alloc_zeroed((size_t)iterations, sizeof *values);
    if (!values) return no_memory();
    for (int i = 0; i < iterations; ++i) values[i] = r->schedules[r->paired].seconds[i] / r->untimed_seconds[i];
    r->overhead = cli_interval_of(values, iterations);
    for (int i = 0; r->row_seconds && i < iterations; ++i) values[i] = 1e9 * r->row_seconds[i];
    if (r->row_seconds) r->row_wall = cli_interval_of(values, iterations);
    trib_free(values);
    return trib_success();
}

/* ---- all ---- */

/* Cores that an op can hope for: lanes share the device. */
static int cores_of(const trib_device *device, const cli_profile_results *r)
{
    const trib_device_info *info = trib_device_get_info(device);
    if (!info->host) return 0;
    return info->cores > r->lanes ? info->cores / r->lanes : 1;
}

static trib_status all_numbers(const trib_device *device, int iterations, cli_profile_results *r, kept *k)
{
    TRIB_TRY(keep_complete(r, iterations, k));
    r->iterations = k->count;
    r->sharing = trib_device_get_info(device)->host ? r->lanes : 1;
    for (int i = 0; i < r->schedule_count; ++i) {
        cli_profiled *s = &r->schedules[i];
        TRIB_TRY(trib_profile_graph_of_plan(cli_cell_plan(&s->cell), cores_of(device, r), &s->graph));
        TRIB_TRY(find_alone(r, s));
        TRIB_TRY(analyse_all(r, k, s));
        TRIB_TRY(find_medians(r, s));
        TRIB_TRY(join_batches(r, s));
        TRIB_TRY(compare(r, s));
    }
    return find_overhead(r, iterations);
}

trib_status cli_profile_numbers(const trib_device *device, int warmup, int iterations, cli_profile_results *r)
{
    kept k = { .warmup = warmup };
    trib_status status = all_numbers(device, iterations, r, &k);
    trib_free(k.iterations);
    return status;
}
