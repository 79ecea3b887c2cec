/* SPDX-License-Identifier: Apache-2.0
 * Detections as an object per image and line. */
#include <math.h>
#include <string.h>

#include "data/file.h"
#include "detect/detection_names.h"
#include "detect/fields.h"
#include "detect/truth_private.h"
#include "formats/json.h"

typedef struct json_line {
    const char *name; /* of the file */
    size_t number;
    const char *image;
    trib_detection_names names;
    trib_detections *detections;
} json_line;

static trib_status line_error(const json_line *l, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s, line %zu: %s", trib_shorten(l->name).text, l->number, what);
}

static const cJSON *member(const cJSON *item, const char *name) { return cJSON_GetObjectItemCaseSensitive(item, name); }

static bool read_box(const cJSON *list, trib_box *box)
{
    double n[4] = { 0 };
    int count = 0;
    const cJSON *number;
    cJSON_ArrayForEach(number, list)
    {
        if (count == 4 || !cJSON_IsNumber(number)) return false;
        n[count++] = number->valuedouble;
    }
    *box = (trib_box) { n[0], n[1], n[2], n[3] };
    return count == 4 && cJSON_IsArray(list);
}

static trib_status take(json_line *l, const cJSON *item)
{
    trib_detection d = { 0 };
    char fault[TRIB_DETECTION_FAULT_TEXT];
    const char *label = cJSON_GetStringValue(member(item, "label"));
    const cJSON *score = member(item, "score");
    if (!label) return line_error(l, "a detection without \"label\"");
    if (!cJSON_IsNumber(score) || !isfinite(score->valuedouble)) return line_error(l, "a detection without \"score\"");
    d.score = score->valuedouble;
    if (!read_box(member(item, "bbox"), &d.box)) return line_error(l, "\"bbox\" is not a list of four numbers");
    if (trib_box_fault(&d.box)) return line_error(l, trib_box_fault(&d.box));
    TRIB_TRY(trib_name_detection(&l->names, l->image, label, &d, fault));
    if (*fault) return line_error(l, fault);
    return trib_detections_add(l->detections, &d);
}

static trib_status take_line(json_line *l, const cJSON *json)
{
    const cJSON *item, *list = member(json, "detections");
    l->image = cJSON_GetStringValue(member(json, "filename"));
    if (!l->image) l->image = cJSON_GetStringValue(member(json, "image"));
    if (!l->image) return line_error(l, "\"filename\" is missing");
    if (!list && member(json, "error")) return trib_success();
    if (!cJSON_IsArray(list)) return line_error(l, "\"detections\" is not a list");
    cJSON_ArrayForEach(item, list) TRIB_TRY(take(l, item));
    return trib_success();
}

static trib_status read_line(json_line *l, const char *bytes, size_t size)
{
    cJSON *json = NULL;
    trib_status s = trib_json_parse(bytes, size, &json);
    if (trib_failed(&s)) {
        trib_add_context(&s, "%s, line %zu", trib_shorten(l->name).text, l->number);
        return s;
    }
    s = take_line(l, json);
    trib_json_free(json);
    return s;
}

static bool is_blank(const char *bytes, size_t size) { return !trib_first_character(bytes, size); }

static trib_status read_lines(json_line *l, const char *bytes, size_t size)
{
    const char *end = bytes + size;
    for (bytes += trib_mark_length(bytes, size); bytes < end; ++l->number) {
        const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        const size_t length = (size_t)((stop ? stop : end) - bytes);
        if (!is_blank(bytes, length)) TRIB_TRY(read_line(l, bytes, length));
        bytes += stop ? length + 1 : length;
    }
    return trib_success();
}

trib_status trib_read_detection_jsonl(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                      trib_detections *detections)
{
    json_line l = { .name = name, .number = 1, .detections = detections };
    TRIB_TRY(trib_detection_names_of(truths, &l.names));
    trib_status s = read_lines(&l, bytes, size);
    trib_detection_names_release(&l.names);
    return s;
}
