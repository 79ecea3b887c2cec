/* SPDX-License-Identifier: Apache-2.0
 * Bytes of a regular file or a pipe, from the beginning. A read that waits for a pipe can be cancelled. */
#ifndef TRIB_DATA_READER_H
#define TRIB_DATA_READER_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_PEEK_BYTES = 4096 }; /* enough to recognise a file, compressed or not */

typedef struct trib_reader {
    const char *path; /* borrowed */
    int fd;
    int wake_fd;    /* a waiting read ends with TRIB_CANCELLED once this is readable; -1: never */
    int64_t size;   /* of a regular file; -1: a pipe, unknown */
    int64_t offset; /* position of the next bytes in a regular file, so that several readers may share it */
    size_t peeked;  /* bytes in `head` */
    size_t given;   /* number of them used */
    uint8_t head[TRIB_PEEK_BYTES];
} trib_reader;

/* Refuses folders and devices. Does not wait for a pipe's writer; reading does. Close it once if this succeeded. */
trib_status trib_reader_open(const char *path, int wake_fd, trib_reader *out);
/* Fills `head` from the file, before anything else is read. May be called again after TRIB_CANCELLED. */
trib_status trib_reader_peek(trib_reader *reader);
/* Reads available bytes, at most `size`, waiting for the first; *got = 0 only at the end. */
trib_status trib_reader_read_some(trib_reader *reader, void *buffer, size_t size, size_t *got);
/* Reads up to `size` bytes; fewer only at the end. A failure loses what was read. */
trib_status trib_reader_read(trib_reader *reader, void *buffer, size_t size, size_t *got);
/* Skips up to `bytes` of a regular file without reading them, never past its end; returns how many. */
int64_t trib_reader_skip(trib_reader *reader, int64_t bytes);
void trib_reader_close(trib_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
