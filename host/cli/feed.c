/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include "feed_crops.h"
#include "feed_run.h"
#include "freed_memory.h"
#include "notes.h"
#include "tributary/internal/alloc.h"

/* ---- opening ---- */

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
    int64_t count = trib_source_count(feed->source), regions = count * cli_feed_evaluations(feed, 0);
    if (regions > 0 && regions < feed->batch_size) feed->batch_size = (int)regions;
    return status;
}

trib_status cli_feed_open(const cli_settings *settings, const cli_texts *arguments, int models,
                          const trib_source_options *source_options, int batch_size, int workers, cli_feed *feed)
{
    *feed = (cli_feed) { .settings = settings, .batch_size = batch_size, .workers = workers };
    TRIB_TRY(cli_members_open(settings, arguments, models, &feed->members));
    const cli_member *first = &feed->members.items[0];
    feed->device = first->device;
    feed->preprocess = first->preprocess;
    feed->model = cli_members_labels(&feed->members);
    TRIB_TRY(cli_feed_open_crops(feed));
    return cli_feed_open_source(feed, arguments, models, source_options);
}

void cli_feed_close(cli_feed *feed)
{
    trib_source_close(feed->source);
    cli_members_close(&feed->members);
    trib_free(feed->crops);
    *feed = (cli_feed) { 0 };
}

/* ---- one image ---- */

static trib_status load(const cli_feed *feed, trib_item *item)
{
    const trib_preprocess *p = &feed->preprocess;
    trib_loader_options options = { .layout = TRIB_NHWC,
                                    .decode = feed->settings->decode,
                                    .memory_limit = feed->settings->loader_memory };
    float *row = trib_realloc_array(NULL, (size_t)p->crop_height * (size_t)p->crop_width * 3, sizeof *row);
    if (!row) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for an image");
    trib_status status = trib_item_load(item, p, &options, row);
    trib_free(row);
    return status;
}

trib_status cli_feed_try(cli_feed *feed, trib_item *item)
{
    void *made = NULL;
    int64_t bytes = 0;
    TRIB_TRY(item->status);
    if (!feed->crops) return load(feed, item);
    const trib_image_loader_options options = cli_feed_loader_options(feed);
    TRIB_TRY(trib_item_make(item, &options, cli_feed_make_crops, feed, &made, &bytes));
    cli_feed_release_crops(made);
    return trib_success();
}

/* ---- running ---- */

trib_status cli_feed_pass_on(const cli_feed_state *state, const cli_answer *answer, const char *note)
{
    cli_feed *feed = state->feed;
    bool failed = trib_failed(answer->status);
    if (feed->first_seconds == 0 && !failed) feed->first_seconds = cli_now() - cli_start_time();
    TRIB_TRY(state->handler->image(state->handler->context, answer));
    feed->good += !failed;
    feed->skipped += failed;
    if (!failed) cli_image_notes_count(&feed->notes, note);
    return trib_success();
}

trib_status cli_feed_pause(const cli_feed_state *state)
{
    cli_feed *feed = state->feed;
    if (state->handler->pause) TRIB_TRY(state->handler->pause(state->handler->context));
    cli_progress_update(&feed->progress, feed->already_done + feed->good + feed->skipped, feed->skipped);
    return trib_success();
}

trib_status cli_feed_run(cli_feed *feed, int top_k, const cli_feed_handler *handler)
{
    int k = top_k < feed->classes ? top_k : feed->classes;
    cli_feed_state state = { .feed = feed, .handler = handler, .k = k };
    cli_catch_signals();
    cli_keep_little_freed_memory(feed->settings->loader_memory, feed->workers);
    feed->progress = cli_progress_begin(trib_source_count(feed->source), feed->already_done, feed->rows_on_terminal);
    trib_status status = feed->crops ? cli_feed_run_panel(&state) : cli_feed_run_batches(&state);
    cli_progress_clear(&feed->progress);
    cli_image_notes_print(&feed->notes);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) cli_print_passed_over(feed->source);
    return status;
}
