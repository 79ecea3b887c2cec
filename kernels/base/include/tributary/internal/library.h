/* SPDX-License-Identifier: Apache-2.0
 * Shared libraries that are loaded when they are needed: a program that does not use them does not pay for them, and a
 * machine without them runs everything else. */
#ifndef TRIBUTARY_INTERNAL_LIBRARY_H
#define TRIBUTARY_INTERNAL_LIBRARY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads `name`, which the loader searches for ("libcudnn.so.9"), or else `path` (NULL: nothing else). Its functions are
 * only reached through dlsym: other libraries of the process are not disturbed by them. NULL: `why` has the loader's
 * reason, about the last one tried. */
void *trib_library_load(const char *name, const char *path, char *why, size_t size);

#ifdef __cplusplus
}
#endif
#endif
