/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors_private.h"
#include "tributary/internal/alloc.h"

static const char *const dtype_names[TRIB_DTYPE_COUNT] = {
    [TRIB_F32] = "F32", [TRIB_F16] = "F16", [TRIB_BF16] = "BF16", [TRIB_I64] = "I64",
    [TRIB_U8] = "U8",   [TRIB_I32] = "I32", [TRIB_F64] = "F64",   [TRIB_U64] = "U64",
};

const char *trib_safetensors_dtype_name(trib_dtype dtype)
{
    return (unsigned)dtype < TRIB_DTYPE_COUNT ? dtype_names[dtype] : NULL;
}

/* A tensor being read. */
typedef struct entry {
    trib_tensor tensor;
    int64_t begin, end; /* in the data */
    int order;          /* in the header */
} entry;

/* Names can be long; the reason must still fit in the message. */
#define BAD_TENSOR(name, ...) bad_tensor((name), TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__))
static trib_status bad_tensor(const char *name, trib_status s)
{
    trib_add_context(&s, "tensor '%.150s'", name);
    return s;
}

static trib_status read_dtype(const cJSON *json, const char *name, trib_dtype *out)
{
    if (!cJSON_IsString(json)) return BAD_TENSOR(name, "'dtype' is not a string");
    for (int d = 0; d < TRIB_DTYPE_COUNT; ++d) {
        if (strcmp(json->valuestring, dtype_names[d]) != 0) continue;
        *out = (trib_dtype)d;
        return trib_success();
    }
    const char *found = trib_has_control_characters(json->valuestring) ? "(unprintable)" : json->valuestring;
    return bad_tensor(
        name, TRIB_ERROR(TRIB_UNSUPPORTED,
                         "has the dtype '%.40s'; only F32, F16, BF16, I64, U8, I32, F64 and U64 can be read", found));
}

static trib_status read_shape(const cJSON *json, const char *name, trib_shape *out)
{
    if (!cJSON_IsArray(json)) return BAD_TENSOR(name, "'shape' is not a list");
    const cJSON *dim;
    trib_shape shape = { 0 };
    cJSON_ArrayForEach(dim, json)
    {
        if (shape.rank == TRIB_MAX_RANK)
            return bad_tensor(name, TRIB_ERROR(TRIB_UNSUPPORTED, "has more than %d dimensions", TRIB_MAX_RANK));
        if (!trib_json_integer(dim, &shape.dim[shape.rank++]))
            return BAD_TENSOR(name, "'shape' has an extent that is not a whole number from 0 to 2^53 - 1");
    }
    *out = shape;
    return trib_success();
}

static trib_status read_offsets(const cJSON *json, const char *name, int64_t *begin, int64_t *end)
{
    const cJSON *first = cJSON_IsArray(json) ? json->child : NULL, *second = first ? first->next : NULL;
    if (!second || second->next) return BAD_TENSOR(name, "'data_offsets' is not a list of two numbers");
    if (!trib_json_integer(first, begin) || !trib_json_integer(second, end))
        return BAD_TENSOR(name, "'data_offsets' has an offset that is not a whole number from 0 to 2^53 - 1");
    if (*begin > *end)
        return BAD_TENSOR(name, "its data ends (%" PRId64 ") before it begins (%" PRId64 ")", *end, *begin);
    return trib_success();
}

static trib_status check_size(const entry *e)
{
    char text[TRIB_SHAPE_TEXT];
    const trib_tensor *t = &e->tensor;
    int64_t count = 0, bytes = e->end - e->begin, size = (int64_t)trib_dtype_size(t->dtype);
    trib_status s = trib_shape_count(&t->shape, &count);
    if (trib_failed(&s)) return bad_tensor(t->name, s);
    if (bytes % size || bytes / size != count)
        return BAD_TENSOR(t->name, "%s of %s does not fill its %" PRId64 " bytes of data",
                          trib_shape_text(&t->shape, text), dtype_names[t->dtype], bytes);
    return trib_success();
}

static trib_status read_entry(const cJSON *json, entry *out)
{
    const char *name = json->string;
    if (trib_has_control_characters(name)) return TRIB_ERROR(TRIB_BAD_DATA, "a tensor's name has control characters");
    if (!cJSON_IsObject(json)) return BAD_TENSOR(name, "its description is not an object");
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(json, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(json, "shape");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(json, "data_offsets");
    if (!dtype || !shape || !offsets)
        return BAD_TENSOR(name, "'%s' is missing", !dtype ? "dtype" : !shape ? "shape" : "data_offsets");
    if (cJSON_GetArraySize(json) != 3)
        return BAD_TENSOR(name, "has keys other than 'dtype', 'shape' and 'data_offsets'");
    out->tensor.name = name;
    TRIB_TRY(read_dtype(dtype, name, &out->tensor.dtype));
    TRIB_TRY(read_shape(shape, name, &out->tensor.shape));
    TRIB_TRY(read_offsets(offsets, name, &out->begin, &out->end));
    return check_size(out);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const trib_key_value *)a)->key, ((const trib_key_value *)b)->key);
}

static trib_status read_metadata(trib_safetensors *file, const cJSON *json)
{
    if (!cJSON_IsObject(json)) return TRIB_ERROR(TRIB_BAD_DATA, "__metadata__ is not an object");
    int count = cJSON_GetArraySize(json);
    file->base.metadata = trib_realloc_array(NULL, (size_t)count, sizeof *file->base.metadata);
    if (!file->base.metadata) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d values of metadata", count);
    const cJSON *item;
    cJSON_ArrayForEach(item, json)
    {
        if (trib_has_control_characters(item->string))
            return TRIB_ERROR(TRIB_BAD_DATA, "a key of __metadata__ has control characters");
        if (!cJSON_IsString(item))
            return TRIB_ERROR(TRIB_BAD_DATA, "__metadata__: the value of '%.150s' is not a string", item->string);
        file->base.metadata[file->base.metadata_count++] =
            (trib_key_value) { .key = item->string, .value = item->valuestring };
    }
    if (count) qsort(file->base.metadata, (size_t)count, sizeof *file->base.metadata, compare_keys);
    return trib_success();
}

/* Empty tensors come before the one that begins at the same offset; otherwise in the header's order. */
static int compare_places(const void *pa, const void *pb)
{
    const entry *a = pa, *b = pb;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end) return a->end < b->end ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Sorted by offset, each must begin where the previous one ended. */
static trib_status check_places(entry *entries, int count)
{
    int64_t at = 0;
    if (count) qsort(entries, (size_t)count, sizeof *entries, compare_places);
    for (int i = 0; i < count; ++i) {
        const entry *e = &entries[i];
        if (e->begin < at)
            return BAD_TENSOR(e->tensor.name, "its data begins at %" PRId64 ", inside the data of '%.100s'", e->begin,
                              entries[i - 1].tensor.name);
        if (e->begin > at)
            return BAD_TENSOR(e->tensor.name, "%" PRId64 " bytes before its data belong to no tensor", e->begin - at);
        at = e->end;
    }
    return trib_success();
}

trib_status trib_safetensors_check_data(const trib_safetensors *file, uint64_t data_size)
{
    for (int i = 0; i < file->base.count; ++i) {
        int64_t end = i + 1 < file->base.count ? file->places[i + 1] : file->data_size;
        if ((uint64_t)end > data_size)
            return BAD_TENSOR(file->base.tensors[i].name,
                              "its data ends at %" PRId64 ", but the file has %" PRIu64
                              " bytes of data; it is truncated",
                              end, data_size);
    }
    if ((uint64_t)file->data_size < data_size)
        return TRIB_ERROR(TRIB_BAD_DATA, "%" PRIu64 " bytes at the end of the file belong to no tensor",
                          data_size - (uint64_t)file->data_size);
    return trib_success();
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const trib_tensor *const *)a)->name, (*(const trib_tensor *const *)b)->name);
}

static trib_status keep_tensors(trib_safetensors *file, const entry *entries, int count)
{
    file->base.tensors = trib_realloc_array(NULL, (size_t)count, sizeof *file->base.tensors);
    file->places = trib_realloc_array(NULL, (size_t)count, sizeof *file->places);
    file->by_name = trib_realloc_array(NULL, (size_t)count, sizeof *file->by_name);
    if (!file->base.tensors || !file->places || !file->by_name)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d tensors", count);
    for (int i = 0; i < count; ++i) {
        file->base.tensors[i] = entries[i].tensor;
        file->places[i] = entries[i].begin;
        file->by_name[i] = &file->base.tensors[i];
    }
    if (count) qsort(file->by_name, (size_t)count, sizeof *file->by_name, compare_names);
    file->base.count = count;
    file->data_size = count ? entries[count - 1].end : 0;
    return trib_success();
}

trib_status trib_safetensors_read_header(trib_safetensors *file, const char *text, size_t size)
{
    if (size == 0 || text[0] != '{')
        return TRIB_ERROR(TRIB_BAD_DATA, "the header does not begin with '{'; this is not a safetensors file");
    trib_status s = trib_json_parse(text, size, &file->header);
    trib_add_context(&s, "header");
    if (trib_failed(&s)) return s;

    int members = cJSON_GetArraySize(file->header), count = 0;
    entry *entries = trib_alloc_zeroed((size_t)members, sizeof *entries);
    if (!entries) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d tensors", members);
    const cJSON *item;
    cJSON_ArrayForEach(item, file->header)
    {
        if (strcmp(item->string, TRIB_SAFETENSORS_METADATA) == 0) {
            TRIB_TRY_GOTO(s, done, read_metadata(file, item));
            continue;
        }
        entries[count].order = count;
        TRIB_TRY_GOTO(s, done, read_entry(item, &entries[count]));
        ++count;
    }
    TRIB_TRY_GOTO(s, done, check_places(entries, count));
    s = keep_tensors(file, entries, count);
done:
    trib_free(entries);
    return s;
}
