/* SPDX-License-Identifier: Apache-2.0
 * The tensors of a file as the parameters of a graph: each one there, of the right shape, floating and finite, and none
 * left over. */
#include <string.h>

#include "names.h"
#include "tributary/internal/alloc.h"

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
    if (tensor->dtype != TRIB_F32 && tensor->dtype != TRIB_F16 && tensor->dtype != TRIB_BF16)
        return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s holds %s; f32, f16 or bf16 are needed", tensor->name,
                          trib_dtype_name(tensor->dtype));
    return check_values(parameter, tensor);
}

/* Finds and checks each parameter's tensor, marking those used. */
static trib_status find_all(const trib_graph *graph, trib_variant variant, trib_tensor_index *index,
                            const trib_tensor **found)
{
    char name[TRIB_NAME_TEXT];
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        trib_googlenet_parameter_name(graph, variant, i, name);
        trib_tensor_entry *entry = trib_tensor_index_find(index, name);
        if (!entry)
            return TRIB_ERROR(TRIB_BAD_DATA, "tensor %s is missing%s", name,
                              trib_is_auxiliary(variant, name) ? "; the auxiliary classifiers can be left out" : "");
        TRIB_TRY(check_tensor(trib_graph_parameter(graph, i), entry->tensor));
        entry->used = true;
        found[i] = entry->tensor;
    }
    return trib_success();
}

static bool may_be_left_over(const char *bare_name, trib_variant variant, bool graph_has_aux)
{
    static const char counter[] = ".num_batches_tracked"; /* only PyTorch's training reads it */
    const size_t length = strlen(bare_name), tail = sizeof counter - 1;
    if (variant == TRIB_TORCHVISION && length > tail && !strcmp(bare_name + length - tail, counter)) return true;
    return !graph_has_aux && trib_is_auxiliary(variant, bare_name);
}

static trib_status check_left_over(const trib_graph *graph, trib_variant variant, const trib_tensor_index *index)
{
    const bool has_aux = trib_graph_find_parameter(graph, "loss1/classifier.weight") >= 0;
    const char *first = NULL;
    int count = 0;
    for (size_t i = 0; i < index->count; ++i) {
        const trib_tensor_entry *entry = &index->entries[i];
        if (entry->used || may_be_left_over(entry->bare_name, variant, has_aux)) continue;
        if (!count++) first = entry->tensor->name;
    }
    if (!count) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s is not part of %s (%d such tensor%s in all)", first,
                      trib_graph_name(graph), count, count == 1 ? "" : "s");
}

trib_status trib_googlenet_bind(const trib_graph *graph, trib_variant variant, const trib_tensor *tensors, int count,
                                trib_tensor *parameters)
{
    trib_status status;
    trib_tensor_index index = { 0 };
    const int wanted = trib_graph_parameter_count(graph);
    const trib_tensor **found = trib_alloc_zeroed((size_t)wanted, sizeof *found);
    if (!found) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d parameters", wanted);
    TRIB_TRY_GOTO(status, done, trib_tensor_index_build(tensors, count, &index));
    TRIB_TRY_GOTO(status, done, find_all(graph, variant, &index, found));
    TRIB_TRY_GOTO(status, done, check_left_over(graph, variant, &index));
    for (int i = 0; i < wanted; ++i) {
        parameters[i] = *found[i];
        parameters[i].name = trib_graph_parameter(graph, i)->name;
    }
done:
    trib_tensor_index_release(&index);
    trib_free(found);
    return status;
}
