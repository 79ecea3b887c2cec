/* SPDX-License-Identifier: Apache-2.0 */
#include "data/archive.h"

#ifdef TRIB_HAVE_ARCHIVE

#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

enum { BLOCK = 128 << 10, FIRST_CAPACITY = 1 << 20 };

/* ---- how libarchive reads the file ---- */

static la_ssize_t read_block(struct archive *archive, void *data, const void **block)
{
    trib_archive *a = data;
    size_t got = 0;
    trib_status s = trib_reader_read_some(a->reader, a->block, a->block_bytes, &got);
    if (trib_failed(&s)) {
        a->cancelled = s.code == TRIB_CANCELLED;
        archive_set_error(archive, s.vendor_code, "reading failed");
        return -1;
    }
    *block = a->block;
    return (la_ssize_t)got;
}

/* Never past the end: libarchive would take the end of a truncated file for a regular one. */
static la_int64_t skip_bytes(struct archive *archive, void *data, la_int64_t bytes)
{
    (void)archive;
    return trib_reader_skip(((trib_archive *)data)->reader, bytes);
}

trib_status trib_archive_failure(const trib_archive *a, const char *call, const char *what)
{
    if (a->cancelled)
        return TRIB_ERROR(TRIB_CANCELLED, "%s: reading was cancelled", trib_shorten(a->reader->path).text);
    const char *reason = archive_error_string(a->archive);
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, archive_errno(a->archive), call, "%s: %s: %s",
                             trib_shorten(a->reader->path).text, what, reason ? reason : "unknown reason");
}

trib_status trib_archive_open(trib_archive *a, trib_reader *reader)
{
    a->reader = reader;
    if (!a->block_bytes) a->block_bytes = BLOCK;
    a->block = trib_alloc(a->block_bytes);
    a->archive = trib_fault("alloc") ? NULL : archive_read_new();
    if (!a->block || !a->archive) return trib_no_memory(reader->path);
    archive_read_support_format_tar(a->archive);
    /* Only if built in: otherwise libarchive would start a gzip program. */
    if (archive_zlib_version()) archive_read_support_filter_gzip(a->archive);
    archive_read_set_read_callback(a->archive, read_block);
    archive_read_set_skip_callback(a->archive, skip_bytes);
    archive_read_set_callback_data(a->archive, a);
    if (archive_read_open1(a->archive) != ARCHIVE_OK)
        return trib_archive_failure(a, "archive_read_open1", "cannot read it as a tar file");
    return trib_success();
}

void trib_archive_close(trib_archive *a)
{
    if (a->archive) archive_read_free(a->archive);
    trib_free(a->block);
    memset(a, 0, sizeof *a);
}

/* ---- a member ---- */

/* In the C locale, libarchive does not give non-ASCII names of pax headers as bytes, but does in UTF-8. */
const char *trib_archive_member(const trib_archive *a)
{
    const char *name = archive_entry_pathname(a->entry);
    if (!name) name = archive_entry_pathname_utf8(a->entry);
    while (name && strncmp(name, "./", 2) == 0) name += 2;
    return name;
}

const char *trib_archive_link(const trib_archive *a, bool *symbolic)
{
    const char *target = archive_entry_hardlink(a->entry);
    if (!target) target = archive_entry_hardlink_utf8(a->entry);
    *symbolic = !target && archive_entry_filetype(a->entry) == AE_IFLNK;
    if (!*symbolic) return target;
    target = archive_entry_symlink(a->entry);
    if (!target) target = archive_entry_symlink_utf8(a->entry);
    return target ? target : "";
}

const char *trib_archive_type(const trib_archive *a)
{
    switch (archive_entry_filetype(a->entry)) {
    case AE_IFCHR:
    case AE_IFBLK: return "a device";
    case AE_IFIFO: return "a pipe";
    default: return "of an unknown type";
    }
}

/* Up to `room` bytes; *got = 0 at the member's end. libarchive does not return a hole at the end of a sparse member as
 * data. */
static trib_status read_data(trib_archive *a, const char *name, uint8_t *to, size_t room, size_t *got)
{
    la_ssize_t n = archive_read_data(a->archive, to, room);
    *got = n > 0 ? (size_t)n : 0;
    if (n > 0) return trib_success();
    if (n == 0 && archive_entry_sparse_count(a->entry) > 0) {
        memset(to, 0, room);
        *got = room;
        return trib_success();
    }
    if (a->cancelled) return trib_archive_failure(a, "archive_read_data", "");
    const char *reason = n < 0 ? archive_error_string(a->archive) : NULL;
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: the shard is damaged or truncated inside this member: %s",
                      trib_shorten(name).text, reason ? reason : "it ends early");
}

trib_status trib_archive_load(trib_archive *a, const char *name, int64_t most_bytes, uint8_t **out, size_t *out_size)
{
    int64_t size = archive_entry_size(a->entry);
    if (size <= 0) return TRIB_ERROR(TRIB_BAD_DATA, "%s: the member is empty", trib_shorten(name).text);
    if (size > TRIB_MAX_FILE_BYTES)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: %lld bytes are too many for an image file (at most %d)",
                          trib_shorten(name).text, (long long)size, TRIB_MAX_FILE_BYTES);
    TRIB_TRY(trib_input_check_size(most_bytes, name, size));
    /* Memory for a size that may be wrong is taken as bytes arrive. Within a limit it is taken at once, which saves
     * copies. */
    bool at_once = most_bytes || size < FIRST_CAPACITY;
    size_t wanted = (size_t)size, have = 0, capacity = at_once ? wanted : FIRST_CAPACITY;
    uint8_t *bytes = trib_alloc(capacity);
    trib_status s = bytes ? trib_success() : trib_no_memory(name);
    while (!trib_failed(&s) && have < wanted) {
        size_t got = 0;
        if (have == capacity) {
            capacity = capacity < wanted / 2 ? capacity * 2 : wanted;
            uint8_t *larger = trib_realloc_array(bytes, capacity, 1);
            if (!larger) {
                s = trib_no_memory(name);
                break;
            }
            bytes = larger;
        }
        s = read_data(a, name, bytes + have, capacity - have, &got);
        have += got;
    }
    if (trib_failed(&s)) {
        trib_free(bytes);
        return s;
    }
    *out = bytes;
    *out_size = wanted;
    return trib_outcome(&s);
}

#endif
