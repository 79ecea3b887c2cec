/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/nsys_names.h"

#include <string.h>

#include "tributary/internal/alloc.h"

typedef struct wanted {
    const trib_nsys_name *items;
    int64_t id;
    const char *text;
    size_t size;
} wanted;

static bool same_id(const void *key, uint32_t value)
{
    const wanted *w = key;
    return w->items[value].id == w->id;
}

static bool same_text(const void *key, uint32_t value)
{
    const wanted *w = key;
    const char *text = w->items[value].text;
    return strlen(text) == w->size && !memcmp(text, w->text, w->size);
}

/* The length of what is kept, which ends at a whole character of UTF-8. */
static size_t kept(const char *text)
{
    size_t size = strnlen(text, TRIB_NSYS_NAME_SIZE);
    if (size == TRIB_NSYS_NAME_SIZE)
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) --size;
    return size;
}

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's texts"); }

static trib_status add(trib_nsys_names *names, trib_nsys_name name, uint32_t *out)
{
    void *items = names->items;
    int failed = names->count >= TRIB_NSYS_NONE - 1
                     ? -1
                     : trib_grow(&items, &names->capacity, names->count + 1, sizeof *names->items);
    names->items = items;
    if (failed) return no_memory();
    *out = name.first = (uint32_t)names->count;
    names->items[names->count++] = name;
    return trib_success();
}

trib_status trib_nsys_name_of_id(trib_nsys_names *names, int64_t id, uint32_t *out)
{
    const wanted w = { .items = names->items, .id = id };
    uint32_t hash = trib_nsys_hash(id, 0), found = trib_nsys_map_get(&names->ids, hash, same_id, &w);
    if (found != TRIB_NSYS_NONE) {
        *out = found;
        return trib_success();
    }
    TRIB_TRY(add(names, (trib_nsys_name) { .id = id }, out));
    return trib_nsys_map_add(&names->ids, hash, *out) == 0 ? trib_success() : no_memory();
}

static char *copy_of(const char *text, size_t size)
{
    char *copy = trib_alloc(size + 1);
    if (!copy) return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static uint32_t find_text(const trib_nsys_names *names, const char *text, size_t size)
{
    const wanted w = { .items = names->items, .text = text, .size = size };
    return trib_nsys_map_get(&names->texts, trib_nsys_hash_text(text, size), same_text, &w);
}

uint32_t trib_nsys_name_find(const trib_nsys_names *names, const char *text)
{
    return find_text(names, text, kept(text));
}

/* Makes `name`, which has a text, known by it; an earlier one of the same text is its first. */
static trib_status know_text(trib_nsys_names *names, uint32_t name)
{
    const char *text = names->items[name].text;
    size_t size = strlen(text);
    uint32_t first = find_text(names, text, size);
    if (first != TRIB_NSYS_NONE) {
        names->items[name].first = first;
        return trib_success();
    }
    return trib_nsys_map_add(&names->texts, trib_nsys_hash_text(text, size), name) == 0 ? trib_success() : no_memory();
}

trib_status trib_nsys_name_of_text(trib_nsys_names *names, const char *text, uint32_t *out)
{
    size_t size = kept(text);
    *out = find_text(names, text, size);
    if (*out != TRIB_NSYS_NONE) return trib_success();
    char *copy = copy_of(text, size);
    trib_status status = copy ? add(names, (trib_nsys_name) { .text = copy }, out) : no_memory();
    if (trib_failed(&status)) {
        trib_free(copy);
        return status;
    }
    return know_text(names, *out);
}

static trib_status take_row(trib_nsys_names *names, const trib_nsys_rows *rows)
{
    const wanted w = { .items = names->items, .id = trib_nsys_number(rows, 0, 0) };
    uint32_t name = trib_nsys_map_get(&names->ids, trib_nsys_hash(w.id, 0), same_id, &w);
    const char *text = trib_nsys_text(rows, 1);
    if (name == TRIB_NSYS_NONE || names->items[name].text || !text) return trib_success();
    names->items[name].text = copy_of(text, kept(text));
    return names->items[name].text ? know_text(names, name) : no_memory();
}

trib_status trib_nsys_names_resolve(trib_nsys_names *names, trib_nsys_database *database)
{
    static const trib_nsys_column columns[] = { { "id", TRIB_NSYS_NUMBER, false }, { "value", TRIB_NSYS_TEXT, false } };
    trib_nsys_rows *rows = NULL;
    bool more = false;
    TRIB_TRY(trib_nsys_rows_open(database, "StringIds", columns, 2, &rows));
    trib_status status = rows ? trib_nsys_rows_next(rows, &more) : trib_success();
    while (!trib_failed(&status) && more) {
        status = take_row(names, rows);
        if (!trib_failed(&status)) status = trib_nsys_rows_next(rows, &more);
    }
    trib_nsys_rows_close(rows);
    return status;
}

const char *trib_nsys_name_text(const trib_nsys_names *names, uint32_t name)
{
    const char *text = name < names->count ? names->items[name].text : NULL;
    return text ? text : "(no name)";
}

void trib_nsys_names_release(trib_nsys_names *names)
{
    for (size_t i = 0; i < names->count; ++i) trib_free(names->items[i].text);
    trib_free(names->items);
    trib_nsys_map_release(&names->ids);
    trib_nsys_map_release(&names->texts);
    *names = (trib_nsys_names) { 0 };
}
