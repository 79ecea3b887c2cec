/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/ilsvrc.h"

#include "detect/fields.h"
#include "detect/keys.h"
#include "train/number.h"

/* ---- classes ---- */

static trib_status add_class(const trib_lines *line, trib_truths *truths)
{
    int64_t number = 0;
    if (line->count < 2 || !trib_parse_integer(line->words[1], &number))
        return trib_line_error(line, "not WORDNET-ID NUMBER NAME");
    return trib_truths_add_category(truths, line->words[0], number);
}

trib_status trib_ilsvrc_read_classes(const char *bytes, size_t size, const char *name, trib_truths *truths)
{
    trib_lines lines;
    trib_lines_start(&lines, bytes, size, name);
    for (bool end = false;;) {
        TRIB_TRY(trib_lines_next(&lines, &end));
        if (end) return trib_success();
        TRIB_TRY(add_class(&lines, truths));
    }
}

void trib_ilsvrc_write_classes(const trib_truths *truths, trib_text *text)
{
    for (size_t i = 0; i < truths->category_count; ++i) {
        const trib_category *c = &truths->categories[i];
        trib_text_add(text, c->name);
        trib_text_format(text, " %lld ", (long long)c->id);
        trib_text_add(text, c->name);
        trib_text_add(text, "\n");
    }
}

/* ---- the list of images ---- */

void trib_ilsvrc_write_list(const trib_truths *truths, trib_text *text)
{
    for (size_t i = 0; i < truths->image_count; ++i) {
        size_t length = 0;
        const char *stem = trib_stem(truths->images[i].name, &length);
        trib_text_put(text, stem, length);
        trib_text_format(text, " %lld\n", (long long)truths->images[i].id);
    }
}

/* *complete: every line has a number, and is that of an image. */
static trib_status take_numbers(trib_lines *lines, trib_truths *truths, bool *complete)
{
    *complete = true;
    for (size_t i = 0;; ++i) {
        bool end = false;
        TRIB_TRY(trib_lines_next(lines, &end));
        if (end) return trib_success();
        *complete &=
            i < truths->image_count && lines->count > 1 && trib_parse_integer(lines->words[1], &truths->images[i].id);
    }
}

trib_status trib_ilsvrc_read_numbers(const char *bytes, size_t size, const char *name, trib_truths *truths)
{
    trib_lines lines;
    trib_keys numbers = { 0 };
    bool complete = false;
    trib_lines_start(&lines, bytes, size, name);
    TRIB_TRY(take_numbers(&lines, truths, &complete));
    trib_status s = trib_keys_of_image_ids(truths, &numbers);
    trib_keys_release(&numbers);
    if (trib_failed(&s) && s.code != TRIB_BAD_DATA) return s;
    for (size_t i = 0; i < truths->image_count && (!complete || trib_failed(&s)); ++i)
        truths->images[i].id = (int64_t)i + 1;
    return trib_success();
}

/* ---- results ---- */

static trib_status read_line(const trib_lines *line, const trib_keys *images, const trib_keys *categories,
                             trib_detections *detections)
{
    int64_t image = 0, category = 0;
    double n[5];
    if (line->count != 7) return trib_line_error(line, "not the seven words IMAGE CLASS SCORE XMIN YMIN XMAX YMAX");
    if (!trib_parse_integer(line->words[0], &image) || !trib_parse_integer(line->words[1], &category))
        return trib_line_error(line, "the image or the class is not a whole number");
    for (int i = 0; i < 5; ++i)
        if (!trib_parse_number(line->words[i + 2], &n[i]))
            return trib_line_error(line, "a score or edge is not a number");
    const trib_box box = { n[1], n[2], n[3] - n[1] + 1, n[4] - n[2] + 1 };
    const trib_detection d = { trib_find_id(images, image), trib_find_id(categories, category), box, n[0] };
    if (d.image < 0) return trib_line_error(line, "there is no image with this number");
    if (d.category < 0) return trib_line_error(line, "there is no class with this number");
    const char *fault = trib_box_fault(&box);
    return fault ? trib_line_error(line, fault) : trib_detections_add(detections, &d);
}

static trib_status read_lines(trib_lines *lines, const trib_truths *truths, trib_keys *images, trib_keys *categories,
                              trib_detections *detections)
{
    TRIB_TRY(trib_keys_of_image_ids(truths, images));
    TRIB_TRY(trib_keys_of_category_ids(truths, categories));
    for (bool end = false;;) {
        TRIB_TRY(trib_lines_next(lines, &end));
        if (end) return trib_success();
        TRIB_TRY(read_line(lines, images, categories, detections));
    }
}

trib_status trib_ilsvrc_read_results(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                     trib_detections *detections)
{
    trib_keys images = { 0 }, categories = { 0 };
    trib_lines lines;
    trib_lines_start(&lines, bytes, size, name);
    trib_status s = read_lines(&lines, truths, &images, &categories, detections);
    trib_keys_release(&images);
    trib_keys_release(&categories);
    return s;
}

void trib_ilsvrc_write_results(const trib_truths *truths, const trib_detections *detections, trib_text *text)
{
    char number[TRIB_NUMBER_TEXT];
    for (size_t i = 0; i < detections->count; ++i) {
        const trib_detection *d = &detections->items[i];
        const double words[5] = { d->score, d->box.x, d->box.y, d->box.x + d->box.width - 1,
                                  d->box.y + d->box.height - 1 };
        trib_text_format(text, "%lld %lld", (long long)truths->images[d->image].id,
                         (long long)truths->categories[d->category].id);
        for (int w = 0; w < 5; ++w) trib_text_format(text, " %s", trib_number_text(words[w], number));
        trib_text_add(text, "\n");
    }
}
