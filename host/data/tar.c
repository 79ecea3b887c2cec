/* SPDX-License-Identifier: Apache-2.0
 * A tar shard in WebDataset's convention: image members are items, and the .cls member beside one is its label.
 *
 * Nothing is unpacked to disk; member names are only names. Links refer to earlier members: in a plain file these are
 * read again; of a gzipped one or a pipe, the last bytes are kept (data/members.h). Located members are read by the
 * position of their header, each with a libarchive of its own. A member that cannot be read is an
 * item with the reason, and other members are counted: nothing is dropped silently. */
#include <stdio.h>
#include <string.h>

#include "data/archive.h"
#include "data/file.h"
#include "data/input.h"
#include "data/members.h"
#include "data/sample.h"
#include "tributary/internal/alloc.h"

#ifdef TRIB_HAVE_ARCHIVE

enum { MAX_DRAINED_BYTES = 1 << 20, LABEL_BYTES = 32, ONE_MEMBER_BLOCK = 16 << 10 };

typedef struct tar_input {
    trib_input base;
    const trib_input_context *context;
    char *path;
    trib_reader reader;
    trib_archive archive;
    bool opened, finished, damage_reported;
    bool can_go_back; /* a plain file */
    trib_sample sample;
    trib_members members;
    int64_t place; /* of the header that begins the bytes of the current member, in a plain file */
} tar_input;

static trib_status start(tar_input *tar)
{
    if (!tar->opened) TRIB_TRY(trib_reader_open(tar->path, tar->context->wake_fd, &tar->reader));
    tar->opened = true;
    return trib_archive_open(&tar->archive, &tar->reader);
}

static void stop(tar_input *tar)
{
    trib_archive_close(&tar->archive);
    trib_members_free(&tar->members);
    if (tar->opened) trib_reader_close(&tar->reader);
    tar->opened = false;
    tar->finished = true;
}

static trib_status hold_failure(tar_input *tar, trib_status reason)
{
    trib_item item = { .label = TRIB_NO_LABEL };
    TRIB_TRY(trib_item_set_failure(&item, tar->path, &reason));
    return trib_sample_hold(&tar->sample, &item, NULL);
}

/* ---- links ---- */

/* Reads the member whose header is at `position` of the file that `file` has open. `gone`: why there may be none. */
static trib_status load_at(const trib_reader *file, int64_t position, const char *name, const char *gone,
                           int64_t most_bytes, uint8_t **bytes, size_t *size)
{
    trib_reader reader = { .path = file->path, .fd = file->fd, .wake_fd = -1, .size = file->size, .offset = position };
    trib_archive archive = { .block_bytes = ONE_MEMBER_BLOCK };
    trib_status s = trib_archive_open(&archive, &reader);
    if (!trib_failed(&s)) {
        int r = archive_read_next_header(archive.archive, &archive.entry);
        if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
            s = trib_archive_load(&archive, name, most_bytes, bytes, size);
        else
            s = trib_archive_failure(&archive, "archive_read_next_header", gone);
    }
    trib_archive_close(&archive);
    return s;
}

static trib_status copy_bytes(const trib_member *member, const char *name, uint8_t **bytes, size_t *size)
{
    *bytes = trib_alloc(member->size);
    if (!*bytes) return trib_no_memory(name);
    memcpy(*bytes, member->bytes, member->size);
    *size = member->size;
    return trib_success();
}

static trib_status not_before(const tar_input *tar, const char *name, const char *target)
{
    if (tar->can_go_back)
        return TRIB_ERROR(TRIB_NOT_FOUND,
                          "%.200s: a link to '%.100s', which is not among the members before it; make the shard with "
                          "tar --dereference --hard-dereference",
                          trib_shorten(name).text, trib_shorten(target).text);
    return TRIB_ERROR(
        TRIB_NOT_FOUND,
        "%.200s: a link to '%.80s', which is not among the last %.3g MiB of members before it; unpack the shard to a "
        "plain file, or make it with tar --dereference --hard-dereference",
        trib_shorten(name).text, trib_shorten(target).text, (double)tar->members.most_bytes / (1 << 20));
}

/* `own`: the link's name among the members, under which later links find its target. */
static trib_status follow(tar_input *tar, const char *name, const char *own, const char *target, bool symbolic,
                          uint8_t **bytes, size_t *size)
{
    char *wanted = NULL;
    TRIB_TRY(symbolic ? trib_member_target(own, target, &wanted) : trib_member_name(target, &wanted));
    trib_status s = trib_success();
    const trib_member *member = wanted ? trib_members_find(&tar->members, wanted) : NULL;
    int64_t position = member ? member->position : 0;
    if (!wanted)
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: a link to '%.100s', which is not in the shard; not followed",
                       trib_shorten(name).text, trib_shorten(target).text);
    else if (!member)
        s = not_before(tar, name, target);
    else if (member->bytes)
        s = copy_bytes(member, name, bytes, size);
    else
        s = load_at(&tar->reader, position, name, "the target of a link is gone", tar->context->most_bytes, bytes,
                    size);
    trib_free(wanted);
    if (trib_failed(&s)) return s;
    s = trib_members_add(&tar->members, own, position, tar->can_go_back ? NULL : *bytes, *size);
    tar->place = position;
    if (trib_failed(&s)) trib_free(*bytes);
    return trib_outcome(&s);
}

/* ---- members ---- */

/* Only a member with its own bytes is not read to be located. */
static trib_status locate_only(const tar_input *tar, const char *name, size_t *size)
{
    if (!tar->can_go_back)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "%s: the shard is gzipped: its members cannot be read in any order; unpack it with gunzip",
                          trib_shorten(tar->path).text);
    int64_t bytes = archive_entry_size(tar->archive.entry);
    if (bytes <= 0) return TRIB_ERROR(TRIB_BAD_DATA, "%s: the member is empty", trib_shorten(name).text);
    *size = (size_t)bytes;
    return trib_success();
}

/* The bytes of the member. `own`: its name among the members. */
static trib_status load(tar_input *tar, const char *name, const char *own, bool image, uint8_t **bytes, size_t *size)
{
    if (!own)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: the member's name is absolute or has '..' in it; not read",
                          trib_shorten(name).text);
    bool symbolic = false;
    const char *target = trib_archive_link(&tar->archive, &symbolic);
    /* Some writers store the data of a hard link as well. */
    if (target && (symbolic || archive_entry_size(tar->archive.entry) <= 0))
        return follow(tar, name, own, target, symbolic, bytes, size);
    if (!target && archive_entry_filetype(tar->archive.entry) != AE_IFREG)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: the member is %s, not a file", trib_shorten(name).text,
                          trib_archive_type(&tar->archive));
    tar->place = archive_read_header_position(tar->archive.archive);
    if (image && tar->context->locate) return locate_only(tar, name, size);
    TRIB_TRY(trib_archive_load(&tar->archive, name, tar->context->most_bytes, bytes, size));
    if (tar->can_go_back) return trib_success();
    trib_status s = trib_members_add(&tar->members, own, 0, *bytes, *size);
    if (trib_failed(&s)) trib_free(*bytes);
    return trib_outcome(&s);
}

static trib_status take_image(tar_input *tar, const char *member, const char *own)
{
    size_t name_size = strlen(tar->path) + strlen(member) + 2;
    trib_item item = { .label = TRIB_NO_LABEL, .name = trib_alloc(name_size) };
    if (!item.name) return trib_no_memory(tar->path);
    snprintf(item.name, name_size, "%s/%s", tar->path, member);
    trib_status s = load(tar, item.name, own, true, &item.bytes, &item.size);
    if (trib_failed(&s)) {
        item.bytes = NULL;
        item.size = 0;
    }
    if (tar->context->locate) {
        trib_free(item.bytes); /* those of a link */
        item.bytes = NULL;
        item.index = tar->place;
    }
    if (s.code == TRIB_CANCELLED) {
        trib_item_release(&item);
        return s;
    }
    item.status = s;
    return trib_sample_hold(&tar->sample, &item, member);
}

/* A class number as text. */
static bool parse_label(const uint8_t *bytes, size_t size, int *label)
{
    char text[LABEL_BYTES] = "";
    int digits = 0;
    if (size >= sizeof text) return false;
    memcpy(text, bytes, size);
    size_t used = strspn(text, " \t\r\n");
    if (sscanf(text + used, "%9d%n", label, &digits) != 1 || *label < 0) return false;
    used += (size_t)digits;
    return used + strspn(text + used, " \t\r\n") == size;
}

/* Anything but a number leaves the sample without a label, and is reported. */
static trib_status take_label(tar_input *tar, const char *member, const char *own)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    int label = TRIB_NO_LABEL;
    char name[256];
    snprintf(name, sizeof name, "%.100s/%.100s", trib_shorten(tar->path).text, trib_shorten(member).text);
    trib_status s = trib_success();
    if (archive_entry_size(tar->archive.entry) < LABEL_BYTES) s = load(tar, name, own, false, &bytes, &size);
    if (s.code == TRIB_CANCELLED || s.code == TRIB_OUT_OF_MEMORY) return s;
    if (!trib_failed(&s)) {
        if (!bytes || !parse_label(bytes, size, &label)) s = TRIB_ERROR(TRIB_BAD_DATA, "%s: not a class number", name);
        trib_free(bytes);
    }
    return trib_sample_set_label(&tar->sample, member, trib_failed(&s) ? TRIB_NO_LABEL : label, &s);
}

/* Keeps the member for later links: its position in a plain file, or its bytes. Bytes of images and labels are already
 * kept. Damage shows at the next header. */
static trib_status remember(tar_input *tar, const char *own, bool loaded)
{
    bool symbolic = false, regular = archive_entry_filetype(tar->archive.entry) == AE_IFREG;
    int64_t size = archive_entry_size(tar->archive.entry);
    if (!own || !regular || trib_archive_link(&tar->archive, &symbolic)) return trib_success();
    if (tar->can_go_back)
        return trib_members_add(&tar->members, own, archive_read_header_position(tar->archive.archive), NULL, 0);
    if (loaded) return trib_success();
    if (size <= 0 || (size_t)size > tar->members.most_bytes / 2)
        return trib_members_add(&tar->members, own, TRIB_MEMBER_GONE, NULL, 0);
    uint8_t *bytes = NULL;
    size_t got = 0;
    trib_status s = trib_archive_load(&tar->archive, own, (int64_t)tar->members.most_bytes, &bytes, &got);
    if (trib_failed(&s)) return s.code == TRIB_CANCELLED || s.code == TRIB_OUT_OF_MEMORY ? s : trib_success();
    s = trib_members_add(&tar->members, own, 0, bytes, got);
    trib_free(bytes);
    return s;
}

/* A member that is neither an image nor a label. */
static void pass_over(tar_input *tar, const char *member, const char *unwanted)
{
    trib_passed_list *list = tar->context->passed_over;
    bool symbolic = false;
    if (archive_entry_filetype(tar->archive.entry) == AE_IFDIR) return;
    if (unwanted)
        trib_pass_over(list, unwanted);
    else if (trib_archive_link(&tar->archive, &symbolic))
        trib_pass_over(list, "link");
    else if (!trib_ends_with(member, ".cls"))
        trib_pass_over_file(list, member);
}

/* *done = false: earlier items must be returned first; come back to this member. */
static trib_status take_named(tar_input *tar, const char *member, const char *own, bool *done)
{
    const char *unwanted = trib_unwanted(own ? own : member);
    bool folder = archive_entry_filetype(tar->archive.entry) == AE_IFDIR;
    bool image = !folder && !unwanted && trib_has_image_extension(member);
    bool label = !folder && !unwanted && tar->context->need_labels && trib_ends_with(member, ".cls");
    *done = true;
    if (image || label) TRIB_TRY(trib_sample_enter(&tar->sample, member, done));
    if (!*done) return trib_success();
    if (image) TRIB_TRY(take_image(tar, member, own));
    if (label) TRIB_TRY(take_label(tar, member, own));
    if (!image && !label) pass_over(tar, member, unwanted);
    return remember(tar, own, image || label);
}

static trib_status take_member(tar_input *tar)
{
    const char *member = trib_archive_member(&tar->archive);
    bool done = true;
    trib_status s;
    if (!member) {
        s = hold_failure(
            tar, TRIB_ERROR(TRIB_BAD_DATA, "%s: a member whose name cannot be read", trib_shorten(tar->path).text));
    } else {
        char *own = NULL;
        TRIB_TRY(trib_member_name(member, &own));
        s = take_named(tar, member, own, &done);
        trib_free(own);
    }
    if (done) tar->archive.entry = NULL;
    return trib_outcome(&s);
}

/* ---- the shard ---- */

/* If the last zeros after the end marker stayed in a pipe, its writer would get a broken pipe. */
static trib_status drain(tar_input *tar)
{
    uint8_t zeros[4096];
    size_t got = 1;
    if (tar->reader.size >= 0) return trib_success();
    for (size_t total = 0; got && total < MAX_DRAINED_BYTES; total += got)
        TRIB_TRY(trib_reader_read_some(&tar->reader, zeros, sizeof zeros, &got));
    return trib_success();
}

/* The regular end. A shard without tar's end marker was cut between two members: how many are lost is unknown. */
static trib_status finish(tar_input *tar)
{
    struct archive *archive = tar->archive.archive;
    bool marked = archive_filter_bytes(archive, 0) > archive_read_header_position(archive);
    trib_status s = drain(tar);
    if (s.code == TRIB_CANCELLED) return s;
    stop(tar);
    if (marked) return trib_success();
    return hold_failure(tar,
                        TRIB_ERROR(TRIB_BAD_DATA, "%s: the shard was cut: it has no end marker; members may be lost",
                                   trib_shorten(tar->path).text));
}

/* Reads one header. */
static trib_status next_member(tar_input *tar)
{
    int r = archive_read_next_header(tar->archive.archive, &tar->archive.entry);
    if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
        tar->damage_reported = false;
        tar->can_go_back = tar->reader.size >= 0 && archive_filter_code(tar->archive.archive, 0) == ARCHIVE_FILTER_NONE;
        return trib_success();
    }
    tar->archive.entry = NULL;
    if (r == ARCHIVE_EOF) return finish(tar);
    trib_status s = trib_archive_failure(&tar->archive, "archive_read_next_header",
                                         r == ARCHIVE_RETRY ? "a damaged header; members may be lost"
                                                            : "the shard is cut or damaged here; the rest is lost");
    if (s.code == TRIB_CANCELLED) return s;
    if (r != ARCHIVE_RETRY) stop(tar);
    bool again = r == ARCHIVE_RETRY && tar->damage_reported; /* every block until the next header would be a failure */
    tar->damage_reported = true;
    return again ? trib_success() : hold_failure(tar, s);
}

static trib_status step(tar_input *tar)
{
    if (tar->archive.entry) return take_member(tar);
    if (tar->archive.archive) return next_member(tar);
    trib_status s = start(tar);
    if (!trib_failed(&s) || s.code == TRIB_CANCELLED) return s;
    stop(tar);
    return hold_failure(tar, s);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* The loader's memory may allow less than our own limits. Of the two items' worth that an input may hold, the current
 * member may take one; members that wait for their label and targets of links share the other. */
static void apply_limit(tar_input *tar)
{
    size_t most = (size_t)tar->context->most_bytes;
    tar->sample.most_bytes = most ? least(most / 2, TRIB_MAX_FILE_BYTES) : TRIB_MAX_FILE_BYTES;
    tar->members.most_bytes = most ? least(most / 2, TRIB_MAX_REMEMBERED_BYTES) : TRIB_MAX_REMEMBERED_BYTES;
}

static trib_status tar_next(trib_input *input, trib_item *item, bool *end)
{
    tar_input *tar = (tar_input *)input;
    apply_limit(tar);
    while (!trib_sample_take(&tar->sample, item)) {
        *end = tar->finished && !tar->sample.count;
        if (*end) return trib_success();
        if (tar->finished)
            trib_sample_end(&tar->sample);
        else
            TRIB_TRY(step(tar));
    }
    return trib_success();
}

/* The file is opened anew: there may be more shards than a process may have open. */
static trib_status tar_load(const trib_input *input, const char *name, int64_t place, int64_t most_bytes,
                            trib_item *item)
{
    const tar_input *tar = (const tar_input *)input;
    trib_reader reader;
    TRIB_TRY(trib_reader_open(tar->path, -1, &reader));
    trib_status s = load_at(&reader, place, name, "the shard has changed", most_bytes, &item->bytes, &item->size);
    trib_reader_close(&reader);
    return trib_outcome(&s);
}

static void tar_close(trib_input *input)
{
    tar_input *tar = (tar_input *)input;
    stop(tar);
    trib_sample_free(&tar->sample);
    trib_members_free(&tar->members);
    trib_free(tar->path);
    trib_free(tar);
}

trib_status trib_tar_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                trib_input **out)
{
    static const trib_input_kind kind = { .next = tar_next, .load = tar_load, .close = tar_close };
    trib_status s = trib_success();
    tar_input *tar = NULL;
    if (!opened) { /* a missing shard must fail at once, not after hours of work */
        trib_reader found;
        TRIB_TRY(trib_reader_open(path, -1, &found));
        trib_reader_close(&found);
    }
    tar = trib_alloc_zeroed(1, sizeof *tar);
    char *copy = trib_strdup(path);
    if (!tar || !copy) {
        s = trib_no_memory(path);
        goto failed;
    }
    tar->base = (trib_input) { .kind = &kind, .root = strlen(path), .samples = true };
    tar->context = context;
    tar->sample.need_labels = context->need_labels;
    tar->path = copy;
    tar->opened = opened != NULL;
    if (opened) tar->reader = *opened;
    tar->reader.path = copy;
    *out = &tar->base;
    return s;
failed:
    if (opened) trib_reader_close(opened);
    trib_free(copy);
    trib_free(tar);
    return s;
}

#else

trib_status trib_tar_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                trib_input **out)
{
    (void)context, (void)out;
    if (opened) trib_reader_close(opened);
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "%s: this build has no libarchive, which tar shards need; unpack it into a folder",
                      trib_shorten(path).text);
}

#endif
