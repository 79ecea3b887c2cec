/* SPDX-License-Identifier: Apache-2.0 */
#include "network/values.h"

#include "tributary/internal/alloc.h"

/* Fails if the parameters cannot fit into memory. */
static trib_status count_all(const trib_graph *graph, const bool *wanted, int64_t *total)
{
    const int64_t limit = PTRDIFF_MAX / (int64_t)sizeof(float);
    int64_t sum = 0, count = 0;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        if (wanted && !wanted[i]) continue;
        TRIB_TRY(trib_shape_count(&trib_graph_parameter(graph, i)->shape, &count));
        if (count > limit - sum) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "the network has too many parameters");
        sum += count;
    }
    *total = sum;
    return trib_success();
}

trib_status trib_parameters_make(const trib_graph *graph, const bool *wanted, trib_fill fill, const void *context,
                                 trib_tensor *parameters, void **storage)
{
    int64_t total = 0, count = 0;
    TRIB_TRY(count_all(graph, wanted, &total));
    float *values = trib_alloc((size_t)total * sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %lld parameters", (long long)total);
    *storage = values;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        if (wanted && !wanted[i]) continue;
        (void)trib_shape_count(&p->shape, &count); /* succeeded above */
        fill(context, graph, i, count, values);
        parameters[i] = (trib_tensor) { .name = p->name, .dtype = TRIB_F32, .shape = p->shape, .data = values };
        values += count;
    }
    return trib_success();
}

void trib_parameters_free(void *storage) { trib_free(storage); }
