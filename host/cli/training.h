/* SPDX-License-Identifier: Apache-2.0
 * What plan, bench and run train: all heads of the network that they load. */
#ifndef TRIBUTARY_CLI_TRAINING_H
#define TRIBUTARY_CLI_TRAINING_H

#include "settings.h"
#include "tributary/trainer.h"

/* For the tables of commands that have --train or --backward. */
#define CLI_AUX_WEIGHT_HELP \
    "weight of the loss of each auxiliary classifier; 0: the network is trained without them; default 0.3"
#define CLI_AUX_WEIGHT 0.3

enum { CLI_HEADS = 3 };

/* A trib_training that points into itself. */
typedef struct cli_training {
    trib_training training;
    trib_loss losses[CLI_HEADS];
} cli_training;

/* Call before the model is loaded: training needs its auxiliary classifiers. */
void cli_training_settings(cli_settings *settings, double aux_weight);
/* With --fast: what is no longer promised, or that nothing changes. */
void cli_say_order(const cli_settings *settings, const trib_plan *plan);
/* Losses of all heads that the graph has; in fp16, a loss scale that adapts. */
void cli_training_of(const trib_graph *graph, const cli_settings *settings, double aux_weight, cli_training *out);

/* What is resident beside the plan's memory when its ops run, by experience: pages of oneDNN's code, and what oneDNN
 * compiles for each op that it computes. 0 on a GPU. */
int64_t cli_library_bytes(const trib_plan *plan);

#endif
