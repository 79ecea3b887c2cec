/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "detect/fields.h"
#include "detect/keys.h"
#include "detect/path.h"
#include "detect/yolo.h"
#include "tributary/internal/alloc.h"

/* ---- names ---- */

trib_status trib_yolo_read_names(const char *bytes, size_t size, const char *name, trib_truths *truths)
{
    trib_lines lines;
    size_t blank = 0; /* the first blank line since the last name */
    trib_lines_start(&lines, bytes, size, name);
    for (bool end = false;;) {
        TRIB_TRY(trib_lines_next_whole(&lines, &end));
        if (end) return trib_success();
        if (!lines.count && !blank) blank = lines.number;
        if (!lines.count) continue;
        if (blank) {
            lines.number = blank;
            return trib_line_error(&lines, "a blank line among the names, whose place is the class's number; give the "
                                           "class a name, or remove the line if it is none");
        }
        TRIB_TRY(
            trib_with_name(trib_truths_add_category(truths, lines.words[0], (int64_t)truths->category_count), name));
    }
}

/* ---- boxes ---- */

static trib_status read_class(const trib_lines *line, const trib_truths *truths, int *category)
{
    int64_t class = 0;
    if (!trib_parse_integer(line->words[0], &class) || class < 0)
        return trib_line_error(line, "the class is not a whole number from 0 on");
    if ((uint64_t) class >= truths->category_count)
        return trib_line_error(line, "the class has no name in the list of names");
    *category = (int)class;
    return trib_success();
}

static trib_status read_box(const trib_lines *line, const trib_boxed_image *image, trib_box *box)
{
    double part[4]; /* cx cy w h */
    if (!image->width || !image->height) return trib_line_error(line, "the size of this file's image is not known");
    for (int i = 0; i < 4; ++i) {
        if (!trib_parse_number(line->words[i + 1], &part[i]))
            return trib_line_error(line, "a coordinate is not a number");
        if (!trib_yolo_is_part(part[i]))
            return trib_line_error(line, "a coordinate is not in 0 .. 1, a part of the image's width or height");
        part[i] = fmin(fmax(part[i], 0), 1);
    }
    *box = (trib_box) { (part[0] - part[2] / 2) * image->width, (part[1] - part[3] / 2) * image->height,
                        part[2] * image->width, part[3] * image->height };
    return trib_success();
}

static trib_status read_truth(const trib_lines *line, int image, trib_truths *truths)
{
    trib_truth t = { .image = image };
    if (line->count != 5) return trib_line_error(line, "not the five words CLASS CX CY W H");
    TRIB_TRY(read_class(line, truths, &t.category));
    TRIB_TRY(read_box(line, &truths->images[image], &t.box));
    t.area = trib_box_area(&t.box);
    return trib_truths_add(truths, &t);
}

static trib_status read_result(const trib_lines *line, int image, const trib_truths *truths,
                               trib_detections *detections)
{
    trib_detection d = { .image = image };
    if (line->count != 6) return trib_line_error(line, "not the six words CLASS CX CY W H SCORE");
    TRIB_TRY(read_class(line, truths, &d.category));
    TRIB_TRY(read_box(line, &truths->images[image], &d.box));
    if (!trib_parse_number(line->words[5], &d.score)) return trib_line_error(line, "the score is not a number");
    return trib_detections_add(detections, &d);
}

trib_status trib_yolo_read(const char *bytes, size_t size, const char *name, int image, trib_truths *truths)
{
    trib_lines lines;
    trib_lines_start(&lines, bytes, size, name);
    for (bool end = false;;) {
        TRIB_TRY(trib_lines_next(&lines, &end));
        if (end) return trib_success();
        TRIB_TRY(read_truth(&lines, image, truths));
    }
}

trib_status trib_yolo_read_results(const char *bytes, size_t size, const char *name, int image,
                                   const trib_truths *truths, trib_detections *detections)
{
    trib_lines lines;
    trib_lines_start(&lines, bytes, size, name);
    for (bool end = false;;) {
        TRIB_TRY(trib_lines_next(&lines, &end));
        if (end) return trib_success();
        TRIB_TRY(read_result(&lines, image, truths, detections));
    }
}

/* ---- folders ---- */

static trib_status read_of_image(const char *path, int image, trib_truths *truths, trib_detections *detections)
{
    char *bytes = NULL;
    size_t size = 0;
    trib_status s = trib_read_text(path, &bytes, &size);
    if (s.code == TRIB_NOT_FOUND) return trib_success();
    if (trib_failed(&s)) return s;
    s = detections ? trib_yolo_read_results(bytes, size, path, image, truths, detections)
                   : trib_yolo_read(bytes, size, path, image, truths);
    trib_free(bytes);
    return s;
}

trib_status trib_yolo_read_folder(const char *folder, trib_truths *truths, trib_detections *detections)
{
    trib_keys stems = { 0 };
    TRIB_TRY(trib_with_name(trib_keys_of_stems(truths, &stems), folder)); /* one file would be read for both images */
    trib_keys_release(&stems);
    for (size_t i = 0; i < truths->image_count; ++i) {
        size_t length = 0;
        char *path = NULL;
        const char *stem = trib_stem(truths->images[i].name, &length);
        TRIB_TRY(trib_join_path(folder, stem, length, ".txt", &path));
        trib_status s = read_of_image(path, (int)i, truths, detections);
        trib_free(path);
        if (trib_failed(&s)) return s;
    }
    return trib_success();
}
