/* SPDX-License-Identifier: Apache-2.0 */
#include "training.h"

#include <string.h>

/* Measured with oneDNN 2.6 and AVX-512, on networks of 147 to 169 such ops: 21 to 25 MB, whatever the size of images
 * and batch. With AVX2 it is less. */
static const int64_t LIBRARY_CODE = 10000000, COMPILED_OP = 75000;

void cli_training_settings(cli_settings *settings, double aux_weight) { settings->aux = aux_weight > 0; }

void cli_say_order(const cli_settings *settings, const trib_plan *plan)
{
    if (!settings->fast) return;
    if (plan->any_order_ops)
        cli_message("note: %d of %d ops may sum in any order: the same step again may differ in bits",
                    plan->any_order_ops, plan->op_count);
    else
        cli_message(
            "note: --fast changes nothing here: the device has nothing that is faster in another order of sums");
}

void cli_training_of(const trib_graph *graph, const cli_settings *settings, double aux_weight, cli_training *out)
{
    static const char *const heads[CLI_HEADS] = { "logits", "aux1", "aux2" };
    *out = (cli_training) { .training = { .losses = out->losses } };
    if (settings->precision == TRIB_PRECISION_FP16) out->training.loss_scale = TRIB_FIRST_LOSS_SCALE;
    for (int head = 0; head < CLI_HEADS; ++head)
        for (int i = 0; i < trib_graph_output_count(graph); ++i)
            if (strcmp(trib_graph_output(graph, i)->name, heads[head]) == 0)
                out->losses[out->training.loss_count++] = (trib_loss) { heads[head], head ? (float)aux_weight : 1.0f };
}

int64_t cli_library_bytes(const trib_plan *plan)
{
    int64_t ops = 0;
    for (int i = 0; i < plan->op_count; ++i) {
        const char *implementation = plan->ops[i].implementation;
        ops += implementation && strncmp(implementation, "onednn", strlen("onednn")) == 0;
    }
    return ops ? LIBRARY_CODE + ops * COMPILED_OP : 0;
}
