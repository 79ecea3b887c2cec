/* SPDX-License-Identifier: Apache-2.0
 * Entries of a choice cache: kept by choice_cache.c, read and written by choice_cache_file.c. */
#ifndef TRIBUTARY_RUNTIME_CHOICES_CHOICE_ENTRIES_H
#define TRIBUTARY_RUNTIME_CHOICES_CHOICE_ENTRIES_H

#include "choices/choice_cache.h"

typedef struct trib_choice_entry {
    char key[TRIB_CHOICE_KEY_SIZE];
    trib_choice choice;
} trib_choice_entry;

typedef struct trib_choice_entries {
    trib_choice_entry *list;
    size_t count, capacity;
} trib_choice_entries;

/* Copies; replaces the key's entry. */
trib_status trib_choice_entries_put(trib_choice_entries *entries, const char *key, const trib_choice *choice);
void trib_choice_entries_clear(trib_choice_entries *entries);

/* Adds the file's entries. Fails with TRIB_NOT_FOUND if there is no file, with TRIB_BAD_DATA if it is useless. */
trib_status trib_choice_file_read(const char *path, const char *library, const char *device,
                                  trib_choice_entries *entries);
/* Whether it could be written, leaving it as it is. */
trib_status trib_choice_file_check(const char *path);
trib_status trib_choice_file_write(const char *path, const char *library, const char *device,
                                   const trib_choice_entries *entries);

#endif
