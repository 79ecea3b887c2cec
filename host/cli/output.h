/* SPDX-License-Identifier: Apache-2.0
 * A file, or standard output, that rows are added to: each write is whole rows, and each failure names the file. */
#ifndef TRIBUTARY_CLI_OUTPUT_H
#define TRIBUTARY_CLI_OUTPUT_H

#include "text.h"

typedef enum cli_output_mode {
    CLI_OUTPUT_NEW,       /* refuse a file that holds something */
    CLI_OUTPUT_OVERWRITE, /* empty it first */
    CLI_OUTPUT_RESUME     /* read and write a regular file that may exist */
} cli_output_mode;

typedef struct cli_output {
    int fd; /* -1 when closed */
    const char *name;
    bool owned;
} cli_output;

/* `path` NULL: standard output. */
trib_status cli_output_open(const char *path, cli_output_mode mode, cli_output *out);
/* Writes and clears the buffer. */
trib_status cli_output_write(cli_output *output, cli_buffer *buffer);
/* Reports a failure to write that the system kept until now. Fine on one that is closed. */
trib_status cli_output_close(cli_output *output);

#endif
