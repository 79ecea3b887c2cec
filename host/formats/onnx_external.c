/* SPDX-License-Identifier: Apache-2.0
 * Tensors in a file beside the model. The model names that file, and a model may come from anybody: the name must stay
 * below the model's folder, and no step of it may be a link to somewhere else. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "formats/onnx.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

static trib_status refuse(const trib_pb *location, const char *why)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "external data in '%.100s': %s", trib_pb_show(location).text, why);
}

static trib_status system_error(const char *call, const trib_pb *location, int error)
{
    if (error == ELOOP) return refuse(location, "a link is in the way; put the file itself beside the model");
    if (error == ENOTDIR) return refuse(location, "a part of its path is a link or a file where a folder is needed");
    return trib_file_error(call, "read external data", trib_pb_show(location).text, error, __FILE__, __LINE__);
}

/* Whether a part between slashes is empty, '.' or '..'. */
static bool has_odd_part(const trib_pb *location)
{
    for (const unsigned char *at = location->at, *next; at <= location->end; at = next + 1) {
        for (next = at; next < location->end && *next != '/';) ++next;
        const size_t length = (size_t)(next - at);
        if (!length || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.')) return true;
    }
    return false;
}

trib_status trib_onnx_check_location(const trib_pb *location)
{
    const char *why = NULL;
    if (!trib_pb_size(location))
        why = "the file has no name";
    else if (!trib_pb_is_name(location))
        why = "the file's name has control characters, or is not UTF-8";
    else if (location->at[0] == '/' || memchr(location->at, '\\', trib_pb_size(location)))
        why = "the file's name is not one relative to the model's folder";
    else if (has_odd_part(location))
        why = "the file's name has an empty part, '.' or '..'";
    return why ? TRIB_ERROR(TRIB_BAD_DATA, "%s", why) : trib_success();
}

static int open_at(int folder, const char *name, int flags)
{
    int fd;
    do
        fd = trib_fault("openat")
                 ? (errno = EIO, -1)
                 : openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags);
    while (fd < 0 && errno == EINTR);
    return trib_above_standard(fd);
}

/* Opens `path` step by step; closes *fd, a folder, and replaces it. */
static trib_status walk(const trib_pb *location, char *path, int *fd)
{
    for (char *step = path; step;) {
        char *slash = strchr(step, '/');
        if (slash) *slash = '\0';
        const int next = open_at(*fd, step, slash ? O_DIRECTORY : 0);
        if (next < 0) return system_error("openat", location, errno);
        close(*fd);
        *fd = next;
        step = slash ? slash + 1 : NULL;
    }
    return trib_success();
}

static trib_status check_file(const trib_onnx_tensor *t, int fd)
{
    struct stat info;
    if (trib_fault("stat") ? (errno = EIO, -1) : fstat(fd, &info)) return system_error("fstat", &t->location, errno);
    if (!S_ISREG(info.st_mode)) return refuse(&t->location, "it is not a regular file");
    if (info.st_nlink != 1)
        return refuse(&t->location, "the file has a second name (a hard link), so it may be another's; copy it");
    if (t->offset > (uint64_t)info.st_size || t->byte_count > (uint64_t)info.st_size - t->offset)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "external data in '%.100s': %" PRIu64 " bytes from byte %" PRIu64
                          " on are not in its %" PRId64,
                          trib_pb_show(&t->location).text, t->byte_count, t->offset, (int64_t)info.st_size);
    return trib_success();
}

static trib_status read_part(const trib_onnx_tensor *t, int fd, char *buffer)
{
    for (uint64_t done = 0; done < t->byte_count;) {
        const uint64_t left = t->byte_count - done, part = left < (1u << 30) ? left : 1u << 30;
        const ssize_t n =
            trib_fault("read") ? (errno = EIO, -1) : pread(fd, buffer + done, (size_t)part, (off_t)(t->offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("pread", &t->location, errno);
        if (n == 0) return refuse(&t->location, "the file shrank while it was read");
        done += (uint64_t)n;
    }
    return trib_success();
}

trib_status trib_onnx_read_external(const trib_onnx_tensor *t, const char *folder, void *buffer)
{
    trib_status s = trib_onnx_check_location(&t->location);
    trib_add_context(&s, "external data in '%.100s'", trib_pb_show(&t->location).text);
    char *path = NULL;
    int fd = -1;
    if (trib_failed(&s)) goto done;
    path = trib_pb_copy(&t->location);
    if (!path) s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of external data");
    if (!trib_failed(&s)) s = trib_open_file(folder, &fd);
    if (!trib_failed(&s)) s = walk(&t->location, path, &fd);
    if (!trib_failed(&s)) s = check_file(t, fd);
    if (!trib_failed(&s)) s = read_part(t, fd, buffer);
done:
    if (fd >= 0) close(fd);
    trib_free(path);
    trib_add_context(&s, "initialiser %.100s", trib_pb_show(&t->name).text);
    return s;
}
