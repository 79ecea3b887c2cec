/* SPDX-License-Identifier: Apache-2.0
 * What people name in a model file's place, told by its first bytes. */
#ifndef TRIBUTARY_FORMATS_FOREIGN_H
#define TRIBUTARY_FORMATS_FOREIGN_H

#include <stddef.h>

#include "tributary/status.h"

/* Why a file that begins like this, and that no driver reads, cannot be read, and what to do: always a failure. Does
 * not name the file. `size` bytes, all of a short file. */
trib_status trib_foreign_format(const unsigned char *head, size_t size);

#endif
