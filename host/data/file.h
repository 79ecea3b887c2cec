/* SPDX-License-Identifier: Apache-2.0
 * Opening and reading files, with errors that name file and reason. */
#ifndef TRIB_DATA_FILE_H
#define TRIB_DATA_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Larger encoded images are refused: a wrong size must not exhaust the machine's memory. */
enum { TRIB_MAX_FILE_BYTES = 256 << 20 };

/* A name for messages: only the end of a very long one, so that the reason after it still fits. */
typedef struct trib_short_name {
    char text[200];
} trib_short_name;
trib_short_name trib_shorten(const char *name);

/* Puts the shortened name of the file before the message; a success stays as it is. */
trib_status trib_with_name(trib_status s, const char *name);

/* "PATH: cannot OPERATION: reason"; TRIB_NOT_FOUND if there is no such file. `call` is the one that failed, such as
 * "open", and `error` its errno. */
#define TRIB_FILE_ERROR(call, operation, path, error) \
    trib_file_error((call), (operation), (path), (error), __FILE__, __LINE__)
trib_status trib_file_error(const char *call, const char *operation, const char *path, int error, const char *file,
                            int line);

/* Opens for reading without waiting for a pipe's writer. Never returns descriptors 0, 1 or 2: in a process that has
 * closed one of them, the file would pass for standard input, or be overwritten by messages. */
trib_status trib_open_file(const char *path, int *fd);
/* The same, for regular files only. */
trib_status trib_open_regular(const char *path, int *fd, int64_t *size);
/* Moves a new descriptor above 2; on failure closes it and returns -1 with errno. */
int trib_above_standard(int fd);
/* N of /dev/stdin, /dev/fd/N and /proc/self/fd/N; -1 for other paths. */
int trib_descriptor_of(const char *path);
/* Fails if descriptor `fd`, called `name` in the message, cannot be read. */
trib_status trib_check_readable(int fd, const char *name);
/* "a pipe", "a folder", ... for the mode of anything but a regular file. */
const char *trib_kind_of_file(unsigned mode);
/* Reads up to `size` bytes; fewer only at the end of the file. */
trib_status trib_read_full(int fd, const char *path, void *buffer, size_t size, size_t *got);
/* Opens a regular file of 1 .. TRIB_MAX_FILE_BYTES bytes. */
trib_status trib_open_image(const char *path, int *fd, int64_t *size);
/* The bytes of the file; release with trib_free. *size is less than `wanted` if the file has shrunk; the decoder will
 * notice. */
trib_status trib_read_image(int fd, const char *path, int64_t wanted, uint8_t **bytes, size_t *size);
/* Opens and reads a regular file of 1 .. TRIB_MAX_FILE_BYTES bytes; release with trib_free. */
trib_status trib_read_whole(const char *path, uint8_t **bytes, size_t *size);

/* A file's last component. */
const char *trib_base_name(const char *path);
/* True if `name` ends in `suffix`, ignoring the case of ASCII letters. */
bool trib_ends_with(const char *name, const char *suffix);
/* Extensions of images, for messages. */
#define TRIB_IMAGE_EXTENSIONS ".jpg, .jpeg, .jpe, .jfif, .png or .webp"
/* True if a name has one of them, in any case. */
bool trib_has_image_extension(const char *name);

#ifdef __cplusplus
}
#endif
#endif
