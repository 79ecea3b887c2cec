/* SPDX-License-Identifier: Apache-2.0
 * The members of a tar shard that links after them may mean, by name: where each lies, or, when the shard cannot be
 * read again, its bytes. Bounded: the oldest are forgotten. */
#ifndef TRIB_DATA_MEMBERS_H
#define TRIB_DATA_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names, places and bytes together. In a plain file, where only names and places are kept, that is half a million
 * members. */
enum { TRIB_MAX_REMEMBERED_BYTES = 64 << 20 };

enum { TRIB_MEMBER_GONE = -1 };

typedef struct trib_member {
    char *name;
    int64_t position; /* of its header in the file; TRIB_MEMBER_GONE: its bytes cannot be had again */
    uint8_t *bytes;   /* NULL: to be read at `position` */
    size_t size;
    int64_t older; /* the next in its bucket; -1: none */
} trib_member;

typedef struct trib_members {
    trib_member *ring; /* member n, counted from 0 over the whole shard, is ring[n % capacity] */
    int64_t *buckets;  /* newest member of each, -1: none */
    int64_t capacity;  /* of both, a power of two or 0 */
    int64_t begin, end;
    size_t bytes_held;
    size_t most_bytes; /* at most TRIB_MAX_REMEMBERED_BYTES */
} trib_members;

/* Copies name and bytes. A member of the same name is hidden by this one, also when this one is too large to keep. */
trib_status trib_members_add(trib_members *members, const char *name, int64_t position, const uint8_t *bytes,
                             size_t size);
/* Valid until the next trib_members_add; NULL: not there, or forgotten. */
const trib_member *trib_members_find(const trib_members *members, const char *name);
void trib_members_free(trib_members *members);

/* The name without "." parts, ".." parts that can be resolved, and double slashes; release with trib_free. *out = NULL:
 * it is absolute or leads out of the shard. */
trib_status trib_member_name(const char *name, char **out);
/* The same for what a symbolic link means: its target, seen from the folder that the link is in. */
trib_status trib_member_target(const char *link, const char *target, char **out);

#ifdef __cplusplus
}
#endif
#endif
