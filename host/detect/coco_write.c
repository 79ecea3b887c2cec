/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/coco.h"

#include "train/number.h"

static void put_box(const trib_box *box, trib_text *text)
{
    const double sides[4] = { box->x, box->y, box->width, box->height };
    char number[TRIB_NUMBER_TEXT];
    trib_text_add(text, "\"bbox\": [");
    for (int i = 0; i < 4; ++i) trib_text_format(text, "%s%s", i ? ", " : "", trib_number_text(sides[i], number));
    trib_text_add(text, "]");
}

static void put_place(const trib_truths *truths, int image, int category, trib_text *text)
{
    trib_text_format(text, "\"image_id\": %lld, \"category_id\": %lld, ", (long long)truths->images[image].id,
                     (long long)truths->categories[category].id);
}

static void put_images(const trib_truths *truths, trib_text *text)
{
    trib_text_add(text, "{\"images\": [");
    for (size_t i = 0; i < truths->image_count; ++i) {
        const trib_boxed_image *image = &truths->images[i];
        trib_text_format(text, "%s\n {\"id\": %lld, \"file_name\": ", i ? "," : "", (long long)image->id);
        trib_text_json_any(text, image->name);
        if (image->width && image->height)
            trib_text_format(text, ", \"width\": %d, \"height\": %d", image->width, image->height);
        trib_text_add(text, "}");
    }
    trib_text_add(text, "],\n");
}

static void put_categories(const trib_truths *truths, trib_text *text)
{
    trib_text_add(text, "\"categories\": [");
    for (size_t i = 0; i < truths->category_count; ++i) {
        trib_text_format(text, "%s\n {\"id\": %lld, \"name\": ", i ? "," : "", (long long)truths->categories[i].id);
        trib_text_json_any(text, truths->categories[i].name);
        trib_text_add(text, "}");
    }
    trib_text_add(text, "],\n");
}

void trib_coco_write(const trib_truths *truths, trib_text *text)
{
    char number[TRIB_NUMBER_TEXT];
    put_images(truths, text);
    put_categories(truths, text);
    trib_text_add(text, "\"annotations\": [");
    for (size_t i = 0; i < truths->count; ++i) {
        const trib_truth *t = &truths->items[i];
        trib_text_format(text, "%s\n {\"id\": %zu, ", i ? "," : "", i + 1);
        put_place(truths, t->image, t->category, text);
        put_box(&t->box, text);
        trib_text_format(text, ", \"area\": %s, \"iscrowd\": %d%s}", trib_number_text(t->area, number), t->crowd,
                         t->difficult ? ", \"ignore\": 1" : "");
    }
    trib_text_add(text, "]}\n");
}

void trib_coco_write_results(const trib_truths *truths, const trib_detections *detections, trib_text *text)
{
    char number[TRIB_NUMBER_TEXT];
    trib_text_add(text, "[");
    for (size_t i = 0; i < detections->count; ++i) {
        const trib_detection *d = &detections->items[i];
        trib_text_add(text, i ? ",\n {" : "\n {");
        put_place(truths, d->image, d->category, text);
        put_box(&d->box, text);
        trib_text_format(text, ", \"score\": %s}", trib_number_text(d->score, number));
    }
    trib_text_add(text, "]\n");
}
