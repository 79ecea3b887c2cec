/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "tributary/internal/alloc.h"
#include "watch.h"

/* Class names in model order: a label is the position of the folder's name in them. *out = NULL if the model has none.
 */
static trib_status model_labels(const trib_model *model, int classes, const char ***out)
{
    *out = NULL;
    if (!trib_model_label(model, 0)) return trib_success();
    const char **names = trib_realloc_array(NULL, (size_t)classes, sizeof *names);
    if (!names) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d class names", classes);
    for (int i = 0; i < classes; ++i) names[i] = trib_model_label(model, i);
    *out = names;
    return trib_success();
}

trib_status cli_feed_open_source(cli_feed *feed, const cli_texts *inputs, int first, const trib_source_options *given)
{
    trib_source_options options = given ? *given : (trib_source_options) { 0 };
    const char **names = NULL;
    feed->classes = trib_model_network(feed->model)->classes;
    if (options.need_labels) {
        TRIB_TRY(model_labels(feed->model, feed->classes, &names));
        options.class_names = names;
        options.class_count = feed->classes;
    }
    trib_status status =
        trib_source_open((const char *const *)inputs->items + first, inputs->count - first, &options, &feed->source);
    trib_free(names);
    if (trib_failed(&status)) return status;
    cli_print_notes(feed->source);
    int64_t count = trib_source_count(feed->source);
    if (count > 0 && count < feed->batch_size) feed->batch_size = (int)count;
    return status;
}

trib_status cli_feed_open(const cli_settings *settings, const char *model, const cli_texts *inputs, int first_input,
                          const trib_source_options *source_options, int batch_size, int workers, cli_feed *feed)
{
    *feed = (cli_feed) { .settings = settings, .batch_size = batch_size, .workers = workers };
    TRIB_TRY(cli_open_device(settings, &feed->device));
    TRIB_TRY(cli_load_model(settings, model, &feed->model, &feed->preprocess));
    cli_say_guess(settings, feed->model);
    return cli_feed_open_source(feed, inputs, first_input, source_options);
}

void cli_feed_close(cli_feed *feed)
{
    trib_source_close(feed->source);
    trib_model_destroy(feed->model);
    trib_device_close(feed->device);
    *feed = (cli_feed) { 0 };
}

/* ---- running ---- */

enum { MOST_IN_FLIGHT = 2 };

/* A batch being computed, and its results, in memory of trib_host_alloc. */
typedef struct in_flight {
    const trib_batch *batch; /* NULL: unused */
    int64_t job;
    float *probabilities;
    int32_t *indices;
} in_flight;

typedef struct runner {
    cli_feed *feed;
    trib_session *session;
    trib_loader *loader;
    int k; /* classes per image */
    in_flight slots[MOST_IN_FLIGHT];
    int depth; /* used slots: on a GPU one batch is copied while another is computed */
    int64_t begun, finished;
    trib_normalise normalise;
    cli_batch_function handle;
    void *context;
} runner;

static trib_status allocate_results(runner *r)
{
    size_t count = (size_t)r->feed->batch_size * (size_t)r->k;
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

/* glibc keeps up to 64 MB of freed memory per thread. If that is much of the available memory, large blocks are
 * returned to the system at once. That costs time (a fifth, for photos of two megapixels), so it is done only then. */
static void keep_little_freed_memory(const cli_feed *feed)
{
#ifdef __GLIBC__
    enum { KEPT = 64 << 20, LARGE = 1 << 20 };
    int64_t memory = feed->settings->loader_memory;
    int workers = feed->workers > 0 ? feed->workers : trib_cpus_get().count;
    if (!memory) memory = trib_memory_get().bytes / 2;
    if (memory / workers < 4 * (int64_t)KEPT) mallopt(M_MMAP_THRESHOLD, LARGE);
#else
    (void)feed;
#endif
}

/* The loader comes first: its threads decode while the network is prepared. */
static trib_status prepare(runner *r)
{
    cli_feed *feed = r->feed;
    static const char *const logits[] = { "logits" };
    bool raw = cli_wants_raw_pixels(feed->settings, feed->device);
    trib_session_options options;
    r->depth = trib_device_get_info(feed->device)->host ? 1 : MOST_IN_FLIGHT;
    TRIB_TRY(allocate_results(r));
    TRIB_TRY(cli_session_options(feed->settings, feed->device, feed->batch_size, &options));
    if (raw) cli_take_raw_pixels(&options.plan, &feed->preprocess, &r->normalise);
    options.plan.top_k = r->k;
    options.plan.outputs = logits;
    options.plan.output_count = 1;
    options.in_flight = r->depth;
    trib_loader_options loading = { .batch_size = feed->batch_size,
                                    .workers = feed->workers,
                                    .prefetch = 1 + r->depth,
                                    .layout = options.plan.input_layout,
                                    .raw = raw,
                                    .decode = feed->settings->decode,
                                    .device = feed->device,
                                    .memory_limit = feed->settings->loader_memory };
    keep_little_freed_memory(feed);
    TRIB_TRY(trib_loader_create(feed->source, &feed->preprocess, &loading, &r->loader));
    TRIB_TRY(cli_create_session(feed->settings, feed->device, feed->model, &options, &r->session));
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

static void count_notes(cli_feed *feed, const trib_batch *batch)
{
    for (int i = 0; i < batch->item_count; ++i)
        if (batch->items[i].slot >= 0) cli_image_notes_count(&feed->notes, batch->items[i].note);
}

/* Waits for the oldest batch and passes on its results, in order. */
static trib_status finish(runner *r)
{
    cli_feed *feed = r->feed;
    in_flight *slot = &r->slots[r->finished++ % r->depth];
    const trib_batch *batch = slot->batch;
    trib_status status = batch->count > 0 ? trib_session_wait(r->session, slot->job) : trib_success();
    if (feed->first_seconds == 0 && batch->count > 0) feed->first_seconds = cli_now() - cli_start_time();
    if (!trib_failed(&status)) status = r->handle(r->context, batch, r->k, slot->probabilities, slot->indices);
    if (!trib_failed(&status)) {
        feed->good += batch->count;
        feed->skipped += batch->item_count - batch->count;
        count_notes(feed, batch);
        cli_progress_update(&feed->progress, feed->already_done + feed->good + feed->skipped, feed->skipped);
    }
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

static void cancel_loader(void *loader) { trib_loader_cancel(loader); }

trib_status cli_feed_run(cli_feed *feed, int top_k, cli_batch_function handle, void *context)
{
    int k = top_k < feed->classes ? top_k : feed->classes;
    runner r = { .feed = feed, .k = k, .handle = handle, .context = context };
    cli_watch *watch = NULL;
    trib_status status;
    double start = cli_now();
    cli_catch_signals();
    feed->progress = cli_progress_begin(trib_source_count(feed->source), feed->already_done, feed->rows_on_terminal);
    TRIB_TRY_GOTO(status, done, prepare(&r));
    TRIB_TRY_GOTO(status, done, cli_watch_start(cancel_loader, r.loader, &watch));
    status = run_batches(&r);
    feed->seconds = cli_now() - start;
    feed->loader = trib_loader_get_stats(r.loader);
done:
    cli_progress_clear(&feed->progress);
    cli_image_notes_print(&feed->notes);
    cli_watch_stop(watch);
    trib_session_destroy(r.session); /* waits for work that reads the loader's memory */
    trib_loader_destroy(r.loader);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) cli_print_passed_over(feed->source);
    for (int i = 0; i < MOST_IN_FLIGHT; ++i) {
        trib_host_free(feed->device, r.slots[i].probabilities);
        trib_host_free(feed->device, r.slots[i].indices);
    }
    return status;
}
