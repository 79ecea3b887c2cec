/* SPDX-License-Identifier: Apache-2.0
 * Output text: a growing buffer, CSV fields, JSON strings, and names that are safe to show on a terminal. */
#ifndef TRIBUTARY_CLI_TEXT_H
#define TRIBUTARY_CLI_TEXT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "tributary.h"

/* Zero-initialise. After the first failure to grow, later calls do nothing. */
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
/* RFC 4180: quoted if it contains a comma, a quote, or an end of line. */
void cli_append_csv(cli_buffer *buffer, const char *field);
/* With quotes; bytes that are not UTF-8 become U+FFFD, since JSON cannot express them. For names see cli_json_add_name.
 */
void cli_append_json(cli_buffer *buffer, const char *text);
/* Keeps A-Z a-z 0-9 - . _ ~ / and writes every other byte as %XX: RFC 3986, urllib.parse.quote(). */
void cli_append_percent(cli_buffer *buffer, const char *text);
/* Replaces control characters by '?', so that a file name cannot command the terminal. */
void cli_append_safe(cli_buffer *buffer, const char *text);

/* The message of a failure without "NAME: " in front. */
const char *cli_reason(const trib_status *status, const char *name);

void cli_print_safe(FILE *out, const char *text);
/* Length of the well-formed UTF-8 sequence at `text`, 0 if there is none. */
int cli_utf8_length(const char *text);
bool cli_is_utf8(const char *text);

/* A cJSON string or null; NULL when out of memory. */
cJSON *cli_json_text(const char *text);
/* Adds a file name under `key`. A name that is not UTF-8 loses bytes, since JSON cannot express them; only then
 * KEY_bytes is added, percent-encoded. */
void cli_json_add_name(cJSON *object, const char *key, const char *name);
/* Prints `json` and a newline on standard output, and deletes it. Fails when out of memory (json NULL included). */
trib_status cli_json_print(cJSON *json);

#endif
