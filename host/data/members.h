/* SPDX-License-Identifier: Apache-2.0
 * The members of a tar shard that later links may refer to, by name: the position of each or, if the shard cannot be
 * read again, its bytes. Bounded: the oldest are forgotten. */
#ifndef TRIB_DATA_MEMBERS_H
#define TRIB_DATA_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names, positions and bytes together. In a plain file, where only names and positions are kept, that is half a million
 * members. */
enum { TRIB_MAX_REMEMBERED_BYTES = 64 << 20 };

enum { TRIB_MEMBER_GONE = -1 };

typedef struct trib_member {
    char *name;
    int64_t position; /* of its header in the file; TRIB_MEMBER_GONE: it cannot be read again */
    uint8_t *bytes;   /* NULL: read them at `position` */
    size_t size;
    int64_t older; /* next in its bucket; -1: none */
} trib_member;

typedef struct trib_members {
    trib_member *ring; /* member n of the shard, from 0, is ring[n % capacity] */
    int64_t *buckets;  /* newest member of each bucket, -1: none */
    int64_t capacity;  /* of both, a power of two or 0 */
    int64_t begin, end;
    size_t bytes_held;
    size_t most_bytes; /* at most TRIB_MAX_REMEMBERED_BYTES */
} trib_members;

/* Copies name and bytes. Hides an older member of the same name, even if this one is too large to keep. */
trib_status trib_members_add(trib_members *members, const char *name, int64_t position, const uint8_t *bytes,
                             size_t size);
/* Valid until the next trib_members_add; NULL: unknown, or forgotten. */
const trib_member *trib_members_find(const trib_members *members, const char *name);
void trib_members_free(trib_members *members);

/* The name without "." parts, resolvable ".." parts, and double slashes; release with trib_free. *out = NULL: it is
 * absolute or leads out of the shard. */
trib_status trib_member_name(const char *name, char **out);
/* The same for the target of a symbolic link, relative to the folder of the link. */
trib_status trib_member_target(const char *link, const char *target, char **out);

#ifdef __cplusplus
}
#endif
#endif
