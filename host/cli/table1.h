/* SPDX-License-Identifier: Apache-2.0
 * The rows of the paper's Table 1, for any graph with Inception modules. */
#ifndef TRIBUTARY_CLI_TABLE1_H
#define TRIBUTARY_CLI_TABLE1_H

#include "tributary.h"

typedef struct cli_table_row {
    const char *name, *type; /* type: the kind, or "inception" */
    int patch_h, patch_w;    /* 0: none */
    int stride;
    int c, h, w;                    /* output */
    int depth;                      /* convolutions and linear layers in sequence, on a module's longest branch */
    int channels[TRIB_MAX_COLUMNS]; /* by the network's columns */
    int64_t parameters, macs;       /* multiply-adds of convolutions and linear layers, per image */
} cli_table_row;

typedef struct cli_table {
    cli_table_row *rows; /* trib_free */
    int count;
    const trib_network_column *columns;
    int column_count;
    int64_t parameters, macs;
} cli_table;

trib_status cli_table_of(const trib_graph *graph, const trib_network *network, cli_table *out);
/* Multiply-adds of a convolution or linear layer, 0 for others. */
int64_t cli_layer_macs(const trib_graph *graph, int layer);

#endif
