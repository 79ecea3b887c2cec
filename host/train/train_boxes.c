/* SPDX-License-Identifier: Apache-2.0
 * The truth of a run that trains on regions: its classes, and what of it is in an image. */
#include "train/train_boxes.h"

#include <inttypes.h>
#include <string.h>

#include "data/file.h"
#include "detect/region_classes.h"
#include "train/train_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/region.h"

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the truth"); }

/* ---- classes ---- */

/* Background, then the truth's categories in their order. */
static trib_status list_classes(trib_train_boxes *b)
{
    const trib_truths *truths = &b->truths->file.truths;
    const int categories = (int)truths->category_count;
    b->labels = trib_alloc_zeroed((size_t)categories + 1, sizeof *b->labels);
    if (!b->labels) return no_memory();
    b->classes = categories + 1;
    b->background = TRIB_BACKGROUND_CLASS;
    b->labels[b->background] = TRIB_BACKGROUND_LABEL;
    for (int i = 0; i < categories; ++i) {
        const char *name = truths->categories[i].name;
        if (trib_is_background(name))
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "the truth has boxes of class '%s': that is what a network calls regions without an "
                              "object; rename the class",
                              name);
        b->labels[i + (i >= b->background)] = name;
    }
    return trib_success();
}

static trib_status find_classes(const trib_train_boxes *b, trib_train_truth *truth)
{
    const trib_truths *truths = &truth->file.truths;
    if (!truth->class_of) truth->class_of = trib_alloc_zeroed(truths->category_count + 1, sizeof *truth->class_of);
    if (!truth->class_of) return no_memory();
    for (size_t i = 0; i < truths->category_count; ++i) {
        const char *name = truths->categories[i].name;
        int class = 0;
        while (class < b->classes && strcmp(b->labels[class], name) != 0) ++class;
        if (class == b->classes || class == b->background)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: class '%.200s' is not one of the truth to train on, %s",
                              trib_shorten(truth->path).text, name, trib_shorten(b->truths->path).text);
        truth->class_of[i] = class;
    }
    return trib_success();
}

/* ---- files ---- */

static trib_status open_file(trib_train *t, const char *path)
{
    trib_train_truth *truth = &t->boxes.truths[t->boxes.truth_count];
    truth->path = path;
    TRIB_TRY(trib_truth_open(path, NULL, &truth->file));
    ++t->boxes.truth_count;
    trib_train_say(t, "note: %s is %s", path, truth->file.taken);
    TRIB_TRY(trib_with_name(trib_truths_by_image(&truth->file.truths, &truth->places), path));
    if (!truth->file.truths.count) return TRIB_ERROR(TRIB_BAD_DATA, "%s: has no boxes", trib_shorten(path).text);
    TRIB_TRY(trib_image_names_of(&truth->file.truths, &truth->names));
    truth->by = trib_alloc_zeroed(truth->file.truths.image_count + 1, sizeof *truth->by);
    return truth->by ? trib_success() : no_memory();
}

trib_status trib_train_open_truth(trib_train *t)
{
    trib_train_boxes *b = &t->boxes;
    TRIB_TRY(open_file(t, t->o.boxes));
    TRIB_TRY(trib_with_name(list_classes(b), t->o.boxes));
    if (t->o.validation_boxes) TRIB_TRY(open_file(t, t->o.validation_boxes));
    for (int i = 0; i < b->truth_count; ++i) TRIB_TRY(find_classes(b, &b->truths[i]));
    return trib_success();
}

trib_train_truth *trib_train_truth_of(trib_train *t, int part)
{
    return &t->boxes.truths[part < t->boxes.truth_count ? part : 0];
}

static int find_label(const trib_model *model, const char *name)
{
    for (int i = 0; trib_model_label(model, i); ++i)
        if (strcmp(trib_model_label(model, i), name) == 0) return i;
    return -1;
}

/* A region classifier of the same classes keeps its classifiers. */
trib_status trib_train_order_classes(trib_train *t)
{
    trib_train_boxes *b = &t->boxes;
    const trib_truths *truths = &b->truths->file.truths;
    const int background = t->init ? trib_background_class(t->init) : TRIB_NO_BACKGROUND;
    if (background == TRIB_NO_BACKGROUND || trib_model_network(t->init)->classes != b->classes) return trib_success();
    for (int i = 0; i < b->classes; ++i)
        if (i != b->background && find_label(t->init, b->labels[i]) < 0) return trib_success();
    for (size_t i = 0; i < truths->category_count; ++i)
        b->labels[find_label(t->init, truths->categories[i].name)] = truths->categories[i].name;
    b->background = background;
    b->labels[background] = trib_model_label(t->init, background);
    for (int i = 0; i < b->truth_count; ++i) TRIB_TRY(find_classes(b, &b->truths[i]));
    return trib_success();
}

trib_status trib_train_choose_context(trib_train *t)
{
    if (!t->o.context) t->o.context = trib_region_context(t->net.width, t->net.height);
    trib_region box = { .width = 1, .height = 1 };
    return trib_region_with_context(&box, t->net.width, t->net.height, t->o.context, &box);
}

static void close_file(trib_train_truth *truth)
{
    trib_image_names_release(&truth->names);
    trib_by_image_release(&truth->places);
    trib_free(truth->by);
    trib_free(truth->class_of);
    trib_truth_close(&truth->file);
}

void trib_train_close_boxes(trib_train *t)
{
    trib_train_boxes *b = &t->boxes;
    trib_training_windows_destroy(b->windows);
    for (int i = 0; i < b->truth_count; ++i) close_file(&b->truths[i]);
    trib_free(b->labels);
    *b = (trib_train_boxes) { 0 };
}
