/* SPDX-License-Identifier: Apache-2.0
 * tributary run --backward: losses and gradients of a batch, and the parameters after a few steps on it. */
#ifndef TRIBUTARY_CLI_RUN_BACKWARD_H
#define TRIBUTARY_CLI_RUN_BACKWARD_H

#include "settings.h"

typedef struct cli_backward {
    bool wanted;
    int steps; /* 0: gradients only */
    double lr, momentum, weight_decay, aux_weight;
    bool no_dropout;
    const char *output;
    bool overwrite;
} cli_backward;

/* `model` NULL: --arch. */
trib_status cli_run_backward(cli_settings *settings, const cli_backward *options, const char *model, const char *input);

#endif
