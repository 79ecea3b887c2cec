/* SPDX-License-Identifier: Apache-2.0
 * The rows of the paper's Table 1, for any graph with Inception modules. */
#ifndef TRIBUTARY_CLI_TABLE1_H
#define TRIBUTARY_CLI_TABLE1_H

#include "tributary.h"

/* Columns that only modules have. */
enum { CLI_1X1 = 0, CLI_3X3_REDUCE, CLI_3X3, CLI_5X5_REDUCE, CLI_5X5, CLI_POOL_PROJ, CLI_MODULE_COLUMNS };

typedef struct cli_table_row {
    const char *name, *type; /* type: the kind, or "inception" */
    int patch, stride;       /* 0: none */
    int c, h, w;             /* output */
    int depth;               /* convolutions and linear layers one after another */
    int channels[CLI_MODULE_COLUMNS];
    int64_t parameters, macs; /* multiply-adds of convolutions and linear layers, per image */
} cli_table_row;

typedef struct cli_table {
    cli_table_row *rows; /* trib_free */
    int count;
    int64_t parameters, macs;
} cli_table;

trib_status cli_table_of(const trib_graph *graph, cli_table *out);
/* Multiply-adds of a convolution or linear layer, else 0. */
int64_t cli_layer_macs(const trib_graph *graph, int layer);

#endif
