/* SPDX-License-Identifier: Apache-2.0
 * Twice through the file: what boxes refer to may come after them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "detect/coco.h"
#include "detect/detection_names.h"
#include "detect/fields.h"
#include "detect/json_walk.h"
#include "detect/keys.h"
#include "detect/truth_fault.h"
#include "tributary/internal/alloc.h"

typedef struct reading reading;
typedef trib_status (*take_item)(reading *r, const cJSON *item);

struct reading {
    trib_json_walk walk;
    trib_truths *truths; /* NULL when reading results */
    const trib_truths *known;
    trib_detections *detections;
    trib_keys images, categories;
    trib_detection_names names; /* once a result has some */
    const char *list;           /* at hand, and the place in it from 1 on, for messages */
    size_t place;
};

/* ---- one item ---- */

static trib_status item_error(const reading *r, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s, %s %zu: %s", trib_shorten(r->walk.name).text, r->list, r->place, what);
}

static trib_status with_place(const reading *r, trib_status s)
{
    if (trib_failed(&s)) trib_add_context(&s, "%s, %s %zu", trib_shorten(r->walk.name).text, r->list, r->place);
    return s;
}

static const cJSON *member(const cJSON *item, const char *name) { return cJSON_GetObjectItemCaseSensitive(item, name); }

static trib_status read_id(const reading *r, const cJSON *item, const char *name, int64_t *id)
{
    char what[100];
    if (trib_json_integer(member(item, name), id)) return trib_success();
    snprintf(what, sizeof what, "\"%s\" is missing, or not a whole number from 0 on", name);
    return item_error(r, what);
}

/* 0 where it is missing. */
static trib_status read_side(const reading *r, const cJSON *item, const char *name, int *side)
{
    int64_t value = 0;
    const cJSON *number = member(item, name);
    if (number && !cJSON_IsNull(number) && (!trib_json_integer(number, &value) || value > 1 << 24))
        return item_error(r, "\"width\" or \"height\" is no size of an image");
    *side = (int)value;
    return trib_success();
}

static trib_status take_image(reading *r, const cJSON *item)
{
    int64_t id = 0;
    int width = 0, height = 0;
    char number[32];
    TRIB_TRY(read_id(r, item, "id", &id));
    TRIB_TRY(read_side(r, item, "width", &width));
    TRIB_TRY(read_side(r, item, "height", &height));
    snprintf(number, sizeof number, "%lld", (long long)id);
    const char *name = cJSON_GetStringValue(member(item, "file_name"));
    return with_place(r, trib_truths_add_image(r->truths, name ? name : number, id, width, height));
}

static trib_status take_category(reading *r, const cJSON *item)
{
    int64_t id = 0;
    TRIB_TRY(read_id(r, item, "id", &id));
    const char *name = cJSON_GetStringValue(member(item, "name"));
    if (!name) return item_error(r, "\"name\" is missing");
    return with_place(r, trib_truths_add_category(r->truths, name, id));
}

static trib_status read_place(const reading *r, const cJSON *item, int *image, int *category)
{
    int64_t image_id = 0, category_id = 0;
    char what[100];
    TRIB_TRY(read_id(r, item, "image_id", &image_id));
    TRIB_TRY(read_id(r, item, "category_id", &category_id));
    *image = trib_find_id(&r->images, image_id);
    *category = trib_find_id(&r->categories, category_id);
    if (*image >= 0 && *category >= 0) return trib_success();
    snprintf(what, sizeof what, "there is no %s with number %lld", *image < 0 ? "image" : "category",
             (long long)(*image < 0 ? image_id : category_id));
    return item_error(r, what);
}

static trib_status read_box(const reading *r, const cJSON *item, trib_box *box)
{
    double n[4] = { 0 };
    int count = 0;
    const cJSON *number, *list = member(item, "bbox");
    cJSON_ArrayForEach(number, list)
    {
        if (count == 4 || !cJSON_IsNumber(number)) return item_error(r, "\"bbox\" is not a list of four numbers");
        n[count++] = number->valuedouble;
    }
    if (!cJSON_IsArray(list) || count != 4) return item_error(r, "\"bbox\" is not a list of four numbers");
    *box = (trib_box) { n[0], n[1], n[2], n[3] };
    const char *fault = trib_box_fault(box);
    return fault ? item_error(r, fault) : trib_success();
}

/* Missing: `*out` stays. */
static trib_status read_number(const reading *r, const cJSON *item, const char *name, double *out)
{
    char what[100];
    const cJSON *value = member(item, name);
    if (!value || cJSON_IsNull(value)) return trib_success();
    if (cJSON_IsNumber(value) && isfinite(value->valuedouble))
        *out = value->valuedouble;
    else if (cJSON_IsBool(value))
        *out = cJSON_IsTrue(value);
    else
        return snprintf(what, sizeof what, "\"%s\" is not a number", name), item_error(r, what);
    return trib_success();
}

static trib_status take_annotation(reading *r, const cJSON *item)
{
    trib_truth t = { 0 };
    double crowd = 0, ignore = 0;
    TRIB_TRY(read_place(r, item, &t.image, &t.category));
    TRIB_TRY(read_box(r, item, &t.box));
    t.area = trib_box_area(&t.box);
    TRIB_TRY(read_number(r, item, "area", &t.area));
    TRIB_TRY(read_number(r, item, "iscrowd", &crowd));
    TRIB_TRY(read_number(r, item, "ignore", &ignore));
    t.crowd = crowd != 0;
    t.difficult = ignore != 0;
    if (!(t.area >= 0 && t.area <= 1e18)) return item_error(r, "\"area\" is negative or too large");
    if (trib_is_outside(&t.box, &r->truths->images[t.image])) return item_error(r, "the box is outside of its image");
    return trib_truths_add(r->truths, &t);
}

/* Numbers of a file that was written without the truth are those of its own inputs: names come first. */
static trib_status read_names(reading *r, const char *image, const char *category, trib_detection *d)
{
    char fault[TRIB_DETECTION_FAULT_TEXT];
    if (!r->names.truths) TRIB_TRY(trib_with_name(trib_detection_names_of(r->known, &r->names), r->walk.name));
    TRIB_TRY(trib_with_name(trib_name_detection(&r->names, image, category, d, fault), r->walk.name));
    return *fault ? item_error(r, fault) : trib_success();
}

static trib_status take_result(reading *r, const cJSON *item)
{
    trib_detection d = { .score = NAN };
    const char *image = cJSON_GetStringValue(member(item, "file_name"));
    const char *category = cJSON_GetStringValue(member(item, "category"));
    TRIB_TRY(image && category ? read_names(r, image, category, &d) : read_place(r, item, &d.image, &d.category));
    TRIB_TRY(read_box(r, item, &d.box));
    TRIB_TRY(read_number(r, item, "score", &d.score));
    if (!isfinite(d.score)) return item_error(r, "\"score\" is missing");
    return trib_detections_add(r->detections, &d);
}

/* ---- lists of them ---- */

static trib_status read_list(reading *r, const char *list, take_item take)
{
    r->list = list;
    r->place = 0;
    if (trib_json_kind(&r->walk) != '[') return trib_json_walk_error(&r->walk, "this is not a list");
    trib_json_enter(&r->walk);
    for (bool end = false;;) {
        cJSON *item = NULL;
        TRIB_TRY(trib_json_element(&r->walk, r->place == 0, &end));
        if (end) return trib_success();
        ++r->place;
        TRIB_TRY(trib_json_value(&r->walk, &item));
        trib_status s = cJSON_IsObject(item) ? take(r, item) : item_error(r, "this is not an object");
        trib_json_free(item);
        if (trib_failed(&s)) return s;
    }
}

typedef struct wanted {
    const char *name, *item;
    take_item take;
    bool seen;
} wanted;

static trib_status read_member(reading *r, const char *name, wanted *lists, int count)
{
    for (int i = 0; i < count; ++i) {
        if (strcmp(name, lists[i].name)) continue;
        if (lists[i].seen) return trib_json_walk_error(&r->walk, "a list that appears twice");
        lists[i].seen = true;
        return read_list(r, lists[i].item, lists[i].take);
    }
    return trib_json_skip(&r->walk);
}

/* The outer object's members of these names; others are passed over. */
static trib_status read_lists(reading *r, wanted *lists, int count)
{
    r->walk.at = 0;
    if (trib_json_kind(&r->walk) != '{')
        return trib_json_walk_error(
            &r->walk, "no object with \"images\", \"categories\" and \"annotations\"; this is not COCO's truth");
    trib_json_enter(&r->walk);
    for (bool first = true;; first = false) {
        cJSON *key = NULL;
        TRIB_TRY(trib_json_member(&r->walk, first, &key));
        if (!key) break;
        trib_status s = read_member(r, cJSON_GetStringValue(key), lists, count);
        trib_json_free(key);
        if (trib_failed(&s)) return s;
    }
    for (int i = 0; i < count; ++i)
        if (!lists[i].seen)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: has no \"%s\"; this is not COCO's truth",
                              trib_shorten(r->walk.name).text, lists[i].name);
    return trib_json_at_end(&r->walk);
}

static int image_by_id(const void *first, const void *second)
{
    const trib_boxed_image *a = first, *b = second;
    return (a->id > b->id) - (a->id < b->id);
}

static int category_by_id(const void *first, const void *second)
{
    const trib_category *a = first, *b = second;
    return (a->id > b->id) - (a->id < b->id);
}

static trib_status make_keys(reading *r)
{
    TRIB_TRY(trib_with_name(trib_keys_of_image_ids(r->known, &r->images), r->walk.name));
    return trib_with_name(trib_keys_of_category_ids(r->known, &r->categories), r->walk.name);
}

static trib_status read_truths(reading *r)
{
    wanted before[] = { { "images", "image", take_image, false }, { "categories", "category", take_category, false } };
    wanted boxes[] = { { "annotations", "annotation", take_annotation, false } };
    trib_truths *t = r->truths;
    TRIB_TRY(read_lists(r, before, 2));
    if (t->image_count) qsort(t->images, t->image_count, sizeof *t->images, image_by_id);
    if (t->category_count) qsort(t->categories, t->category_count, sizeof *t->categories, category_by_id);
    TRIB_TRY(make_keys(r));
    return read_lists(r, boxes, 1);
}

static trib_status read_results(reading *r)
{
    TRIB_TRY(make_keys(r));
    TRIB_TRY(read_list(r, "result", take_result));
    return trib_json_at_end(&r->walk);
}

static void release(reading *r)
{
    trib_keys_release(&r->images);
    trib_keys_release(&r->categories);
    trib_detection_names_release(&r->names);
}

trib_status trib_coco_read(const char *bytes, size_t size, const char *name, trib_truths *truths)
{
    reading r = { .walk = { bytes, size, 0, name }, .truths = truths, .known = truths };
    trib_status s = read_truths(&r);
    release(&r);
    return s;
}

trib_status trib_coco_read_results(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                   trib_detections *detections)
{
    reading r = { .walk = { bytes, size, 0, name }, .known = truths, .detections = detections };
    trib_status s = read_results(&r);
    release(&r);
    return s;
}

trib_status trib_coco_read_file(const char *path, trib_truths *truths)
{
    char *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_text(path, &bytes, &size));
    trib_status s = trib_coco_read(bytes, size, path, truths);
    trib_free(bytes);
    return s;
}

trib_status trib_coco_read_results_file(const char *path, const trib_truths *truths, trib_detections *detections)
{
    char *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_text(path, &bytes, &size));
    trib_status s = trib_coco_read_results(bytes, size, path, truths, detections);
    trib_free(bytes);
    return s;
}
