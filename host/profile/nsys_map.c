/* SPDX-License-Identifier: Apache-2.0
 * Open addressing with linear probing, at most three quarters full. */
#include "profile/nsys_map.h"

#include <string.h>

#include "tributary/internal/alloc.h"

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint32_t trib_nsys_hash(int64_t a, int64_t b) { return (uint32_t)mix(mix((uint64_t)a) + (uint64_t)b); }

uint32_t trib_nsys_hash_text(const char *text, size_t size)
{
    uint64_t h = size;
    for (size_t i = 0; i < size; ++i) h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (uint32_t)mix(h);
}

uint32_t trib_nsys_map_get(const trib_nsys_map *map, uint32_t hash, trib_nsys_same same, const void *key)
{
    for (size_t i = hash; map->capacity > 0; ++i) {
        const trib_nsys_slot *slot = &map->slots[i & (map->capacity - 1)];
        if (slot->value == TRIB_NSYS_NONE) break;
        if (slot->hash == hash && same(key, slot->value)) return slot->value;
    }
    return TRIB_NSYS_NONE;
}

static void place(trib_nsys_slot *slots, size_t capacity, trib_nsys_slot new)
{
    size_t i = new.hash &(capacity - 1);
    while (slots[i].value != TRIB_NSYS_NONE) i = (i + 1) & (capacity - 1);
    slots[i] = new;
}

static int resize(trib_nsys_map *map, size_t capacity)
{
    trib_nsys_slot *slots = trib_realloc_array(NULL, capacity, sizeof *slots);
    if (!slots) return -1;
    memset(slots, 0xff, capacity * sizeof *slots);
    for (size_t i = 0; i < map->capacity; ++i)
        if (map->slots[i].value != TRIB_NSYS_NONE) place(slots, capacity, map->slots[i]);
    trib_free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return 0;
}

int trib_nsys_map_reserve(trib_nsys_map *map, size_t count)
{
    size_t capacity = map->capacity ? map->capacity : 64;
    while (capacity / 4 * 3 < count) capacity *= 2;
    return capacity == map->capacity ? 0 : resize(map, capacity);
}

int trib_nsys_map_add(trib_nsys_map *map, uint32_t hash, uint32_t value)
{
    if (trib_nsys_map_reserve(map, map->count + 1) != 0) return -1;
    place(map->slots, map->capacity, (trib_nsys_slot) { hash, value });
    ++map->count;
    return 0;
}

void trib_nsys_map_set(trib_nsys_map *map, uint32_t hash, uint32_t old, uint32_t value)
{
    size_t i = hash & (map->capacity - 1);
    while (map->slots[i].hash != hash || map->slots[i].value != old) i = (i + 1) & (map->capacity - 1);
    map->slots[i].value = value;
}

void trib_nsys_map_release(trib_nsys_map *map)
{
    trib_free(map->slots);
    *map = (trib_nsys_map) { 0 };
}
