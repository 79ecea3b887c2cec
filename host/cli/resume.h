/* SPDX-License-Identifier: Apache-2.0
 * Finds where an interrupted output of classify ends, and moves the source to the item after it. */
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
    bool empty;              /* nothing there, not even a header */
    int64_t items, failures; /* passed over; of them, without a result */
} cli_resume;

/* Checks that the rows are those of the source's items, in order, cuts off a row that is not complete, and leaves the
 * file ready to be added to. Everything that does not fit fails and leaves the file as it was. An item without a row
 * (csv) must be one that cannot be read: it is tried again. */
trib_status cli_resume_output(cli_resume *resume, cli_output *output);

#endif
