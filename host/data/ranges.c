/* SPDX-License-Identifier: Apache-2.0
 * Numbered shards: "train-{000000..000009}.tar". */
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "data/names.h"
#include "tributary/internal/alloc.h"

enum { MAX_NAMES = 100000, MAX_DIGITS = 9 };

typedef struct range {
    const char *open, *close; /* at the braces */
    long first, last;
    int width; /* digits of the first number: "000" asks for padding */
} range;

static trib_status malformed(const char *pattern)
{
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: a malformed range; write two numbers as in {000..009}",
                      trib_shorten(pattern).text);
}

/* Reads 1 to MAX_DIGITS digits; returns their number, 0 if there is no such number. */
static int read_number(const char *text, long *value)
{
    int n = 0;
    for (*value = 0; text[n] >= '0' && text[n] <= '9'; ++n) {
        if (n == MAX_DIGITS) return 0;
        *value = *value * 10 + (text[n] - '0');
    }
    return n;
}

static trib_status read_range(const char *pattern, const char *open, range *r)
{
    *r = (range) { .open = open };
    const char *at = open + 1;
    r->width = read_number(at, &r->first);
    at += r->width;
    if (!r->width || strncmp(at, "..", 2) != 0) return malformed(pattern);
    at += 2;
    int digits = read_number(at, &r->last);
    r->close = at + digits;
    if (!digits || *r->close != '}' || r->last < r->first) return malformed(pattern);
    return trib_success();
}

/* `name` with its range replaced by `number`. */
static char *fill_in(const char *name, const range *r, long number)
{
    size_t size = strlen(name) + 2 * MAX_DIGITS + 2;
    char *filled = trib_alloc(size);
    if (filled) snprintf(filled, size, "%.*s%0*ld%s", (int)(r->open - name), name, r->width, number, r->close + 1);
    return filled;
}

/* Expands the first range of every name; *more: whether there was one. */
static trib_status expand_once(trib_names *names, const char *pattern, bool *more)
{
    trib_names expanded = { 0 };
    trib_status s = trib_success();
    *more = false;
    for (size_t i = 0; i < names->count; ++i) {
        const char *name = names->items[i], *open = strchr(name, '{');
        range r = { .open = open };
        if (open) TRIB_TRY_GOTO(s, done, read_range(name, open, &r));
        *more |= open != NULL;
        if (r.last - r.first >= (long)(MAX_NAMES - expanded.count)) {
            s = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: stands for more than %d files", trib_shorten(pattern).text,
                           MAX_NAMES);
            goto done;
        }
        for (long n = r.first; n <= r.last; ++n) {
            char *filled = open ? fill_in(name, &r, n) : trib_strdup(name);
            TRIB_TRY_GOTO(s, done, trib_names_add(&expanded, filled, pattern));
        }
    }
done:;
    trib_names unused = trib_failed(&s) ? expanded : *names;
    if (!trib_failed(&s)) *names = expanded;
    trib_names_free(&unused);
    return s;
}

trib_status trib_expand_ranges(const char *pattern, trib_names *out)
{
    trib_names names = { 0 };
    trib_status s = trib_names_add(&names, trib_strdup(pattern), pattern);
    for (bool more = true; more && !trib_failed(&s);) s = expand_once(&names, pattern, &more);
    if (trib_failed(&s))
        trib_names_free(&names);
    else
        *out = names;
    return s;
}
