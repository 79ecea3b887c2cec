/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/session.h"

#include <string.h>

#include "plan/one_stream.h"
#include "session/lane.h"
#include "session/ops.h"
#include "session/parameters.h"
#include "session/pictures.h"
#include "session/traced.h"
#include "trace/trace.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"

enum { MAX_LANES = 1024 };
/* A job is its first chunk times this, plus its number of chunks, which is always lower. */
static const int64_t job_chunks = (int64_t)1 << 24;

struct trib_session {
    trib_device *device;
    trib_plan *plan;
    int max_batch;
    trib_op_handle **ops; /* one per plan op */
    void *parameters;     /* packed, in device memory; shared by all lanes */
    trib_lane *lanes;
    int lane_count;
    trib_trace *trace;
    int64_t submitted; /* chunks */
    uint64_t process;  /* process that created it */
};

trib_session_options trib_session_default_options(void)
{
    trib_session_options o;
    memset(&o, 0, sizeof o);
    o.plan = trib_plan_default_options();
    return o;
}

/* ---- automatic choices ---- */

static int at_least_one(int value) { return value > 0 ? value : 1; }

/* Host cores work best on their own images: as many lanes as cores, a few images at a time, so that weights are read
 * from memory once for all of them (measured: 8 are 15 % faster than 1, more gain nothing). A GPU takes the whole
 * batch. */
static int chunk_size(const trib_device_info *info, int max_batch)
{
    enum { MOST = 8 };
    if (!info->host) return max_batch;
    int cores = at_least_one(info->cores);
    int rounds = (max_batch + MOST * cores - 1) / (MOST * cores); /* chunks per lane, the same for all lanes */
    return (max_batch + rounds * cores - 1) / (rounds * cores);
}

static trib_status resolve_options(trib_device *device, trib_session_options *o)
{
    const trib_device_info *info = trib_device_get_info(device);
    if (o->max_batch < 0 || o->lanes < 0 || o->plan.batch < 0 || o->plan.threads < 0 || o->in_flight < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "a session of batch %d, chunk %d, %d lanes, %d threads and %d batches in flight is not "
                          "possible: none of these may be negative",
                          o->max_batch, o->plan.batch, o->lanes, o->plan.threads, o->in_flight);
    if (o->lanes > MAX_LANES || o->in_flight > MAX_LANES)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d %s of a session are not possible, at most %d are",
                          o->in_flight > MAX_LANES ? o->in_flight : o->lanes,
                          o->in_flight > MAX_LANES ? "batches in flight" : "lanes", MAX_LANES);
    if (o->max_batch >= job_chunks)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a session for %d images at once; run them in parts", o->max_batch);
    o->max_batch = at_least_one(o->max_batch);
    o->in_flight = at_least_one(o->in_flight);
    if (!o->plan.batch) o->plan.batch = chunk_size(info, o->max_batch);
    if (o->plan.batch > o->max_batch) o->plan.batch = o->max_batch;
    int chunks = (o->max_batch + o->plan.batch - 1) / o->plan.batch;
    int cores = info->host ? at_least_one(info->cores) : (o->in_flight + TRIB_MAX_SLOTS - 1) / TRIB_MAX_SLOTS;
    if (!o->lanes) o->lanes = o->plan.threads ? at_least_one(cores / o->plan.threads) : cores;
    int64_t useful = (int64_t)chunks * o->in_flight;
    if (o->lanes > useful) o->lanes = (int)useful;
    if (!o->plan.threads && info->host) o->plan.threads = at_least_one(cores / o->lanes);
    return trib_success();
}

/* ---- building ---- */

/* On a stream that ends before the lanes begin: the OpenMP threads of its packing would outnumber the cores with
 * theirs, and then OpenMP's threads sleep instead of waiting for the next op (measured: batch 1 on 2 cores took 1.6
 * times as long). */
static trib_status load_parameters(trib_session *s, const trib_tensor *parameters)
{
    trib_stream *loading = NULL;
    TRIB_TRY(trib_stream_create(s->device, &(trib_stream_options) { .name = "parameters" }, &loading));
    trib_status status = trib_load_parameters(s->plan, s->ops, parameters, s->device, loading, &s->parameters);
    trib_stream_destroy(loading);
    return trib_outcome(&status);
}

/* On a GPU, a lane with several chunks in flight copies one while it computes another. */
static int slots_of(const trib_session *s, const trib_session_options *o)
{
    int64_t chunks = (o->max_batch + o->plan.batch - 1) / o->plan.batch;
    bool several = chunks * o->in_flight > o->lanes;
    return several && !trib_device_get_info(s->device)->host ? TRIB_MAX_SLOTS : 1;
}

static trib_status open_lanes(trib_session *s, const trib_session_options *o)
{
    s->lanes = trib_alloc_zeroed((size_t)o->lanes, sizeof *s->lanes);
    if (!s->lanes) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d lanes", o->lanes);
    for (int i = 0; i < o->lanes; ++i) {
        s->lanes[i] = (trib_lane) { .device = s->device,
                                    .plan = s->plan,
                                    .ops = s->ops,
                                    .parameters = s->parameters,
                                    .trace = s->trace,
                                    .index = i };
        s->lane_count = i + 1;
        TRIB_TRY(trib_lane_open(&s->lanes[i], o->launch, slots_of(s, o)));
    }
    return trib_success();
}

static trib_status build(trib_session *s, const trib_graph *graph, const trib_tensor *parameters,
                         const trib_session_options *o, trib_trace_sinks sinks)
{
    TRIB_TRY(trib_check_parameters(graph, parameters));
    TRIB_TRY(trib_plan_create(graph, s->device, &o->plan, &s->plan));
    if (o->one_stream) trib_plan_use_one_stream(s->plan);
    if (s->plan->input_count > 1)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "the network has %d inputs, '%s' and '%s' first; a session takes one",
                          s->plan->input_count, s->plan->inputs[0].name, s->plan->inputs[1].name);
    TRIB_TRY(trib_ops_create(s->device, s->plan, &s->ops));
    TRIB_TRY(load_parameters(s, parameters));
    const trib_trace_subject subject = { s->device, s->plan, o->lanes, TRIB_CHUNKS_IN_FLIGHT, o->timeline };
    TRIB_TRY(trib_trace_create(&subject, sinks, &s->trace));
    return open_lanes(s, o);
}

trib_status trib_session_create_traced(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                                       const trib_session_options *options, trib_trace_sinks sinks, trib_session **out)
{
    if (!device || !graph) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a session needs a device and a graph");
    trib_session_options o = options ? *options : trib_session_default_options();
    TRIB_TRY(resolve_options(device, &o));
    trib_session *s = trib_alloc_zeroed(1, sizeof *s);
    if (!s) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a session");
    s->process = trib_process();
    s->device = device;
    s->max_batch = o.max_batch;
    trib_status status = build(s, graph, parameters, &o, sinks);
    if (trib_failed(&status)) {
        trib_add_context(&status, "preparing %s", trib_graph_name(graph));
        trib_session_destroy(s);
        return status;
    }
    *out = s;
    return trib_success();
}

trib_status trib_session_create(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                                const trib_session_options *options, trib_session **out)
{
    return trib_session_create_traced(device, graph, parameters, options, trib_trace_default_sinks(), out);
}

void trib_session_destroy(trib_session *s)
{
    if (!s || s->process != trib_process()) return;
    for (int i = 0; i < s->lane_count; ++i) trib_lane_close(&s->lanes[i]);
    trib_ops_destroy(s->plan, s->ops);
    trib_device_free(s->device, NULL, s->parameters); /* the lanes have waited for their work */
    trib_trace_destroy(s->trace);
    trib_free(s->lanes);
    trib_plan_destroy(s->plan);
    trib_free(s);
}

const trib_plan *trib_session_plan(const trib_session *s) { return s->plan; }
int trib_session_lanes(const trib_session *s) { return s->lane_count; }

/* ---- running ---- */

/* What a job is about; nothing of it: the images that are on the device. */
typedef struct trib_images {
    const void *input;
    const trib_pictures *pictures;
    const trib_region *regions;
} trib_images;

/* The images from number `first` on, for the lane whose turn it is. */
static trib_status input_of_chunk(trib_session *s, const trib_images *images, int first, int count, const void **input)
{
    trib_lane *lane = &s->lanes[s->submitted % s->lane_count];
    *input = NULL;
    if (images->input) *input = (const unsigned char *)images->input + trib_input_bytes(s->plan, 0, first);
    if (!images->regions) return trib_success();
    TRIB_TRY(trib_lane_make_room(lane));
    trib_region_row *rows = trib_lane_rows(lane);
    trib_pictures_rows(images->pictures, images->regions + first, count, rows);
    memset(rows + count, 0, (size_t)(s->plan->batch - count) * sizeof *rows);
    *input = rows;
    return trib_success();
}

/* Chunks go to lanes in turn: they cost the same, so this is balanced. `outputs` NULL: nothing is copied. */
static trib_status submit_chunk(trib_session *s, const trib_images *images, int first, int count, void *const *outputs)
{
    const trib_plan *p = s->plan;
    void *rows[TRIB_MAX_PLAN_OUTPUTS];
    const void *input;
    for (int i = 0; outputs && i < p->output_count; ++i)
        rows[i] = (unsigned char *)outputs[i] + (size_t)first * trib_output_row_bytes(p, i);
    TRIB_TRY(input_of_chunk(s, images, first, count, &input));
    trib_lane *lane = &s->lanes[s->submitted % s->lane_count];
    lane->serial = s->submitted++;
    return trib_lane_submit(lane, input ? &input : NULL, count, outputs ? rows : NULL);
}

/* Waits for every lane that got one of the chunks [first, end), even after a failure. */
static trib_status wait_for(trib_session *s, int64_t first, int64_t end)
{
    trib_status status = trib_success();
    for (int64_t chunk = first; chunk < end && chunk < first + s->lane_count; ++chunk) {
        int64_t from = chunk / s->lane_count, count = (end - 1 - chunk) / s->lane_count + 1;
        trib_status one = trib_lane_wait(&s->lanes[chunk % s->lane_count], from, from + count);
        if (!trib_failed(&status)) status = one;
    }
    return trib_outcome(&status);
}

static trib_status check_count(const trib_session *s, int n)
{
    if (n >= 1 && n <= s->max_batch) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d images; this session takes 1 to %d", n, s->max_batch);
}

static trib_status submit(trib_session *s, const trib_images *images, int n, void *const *outputs, int64_t *job)
{
    int64_t first = s->submitted;
    trib_status status = trib_success();
    TRIB_TRY(check_count(s, n));
    for (int done = 0; done < n && !trib_failed(&status); done += s->plan->batch)
        status = submit_chunk(s, images, done, n - done < s->plan->batch ? n - done : s->plan->batch, outputs);
    if (!trib_failed(&status)) {
        *job = first * job_chunks + (s->submitted - first);
        return trib_success();
    }
    /* on return, the caller's memory must not be in use */
    for (int64_t chunk = first; chunk < s->submitted && chunk < first + s->lane_count; ++chunk)
        trib_lane_drain(&s->lanes[chunk % s->lane_count]);
    trib_add_context(&status, "running %s", s->plan->graph_name);
    return trib_outcome(&status);
}

trib_status trib_session_submit(trib_session *s, const void *input, int n, void *const *outputs, int64_t *job)
{
    if (!s || !input || !outputs || !job)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a run needs a session, an input and outputs");
    TRIB_TRY(trib_made_here(s->process, "session"));
    if (s->plan->regions)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "this session takes regions of pictures: trib_session_submit_regions");
    return submit(s, &(trib_images) { .input = input }, n, outputs, job);
}

trib_status trib_session_submit_regions(trib_session *s, const trib_pictures *pictures, const trib_region *regions,
                                        int n, void *const *outputs, int64_t *job)
{
    if (!s || !pictures || !regions || !outputs || !job)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a run needs a session, pictures, regions and outputs");
    TRIB_TRY(trib_made_here(s->process, "session"));
    if (!s->plan->regions)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "this session takes pixels; regions need trib_plan_options.regions");
    TRIB_TRY(check_count(s, n));
    TRIB_TRY(trib_pictures_check(pictures, s->device, regions, n));
    return submit(s, &(trib_images) { .pictures = pictures, .regions = regions }, n, outputs, job);
}

trib_status trib_session_submit_resident(trib_session *s, int n, int64_t *job)
{
    if (!s || !job) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a run needs a session");
    TRIB_TRY(trib_made_here(s->process, "session"));
    const trib_device_info *info = trib_device_get_info(s->device);
    if (info->host)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s computes in the caller's memory: nothing is resident on it",
                          info->spec);
    if (s->plan->regions)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "regions that are on the device may be of pictures that are gone");
    return submit(s, &(trib_images) { 0 }, n, NULL, job);
}

trib_status trib_session_wait(trib_session *s, int64_t job)
{
    int64_t first = job / job_chunks, end = first + job % job_chunks;
    if (!s || job < 0 || end > s->submitted)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "there is no such job to wait for");
    TRIB_TRY(trib_made_here(s->process, "session"));
    trib_status status = wait_for(s, first, end);
    trib_add_context(&status, "running %s", s->plan->graph_name);
    return trib_outcome(&status);
}

trib_status trib_session_run(trib_session *s, const void *input, int n, void *const *outputs)
{
    int64_t job = 0;
    TRIB_TRY(trib_session_submit(s, input, n, outputs, &job));
    return trib_session_wait(s, job);
}
