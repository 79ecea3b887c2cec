/* SPDX-License-Identifier: Apache-2.0
 * Bytes of a file or a pipe from its beginning, unpacked when it is gzipped. */
#ifndef TRIB_DATA_STREAM_H
#define TRIB_DATA_STREAM_H

#include "data/reader.h"

typedef struct trib_unpacker trib_unpacker;

typedef struct trib_stream {
    trib_reader reader;
    trib_unpacker *unpacker; /* NULL: not gzipped */
} trib_stream;

/* A stream is open when this succeeded; close it once. `path` is borrowed. */
trib_status trib_stream_open(const char *path, int wake_fd, trib_stream *out);
/* The same from a reader of which nothing was read yet; takes the reader, also on failure. */
trib_status trib_stream_take(trib_reader *reader, trib_stream *out);
/* Reads up to `size` bytes; fewer only at the end. Damaged or truncated gzip data fail, *got telling what came before.
 */
trib_status trib_stream_read(trib_stream *stream, void *buffer, size_t size, size_t *got);
void trib_stream_close(trib_stream *stream);

/* The first bytes of what `reader` gives, at most `size` and fewer only when the file is short, without taking them
 * from it. */
trib_status trib_stream_look(trib_reader *reader, void *buffer, size_t size, size_t *got);

#endif
