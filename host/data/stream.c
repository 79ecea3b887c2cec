/* SPDX-License-Identifier: Apache-2.0 */
#include "data/stream.h"

#include <string.h>
#include <unistd.h>
#ifdef TRIB_HAVE_ZLIB
#include <zlib.h>
#endif

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/fault.h"

#ifdef TRIB_HAVE_ZLIB

enum { STEP = 1 << 20 };

static trib_status open_unpacker(trib_stream *stream)
{
    gzFile file = trib_fault("alloc") ? NULL : gzdopen(stream->fd, "rb");
    if (!file) return trib_no_memory(stream->path);
    gzbuffer(file, 64 << 10);
    stream->unpacker = file;
    return trib_success();
}

static trib_status unpack(trib_stream *stream, void *buffer, size_t size, size_t *got)
{
    for (*got = 0; *got < size;) {
        size_t left = size - *got, step = left < STEP ? left : STEP;
        int n = trib_fault("read") ? -1 : gzread(stream->unpacker, (char *)buffer + *got, (unsigned)step);
        int code = Z_OK;
        const char *message = gzerror(stream->unpacker, &code), *reason = strstr(message, ": "); /* "<fd:3>: ..." */
        /* At an early end gzread gives what there is, then 0 with this code. */
        if (n == 0 && code == Z_BUF_ERROR)
            return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "gzread", "%s: the gzip file is truncated",
                                     trib_shorten(stream->path).text);
        if (n < 0)
            return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "gzread", "%s: damaged gzip data: %s",
                                     trib_shorten(stream->path).text, reason ? reason + 2 : "reading failed");
        if (n == 0) break;
        *got += (size_t)n;
    }
    return trib_success();
}

static void close_unpacker(trib_stream *stream) { gzclose_r(stream->unpacker); }

#else

static trib_status open_unpacker(trib_stream *stream)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: is gzipped, and this build has no zlib; unpack it with gunzip",
                      trib_shorten(stream->path).text);
}

static trib_status unpack(trib_stream *stream, void *buffer, size_t size, size_t *got)
{
    (void)buffer, (void)size, (void)got;
    return open_unpacker(stream);
}

static void close_unpacker(trib_stream *stream) { (void)stream; }

#endif

trib_status trib_stream_open(const char *path, trib_stream *out)
{
    trib_stream stream = { .path = path, .fd = -1 };
    TRIB_TRY(trib_open_regular(path, &stream.fd, &stream.size));
    uint8_t magic[2];
    size_t got = 0;
    trib_status s = trib_read_full(stream.fd, path, magic, sizeof magic, &got);
    if (trib_failed(&s)) goto failed;
    stream.gzipped = got == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
    lseek(stream.fd, 0, SEEK_SET); /* cannot fail: a regular file */
    if (stream.gzipped) TRIB_TRY_GOTO(s, failed, open_unpacker(&stream));
    *out = stream;
    return s;
failed:
    close(stream.fd);
    return s;
}

trib_status trib_stream_read(trib_stream *stream, void *buffer, size_t size, size_t *got)
{
    if (stream->gzipped) return unpack(stream, buffer, size, got);
    return trib_read_full(stream->fd, stream->path, buffer, size, got);
}

void trib_stream_close(trib_stream *stream)
{
    if (stream->gzipped)
        close_unpacker(stream);
    else
        close(stream->fd);
}
