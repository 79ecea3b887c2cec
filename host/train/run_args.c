/* SPDX-License-Identifier: Apache-2.0
 * args.json: what was asked of a run, as given and with all defaults. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "formats/file.h"
#include "formats/json.h"
#include "train/number.h"
#include "train/run_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/version.h"

#define COMMAND_KEY "command"
#define OUR_KEY "tributary"
#define SETTINGS_KEY "settings"

/* ---- writing ---- */

static void put_setting(trib_text *text, const trib_run_setting *setting)
{
    char number[TRIB_NUMBER_TEXT];
    trib_text_json_any(text, setting->name);
    trib_text_add(text, ": ");
    if (setting->text)
        trib_text_json_any(text, setting->text);
    else
        trib_text_add(text, isfinite(setting->number) ? trib_number_text(setting->number, number) : "null");
}

static void put_args(trib_text *text, const char *const *command, int words, const trib_run_setting *settings,
                     int count)
{
    trib_text_format(text, "{\n  \"" OUR_KEY "\": \"%s\",\n  \"command\": [", trib_version());
    for (int i = 0; i < words; ++i) {
        if (i) trib_text_add(text, ", ");
        trib_text_json_any(text, command[i]);
    }
    trib_text_add(text, "],\n  \"" SETTINGS_KEY "\": {");
    for (int i = 0; i < count; ++i) {
        trib_text_add(text, i ? ",\n    " : "\n    ");
        put_setting(text, &settings[i]);
    }
    trib_text_add(text, "\n  }\n}\n");
}

/* Never torn: it says that the folder holds a run. */
static trib_status write_file(const char *path, const trib_text *text)
{
    trib_output *output = NULL;
    TRIB_TRY(trib_output_open(path, &output));
    trib_status s = trib_output_write(output, text->bytes, text->size);
    if (!trib_failed(&s)) return trib_output_commit_to_disk(output);
    trib_output_abandon(output);
    return s;
}

trib_status trib_run_folder_write_args(trib_run_folder *run, const char *const *command, int words,
                                       const trib_run_setting *settings, int count)
{
    char path[TRIB_RUN_PATH];
    trib_text text = { 0 };
    trib_run_folder_file(run, TRIB_RUN_ARGS, path);
    put_args(&text, command, words, settings, count);
    trib_status s = text.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(path).text)
                                : write_file(path, &text);
    trib_text_free(&text);
    if (!trib_failed(&s)) run->is_new = false;
    return s;
}

/* ---- reading ---- */

/* The whole file, if it is one of ours. */
static trib_status read_args(const char *path, cJSON **out)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    cJSON *json = NULL;
    TRIB_TRY(trib_read_whole(path, &bytes, &size));
    trib_status s = trib_json_parse((const char *)bytes, size, &json);
    trib_free(bytes);
    if (!trib_failed(&s) && (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, OUR_KEY)) ||
                             !cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(json, SETTINGS_KEY)))) {
        trib_json_free(json);
        s = TRIB_ERROR(TRIB_BAD_DATA, "does not say what was asked of a training run");
    }
    trib_add_context(&s, "%s: is not Tributary's; give another folder, or restore the file", trib_shorten(path).text);
    if (!trib_failed(&s)) *out = json;
    return s;
}

trib_status trib_run_check_args(const char *path)
{
    cJSON *json = NULL;
    TRIB_TRY(read_args(path, &json));
    trib_json_free(json);
    return trib_success();
}

/* "32", "'cosine'", "nothing" */
static void put_json_value(trib_text *text, const cJSON *json)
{
    char number[TRIB_NUMBER_TEXT];
    if (cJSON_IsNumber(json)) {
        trib_text_add(text, trib_number_text(json->valuedouble, number));
    } else if (cJSON_IsString(json)) {
        trib_text_add(text, "'");
        trib_text_add(text, json->valuestring);
        trib_text_add(text, "'");
    } else {
        trib_text_add(text, "nothing");
    }
}

/* A setting as it would be read back. */
static trib_status as_json(const trib_run_setting *setting, cJSON **out)
{
    trib_text text = { 0 };
    cJSON *json = NULL;
    trib_text_add(&text, "{");
    put_setting(&text, setting);
    trib_text_add(&text, "}");
    trib_status s = text.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a setting")
                                : trib_json_parse(text.bytes, text.size, &json);
    trib_text_free(&text);
    if (!trib_failed(&s)) *out = json;
    return s;
}

static bool equal(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsString(a)) return cJSON_IsString(b) && strcmp(a->valuestring, b->valuestring) == 0;
    if (cJSON_IsNumber(a)) return cJSON_IsNumber(b) && a->valuedouble == b->valuedouble;
    return cJSON_IsNull(a) && cJSON_IsNull(b);
}

static void put_difference(trib_text *text, const char *name, const cJSON *was, const cJSON *is)
{
    trib_text_add(text, name);
    trib_text_add(text, ": was ");
    put_json_value(text, was);
    trib_text_add(text, ", is ");
    put_json_value(text, is);
    trib_text_add(text, "\n");
}

static trib_status compare(cJSON *stored, const trib_run_setting *settings, int count, trib_text *differences)
{
    for (int i = 0; i < count; ++i) {
        cJSON *now = NULL;
        TRIB_TRY(as_json(&settings[i], &now));
        cJSON *was = cJSON_DetachItemFromObjectCaseSensitive(stored, now->child->string);
        if (!was || !equal(was, now->child)) put_difference(differences, now->child->string, was, now->child);
        trib_json_free(was);
        trib_json_free(now);
    }
    for (const cJSON *left = stored->child; left; left = left->next)
        put_difference(differences, left->string, left, NULL);
    return differences->failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to compare settings") : trib_success();
}

trib_status trib_run_folder_compare_args(const trib_run_folder *run, const trib_run_setting *settings, int count,
                                         trib_text *differences)
{
    char path[TRIB_RUN_PATH];
    cJSON *json = NULL;
    TRIB_TRY(read_args(trib_run_folder_file(run, TRIB_RUN_ARGS, path), &json));
    trib_status s = compare(cJSON_GetObjectItemCaseSensitive(json, SETTINGS_KEY), settings, count, differences);
    trib_json_free(json);
    return trib_with_name(s, path);
}

/* ---- the command ---- */

static trib_status copy_words(const cJSON *list, char ***out, int *count)
{
    const cJSON *word;
    size_t words = (size_t)cJSON_GetArraySize(list), bytes = (words + 1) * sizeof(char *);
    cJSON_ArrayForEach(word, list)
    {
        if (!cJSON_IsString(word)) return TRIB_ERROR(TRIB_BAD_DATA, "'" COMMAND_KEY "' is not a list of words");
        bytes += strlen(word->valuestring) + 1;
    }
    char **copy = trib_alloc_zeroed(1, bytes);
    if (!copy) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a command of %zu words", words);
    char *text = (char *)(copy + words + 1);
    int i = 0;
    cJSON_ArrayForEach(word, list)
    {
        size_t size = strlen(word->valuestring) + 1;
        copy[i++] = memcpy(text, word->valuestring, size);
        text += size;
    }
    *out = copy;
    *count = i;
    return trib_success();
}

trib_status trib_run_read_command(const char *path, char ***words, int *count)
{
    char file[TRIB_RUN_PATH];
    cJSON *json = NULL;
    snprintf(file, sizeof file, "%s/" TRIB_RUN_ARGS, path);
    TRIB_TRY(read_args(file, &json));
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, COMMAND_KEY);
    trib_status s =
        cJSON_IsArray(list) ? copy_words(list, words, count) : TRIB_ERROR(TRIB_BAD_DATA, "has no '" COMMAND_KEY "'");
    trib_json_free(json);
    return trib_with_name(s, file);
}
