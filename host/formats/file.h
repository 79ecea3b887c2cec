/* SPDX-License-Identifier: Apache-2.0
 * Files read once from their beginning, pipes included, and files written completely or not at all. */
#ifndef TRIBUTARY_FORMATS_FILE_H
#define TRIBUTARY_FORMATS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/reader.h"
#include "tributary/status.h"

/* A file, pipe or block of memory being read. The reader copies what it reads, so that other programs that change the
 * file can at worst cause a failure with a message. Messages name the path. */
typedef struct trib_blob {
    char *path;                 /* NULL when closed */
    const unsigned char *bytes; /* memory, borrowed; NULL: a file or a pipe */
    trib_reader reader;         /* position in the memory */
} trib_blob;

/* Refuses folders, devices and empty files; does not wait for a pipe's writer, reading does. *out is changed only on
 * success. */
trib_status trib_blob_open(const char *path, trib_blob *out);
/* `bytes` must outlive it; `name` stands for its path in messages. It behaves like a regular file, but may be empty. */
trib_status trib_blob_of_memory(const void *bytes, size_t size, const char *name, trib_blob *out);
trib_blob trib_closed_blob(void);
/* Harmless if already closed. */
void trib_blob_close(trib_blob *blob);
bool trib_blob_is_open(const trib_blob *blob);
/* The first bytes, TRIB_PEEK_BYTES or all of a shorter file, without consuming them; call before reading. Waits for a
 * pipe. Valid until the blob is read or closed. */
trib_status trib_blob_peek(trib_blob *blob, const unsigned char **head, size_t *size);
int64_t trib_blob_size(const trib_blob *blob); /* of a regular file when it was opened; -1 for a pipe */
int64_t trib_blob_at(const trib_blob *blob);   /* bytes read or skipped so far */
/* Reads up to `size` bytes; fewer only at the end. Fails if a regular file is now shorter than when it was opened. */
trib_status trib_blob_read(trib_blob *blob, void *buffer, size_t size, size_t *got);
/* The same into new memory, which grows as bytes arrive, so that a wrong size takes no memory. Release *bytes with
 * trib_free. */
trib_status trib_blob_take(trib_blob *blob, size_t size, void **bytes, size_t *got);
/* Continues at byte `at`: in a pipe only forwards; fails if it ends before. */
trib_status trib_blob_skip_to(trib_blob *blob, int64_t at);
/* Reads `size` bytes from byte `at` on; fails if the file or pipe ends before. */
trib_status trib_blob_read_at(trib_blob *blob, int64_t at, void *buffer, size_t size);

typedef struct trib_output trib_output;

/* A new file beside `path` that replaces it when committed: a program that opens `path` sees all of the old content or
 * all of the new. Links are followed. Fails if `path` is a folder, pipe or device. */
trib_status trib_output_open(const char *path, trib_output **out);
trib_status trib_output_write(trib_output *output, const void *bytes, size_t size);
/* Writes to disk (fsync) and renames. On failure nothing is left behind, and `path` is unchanged. Frees in every case.
 */
trib_status trib_output_commit(trib_output *output);
/* The same, and succeeds only once the folder is on disk, too: not even a power failure brings the old file back. If
 * only that fails, `path` is the complete new file. */
trib_status trib_output_commit_to_disk(trib_output *output);
/* Removes the unfinished file. NULL is fine. */
void trib_output_abandon(trib_output *output);

#endif
