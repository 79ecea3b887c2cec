/* SPDX-License-Identifier: Apache-2.0
 * From keys to indices in an array of the caller's, which holds the keys. Zeroed is empty. */
#ifndef TRIBUTARY_PROFILE_NSYS_MAP_H
#define TRIBUTARY_PROFILE_NSYS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRIB_NSYS_NONE UINT32_MAX

typedef struct trib_nsys_slot {
    uint32_t hash, value;
} trib_nsys_slot;

typedef struct trib_nsys_map {
    trib_nsys_slot *slots; /* value TRIB_NSYS_NONE: free */
    size_t capacity, count;
} trib_nsys_map;

/* Whether the element of the caller's array has the key that is looked for. */
typedef bool (*trib_nsys_same)(const void *key, uint32_t value);

/* Of numbers, and of a text. */
uint32_t trib_nsys_hash(int64_t a, int64_t b);
uint32_t trib_nsys_hash_text(const char *text, size_t size);

/* TRIB_NSYS_NONE if it is not there. */
uint32_t trib_nsys_map_get(const trib_nsys_map *map, uint32_t hash, trib_nsys_same same, const void *key);
/* Makes room for so many keys at once. -1, without changes, if memory is short. */
int trib_nsys_map_reserve(trib_nsys_map *map, size_t count);
/* For a key that is not there yet. -1, without changes, if memory is short. */
int trib_nsys_map_add(trib_nsys_map *map, uint32_t hash, uint32_t value);
/* Another value for a key that is there. */
void trib_nsys_map_set(trib_nsys_map *map, uint32_t hash, uint32_t old, uint32_t value);
void trib_nsys_map_release(trib_nsys_map *map);

#ifdef __cplusplus
}
#endif
#endif
