/* SPDX-License-Identifier: Apache-2.0 */
#include "training.h"

#include <string.h>

void cli_training_settings(cli_settings *settings, double aux_weight) { settings->aux = aux_weight > 0; }

void cli_training_of(const trib_graph *graph, double aux_weight, cli_training *out)
{
    static const char *const heads[CLI_HEADS] = { "logits", "aux1", "aux2" };
    *out = (cli_training) { .training = { .losses = out->losses } };
    for (int head = 0; head < CLI_HEADS; ++head)
        for (int i = 0; i < trib_graph_output_count(graph); ++i)
            if (strcmp(trib_graph_output(graph, i)->name, heads[head]) == 0)
                out->losses[out->training.loss_count++] = (trib_loss) { heads[head], head ? (float)aux_weight : 1.0f };
}
