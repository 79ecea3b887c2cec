/* SPDX-License-Identifier: Apache-2.0
 * Opening and reading files, with errors that name the file and the reason. */
#ifndef TRIB_DATA_FILE_H
#define TRIB_DATA_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An encoded image larger than this is refused: a lying size must not take the machine's memory. */
enum { TRIB_MAX_FILE_BYTES = 256 << 20 };

/* A name for messages: the end of a very long one, so that the reason after it still fits. */
typedef struct trib_short_name {
    char text[200];
} trib_short_name;
trib_short_name trib_shorten(const char *name);

/* The same status, its message beginning with the shortened name of the file; a success stays as it is. */
trib_status trib_with_name(trib_status s, const char *name);

/* "PATH: cannot OPERATION: reason"; TRIB_NOT_FOUND when the reason is that there is no such file. */
trib_status trib_file_error(const char *operation, const char *path, int error);

/* Opens for reading without waiting for a pipe's writer. Never gives descriptor 0, 1 or 2: in a process that has closed
 * one of them, a file would pass for standard input, or be written over by messages. */
trib_status trib_open_file(const char *path, int *fd);
/* The same, but anything but a regular file is refused. */
trib_status trib_open_regular(const char *path, int *fd, int64_t *size);
/* Moves a descriptor that was just made above 2, and closes it when that fails (-1, errno). */
int trib_above_standard(int fd);
/* N of /dev/stdin, /dev/fd/N and /proc/self/fd/N; -1: another path. */
int trib_descriptor_of(const char *path);
/* Fails when descriptor `fd`, called `name` in the message, cannot be read from. */
trib_status trib_check_readable(int fd, const char *name);
/* "a pipe", "a folder", ... for a mode that is not a regular file's. */
const char *trib_kind_of_file(unsigned mode);
/* Reads up to `size` bytes; fewer only at the end of the file. */
trib_status trib_read_full(int fd, const char *path, void *buffer, size_t size, size_t *got);
/* Opens a regular file of 1 .. TRIB_MAX_FILE_BYTES bytes. */
trib_status trib_open_image(const char *path, int *fd, int64_t *size);
/* Its bytes; release with trib_free. *size is less than `wanted` when the file has shrunk since: the decoder will tell.
 */
trib_status trib_read_image(int fd, const char *path, int64_t wanted, uint8_t **bytes, size_t *size);
/* Both. The whole of a regular file of 1 .. TRIB_MAX_FILE_BYTES bytes; release with trib_free. */
trib_status trib_read_whole(const char *path, uint8_t **bytes, size_t *size);

/* A file's last component. */
const char *trib_base_name(const char *path);
/* True when `name` ends in `suffix`, ASCII letters compared without case. */
bool trib_ends_with(const char *name, const char *suffix);
/* The extensions of images, for messages. */
#define TRIB_IMAGE_EXTENSIONS ".jpg, .jpeg, .jpe, .jfif, .png or .webp"
/* One of them, in any case. */
bool trib_has_image_extension(const char *name);

#ifdef __cplusplus
}
#endif
#endif
