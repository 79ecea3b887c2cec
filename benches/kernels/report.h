/* SPDX-License-Identifier: Apache-2.0
 * Results, for people and for programs. */
#ifndef TRIBUTARY_BENCHES_KERNELS_REPORT_H
#define TRIBUTARY_BENCHES_KERNELS_REPORT_H

#include <stdio.h>

#include "cost.h"
#include "layers.h"

TRIB_BEGIN_DECLS

typedef struct bench_card {
    char name[256];
    char instructions[16];
    int multiprocessors;
    int64_t memory_bytes, l2_bytes;
    int runtime_version, driver_version; /* as CUDA has them: 13000 */
} bench_card;

typedef struct bench_row {
    const char *kernel;
    char layer[BENCH_LAYER_NAME], text[TRIB_KERNEL_TEXT];
    trib_dtype dtype;
    int batch;
    int64_t bytes;
    double flops, floor;
    double seconds;                  /* median time of a launch; 0 if it was not run */
    double least;                    /* and the shortest */
    int rounds, launches;            /* rounds timed, and launches in each */
    char missing[TRIB_MESSAGE_SIZE]; /* why it was not run */
} bench_row;

void bench_print_card(FILE *out, const bench_card *card, const bench_limits *limits);
void bench_print_header(FILE *out);
void bench_print_row(FILE *out, const bench_row *row);
void bench_print_notes(FILE *out);

/* One object: card, limits, rows. Errors show in ferror(out). */
void bench_write_json(FILE *out, const bench_card *card, const bench_limits *limits, const bench_row *rows, int count);

TRIB_END_DECLS
#endif
