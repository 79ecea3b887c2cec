/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "formats/file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

struct trib_output {
    char *path;      /* as the caller wrote it, for messages */
    char *target;    /* links resolved */
    char *temporary; /* "FOLDER/.tributary-PID-N.tmp"; the file exists once fd >= 0 */
    int fd;
};

enum { TEMPORARY_NAME_SIZE = 64, TEMPORARY_ATTEMPTS = 100, LARGEST_WRITE = 1 << 30 };

static int flush(int fd)
{
    int result;
    while ((result = fsync(fd)) != 0 && errno == EINTR) continue;
    return result;
}

static int open_again(const char *path, int flags)
{
    int fd;
    while ((fd = open(path, flags, (mode_t)0666)) < 0 && errno == EINTR) continue;
    return fd;
}

/* Length of `path` including the last slash. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A rename would replace a link, or a device such as /dev/null, instead of its target. */
static trib_status resolve(const char *path, char **target)
{
    struct stat info;
    *target = NULL;
    if (trib_fault("stat") ? (errno = EIO, -1) : stat(path, &info)) {
        if (errno != ENOENT) return TRIB_FILE_ERROR("stat", "look at it", path, errno);
        *target = trib_strdup(path);
    } else {
        if (!S_ISREG(info.st_mode))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: exists and is not a regular file; give another name",
                              trib_shorten(path).text);
        errno = 0;
        *target = trib_fault("realpath") ? (errno = EIO, NULL) : realpath(path, NULL);
        if (!*target && errno != ENOMEM) return TRIB_FILE_ERROR("realpath", "resolve", path, errno);
    }
    return *target ? trib_success()
                   : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for its name", trib_shorten(path).text);
}

/* mkstemp is not used because it creates files that only the owner can read. */
static trib_status create_temporary(trib_output *output)
{
    size_t folder = folder_length(output->target);
    output->temporary = trib_alloc(folder + TEMPORARY_NAME_SIZE);
    if (!output->temporary)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(output->path).text);
    memcpy(output->temporary, output->target, folder);
    for (int n = 0; n < TEMPORARY_ATTEMPTS; ++n) {
        snprintf(output->temporary + folder, TEMPORARY_NAME_SIZE, ".tributary-%ld-%d.tmp", (long)getpid(), n);
        output->fd = trib_fault("open") ? (errno = EACCES, -1)
                                        : open_again(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
        if (output->fd >= 0) return trib_success();
        if (errno != EEXIST) break;
    }
    return TRIB_FILE_ERROR("open", "create a file in its folder", output->path, errno);
}

trib_status trib_output_open(const char *path, trib_output **out)
{
    trib_status s;
    trib_output *output = trib_alloc_zeroed(1, sizeof *output);
    if (!output) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(path).text);
    output->fd = -1;
    output->path = trib_strdup(path);
    if (!output->path) {
        s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(path).text);
        goto fail;
    }
    TRIB_TRY_GOTO(s, fail, resolve(path, &output->target));
    TRIB_TRY_GOTO(s, fail, create_temporary(output));
    *out = output;
    return s;
fail:
    trib_output_abandon(output);
    return s;
}

trib_status trib_output_write(trib_output *output, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size) {
        size_t part = size < LARGEST_WRITE ? size : LARGEST_WRITE;
        ssize_t written = trib_fault("write") ? (errno = ENOSPC, -1) : write(output->fd, p, part);
        if (written < 0 && errno == EINTR) continue;
        if (written == 0) errno = ENOSPC;
        if (written <= 0) return TRIB_FILE_ERROR("write", "write", output->path, errno);
        p += written;
        size -= (size_t)written;
    }
    return trib_success();
}

static trib_status finish(trib_output *output)
{
    if (trib_fault("fsync") ? (errno = EIO, -1) : flush(output->fd))
        return TRIB_FILE_ERROR("fsync", "bring to the disk", output->path, errno);
    int fd = output->fd;
    output->fd = -1;
    bool fault = trib_fault("close");
    if ((close(fd) != 0 && errno != EINTR) || fault) { /* interrupted, it is closed all the same */
        int number = fault ? EIO : errno;
        unlink(output->temporary);
        return TRIB_FILE_ERROR("close", "finish", output->path, number);
    }
    if (trib_fault("rename") ? (errno = EIO, -1) : rename(output->temporary, output->target)) {
        int number = errno;
        unlink(output->temporary);
        return TRIB_FILE_ERROR("rename", "put the finished file in place", output->path, number);
    }
    return trib_success();
}

/* Makes the new name survive a power failure. A file system without fsync for folders says EINVAL. Tests make it fail
 * only where that matters. */
static trib_status sync_folder(trib_output *output, bool matters)
{
    size_t folder = folder_length(output->temporary);
    output->temporary[folder] = '\0';
    int fd = matters && trib_fault("open folder") ? (errno = EIO, -1)
                                                  : open_again(folder ? output->temporary : ".", O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || (matters && trib_fault("fsync folder") ? (errno = EIO, -1) : flush(fd)) ? errno : 0;
    if (fd >= 0) close(fd);
    if (!failed || (fd >= 0 && failed == EINVAL)) return trib_success();
    return TRIB_FILE_ERROR(fd < 0 ? "open" : "fsync", "bring its name to the disk", output->path, failed);
}

trib_status trib_output_commit_to_disk(trib_output *output)
{
    trib_status s = finish(output);
    if (!trib_failed(&s)) s = sync_folder(output, true);
    trib_output_abandon(output);
    return s;
}

trib_status trib_output_commit(trib_output *output)
{
    trib_status s = finish(output);
    if (!trib_failed(&s)) (void)sync_folder(output, false);
    trib_output_abandon(output);
    return s;
}

void trib_output_abandon(trib_output *output)
{
    if (!output) return;
    if (output->fd >= 0) {
        close(output->fd);
        unlink(output->temporary);
    }
    trib_free(output->temporary);
    trib_free(output->target);
    trib_free(output->path);
    trib_free(output);
}
