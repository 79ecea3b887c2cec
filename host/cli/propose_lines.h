/* SPDX-License-Identifier: Apache-2.0
 * What propose writes for an image: a line of a file of proposals (detect/proposal_lines.h), made by a worker of an
 * image loader. */
#ifndef TRIBUTARY_CLI_PROPOSE_LINES_H
#define TRIBUTARY_CLI_PROPOSE_LINES_H

#include "detect/proposal_source.h"
#include "resume.h"

typedef struct cli_propose_lines {
    trib_proposal_source source;
    const char *by; /* what the boxes of these options are made by: part of every line */
    trib_image_loader_options loading;
} cli_propose_lines;

typedef struct cli_propose_line {
    trib_text text;
    size_t boxes;
} cli_propose_line;

/* A trib_image_make with context cli_propose_lines and result cli_propose_line, and what else the loader needs. */
trib_status cli_propose_make(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept);
void cli_propose_release(void *result);
int64_t cli_propose_bytes(void *context, int width, int height);

/* How a file of lines is continued; `lines` has to live as long. */
cli_records cli_propose_records(const cli_propose_lines *lines);

#endif
