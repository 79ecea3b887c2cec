/* SPDX-License-Identifier: Apache-2.0
 * What classify prints for one image, in each format. */
#ifndef TRIBUTARY_CLI_ROWS_H
#define TRIBUTARY_CLI_ROWS_H

#include "feed.h"
#include "resume.h"

typedef enum cli_row_format { CLI_CSV = 0, CLI_JSONL, CLI_TABLE } cli_row_format;

typedef struct cli_rows {
    cli_row_format format;
    int topk;
    const trib_model *model; /* for the labels */
    cli_feed *feed;          /* opened and not run yet: to try an item again that has no row */
} cli_rows;

/* The first line: csv only. */
void cli_rows_header(const cli_rows *rows, cli_buffer *out);
/* The part of a row before the results; rows of different names never begin alike. */
void cli_rows_begin(const cli_rows *rows, const char *name, cli_buffer *out);
/* topk probabilities and classes, most likely first. */
void cli_rows_good(const cli_rows *rows, const char *name, const float *probabilities, const int32_t *indices,
                   cli_buffer *out);
/* jsonl only; the other formats write nothing. */
void cli_rows_failed(const cli_rows *rows, const char *name, const char *reason, cli_buffer *out);

/* How a file of them is continued; `rows`, not a table, has to live as long. */
cli_records cli_rows_records(const cli_rows *rows);

#endif
