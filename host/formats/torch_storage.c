/* SPDX-License-Identifier: Apache-2.0
 * Storages: ('storage', class, key, location, number of elements[, view]), the id of a reference in the pickle. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

typedef struct storage_class {
    const char *name;
    int dtype, item; /* dtype -1: elements of that size, of no use here */
} storage_class;

static const storage_class classes[] = {
    { "FloatStorage", TRIB_F32, 4 },     { "DoubleStorage", TRIB_F64, 8 }, { "HalfStorage", TRIB_F16, 2 },
    { "BFloat16Storage", TRIB_BF16, 2 }, { "LongStorage", TRIB_I64, 8 },   { "IntStorage", TRIB_I32, 4 },
    { "ByteStorage", TRIB_U8, 1 },       { "BoolStorage", TRIB_U8, 1 },    { "UntypedStorage", TRIB_U8, 1 },
    { "ShortStorage", -1, 2 },           { "CharStorage", -1, 1 },         { "ComplexFloatStorage", -1, 8 },
    { "ComplexDoubleStorage", -1, 16 },
};

void trib_torch_set_class(const trib_pickle *pickle, uint32_t type, trib_torch_storage *s)
{
    const uint32_t name = trib_pickle_at(pickle, type)->as.global.name;
    s->dtype = -1;
    s->item = 0;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; ++i) {
        if (!trib_pickle_is_text(pickle, name, classes[i].name)) continue;
        s->dtype = classes[i].dtype;
        s->item = classes[i].item;
    }
}

static trib_status read_id(const trib_pickle *pickle, uint32_t id, trib_torch_storage *out)
{
    if (!trib_pickle_is_text(pickle, trib_pickle_item(pickle, id, 0), "storage") ||
        trib_pickle_at(pickle, id)->count < 5)
        return BAD("its pickle has a persistent id that is no storage");
    *out = (trib_torch_storage) {
        .id = id, .type = trib_pickle_item(pickle, id, 1), .key = trib_pickle_item(pickle, id, 2), .at = -1
    };
    if (trib_pickle_kind_of(pickle, out->key) != TRIB_PICKLE_STRING)
        return BAD("a storage has a key that is not a string");
    if (trib_pickle_kind_of(pickle, out->type) != TRIB_PICKLE_NAME)
        return BAD("storage '%s' has no type", trib_pickle_show(pickle, out->key).text);
    trib_torch_set_class(pickle, out->type, out);
    if (trib_pickle_integer(pickle, trib_pickle_item(pickle, id, 4), &out->count) && out->count >= 0 &&
        out->count <= INT64_MAX / 16)
        return trib_success();
    return BAD("storage '%s' has a number of elements that is none, negative or too large",
               trib_pickle_show(pickle, out->key).text);
}

/* ---- the list ---- */

/* qsort and bsearch have no argument for the pickle: keys are compared where they are. */
typedef struct keyed {
    trib_torch_storage storage;
    const char *key;
    uint32_t size;
} keyed;

static int compare_text(const char *a, uint32_t a_size, const char *b, uint32_t b_size)
{
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    return compare_text(x->key, x->size, y->key, y->size);
}

static trib_status check_same(const trib_pickle *pickle, const trib_torch_storage *a, const trib_torch_storage *b)
{
    const trib_pickle_value *x = trib_pickle_at(pickle, a->type), *y = trib_pickle_at(pickle, b->type);
    const trib_pickle_text name = trib_pickle_show(pickle, y->as.global.name);
    if (strcmp(trib_pickle_show(pickle, x->as.global.name).text, name.text))
        return BAD("storage '%s' is read as two types, %s and %s", trib_pickle_show(pickle, a->key).text,
                   trib_pickle_show(pickle, x->as.global.name).text, name.text);
    if (a->count != b->count)
        return BAD("storage '%s' has %" PRId64 " elements in one place, and %" PRId64 " in another",
                   trib_pickle_show(pickle, a->key).text, a->count, b->count);
    return trib_success();
}

/* Keeps one of each key. */
static trib_status keep(trib_torch_file *file, keyed *found, size_t count)
{
    if (count) qsort(found, count, sizeof *found, by_key);
    file->storages = trib_alloc_zeroed(count, sizeof *file->storages);
    if (!file->storages) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %zu storages", count);
    for (size_t i = 0; i < count; ++i) {
        if (i && !by_key(&found[i - 1], &found[i]))
            TRIB_TRY(check_same(&file->pickle, &found[i - 1].storage, &found[i].storage));
        else
            file->storages[file->storage_count++] = found[i].storage;
    }
    return trib_success();
}

/* A legacy file refers to the classes of whole models, too: ('module', class, file, source). */
static bool is_module(const trib_torch_file *file, uint32_t id)
{
    return !file->zip.count && trib_pickle_is_text(&file->pickle, trib_pickle_item(&file->pickle, id, 0), "module");
}

trib_status trib_torch_list_storages(trib_torch_file *file)
{
    const trib_pickle *pickle = &file->pickle;
    size_t count = 0;
    for (uint32_t i = 0; i < pickle->count; ++i) count += trib_pickle_kind_of(pickle, i) == TRIB_PICKLE_REFERENCE;
    keyed *found = trib_alloc_zeroed(count, sizeof *found);
    if (!found) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %zu storages", count);
    trib_status s = trib_success();
    count = 0;
    for (uint32_t i = 0; i < pickle->count; ++i) {
        const trib_pickle_value *v = trib_pickle_at(pickle, i);
        if (v->kind != TRIB_PICKLE_REFERENCE || is_module(file, v->as.id)) continue;
        keyed *k = &found[count++];
        TRIB_TRY_GOTO(s, done, read_id(pickle, v->as.id, &k->storage));
        k->key = trib_pickle_at(pickle, k->storage.key)->as.text;
        k->size = trib_pickle_at(pickle, k->storage.key)->count;
    }
    s = keep(file, found, count);
done:
    trib_free(found);
    return s;
}

int trib_torch_find_storage(const trib_torch_file *file, const char *key, uint32_t size)
{
    int low = 0, high = file->storage_count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const trib_pickle_value *v = trib_pickle_at(&file->pickle, file->storages[middle].key);
        const int order = compare_text(v->as.text, v->count, key, size);
        if (!order) return middle;
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return -1;
}

/* ---- bytes ---- */

static trib_status find_member(const trib_torch_file *file, const trib_torch_storage *storage,
                               const trib_zip_member **out)
{
    const trib_pickle_value *key = trib_pickle_at(&file->pickle, storage->key);
    trib_text name = { 0 };
    trib_text_add(&name, file->folder);
    trib_text_add(&name, "data/");
    trib_text_put(&name, key->as.text, key->count);
    *out = name.failed || strlen(name.bytes) < name.size ? NULL : trib_zip_find(&file->zip, name.bytes);
    trib_status s = name.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a member's name") : trib_success();
    trib_text_free(&name);
    if (!trib_failed(&s) && !*out)
        s = BAD("storage '%s' is not in the archive: it has no member data/%s",
                trib_pickle_show(&file->pickle, storage->key).text, trib_pickle_show(&file->pickle, storage->key).text);
    return s;
}

trib_status trib_torch_locate(trib_torch_file *file, const trib_torch_storage *storage, int64_t *at,
                              const trib_zip_member **packed)
{
    const trib_zip_member *member = NULL;
    *packed = NULL;
    *at = storage->at;
    if (!file->zip.count)
        return storage->at >= 0
                   ? trib_success()
                   : BAD("storage '%s' is not in the file", trib_pickle_show(&file->pickle, storage->key).text);
    TRIB_TRY(find_member(file, storage, &member));
    TRIB_TRY(trib_zip_locate(&file->blob, member, at));
    if (member->size < storage->count * storage->item)
        return BAD("storage '%s' needs %" PRId64 " bytes, but member data/%s has %" PRId64,
                   trib_pickle_show(&file->pickle, storage->key).text, storage->count * storage->item,
                   trib_pickle_show(&file->pickle, storage->key).text, member->size);
    if (member->method) *packed = member;
    return trib_success();
}
