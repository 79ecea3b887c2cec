/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static trib_status failure(const char *name, const char *what, const char *call, int error)
{
    return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, error, call, "%s: cannot %s: %s", name, what, strerror(error));
}

/* Only regular files can be lost or continued; not /dev/full, pipes and terminals. */
static trib_status check_existing(const struct stat *info, const char *path, cli_output_mode mode)
{
    if (!S_ISREG(info->st_mode)) {
        if (mode != CLI_OUTPUT_RESUME) return trib_success();
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: not a regular file, so there is nothing to resume", path);
    }
    if ((mode == CLI_OUTPUT_NEW || mode == CLI_OUTPUT_NEW_ROWS) && info->st_size > 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: already exists; %s, or replace it with --overwrite", path,
                          mode == CLI_OUTPUT_NEW ? "name another file" : "continue it with --resume");
    return trib_success();
}

cli_output_mode cli_output_mode_of(bool resumes, bool overwrites)
{
    return resumes ? CLI_OUTPUT_RESUME : overwrites ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW_ROWS;
}

trib_status cli_output_check(const char *path, cli_output_mode mode)
{
    struct stat info;
    return stat(path, &info) == 0 ? check_existing(&info, path, mode) : trib_success();
}

trib_status cli_output_begins(const char *path, const char *text, bool *begins)
{
    char found[64];
    size_t size = strlen(text);
    struct stat info;
    *begins = false;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || size > sizeof found) return trib_success();
    FILE *file = fopen(path, "rb");
    if (!file) return failure(path, "read it", "fopen", errno);
    *begins = fread(found, 1, size, file) == size && memcmp(found, text, size) == 0;
    fclose(file);
    return trib_success();
}

trib_status cli_output_open(const char *path, cli_output_mode mode, cli_output *out)
{
    if (!path) {
        *out = (cli_output) { STDOUT_FILENO, "standard output", false, false };
        return trib_success();
    }
    int fd;
    do fd = open(path, (mode == CLI_OUTPUT_RESUME ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return failure(path, "open it for writing", "open", errno);
    struct stat info;
    trib_status status =
        fstat(fd, &info) == 0 ? check_existing(&info, path, mode) : failure(path, "look at it", "fstat", errno);
    if (trib_failed(&status)) {
        close(fd);
        return status;
    }
    *out = (cli_output) { fd, path, true, mode == CLI_OUTPUT_OVERWRITE && S_ISREG(info.st_mode) };
    return status;
}

trib_status cli_output_write(cli_output *output, cli_buffer *buffer)
{
    if (buffer->failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for the rows of a batch", output->name);
    if (output->replaces && ftruncate(output->fd, 0) != 0) return failure(output->name, "empty it", "ftruncate", errno);
    output->replaces = false;
    int error = cli_write_all(output->fd, buffer->data, buffer->size);
    if (error) return failure(output->name, "write", "write", error);
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

void cli_output_say_unfinished(const trib_status *status, const char *path)
{
    if (status->code == TRIB_CANCELLED && path)
        cli_message("interrupted; run the same command with --resume to continue");
    if (status->code == TRIB_CANCELLED && !path)
        cli_message("interrupted; with -o FILE a run can be continued by --resume");
    if (status->code == TRIB_IO_ERROR && status->vendor_code != EPIPE && path)
        cli_message("%s: its complete rows are kept; run the same command with --resume to continue", path);
}
