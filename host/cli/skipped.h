/* SPDX-License-Identifier: Apache-2.0
 * Images that were skipped: on standard error, and as csv in a file that the user named (--errors). */
#ifndef TRIBUTARY_CLI_SKIPPED_H
#define TRIBUTARY_CLI_SKIPPED_H

#include "output.h"

#define CLI_ERRORS_OPTION(offset)                                                                                    \
    {                                                                                                                \
        0, "errors", CLI_FILE_OUT, offset, "FILE", "also list skipped images in FILE, as csv: filename,reason", 0, 0 \
    }

typedef struct cli_skipped {
    const char *path; /* NULL: no file */
    cli_output file;
    cli_buffer rows; /* not written yet */
} cli_skipped;

/* On standard error, where no progress may be shown. */
void cli_say_skipped(const char *name, const char *reason);

/* Not open: notes are kept until it is. */
cli_skipped cli_skipped_begin(const char *path);
/* Says it, and keeps a row. */
void cli_skipped_note(cli_skipped *skipped, const char *name, const char *reason);
/* Resuming notes earlier failures again, so the file is then rewritten from its start, if it is such a list. */
trib_status cli_skipped_open(cli_skipped *skipped, bool resumes, bool overwrites);
trib_status cli_skipped_write(cli_skipped *skipped);
/* Harmless if already closed. */
trib_status cli_skipped_close(cli_skipped *skipped);
void cli_skipped_release(cli_skipped *skipped); /* closes, too */

#endif
