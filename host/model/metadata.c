/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metadata.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "formats/json.h"
#include "tributary/internal/alloc.h"

trib_status trib_metadata_choose_network(const char *text, const trib_network **network)
{
    const trib_network *wanted = trib_network_find(text), *found = *network;
    if (wanted && trib_network_by_tensors(wanted) == trib_network_by_tensors(found)) {
        *network = wanted;
        return trib_success();
    }
    if (!wanted)
        return TRIB_ERROR(TRIB_BAD_DATA, "tributary.variant: there is no network '%.60s'",
                          trib_has_control_characters(text) ? "(unprintable)" : text);
    return TRIB_ERROR(TRIB_BAD_DATA, "tributary.variant: says '%s', but the tensors are those of '%s'",
                      trib_network_name(wanted), trib_network_name(found));
}

/* ---- labels ---- */

static trib_status check_labels(const cJSON *json, int classes, size_t *bytes)
{
    if (!cJSON_IsArray(json)) return TRIB_ERROR(TRIB_BAD_DATA, "is not a list of class names");
    int count = cJSON_GetArraySize(json), i = 0;
    if (count != classes) return TRIB_ERROR(TRIB_BAD_DATA, "names %d classes, but the network has %d", count, classes);
    const cJSON *label;
    *bytes = (size_t)count * sizeof(char *);
    cJSON_ArrayForEach(label, json)
    {
        if (!cJSON_IsString(label)) return TRIB_ERROR(TRIB_BAD_DATA, "class %d: its name is not a string", i);
        if (trib_has_control_characters(label->valuestring))
            return TRIB_ERROR(TRIB_BAD_DATA, "class %d: its name has control characters", i);
        *bytes += strlen(label->valuestring) + 1;
        ++i;
    }
    return trib_success();
}

static trib_status copy_labels(const cJSON *json, int classes, const char ***out)
{
    size_t bytes = 0;
    TRIB_TRY(check_labels(json, classes, &bytes));
    const char **labels = trib_alloc(bytes);
    if (!labels) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d class names", classes);
    char *text = (char *)(labels + classes);
    const cJSON *label;
    int i = 0;
    cJSON_ArrayForEach(label, json)
    {
        size_t size = strlen(label->valuestring) + 1;
        labels[i++] = memcpy(text, label->valuestring, size);
        text += size;
    }
    *out = labels;
    return trib_success();
}

trib_status trib_metadata_read_labels(const char *text, int classes, const char ***out)
{
    cJSON *json = NULL;
    trib_status s = trib_json_parse(text, strlen(text), &json);
    if (!trib_failed(&s)) s = copy_labels(json, classes, out);
    trib_add_context(&s, "tributary.labels");
    trib_json_free(json);
    return s;
}

void trib_metadata_write_labels(const char *const *labels, int classes, trib_text *out)
{
    trib_text_add(out, "[");
    for (int i = 0; i < classes; ++i) {
        if (i) trib_text_add(out, ", ");
        trib_text_json_any(out, labels[i]);
    }
    trib_text_add(out, "]");
}

/* ---- preprocessing ---- */

/* In the order of their enums. */
static const char *const modes[] = { "short_side", "squash", "none" };
static const char *const interpolations[] = { "bilinear", "bicubic", "nearest", "area" };
static const char *const orders[] = { "horizontal_first", "cheaper_first" };
static const char *const channels[] = { "rgb", "bgr" };

static trib_status read_whole(const cJSON *json, const char *key, int *out)
{
    int64_t value;
    if (!trib_json_integer(json, &value) || value > INT_MAX)
        return TRIB_ERROR(TRIB_BAD_DATA, "'%s' is not a whole number", key);
    *out = (int)value;
    return trib_success();
}

static trib_status read_real(const cJSON *json, const char *key, float *out)
{
    if (!cJSON_IsNumber(json) || !(fabs(json->valuedouble) <= 1e30))
        return TRIB_ERROR(TRIB_BAD_DATA, "'%s' is not a number, or is out of range", key);
    *out = (float)json->valuedouble;
    return trib_success();
}

static trib_status read_three(const cJSON *json, const char *key, float out[3])
{
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) != 3)
        return TRIB_ERROR(TRIB_BAD_DATA, "'%s' is not a list of three numbers", key);
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, json) TRIB_TRY(read_real(item, key, &out[i++]));
    return trib_success();
}

/* Index of the string `json` in `words`. */
static trib_status read_word(const cJSON *json, const char *key, const char *const *words, int count, int *out)
{
    for (int i = 0; i < count; ++i) {
        if (!cJSON_IsString(json) || strcmp(json->valuestring, words[i]) != 0) continue;
        *out = i;
        return trib_success();
    }
    return TRIB_ERROR(TRIB_BAD_DATA, "'%s' is not one of '%s', '%s'%s%s%s", key, words[0], words[1],
                      count > 2 ? ", '" : "", count > 2 ? words[2] : "", count > 2 ? "'" : "");
}

static trib_status read_crop(const cJSON *json, const char *key, trib_preprocess *p)
{
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) != 2)
        return TRIB_ERROR(TRIB_BAD_DATA, "'%s' is not a list of height and width", key);
    TRIB_TRY(read_whole(json->child, key, &p->crop_height));
    return read_whole(json->child->next, key, &p->crop_width);
}

static trib_status read_field(const cJSON *json, trib_preprocess *p)
{
    const char *key = json->string;
    int choice = 0;
    if (!strcmp(key, "resize_mode")) {
        TRIB_TRY(read_word(json, key, modes, 3, &choice));
        p->resize_mode = (trib_resize_mode)choice;
    } else if (!strcmp(key, "resize")) {
        TRIB_TRY(read_whole(json, key, &p->resize));
    } else if (!strcmp(key, "interpolation")) {
        TRIB_TRY(read_word(json, key, interpolations, 4, &choice));
        p->interpolation = (trib_interpolation)choice;
    } else if (!strcmp(key, "resample_order")) {
        TRIB_TRY(read_word(json, key, orders, 2, &choice));
        p->resample_order = (trib_resample_order)choice;
    } else if (!strcmp(key, "crop")) {
        TRIB_TRY(read_crop(json, key, p));
    } else if (!strcmp(key, "channels")) {
        TRIB_TRY(read_word(json, key, channels, 2, &choice));
        p->bgr = choice == 1;
    } else if (!strcmp(key, "scale")) {
        TRIB_TRY(read_real(json, key, &p->scale));
    } else if (!strcmp(key, "mean")) {
        TRIB_TRY(read_three(json, key, p->mean));
    } else if (!strcmp(key, "std")) {
        TRIB_TRY(read_three(json, key, p->std));
    } else { /* it could change what the network expects */
        return TRIB_ERROR(TRIB_BAD_DATA, "'%.60s' is not a known key",
                          trib_has_control_characters(key) ? "(unprintable)" : key);
    }
    return trib_success();
}

static trib_status read_fields(const cJSON *json, trib_preprocess *p)
{
    static const char *const required[] = {
        "resize_mode", "interpolation", "crop", "channels", "scale", "mean", "std"
    };
    if (!cJSON_IsObject(json)) return TRIB_ERROR(TRIB_BAD_DATA, "is not an object");
    for (size_t i = 0; i < sizeof required / sizeof required[0]; ++i)
        if (!cJSON_GetObjectItemCaseSensitive(json, required[i]))
            return TRIB_ERROR(TRIB_BAD_DATA, "'%s' is missing", required[i]);
    const cJSON *field;
    cJSON_ArrayForEach(field, json) TRIB_TRY(read_field(field, p));
    if (p->resize_mode != TRIB_RESIZE_NONE && !cJSON_GetObjectItemCaseSensitive(json, "resize"))
        return TRIB_ERROR(TRIB_BAD_DATA, "'resize' is missing");
    trib_status s = trib_preprocess_check(p);
    if (s.code == TRIB_INVALID_ARGUMENT) s.code = TRIB_BAD_DATA; /* an error of the file, not of the caller */
    return s;
}

trib_status trib_metadata_read_preprocessing(const char *text, trib_preprocess *out)
{
    cJSON *json = NULL;
    trib_preprocess p = { 0 };
    trib_status s = trib_json_parse(text, strlen(text), &json);
    if (!trib_failed(&s)) s = read_fields(json, &p);
    trib_add_context(&s, "tributary.preprocessing");
    trib_json_free(json);
    if (!trib_failed(&s)) *out = p;
    return s;
}

/* Nine digits: the float32 that is read back is the same. */
static void put_three(const char *key, const float values[3], trib_text *out)
{
    trib_text_format(out, ", \"%s\": [%.9g, %.9g, %.9g]", key, (double)values[0], (double)values[1], (double)values[2]);
}

void trib_metadata_write_preprocessing(const trib_preprocess *p, trib_text *out)
{
    trib_text_format(out, "{\"resize_mode\": \"%s\"", modes[p->resize_mode]);
    if (p->resize_mode != TRIB_RESIZE_NONE) trib_text_format(out, ", \"resize\": %d", p->resize);
    trib_text_format(out, ", \"interpolation\": \"%s\", \"resample_order\": \"%s\"", interpolations[p->interpolation],
                     orders[p->resample_order]);
    trib_text_format(out, ", \"crop\": [%d, %d], \"channels\": \"%s\", \"scale\": %.9g", p->crop_height, p->crop_width,
                     channels[p->bgr], (double)p->scale);
    put_three("mean", p->mean, out);
    put_three("std", p->std, out);
    trib_text_add(out, "}");
}
