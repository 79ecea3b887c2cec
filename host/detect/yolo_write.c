/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "data/file.h"
#include "detect/file_names.h"
#include "detect/keys.h"
#include "detect/path.h"
#include "detect/yolo.h"
#include "train/number.h"
#include "tributary/internal/alloc.h"

static void parts_of(const trib_boxed_image *image, const trib_box *box, double parts[4])
{
    parts[0] = (box->x + box->width / 2) / image->width;
    parts[1] = (box->y + box->height / 2) / image->height;
    parts[2] = box->width / image->width;
    parts[3] = box->height / image->height;
}

static bool can_be_read(const double parts[4])
{
    for (int i = 0; i < 4; ++i)
        if (!trib_yolo_is_part(parts[i])) return false;
    return true;
}

/* One that lies outside becomes a line of the image's edge. */
static trib_box inside(const trib_boxed_image *image, const trib_box *box)
{
    const double left = fmin(fmax(box->x, 0), image->width), top = fmin(fmax(box->y, 0), image->height);
    const double right = fmin(fmax(box->x + box->width, 0), image->width);
    const double bottom = fmin(fmax(box->y + box->height, 0), image->height);
    return (trib_box) { left, top, right - left, bottom - top };
}

static void put_box(const trib_boxed_image *image, int category, const trib_box *box, trib_text *text, size_t *clipped)
{
    double parts[4];
    parts_of(image, box, parts);
    if (!can_be_read(parts)) {
        const trib_box part = inside(image, box);
        parts_of(image, &part, parts);
        ++*clipped;
    }
    char number[TRIB_NUMBER_TEXT];
    trib_text_format(text, "%d", category);
    for (int i = 0; i < 4; ++i) trib_text_format(text, " %s", trib_number_text(parts[i], number));
}

trib_status trib_yolo_write(const trib_truths *truths, const trib_detections *detections, const trib_by_image *places,
                            int image, trib_text *text, size_t *clipped)
{
    const trib_boxed_image *im = &truths->images[image];
    char number[TRIB_NUMBER_TEXT];
    if (!im->width || !im->height)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: the image's size is not known, and YOLO's boxes are parts of it",
                          trib_shorten(im->name).text);
    for (size_t i = places->first[image]; i < places->first[image + 1]; ++i) {
        const trib_truth *t = detections ? NULL : &truths->items[places->list[i]];
        const trib_detection *d = detections ? &detections->items[places->list[i]] : NULL;
        put_box(im, d ? d->category : t->category, d ? &d->box : &t->box, text, clipped);
        if (d) trib_text_format(text, " %s", trib_number_text(d->score, number));
        trib_text_add(text, "\n");
    }
    return trib_success();
}

static trib_status write_of_image(const trib_truths *truths, const trib_detections *detections,
                                  const trib_by_image *places, int image, const char *folder, size_t *clipped)
{
    trib_text text = { 0 };
    char *path = NULL;
    size_t length = 0;
    const char *stem = trib_stem(truths->images[image].name, &length);
    TRIB_TRY(trib_join_path(folder, stem, length, ".txt", &path));
    trib_text_add(&text, "");
    trib_status s = trib_yolo_write(truths, detections, places, image, &text, clipped);
    if (!trib_failed(&s)) s = trib_write_text(path, &text);
    trib_text_free(&text);
    trib_free(path);
    return s;
}

trib_status trib_yolo_write_folder(const trib_truths *truths, const trib_detections *detections, const char *folder,
                                   size_t *clipped)
{
    size_t count = 0;
    TRIB_TRY(trib_check_file_names(truths, detections ? NULL : "classes"));
    trib_by_image places = { 0 };
    trib_status s =
        detections ? trib_detections_by_image(truths, detections, &places) : trib_truths_by_image(truths, &places);
    for (size_t i = 0; i < truths->image_count && !trib_failed(&s); ++i)
        s = write_of_image(truths, detections, &places, (int)i, folder, &count);
    trib_by_image_release(&places);
    if (clipped) *clipped = count;
    return s;
}
