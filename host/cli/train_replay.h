/* SPDX-License-Identifier: Apache-2.0
 * What a replayed step did, as text. */
#ifndef TRIBUTARY_CLI_TRAIN_REPLAY_H
#define TRIBUTARY_CLI_TRAIN_REPLAY_H

#include "cli.h"
#include "train/train.h"

/* False unless it is a whole number above 0. */
bool cli_read_step(const char *text, int64_t *out);
trib_status cli_print_replay(const trib_train_replay *replay);

#endif
