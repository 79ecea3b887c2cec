/* SPDX-License-Identifier: Apache-2.0
 * American flag sort (McIlroy, Bostic, McIlroy, 1993): counts the items of each value of a byte, moves each into its
 * part in place, and goes on with the next byte within the parts. */
#include "profile/nsys_sort.h"

#include <stdbool.h>
#include <string.h>

enum { KEY_BYTES = 24, FEW = 24 };

typedef struct sorting {
    size_t size;
    trib_nsys_key (*key)(const void *item);
} sorting;

static int byte_of(const sorting *s, const char *item, int at)
{
    return (int)(s->key(item).part[at / 8] >> (56 - at % 8 * 8) & 255);
}

static bool after(const sorting *s, const void *a, const void *b)
{
    const trib_nsys_key x = s->key(a), y = s->key(b);
    for (int i = 0; i < 3; ++i)
        if (x.part[i] != y.part[i]) return x.part[i] > y.part[i];
    return false;
}

static void sort_few(const sorting *s, char *items, size_t count)
{
    char moved[TRIB_NSYS_MAX_ITEM];
    for (size_t i = 1; i < count; ++i) {
        size_t to = i;
        memcpy(moved, items + i * s->size, s->size);
        for (; to > 0 && after(s, items + (to - 1) * s->size, moved); --to)
            memcpy(items + to * s->size, items + (to - 1) * s->size, s->size);
        memcpy(items + to * s->size, moved, s->size);
    }
}

static void swap(const sorting *s, char *a, char *b)
{
    char held[TRIB_NSYS_MAX_ITEM];
    memcpy(held, a, s->size);
    memcpy(a, b, s->size);
    memcpy(b, held, s->size);
}

/* next[v] and end[v] bound what is left to fill of the part of byte v. */
static void move_into_parts(const sorting *s, char *items, int at, size_t *next, const size_t *end)
{
    for (int v = 0; v < 256; ++v)
        while (next[v] < end[v]) {
            char *item = items + next[v] * s->size;
            int home = byte_of(s, item, at);
            if (home == v)
                ++next[v];
            else
                swap(s, item, items + next[home]++ * s->size);
        }
}

static void sort_from(const sorting *s, char *items, size_t count, int at)
{
    size_t end[256] = { 0 }, next[256];
    for (; at < KEY_BYTES && count > FEW; ++at) { /* bytes that all share divide nothing */
        memset(end, 0, sizeof end);
        for (size_t i = 0; i < count; ++i) ++end[byte_of(s, items + i * s->size, at)];
        if (end[byte_of(s, items, at)] < count) break;
    }
    if (count <= FEW) sort_few(s, items, count);
    if (count <= FEW || at == KEY_BYTES) return;
    size_t sum = 0;
    for (int v = 0; v < 256; ++v) {
        next[v] = sum;
        end[v] = sum += end[v];
    }
    move_into_parts(s, items, at, next, end);
    for (int v = 0; v < 256; ++v) {
        size_t first = v ? end[v - 1] : 0;
        if (end[v] - first > 1) sort_from(s, items + first * s->size, end[v] - first, at + 1);
    }
}

void trib_nsys_sort(void *items, size_t count, size_t size, trib_nsys_key (*key)(const void *item))
{
    const sorting s = { size, key };
    char *all = items;
    for (size_t i = 1; i < count; ++i)
        if (after(&s, all + (i - 1) * size, all + i * size)) {
            sort_from(&s, all, count, 0);
            return;
        }
}
