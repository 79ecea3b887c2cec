/* SPDX-License-Identifier: Apache-2.0
 * Text that grows while it is written. */
#ifndef TRIBUTARY_FORMATS_TEXT_H
#define TRIBUTARY_FORMATS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise. Once out of memory it stays `failed` and accepts no more. Ends in a zero byte that `size` does not
 * count. */
typedef struct trib_text {
    char *bytes; /* NULL while empty */
    size_t size, capacity;
    bool failed;
} trib_text;

void trib_text_free(trib_text *text);
void trib_text_put(trib_text *text, const char *bytes, size_t size);
void trib_text_add(trib_text *text, const char *chars);
TRIB_PRINTF(2, 3)
void trib_text_format(trib_text *text, const char *format, ...); /* at most 255 bytes */
/* With quotes and JSON's escapes. Bytes that are not UTF-8 are the caller's to avoid. */
void trib_text_json(trib_text *text, const char *chars);
/* The same for any bytes, such as a file name: those that are not UTF-8 become U+FFFD. */
void trib_text_json_any(trib_text *text, const char *chars);
/* Text of XML, also inside an attribute's quotes, from any bytes: those that are not UTF-8, and control characters,
 * become U+FFFD. */
void trib_text_xml(trib_text *text, const char *chars);

/* Length of the UTF-8 sequence at `chars`; 0 if it is none. */
int trib_utf8_length(const char *chars);
/* Whether these bytes, of that length (0: not UTF-8), may command a terminal: C0, DEL, and C1, which some obey as well;
 * and what is not UTF-8. */
bool trib_is_control(const char *chars, int length);

#ifdef __cplusplus
}
#endif
#endif
