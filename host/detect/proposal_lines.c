/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/proposal_lines.h"

#include <string.h>

#include "tributary/internal/alloc.h"

void trib_proposal_line_release(trib_proposal_line *line)
{
    trib_free(line->image);
    trib_free(line->by);
    trib_proposals_release(&line->proposals);
    *line = (trib_proposal_line) { 0 };
}

void trib_proposal_line_write(const trib_proposal_line *line, trib_text *text)
{
    trib_text_add(text, "{\"image\":");
    trib_text_json_any(text, line->image);
    trib_text_format(text, ",\"sha256\":\"%.64s\",\"width\":%d,\"height\":%d", line->sha256, line->width, line->height);
    if (line->by) {
        trib_text_add(text, ",\"by\":");
        trib_text_json_any(text, line->by);
    }
    trib_text_add(text, ",\"boxes\":[");
    for (size_t i = 0; i < line->proposals.count; ++i) {
        const trib_proposal *b = &line->proposals.boxes[i];
        trib_text_format(text, "%s[%d,%d,%d,%d]", i ? "," : "", b->x0, b->y0, b->x1, b->y1);
    }
    trib_text_add(text, "]}\n");
}

/* ---- reading ---- */

static trib_status bad(const char *name, const char *why)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "'%s' of a line of proposals %s", name, why);
}

static trib_status out_of_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a line of proposals"); }

static trib_status read_text(const cJSON *object, const char *name, char **out)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsString(member)) return bad(name, member ? "is no text" : "is missing");
    *out = trib_strdup(member->valuestring);
    return *out ? trib_success() : out_of_memory();
}

static trib_status read_sha256(const cJSON *object, char out[TRIB_SHA256_TEXT])
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, "sha256");
    if (!cJSON_IsString(member)) return bad("sha256", member ? "is no text" : "is missing");
    const char *text = member->valuestring;
    if (strlen(text) != TRIB_SHA256_TEXT - 1 || strspn(text, "0123456789abcdef") != TRIB_SHA256_TEXT - 1)
        return bad("sha256", "is not 64 digits of 0 to 9 and a to f");
    memcpy(out, text, TRIB_SHA256_TEXT);
    return trib_success();
}

static trib_status read_side(const cJSON *object, const char *name, int *out)
{
    int64_t value;
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!member) return bad(name, "is missing");
    if (!trib_json_integer(member, &value) || value < 1 || value > TRIB_MAX_IMAGE_PIXELS)
        return bad(name, "is no number of pixels");
    *out = (int)value;
    return trib_success();
}

/* One side of a box: 0 <= low < high <= limit. */
static bool read_range(const cJSON *low, const cJSON *high, int limit, int *out_low, int *out_high)
{
    int64_t a, b;
    if (!trib_json_integer(low, &a) || !trib_json_integer(high, &b) || a >= b || b > limit) return false;
    *out_low = (int)a, *out_high = (int)b;
    return true;
}

static bool read_box(const cJSON *json, const trib_proposal_line *line, trib_proposal *out)
{
    const cJSON *corner[5] = { NULL };
    if (!cJSON_IsArray(json)) return false;
    corner[0] = json->child;
    for (int i = 0; i < 4 && corner[i]; ++i) corner[i + 1] = corner[i]->next;
    if (!corner[3] || corner[4]) return false;
    return read_range(corner[0], corner[2], line->width, &out->x0, &out->x1) &&
           read_range(corner[1], corner[3], line->height, &out->y0, &out->y1);
}

static trib_status read_boxes(const cJSON *object, trib_proposal_line *line)
{
    const cJSON *boxes = cJSON_GetObjectItemCaseSensitive(object, "boxes"), *box;
    if (!cJSON_IsArray(boxes)) return bad("boxes", boxes ? "is no list" : "is missing");
    trib_proposals *p = &line->proposals;
    p->boxes = trib_alloc((size_t)cJSON_GetArraySize(boxes) * sizeof *p->boxes);
    if (!p->boxes) return out_of_memory();
    cJSON_ArrayForEach(box, boxes)
    {
        if (!read_box(box, line, &p->boxes[p->count]))
            return TRIB_ERROR(
                TRIB_BAD_DATA,
                "box %zu of a line of proposals is not four whole numbers x0, y0, x1, y1 with x0 < x1 and y0 "
                "< y1 inside the image of %d x %d pixels",
                p->count, line->width, line->height);
        ++p->count;
    }
    return trib_success();
}

static trib_status check_members(const cJSON *object)
{
    static const char *const known[] = { "image", "sha256", "width", "height", "by", "boxes" };
    const cJSON *member;
    if (!cJSON_IsObject(object)) return TRIB_ERROR(TRIB_BAD_DATA, "a line of proposals is no JSON object");
    cJSON_ArrayForEach(member, object)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], member->string)) ++i;
        if (i == sizeof known / sizeof *known)
            return TRIB_ERROR(TRIB_BAD_DATA, "a line of proposals has the unknown member '%.100s'",
                              trib_has_control_characters(member->string) ? "(unprintable)" : member->string);
    }
    return trib_success();
}

static trib_status read_line(const cJSON *object, trib_proposal_line *line)
{
    TRIB_TRY(check_members(object));
    TRIB_TRY(read_text(object, "image", &line->image));
    if (cJSON_GetObjectItemCaseSensitive(object, "by")) TRIB_TRY(read_text(object, "by", &line->by));
    TRIB_TRY(read_sha256(object, line->sha256));
    TRIB_TRY(read_side(object, "width", &line->width));
    TRIB_TRY(read_side(object, "height", &line->height));
    if (line->width > TRIB_MAX_IMAGE_PIXELS / line->height) return bad("height", "gives an image of too many pixels");
    return read_boxes(object, line);
}

trib_status trib_proposal_line_read_json(const cJSON *json, trib_proposal_line *out)
{
    trib_proposal_line line = { 0 };
    trib_status status = read_line(json, &line);
    if (trib_failed(&status))
        trib_proposal_line_release(&line);
    else
        *out = line;
    return trib_outcome(&status);
}

trib_status trib_proposal_line_read(const char *bytes, size_t size, trib_proposal_line *out)
{
    cJSON *object;
    TRIB_TRY(trib_json_parse(bytes, size, &object));
    trib_status status = trib_proposal_line_read_json(object, out);
    trib_json_free(object);
    return status;
}
