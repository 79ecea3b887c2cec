/* SPDX-License-Identifier: Apache-2.0
 * Binds the tensors of a file to the parameters of a graph: all present (or new, in fine-tuning), of the right shape,
 * floating and finite, and none left over. */
#include <string.h>

#include "network/fresh.h"
#include "network/row.h"
#include "tributary/internal/alloc.h"

/* The parameters, and the names of their tensors. */
typedef struct source {
    const trib_network *network;
    const trib_dialect *dialect;
    const trib_graph *graph;
    bool aux;
} source;

static trib_status check_values(const trib_parameter *parameter, const trib_tensor *tensor)
{
    int64_t count = 0;
    TRIB_TRY(trib_shape_count(&tensor->shape, &count));
    int64_t bad = trib_find_non_finite(tensor->data, tensor->dtype, (size_t)count);
    if (bad >= 0)
        return TRIB_ERROR(
            TRIB_BAD_DATA,
            "tensor %.128s: element %lld is not a finite number; the file is damaged or training diverged",
            tensor->name, (long long)bad);
    if (parameter->role != TRIB_BN_VAR) return trib_success();
    for (int64_t i = 0; i < count; ++i) {
        const char *element = (const char *)tensor->data + (size_t)i * trib_dtype_size(tensor->dtype);
        float variance;
        trib_convert_to_f32(element, tensor->dtype, 1, &variance);
        if (variance < 0)
            return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s: element %lld is %g, but a variance is never negative",
                              tensor->name, (long long)i, (double)variance);
    }
    return trib_success();
}

static trib_status check_tensor(const trib_parameter *parameter, const trib_tensor *tensor)
{
    char found[TRIB_SHAPE_TEXT], wanted[TRIB_SHAPE_TEXT];
    if (!trib_shape_equal(&tensor->shape, &parameter->shape))
        return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s has shape %s where the network has %s", tensor->name,
                          trib_shape_text(&tensor->shape, found), trib_shape_text(&parameter->shape, wanted));
    if (!trib_dtype_is_float(tensor->dtype))
        return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s is %s; it must be f32, f16 or bf16", tensor->name,
                          trib_dtype_name(tensor->dtype));
    return check_values(parameter, tensor);
}

/* Finds and checks the tensor of each parameter that is not fresh, marking those used. */
static trib_status find_all(const source *s, trib_tensor_index *index, const bool *fresh, const trib_tensor **found)
{
    char name[TRIB_NAME_TEXT];
    for (int i = 0; i < trib_graph_parameter_count(s->graph); ++i) {
        if (fresh && fresh[i]) continue;
        trib_parameter_file_name(s->graph, s->dialect, i, name);
        trib_tensor_entry *entry = trib_tensor_index_find(index, name);
        if (!entry)
            return TRIB_ERROR(
                TRIB_BAD_DATA, "tensor %s is missing%s", name,
                trib_is_auxiliary(s->network, s->dialect, name) ? "; the auxiliary classifiers can be left out" : "");
        TRIB_TRY(check_tensor(trib_graph_parameter(s->graph, i), entry->tensor));
        entry->used = true;
        found[i] = entry->tensor;
    }
    return trib_success();
}

static bool may_be_left_over(const source *s, const char *bare_name)
{
    const char *counter = s->dialect->counter; /* used only in training */
    const size_t length = strlen(bare_name), tail = counter ? strlen(counter) : 0;
    if (trib_is_training_state(bare_name)) return true;
    if (counter && length > tail && !strcmp(bare_name + length - tail, counter)) return true;
    return !s->aux && trib_is_auxiliary(s->network, s->dialect, bare_name);
}

static trib_status check_left_over(const source *s, const trib_tensor_index *index)
{
    const char *first = NULL;
    int count = 0;
    for (size_t i = 0; i < index->count; ++i) {
        const trib_tensor_entry *entry = &index->entries[i];
        if (entry->used || may_be_left_over(s, entry->bare_name)) continue;
        if (!count++) first = entry->tensor->name;
    }
    if (!count) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s is not part of %s (%d such tensor%s in all)", first,
                      trib_graph_name(s->graph), count, count == 1 ? "" : "s");
}

/* `fresh` is NULL if every parameter needs a tensor. */
static trib_status bind(const source *s, const trib_tensor *tensors, int count, bool *fresh, trib_tensor *parameters)
{
    trib_status status;
    trib_tensor_index index = { 0 };
    const int wanted = trib_graph_parameter_count(s->graph);
    const trib_tensor **found = trib_alloc_zeroed((size_t)wanted, sizeof *found);
    if (!found) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d parameters", wanted);
    TRIB_TRY_GOTO(status, done, trib_tensor_index_build(tensors, count, &index));
    if (fresh) TRIB_TRY_GOTO(status, done, trib_find_fresh(s->network, s->graph, s->dialect, &index, fresh));
    TRIB_TRY_GOTO(status, done, find_all(s, &index, fresh, found));
    TRIB_TRY_GOTO(status, done, check_left_over(s, &index));
    for (int i = 0; i < wanted; ++i) {
        if (!found[i]) continue;
        parameters[i] = *found[i];
        parameters[i].name = trib_graph_parameter(s->graph, i)->name;
    }
done:
    trib_tensor_index_release(&index);
    trib_free(found);
    return status;
}

trib_status trib_network_bind(const trib_network_spec *spec, const trib_graph *graph, const trib_dialect *dialect,
                              const trib_tensor *tensors, int count, trib_tensor *parameters)
{
    return bind(&(const source) { spec->network, dialect, graph, spec->aux }, tensors, count, NULL, parameters);
}

trib_status trib_network_bind_pretrained(const trib_network_spec *spec, const trib_graph *graph,
                                         const trib_dialect *dialect, const trib_tensor *tensors, int count,
                                         trib_tensor *parameters, bool *fresh)
{
    return bind(&(const source) { spec->network, dialect, graph, spec->aux }, tensors, count, fresh, parameters);
}
