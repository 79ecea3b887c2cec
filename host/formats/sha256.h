/* SPDX-License-Identifier: Apache-2.0
 * SHA-256, by which a file is known wherever it lies. */
#ifndef TRIBUTARY_FORMATS_SHA256_H
#define TRIBUTARY_FORMATS_SHA256_H

#include <stddef.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_SHA256_TEXT = 65 };

/* Hexadecimal digits of the sum of the regular file at `path`; an empty text for a pipe, which cannot be read again. */
trib_status trib_sha256_of_file(const char *path, char text[TRIB_SHA256_TEXT]);
/* The same of a file that is in memory. */
void trib_sha256_of_bytes(const void *bytes, size_t size, char text[TRIB_SHA256_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
