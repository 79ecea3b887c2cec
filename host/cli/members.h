/* SPDX-License-Identifier: Apache-2.0
 * The models of commands that take several, MODEL... INPUT..., each with its device and precision. */
#ifndef TRIBUTARY_CLI_MEMBERS_H
#define TRIBUTARY_CLI_MEMBERS_H

#include "panel/panel.h"
#include "settings.h"

typedef struct cli_member {
    cli_settings settings; /* the command's, with this model's device and precision */
    trib_device *device;   /* the same for all members that name the same one */
    trib_model *model;
    trib_preprocess preprocess;
} cli_member;

typedef struct cli_members {
    cli_member *items;
    int count;
} cli_members;

/* How many of the leading arguments are models: the first always is, the others if trib_model_recognise says so. What
 * follows is called `what` in messages, and there must be some. Returns CLI_GO_ON, or reports the error and returns an
 * exit code. */
int cli_expect_models(const cli_command *command, const cli_settings *settings, const cli_texts *arguments,
                      const char *what, int *models);

/* Opens the devices and loads the first `count` arguments, and says which preprocessing was guessed. Fails if --device
 * or --precision has neither one value nor one for each model, and if the models' classes differ, naming both models
 * and the first class that does. cli_members_close takes members that are zero or filled, also by a failure. */
trib_status cli_members_open(const cli_settings *settings, const cli_texts *arguments, int count, cli_members *members);
void cli_members_close(cli_members *members);

/* The first model that has class names, or the first of all. */
trib_model *cli_members_labels(const cli_members *members);

/* A panel of all of them, for batches of `batch` regions. Releases the models' parameters. */
trib_status cli_members_panel(cli_members *members, int batch, trib_panel **out);

#endif
