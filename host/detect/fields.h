/* SPDX-License-Identifier: Apache-2.0
 * Text files of words in lines, and numbers in them, from anywhere. */
#ifndef TRIBUTARY_DETECT_FIELDS_H
#define TRIBUTARY_DETECT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

enum { TRIB_LINE_BYTES = 2000, TRIB_LINE_WORDS = 8, TRIB_MOST_TEXT = 1 << 30 };

/* How many bytes UTF-8's mark (BOM) takes at the beginning of a text: 3, or 0 where there is none. */
size_t trib_mark_length(const char *bytes, size_t size);
/* The whole of a file or pipe, which may be empty; release *bytes with trib_free. */
trib_status trib_read_text(const char *path, char **bytes, size_t *size);

typedef struct trib_lines {
    const char *at, *end;
    const char *name; /* of the file, for messages */
    size_t number;    /* of the line, from 1 */
    int count;        /* of its words: TRIB_LINE_WORDS + 1 if there are more */
    char *words[TRIB_LINE_WORDS];
    char text[TRIB_LINE_BYTES]; /* which the words are in */
} trib_lines;

/* After UTF-8's mark. */
void trib_lines_start(trib_lines *lines, const char *bytes, size_t size, const char *name);
/* The words of the next line that has any, or *end. Fails with TRIB_BAD_DATA on a line that is too long or has a byte
 * of 0. */
trib_status trib_lines_next(trib_lines *lines, bool *end);
/* The next line as one word, without space at its ends: count is 1, or 0 of a blank line, whose word is "". Fails as
 * trib_lines_next does. */
trib_status trib_lines_next_whole(trib_lines *lines, bool *end);
/* A failure that names file and line. */
trib_status trib_line_error(const trib_lines *lines, const char *what);

/* All of `text` is a decimal number, which is finite ("nan", "inf" and hexadecimal ones are none). */
bool trib_parse_number(const char *text, double *out);
/* All of `text` is a whole number of at most 15 digits. */
bool trib_parse_integer(const char *text, int64_t *out);

#endif
