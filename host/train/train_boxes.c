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

/* ---- boxes by image ---- */

static trib_status sort_items(trib_train_boxes *b)
{
    const trib_truths *truths = &b->truth.truths;
    b->items = trib_alloc_zeroed(truths->count + 1, sizeof *b->items);
    b->first = trib_alloc_zeroed(truths->image_count + 2, sizeof *b->first);
    b->by = trib_alloc_zeroed(truths->image_count + 1, sizeof *b->by);
    if (!b->items || !b->first || !b->by) return no_memory();
    size_t *next = b->first + 1; /* counts, then where the next one goes: at the end the beginning of the next image */
    for (size_t i = 0; i < truths->count; ++i) ++next[truths->items[i].image + 1];
    for (size_t i = 0; i < truths->image_count; ++i) next[i + 1] += next[i];
    for (size_t i = 0; i < truths->count; ++i) b->items[next[truths->items[i].image]++] = truths->items[i];
    return trib_success();
}

/* ---- classes ---- */

/* Background, then the truth's categories in their order. */
static trib_status list_classes(trib_train_boxes *b)
{
    const trib_truths *truths = &b->truth.truths;
    const int categories = (int)truths->category_count;
    b->labels = trib_alloc_zeroed((size_t)categories + 1, sizeof *b->labels);
    b->class_of = trib_alloc_zeroed((size_t)categories + 1, sizeof *b->class_of);
    if (!b->labels || !b->class_of) return no_memory();
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
        b->class_of[i] = i + (i >= b->background);
        b->labels[b->class_of[i]] = name;
    }
    return trib_success();
}

trib_status trib_train_open_truth(trib_train *t)
{
    trib_train_boxes *b = &t->boxes;
    TRIB_TRY(trib_truth_open(t->o.boxes, NULL, &b->truth));
    b->opened = true;
    trib_train_say(t, "note: %s is %s", t->o.boxes, b->truth.taken);
    TRIB_TRY(trib_with_name(trib_boxes_check(&b->truth.truths, NULL), t->o.boxes));
    if (!b->truth.truths.count) return TRIB_ERROR(TRIB_BAD_DATA, "%s: has no boxes", trib_shorten(t->o.boxes).text);
    TRIB_TRY(trib_image_names_of(&b->truth.truths, &b->names));
    TRIB_TRY(sort_items(b));
    return trib_with_name(list_classes(b), t->o.boxes);
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
    const int background = t->init ? trib_background_class(t->init) : TRIB_NO_BACKGROUND;
    if (background == TRIB_NO_BACKGROUND || trib_model_network(t->init)->classes != b->classes) return trib_success();
    for (int i = 0; i < b->classes; ++i)
        if (i != b->background && find_label(t->init, b->labels[i]) < 0) return trib_success();
    for (size_t i = 0; i < b->truth.truths.category_count; ++i) {
        b->class_of[i] = find_label(t->init, b->truth.truths.categories[i].name);
        b->labels[b->class_of[i]] = b->truth.truths.categories[i].name;
    }
    b->background = background;
    b->labels[background] = trib_model_label(t->init, background);
    return trib_success();
}

trib_status trib_train_choose_context(trib_train *t)
{
    if (!t->o.context) t->o.context = trib_region_context(t->net.width, t->net.height);
    trib_region box = { .width = 1, .height = 1 };
    return trib_region_with_context(&box, t->net.width, t->net.height, t->o.context, &box);
}

void trib_train_close_boxes(trib_train *t)
{
    trib_train_boxes *b = &t->boxes;
    trib_training_windows_destroy(b->windows);
    trib_image_names_release(&b->names);
    trib_free(b->items);
    trib_free(b->first);
    trib_free(b->by);
    trib_free(b->labels);
    trib_free(b->class_of);
    if (b->opened) trib_truth_close(&b->truth);
    *b = (trib_train_boxes) { 0 };
}
