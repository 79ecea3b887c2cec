/* SPDX-License-Identifier: Apache-2.0
 * Model files and tensors on their way in, over the reader that images come through as well. */
#include "data/file.h"
#include "formats/file.h"
#include "tributary/internal/alloc.h"

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

void trib_blob_close(trib_blob *blob)
{
    trib_reader_close(&blob->reader);
    trib_free(blob->path);
    *blob = (trib_blob) { .reader.fd = -1 };
}

int64_t trib_blob_size(const trib_blob *blob) { return blob->reader.size; }
int64_t trib_blob_at(const trib_blob *blob) { return blob->reader.offset; }

static trib_status shrank(const trib_blob *blob)
{
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "%s: the file shrank while it was read: of its %lld bytes, those from %lld on are gone; try again "
        "when nothing writes to it",
        trib_shorten(blob->path).text, (long long)blob->reader.size, (long long)blob->reader.offset);
}

trib_status trib_blob_read(trib_blob *blob, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        size_t part = size - *got < LARGEST_READ ? size - *got : LARGEST_READ, n = 0;
        TRIB_TRY(trib_reader_read(&blob->reader, (char *)buffer + *got, part, &n));
        *got += n;
        if (n == part) continue;
        return blob->reader.offset < blob->reader.size ? shrank(blob) : trib_success();
    }
    return trib_success();
}

trib_status trib_blob_take(trib_blob *blob, size_t size, void **bytes, size_t *got)
{
    char *block = NULL;
    size_t filled = 0, part = 0, capacity = 0;
    bool known = blob->reader.size >= 0;
    trib_status s = trib_success();
    if (known && (uint64_t)(blob->reader.size - blob->reader.offset) < size)
        size = (size_t)(blob->reader.size - blob->reader.offset);
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
    if (blob->reader.size >= 0) blob->reader.offset = at; /* its bytes are read by their place */
    while (blob->reader.offset < at) {
        size_t step = at - blob->reader.offset < SKIP_STEP ? (size_t)(at - blob->reader.offset) : SKIP_STEP, got = 0;
        TRIB_TRY(trib_blob_read(blob, ignored, step, &got));
        if (got < step)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: ends after %lld bytes; it is cut short",
                              trib_shorten(blob->path).text, (long long)blob->reader.offset);
    }
    return trib_success();
}
