/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static trib_status failure(const char *name, const char *what, const char *call, int error)
{
    return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, error, call, "%s: cannot %s: %s", name, what, strerror(error));
}

/* Only regular files can be lost or continued; /dev/full, pipes and terminals can be neither. */
static trib_status check_existing(int fd, const char *path, cli_output_mode mode)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return failure(path, "look at it", "fstat", errno);
    if (!S_ISREG(info.st_mode)) {
        if (mode != CLI_OUTPUT_RESUME) return trib_success();
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: not a regular file, so there is nothing to resume", path);
    }
    if (mode == CLI_OUTPUT_NEW && info.st_size > 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: exists already; continue it with --resume, or replace it with "
                          "--overwrite",
                          path);
    if (mode == CLI_OUTPUT_OVERWRITE && ftruncate(fd, 0) != 0) return failure(path, "empty it", "ftruncate", errno);
    return trib_success();
}

trib_status cli_output_open(const char *path, cli_output_mode mode, cli_output *out)
{
    if (!path) {
        *out = (cli_output) { STDOUT_FILENO, "standard output", false };
        return trib_success();
    }
    int fd;
    do fd = open(path, (mode == CLI_OUTPUT_RESUME ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return failure(path, "open it for writing", "open", errno);
    trib_status status = check_existing(fd, path, mode);
    if (trib_failed(&status)) {
        close(fd);
        return status;
    }
    *out = (cli_output) { fd, path, true };
    return status;
}

trib_status cli_output_write(cli_output *output, cli_buffer *buffer)
{
    if (buffer->failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for the rows of a batch", output->name);
    size_t done = 0;
    while (done < buffer->size) {
        ssize_t written = write(output->fd, buffer->data + done, buffer->size - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failure(output->name, "write", "write", errno);
        done += (size_t)written;
    }
    cli_buffer_clear(buffer);
    return trib_success();
}

trib_status cli_output_close(cli_output *output)
{
    int fd = output->fd;
    bool owned = output->owned;
    output->fd = -1;
    if (fd < 0 || !owned || close(fd) == 0 || errno == EINTR) return trib_success();
    return failure(output->name, "finish writing", "close", errno);
}
