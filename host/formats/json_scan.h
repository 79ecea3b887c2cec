/* SPDX-License-Identifier: Apache-2.0
 * Errors that cJSON accepts, found in one pass over the text before it is parsed. */
#ifndef TRIBUTARY_FORMATS_JSON_SCAN_H
#define TRIBUTARY_FORMATS_JSON_SCAN_H

#include <stddef.h>

#include "tributary/status.h"

enum { TRIB_JSON_MAX_DEPTH = 16, TRIB_JSON_MAX_VALUES = 1 << 22 };

/* Fails on bad UTF-8, control characters, "\\u0000", malformed numbers, too much nesting and too many values. Does not
 * check the grammar otherwise. */
trib_status trib_json_scan(const char *text, size_t size);

#endif
