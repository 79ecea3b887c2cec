/* SPDX-License-Identifier: Apache-2.0 */
#include "notes.h"

#include <stdio.h>

void cli_print_notes(const trib_source *source)
{
    const char *note;
    for (int i = 0; (note = trib_source_note(source, i)); ++i) cli_message("note: %s", note);
}

void cli_print_passed_over(const trib_source *source)
{
    int count = 0;
    char text[1024];
    const trib_passed_over *kinds = trib_source_passed_over(source, &count);
    trib_passed_over_text(kinds, count, text, sizeof text);
    if (count) fprintf(stderr, "passed over: %s\n", text);
}
