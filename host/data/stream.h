/* SPDX-License-Identifier: Apache-2.0
 * Bytes of a file or a pipe from the beginning, decompressed if gzipped. */
#ifndef TRIB_DATA_STREAM_H
#define TRIB_DATA_STREAM_H

#include "data/reader.h"

typedef struct trib_unpacker trib_unpacker;

typedef struct trib_stream {
    trib_reader reader;
    trib_unpacker *unpacker; /* NULL: not gzipped */
} trib_stream;

/* The stream is open if this succeeded; close it once. `path` is borrowed. */
trib_status trib_stream_open(const char *path, int wake_fd, trib_stream *out);
/* The same from a reader of which nothing was read yet; takes the reader, also on failure. */
trib_status trib_stream_take(trib_reader *reader, trib_stream *out);
/* Reads up to `size` bytes; fewer only at the end. Damaged or truncated gzip data fail; *got is what came before. */
trib_status trib_stream_read(trib_stream *stream, void *buffer, size_t size, size_t *got);
void trib_stream_close(trib_stream *stream);

/* Copies the first bytes of `reader`, at most `size` and fewer only if the file is shorter, without consuming them. */
trib_status trib_stream_look(trib_reader *reader, void *buffer, size_t size, size_t *got);

#endif
