/* SPDX-License-Identifier: Apache-2.0
 * Notes of a source and on its images, on standard error. */
#ifndef TRIBUTARY_CLI_NOTES_H
#define TRIBUTARY_CLI_NOTES_H

#include "cli.h"

/* On class folders: before the run. */
void cli_print_notes(const trib_source *source);
/* "passed over: 3 .gif, 2 hidden", if any were: after the run, when no loader is reading. */
void cli_print_passed_over(const trib_source *source);

/* Notes on images (trib_image.note), and how many images have each. */
enum { CLI_MOST_NOTES = 4 };
typedef struct cli_image_notes {
    struct {
        const char *text;
        int64_t images;
    } notes[CLI_MOST_NOTES];
} cli_image_notes;
void cli_image_notes_count(cli_image_notes *notes, const char *note); /* NULL: none */
void cli_image_notes_print(const cli_image_notes *notes);

#endif
