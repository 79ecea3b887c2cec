/* SPDX-License-Identifier: Apache-2.0 */
#include "data/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

trib_short_name trib_shorten(const char *name)
{
    trib_short_name s;
    size_t length = strlen(name), room = sizeof s.text - 1;
    if (length <= room) {
        memcpy(s.text, name, length + 1);
        return s;
    }
    const char *tail = name + length - (room - 3);
    while (((unsigned char)*tail & 0xC0) == 0x80) ++tail; /* do not cut a UTF-8 sequence */
    memcpy(s.text, "...", 3);
    memcpy(s.text + 3, tail, strlen(tail) + 1);
    return s;
}

trib_status trib_with_name(trib_status s, const char *name)
{
    trib_add_context(&s, "%s", trib_shorten(name).text);
    return s;
}

trib_status trib_file_error(const char *call, const char *operation, const char *path, int error, const char *file,
                            int line)
{
    char reason[128] = "unknown reason";
    strerror_r(error, reason, sizeof reason);
    trib_code code = error == ENOENT || error == ENOTDIR ? TRIB_NOT_FOUND
                     : error == ENOMEM                   ? TRIB_OUT_OF_MEMORY
                                                         : TRIB_IO_ERROR;
    return trib_make_error(code, error, file, line, call, "%s: cannot %s: %s", trib_shorten(path).text, operation,
                           reason);
}

const char *trib_kind_of_file(unsigned mode)
{
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

int trib_above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), error = errno;
    close(fd);
    errno = error;
    return higher;
}

int trib_descriptor_of(const char *path)
{
    int fd = -1, length = 0;
    if (strcmp(path, "/dev/stdin") == 0) return STDIN_FILENO;
    if (sscanf(path, "/dev/fd/%9d%n", &fd, &length) != 1 && sscanf(path, "/proc/self/fd/%9d%n", &fd, &length) != 1)
        return -1;
    return path[length] == '\0' ? fd : -1;
}

trib_status trib_check_readable(int fd, const char *name)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_WRONLY) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, flags < 0 ? errno : EBADF, "fcntl",
                             "%s: is closed, or not open for reading; connect it to a file or a pipe",
                             trib_shorten(name).text);
}

/* A socket, or another user's pipe, cannot be opened by name; one that is already open can be read. */
static int open_descriptor(const char *path)
{
    int error = errno, number = trib_descriptor_of(path);
    if (number < 0 || (error != ENXIO && error != EACCES)) return -1;
    return fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

trib_status trib_open_file(const char *path, int *fd)
{
    int opened;
    do opened = trib_fault("open") ? (errno = EIO, -1) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (opened < 0 && errno == EINTR); /* on a network's file system */
    if (opened < 0) opened = open_descriptor(path);
    opened = trib_above_standard(opened);
    if (opened < 0) return TRIB_FILE_ERROR("open", "open", path, errno);
    *fd = opened;
    return trib_success();
}

trib_status trib_open_regular(const char *path, int *fd, int64_t *size)
{
    int opened = -1;
    TRIB_TRY(trib_open_file(path, &opened));
    struct stat info;
    trib_status s = trib_success();
    if (trib_fault("stat") ? (errno = EIO, -1) : fstat(opened, &info))
        s = TRIB_FILE_ERROR("fstat", "read", path, errno);
    else if (!S_ISREG(info.st_mode))
        s = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: is %s, not a file%s", trib_shorten(path).text,
                       trib_kind_of_file(info.st_mode),
                       S_ISFIFO(info.st_mode) ? "; pipes are read only as inputs, not from lists or folders" : "");
    if (trib_failed(&s)) {
        close(opened);
        return s;
    }
    *fd = opened;
    *size = (int64_t)info.st_size;
    return trib_success();
}

trib_status trib_read_full(int fd, const char *path, void *buffer, size_t size, size_t *got)
{
    size_t filled = 0;
    while (filled < size) {
        ssize_t n = trib_fault("read") ? (errno = EIO, -1) : read(fd, (char *)buffer + filled, size - filled);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return TRIB_FILE_ERROR("read", "read", path, errno);
        if (n == 0) break;
        filled += (size_t)n;
    }
    *got = filled;
    return trib_success();
}

trib_status trib_open_image(const char *path, int *fd, int64_t *size)
{
    TRIB_TRY(trib_open_regular(path, fd, size));
    if (*size >= 1 && *size <= TRIB_MAX_FILE_BYTES) return trib_success();
    close(*fd);
    if (*size < 1) return TRIB_ERROR(TRIB_BAD_DATA, "%s: the file is empty", trib_shorten(path).text);
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: %lld bytes are too many for an image file (at most %d)",
                      trib_shorten(path).text, (long long)*size, TRIB_MAX_FILE_BYTES);
}

trib_status trib_read_image(int fd, const char *path, int64_t wanted, uint8_t **bytes, size_t *size)
{
    size_t got = 0;
    uint8_t *buffer = trib_alloc((size_t)wanted);
    if (!buffer)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for its %lld bytes", trib_shorten(path).text,
                          (long long)wanted);
    trib_status s = trib_read_full(fd, path, buffer, (size_t)wanted, &got);
    if (trib_failed(&s)) {
        trib_free(buffer);
        return s;
    }
    *bytes = buffer;
    *size = got;
    return trib_outcome(&s);
}

trib_status trib_read_whole(const char *path, uint8_t **bytes, size_t *size)
{
    int fd = -1;
    int64_t wanted = 0;
    TRIB_TRY(trib_open_image(path, &fd, &wanted));
    trib_status s = trib_read_image(fd, path, wanted, bytes, size);
    close(fd);
    return s;
}

const char *trib_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool trib_ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcasecmp(name + n - m, suffix) == 0;
}

bool trib_has_image_extension(const char *name)
{
    static const char *const extensions[] = { ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp" };
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; ++i) {
        if (trib_ends_with(name, extensions[i])) return true;
    }
    return false;
}
