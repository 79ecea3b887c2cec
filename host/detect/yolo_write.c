/* SPDX-License-Identifier: Apache-2.0 */
#include "data/file.h"
#include "detect/keys.h"
#include "detect/path.h"
#include "detect/yolo.h"
#include "train/number.h"
#include "tributary/internal/alloc.h"

static void put_box(const trib_boxed_image *image, int category, const trib_box *box, trib_text *text)
{
    const double parts[4] = { (box->x + box->width / 2) / image->width, (box->y + box->height / 2) / image->height,
                              box->width / image->width, box->height / image->height };
    char number[TRIB_NUMBER_TEXT];
    trib_text_format(text, "%d", category);
    for (int i = 0; i < 4; ++i) trib_text_format(text, " %s", trib_number_text(parts[i], number));
}

trib_status trib_yolo_write(const trib_truths *truths, const trib_detections *detections, int image, trib_text *text)
{
    const trib_boxed_image *im = &truths->images[image];
    char number[TRIB_NUMBER_TEXT];
    if (!im->width || !im->height)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: the image's size is not known, and YOLO's boxes are parts of it",
                          trib_shorten(im->name).text);
    for (size_t i = 0; !detections && i < truths->count; ++i) {
        const trib_truth *t = &truths->items[i];
        if (t->image != image) continue;
        put_box(im, t->category, &t->box, text);
        trib_text_add(text, "\n");
    }
    for (size_t i = 0; detections && i < detections->count; ++i) {
        const trib_detection *d = &detections->items[i];
        if (d->image != image) continue;
        put_box(im, d->category, &d->box, text);
        trib_text_format(text, " %s\n", trib_number_text(d->score, number));
    }
    return trib_success();
}

static trib_status write_of_image(const trib_truths *truths, const trib_detections *detections, int image,
                                  const char *folder)
{
    trib_text text = { 0 };
    char *path = NULL;
    size_t length = 0;
    const char *stem = trib_stem(truths->images[image].name, &length);
    TRIB_TRY(trib_join_path(folder, stem, length, ".txt", &path));
    trib_text_add(&text, "");
    trib_status s = trib_yolo_write(truths, detections, image, &text);
    if (!trib_failed(&s)) s = trib_write_text(path, &text);
    trib_text_free(&text);
    trib_free(path);
    return s;
}

trib_status trib_yolo_write_folder(const trib_truths *truths, const trib_detections *detections, const char *folder)
{
    trib_keys stems = { 0 };
    TRIB_TRY(trib_keys_of_stems(truths, &stems));
    trib_keys_release(&stems);
    for (size_t i = 0; i < truths->image_count; ++i) TRIB_TRY(write_of_image(truths, detections, (int)i, folder));
    return trib_success();
}
