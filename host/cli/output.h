/* SPDX-License-Identifier: Apache-2.0
 * A file, or standard output, that rows are appended to: each write is whole rows, and each failure names the file. */
#ifndef TRIBUTARY_CLI_OUTPUT_H
#define TRIBUTARY_CLI_OUTPUT_H

#include "text.h"

/* The rule for all output files of all commands, and its option. */
#define CLI_OVERWRITE_HELP                                                                                       \
    "replace files that are not empty; without it they are kept and the command fails. A file is replaced only " \
    "when there are results"
#define CLI_OVERWRITE_OPTION(offset)                                     \
    {                                                                    \
        0, "overwrite", CLI_FLAG, offset, NULL, CLI_OVERWRITE_HELP, 0, 0 \
    }

typedef enum cli_output_mode {
    CLI_OUTPUT_NEW,       /* refuse a file that is not empty */
    CLI_OUTPUT_NEW_ROWS,  /* the same, for a file that --resume could continue */
    CLI_OUTPUT_OVERWRITE, /* empty it before the first write */
    CLI_OUTPUT_RESUME     /* read and write a regular file that may exist */
} cli_output_mode;

/* Of a file of rows. */
cli_output_mode cli_output_mode_of(bool resumes, bool overwrites);

typedef struct cli_output {
    int fd; /* -1 when closed */
    const char *name;
    bool owned;
    bool replaces; /* its content is lost with the first write */
} cli_output;

/* Fails if `path` is a file that is not empty and the mode is CLI_OUTPUT_NEW. */
trib_status cli_output_check(const char *path, cli_output_mode mode);
/* `path` NULL: standard output. */
trib_status cli_output_open(const char *path, cli_output_mode mode, cli_output *out);
/* *begins: whether the regular file at `path` begins with `text`, as far as it goes. */
trib_status cli_output_begins(const char *path, const char *text, bool *begins);
/* Writes and clears the buffer. */
trib_status cli_output_write(cli_output *output, cli_buffer *buffer);
/* After a run that was interrupted, or could not write: how to continue its rows in `path` (NULL: standard output). */
void cli_output_say_unfinished(const trib_status *status, const char *path);
/* Reports write errors that the system delayed until now. Harmless if already closed. */
trib_status cli_output_close(cli_output *output);

#endif
