/* SPDX-License-Identifier: Apache-2.0
 * Values of a pickle: lists that only grow. */
#include <string.h>

#include "formats/pickle_private.h"
#include "tributary/internal/alloc.h"

static trib_status no_memory(const trib_pickle *pickle)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its %zu values", pickle->count);
}

trib_status trib_pickle_add(trib_pickle *pickle, trib_pickle_value value, uint32_t *index)
{
    void *block = pickle->values;
    if (pickle->count == TRIB_PICKLE_MAX_VALUES)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "it has more than %d values, too large for a file of weights",
                          TRIB_PICKLE_MAX_VALUES);
    if (trib_grow(&block, &pickle->capacity, pickle->count + 1, sizeof *pickle->values)) return no_memory(pickle);
    pickle->values = block;
    *index = (uint32_t)pickle->count;
    pickle->values[pickle->count++] = value;
    return trib_success();
}

/* Part 0 is none. */
static trib_status add_part(trib_pickle *pickle, uint32_t first, uint32_t count, uint32_t *index)
{
    void *block = pickle->parts;
    if (!pickle->part_count) pickle->part_count = 1;
    if (trib_grow(&block, &pickle->part_capacity, pickle->part_count + 1, sizeof *pickle->parts))
        return no_memory(pickle);
    pickle->parts = block;
    *index = (uint32_t)pickle->part_count;
    pickle->parts[pickle->part_count++] = (trib_pickle_part) { .first = first, .count = count };
    return trib_success();
}

static trib_status add_items(trib_pickle *pickle, const uint32_t *values, size_t count)
{
    void *block = pickle->items;
    if (trib_grow(&block, &pickle->item_capacity, pickle->item_count + count, sizeof *pickle->items))
        return no_memory(pickle);
    pickle->items = block;
    memcpy(pickle->items + pickle->item_count, values, count * sizeof *values);
    pickle->item_count += count;
    return trib_success();
}

static trib_status nest(trib_pickle *pickle, trib_pickle_value *container, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (pickle->values[values[i]].nested >= container->nested)
            container->nested = (uint8_t)(pickle->values[values[i]].nested + 1);
    if (container->nested <= TRIB_PICKLE_MAX_NESTED) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "its values are nested more than %d deep", TRIB_PICKLE_MAX_NESTED);
}

trib_status trib_pickle_append(trib_pickle *pickle, uint32_t container, const uint32_t *values, size_t count)
{
    uint32_t part = 0;
    if (!count) return trib_success();
    TRIB_TRY(nest(pickle, &pickle->values[container], values, count));
    TRIB_TRY(add_part(pickle, (uint32_t)pickle->item_count, (uint32_t)count, &part));
    TRIB_TRY(add_items(pickle, values, count));
    trib_pickle_value *v = &pickle->values[container];
    if (v->as.items.last)
        pickle->parts[v->as.items.last].next = part;
    else
        v->as.items.first = part;
    v->as.items.last = part;
    v->count += (uint32_t)count;
    return trib_success();
}

void trib_pickle_free(trib_pickle *pickle)
{
    trib_free(pickle->values);
    trib_free(pickle->parts);
    trib_free(pickle->items);
    *pickle = (trib_pickle) { 0 };
}

/* ---- what is in it ---- */

uint32_t trib_pickle_item(const trib_pickle *pickle, uint32_t tuple, uint32_t i)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, tuple);
    if (v->kind != TRIB_PICKLE_TUPLE || i >= v->count) return TRIB_PICKLE_NOTHING;
    return pickle->items[pickle->parts[v->as.items.first].first + i];
}

bool trib_pickle_integer(const trib_pickle *pickle, uint32_t value, int64_t *out)
{
    if (trib_pickle_kind_of(pickle, value) != TRIB_PICKLE_INTEGER) return false;
    *out = pickle->values[value].as.integer;
    return true;
}

bool trib_pickle_is_text(const trib_pickle *pickle, uint32_t value, const char *text)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, value);
    return v->kind == TRIB_PICKLE_STRING && v->count == strlen(text) && !memcmp(v->as.text, text, v->count);
}

bool trib_pickle_is_name(const trib_pickle *pickle, uint32_t value, const char *module, const char *name)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, value);
    return v->kind == TRIB_PICKLE_NAME && trib_pickle_is_text(pickle, v->as.global.module, module) &&
           trib_pickle_is_text(pickle, v->as.global.name, name);
}

trib_pickle_walk trib_pickle_walk_over(const trib_pickle *pickle, uint32_t container)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, container);
    trib_pickle_walk walk = { .pickle = pickle };
    if (v->kind != TRIB_PICKLE_TUPLE && v->kind != TRIB_PICKLE_LIST && v->kind != TRIB_PICKLE_DICT) return walk;
    walk.part = v->as.items.first;
    if (v->kind == TRIB_PICKLE_DICT && v->as.items.source)
        walk.source_part = pickle->values[v->as.items.source].as.items.first;
    return walk;
}

static bool next(const trib_pickle *pickle, uint32_t *part, uint32_t *at, uint32_t *item)
{
    if (*part && *at == pickle->parts[*part].count) {
        *part = pickle->parts[*part].next;
        *at = 0;
    }
    if (!*part) return false;
    *item = pickle->items[pickle->parts[*part].first + (*at)++];
    return true;
}

bool trib_pickle_next(trib_pickle_walk *walk, uint32_t *item)
{
    return next(walk->pickle, &walk->part, &walk->at, item);
}

/* A pair as Python 2 wrote it: a list of two, or a tuple. What is none has None for both. */
static void split(const trib_pickle *pickle, uint32_t pair, uint32_t *key, uint32_t *value)
{
    trib_pickle_walk walk = trib_pickle_walk_over(pickle, pair);
    *key = *value = TRIB_PICKLE_NOTHING;
    if (trib_pickle_kind_of(pickle, pair) == TRIB_PICKLE_DICT) return;
    if (trib_pickle_next(&walk, key)) trib_pickle_next(&walk, value);
}

bool trib_pickle_next_pair(trib_pickle_walk *walk, uint32_t *key, uint32_t *value)
{
    uint32_t pair = TRIB_PICKLE_NOTHING;
    if (next(walk->pickle, &walk->source_part, &walk->source_at, &pair)) {
        split(walk->pickle, pair, key, value);
        return true;
    }
    return trib_pickle_next(walk, key) && trib_pickle_next(walk, value);
}

static void show(const trib_pickle *pickle, uint32_t value, trib_pickle_text *out)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, value);
    size_t used = strlen(out->text);
    if (v->kind != TRIB_PICKLE_STRING) return;
    for (uint32_t i = 0; i < v->count && used < sizeof out->text - 1; ++i) {
        const char c = v->as.text[i];
        out->text[used++] = c >= ' ' && c < 0x7F ? c : '?';
    }
    out->text[used] = '\0';
}

trib_pickle_text trib_pickle_show(const trib_pickle *pickle, uint32_t value)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, value);
    trib_pickle_text text = { "" };
    if (v->kind == TRIB_PICKLE_NAME) {
        show(pickle, v->as.global.module, &text);
        if (strlen(text.text) < sizeof text.text - 2) strcat(text.text, ".");
        show(pickle, v->as.global.name, &text);
    } else
        show(pickle, value, &text);
    return text;
}
