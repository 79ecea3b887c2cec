/* SPDX-License-Identifier: Apache-2.0 */
#include "data/members.h"

#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

enum { FIRST_CAPACITY = 256 };

static size_t hash(const char *name)
{
    size_t h = 14695981039346656037u; /* FNV-1a */
    for (; *name; ++name) h = (h ^ (unsigned char)*name) * 1099511628211u;
    return h;
}

static trib_member *member_at(const trib_members *m, int64_t n) { return &m->ring[n & (m->capacity - 1)]; }

static int64_t *bucket_of(const trib_members *m, const char *name)
{
    return &m->buckets[hash(name) & (size_t)(m->capacity - 1)];
}

static size_t cost(const trib_member *member) { return sizeof *member + strlen(member->name) + 1 + member->size; }

static void put_into_bucket(trib_members *m, int64_t n)
{
    int64_t *bucket = bucket_of(m, member_at(m, n)->name);
    member_at(m, n)->older = *bucket;
    *bucket = n;
}

static trib_status grow(trib_members *m)
{
    trib_members larger = { .capacity = m->capacity ? 2 * m->capacity : FIRST_CAPACITY };
    larger.ring = trib_alloc_zeroed((size_t)larger.capacity, sizeof *larger.ring);
    larger.buckets = trib_realloc_array(NULL, (size_t)larger.capacity, sizeof *larger.buckets);
    if (!larger.ring || !larger.buckets) {
        trib_free(larger.ring);
        trib_free(larger.buckets);
        return trib_no_memory("members of a shard");
    }
    for (int64_t i = 0; i < larger.capacity; ++i) larger.buckets[i] = -1;
    for (int64_t n = m->begin; n < m->end; ++n) {
        *member_at(&larger, n) = *member_at(m, n);
        put_into_bucket(&larger, n);
    }
    trib_free(m->ring);
    trib_free(m->buckets);
    m->ring = larger.ring;
    m->buckets = larger.buckets;
    m->capacity = larger.capacity;
    return trib_success();
}

/* The oldest is the last of its bucket. */
static void forget_oldest(trib_members *m)
{
    trib_member *oldest = member_at(m, m->begin);
    int64_t *link = bucket_of(m, oldest->name);
    while (*link != m->begin) link = &member_at(m, *link)->older;
    *link = -1;
    m->bytes_held -= cost(oldest);
    trib_free(oldest->name);
    trib_free(oldest->bytes);
    ++m->begin;
}

trib_status trib_members_add(trib_members *m, const char *name, int64_t position, const uint8_t *bytes, size_t size)
{
    if (bytes && size > m->most_bytes / 2) { /* it would displace all the others */
        bytes = NULL;
        position = TRIB_MEMBER_GONE;
    }
    trib_member member = { .position = position, .size = bytes ? size : 0 };
    if (m->end - m->begin == m->capacity) TRIB_TRY(grow(m));
    member.name = trib_strdup(name);
    member.bytes = bytes ? trib_alloc(size) : NULL;
    if (!member.name || (bytes && !member.bytes)) {
        trib_free(member.name);
        trib_free(member.bytes);
        return trib_no_memory(name);
    }
    if (bytes) memcpy(member.bytes, bytes, size);
    m->bytes_held += cost(&member);
    *member_at(m, m->end) = member;
    put_into_bucket(m, m->end++);
    while (m->bytes_held > m->most_bytes) forget_oldest(m);
    return trib_success();
}

const trib_member *trib_members_find(const trib_members *m, const char *name)
{
    int64_t n = m->capacity ? *bucket_of(m, name) : -1;
    while (n >= 0 && strcmp(member_at(m, n)->name, name) != 0) n = member_at(m, n)->older;
    return n >= 0 && member_at(m, n)->position != TRIB_MEMBER_GONE ? member_at(m, n) : NULL;
}

void trib_members_free(trib_members *m)
{
    while (m->begin < m->end) forget_oldest(m);
    trib_free(m->ring);
    trib_free(m->buckets);
    memset(m, 0, sizeof *m);
}

/* ---- names ---- */

/* Appends the parts of `from` to the first `length` bytes at `to`, which has room for all of them. False: it leads out
 * of the shard. */
static bool add_parts(char *to, size_t *length, const char *from)
{
    for (size_t n; *from; from += n + (from[n] == '/')) {
        n = strcspn(from, "/");
        if (n == 0 || (n == 1 && *from == '.')) continue;
        if (n == 2 && strncmp(from, "..", 2) == 0) {
            if (!*length) return false;
            while (*length && to[*length - 1] != '/') --*length;
            if (*length) --*length; /* the slash */
            continue;
        }
        if (*length) to[(*length)++] = '/';
        memcpy(to + *length, from, n);
        *length += n;
    }
    to[*length] = '\0';
    return true;
}

static trib_status join_names(const char *folder, size_t folder_length, const char *name, char **out)
{
    *out = NULL;
    char *joined = trib_alloc(folder_length + strlen(name) + 3), *before = trib_alloc(folder_length + 1);
    size_t length = 0;
    bool good = joined && before;
    if (good) {
        memcpy(before, folder, folder_length);
        before[folder_length] = '\0';
        if (*name != '/' && *before != '/' && add_parts(joined, &length, before) && add_parts(joined, &length, name)) {
            *out = joined;
            joined = NULL;
        }
    }
    trib_free(joined);
    trib_free(before);
    return good ? trib_success() : trib_no_memory(name);
}

trib_status trib_member_name(const char *name, char **out) { return join_names("", 0, name, out); }

trib_status trib_member_target(const char *link, const char *target, char **out)
{
    return join_names(link, (size_t)(trib_base_name(link) - link), target, out);
}
