/* SPDX-License-Identifier: Apache-2.0
 * Files beside one another in a folder. */
#ifndef TRIBUTARY_DETECT_PATH_H
#define TRIBUTARY_DETECT_PATH_H

#include <stddef.h>

#include "data/names.h"
#include "formats/text.h"
#include "tributary/status.h"

/* "FOLDER/NAME" and `end`, of the first `length` bytes of `name`; release *path with trib_free. */
trib_status trib_join_path(const char *folder, const char *name, size_t length, const char *end, char **path);
/* Names of the files in a folder that end in `end`, in any case, in order, appended; hidden ones are left out. */
trib_status trib_list_files(const char *folder, const char *end, trib_names *names);
/* Replaces `path` as a whole; fails if `text` has. */
trib_status trib_write_text(const char *path, const trib_text *text);

#endif
