/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/json.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json_scan.h"
#include "tributary/internal/alloc.h"

/* cJSON keeps its allocator and its last error in global variables; the lock guards the second, also in a child of
 * fork(). The allocator is set once. It is based on malloc and free, so a program that uses cJSON with the default
 * allocator can still free what it made before. A program that sets its own hooks must do so after the first model was
 * read, or not at all. */
static pthread_mutex_t cjson_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t cjson_once = PTHREAD_ONCE_INIT;

/* cJSON returns NULL both for bad JSON and when out of memory; this tells them apart. */
static _Thread_local bool out_of_memory;

static void *allocate(size_t size)
{
    void *block = trib_alloc(size);
    if (!block) out_of_memory = true;
    return block;
}

static void lock_cjson(void) { pthread_mutex_lock(&cjson_lock); }
static void unlock_cjson(void) { pthread_mutex_unlock(&cjson_lock); }

static void prepare_cjson(void)
{
    cJSON_InitHooks(&(cJSON_Hooks) { .malloc_fn = allocate, .free_fn = trib_free });
    pthread_atfork(lock_cjson, unlock_cjson, unlock_cjson);
}

static cJSON *parse(const char *text, size_t size, const char **end)
{
    pthread_once(&cjson_once, prepare_cjson);
    lock_cjson();
    out_of_memory = false;
    cJSON *root = cJSON_ParseWithLengthOpts(text, size, end, 0);
    unlock_cjson();
    return root;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the member names of one object and compares neighbours. */
static trib_status check_names(const cJSON *object)
{
    size_t count = 0, i = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, object)++ count;
    if (count < 2) return trib_success();
    const char **names = trib_realloc_array(NULL, count, sizeof *names);
    if (!names) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu names of a JSON object", count);
    cJSON_ArrayForEach(member, object) names[i++] = member->string;
    qsort(names, count, sizeof *names, compare_text);
    trib_status s = trib_success();
    for (i = 1; i < count && !trib_failed(&s); ++i)
        if (strcmp(names[i - 1], names[i]) == 0)
            s = TRIB_ERROR(TRIB_BAD_DATA, "the name '%.200s' appears twice",
                           trib_has_control_characters(names[i]) ? "(unprintable)" : names[i]);
    trib_free(names);
    return s;
}

/* Recursion is bounded by the scan's limit on nesting. */
static trib_status check_names_below(const cJSON *json)
{
    if (cJSON_IsObject(json)) TRIB_TRY(check_names(json));
    const cJSON *child;
    cJSON_ArrayForEach(child, json) if (child->child) TRIB_TRY(check_names_below(child));
    return trib_success();
}

/* `copy` is the text with a terminating 0: some versions of cJSON read one byte beyond text that ends early. */
static trib_status parse_copy(const char *copy, size_t size, cJSON **out)
{
    const char *end = copy;
    cJSON *root = parse(copy, size + 1, &end);
    size_t at = end ? (size_t)(end - copy) : 0;
    if (!root && out_of_memory) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to parse %zu bytes of JSON", size);
    if (!root) return TRIB_ERROR(TRIB_BAD_DATA, "not JSON near byte %zu", at);
    trib_status s = trib_success();
    at += strspn(copy + at, " \t\r\n");
    if (at < size)
        s = TRIB_ERROR(TRIB_BAD_DATA, "more text after the JSON, from byte %zu", at);
    else
        s = check_names_below(root);
    if (trib_failed(&s))
        trib_json_free(root);
    else
        *out = root;
    return s;
}

trib_status trib_json_parse(const char *text, size_t size, cJSON **out)
{
    TRIB_TRY(trib_json_scan(text, size));
    char *copy = trib_alloc(size + 1);
    if (!copy) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu bytes of JSON", size);
    if (size) memcpy(copy, text, size);
    copy[size] = '\0';
    trib_status s = parse_copy(copy, size, out);
    trib_free(copy);
    return s;
}

void trib_json_free(cJSON *json)
{
    if (json) cJSON_Delete(json);
}

bool trib_json_integer(const cJSON *json, int64_t *out)
{
    if (!cJSON_IsNumber(json)) return false;
    double value = json->valuedouble;
    if (!(value >= 0 && value < 0x1p53) || floor(value) != value) return false;
    *out = (int64_t)value;
    return true;
}

bool trib_has_control_characters(const char *text)
{
    for (; *text; ++text)
        if ((unsigned char)*text < 0x20 || *text == 0x7F) return true;
    return false;
}
