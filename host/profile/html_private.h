/* SPDX-License-Identifier: Apache-2.0
 * What the files that write the page share. */
#ifndef TRIBUTARY_HOST_PROFILE_HTML_PRIVATE_H
#define TRIBUTARY_HOST_PROFILE_HTML_PRIVATE_H

#include "profile/html.h"
#include "profile/writer.h"

/* page/report.html: HTML, style and script, with TRIB_HTML_DATA where the data belong. */
extern const unsigned char trib_html_page[];
extern const size_t trib_html_page_size;
#define TRIB_HTML_DATA "@DATA@"

/* ---- JSON inside a script element: no "<", which could end it ---- */

/* "key": preceded by a comma unless it is the first of its object. */
void trib_html_key(trib_text *text, const char *key);
void trib_html_string(trib_text *text, const char *key, const char *value); /* nothing if `value` is NULL */
void trib_html_integer(trib_text *text, const char *key, int64_t value);
void trib_html_number(trib_text *text, const char *key, double value); /* null if it is not finite */
void trib_html_open(trib_text *text, const char *key, char bracket);   /* key NULL: an element of a list */
void trib_html_close(trib_text *text, char bracket);

/* One schedule: its numbers, windows and ops. */
void trib_html_put_schedule(trib_writer *file, const trib_html_schedule *schedule);

#endif
