/* SPDX-License-Identifier: Apache-2.0
 * The file of a choice cache. Reading trusts nothing; writing never leaves half a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "choices/choice_entries.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

static const char any_version[] = "tributary choice cache ", header[] = "tributary choice cache 1";
enum { MOST_BYTES = 1 << 30 };

static trib_status io_error(const char *call, const char *path, const char *what, int number, int line)
{
    return trib_make_error(TRIB_IO_ERROR, number, __FILE__, line, call, "choice cache %s: cannot %s: %s", path, what,
                           strerror(number));
}

#define IO_ERROR(call, path, what, number) io_error(call, path, what, number, __LINE__)

/* FNV-1a, with a step between the parts so that no byte can move from one to the next. */
static uint64_t add_to_hash(uint64_t hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i <= count; ++i) {
        hash ^= i < count ? ((const unsigned char *)bytes)[i] : 0xff;
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t check_of(const trib_choice_entry *entry)
{
    const trib_choice *choice = &entry->choice;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = add_to_hash(hash, entry->key, strlen(entry->key));
    hash = add_to_hash(hash, choice->name, strlen(choice->name));
    hash = add_to_hash(hash, &choice->nanoseconds, sizeof choice->nanoseconds);
    return add_to_hash(hash, choice->json, choice->json ? choice->json_bytes : 0);
}

/* ---- reading ---- */

/* The rest of a file in memory. */
typedef struct reader {
    const char *at, *end;
} reader;

/* The next line after "name: ", into `out`; false when it is another line or does not fit. */
static bool read_line(reader *r, const char *name, char *out, size_t size)
{
    const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    size_t prefix = strlen(name);
    if (!newline) return false;
    size_t length = (size_t)(newline - r->at);
    if (length < prefix || memcmp(r->at, name, prefix) || length - prefix >= size) return false;
    memcpy(out, r->at + prefix, length - prefix);
    out[length - prefix] = 0;
    r->at = newline + 1;
    return strlen(out) == length - prefix;
}

static bool read_number(reader *r, const char *name, int base, uint64_t most, uint64_t *out)
{
    char text[32], *end;
    if (!read_line(r, name, text, sizeof text) || strspn(text, "0123456789abcdef") != strlen(text) || !*text)
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    *out = value;
    return !errno && !*end && value <= most;
}

/* The entry's JSON stays in the file's memory. */
static bool read_entry(reader *r, trib_choice_entry *entry)
{
    uint64_t nanoseconds, bytes, check;
    memset(entry, 0, sizeof *entry);
    if (!read_line(r, "key: ", entry->key, sizeof entry->key) ||
        !read_line(r, "plan: ", entry->choice.name, sizeof entry->choice.name) ||
        !read_number(r, "nanoseconds: ", 10, INT64_MAX, &nanoseconds) ||
        !read_number(r, "json: ", 10, MOST_BYTES, &bytes))
        return false;
    if (bytes && bytes >= (uint64_t)(r->end - r->at)) return false;
    entry->choice.nanoseconds = (int64_t)nanoseconds;
    entry->choice.json = bytes ? (char *)r->at : NULL;
    entry->choice.json_bytes = bytes;
    r->at += bytes;
    if (bytes && *r->at++ != '\n') return false;
    return read_number(r, "check: ", 16, UINT64_MAX, &check) && check == check_of(entry);
}

static trib_status parse(const char *path, reader *r, const char *library, const char *device,
                         trib_choice_entries *entries)
{
    char text[256];
    trib_choice_entry entry;
    if (!read_line(r, header, text, sizeof text) || *text)
        return TRIB_ERROR(TRIB_BAD_DATA, "choice cache %s: not such a file, or of another version of Tributary", path);
    if (!read_line(r, "library: ", text, sizeof text) || strcmp(text, library))
        return TRIB_ERROR(TRIB_BAD_DATA, "choice cache %s: made with other libraries than %.120s", path, library);
    if (!read_line(r, "device: ", text, sizeof text) || strcmp(text, device))
        return TRIB_ERROR(TRIB_BAD_DATA, "choice cache %s: made on another card than %.120s", path, device);
    while (r->at < r->end) {
        if (!read_entry(r, &entry))
            return TRIB_ERROR(TRIB_BAD_DATA, "choice cache %s: damaged at entry %zu", path, entries->count);
        TRIB_TRY(trib_choice_entries_put(entries, entry.key, &entry.choice));
    }
    return trib_success();
}

/* NULL and errno on failure. Does not wait for the writer of a pipe: anything but a file gives no bytes, or an error.
 */
static FILE *open_to_read(const char *path)
{
    int fd = trib_fault("open") ? (errno = EIO, -1) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (fd >= 0 && !file) close(fd);
    return file;
}

/* The whole file into memory. */
static trib_status slurp(const char *path, char **out, size_t *bytes)
{
    FILE *file = open_to_read(path);
    char *text = NULL;
    size_t count = 0, capacity = 0;
    if (!file && errno == ENOENT) return TRIB_ERROR(TRIB_NOT_FOUND, "choice cache %s: no such file", path);
    if (!file) return IO_ERROR("open", path, "open", errno);
    trib_status status = trib_success();
    for (;;) {
        if (count >= MOST_BYTES || trib_grow((void **)&text, &capacity, count + 65536, 1)) {
            status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "choice cache %s: out of host memory", path);
            break;
        }
        if (trib_fault("read")) {
            status = IO_ERROR("fread", path, "read", EIO);
            break;
        }
        size_t got = fread(text + count, 1, 65536, file);
        count += got;
        if (got == 65536) continue;
        if (ferror(file)) status = IO_ERROR("fread", path, "read", errno);
        break;
    }
    fclose(file);
    *out = text;
    *bytes = count;
    return status;
}

trib_status trib_choice_file_read(const char *path, const char *library, const char *device,
                                  trib_choice_entries *entries)
{
    char *text = NULL;
    size_t bytes = 0;
    trib_status status = slurp(path, &text, &bytes);
    if (!trib_failed(&status)) {
        reader r = { text, text + bytes };
        status = parse(path, &r, library, device, entries);
    }
    trib_free(text);
    return status;
}

/* ---- writing ---- */

static bool write_entry(FILE *file, const trib_choice_entry *entry)
{
    const trib_choice *choice = &entry->choice;
    size_t bytes = choice->json ? choice->json_bytes : 0;
    if (trib_fault("write")) return errno = ENOSPC, false;
    if (fprintf(file, "key: %s\nplan: %s\nnanoseconds: %" PRId64 "\njson: %zu\n", entry->key, choice->name,
                choice->nanoseconds, bytes) < 0)
        return false;
    if (bytes && (fwrite(choice->json, 1, bytes, file) != bytes || fputc('\n', file) == EOF)) return false;
    return fprintf(file, "check: %016" PRIx64 "\n", check_of(entry)) > 0;
}

static bool write_all(FILE *file, const char *library, const char *device, const trib_choice_entries *entries)
{
    if (fprintf(file, "%s\nlibrary: %s\ndevice: %s\n", header, library, device) < 0) return false;
    for (size_t i = 0; i < entries->count; ++i)
        if (!write_entry(file, &entries->list[i])) return false;
    if (trib_fault("sync")) return errno = EIO, false;
    return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

/* Only a cache, of any version, may be replaced, never another file. */
static trib_status check_replaceable(const char *path)
{
    char begin[sizeof any_version] = "";
    FILE *file = open_to_read(path);
    if (!file) return errno == ENOENT ? trib_success() : IO_ERROR("open", path, "open", errno);
    errno = 0;
    size_t got = trib_fault("read") ? (errno = EIO, 0) : fread(begin, 1, sizeof any_version - 1, file);
    int error = errno; /* an unreadable file may contain something */
    fclose(file);
    if (!got && error) return IO_ERROR("fread", path, "read", error);
    if (!got || strcmp(begin, any_version) == 0) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "choice cache %s: holds something else, and is kept; name another file",
                      path);
}

static char *name_beside(const char *path)
{
    const size_t size = strlen(path) + 32;
    char *beside = trib_alloc(size);
    if (beside) snprintf(beside, size, "%s.%ld.part", path, (long)getpid());
    return beside;
}

trib_status trib_choice_file_check(const char *path)
{
    TRIB_TRY(check_replaceable(path));
    char *beside = name_beside(path);
    if (!beside) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "choice cache %s: out of host memory", path);
    FILE *file = fopen(beside, "wb");
    trib_status status = file ? trib_success() : IO_ERROR("fopen", beside, "create", errno);
    if (file) fclose(file), remove(beside);
    trib_free(beside);
    return status;
}

trib_status trib_choice_file_write(const char *path, const char *library, const char *device,
                                   const trib_choice_entries *entries)
{
    TRIB_TRY(check_replaceable(path));
    char *beside = name_beside(path);
    if (!beside) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "choice cache %s: out of host memory", path);
    trib_status status = trib_success();
    FILE *file = trib_fault("open") ? (errno = EACCES, NULL) : fopen(beside, "wb");
    if (!file) {
        status = IO_ERROR("fopen", beside, "create", errno);
        goto done;
    }
    if (!write_all(file, library, device, entries)) status = IO_ERROR("fwrite", beside, "write", errno);
    if (fclose(file) && !trib_failed(&status)) status = IO_ERROR("fclose", beside, "close", errno);
    if (!trib_failed(&status) && (trib_fault("rename") ? (errno = EXDEV, -1) : rename(beside, path)))
        status = IO_ERROR("rename", path, "replace", errno);
    if (trib_failed(&status)) remove(beside);
done:
    trib_free(beside);
    return status;
}
