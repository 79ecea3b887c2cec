/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/internal/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *trib_library_load(const char *name, const char *path, char *why, size_t size)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library && path) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
    const char *reason = dlerror();
    snprintf(why, size, "%s", reason ? reason : "no reason given");
    return NULL;
}

const char *trib_library_find(void *library, const trib_library_function *functions, size_t count, void *pointers)
{
    const char *missing = NULL;
    for (size_t i = 0; i < count; ++i) {
        void *found = dlsym(library, functions[i].name);
        memcpy((char *)pointers + functions[i].offset, &found, sizeof found);
        if (!found && !missing) missing = functions[i].name;
    }
    return missing;
}
