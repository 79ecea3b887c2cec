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

/* A function of a library, and where the pointer to it is in a struct of such pointers. */
typedef struct trib_library_function {
    const char *name;
    size_t offset;
} trib_library_function;

/* Fills the struct with pointers to functions of a loaded library, or NULL. Returns the name of the first one that is
 * missing, or NULL. */
const char *trib_library_find(void *library, const trib_library_function *functions, size_t count, void *pointers);

/* The struct's fields, from a list of a library's functions: LIST(TRIB_LIBRARY_POINTER), where LIST(F) is
 * F(type, name, (parameters)) ... */
#define TRIB_LIBRARY_POINTER(type, name, parameters) type(*name) parameters;

#ifdef __cplusplus
}
#endif
#endif
