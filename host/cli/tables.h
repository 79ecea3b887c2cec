/* SPDX-License-Identifier: Apache-2.0
 * Options whose values are names in a table of the library: their help, and what is said about other names. */
#ifndef TRIBUTARY_CLI_TABLES_H
#define TRIBUTARY_CLI_TABLES_H

#include "cli.h"

/* Name and summary (NULL: none) of row i; NULL after the last. */
typedef const char *(*cli_table)(int i, const char **summary);

const char *cli_network_names(int i, const char **summary);
const char *cli_init_rule_names(int i, const char **summary);
const char *cli_lr_schedule_names(int i, const char **summary);
const char *cli_sampling_names(int i, const char **summary);

/* Writes "BEGIN: name (summary), name (summary)", with `between` for ", ", and returns `text`. */
const char *cli_table_help(char *text, size_t size, const char *begin, const char *between, cli_table table);
/* As cli_usage: "--arch does not take 'x'; it takes bvlc, torchvision". */
int cli_not_in_table(const cli_command *command, const char *option, const char *given, cli_table table);

#endif
