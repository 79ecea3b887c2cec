/* SPDX-License-Identifier: Apache-2.0
 * Files read through a mapping, and files written whole or not at all. */
#ifndef TRIBUTARY_FORMATS_FILE_H
#define TRIBUTARY_FORMATS_FILE_H

#include <stddef.h>

#include "tributary/status.h"

/* A regular file mapped for reading. Zero-initialise; `size` 0 means nothing is mapped. */
typedef struct trib_mapping {
    void *bytes;
    size_t size;
} trib_mapping;

/* Refuses folders, pipes, devices and empty files; messages name the path. A file that
 * another program cuts short afterwards raises SIGBUS when the missing part is touched: nothing here can prevent it. */
trib_status trib_mapping_open(const char *path, trib_mapping *out);
void trib_mapping_close(trib_mapping *mapping);
/* The pages may be dropped; they are read again from the file if touched. */
void trib_mapping_release_pages(const trib_mapping *mapping);

typedef struct trib_output trib_output;

/* A new file beside `path` that takes its place when committed: whoever opens `path` sees the old content or all of the
 * new. Links are followed. A `path` that is a folder, pipe or device is refused. */
trib_status trib_output_open(const char *path, trib_output **out);
trib_status trib_output_write(trib_output *output, const void *bytes, size_t size);
/* Writes to disk (fsync), renames. On failure nothing is left behind and `path` is as it was. Frees in every case. */
trib_status trib_output_commit(trib_output *output);
/* Removes the unfinished file. NULL is fine. */
void trib_output_abandon(trib_output *output);

#endif
