/* SPDX-License-Identifier: Apache-2.0
 * Fine-tuning: which parameters of a graph a model with other classes, or without auxiliary classifiers, cannot give.
 */
#include "network/fresh.h"

#include <string.h>

#include "network/row.h"

typedef struct source {
    const trib_graph *graph;
    const trib_dialect *dialect;
    trib_tensor_index *index;
} source;

static trib_tensor_entry *find(const source *s, int parameter)
{
    char name[TRIB_NAME_TEXT];
    return trib_tensor_index_find(s->index, trib_parameter_file_name(s->graph, s->dialect, parameter, name));
}

/* ---- auxiliary classifiers ---- */

static bool is_of(const trib_graph *graph, int parameter, const char *head)
{
    const char *name = trib_graph_parameter(graph, parameter)->name;
    const size_t length = strlen(head);
    return !strncmp(name, head, length) && name[length] == '/';
}

static void mark_if_missing(const source *s, const char *head, bool *fresh)
{
    const int count = trib_graph_parameter_count(s->graph);
    for (int i = 0; i < count; ++i)
        if (is_of(s->graph, i, head) && find(s, i)) return;
    for (int i = 0; i < count; ++i)
        if (is_of(s->graph, i, head)) fresh[i] = true;
}

/* ---- classifiers ---- */

/* `p` as a classifier of this many classes would have it. */
static trib_status check_other_classes(const trib_parameter *p, const trib_tensor *tensor, int64_t classes)
{
    char found[TRIB_SHAPE_TEXT], needed[TRIB_SHAPE_TEXT];
    trib_shape wanted = p->shape;
    wanted.dim[0] = classes;
    if (trib_shape_equal(&tensor->shape, &wanted)) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s has shape %s where a classifier of %lld classes has %s",
                      tensor->name, trib_shape_text(&tensor->shape, found), (long long)classes,
                      trib_shape_text(&wanted, needed));
}

static trib_status mark_layer(const source *s, const trib_layer *layer, int64_t classes, bool *fresh)
{
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) {
        const int parameter = layer->parameters[role];
        trib_tensor_entry *entry = parameter == TRIB_NO_PARAMETER ? NULL : find(s, parameter);
        if (!entry) continue;
        TRIB_TRY(check_other_classes(trib_graph_parameter(s->graph, parameter), entry->tensor, classes));
        entry->used = true;
    }
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role)
        if (layer->parameters[role] != TRIB_NO_PARAMETER) fresh[layer->parameters[role]] = true;
    return trib_success();
}

static trib_status mark_if_of_other_classes(const source *s, int id, bool *fresh)
{
    const trib_layer *layer = trib_graph_layer(s->graph, id);
    const int weight = layer->parameters[TRIB_WEIGHT];
    const trib_tensor_entry *entry = weight == TRIB_NO_PARAMETER ? NULL : find(s, weight);
    if (!entry || entry->tensor->shape.rank < 1) return trib_success();
    const int64_t classes = entry->tensor->shape.dim[0];
    if (classes == trib_graph_parameter(s->graph, weight)->shape.dim[0]) return trib_success();
    return mark_layer(s, layer, classes, fresh);
}

trib_status trib_find_fresh(const trib_network *network, const trib_graph *graph, const trib_dialect *dialect,
                            trib_tensor_index *index, bool *fresh)
{
    const source s = { graph, dialect, index };
    memset(fresh, 0, (size_t)trib_graph_parameter_count(graph) * sizeof *fresh);
    for (const char *const *head = network->auxiliary; head && *head; ++head) mark_if_missing(&s, *head, fresh);
    for (int i = 0; i < trib_graph_output_count(graph); ++i)
        TRIB_TRY(mark_if_of_other_classes(&s, trib_graph_output(graph, i)->layer, fresh));
    return trib_success();
}
