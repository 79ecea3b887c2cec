/* SPDX-License-Identifier: Apache-2.0
 * Finds where an interrupted output of classify ends, and advances the source to the next item. */
#ifndef TRIBUTARY_CLI_RESUME_H
#define TRIBUTARY_CLI_RESUME_H

#include "output.h"
#include "rows.h"
#include "settings.h"

typedef struct cli_resume {
    /* in */
    const cli_rows *rows;
    trib_source *source;
    const trib_preprocess *preprocess;
    const cli_settings *settings;
    void (*failed)(void *context, const char *name, const char *reason); /* an item that was skipped the first time */
    void *context;
    /* out */
    bool empty;              /* the file is empty, without even a header */
    int64_t items, failures; /* items skipped in the source, and how many of them have no result */
} cli_resume;

/* Checks that the rows are those of the source's items, in order, cuts off an incomplete last row, and leaves the file
 * ready for appending. Any mismatch fails and leaves the file unchanged. An item without a row (csv) must be
 * unreadable: it is tried again. */
trib_status cli_resume_output(cli_resume *resume, cli_output *output);

#endif
