/* SPDX-License-Identifier: Apache-2.0
 * JSON from files that may be damaged or hostile: cJSON, and checks that it does not make. */
#ifndef TRIBUTARY_FORMATS_JSON_H
#define TRIBUTARY_FORMATS_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

/* Parses `size` bytes of JSON into *out; free it with trib_json_free. Fails with TRIB_BAD_DATA, saying where, on
 * anything that is not JSON or not UTF-8, text after the value, bytes of 0 and "\\u0000", control characters in
 * strings, nesting deeper than 16, more than 4 million values, and names that appear twice in an object (after
 * resolving escapes). Memory goes through trib_alloc. Safe from any thread. */
trib_status trib_json_parse(const char *text, size_t size, cJSON **out);
void trib_json_free(cJSON *json); /* NULL is fine */

/* cJSON's numbers are doubles: true only for whole numbers in 0 .. 2^53 - 1, which doubles hold exactly. */
bool trib_json_integer(const cJSON *json, int64_t *out);

/* True if `text` has a byte below 32 or 127, which no name should have. */
bool trib_has_control_characters(const char *text);

#endif
