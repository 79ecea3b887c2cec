/* SPDX-License-Identifier: Apache-2.0
 * What plans give the kernels of the table to do: the networks of models/, lowered for a described card in every
 * precision, and each op that one of our kernels runs as a problem of the table. For the benchmark and the checker.
 *
 *     bench_layers layers = { 0 };
 *     trib_status status = bench_layers_add(&layers, 32);
 *     for (int i = 0; i < layers.count; ++i) ... layers.list[i] ...
 *     bench_layers_destroy(&layers);
 */
#ifndef TRIBUTARY_BENCHES_KERNELS_LAYERS_H
#define TRIBUTARY_BENCHES_KERNELS_LAYERS_H

#include "table/table.h"

TRIB_BEGIN_DECLS

enum { BENCH_LAYER_NAME = 64 };

typedef struct bench_layer {
    const trib_kernel *kernel;
    trib_dtype dtype; /* the kernel is run with */
    int batch;
    bool training;               /* of a plan for training */
    char name[BENCH_LAYER_NAME]; /* of the op in its plan */
    trib_kernel_problem problem;
} bench_layer;

typedef struct bench_layers {
    bench_layer *list;
    int count;
    size_t capacity;
} bench_layers;

/* Appends the layers of plans for this batch. What a kernel already has in the same type and shape is left out: shapes
 * that several plans share, and of weights, which know no batch, those of an earlier one. On failure the list is
 * incomplete; destroy it. */
trib_status bench_layers_add(bench_layers *layers, int batch);
void bench_layers_destroy(bench_layers *layers);

TRIB_END_DECLS
#endif
