/* SPDX-License-Identifier: Apache-2.0
 * A tar shard in WebDataset's convention: the members of one sample lie side by side and share a name up to the first
 * dot; image members are items, and the sample's .cls member is their label.
 *
 * Nothing is ever unpacked to disk; member names are only names. When labels are wanted, a sample's images are held
 * back until its .cls member has come or the sample is over. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef TRIB_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

#ifdef TRIB_HAVE_ARCHIVE

enum { BLOCK = 128 << 10, FIRST_CAPACITY = 1 << 20, MAX_HELD_BYTES = TRIB_MAX_FILE_BYTES, MAX_HELD = 256 };

typedef struct tar_input {
    trib_input base;
    char *path;
    bool need_labels;
    int fd;
    int64_t size, position; /* of the file */
    struct archive *archive;
    struct archive_entry *entry; /* member whose header was read; NULL: read the next one */
    bool finished, damage_reported;
    /* the sample being read */
    char *key;
    int label;
    trib_status label_status; /* why its .cls member is no label */
    trib_item *held;          /* items to give; a ring is not needed: emptied before it is filled again */
    size_t held_count, held_capacity, given, held_bytes;
    bool giving;    /* the held items' label is settled */
    uint8_t *block; /* of the file, for libarchive */
} tar_input;

/* ---- libarchive's way to the file ---- */

static la_ssize_t read_block(struct archive *archive, void *data, const void **block)
{
    tar_input *tar = data;
    ssize_t n;
    do {
        n = trib_fault("read") ? (errno = EIO, -1) : read(tar->fd, tar->block, BLOCK);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        archive_set_error(archive, errno, "reading failed");
        return -1;
    }
    tar->position += n;
    *block = tar->block;
    return n;
}

/* Never past the end: libarchive would take the end of a cut file for a regular one. */
static la_int64_t skip_bytes(struct archive *archive, void *data, la_int64_t bytes)
{
    (void)archive;
    tar_input *tar = data;
    int64_t left = tar->size - tar->position, step = bytes < left ? bytes : left;
    if (step <= 0 || lseek(tar->fd, (off_t)step, SEEK_CUR) < 0) return 0;
    tar->position += step;
    return step;
}

static trib_status archive_failure(const tar_input *tar, const char *call, const char *what)
{
    const char *reason = archive_error_string(tar->archive);
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, archive_errno(tar->archive), call, "%s: %s: %s",
                             trib_shorten(tar->path).text, what, reason ? reason : "unknown reason");
}

static trib_status start(tar_input *tar)
{
    TRIB_TRY(trib_open_regular(tar->path, &tar->fd, &tar->size));
    tar->block = trib_alloc(BLOCK);
    tar->archive = trib_fault("alloc") ? NULL : archive_read_new();
    if (!tar->block || !tar->archive) return trib_no_memory(tar->path);
    archive_read_support_format_tar(tar->archive);
    /* Only when built in: otherwise libarchive would start a gzip program. */
    if (archive_zlib_version()) archive_read_support_filter_gzip(tar->archive);
    archive_read_set_read_callback(tar->archive, read_block);
    archive_read_set_skip_callback(tar->archive, skip_bytes);
    archive_read_set_callback_data(tar->archive, tar);
    if (archive_read_open1(tar->archive) != ARCHIVE_OK)
        return archive_failure(tar, "archive_read_open1", "cannot be read as a tar file");
    return trib_success();
}

static void stop(tar_input *tar)
{
    if (tar->archive) archive_read_free(tar->archive);
    if (tar->fd >= 0) close(tar->fd);
    trib_free(tar->block);
    tar->archive = NULL;
    tar->entry = NULL;
    tar->block = NULL;
    tar->fd = -1;
    tar->finished = true;
}

/* ---- items held back ---- */

static trib_status hold(tar_input *tar, trib_item *item)
{
    if (trib_grow((void **)&tar->held, &tar->held_capacity, tar->held_count + 1, sizeof *tar->held)) {
        trib_item_release(item);
        return trib_no_memory(tar->path);
    }
    tar->held[tar->held_count++] = *item;
    tar->held_bytes += item->size;
    size_t most = tar->base.most_bytes ? (size_t)tar->base.most_bytes : MAX_HELD_BYTES;
    if (!tar->need_labels || tar->label != TRIB_NO_LABEL || tar->held_count >= MAX_HELD || tar->held_bytes >= most)
        tar->giving = true;
    return trib_success();
}

static trib_status hold_failure(tar_input *tar, const char *name, trib_status reason)
{
    trib_item item = { .label = TRIB_NO_LABEL };
    TRIB_TRY(trib_item_set_failure(&item, name, &reason));
    return hold(tar, &item);
}

static void give_held(tar_input *tar, trib_item *item)
{
    *item = tar->held[tar->given++];
    item->label = tar->label;
    if (trib_failed(&tar->label_status) && !trib_failed(&item->status)) {
        trib_free(item->bytes);
        item->bytes = NULL;
        item->size = 0;
        item->status = tar->label_status;
    }
    if (tar->given < tar->held_count) return;
    tar->given = tar->held_count = tar->held_bytes = 0;
    tar->giving = false;
}

/* ---- members ---- */

/* Reads the member's bytes, taking memory only as they really come. */
static trib_status read_member(tar_input *tar, const char *name, int64_t size, uint8_t **out)
{
    size_t got = 0, capacity = size < FIRST_CAPACITY ? (size_t)size : FIRST_CAPACITY;
    uint8_t *bytes = trib_alloc(capacity);
    if (!bytes) return trib_no_memory(name);
    trib_status s = trib_success();
    while (got < (size_t)size) {
        if (got == capacity) {
            capacity = capacity < (size_t)size / 2 ? capacity * 2 : (size_t)size;
            uint8_t *larger = trib_realloc_array(bytes, capacity, 1);
            if (!larger) {
                s = trib_no_memory(name);
                goto failed;
            }
            bytes = larger;
        }
        la_ssize_t n = archive_read_data(tar->archive, bytes + got, capacity - got);
        if (n < 0 || n == 0) {
            const char *reason = n < 0 ? archive_error_string(tar->archive) : NULL;
            s = TRIB_ERROR(TRIB_BAD_DATA, "%s: the shard is damaged or cut inside this member: %s",
                           trib_shorten(name).text, reason ? reason : "it ends early");
            goto failed;
        }
        got += (size_t)n;
    }
    *out = bytes;
    return s;
failed:
    trib_free(bytes);
    return s;
}

/* A name that would leave the folder it is unpacked into. Harmless here, but such an archive is not to be trusted. */
static bool leaves_folder(const char *member)
{
    if (*member == '/') return true;
    for (const char *part = member; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return true;
    }
    return false;
}

/* The fate of one image member, as status and bytes. */
static trib_status load_member(tar_input *tar, const char *name, const char *member, int64_t size, uint8_t **bytes)
{
    if (leaves_folder(member))
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: the member's name is absolute or has '..' in it; not read",
                          trib_shorten(name).text);
    if (size <= 0) return TRIB_ERROR(TRIB_BAD_DATA, "%s: the member is empty", trib_shorten(name).text);
    if (size > TRIB_MAX_FILE_BYTES)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: %lld bytes are too many for an image file (at most %d)",
                          trib_shorten(name).text, (long long)size, TRIB_MAX_FILE_BYTES);
    TRIB_TRY(trib_input_check_size(tar->base.most_bytes, name, size));
    return read_member(tar, name, size, bytes);
}

static trib_status take_image(tar_input *tar, const char *member)
{
    size_t name_size = strlen(tar->path) + strlen(member) + 2;
    trib_item item = { .label = TRIB_NO_LABEL, .name = trib_alloc(name_size) };
    if (!item.name) return trib_no_memory(tar->path);
    snprintf(item.name, name_size, "%s/%s", tar->path, member);
    int64_t size = archive_entry_size(tar->entry);
    item.status = load_member(tar, item.name, member, size, &item.bytes);
    if (!trib_failed(&item.status)) item.size = (size_t)size;
    return hold(tar, &item);
}

/* A class number as text. Anything else leaves the sample without a label, and says so. */
static void take_label(tar_input *tar, const char *member)
{
    char text[32] = "";
    la_ssize_t n = archive_read_data(tar->archive, text, sizeof text - 1);
    size_t used = n > 0 ? strspn(text, " \t\r\n") : 0;
    int digits = 0, label = -1;
    bool good = sscanf(text + used, "%9d%n", &label, &digits) == 1 && label >= 0;
    used += (size_t)digits;
    good = good && n < (la_ssize_t)sizeof text - 1 && used + strspn(text + used, " \t\r\n") == (size_t)n;
    if (good)
        tar->label = label;
    else
        tar->label_status = TRIB_ERROR(TRIB_BAD_DATA, "%s/%s: not a class number", trib_shorten(tar->path).text,
                                       trib_shorten(member).text);
    tar->giving = tar->held_count > 0;
}

/* Length of the part of a member's name that all members of its sample share. */
static size_t key_length(const char *member)
{
    const char *base = trib_base_name(member);
    return (size_t)(base - member) + strcspn(base, ".");
}

/* Begins a new sample when `member` belongs to one. False: the items of the last one must be given first. */
static trib_status enter_sample(tar_input *tar, const char *member, bool *entered)
{
    size_t length = key_length(member);
    *entered = true;
    if (tar->key && strlen(tar->key) == length && strncmp(tar->key, member, length) == 0) return trib_success();
    if (tar->held_count) {
        tar->giving = true;
        *entered = false;
        return trib_success();
    }
    char *key = trib_strdup(member);
    if (!key) return trib_no_memory(tar->path);
    key[length] = '\0';
    trib_free(tar->key);
    tar->key = key;
    tar->label = TRIB_NO_LABEL;
    tar->label_status = trib_success();
    return trib_success();
}

static trib_status take_member(tar_input *tar)
{
    const char *member = archive_entry_pathname(tar->entry);
    if (!member) member = archive_entry_pathname_utf8(tar->entry);
    bool regular = archive_entry_filetype(tar->entry) == AE_IFREG && !archive_entry_hardlink(tar->entry);
    if (!member || !regular) goto done; /* folders, links and devices */
    while (strncmp(member, "./", 2) == 0) member += 2;
    bool image = trib_has_image_extension(member);
    bool label = tar->need_labels && strcmp(member + key_length(member), ".cls") == 0;
    if (!image && !label) goto done;
    if (tar->need_labels) {
        bool entered = false;
        TRIB_TRY(enter_sample(tar, member, &entered));
        if (!entered) return trib_success(); /* and come back to this member */
    }
    if (image) TRIB_TRY(take_image(tar, member));
    if (label) take_label(tar, member);
done:
    tar->entry = NULL;
    return trib_success();
}

/* The regular end. A shard without tar's end marker was cut between two members: nobody can tell how many are lost. */
static trib_status finish(tar_input *tar)
{
    bool marked = archive_filter_bytes(tar->archive, 0) > archive_read_header_position(tar->archive);
    stop(tar);
    if (marked) return trib_success();
    return hold_failure(tar, tar->path,
                        TRIB_ERROR(TRIB_BAD_DATA, "%s: the shard was cut: it has no end marker; members may be lost",
                                   trib_shorten(tar->path).text));
}

/* Reads one header. */
static trib_status next_member(tar_input *tar)
{
    int r = archive_read_next_header(tar->archive, &tar->entry);
    if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
        tar->damage_reported = false;
        return trib_success();
    }
    tar->entry = NULL;
    if (r == ARCHIVE_EOF) return finish(tar);
    trib_status s = archive_failure(tar, "archive_read_next_header",
                                    r == ARCHIVE_RETRY ? "a damaged header; members may be lost"
                                                       : "the shard is cut or damaged here; the rest is lost");
    if (r != ARCHIVE_RETRY) stop(tar);
    bool again = r == ARCHIVE_RETRY && tar->damage_reported; /* every block until the next header would be one */
    tar->damage_reported = true;
    return again ? trib_success() : hold_failure(tar, tar->path, s);
}

static trib_status tar_next(trib_input *input, trib_item *item, bool *end)
{
    tar_input *tar = (tar_input *)input;
    for (;;) {
        if (tar->giving || (tar->finished && tar->held_count)) {
            give_held(tar, item);
            return trib_success();
        }
        if (tar->finished) break;
        if (!tar->archive) {
            trib_status s = start(tar);
            if (trib_failed(&s)) {
                stop(tar);
                TRIB_TRY(hold_failure(tar, tar->path, s));
            }
        } else if (tar->entry) {
            TRIB_TRY(take_member(tar));
        } else {
            TRIB_TRY(next_member(tar));
        }
    }
    *end = true;
    return trib_success();
}

static void tar_close(trib_input *input)
{
    tar_input *tar = (tar_input *)input;
    stop(tar);
    for (size_t i = tar->given; i < tar->held_count; ++i) trib_item_release(&tar->held[i]);
    trib_free(tar->held);
    trib_free(tar->key);
    trib_free(tar->path);
    trib_free(tar);
}

trib_status trib_tar_input_open(const char *path, bool need_labels, trib_input **out)
{
    static const trib_input_kind kind = { .next = tar_next, .close = tar_close };
    int fd = -1;
    int64_t size = 0;
    TRIB_TRY(trib_open_regular(path, &fd, &size)); /* a missing shard must show before hours of work, not after */
    close(fd);
    tar_input *tar = trib_alloc_zeroed(1, sizeof *tar);
    if (!tar) return trib_no_memory(path);
    tar->base.kind = &kind;
    tar->need_labels = need_labels;
    tar->label = TRIB_NO_LABEL;
    tar->fd = -1;
    tar->path = trib_strdup(path);
    if (!tar->path) {
        tar_close(&tar->base);
        return trib_no_memory(path);
    }
    *out = &tar->base;
    return trib_success();
}

#else

trib_status trib_tar_input_open(const char *path, bool need_labels, trib_input **out)
{
    (void)need_labels, (void)out;
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "%s: this build has no libarchive, which tar shards need; unpack it into a folder",
                      trib_shorten(path).text);
}

#endif
