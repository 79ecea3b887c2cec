/* SPDX-License-Identifier: Apache-2.0
 * Standard output and error, whatever they lead to.
 *
 * The program that started us may have made them non-blocking: the flag belongs to the pipe's open description, which
 * other programs share, so we must not clear it. A write then takes a part, or nothing, where it would have waited;
 * stdio takes that for a failure and drops its buffer. The C library therefore gets streams that write through
 * cli_write_all. */
#define _GNU_SOURCE /* fopencookie; and glibc lets a program replace stdout and stderr */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"

int cli_write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(fd, bytes, size);
        if (written >= 0) {
            bytes += written;
            size -= (size_t)written;
            continue;
        }
        if (errno == EAGAIN) {
            struct pollfd ready = { .fd = fd, .events = POLLOUT };
            if (poll(&ready, 1, -1) >= 0) continue; /* if the reader is gone, the next write fails */
        }
        if (errno != EINTR) return errno;
    }
    return 0;
}

static ssize_t write_stream(void *fd, const char *bytes, size_t size)
{
    int error = cli_write_all(*(const int *)fd, bytes, size);
    errno = error;
    return error ? 0 : (ssize_t)size; /* 0 tells such a stream of a failure */
}

static FILE *open_stream(const int *fd, char *buffer, int mode, size_t size)
{
    FILE *stream = fopencookie((void *)fd, "w", (cookie_io_functions_t) { .write = write_stream });
    if (stream) setvbuf(stream, buffer, mode, size);
    return stream;
}

void cli_open_streams(void)
{
    static const int output = STDOUT_FILENO, error = STDERR_FILENO;
    static char text[1 << 16]; /* holds what a command prints piece by piece, so that it is written once, at the end */
    FILE *out = open_stream(&output, text, _IOFBF, sizeof text), *err = open_stream(&error, NULL, _IONBF, 0);
    if (out) stdout = out;
    if (err) stderr = err;
}
