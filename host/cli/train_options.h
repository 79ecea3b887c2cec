/* SPDX-License-Identifier: Apache-2.0
 * The options of `tributary train`. */
#ifndef TRIBUTARY_CLI_TRAIN_OPTIONS_H
#define TRIBUTARY_CLI_TRAIN_OPTIONS_H

#include "settings.h"
#include "train/train.h"

typedef struct cli_train_options {
    const char *output, *arch, *init, *init_rule, *schedule, *sampling, *labels, *class_names, *replay, *loss_scale;
    const char *boxes, *validation_boxes, *proposals;
    cli_texts frozen, validation;
    int batch, accumulate, epochs, workers, keep, log_every, seed, average, drop, strategy;
    int64_t max_steps, checkpoint_every, average_start;
    double width, lr, momentum, weight_decay, clip_norm, smoothing, aux_weight, ema_decay, validation_share, objects;
    double warmup_epochs, warmup_lr, min_lr, decay_epochs, decay_rate;
    double pct_start, div_factor, final_div_factor, base_momentum, max_momentum;
    bool fixed_momentum, nesterov, caffe_rules, ema, resume, resume_anyway;
} cli_train_options;

cli_train_options cli_train_defaults(void);
/* After the command line was read: what was not given and depends on other options. */
void cli_train_fill_in(cli_train_options *own);

/* The groups of all options of the command. */
enum { CLI_TRAIN_GROUPS = 11 };
void cli_train_groups(cli_train_options *own, cli_settings *settings, cli_group groups[CLI_TRAIN_GROUPS]);

/* From words to the library's tables and values. Returns CLI_GO_ON, or reports the error and returns CLI_USAGE. */
int cli_train_resolve(const cli_command *command, const cli_train_options *own, const cli_settings *settings,
                      trib_train_options *out);

/* Options with their values, for args.json. Release with cli_train_settings_release. */
typedef struct cli_train_settings {
    trib_run_setting *items;
    int count;
    cli_texts texts; /* what had to be put together */
} cli_train_settings;
trib_status cli_train_settings_of(const cli_group *groups, cli_train_settings *out);
void cli_train_settings_release(cli_train_settings *settings);

#endif
