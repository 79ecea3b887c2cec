/* SPDX-License-Identifier: Apache-2.0
 * The bytes of a zip archive's member, stored or deflated. */
#include <inttypes.h>
#include <string.h>

#include "formats/zip.h"
#include "tributary/internal/alloc.h"

#if TRIB_HAVE_ZLIB
#include <zlib.h>
#endif

enum { LOCAL = 30, ENCRYPTED = 1, STORED = 0, DEFLATED = 8, MAX_RATIO = 1032 };

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

static unsigned half(const unsigned char *p) { return p[0] | (unsigned)p[1] << 8; }

static trib_status check_method(const trib_zip_member *m)
{
    if (m->flags & ENCRYPTED) return TRIB_ERROR(TRIB_UNSUPPORTED, "is encrypted; unpack the archive and pack it again");
    if (m->method != STORED && m->method != DEFLATED)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "has the compression method %d; only stored and deflated members can be read", m->method);
    if (m->method == STORED && m->packed != m->size)
        return BAD("is stored, but has two sizes, %" PRId64 " and %" PRId64, m->packed, m->size);
    if (m->method == DEFLATED && m->size / MAX_RATIO > m->packed)
        return BAD("is said to have %" PRId64 " bytes; %" PRId64 " compressed bytes cannot hold so many", m->size,
                   m->packed);
    return trib_success();
}

/* The member's own header has the sizes only if nothing follows its data. Its name must be the directory's: a reader
 * that goes through members in order would see it. */
static trib_status check_header(trib_blob *blob, const trib_zip_member *m, int64_t *at)
{
    unsigned char header[LOCAL];
    char name[256];
    TRIB_TRY(check_method(m));
    TRIB_TRY(trib_blob_read_at(blob, m->header, header, sizeof header));
    if (memcmp(header, "PK\3\4", 4)) return BAD("does not begin where the directory says");
    if (half(header + 8) != m->method) return BAD("has another compression method in its own header");
    const int64_t start = m->header + LOCAL + half(header + 26) + half(header + 28);
    if (half(header + 26) != m->name_length || m->name_length > sizeof name)
        return BAD("has another name in its own header, or a very long one");
    if (start > m->end || m->packed > m->end - start) return BAD("is not inside the file, or other members lie in it");
    TRIB_TRY(trib_blob_read_at(blob, m->header + LOCAL, name, m->name_length));
    if (memcmp(name, m->name, m->name_length)) return BAD("has another name in its own header");
    *at = start;
    return trib_success();
}

static trib_status named(trib_status s, const trib_zip_member *m)
{
    trib_add_context(&s, "zip member '%.100s'", m->name);
    return s;
}

trib_status trib_zip_locate(trib_blob *blob, const trib_zip_member *member, int64_t *at)
{
    return named(check_header(blob, member, at), member);
}

#if TRIB_HAVE_ZLIB
enum { PIECE = 32 << 10, RAW = -15 };

/* Unpacks into `bytes`, which has room for a byte more than the member's size. */
static trib_status inflate_into(z_stream *z, trib_blob *blob, const trib_zip_member *m, int64_t at, char *bytes)
{
    unsigned char piece[PIECE];
    int code = Z_OK;
    int64_t left = m->packed, room = m->size + 1;
    z->next_out = (unsigned char *)bytes;
    while (code == Z_OK && (room || z->avail_out)) {
        if (!z->avail_in) {
            z->avail_in = (uInt)(left < PIECE ? left : PIECE);
            z->next_in = piece;
            TRIB_TRY(trib_blob_read_at(blob, at + m->packed - left, piece, z->avail_in));
            left -= z->avail_in;
        }
        if (!z->avail_out) {
            z->avail_out = (uInt)(room < PIECE ? room : PIECE);
            room -= z->avail_out;
        }
        code = inflate(z, Z_NO_FLUSH);
    }
    if (code != Z_STREAM_END && code != Z_OK && code != Z_BUF_ERROR)
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "inflate", "its compressed data are damaged");
    if (code != Z_STREAM_END || room + z->avail_out != 1)
        return BAD("its compressed data do not have the %" PRId64 " bytes that the directory says", m->size);
    return trib_success();
}

static trib_status unpack(trib_blob *blob, const trib_zip_member *m, int64_t at, char *bytes)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, RAW) != Z_OK) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to unpack it");
    trib_status s = inflate_into(&z, blob, m, at, bytes);
    inflateEnd(&z);
    return s;
}
#else
static trib_status unpack(trib_blob *blob, const trib_zip_member *m, int64_t at, char *bytes)
{
    (void)blob, (void)m, (void)at, (void)bytes;
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "is compressed, and this build has no zlib; torch.save compresses nothing: pack it again");
}
#endif

static trib_status take(trib_blob *blob, const trib_zip_member *m, int64_t limit, char **bytes)
{
    int64_t at = 0;
    TRIB_TRY(check_header(blob, m, &at));
    if (m->size > limit) return BAD("has %" PRId64 " bytes, which is too large: at most %" PRId64, m->size, limit);
    char *block = trib_alloc((size_t)m->size + 1);
    if (!block) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its %" PRId64 " bytes", m->size);
    trib_status s =
        m->method == STORED ? trib_blob_read_at(blob, at, block, (size_t)m->size) : unpack(blob, m, at, block);
    if (trib_failed(&s)) {
        trib_free(block);
        return s;
    }
    block[m->size] = '\0';
    *bytes = block;
    return s;
}

trib_status trib_zip_take(trib_blob *blob, const trib_zip_member *member, int64_t limit, char **bytes)
{
    return named(take(blob, member, limit, bytes), member);
}
