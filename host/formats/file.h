/* SPDX-License-Identifier: Apache-2.0
 * Files read once from their beginning, pipes too, and files written whole or not at all. */
#ifndef TRIBUTARY_FORMATS_FILE_H
#define TRIBUTARY_FORMATS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/reader.h"
#include "tributary/status.h"

/* A file, pipe or block of memory on its way in. What is read is the caller's own copy: whatever other programs do to
 * the file, reading fails with a message at worst. Messages name the path. */
typedef struct trib_blob {
    char *path;                 /* NULL when closed */
    const unsigned char *bytes; /* memory, borrowed; NULL: the reader has a file or a pipe */
    trib_reader reader;         /* of memory, too: where it is */
} trib_blob;

/* Refuses folders, devices and empty files; the other end of a pipe is waited for when reading. *out is changed only on
 * success. */
trib_status trib_blob_open(const char *path, trib_blob *out);
/* `bytes` must outlive it; `name` is its path in messages. It behaves as a regular file, but it may be empty. */
trib_status trib_blob_of_memory(const void *bytes, size_t size, const char *name, trib_blob *out);
trib_blob trib_closed_blob(void);
/* Fine on one that is closed already. */
void trib_blob_close(trib_blob *blob);
bool trib_blob_is_open(const trib_blob *blob);
/* The first bytes, TRIB_PEEK_BYTES or all of a shorter file, before anything is read; they stay to be read. A pipe is
 * waited for. Valid until the blob is read or closed. */
trib_status trib_blob_peek(trib_blob *blob, const unsigned char **head, size_t *size);
int64_t trib_blob_size(const trib_blob *blob); /* of a regular file when it was opened; -1 for a pipe */
int64_t trib_blob_at(const trib_blob *blob);   /* bytes read or skipped so far */
/* Reads up to `size` bytes; fewer only at the end. A regular file that ends before the size it had is a failure. */
trib_status trib_blob_read(trib_blob *blob, void *buffer, size_t size, size_t *got);
/* The same into new memory, which grows as bytes come: a file's promise of bytes takes no memory. Release *bytes with
 * trib_free. */
trib_status trib_blob_take(trib_blob *blob, size_t size, void **bytes, size_t *got);
/* Goes on at byte `at`: in a pipe forwards only, and one that ends before is a failure. */
trib_status trib_blob_skip_to(trib_blob *blob, int64_t at);

typedef struct trib_output trib_output;

/* A new file beside `path` that takes its place when committed: a program that opens `path` sees the old content or all
 * of the new. Links are followed. A `path` that is a folder, pipe or device is refused. */
trib_status trib_output_open(const char *path, trib_output **out);
trib_status trib_output_write(trib_output *output, const void *bytes, size_t size);
/* Writes to disk (fsync), renames. On failure nothing is left behind and `path` is as it was. Frees in every case. */
trib_status trib_output_commit(trib_output *output);
/* Removes the unfinished file. NULL is fine. */
void trib_output_abandon(trib_output *output);

#endif
