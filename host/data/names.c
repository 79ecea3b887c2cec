/* SPDX-License-Identifier: Apache-2.0 */
#include "data/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"

trib_status trib_names_add(trib_names *names, char *name, const char *what)
{
    if (!name || trib_grow((void **)&names->items, &names->capacity, names->count + 1, sizeof *names->items)) {
        trib_free(name);
        return trib_no_memory(what);
    }
    names->items[names->count++] = name;
    return trib_success();
}

trib_status trib_names_add_text(trib_names *names, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return trib_names_add(names, trib_strdup(text), "notes");
}

void trib_names_free(trib_names *names)
{
    for (size_t i = 0; i < names->count; ++i) trib_free(names->items[i]);
    trib_free(names->items);
    memset(names, 0, sizeof *names);
}
