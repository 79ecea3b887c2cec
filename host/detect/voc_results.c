/* SPDX-License-Identifier: Apache-2.0 */
#include "data/file.h"
#include "detect/fields.h"
#include "detect/keys.h"
#include "detect/voc.h"
#include "train/number.h"

static trib_status read_line(const trib_lines *line, int category, int first_pixel, const trib_keys *stems,
                             trib_detections *detections)
{
    double n[5];
    if (line->count != 6) return trib_line_error(line, "not the six words IMAGE SCORE XMIN YMIN XMAX YMAX");
    for (int i = 0; i < 5; ++i)
        if (!trib_parse_number(line->words[i + 1], &n[i]))
            return trib_line_error(line, "a score or edge is not a number");
    const trib_box box = { n[1] - first_pixel, n[2] - first_pixel, n[3] - n[1] + 1, n[4] - n[2] + 1 };
    const trib_detection d = { trib_find_stem(stems, line->words[0]), category, box, n[0] };
    if (d.image < 0) return trib_line_error(line, "the image is not one of the truth's");
    const char *fault = trib_box_fault(&box);
    return fault ? trib_line_error(line, fault) : trib_detections_add(detections, &d);
}

static trib_status read_lines(trib_lines *lines, int category, int first_pixel, const trib_keys *stems,
                              trib_detections *detections)
{
    for (bool end = false;;) {
        TRIB_TRY(trib_lines_next(lines, &end));
        if (end) return trib_success();
        TRIB_TRY(read_line(lines, category, first_pixel, stems, detections));
    }
}

trib_status trib_voc_read_results(const char *bytes, size_t size, const char *name, int category, int first_pixel,
                                  const trib_truths *truths, trib_detections *detections)
{
    trib_keys stems = { 0 };
    trib_lines lines;
    TRIB_TRY(trib_keys_of_stems(truths, &stems));
    trib_lines_start(&lines, bytes, size, name);
    trib_status s = read_lines(&lines, category, first_pixel, &stems, detections);
    trib_keys_release(&stems);
    return s;
}

void trib_voc_write_results(const trib_truths *truths, const trib_detections *detections, int category, int first_pixel,
                            trib_text *text)
{
    char number[TRIB_NUMBER_TEXT];
    for (size_t i = 0; i < detections->count; ++i) {
        const trib_detection *d = &detections->items[i];
        if (d->category != category) continue;
        size_t length = 0;
        const char *stem = trib_stem(truths->images[d->image].name, &length);
        const double words[5] = { d->score, d->box.x + first_pixel, d->box.y + first_pixel,
                                  d->box.x + d->box.width - 1 + first_pixel,
                                  d->box.y + d->box.height - 1 + first_pixel };
        trib_text_put(text, stem, length);
        for (int w = 0; w < 5; ++w) trib_text_format(text, " %s", trib_number_text(words[w], number));
        trib_text_add(text, "\n");
    }
}
