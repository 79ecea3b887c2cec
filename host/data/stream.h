/* SPDX-License-Identifier: Apache-2.0
 * Bytes of a regular file from its beginning, unpacked when it is gzipped. */
#ifndef TRIB_DATA_STREAM_H
#define TRIB_DATA_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

typedef struct trib_stream {
    const char *path; /* borrowed */
    int fd;
    int64_t size; /* of the file */
    bool gzipped;
    void *unpacker; /* gzFile, which owns fd then */
} trib_stream;

/* A stream is open when this succeeded; close it once. */
trib_status trib_stream_open(const char *path, trib_stream *out);
/* Reads up to `size` bytes; fewer only at the end. Damaged or truncated gzip data fail, *got telling what came before.
 */
trib_status trib_stream_read(trib_stream *stream, void *buffer, size_t size, size_t *got);
void trib_stream_close(trib_stream *stream);

#endif
