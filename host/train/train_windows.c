/* SPDX-License-Identifier: Apache-2.0
 * Windows to train on, made of proposals and truth: every image is read once when a run starts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "data/training_set.h"
#include "detect/proposal_source.h"
#include "detect/region_labels.h"
#include "train/train_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/memory.h"

/* Windows that are measured after each epoch, and the part of the loader's memory for images that are kept. */
enum { MOST_MEASURED = 4096, KEPT_SHARE = 4 };

/* ---- proposals, found by workers ---- */

/* Shared by the workers. */
typedef struct search {
    const trib_image_names *names;
    const trib_proposal_store *kept; /* of an earlier start; may be NULL */
    trib_proposal_source source;     /* for what is not in it */
} search;

typedef struct found_image {
    int truth; /* the image there, or what trib_find_image says */
    int width, height;
    trib_status status; /* of the proposals */
    trib_proposals proposals;
    char sha256[TRIB_SHA256_TEXT];
    bool computed; /* now */
} found_image;

static void release_found(void *result)
{
    found_image *found = result;
    trib_proposals_release(&found->proposals);
    trib_free(found);
}

static trib_status find_proposals(const search *s, const trib_image_task *task, found_image *found)
{
    if (s->kept) {
        const trib_proposal_source kept = { .store = s->kept };
        trib_status status = trib_proposal_source_find(&kept, task, &found->proposals);
        if (!trib_failed(&status) || status.code == TRIB_OUT_OF_MEMORY) return status;
    }
    found->computed = !s->source.store;
    if (found->computed) trib_image_task_sha256(task, found->sha256);
    return trib_proposal_source_find(&s->source, task, &found->proposals);
}

static trib_status find(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    const search *s = context;
    found_image *found = trib_alloc_zeroed(1, sizeof *found);
    if (!found) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for proposals");
    *result = found;
    *found = (found_image) { .truth = trib_find_image(s->names, task->name),
                             .width = task->image->width,
                             .height = task->image->height,
                             .status = trib_success() };
    if (found->truth >= 0) found->status = find_proposals(s, task, found);
    *bytes_kept = (int64_t)(sizeof *found + found->proposals.count * sizeof *found->proposals.boxes);
    if (found->status.code != TRIB_OUT_OF_MEMORY) return trib_success();
    trib_status failure = found->status;
    release_found(found);
    *result = NULL;
    return failure;
}

static int64_t find_bytes(void *context, int width, int height)
{
    return trib_proposal_source_bytes(&((const search *)context)->source, width, height);
}

/* ---- the file of what was computed ---- */

static trib_status read_line(void *context, const char *line, int64_t *step)
{
    trib_proposal_line read;
    (void)context;
    TRIB_TRY(trib_proposal_line_read(line, strlen(line), &read));
    trib_proposal_line_release(&read);
    *step = 0;
    return trib_success();
}

static trib_status append_line(trib_run_table *table, const char *strategy, const trib_image_item *item)
{
    const found_image *found = item->result;
    trib_text text = { 0 };
    trib_proposal_line line = { .image = (char *)item->name,
                                .by = (char *)strategy,
                                .width = found->width,
                                .height = found->height,
                                .proposals = found->proposals };
    memcpy(line.sha256, found->sha256, sizeof line.sha256);
    trib_proposal_line_write(&line, &text);
    trib_status s = text.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to write proposals")
                                : trib_run_table_append(table, text.bytes, text.size);
    trib_text_free(&text);
    return s;
}

/* ---- windows of an image ---- */

/* What is in the image of a box that goes on beyond it. */
static trib_box inside(const trib_box *box, int width, int height)
{
    const double x0 = box->x > 0 ? box->x : 0, y0 = box->y > 0 ? box->y : 0;
    const double x1 = box->x + box->width < width ? box->x + box->width : width;
    const double y1 = box->y + box->height < height ? box->y + box->height : height;
    return (trib_box) { x0, y0, x1 > x0 ? x1 - x0 : 0, y1 > y0 ? y1 - y0 : 0 };
}

static bool is_example(const trib_truth *truth)
{
    return !truth->difficult && !truth->crowd && trib_box_area(&truth->box) > 0;
}

static trib_status add_window(trib_train *t, trib_training_part part, int64_t index, const trib_box *box, int label)
{
    const trib_window window = { .x = (float)box->x,
                                 .y = (float)box->y,
                                 .width = (float)box->width,
                                 .height = (float)box->height,
                                 .image = (int32_t)index,
                                 .label = label };
    return trib_training_windows_add(t->boxes.windows, part, &window);
}

static trib_status add_proposals(trib_train *t, trib_training_part part, int64_t index, const found_image *found,
                                 const trib_truth *truths, size_t count)
{
    for (size_t i = 0; i < found->proposals.count; ++i) {
        const trib_proposal *p = &found->proposals.boxes[i];
        const trib_box box = { p->x0, p->y0, p->x1 - p->x0, p->y1 - p->y0 };
        const int category = trib_region_label(truths, count, &box);
        if (category == TRIB_REGION_OF_NEITHER) continue;
        const int label = category < 0 ? t->boxes.background : trib_train_truth_of(t, part)->class_of[category];
        TRIB_TRY(add_window(t, part, index, &box, label));
    }
    return trib_success();
}

static trib_status add_windows(trib_train *t, trib_training_part part, int64_t index, const found_image *found)
{
    const trib_train_truth *truth = trib_train_truth_of(t, part);
    const size_t first = truth->places.first[found->truth], count = truth->places.first[found->truth + 1] - first;
    trib_truth *truths = trib_alloc_zeroed(count + 1, sizeof *truths);
    trib_status s = truths ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the boxes of an image");
    for (size_t i = 0; truths && i < count && !trib_failed(&s); ++i) {
        truths[i] = truth->file.truths.items[truth->places.list[first + i]];
        truths[i].box = inside(&truths[i].box, found->width, found->height);
        if (is_example(&truths[i])) s = add_window(t, part, index, &truths[i].box, truth->class_of[truths[i].category]);
    }
    if (!trib_failed(&s)) s = add_proposals(t, part, index, found, truths, count);
    trib_free(truths);
    return s;
}

/* ---- image by image ---- */

typedef struct making {
    search search;
    trib_run_table table; /* closed where nothing is kept */
    const char *strategy;
    int64_t next[TRIB_PARTS]; /* image of the set */
    int64_t done, images;
} making;

/* The set has the images of its sources in their order, those to train on and those for validation each. */
static trib_status find_place(const trib_train *t, making *m, const char *name, trib_training_part *part)
{
    for (int p = 0; p < TRIB_PARTS; ++p) {
        *part = (trib_training_part)p;
        if (m->next[p] < trib_training_set_count(t->set, *part) &&
            strcmp(name, trib_training_set_name(t->set, *part, m->next[p])) == 0)
            return trib_success();
    }
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: the images have changed while they were read; start again",
                      trib_shorten(name).text);
}

static trib_status check_truth(const trib_train_truth *truth, const char *name, const found_image *found)
{
    char text[TRIB_IMAGE_FAULT_TEXT];
    if (found->truth == TRIB_SEVERAL_IMAGES)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s", trib_image_fault(found->truth, name, text));
    if (found->truth < 0) return trib_success();
    const trib_boxed_image *image = &truth->file.truths.images[found->truth];
    if (truth->by[found->truth])
        return TRIB_ERROR(TRIB_BAD_DATA, "%s and %s are both image '%s' of the truth, by their names; leave one out",
                          trib_shorten(truth->by[found->truth]).text, trib_shorten(name).text, image->name);
    if (image->width && (image->width != found->width || image->height != found->height))
        return TRIB_ERROR(
            TRIB_BAD_DATA,
            "%s: has %d x %d pixels, and the truth's image '%s' %d x %d: was it resized, or turned by its "
            "EXIF data?",
            trib_shorten(name).text, found->width, found->height, image->name, image->width, image->height);
    return trib_success();
}

static trib_status take_found(trib_train *t, making *m, trib_training_part part, const trib_image_item *item)
{
    const found_image *found = item->result;
    const int64_t index = m->next[part];
    trib_train_truth *truth = trib_train_truth_of(t, part);
    TRIB_TRY(check_truth(truth, item->name, found));
    t->boxes.unknown += found->truth < 0;
    if (found->truth < 0) return trib_success();
    TRIB_TRY(trib_with_name(found->status, item->name));
    t->boxes.trained += part == TRIB_TRAINING;
    truth->by[found->truth] = trib_training_set_name(t->set, part, index);
    if (found->computed && m->table.path) TRIB_TRY(append_line(&m->table, m->strategy, item));
    return add_windows(t, part, index, found);
}

static trib_status take_image(trib_train *t, making *m, const trib_image_item *item)
{
    trib_training_part part;
    TRIB_TRY(find_place(t, m, item->name, &part));
    trib_status s = trib_success();
    if (trib_failed(&item->status)) {
        ++t->boxes.damaged;
        trib_train_say(t, "skipped: %s", item->status.message);
    } else {
        s = take_found(t, m, part, item);
    }
    ++m->next[part];
    ++m->done;
    if (t->events.preparing) t->events.preparing(t->events.context, m->done, m->images);
    return s;
}

static trib_status take_images(trib_train *t, making *m, trib_image_loader *loader, bool *cancelled)
{
    for (;;) {
        const trib_image_item *item = NULL;
        TRIB_TRY(trib_image_loader_next(loader, &item));
        if (!item) return trib_success();
        trib_status s = take_image(t, m, item);
        trib_image_loader_give_back(loader, item);
        if (trib_failed(&s)) return s;
        *cancelled = trib_train_ask(t) == TRIB_TRAIN_STOP;
        if (*cancelled) return trib_success();
    }
}

static trib_status read_part(trib_train *t, making *m, trib_training_part part, bool *cancelled)
{
    const trib_image_loader_options options = {
        .workers = t->o.workers, .decode = t->o.decode, .memory_limit = t->o.loader_memory, .make_bytes = find_bytes
    };
    trib_source *source = NULL;
    trib_image_loader *loader = NULL;
    TRIB_TRY(trib_training_set_reopen(t->set, part, &source));
    if (!source) return trib_success();
    m->search.names = &trib_train_truth_of(t, part)->names;
    trib_status s = trib_image_loader_create(source, &options, find, release_found, &m->search, &loader);
    if (!trib_failed(&s)) s = take_images(t, m, loader, cancelled);
    trib_image_loader_destroy(loader);
    trib_source_close(source);
    return s;
}

/* ---- what came of it ---- */

static trib_status check_images(const trib_train *t, const making *m)
{
    const trib_train_boxes *b = &t->boxes;
    const trib_truths *truths = &b->truths->file.truths;
    if (2 * b->damaged > m->images)
        return TRIB_ERROR(TRIB_BAD_DATA, "%" PRId64 " of %" PRId64 " images cannot be read, more than half", b->damaged,
                          m->images);
    if (b->unknown + b->damaged < m->images) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "no image is in the truth, which has '%s', while the data have '%s'",
                      truths->image_count ? truths->images[0].name : "",
                      trib_training_set_count(t->set, TRIB_TRAINING)
                          ? trib_shorten(trib_training_set_name(t->set, TRIB_TRAINING, 0)).text
                          : "");
}

/* Images that a share of the data is put aside of may have no windows by chance; those that were named are wanted. */
static trib_status check_validation(trib_train *t)
{
    if (!t->o.data.validation_count || t->boxes.rows[TRIB_VALIDATION].count) return trib_success();
    const trib_train_truth *truth = trib_train_truth_of(t, TRIB_VALIDATION);
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "no image for validation has a window, for none is in the truth %s%s, or their boxes are not to be "
        "learnt",
        trib_shorten(truth->path).text, t->boxes.truth_count == 1 ? " (--val-boxes gives them one of their own)" : "");
}

static void say_counts(trib_train *t)
{
    const trib_train_boxes *b = &t->boxes;
    int64_t missing = 0;
    for (int f = 0; f < b->truth_count; ++f)
        for (size_t i = 0; i < b->truths[f].file.truths.image_count; ++i) missing += !b->truths[f].by[i];
    if (b->unknown)
        trib_train_say(t, "note: %" PRId64 " images are left out, because the truth does not have them", b->unknown);
    if (missing) trib_train_say(t, "note: %" PRId64 " images of the truth are not among the data", missing);
    trib_train_say(t,
                   "note: %" PRId64 " windows of objects and %" PRId64
                   " of background to train on; an epoch is %" PRId64 " windows; %" PRId64
                   " windows of other images are measured",
                   trib_training_windows_objects(b->windows, TRIB_TRAINING),
                   trib_training_windows_background(b->windows, TRIB_TRAINING), b->rows[TRIB_TRAINING].count,
                   b->rows[TRIB_VALIDATION].count);
}

/* ---- all of it ---- */

static trib_status create_windows(trib_train *t)
{
    const int64_t memory = t->o.loader_memory ? t->o.loader_memory : trib_memory_get().bytes / 2;
    const trib_windows_options options = { .objects = t->o.objects,
                                           .context = t->o.context,
                                           .background = t->boxes.background,
                                           .kept_bytes = memory / KEPT_SHARE };
    return trib_training_windows_create(t->set, &options, &t->boxes.windows);
}

static trib_status read_images(trib_train *t, making *m, bool *cancelled)
{
    for (int p = 0; p < TRIB_PARTS; ++p) m->images += trib_training_set_count(t->set, (trib_training_part)p);
    for (int p = 0; p < TRIB_PARTS && !*cancelled; ++p) TRIB_TRY(read_part(t, m, (trib_training_part)p, cancelled));
    if (*cancelled) return trib_success();
    TRIB_TRY(check_images(t, m));
    TRIB_TRY(trib_training_windows_finish(t->boxes.windows, MOST_MEASURED));
    for (int p = 0; p < TRIB_PARTS; ++p) t->boxes.rows[p] = trib_window_rows(t->boxes.windows, (trib_training_part)p);
    t->images = t->boxes.rows[TRIB_TRAINING].count;
    say_counts(t);
    TRIB_TRY(check_validation(t));
    return trib_train_check_batch(t);
}

/* The store of what an earlier start computed; NULL: there is none. */
static trib_status open_kept(const trib_train *t, making *m, bool keep, trib_proposal_store **out)
{
    char name[64], path[TRIB_RUN_PATH];
    snprintf(name, sizeof name, TRIB_RUN_PROPOSALS "%s.jsonl", m->strategy);
    snprintf(path, sizeof path, "%s/%s", t->o.folder, name);
    if (keep) TRIB_TRY(trib_run_table_open(path, NULL, 0, read_line, NULL, &m->table));
    trib_status s = trib_proposal_store_open(path, out);
    return s.code == TRIB_NOT_FOUND ? trib_success() : s;
}

trib_status trib_train_make_windows(trib_train *t, bool keep, bool *cancelled)
{
    making m = { .table = { .fd = -1 } };
    trib_proposal_store *given = NULL, *kept = NULL;
    trib_status s = create_windows(t);
    *cancelled = false;
    m.strategy = trib_strategy_name(t->o.strategy);
    if (!trib_failed(&s) && t->o.proposals) s = trib_proposal_store_open(t->o.proposals, &given);
    if (!trib_failed(&s) && !t->o.proposals) s = open_kept(t, &m, keep, &kept);
    m.search.kept = kept;
    m.search.source = (trib_proposal_source) { .store = given, .options = trib_propose_as(t->o.strategy) };
    if (!trib_failed(&s)) s = read_images(t, &m, cancelled);
    trib_proposal_store_close(given);
    trib_proposal_store_close(kept);
    trib_run_table_close(&m.table);
    return s;
}
