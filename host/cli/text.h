/* SPDX-License-Identifier: Apache-2.0
 * Text on its way out: a growing buffer, CSV fields, JSON strings, and names that are safe to show on a terminal. */
#ifndef TRIBUTARY_CLI_TEXT_H
#define TRIBUTARY_CLI_TEXT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "tributary.h"

/* Zero-initialise; the first failure to grow sticks and later calls do nothing. */
typedef struct cli_buffer {
    char *data; /* ends in a zero byte that `size` does not count; NULL while empty */
    size_t size, capacity;
    bool failed;
} cli_buffer;
void cli_buffer_release(cli_buffer *buffer);
void cli_buffer_clear(cli_buffer *buffer);
void cli_append(cli_buffer *buffer, const char *bytes, size_t size);
TRIB_PRINTF(2, 3)
void cli_append_format(cli_buffer *buffer, const char *format, ...); /* at most 255 bytes */
/* RFC 4180: quoted when it holds a comma, a quote, or the end of a line. */
void cli_append_csv(cli_buffer *buffer, const char *field);
/* With its quotes; bytes that are not UTF-8 become U+FFFD, since JSON has no way to say them. For names see
 * cli_json_add_name. */
void cli_append_json(cli_buffer *buffer, const char *text);
/* Keeps A-Z a-z 0-9 - . _ ~ / and writes every other byte as %XX, in ASCII alone: RFC 3986, urllib.parse.quote(). */
void cli_append_percent(cli_buffer *buffer, const char *text);
/* Control characters shown as '?', so that a file's name cannot command the terminal. */
void cli_append_safe(cli_buffer *buffer, const char *text);

void cli_print_safe(FILE *out, const char *text);
/* Length of the well-formed UTF-8 sequence at `text`, 0 when there is none. */
int cli_utf8_length(const char *text);
bool cli_is_utf8(const char *text);

/* A cJSON string or null; NULL when out of memory. */
cJSON *cli_json_text(const char *text);
/* A file's name under `key`. One that is not UTF-8 loses bytes there, as JSON has no way to say them; then, and only
 * then, KEY_bytes has them, percent-encoded. */
void cli_json_add_name(cJSON *object, const char *key, const char *name);
/* Prints `json` and a newline on standard output, and deletes it. Fails when out of memory (json NULL included). */
trib_status cli_json_print(cJSON *json);

#endif
