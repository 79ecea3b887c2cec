/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/strings.h"

#include <stdarg.h>
#include <stdio.h>

#include "tributary/internal/alloc.h"

static const char *keep(trib_strings *strings, char *owned)
{
    if (!owned) return NULL;
    if (trib_grow((void **)&strings->items, &strings->capacity, strings->count + 1, sizeof *strings->items)) {
        trib_free(owned);
        return NULL;
    }
    return strings->items[strings->count++] = owned;
}

const char *trib_strings_add(trib_strings *strings, const char *text) { return keep(strings, trib_strdup(text)); }

const char *trib_strings_format(trib_strings *strings, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : trib_alloc((size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return keep(strings, text);
}

void trib_strings_release(trib_strings *strings)
{
    for (size_t i = 0; i < strings->count; ++i) trib_free(strings->items[i]);
    trib_free(strings->items);
    *strings = (trib_strings) { 0 };
}
