/* SPDX-License-Identifier: Apache-2.0
 * Entries of a plan cache: kept by plan_cache.c, read and written by plan_cache_file.c. */
#ifndef TRIBUTARY_RUNTIME_CUDA_PLAN_CACHE_PRIVATE_H
#define TRIBUTARY_RUNTIME_CUDA_PLAN_CACHE_PRIVATE_H

#include "cuda/plan_cache.h"

typedef struct trib_plan_entry {
    char key[TRIB_PLAN_KEY_SIZE];
    trib_plan_choice choice;
} trib_plan_entry;

typedef struct trib_plan_entries {
    trib_plan_entry *list;
    size_t count, capacity;
} trib_plan_entries;

/* Copies; replaces what the key had. */
trib_status trib_plan_entries_put(trib_plan_entries *entries, const char *key, const trib_plan_choice *choice);
void trib_plan_entries_clear(trib_plan_entries *entries);

/* Adds the file's entries. Fails with TRIB_NOT_FOUND when there is no file, with TRIB_BAD_DATA when it is useless. */
trib_status trib_plan_file_read(const char *path, const char *library, const char *device, trib_plan_entries *entries);
trib_status trib_plan_file_write(const char *path, const char *library, const char *device,
                                 const trib_plan_entries *entries);

#endif
