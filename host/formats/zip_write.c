/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/zip_write.h"

#include <string.h>

#include "tributary/internal/alloc.h"

enum { LOCAL = 30, ALIGNMENT = 64, EXTRA = 4, MOST_MEMBERS = 0xFFFE };
#define MOST_BYTES ((uint64_t)0xFFFFFFFF)

static void put(trib_text *t, uint64_t n, int bytes)
{
    for (int i = 0; i < bytes; ++i) {
        const char byte = (char)(n >> (8 * i) & 0xFF);
        trib_text_put(t, &byte, 1);
    }
}

/* The sum of zip archives. */
static uint32_t crc32_of(const unsigned char *bytes, size_t size)
{
    uint32_t table[256], crc = 0xFFFFFFFF;
    for (uint32_t i = 0; i < 256; ++i) {
        table[i] = i;
        for (int k = 0; k < 8; ++k) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320 : 0);
    }
    for (size_t i = 0; i < size; ++i) crc = table[(crc ^ bytes[i]) & 0xFF] ^ crc >> 8;
    return ~crc;
}

/* What the member's own header and the directory's entry both have: flags, method, time, date, sum and sizes. */
static void put_common(trib_text *t, uint32_t crc, size_t size, size_t name)
{
    put(t, 0, 2);
    put(t, 0, 2);
    put(t, 0, 2);
    put(t, 0x21, 2); /* 1 January 1980: zero is no date */
    put(t, crc, 4);
    put(t, size, 4);
    put(t, size, 4);
    put(t, name, 2);
}

static void put_header(trib_text *t, const char *name, uint32_t crc, size_t size, uint64_t at)
{
    const size_t length = strlen(name);
    const size_t padding = (ALIGNMENT - (at + LOCAL + length + EXTRA) % ALIGNMENT) % ALIGNMENT;
    trib_text_add(t, "PK\3\4");
    put(t, 20, 2);
    put_common(t, crc, size, length);
    put(t, EXTRA + padding, 2);
    trib_text_add(t, name);
    trib_text_add(t, "FB"); /* torch's field for what fills up to the alignment */
    put(t, padding, 2);
    for (size_t i = 0; i < padding; ++i) trib_text_add(t, "Z");
}

static void put_entry(trib_text *t, const char *name, uint32_t crc, size_t size, uint64_t at)
{
    trib_text_add(t, "PK\1\2");
    put(t, 20, 2);
    put(t, 20, 2);
    put_common(t, crc, size, strlen(name));
    put(t, 0, 8); /* no extra fields, no comment, first disk, no attributes */
    put(t, 0, 4);
    put(t, at, 4);
    trib_text_add(t, name);
}

static trib_status write_text(trib_zip_writer *zip, const trib_text *text)
{
    if (text->failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a zip archive's directory");
    zip->at += text->size;
    return trib_output_write(zip->output, text->bytes, text->size);
}

trib_status trib_zip_add(trib_zip_writer *zip, const char *name, const void *bytes, size_t size)
{
    trib_text header = { 0 };
    const uint32_t crc = crc32_of(bytes, size);
    if (zip->count == MOST_MEMBERS || size > MOST_BYTES - (1 << 20) || zip->at > MOST_BYTES - (1 << 20) - size)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "a zip archive of more than 4 GiB or %d members; write safetensors",
                          MOST_MEMBERS);
    put_entry(&zip->directory, name, crc, size, zip->at);
    put_header(&header, name, crc, size, zip->at);
    trib_status s = write_text(zip, &header);
    trib_text_free(&header);
    if (!trib_failed(&s)) s = trib_output_write(zip->output, bytes, size);
    zip->at += size;
    ++zip->count;
    return s;
}

trib_status trib_zip_finish(trib_zip_writer *zip)
{
    const uint64_t at = zip->at, size = zip->directory.size;
    trib_text *t = &zip->directory;
    if (at > MOST_BYTES - size) return TRIB_ERROR(TRIB_UNSUPPORTED, "a zip archive of more than 4 GiB");
    trib_text_add(t, "PK\5\6");
    put(t, 0, 4);
    put(t, (uint64_t)zip->count, 2);
    put(t, (uint64_t)zip->count, 2);
    put(t, size, 4);
    put(t, at, 4);
    put(t, 0, 2);
    return write_text(zip, t);
}

void trib_zip_writer_free(trib_zip_writer *zip) { trib_text_free(&zip->directory); }
