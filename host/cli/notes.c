/* SPDX-License-Identifier: Apache-2.0 */
#include "notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

void cli_image_notes_count(cli_image_notes *notes, const char *note)
{
    int i = 0;
    while (note && i < CLI_MOST_NOTES && notes->notes[i].text && strcmp(notes->notes[i].text, note) != 0) ++i;
    if (!note || i == CLI_MOST_NOTES) return;
    notes->notes[i].text = note;
    ++notes->notes[i].images;
}

void cli_image_notes_print(const cli_image_notes *notes)
{
    for (int i = 0; i < CLI_MOST_NOTES && notes->notes[i].text; ++i) {
        const int64_t images = notes->notes[i].images;
        fprintf(stderr, "note for %" PRId64 " image%s: %s\n", images, images == 1 ? "" : "s", notes->notes[i].text);
    }
}
