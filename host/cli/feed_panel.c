/* SPDX-License-Identifier: Apache-2.0
 * Several models, or several crops of an image: workers make the crops, and a panel asks the models. */
#include "feed_crops.h"
#include "feed_run.h"
#include "tributary/internal/alloc.h"
#include "tributary/kernels.h"
#include "watch.h"

/* An image that the panel has not answered yet. */
typedef struct waiting {
    struct waiting *next;
    char *name;
    int label;
    trib_status status;
    const char *note;
} waiting;

typedef struct runner {
    const cli_feed_state *state;
    cli_feed *feed;
    trib_image_loader *loader;
    trib_panel *panel;
    waiting *first, **end; /* in the order of the source */
    float *values;         /* of one image: probabilities of all classes, then of the k most likely */
    int32_t *indices;      /* joint, then of each model: k each */
} runner;

/* The loader comes first: its threads decode while the networks are prepared. */
static trib_status prepare(runner *r)
{
    cli_feed *feed = r->feed;
    const size_t classes = (size_t)feed->classes, rows = (size_t)feed->members.count + 1;
    const trib_image_loader_options options = cli_feed_loader_options(feed);
    r->values = trib_realloc_array(NULL, 2 * classes, sizeof *r->values);
    r->indices = trib_realloc_array(NULL, rows * (size_t)r->state->k, sizeof *r->indices);
    if (!r->values || !r->indices)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results of %d classes", feed->classes);
    TRIB_TRY(trib_image_loader_create(feed->source, &options, cli_feed_make_crops, cli_feed_release_crops, feed,
                                      &r->loader));
    return cli_members_panel(&feed->members, feed->batch_size, &r->panel);
}

/* ---- answers ---- */

static void find_top(const runner *r, const double *probabilities, int32_t *indices)
{
    const int classes = r->feed->classes;
    for (int c = 0; c < classes; ++c) r->values[c] = (float)probabilities[c];
    trib_top_k(r->values, classes, r->state->k, indices);
}

/* The joint classes come last, so that their probabilities stay in r->values. */
static void rank(const runner *r, const trib_panel_result *result, float *probabilities)
{
    const int k = r->state->k, members = r->feed->members.count;
    for (int m = 0; m < members; ++m)
        find_top(r, result->members + (size_t)m * (size_t)result->classes, r->indices + (size_t)(m + 1) * (size_t)k);
    find_top(r, result->joint, r->indices);
    for (int i = 0; i < k; ++i) probabilities[i] = r->values[r->indices[i]];
}

static void release(waiting *w)
{
    if (w) trib_free(w->name);
    trib_free(w);
}

static trib_status answer(runner *r, const trib_panel_result *result)
{
    waiting *w = result->context;
    float *probabilities = r->values + r->feed->classes;
    cli_answer a = { .name = w->name, .label = w->label, .status = &w->status, .k = r->state->k };
    if (!trib_failed(&w->status)) {
        rank(r, result, probabilities);
        a.probabilities = probabilities;
        a.indices = r->indices;
        if (r->feed->members.count > 1) a.members = r->indices + r->state->k;
    }
    trib_status status = cli_feed_pass_on(r->state, &a, w->note);
    r->first = w->next;
    if (!r->first) r->end = &r->first;
    release(w);
    return status;
}

static trib_status take_answers(runner *r)
{
    const trib_panel_result *result;
    bool some = false;
    for (;; some = true) {
        TRIB_TRY(trib_panel_next(r->panel, &result));
        if (!result) return some ? cli_feed_pause(r->state) : trib_success();
        TRIB_TRY(answer(r, result));
    }
}

/* ---- questions ---- */

static trib_status wait_for(runner *r, const trib_image_item *item, waiting **out)
{
    waiting *w = trib_alloc_zeroed(1, sizeof *w);
    if (w) w->name = trib_strdup(item->name);
    if (!w || !w->name) {
        release(w);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for an image's name");
    }
    w->label = item->label;
    w->status = item->status;
    w->note = item->note;
    *r->end = w;
    r->end = &w->next;
    *out = w;
    return trib_success();
}

/* The panel copies what it needs, so that the loader gets the memory back at once. */
static trib_status ask(runner *r, const trib_image_item *image)
{
    waiting *w = NULL;
    TRIB_TRY(wait_for(r, image, &w));
    const cli_image_crops *made = image->result;
    trib_panel_item item = { .context = w };
    if (made)
        item = (trib_panel_item) { .context = w,
                                   .rows = 1,
                                   .pictures = made->pictures,
                                   .picture_count = made->picture_count,
                                   .parts = made->parts };
    return trib_panel_submit(r->panel, &item);
}

static trib_status run_images(runner *r)
{
    for (;;) {
        const trib_image_item *item = NULL;
        TRIB_TRY(cli_stopped() ? TRIB_ERROR(TRIB_CANCELLED, "interrupted") : trib_success());
        TRIB_TRY(trib_image_loader_next(r->loader, &item));
        if (!item) break;
        trib_status status = ask(r, item);
        trib_image_loader_give_back(r->loader, item);
        if (!trib_failed(&status)) status = take_answers(r);
        if (trib_failed(&status)) return status;
    }
    TRIB_TRY(trib_panel_flush(r->panel));
    return take_answers(r);
}

static trib_loader_stats stats_of(const trib_image_loader *loader)
{
    const trib_image_loader_stats s = trib_image_loader_get_stats(loader);
    return (trib_loader_stats) { s.made, s.failed, s.make_seconds, s.wait_seconds };
}

static void cancel(void *loader) { trib_image_loader_cancel(loader); }

trib_status cli_feed_run_panel(const cli_feed_state *state)
{
    cli_feed *feed = state->feed;
    runner r = { .state = state, .feed = feed };
    cli_watch *watch = NULL;
    trib_status status;
    double start = cli_now();
    r.end = &r.first;
    TRIB_TRY_GOTO(status, done, prepare(&r));
    TRIB_TRY_GOTO(status, done, cli_watch_start(cancel, r.loader, &watch));
    status = run_images(&r);
    feed->seconds = cli_now() - start;
    feed->loader = stats_of(r.loader);
done:
    cli_watch_stop(watch);
    trib_panel_destroy(r.panel);
    trib_image_loader_destroy(r.loader);
    for (waiting *w = r.first, *next; w; w = next) {
        next = w->next;
        release(w);
    }
    trib_free(r.values);
    trib_free(r.indices);
    return status;
}
