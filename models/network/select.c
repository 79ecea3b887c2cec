/* SPDX-License-Identifier: Apache-2.0
 * Parameters selected by the beginnings of their names, and the names of the layers that have them. */
#include <stdio.h>
#include <string.h>

#include "network/row.h"

/* ---- lists of names ---- */

/* "conv1, conv2, ..."; what does not fit is left out. */
typedef struct name_list {
    char *text;
    size_t size, used;
    bool full;
} name_list;

static void append(name_list *list, const char *name, size_t length)
{
    const char *comma = list->used ? ", " : "";
    if (list->full) return;
    list->full = list->used + strlen(comma) + length + sizeof ", ..." > list->size;
    list->used += (size_t)snprintf(list->text + list->used, list->size - list->used, "%s%.*s", comma,
                                   list->full ? 3 : (int)length, list->full ? "..." : name);
}

const char *trib_parameter_layers(const trib_graph *graph, const bool *selected, char *text, size_t size)
{
    name_list list = { .text = text, .size = size };
    if (size) *text = '\0';
    for (int i = 0, last = -1; i < trib_graph_parameter_count(graph); ++i) {
        const int layer = trib_graph_parameter(graph, i)->layer;
        if (!selected[i] || layer == last) continue;
        const char *name = trib_graph_layer(graph, layer)->name;
        append(&list, name, strlen(name));
        last = layer;
    }
    return text;
}

/* What stands before the first "/" of the parameters' own names: modules, and layers of the trunk. */
static void list_modules(const trib_graph *graph, char *text, size_t size)
{
    name_list list = { .text = text, .size = size };
    const char *last = "";
    size_t last_length = 0;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const char *name = trib_graph_parameter(graph, i)->name;
        const size_t length = strcspn(name, "/.");
        if (length == last_length && !strncmp(name, last, length)) continue;
        append(&list, name, length);
        last = name;
        last_length = length;
    }
}

/* ---- selection ---- */

static bool select_in(const trib_graph *graph, const trib_dialect *dialect, const char *prefix, bool *selected)
{
    char name[TRIB_NAME_TEXT];
    bool any = false;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        trib_parameter_file_name(graph, dialect, i, name);
        if (strncmp(name, prefix, strlen(prefix))) continue;
        any = selected[i] = true;
    }
    return any;
}

trib_status trib_parameters_select(const trib_network *network, const trib_graph *graph, const char *prefix,
                                   bool *selected)
{
    const trib_dialect own = { .file_name = trib_canonical_name };
    char modules[TRIB_MESSAGE_SIZE / 2] = "";
    if (!*prefix) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "an empty prefix would select every parameter");
    if (select_in(graph, &own, prefix, selected)) return trib_success();
    for (const trib_dialect *const *d = network->dialects; *d; ++d)
        if (select_in(graph, *d, prefix, selected)) return trib_success();
    list_modules(graph, modules, sizeof modules);
    return TRIB_ERROR(TRIB_NOT_FOUND, "no parameter of %s has a name that begins with \"%.64s\"; it has %s",
                      trib_graph_name(graph), prefix, modules);
}
