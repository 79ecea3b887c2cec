/* SPDX-License-Identifier: Apache-2.0
 * One model, asked once about each image: workers make batches of its input, and the device returns the most likely
 * classes of each. */
#include "feed_run.h"
#include "watch.h"

enum { MOST_IN_FLIGHT = 2 };

/* A batch being computed, and its results, in memory of trib_host_alloc. */
typedef struct in_flight {
    const trib_batch *batch; /* NULL: unused */
    int64_t job;
    float *probabilities;
    int32_t *indices;
} in_flight;

typedef struct runner {
    const cli_feed_state *state;
    cli_feed *feed;
    trib_session *session;
    trib_loader *loader;
    in_flight slots[MOST_IN_FLIGHT];
    int depth; /* used slots: on a GPU one batch is copied while another is computed */
    int64_t begun, finished;
    trib_normalise normalise;
} runner;

static trib_status allocate_results(runner *r)
{
    size_t count = (size_t)r->feed->batch_size * (size_t)r->state->k;
    for (int i = 0; i < r->depth; ++i) {
        in_flight *slot = &r->slots[i];
        void *probabilities, *indices;
        TRIB_TRY(trib_host_alloc(r->feed->device, count * sizeof *slot->probabilities, &probabilities));
        slot->probabilities = probabilities;
        TRIB_TRY(trib_host_alloc(r->feed->device, count * sizeof *slot->indices, &indices));
        slot->indices = indices;
    }
    return trib_success();
}

/* The loader comes first: its threads decode while the network is prepared. */
static trib_status prepare(runner *r)
{
    cli_feed *feed = r->feed;
    static const char *const logits[] = { "logits" };
    const cli_settings *settings = feed->members.count ? &feed->members.items[0].settings : feed->settings;
    bool raw = cli_wants_raw_pixels(settings, feed->device);
    trib_session_options options;
    r->depth = trib_device_get_info(feed->device)->host ? 1 : MOST_IN_FLIGHT;
    TRIB_TRY(allocate_results(r));
    TRIB_TRY(cli_session_options(settings, feed->device, feed->batch_size, &options));
    if (raw) cli_take_raw_pixels(&options.plan, &feed->preprocess, &r->normalise);
    options.plan.top_k = r->state->k;
    options.plan.outputs = logits;
    options.plan.output_count = 1;
    options.in_flight = r->depth;
    trib_loader_options loading = { .batch_size = feed->batch_size,
                                    .workers = feed->workers,
                                    .prefetch = 1 + r->depth,
                                    .layout = options.plan.input_layout,
                                    .raw = raw,
                                    .decode = settings->decode,
                                    .device = feed->device,
                                    .memory_limit = settings->loader_memory };
    TRIB_TRY(trib_loader_create(feed->source, &feed->preprocess, &loading, &r->loader));
    TRIB_TRY(cli_create_session(settings, feed->device, feed->model, &options, &r->session));
    if (!feed->keeps_parameters) trib_model_release_parameters(feed->model);
    return trib_success();
}

static trib_status begin(runner *r, const trib_batch *batch)
{
    in_flight *slot = &r->slots[r->begun++ % r->depth];
    slot->batch = batch;
    if (batch->count == 0) return trib_success();
    return trib_session_submit(r->session, batch->pixels, batch->count,
                               (void *const[]) { slot->probabilities, slot->indices }, &slot->job);
}

static trib_status pass_on(const runner *r, const in_flight *slot)
{
    for (int i = 0; i < slot->batch->item_count; ++i) {
        const trib_batch_item *item = &slot->batch->items[i];
        size_t row = item->slot < 0 ? 0 : (size_t)item->slot * (size_t)r->state->k;
        cli_answer answer = { .name = item->name,
                              .label = item->label,
                              .status = &item->status,
                              .k = r->state->k,
                              .probabilities = slot->probabilities + row,
                              .indices = slot->indices + row };
        TRIB_TRY(cli_feed_pass_on(r->state, &answer, item->note));
    }
    return cli_feed_pause(r->state);
}

/* Waits for the oldest batch and passes on its results, in order. */
static trib_status finish(runner *r)
{
    in_flight *slot = &r->slots[r->finished++ % r->depth];
    const trib_batch *batch = slot->batch;
    trib_status status = batch->count > 0 ? trib_session_wait(r->session, slot->job) : trib_success();
    if (!trib_failed(&status)) status = pass_on(r, slot);
    trib_loader_give_back(r->loader, batch);
    return trib_outcome(&status);
}

static trib_status run_batches(runner *r)
{
    for (;;) {
        const trib_batch *batch = NULL;
        trib_status stopped = cli_stopped() ? TRIB_ERROR(TRIB_CANCELLED, "interrupted") : trib_success();
        if (!trib_failed(&stopped)) stopped = trib_loader_next(r->loader, &batch);
        if (batch) TRIB_TRY(begin(r, batch));
        /* At the end and after an interruption, batches already begun are finished. */
        while (r->finished < r->begun && (!batch || r->begun - r->finished == r->depth)) TRIB_TRY(finish(r));
        if (!batch) return stopped;
    }
}

static void cancel(void *loader) { trib_loader_cancel(loader); }

trib_status cli_feed_run_batches(const cli_feed_state *state)
{
    cli_feed *feed = state->feed;
    runner r = { .state = state, .feed = feed };
    cli_watch *watch = NULL;
    trib_status status;
    double start = cli_now();
    TRIB_TRY_GOTO(status, done, prepare(&r));
    TRIB_TRY_GOTO(status, done, cli_watch_start(cancel, r.loader, &watch));
    status = run_batches(&r);
    feed->seconds = cli_now() - start;
    feed->loader = trib_loader_get_stats(r.loader);
done:
    cli_watch_stop(watch);
    trib_session_destroy(r.session); /* waits for work that reads the loader's memory */
    trib_loader_destroy(r.loader);
    for (int i = 0; i < MOST_IN_FLIGHT; ++i) {
        trib_host_free(feed->device, r.slots[i].probabilities);
        trib_host_free(feed->device, r.slots[i].indices);
    }
    return status;
}
