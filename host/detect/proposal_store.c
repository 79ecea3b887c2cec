/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/proposal_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

enum { PIECE = 1 << 16 };

typedef struct entry {
    int64_t at;
    size_t size, number; /* of the line, without its end; from 1 */
    char *image;         /* owned */
    char sha256[TRIB_SHA256_TEXT];
} entry;

struct trib_proposal_store {
    char *path;
    int fd;
    entry *by_sum;          /* sorted by sum, then number */
    const entry **by_image; /* sorted by image, then number */
    size_t count, capacity;
};

static trib_status out_of_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a file of proposals"); }

/* Failures of the system name the file. */
static trib_status named(trib_status s, const char *path)
{
    return s.code == TRIB_BAD_DATA || s.code == TRIB_NOT_FOUND ? trib_with_name(s, path) : s;
}

void trib_proposal_store_close(trib_proposal_store *store)
{
    if (!store) return;
    for (size_t i = 0; i < store->count; ++i) trib_free(store->by_sum[i].image);
    trib_free(store->by_sum);
    trib_free(store->by_image);
    trib_free(store->path);
    if (store->fd >= 0) close(store->fd);
    trib_free(store);
}

size_t trib_proposal_store_count(const trib_proposal_store *store) { return store->count; }

/* ---- the index ---- */

static trib_status add_line(trib_proposal_store *store, int64_t at, const char *bytes, size_t size)
{
    trib_proposal_line line;
    TRIB_TRY(trib_proposal_line_read(bytes, size, &line));
    if (trib_grow((void **)&store->by_sum, &store->capacity, store->count + 1, sizeof *store->by_sum)) {
        trib_proposal_line_release(&line);
        return out_of_memory();
    }
    entry *e = &store->by_sum[store->count++];
    *e = (entry) { .at = at, .size = size, .number = store->count, .image = line.image };
    memcpy(e->sha256, line.sha256, sizeof e->sha256);
    line.image = NULL;
    trib_proposal_line_release(&line);
    return trib_success();
}

/* Bytes read and not yet in a line. */
typedef struct window {
    char *bytes;
    size_t size, capacity;
    int64_t at; /* of the first one in the file */
} window;

/* Adds the window's complete lines and keeps the rest. */
static trib_status add_lines(trib_proposal_store *store, window *w, size_t searched)
{
    char *begin = w->bytes, *from = w->bytes + searched, *end;
    while ((end = memchr(from, '\n', (size_t)(w->bytes + w->size - from)))) {
        trib_status s = add_line(store, w->at + (begin - w->bytes), begin, (size_t)(end - begin));
        if (trib_failed(&s)) {
            trib_add_context(&s, "line %zu", store->count + 1);
            return s;
        }
        begin = from = end + 1;
    }
    size_t used = (size_t)(begin - w->bytes);
    if (used) memmove(w->bytes, begin, w->size - used);
    w->size -= used;
    w->at += (int64_t)used;
    return trib_success();
}

static trib_status index_lines(trib_proposal_store *store, window *w)
{
    for (;;) {
        size_t got = 0, before = w->size;
        if (w->size > TRIB_PROPOSAL_LINE_BYTES)
            return TRIB_ERROR(TRIB_BAD_DATA, "line %zu is longer than %d bytes: this is no file of proposals",
                              store->count + 1, TRIB_PROPOSAL_LINE_BYTES);
        if (trib_grow((void **)&w->bytes, &w->capacity, w->size + PIECE, 1)) return out_of_memory();
        TRIB_TRY(trib_read_full(store->fd, store->path, w->bytes + w->size, PIECE, &got));
        w->size += got;
        TRIB_TRY(add_lines(store, w, before));
        if (got == PIECE) continue;
        if (!w->size) return trib_success();
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "line %zu has no end: the file was not finished; remove that line to use the others",
                          store->count + 1);
    }
}

static int compare_numbers(const entry *a, const entry *b) { return (a->number > b->number) - (a->number < b->number); }

static int compare_sums(const void *a, const void *b)
{
    int order = strcmp(((const entry *)a)->sha256, ((const entry *)b)->sha256);
    return order ? order : compare_numbers(a, b);
}

static int compare_images(const void *a, const void *b)
{
    const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
    int order = strcmp(x->image, y->image);
    return order ? order : compare_numbers(x, y);
}

static trib_status sort_lines(trib_proposal_store *store)
{
    if (!store->count) return trib_success();
    store->by_image = trib_alloc(store->count * sizeof *store->by_image);
    if (!store->by_image) return out_of_memory();
    qsort(store->by_sum, store->count, sizeof *store->by_sum, compare_sums);
    for (size_t i = 0; i < store->count; ++i) store->by_image[i] = &store->by_sum[i];
    qsort(store->by_image, store->count, sizeof *store->by_image, compare_images);
    return trib_success();
}

trib_status trib_proposal_store_open(const char *path, trib_proposal_store **out)
{
    int64_t size;
    window w = { 0 };
    trib_status status;
    trib_proposal_store *store = trib_alloc_zeroed(1, sizeof *store);
    if (!store) return out_of_memory();
    store->fd = -1;
    store->path = trib_strdup(path);
    status = store->path ? trib_open_regular(path, &store->fd, &size) : out_of_memory();
    if (trib_failed(&status)) goto done;
    status = named(index_lines(store, &w), path);
    if (!trib_failed(&status)) status = named(sort_lines(store), path);
done:
    trib_free(w.bytes);
    if (trib_failed(&status))
        trib_proposal_store_close(store);
    else
        *out = store;
    return trib_outcome(&status);
}

/* ---- asking ---- */

static const entry *find_sum(const trib_proposal_store *store, const char *sha256)
{
    size_t low = 0, high = store->count; /* the first that is not lower */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(store->by_sum[middle].sha256, sha256) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < store->count && !strcmp(store->by_sum[low].sha256, sha256) ? &store->by_sum[low] : NULL;
}

static bool has_image(const trib_proposal_store *store, const char *image)
{
    size_t low = 0, high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(store->by_image[middle]->image, image);
        if (!order) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static trib_status read_at(const trib_proposal_store *store, const entry *e, char *bytes)
{
    for (size_t done = 0; done < e->size;) {
        ssize_t got = trib_fault("read") ? (errno = EIO, -1)
                                         : pread(store->fd, bytes + done, e->size - done, e->at + (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return TRIB_FILE_ERROR("pread", "read", store->path, errno);
        if (!got) return TRIB_ERROR(TRIB_BAD_DATA, "the file has become shorter while it was used");
        done += (size_t)got;
    }
    return trib_success();
}

static trib_status read_entry(const trib_proposal_store *store, const entry *e, trib_proposal_line *out)
{
    trib_proposal_line line;
    char *bytes = trib_alloc(e->size);
    if (!bytes) return out_of_memory();
    trib_status status = read_at(store, e, bytes);
    if (!trib_failed(&status)) status = trib_proposal_line_read(bytes, e->size, &line);
    trib_free(bytes);
    if (trib_failed(&status)) return status;
    if (strcmp(line.sha256, e->sha256)) {
        trib_proposal_line_release(&line);
        return TRIB_ERROR(TRIB_BAD_DATA, "line %zu has changed while the file was used", e->number);
    }
    *out = line;
    return trib_success();
}

trib_status trib_proposal_store_at(const trib_proposal_store *store, size_t i, trib_proposal_line *out)
{
    return named(read_entry(store, &store->by_sum[i], out), store->path);
}

trib_status trib_proposal_store_find(const trib_proposal_store *store, const char *image, const char *sha256,
                                     trib_proposal_line *out)
{
    const entry *e = find_sum(store, sha256);
    if (e) return named(read_entry(store, e, out), store->path);
    return trib_with_name(TRIB_ERROR(TRIB_NOT_FOUND,
                                     has_image(store, image)
                                         ? "'%s' has changed since its proposals were made; make them again"
                                         : "there are no proposals for '%s'; make them first",
                                     trib_shorten(image).text),
                          store->path);
}
