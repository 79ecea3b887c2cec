/* SPDX-License-Identifier: Apache-2.0
 * The files that a command reads and writes, by name: no file may be written that is also read or written elsewhere. */
#ifndef TRIBUTARY_CLI_FILES_H
#define TRIBUTARY_CLI_FILES_H

#include "settings.h"

enum { CLI_MOST_FILES = 96 };

typedef struct cli_file_list {
    const char *what[CLI_MOST_FILES]; /* as the user knows it: "MODEL", "--errors" */
    const char *path[CLI_MOST_FILES];
    int count;
} cli_file_list;

typedef struct cli_files {
    cli_file_list reads, writes;
    bool prints; /* results go to standard output */
} cli_files;

/* The options of kind CLI_FILE_IN and CLI_FILE_OUT that were given, MODEL (`settings` NULL: there is none), and
 * standard output and error. The files behind an INPUT are known to the source: pass it `writes.path` as its outputs.
 */
cli_files cli_files_of(const cli_group *groups, const cli_settings *settings, const cli_texts *arguments);
void cli_files_add(cli_file_list *list, const char *what, const char *path);
/* The first `models` arguments are models. */
void cli_files_add_models(cli_files *files, const cli_texts *arguments, int models);

/* Called before any file is opened for writing. Fails if two names are the same file, naming both. */
trib_status cli_files_check(const cli_files *files);

#endif
