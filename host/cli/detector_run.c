/* SPDX-License-Identifier: Apache-2.0
 * From images with proposals to boxes, in the order of the source: the panel gives results in the order it was asked,
 * and is also asked, about nothing, for images that failed. */
#include <math.h>

#include "detect/votes.h"
#include "detector_private.h"
#include "tributary/internal/alloc.h"

/* An image that the panel has not answered yet. */
typedef struct waiting {
    struct waiting *next;
    char *name;
    int64_t index;
    trib_status status;
    trib_image picture; /* without pixels unless they are to be drawn on */
    trib_proposals proposals;
} waiting;

typedef struct runner {
    cli_detector *d;
    trib_panel *panel;
    waiting *first, **end;
    trib_scored_box *boxes; /* candidates of one image */
    size_t capacity;
    double *votes; /* of its regions, by class */
    size_t votes_capacity;
} runner;

static void release(waiting *w)
{
    trib_image_release(&w->picture);
    trib_proposals_release(&w->proposals);
    trib_free(w->name);
    trib_free(w);
}

/* ---- answers ---- */

static trib_status no_number(const waiting *w)
{
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: a probability is not a number; the model is damaged, or overflows in this --precision",
                      w->name);
}

static trib_status add(runner *r, size_t count, const trib_proposal *p, int klass, double score)
{
    if (trib_grow((void **)&r->boxes, &r->capacity, count + 1, sizeof *r->boxes) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the boxes of an image; a higher --threshold leaves fewer");
    r->boxes[count] =
        (trib_scored_box) { .box = { p->x0, p->y0, p->x1 - p->x0, p->y1 - p->y0 }, .klass = klass, .score = score };
    return trib_success();
}

static bool are_numbers(const double *p, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (isnan(p[i])) return false;
    return true;
}

/* Sets *scores to the probabilities, or to what the votes make of them. */
static trib_status find_scores(runner *r, const waiting *w, const trib_panel_result *result, const double **scores)
{
    const size_t count = (size_t)result->rows * (size_t)result->classes;
    *scores = result->joint;
    if (!r->d->options->vote || !count) return trib_success();
    if (trib_grow((void **)&r->votes, &r->votes_capacity, count, sizeof *r->votes) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the votes of %d regions", result->rows);
    trib_votes_count(&w->proposals, result->classes, result->joint, r->votes);
    *scores = r->votes;
    return trib_success();
}

static trib_status find_candidates(runner *r, const waiting *w, int classes, const double *scores, size_t *count)
{
    const cli_detector *d = r->d;
    for (size_t row = 0; row < w->proposals.count; ++row)
        for (int c = 0; c < classes; ++c, ++scores) {
            if (c == d->background || !(*scores >= d->options->threshold)) continue;
            TRIB_TRY(add(r, *count, &w->proposals.boxes[row], c, *scores));
            ++*count;
        }
    return trib_success();
}

static trib_status find_boxes(runner *r, waiting *w, const trib_panel_result *result, size_t *kept)
{
    const trib_nms_options options = { r->d->options->overlap, r->d->options->most_boxes };
    const double start = cli_now();
    const double *scores = NULL;
    size_t count = 0;
    if (!are_numbers(result->joint, (size_t)result->rows * (size_t)result->classes)) w->status = no_number(w);
    if (trib_failed(&w->status)) return trib_success();
    TRIB_TRY(find_scores(r, w, result, &scores));
    TRIB_TRY(find_candidates(r, w, result->classes, scores, &count));
    TRIB_TRY(trib_nms(&options, r->boxes, count, kept));
    for (size_t i = 0; r->d->options->vote && i < *kept; ++i)
        r->boxes[i].box = trib_voted_box(&w->proposals, &r->boxes[i].box, result->classes, scores, r->boxes[i].klass);
    r->d->nms_seconds += cli_now() - start;
    return trib_success();
}

static trib_status pass_on(runner *r, waiting *w, size_t count)
{
    cli_detector *d = r->d;
    const cli_found found = { .name = w->name,
                              .index = w->index,
                              .status = &w->status,
                              .width = w->picture.width,
                              .height = w->picture.height,
                              .regions = w->proposals.count,
                              .boxes = r->boxes,
                              .count = count,
                              .picture = w->picture.pixels ? &w->picture : NULL };
    const double start = cli_now();
    if (trib_failed(&w->status)) {
        ++d->skipped;
    } else {
        ++d->good;
        d->regions += (int64_t)found.regions;
        d->boxes += (int64_t)count;
    }
    trib_status status = d->handle(d->context, &found);
    d->handling_seconds += cli_now() - start;
    return status;
}

static trib_status answer(runner *r, const trib_panel_result *result)
{
    waiting *w = result->context;
    size_t count = 0;
    TRIB_TRY(find_boxes(r, w, result, &count));
    TRIB_TRY(pass_on(r, w, count));
    r->first = w->next;
    if (!r->first) r->end = &r->first;
    release(w);
    return trib_success();
}

static trib_status take_answers(runner *r)
{
    for (const trib_panel_result *result;;) {
        TRIB_TRY(trib_panel_next(r->panel, &result));
        if (!result) return trib_success();
        TRIB_TRY(answer(r, result));
    }
}

/* ---- questions ---- */

static trib_status wait_for(runner *r, const trib_image_item *item, waiting **out)
{
    waiting *w = trib_alloc_zeroed(1, sizeof *w);
    if (w) w->name = trib_strdup(item->name);
    if (!w || !w->name) {
        trib_free(w);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for an image's name");
    }
    w->index = item->index;
    w->status = item->status;
    *r->end = w;
    r->end = &w->next;
    *out = w;
    return trib_success();
}

/* The panel copies what it needs; what the answer needs is taken from the loader. */
static void take_image(const cli_detector *d, cli_detector_image *image, waiting *w)
{
    w->proposals = image->proposals;
    image->proposals = (trib_proposals) { 0 };
    w->picture = image->picture;
    if (d->keeps_pictures)
        image->picture = (trib_image) { 0 };
    else
        w->picture.pixels = NULL;
}

/* With the first image: workers look for proposals meanwhile. */
static trib_status open_panel(runner *r)
{
    const double start = cli_now();
    if (r->panel) return trib_success();
    TRIB_TRY(cli_members_panel(&r->d->members, r->d->options->batch, &r->panel));
    r->d->preparing_seconds = cli_now() - start;
    return trib_success();
}

static trib_status submit(runner *r, const trib_panel_item *question)
{
    const double start = cli_now();
    trib_status status = trib_panel_submit(r->panel, question);
    r->d->network_seconds += cli_now() - start;
    return status;
}

static trib_status ask(void *context, const trib_image_item *item)
{
    runner *r = context;
    waiting *w = NULL;
    cli_detector_image *image = item->result;
    TRIB_TRY(open_panel(r));
    TRIB_TRY(wait_for(r, item, &w));
    trib_panel_item question = { .context = w };
    if (image && image->proposals.count > 0) {
        question.rows = (int)image->proposals.count;
        question.pictures = &image->picture;
        question.picture_count = 1;
        question.parts = image->parts;
    }
    trib_status status = submit(r, &question);
    if (image) take_image(r->d, image, w);
    return trib_failed(&status) ? status : take_answers(r);
}

static trib_status finish(runner *r)
{
    const double start = cli_now();
    if (!r->panel) return trib_success();
    TRIB_TRY(trib_panel_flush(r->panel));
    r->d->network_seconds += cli_now() - start;
    return take_answers(r);
}

static void set_up(runner *r)
{
    cli_detector *d = r->d;
    r->end = &r->first;
    d->images.loading = (trib_image_loader_options) { .workers = d->options->workers,
                                                      .decode = d->settings->decode,
                                                      .memory_limit = d->settings->loader_memory,
                                                      .make_bytes = cli_detector_make_bytes };
    d->images.make = cli_detector_make;
    d->images.release = cli_detector_release;
    d->images.make_context = d;
    d->images.handle = ask;
    d->images.context = r;
}

trib_status cli_detector_run(cli_detector *detector)
{
    runner r = { .d = detector };
    const double start = cli_now();
    if (pthread_mutex_init(&detector->lock, NULL) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "the system provides no lock");
    set_up(&r);
    trib_status status = cli_image_run_all(&r.d->images);
    if (!trib_failed(&status)) status = finish(&r);
    trib_panel_destroy(r.panel);
    for (waiting *w = r.first, *next; w; w = next) {
        next = w->next;
        release(w);
    }
    trib_free(r.boxes);
    trib_free(r.votes);
    pthread_mutex_destroy(&detector->lock);
    detector->seconds = cli_now() - start;
    detector->waiting_seconds = detector->seconds - detector->preparing_seconds - detector->network_seconds -
                                detector->nms_seconds - detector->handling_seconds;
    return status;
}
