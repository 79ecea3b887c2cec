/* SPDX-License-Identifier: Apache-2.0
 * Shared libraries that are loaded when needed: programs that do not use them pay nothing, and machines without them
 * run everything else. */
#ifndef TRIBUTARY_INTERNAL_LIBRARY_H
#define TRIBUTARY_INTERNAL_LIBRARY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads `name`, which the loader searches for ("libcudnn.so.9"), or else `path` (NULL: nothing else). Its functions are
 * reached only through dlsym, so that they do not interfere with other libraries of the process. NULL: `why` has the
 * loader's reason for the last file tried. */
void *trib_library_load(const char *name, const char *path, char *why, size_t size);

#ifdef __cplusplus
}
#endif
#endif
