/* SPDX-License-Identifier: Apache-2.0
 * Strings that are freed together: the names in a graph or a plan. */
#ifndef TRIBUTARY_RUNTIME_GRAPH_STRINGS_H
#define TRIBUTARY_RUNTIME_GRAPH_STRINGS_H

#include <stddef.h>

typedef struct trib_strings {
    char **items;
    size_t count, capacity;
} trib_strings;

/* A copy that lives as long as `strings`; NULL if out of memory. */
const char *trib_strings_add(trib_strings *strings, const char *text);
__attribute__((format(printf, 2, 3))) const char *trib_strings_format(trib_strings *strings, const char *format, ...);
void trib_strings_release(trib_strings *strings);

#endif
