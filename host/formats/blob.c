/* SPDX-License-Identifier: Apache-2.0
 * Model files and tensors on their way in, over the reader that images come through as well. */
#include "formats/file.h"

#include <string.h>

#include "data/file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/huge_pages.h"

enum { FIRST_STEP = 1 << 20, LARGEST_READ = 1 << 30, SKIP_STEP = 64 << 10 };

trib_status trib_blob_open(const char *path, trib_blob *out)
{
    trib_blob blob = { .path = trib_strdup(path) };
    if (!blob.path) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(path).text);
    trib_status s = trib_reader_open(blob.path, -1, &blob.reader);
    if (trib_failed(&s)) {
        trib_free(blob.path);
        return s;
    }
    if (blob.reader.size == 0) {
        trib_blob_close(&blob);
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: the file is empty", trib_shorten(path).text);
    }
    *out = blob;
    return s;
}

trib_status trib_blob_of_memory(const void *bytes, size_t size, const char *name, trib_blob *out)
{
    static const unsigned char none[1];
    trib_blob blob = trib_closed_blob();
    blob.path = trib_strdup(name);
    if (!blob.path) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(name).text);
    blob.bytes = size ? bytes : none;
    blob.reader.size = (int64_t)size;
    *out = blob;
    return trib_success();
}

trib_blob trib_closed_blob(void) { return (trib_blob) { .reader.fd = -1, .reader.wake_fd = -1 }; }

void trib_blob_close(trib_blob *blob)
{
    trib_reader_close(&blob->reader);
    trib_free(blob->path);
    *blob = trib_closed_blob();
}

bool trib_blob_is_open(const trib_blob *blob) { return blob->path; }
int64_t trib_blob_size(const trib_blob *blob) { return blob->reader.size; }

/* Only bytes that were returned to a caller count, not those that were peeked at. */
int64_t trib_blob_at(const trib_blob *blob)
{
    return blob->reader.offset - (int64_t)(blob->reader.peeked - blob->reader.given);
}

static int64_t left(const trib_blob *blob) { return trib_blob_size(blob) - trib_blob_at(blob); }

trib_status trib_blob_peek(trib_blob *blob, const unsigned char **head, size_t *size)
{
    if (blob->bytes) {
        *head = blob->bytes;
        *size = left(blob) < TRIB_PEEK_BYTES ? (size_t)left(blob) : TRIB_PEEK_BYTES;
        return trib_success();
    }
    TRIB_TRY(trib_reader_peek(&blob->reader));
    *head = blob->reader.head;
    *size = blob->reader.peeked;
    return trib_success();
}

static trib_status shrank(const trib_blob *blob)
{
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: the file shrank while it was read: of its %lld bytes, those from %lld on are gone; try "
                      "again when no program writes to it",
                      trib_shorten(blob->path).text, (long long)trib_blob_size(blob), (long long)trib_blob_at(blob));
}

static size_t read_memory(trib_blob *blob, void *buffer, size_t size)
{
    if (left(blob) < (int64_t)size) size = left(blob) > 0 ? (size_t)left(blob) : 0;
    memcpy(buffer, blob->bytes + blob->reader.offset, size);
    blob->reader.offset += (int64_t)size;
    return size;
}

trib_status trib_blob_read(trib_blob *blob, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    if (blob->bytes) {
        *got = read_memory(blob, buffer, size);
        return trib_success();
    }
    while (*got < size) {
        size_t part = size - *got < LARGEST_READ ? size - *got : LARGEST_READ, n = 0;
        TRIB_TRY(trib_reader_read(&blob->reader, (char *)buffer + *got, part, &n));
        *got += n;
        if (n == part) continue;
        return left(blob) > 0 ? shrank(blob) : trib_success();
    }
    return trib_success();
}

trib_status trib_blob_take(trib_blob *blob, size_t size, void **bytes, size_t *got)
{
    char *block = NULL;
    size_t filled = 0, part = 0, capacity = 0;
    bool known = trib_blob_size(blob) >= 0;
    trib_status s = trib_success();
    if (known && (uint64_t)left(blob) < size) size = (size_t)left(blob);
    do {
        size_t next = known ? size : capacity ? 2 * capacity : FIRST_STEP;
        capacity = next < size ? next : size;
        char *larger = trib_realloc_array(block, capacity, 1);
        if (!larger) {
            s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for %zu bytes of it", trib_shorten(blob->path).text,
                           capacity);
            goto fail;
        }
        block = larger;
        trib_advise_huge_pages(block + filled, capacity - filled);
        TRIB_TRY_GOTO(s, fail, trib_blob_read(blob, block + filled, capacity - filled, &part));
        filled += part;
    } while (filled == capacity && filled < size);
    *bytes = block;
    *got = filled;
    return s;
fail:
    trib_free(block);
    return s;
}

trib_status trib_blob_skip_to(trib_blob *blob, int64_t at)
{
    char ignored[SKIP_STEP];
    if (trib_blob_size(blob) >= 0) { /* its bytes are read by position */
        blob->reader.given = blob->reader.peeked;
        blob->reader.offset = at;
    }
    while (trib_blob_at(blob) < at) {
        int64_t rest = at - trib_blob_at(blob);
        size_t step = rest < SKIP_STEP ? (size_t)rest : SKIP_STEP, got = 0;
        TRIB_TRY(trib_blob_read(blob, ignored, step, &got));
        if (got < step)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: ends after %lld bytes; it is truncated",
                              trib_shorten(blob->path).text, (long long)trib_blob_at(blob));
    }
    return trib_success();
}

trib_status trib_blob_read_at(trib_blob *blob, int64_t at, void *buffer, size_t size)
{
    size_t got = 0;
    TRIB_TRY(trib_blob_skip_to(blob, at));
    TRIB_TRY(trib_blob_read(blob, buffer, size, &got));
    if (got == size) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: ends after %lld bytes; it is truncated", trib_shorten(blob->path).text,
                      (long long)at + (long long)got);
}
