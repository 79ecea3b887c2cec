/* SPDX-License-Identifier: Apache-2.0 */
#include "data/reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "tributary/internal/fault.h"

trib_status trib_reader_open(const char *path, int wake_fd, trib_reader *out)
{
    int fd = -1;
    TRIB_TRY(trib_open_file(path, &fd));
    struct stat info;
    trib_status s = trib_success();
    if (trib_fault("stat") ? (errno = EIO, -1) : fstat(fd, &info))
        s = TRIB_FILE_ERROR("fstat", "read", path, errno);
    else if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode) && !S_ISSOCK(info.st_mode))
        s = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: is %s, not a file", trib_shorten(path).text,
                       trib_kind_of_file(info.st_mode));
    if (trib_failed(&s)) {
        close(fd);
        return s;
    }
    *out = (trib_reader) { .path = path, .fd = fd, .wake_fd = wake_fd };
    out->size = S_ISREG(info.st_mode) ? (int64_t)info.st_size : -1;
    return trib_outcome(&s);
}

/* Waits for data or the end of the writer. A pipe that was never opened for writing has neither. */
static trib_status wait_for_bytes(const trib_reader *reader)
{
    struct pollfd fds[2] = { { .fd = reader->fd, .events = POLLIN }, { .fd = reader->wake_fd, .events = POLLIN } };
    int ready;
    do ready = trib_fault("poll") ? (errno = EIO, -1) : poll(fds, 2, -1);
    while (ready < 0 && errno == EINTR);
    if (ready < 0) return TRIB_FILE_ERROR("poll", "wait for", reader->path, errno);
    if (!fds[1].revents) return trib_success();
    return TRIB_ERROR(TRIB_CANCELLED, "%s: reading was cancelled", trib_shorten(reader->path).text);
}

static trib_status read_file(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    ssize_t n;
    do {
        if (reader->size < 0) TRIB_TRY(wait_for_bytes(reader));
        n = trib_fault("read") ? (errno = EIO, -1)
            : reader->size < 0 ? read(reader->fd, buffer, size)
                               : pread(reader->fd, buffer, size, (off_t)reader->offset);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    if (n < 0) return TRIB_FILE_ERROR(reader->size < 0 ? "read" : "pread", "read", reader->path, errno);
    *got = (size_t)n;
    reader->offset += n;
    return trib_success();
}

trib_status trib_reader_peek(trib_reader *reader)
{
    for (size_t got = 1; got && reader->peeked < sizeof reader->head; reader->peeked += got)
        TRIB_TRY(read_file(reader, reader->head + reader->peeked, sizeof reader->head - reader->peeked, &got));
    return trib_success();
}

trib_status trib_reader_read_some(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    size_t there = reader->peeked - reader->given;
    *got = there < size ? there : size;
    if (there) {
        memcpy(buffer, reader->head + reader->given, *got);
        reader->given += *got;
    } else {
        TRIB_TRY(read_file(reader, buffer, size, got));
    }
    return trib_success();
}

trib_status trib_reader_read(trib_reader *reader, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    for (size_t n = 1; n && *got < size; *got += n)
        TRIB_TRY(trib_reader_read_some(reader, (char *)buffer + *got, size - *got, &n));
    return trib_success();
}

int64_t trib_reader_skip(trib_reader *reader, int64_t bytes)
{
    if (reader->size < 0 || reader->given < reader->peeked) return 0;
    int64_t left = reader->size - reader->offset, step = bytes < left ? bytes : left;
    if (step <= 0) return 0;
    reader->offset += step;
    return step;
}

void trib_reader_close(trib_reader *reader)
{
    if (reader->fd >= 0) close(reader->fd);
    reader->fd = -1;
}
