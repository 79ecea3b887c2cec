/* SPDX-License-Identifier: Apache-2.0 */
#include "data/stream.h"

#include <string.h>
#ifdef TRIB_HAVE_ZLIB
#include <zlib.h>
#endif

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

#ifdef TRIB_HAVE_ZLIB

enum { PACKED = 64 << 10, STEP = 1 << 20, GZIP = 15 + 16 /* zlib's code for gzip with the largest window */ };

struct trib_unpacker {
    z_stream z;
    bool begun;  /* inside a gzip member: a file may hold several in sequence */
    bool at_end; /* of compressed input */
    uint8_t packed[PACKED];
};

static trib_status damaged(const char *path, const z_stream *z, int code)
{
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "inflate", "%s: damaged gzip data: %s", trib_shorten(path).text,
                             z->msg ? z->msg : zError(code));
}

static trib_status truncated(const char *path)
{
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, Z_BUF_ERROR, "inflate", "%s: the gzip file is truncated",
                             trib_shorten(path).text);
}

/* zlib's memory: what it takes fails in tests like all other. */
static void *take_memory(void *unused, uInt count, uInt size)
{
    (void)unused;
    return trib_realloc_array(NULL, count, size);
}

static void give_memory(void *unused, void *memory)
{
    (void)unused;
    trib_free(memory);
}

static bool begin_inflate(z_stream *z)
{
    z->zalloc = take_memory;
    z->zfree = give_memory;
    return inflateInit2(z, GZIP) == Z_OK;
}

static trib_status open_unpacker(const char *path, trib_unpacker **out)
{
    trib_unpacker *unpacker = trib_alloc_zeroed(1, sizeof *unpacker);
    if (!unpacker || !begin_inflate(&unpacker->z)) {
        trib_free(unpacker);
        return trib_no_memory(path);
    }
    unpacker->begun = true;
    *out = unpacker;
    return trib_success();
}

/* Makes sure that there are compressed bytes; *end = true: the file has no more. */
static trib_status refill(trib_stream *stream, bool *end)
{
    trib_unpacker *u = stream->unpacker;
    size_t got = u->z.avail_in;
    if (!got) {
        TRIB_TRY(trib_reader_read_some(&stream->reader, u->packed, PACKED, &got));
        u->z.next_in = u->packed;
        u->z.avail_in = (uInt)got;
    }
    *end = got == 0;
    return trib_success();
}

/* Between two members: another one begins with gzip's first byte; anything else is not data (tapes are padded with
 * zeros). */
static trib_status begin_member(trib_stream *stream)
{
    trib_unpacker *u = stream->unpacker;
    TRIB_TRY(refill(stream, &u->at_end));
    if (!u->at_end) u->at_end = *u->z.next_in != 0x1F;
    if (!u->at_end) inflateReset(&u->z);
    u->begun = !u->at_end;
    return trib_success();
}

static trib_status unpack(trib_stream *stream, void *buffer, size_t size, size_t *got)
{
    trib_unpacker *u = stream->unpacker;
    while (*got < size && !u->at_end) {
        if (!u->begun) {
            TRIB_TRY(begin_member(stream));
            continue;
        }
        bool end = false;
        TRIB_TRY(refill(stream, &end));
        size_t left = size - *got, step = left < STEP ? left : STEP;
        u->z.next_out = (Bytef *)buffer + *got;
        u->z.avail_out = (uInt)step;
        int code = inflate(&u->z, Z_NO_FLUSH);
        *got += step - u->z.avail_out;
        if (code == Z_MEM_ERROR) return trib_no_memory(stream->reader.path);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return damaged(stream->reader.path, &u->z, code);
        if (end && code != Z_STREAM_END && u->z.avail_out) return truncated(stream->reader.path);
        u->begun = code != Z_STREAM_END;
    }
    return trib_success();
}

static void close_unpacker(trib_unpacker *unpacker)
{
    inflateEnd(&unpacker->z);
    trib_free(unpacker);
}

static trib_status unpack_head(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    z_stream z = {
        .next_in = reader->head, .avail_in = (uInt)reader->peeked, .next_out = buffer, .avail_out = (uInt)size
    };
    if (!begin_inflate(&z)) return trib_no_memory(reader->path);
    int code = inflate(&z, Z_SYNC_FLUSH);
    trib_status s = trib_success();
    *got = size - z.avail_out;
    if (code == Z_MEM_ERROR)
        s = trib_no_memory(reader->path);
    else if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        s = damaged(reader->path, &z, code);
    else if (code != Z_STREAM_END && z.avail_out && reader->peeked < sizeof reader->head)
        s = truncated(reader->path);
    inflateEnd(&z);
    return s;
}

#else

static trib_status open_unpacker(const char *path, trib_unpacker **out)
{
    (void)out;
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: is gzipped, and this build has no zlib; unpack it with gunzip",
                      trib_shorten(path).text);
}

static trib_status unpack(trib_stream *stream, void *buffer, size_t size, size_t *got)
{
    (void)buffer, (void)size, (void)got;
    return open_unpacker(stream->reader.path, NULL);
}

static void close_unpacker(trib_unpacker *unpacker) { (void)unpacker; }

static trib_status unpack_head(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    (void)buffer, (void)size, (void)got;
    return open_unpacker(reader->path, NULL);
}

#endif

static bool is_gzipped(const trib_reader *reader)
{
    return reader->peeked >= 2 && reader->head[0] == 0x1F && reader->head[1] == 0x8B;
}

trib_status trib_stream_take(trib_reader *reader, trib_stream *out)
{
    trib_stream stream = { .reader = *reader };
    reader->fd = -1;
    trib_status s = trib_reader_peek(&stream.reader);
    if (!trib_failed(&s) && is_gzipped(&stream.reader)) s = open_unpacker(stream.reader.path, &stream.unpacker);
    if (trib_failed(&s))
        trib_reader_close(&stream.reader);
    else
        *out = stream;
    return s;
}

trib_status trib_stream_open(const char *path, int wake_fd, trib_stream *out)
{
    trib_reader reader;
    TRIB_TRY(trib_reader_open(path, wake_fd, &reader));
    return trib_stream_take(&reader, out);
}

trib_status trib_stream_read(trib_stream *stream, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    if (stream->unpacker) return unpack(stream, buffer, size, got);
    return trib_reader_read(&stream->reader, buffer, size, got);
}

void trib_stream_close(trib_stream *stream)
{
    if (stream->unpacker) close_unpacker(stream->unpacker);
    trib_reader_close(&stream->reader);
}

trib_status trib_stream_look(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    TRIB_TRY(trib_reader_peek(reader));
    if (is_gzipped(reader)) return unpack_head(reader, buffer, size, got);
    *got = reader->peeked < size ? reader->peeked : size;
    memcpy(buffer, reader->head, *got);
    return trib_success();
}
