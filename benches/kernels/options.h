/* SPDX-License-Identifier: Apache-2.0
 * kernel_bench's command line. */
#ifndef TRIBUTARY_BENCHES_KERNELS_OPTIONS_H
#define TRIBUTARY_BENCHES_KERNELS_OPTIONS_H

#include <stdio.h>

#include "table/table.h"

TRIB_BEGIN_DECLS

enum { BENCH_MOST_BATCHES = 16, BENCH_LARGEST_BATCH = 4096, BENCH_GO_ON = -1 };

typedef struct bench_options {
    int batches[BENCH_MOST_BATCHES], batch_count;
    const trib_kernel *kernel; /* NULL: all */
    double seconds;            /* for each row */
    const char *json;          /* NULL: none */
} bench_options;

/* Returns BENCH_GO_ON, or the exit code: 0 after --help (printed to `out`), 2 after wrong usage (reported to `error`).
 */
int bench_parse(int argc, char **argv, FILE *out, FILE *error, bench_options *options);

TRIB_END_DECLS
#endif
