/* SPDX-License-Identifier: Apache-2.0
 * Measures one row (a kernel in a layer, in one type and batch size), or all rows. */
#ifndef TRIBUTARY_BENCHES_KERNELS_MEASURE_H
#define TRIBUTARY_BENCHES_KERNELS_MEASURE_H

#include "gpu.h"
#include "options.h"

TRIB_BEGIN_DECLS

/* Fills the row. If it does not fit into memory, or has no kernel, it is not run, and the row says why. */
trib_status bench_measure_row(bench_gpu *gpu, const bench_limits *limits, const bench_layer *layer, double seconds,
                              bench_row *row);

/* On the current card: limits, table, JSON. Of `layers` those of the kernel that the options name. `sizes` NULL: chosen
 * for the card. */
trib_status bench_measure(const bench_options *options, const bench_sizes *sizes, const bench_layers *layers,
                          FILE *out);
/* The same for the layers of the options' batches. */
trib_status bench_run(const bench_options *options, const bench_sizes *sizes, FILE *out);

TRIB_END_DECLS
#endif
