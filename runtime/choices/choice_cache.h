/* SPDX-License-Identifier: Apache-2.0
 * Stores what was found by measuring in a file: the fastest plans of convolutions, which take seconds to measure and
 * some of them more to compile; the fastest schedules (tune/tuned_file.c).
 *
 * A file belongs to one version of the libraries and one kind of card. A damaged file, or one of another version or
 * card, is ignored with a note, and replaced when the cache is saved. A file that does not begin like a cache of any
 * version is never replaced: saving fails.
 *
 *     tributary choice cache 1
 *     library: cuDNN 9.19.0, cuBLASLt 13.0.2
 *     device: NVIDIA H200
 *     key: fwd bf16 n32 c96 28x28 k128 3x3 s1x1 p1+1 28x28 x96 y256 bias relu
 *     plan: cudnn:f32:7:24=21
 *     nanoseconds: 12345
 *     json: 69677                      bytes of the plan's JSON; they follow, then a newline
 *     check: 0123456789abcdef          FNV-1a of the four
 *
 * Threads: a cache may be used from several threads at once. */
#ifndef TRIBUTARY_RUNTIME_CHOICES_CHOICE_CACHE_H
#define TRIBUTARY_RUNTIME_CHOICES_CHOICE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

typedef struct trib_choice_cache trib_choice_cache;

enum { TRIB_CHOICE_KEY_SIZE = 512, TRIB_CHOICE_NAME_SIZE = 256 };

typedef struct trib_choice {
    char name[TRIB_CHOICE_NAME_SIZE];
    int64_t nanoseconds;
    char *json; /* the plan itself, followed by a zero byte; NULL if its name is enough */
    size_t json_bytes;
} trib_choice;

/* A missing file gives an empty cache, and so does a useless one, for which `note` (at least TRIB_MESSAGE_SIZE bytes,
 * or NULL) has the reason; otherwise it is "". `path` NULL: never written. `library` and `device` are one line each. */
trib_status trib_choice_cache_open(const char *path, const char *library, const char *device, char *note,
                                   trib_choice_cache **out);
/* Unsaved entries are lost. NULL is fine. */
void trib_choice_cache_close(trib_choice_cache *cache);

/* *found: whether there is one; then clear *out. */
trib_status trib_choice_cache_find(trib_choice_cache *cache, const char *key, bool *found, trib_choice *out);
void trib_choice_clear(trib_choice *choice);
/* Copies; replaces the key's entry. Key and name are one line each. */
trib_status trib_choice_cache_put(trib_choice_cache *cache, const char *key, const trib_choice *choice);
int trib_choice_cache_count(trib_choice_cache *cache);

/* Writes the file if there are new entries: a temporary file that is renamed, so that others see the old file or the
 * new one. */
trib_status trib_choice_cache_save(trib_choice_cache *cache);

#endif
