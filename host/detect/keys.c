/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/keys.h"

#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

const char *trib_stem(const char *name, size_t *length)
{
    const char *base = trib_base_name(name);
    *length = trib_has_image_extension(base) ? (size_t)(strrchr(base, '.') - base) : strlen(base);
    return base;
}

static int by_name(const void *first, const void *second)
{
    const trib_key *a = first, *b = second;
    const int order = memcmp(a->name, b->name, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int by_id(const void *first, const void *second)
{
    const trib_key *a = first, *b = second;
    return (a->id > b->id) - (a->id < b->id);
}

static trib_status start(size_t count, trib_keys *keys)
{
    keys->items = trib_alloc_zeroed(count + 1, sizeof *keys->items);
    keys->count = count;
    return keys->items ? trib_success() : trib_no_memory("an index of names");
}

/* The second of the first two equal neighbours after sorting, or NULL. */
static const trib_key *sort(trib_keys *keys, int (*compare)(const void *, const void *))
{
    qsort(keys->items, keys->count, sizeof *keys->items, compare);
    for (size_t i = 1; i < keys->count; ++i)
        if (compare(&keys->items[i - 1], &keys->items[i]) == 0) return &keys->items[i];
    return NULL;
}

/* Takes `keys`; `what` is said where two are equal, before their name. */
static trib_status finish_names(trib_keys *keys, const char *what, trib_keys *out)
{
    const trib_key *twice = sort(keys, by_name);
    if (!twice) {
        *out = *keys;
        return trib_success();
    }
    trib_status s = TRIB_ERROR(TRIB_BAD_DATA, "two %s are called '%s'; their boxes cannot be told apart", what,
                               trib_shorten(twice->name).text);
    trib_keys_release(keys);
    return s;
}

trib_status trib_keys_of_stems(const trib_truths *truths, trib_keys *out)
{
    trib_keys keys = { 0 };
    TRIB_TRY(start(truths->image_count, &keys));
    for (size_t i = 0; i < keys.count; ++i) {
        keys.items[i].name = trib_stem(truths->images[i].name, &keys.items[i].length);
        keys.items[i].index = (int)i;
    }
    return finish_names(&keys, "images", out);
}

trib_status trib_keys_of_category_names(const trib_truths *truths, trib_keys *out)
{
    trib_keys keys = { 0 };
    TRIB_TRY(start(truths->category_count, &keys));
    for (size_t i = 0; i < keys.count; ++i) {
        const char *name = truths->categories[i].name;
        keys.items[i] = (trib_key) { .name = name, .length = strlen(name), .index = (int)i };
    }
    return finish_names(&keys, "classes", out);
}

/* Takes `keys`. */
static trib_status finish_ids(trib_keys *keys, const char *what, trib_keys *out)
{
    const trib_key *twice = sort(keys, by_id);
    if (!twice) {
        *out = *keys;
        return trib_success();
    }
    trib_status s = TRIB_ERROR(TRIB_BAD_DATA, "two %s have the number %lld", what, (long long)twice->id);
    trib_keys_release(keys);
    return s;
}

trib_status trib_keys_of_image_ids(const trib_truths *truths, trib_keys *out)
{
    trib_keys keys = { 0 };
    TRIB_TRY(start(truths->image_count, &keys));
    for (size_t i = 0; i < keys.count; ++i) keys.items[i] = (trib_key) { .id = truths->images[i].id, .index = (int)i };
    return finish_ids(&keys, "images", out);
}

trib_status trib_keys_of_category_ids(const trib_truths *truths, trib_keys *out)
{
    trib_keys keys = { 0 };
    TRIB_TRY(start(truths->category_count, &keys));
    for (size_t i = 0; i < keys.count; ++i)
        keys.items[i] = (trib_key) { .id = truths->categories[i].id, .index = (int)i };
    return finish_ids(&keys, "categories", out);
}

void trib_keys_release(trib_keys *keys)
{
    trib_free(keys->items);
    *keys = (trib_keys) { 0 };
}

static int find(const trib_keys *keys, const trib_key *key, int (*compare)(const void *, const void *))
{
    const trib_key *found = keys->count ? bsearch(key, keys->items, keys->count, sizeof *keys->items, compare) : NULL;
    return found ? found->index : -1;
}

int trib_find_stem(const trib_keys *keys, const char *name)
{
    trib_key key = { 0 };
    key.name = trib_stem(name, &key.length);
    return find(keys, &key, by_name);
}

int trib_find_name(const trib_keys *keys, const char *name)
{
    const trib_key key = { .name = name, .length = strlen(name) };
    return find(keys, &key, by_name);
}

int trib_find_id(const trib_keys *keys, int64_t id)
{
    const trib_key key = { .id = id };
    return find(keys, &key, by_id);
}
