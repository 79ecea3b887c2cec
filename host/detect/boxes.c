/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/boxes.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "formats/json.h"
#include "tributary/internal/alloc.h"

void trib_truths_release(trib_truths *truths)
{
    for (size_t i = 0; i < truths->image_count; ++i) trib_free(truths->images[i].name);
    for (size_t i = 0; i < truths->category_count; ++i) trib_free(truths->categories[i].name);
    trib_free(truths->images);
    trib_free(truths->categories);
    trib_free(truths->items);
    *truths = (trib_truths) { 0 };
}

void trib_detections_release(trib_detections *detections)
{
    trib_free(detections->items);
    *detections = (trib_detections) { 0 };
}

/* ---- adding ---- */

static trib_status copy_name(const char *name, const char *what, char **out)
{
    if (!*name || strlen(name) > TRIB_MAX_BOX_NAME)
        return TRIB_ERROR(TRIB_BAD_DATA, "the name of %s is empty or has more than %d bytes", what, TRIB_MAX_BOX_NAME);
    if (trib_has_control_characters(name))
        return TRIB_ERROR(TRIB_BAD_DATA, "the name of %s has control characters", what);
    *out = trib_strdup(name);
    return *out ? trib_success() : trib_no_memory(what);
}

trib_status trib_truths_add_image(trib_truths *truths, const char *name, int64_t id, int width, int height)
{
    char *copy = NULL;
    if (truths->image_count >= INT_MAX) return TRIB_ERROR(TRIB_BAD_DATA, "more than %d images", INT_MAX);
    TRIB_TRY(copy_name(name, "an image", &copy));
    if (trib_grow((void **)&truths->images, &truths->image_capacity, truths->image_count + 1, sizeof *truths->images)) {
        trib_free(copy);
        return trib_no_memory("images of boxes");
    }
    truths->images[truths->image_count++] = (trib_boxed_image) { copy, id, width, height };
    return trib_success();
}

trib_status trib_truths_name_image(trib_truths *truths, size_t image, const char *name)
{
    char *copy = NULL;
    TRIB_TRY(copy_name(name, "an image", &copy));
    trib_free(truths->images[image].name);
    truths->images[image].name = copy;
    return trib_success();
}

trib_status trib_truths_add_category(trib_truths *truths, const char *name, int64_t id)
{
    char *copy = NULL;
    if (truths->category_count >= TRIB_MAX_CATEGORIES)
        return TRIB_ERROR(TRIB_BAD_DATA, "more than %d categories of boxes", TRIB_MAX_CATEGORIES);
    TRIB_TRY(copy_name(name, "a category", &copy));
    if (trib_grow((void **)&truths->categories, &truths->category_capacity, truths->category_count + 1,
                  sizeof *truths->categories)) {
        trib_free(copy);
        return trib_no_memory("categories of boxes");
    }
    truths->categories[truths->category_count++] = (trib_category) { copy, id };
    return trib_success();
}

trib_status trib_truths_category(trib_truths *truths, const char *name, int *index)
{
    for (size_t i = 0; i < truths->category_count; ++i) {
        if (strcmp(truths->categories[i].name, name)) continue;
        *index = (int)i;
        return trib_success();
    }
    TRIB_TRY(trib_truths_add_category(truths, name, (int64_t)truths->category_count + 1));
    *index = (int)truths->category_count - 1;
    return trib_success();
}

trib_status trib_truths_add(trib_truths *truths, const trib_truth *truth)
{
    if (trib_grow((void **)&truths->items, &truths->capacity, truths->count + 1, sizeof *truth))
        return trib_no_memory("boxes");
    truths->items[truths->count++] = *truth;
    return trib_success();
}

trib_status trib_detections_add(trib_detections *detections, const trib_detection *detection)
{
    if (trib_grow((void **)&detections->items, &detections->capacity, detections->count + 1, sizeof *detection))
        return trib_no_memory("detections");
    detections->items[detections->count++] = *detection;
    return trib_success();
}

/* ---- checking ---- */

const char *trib_box_fault(const trib_box *box)
{
    const double far = 1e9; /* sums and products of such numbers are still far from the largest double */
    if (!(fabs(box->x) <= far && fabs(box->y) <= far && box->width <= far && box->height <= far))
        return "a coordinate is not a number, or beyond 1e9";
    if (!(box->width >= 0 && box->height >= 0)) return "its right or lower edge is before the other one";
    return NULL;
}

static const char *place_fault(const trib_truths *truths, int image, int category)
{
    if (image < 0 || (size_t)image >= truths->image_count) return "it is of no image of the set";
    if (category < 0 || (size_t)category >= truths->category_count) return "it is of no category of the set";
    return NULL;
}

static trib_status check_truth(const trib_truths *truths, size_t i)
{
    const trib_truth *t = &truths->items[i];
    const char *fault = place_fault(truths, t->image, t->category);
    if (!fault) fault = trib_box_fault(&t->box);
    if (!fault && !(t->area >= 0 && t->area <= 1e18)) fault = "its area is no number from 0 on";
    return fault ? TRIB_ERROR(TRIB_BAD_DATA, "box %zu of the truth: %s", i + 1, fault) : trib_success();
}

trib_status trib_boxes_check(const trib_truths *truths, const trib_detections *detections)
{
    for (size_t i = 0; i < truths->count; ++i) TRIB_TRY(check_truth(truths, i));
    for (size_t i = 0; detections && i < detections->count; ++i) {
        const trib_detection *d = &detections->items[i];
        const char *fault = place_fault(truths, d->image, d->category);
        if (!fault) fault = trib_box_fault(&d->box);
        if (!fault && !isfinite(d->score)) fault = "its score is not a finite number";
        if (fault) return TRIB_ERROR(TRIB_BAD_DATA, "detection %zu: %s", i + 1, fault);
    }
    return trib_success();
}

/* ---- overlap ---- */

double trib_box_area(const trib_box *box) { return box->width * box->height; }

double trib_box_intersection(const trib_box *a, const trib_box *b)
{
    const double width = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    const double height = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);
    return width > 0 && height > 0 ? width * height : 0;
}

double trib_box_iou(const trib_box *a, const trib_box *b)
{
    const double shared = trib_box_intersection(a, b);
    return shared > 0 ? shared / (trib_box_area(a) + trib_box_area(b) - shared) : 0;
}
