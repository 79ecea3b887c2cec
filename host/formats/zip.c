/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/text.h"
#include "tributary/internal/alloc.h"

/* Sizes of records without what varies; all numbers are little-endian. */
enum { LOCAL = 30, ENTRY = 46, END = 22, LOCATOR = 20, END64 = 56, MAX_COMMENT = 65535 };
enum { MAX_DIRECTORY = 64 << 20 };

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

static uint64_t number(const unsigned char *p, int bytes)
{
    uint64_t n = 0;
    for (int i = 0; i < bytes; ++i) n |= (uint64_t)p[i] << (8 * i);
    return n;
}

static bool is_record(const unsigned char *p, const char *kind)
{
    return !memcmp(p, "PK", 2) && !memcmp(p + 2, kind, 2);
}

/* ---- the end of the file ---- */

/* Where the directory is. */
typedef struct place {
    uint64_t at, size, count;
    uint64_t end; /* of the directory: where the record begins that says all this */
} place;

static trib_status cut_short(const trib_blob *blob)
{
    return BAD("the zip archive has no directory at its end: of the file, only %" PRId64
               " bytes are here, or something follows them; download or copy it again",
               trib_blob_size(blob));
}

/* Takes what the 32-bit record cannot hold from the 64-bit one; what both have must be equal. */
static bool widen(uint64_t *value, int bytes, uint64_t wide)
{
    if (*value == (bytes == 2 ? 0xFFFF : 0xFFFFFFFF)) *value = wide;
    return *value == wide;
}

/* `tail` is the last bytes of the file, with the end record at `end`. */
static trib_status read_wide(trib_blob *blob, const unsigned char *tail, size_t end, place *p)
{
    unsigned char wide[END64];
    if (end < LOCATOR || !is_record(tail + end - LOCATOR, "\6\7")) return trib_success();
    const uint64_t at = number(tail + end - LOCATOR + 8, 8);
    if (p->end < LOCATOR + END64 || at > p->end - LOCATOR - END64)
        return BAD("the zip archive's 64-bit directory is outside of the file");
    TRIB_TRY(trib_blob_read_at(blob, (int64_t)at, wide, sizeof wide));
    if (!is_record(wide, "\6\6")) return BAD("the zip archive's 64-bit directory is not where the archive says");
    if (!widen(&p->count, 2, number(wide + 32, 8)) || !widen(&p->size, 4, number(wide + 40, 8)) ||
        !widen(&p->at, 4, number(wide + 48, 8)))
        return BAD("the zip archive has two directories that differ");
    p->end = at;
    return trib_success();
}

static trib_status read_end(trib_blob *blob, const unsigned char *tail, size_t size, place *out)
{
    size_t end = size < END ? 0 : size - END + 1;
    while (end-- > 0)
        if (is_record(tail + end, "\5\6") && end + END + number(tail + end + 20, 2) == size) break;
    if (end > size) return cut_short(blob);
    const unsigned char *p = tail + end;
    out->count = number(p + 10, 2);
    out->size = number(p + 12, 4);
    out->at = number(p + 16, 4);
    out->end = (uint64_t)trib_blob_size(blob) - size + end;
    if (number(p + 4, 4)) return TRIB_ERROR(TRIB_UNSUPPORTED, "the zip archive is a part of one that was split");
    TRIB_TRY(read_wide(blob, tail, end, out));
    if (out->at > out->end || out->size != out->end - out->at)
        return BAD("the zip archive's directory is not where the archive says: it should end at byte %" PRIu64
                   "; the file is damaged",
                   out->end);
    if (out->size > MAX_DIRECTORY || out->count > out->size / ENTRY)
        return BAD("a zip directory of %" PRIu64 " bytes does not have %" PRIu64 " members, or is too large", out->size,
                   out->count);
    return trib_success();
}

static trib_status find_directory(trib_blob *blob, place *out)
{
    const int64_t all = trib_blob_size(blob);
    const size_t size = all < LOCATOR + END + MAX_COMMENT ? (size_t)all : LOCATOR + END + MAX_COMMENT;
    unsigned char *tail = trib_alloc(size);
    if (!tail) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the end of a zip archive");
    trib_status s = trib_blob_read_at(blob, all - (int64_t)size, tail, size);
    if (!trib_failed(&s)) s = read_end(blob, tail, size, out);
    trib_free(tail);
    return s;
}

/* ---- the directory ---- */

/* A name that a reader could take for another one, or for a place outside of the archive. */
static bool is_strange(const char *name, size_t length)
{
    if (!length || name[0] == '/') return true;
    for (size_t i = 0; i < length; i += (size_t)trib_utf8_length(name + i))
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7F || name[i] == '\\' || !trib_utf8_length(name + i))
            return true;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2])) return true;
    }
    return false;
}

/* Values over 32 bits: one field has those that need it, in this order. */
static trib_status read_wide_values(const unsigned char *p, size_t size, trib_zip_member *m)
{
    int64_t *const values[] = { &m->size, &m->packed, &m->header };
    const unsigned char *field = NULL, *end = p + size;
    size_t left = 0;
    for (; end - p >= 4 && !field; p += 4 + number(p + 2, 2)) {
        if (number(p + 2, 2) > (uint64_t)(end - p - 4)) return BAD("its extra fields end early");
        if (number(p, 2) != 1) continue;
        field = p + 4;
        left = (size_t)number(p + 2, 2);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; ++i) {
        if (*values[i] != 0xFFFFFFFF || !field) continue;
        if (left < 8 || number(field, 8) > INT64_MAX) return BAD("its 64-bit sizes are missing or too large");
        *values[i] = (int64_t)number(field, 8);
        field += 8;
        left -= 8;
    }
    return trib_success();
}

/* *at moves to the next entry, whose first bytes then take the place of the zero that ends the name; the caller ends
 * names when all are read. */
static trib_status read_entry(const unsigned char *directory, size_t size, size_t *at, trib_zip_member *m)
{
    const unsigned char *p = directory + *at;
    if (size - *at < ENTRY || !is_record(p, "\1\2")) return BAD("the zip archive's directory is damaged");
    const size_t name = (size_t)number(p + 28, 2), extra = (size_t)number(p + 30, 2),
                 comment = (size_t)number(p + 32, 2);
    if (size - *at - ENTRY < name + extra + comment) return BAD("the zip archive's directory ends inside a member");
    *m = (trib_zip_member) { .name = (const char *)p + ENTRY,
                             .name_length = (uint32_t)name,
                             .flags = (uint16_t)number(p + 8, 2),
                             .method = (uint16_t)number(p + 10, 2),
                             .packed = (int64_t)number(p + 20, 4),
                             .size = (int64_t)number(p + 24, 4),
                             .header = (int64_t)number(p + 42, 4) };
    *at += ENTRY + name + extra + comment;
    return read_wide_values(p + ENTRY + name, extra, m);
}

static trib_status read_entries(trib_zip *zip, size_t size)
{
    unsigned char *directory = (unsigned char *)zip->directory;
    size_t at = 0;
    for (int i = 0; i < zip->count; ++i) TRIB_TRY(read_entry(directory, size, &at, &zip->members[i]));
    if (at != size) return BAD("the zip archive's directory has more members than it says");
    for (int i = 0; i < zip->count; ++i) {
        trib_zip_member *m = &zip->members[i];
        zip->directory[m->name + m->name_length - zip->directory] = '\0'; /* all other fields have been read */
        if (is_strange(m->name, m->name_length))
            return BAD(
                "the zip archive has a member whose name is empty, absolute or not UTF-8, or has '..', a backslash "
                "or control characters; torch.save writes only names like archive/data.pkl");
    }
    return trib_success();
}

static int by_header(const void *a, const void *b)
{
    const trib_zip_member *x = a, *y = b;
    return (x->header > y->header) - (x->header < y->header);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const trib_zip_member *)a)->name, ((const trib_zip_member *)b)->name);
}

static bool reaches(const trib_zip_member *m, int64_t end)
{
    return m->header > end || m->packed > end - m->header || m->header > end - LOCAL - m->packed;
}

static trib_status misplaced(const trib_zip_member *m, const char *how)
{
    return BAD("zip member '%.100s' (%" PRId64 " bytes at %" PRId64 ") %s", m->name, m->packed, m->header, how);
}

/* Members lie one behind the other, before the directory. */
static trib_status check_places(const trib_zip *zip, int64_t directory)
{
    if (zip->count) qsort(zip->members, (size_t)zip->count, sizeof *zip->members, by_header);
    for (int i = 0; i < zip->count; ++i)
        if (reaches(&zip->members[i], directory)) return misplaced(&zip->members[i], "is not inside the file");
    for (int i = 0; i < zip->count; ++i) {
        trib_zip_member *m = &zip->members[i];
        m->end = i + 1 < zip->count ? zip->members[i + 1].header : directory;
        if (reaches(m, m->end)) return misplaced(m, "overlaps another member");
    }
    return trib_success();
}

static trib_status check_names(const trib_zip *zip)
{
    if (zip->count) qsort(zip->members, (size_t)zip->count, sizeof *zip->members, by_name);
    for (int i = 1; i < zip->count; ++i)
        if (!by_name(&zip->members[i - 1], &zip->members[i]))
            return BAD("zip member '%.100s' is there twice", zip->members[i].name);
    return trib_success();
}

trib_status trib_zip_read_directory(trib_blob *blob, trib_zip *out)
{
    place p = { 0 };
    TRIB_TRY(find_directory(blob, &p));
    out->count = (int)p.count;
    out->members = trib_alloc_zeroed((size_t)p.count, sizeof *out->members);
    out->directory = trib_alloc((size_t)p.size + 1);
    if (!out->members || !out->directory)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a zip directory of %" PRIu64 " bytes", p.size);
    TRIB_TRY(trib_blob_read_at(blob, (int64_t)p.at, out->directory, (size_t)p.size));
    out->directory[p.size] = '\0';
    TRIB_TRY(read_entries(out, (size_t)p.size));
    TRIB_TRY(check_places(out, (int64_t)p.at));
    return check_names(out);
}

void trib_zip_free(trib_zip *zip)
{
    trib_free(zip->members);
    trib_free(zip->directory);
    *zip = (trib_zip) { 0 };
}

static int compare_name(const void *name, const void *member)
{
    return strcmp(name, ((const trib_zip_member *)member)->name);
}

const trib_zip_member *trib_zip_find(const trib_zip *zip, const char *name)
{
    return zip->count ? bsearch(name, zip->members, (size_t)zip->count, sizeof *zip->members, compare_name) : NULL;
}
