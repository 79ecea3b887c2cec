/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "formats/file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

enum { FIRST_STEP = 1 << 20, LARGEST_READ = 1 << 30, SKIP_STEP = 64 << 10 };

static trib_status check_kind(const char *path, mode_t mode)
{
    if (S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode)) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: is %s, not a file", trib_shorten(path).text,
                      S_ISDIR(mode) ? "a folder" : "a device");
}

/* The N of /dev/fd/N and the like, else -1. */
static int inherited_descriptor(const char *path)
{
    static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
    if (strcmp(path, "/dev/stdin") == 0) return STDIN_FILENO;
    for (int i = 0; i < 2; ++i) {
        size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) != 0 || !path[length]) continue;
        char *end = NULL;
        long number = strtol(path + length, &end, 10);
        if (!*end && number >= 0 && number < 1 << 20) return (int)number;
    }
    return -1;
}

/* Waits for a writer when it is a pipe. A socket has a name in /dev/fd but cannot be opened by it. */
static int open_to_read(const char *path)
{
    int fd;
    do fd = trib_fault("open") ? (errno = EIO, -1) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    int inherited = fd < 0 && errno == ENXIO ? inherited_descriptor(path) : -1;
    return inherited < 0 ? fd : fcntl(inherited, F_DUPFD_CLOEXEC, 0);
}

trib_status trib_reader_open(const char *path, trib_reader *out)
{
    struct stat info;
    trib_status s;
    /* Before opening, too: that alone would wait for ever on some devices. What is missing, open says. */
    if (stat(path, &info) == 0) TRIB_TRY(check_kind(path, info.st_mode));
    trib_reader reader = { .fd = open_to_read(path), .size = -1 };
    if (reader.fd < 0) return trib_file_error("open", path, errno);
    if (trib_fault("stat") ? (errno = EIO, -1) : fstat(reader.fd, &info)) {
        s = trib_file_error("read", path, errno);
        goto fail;
    }
    TRIB_TRY_GOTO(s, fail, check_kind(path, info.st_mode));
    if (S_ISREG(info.st_mode)) reader.size = (int64_t)info.st_size;
    if (reader.size == 0) {
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: the file is empty", trib_shorten(path).text);
        goto fail;
    }
    reader.path = trib_strdup(path);
    if (!reader.path) {
        s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(path).text);
        goto fail;
    }
    *out = reader;
    return s;
fail:
    close(reader.fd);
    return s;
}

void trib_reader_close(trib_reader *reader)
{
    if (reader->fd >= 0) close(reader->fd);
    trib_free(reader->path);
    *reader = (trib_reader) { .fd = -1 };
}

static trib_status shrank(const trib_reader *reader)
{
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "%s: the file shrank while it was read: of its %lld bytes, those from %lld on are gone; try again "
        "when nothing writes to it",
        trib_shorten(reader->path).text, (long long)reader->size, (long long)reader->at);
}

/* One read that waits for bytes, also where the other end of a descriptor from outside has made it non-blocking. */
static ssize_t read_some(const trib_reader *reader, void *buffer, size_t size)
{
    for (;;) {
        ssize_t n = trib_fault("read") ? (errno = EIO, -1) : read(reader->fd, buffer, size);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
        struct pollfd ready = { .fd = reader->fd, .events = POLLIN };
        if (errno == EAGAIN && poll(&ready, 1, -1) < 0 && errno != EINTR) return -1;
    }
}

trib_status trib_reader_read(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    size_t filled = 0;
    while (filled < size) {
        size_t part = size - filled < LARGEST_READ ? size - filled : LARGEST_READ;
        ssize_t n = read_some(reader, (char *)buffer + filled, part);
        if (n < 0) return trib_file_error("read", reader->path, errno);
        if (n == 0 && reader->at < reader->size) return shrank(reader);
        if (n == 0) break;
        filled += (size_t)n;
        reader->at += n;
    }
    *got = filled;
    return trib_success();
}

trib_status trib_reader_take(trib_reader *reader, size_t size, void **bytes, size_t *got)
{
    char *block = NULL;
    size_t filled = 0, part = 0, capacity = 0;
    bool known = reader->size >= 0;
    trib_status s = trib_success();
    if (known && (uint64_t)(reader->size - reader->at) < size) size = (size_t)(reader->size - reader->at);
    do {
        size_t next = known ? size : capacity ? 2 * capacity : FIRST_STEP;
        capacity = next < size ? next : size;
        char *larger = trib_realloc_array(block, capacity, 1);
        if (!larger) {
            s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for %zu bytes of it", trib_shorten(reader->path).text,
                           capacity);
            goto fail;
        }
        block = larger;
        TRIB_TRY_GOTO(s, fail, trib_reader_read(reader, block + filled, capacity - filled, &part));
        filled += part;
    } while (filled == capacity && filled < size);
    *bytes = block;
    *got = filled;
    return s;
fail:
    trib_free(block);
    return s;
}

trib_status trib_reader_skip_to(trib_reader *reader, int64_t at)
{
    char ignored[SKIP_STEP];
    if (reader->size >= 0 && at != reader->at) {
        if ((trib_fault("seek") ? (errno = EIO, -1) : lseek(reader->fd, (off_t)at, SEEK_SET)) < 0)
            return trib_file_error("read", reader->path, errno);
        reader->at = at;
    }
    while (reader->at < at) {
        size_t step = at - reader->at < SKIP_STEP ? (size_t)(at - reader->at) : SKIP_STEP, got = 0;
        TRIB_TRY(trib_reader_read(reader, ignored, step, &got));
        if (got < step)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: ends after %lld bytes; it is cut short",
                              trib_shorten(reader->path).text, (long long)reader->at);
    }
    return trib_success();
}
