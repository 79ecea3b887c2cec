/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/internal/library.h"

#include <dlfcn.h>
#include <stdio.h>

void *trib_library_load(const char *name, const char *path, char *why, size_t size)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library && path) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
    const char *reason = dlerror();
    snprintf(why, size, "%s", reason ? reason : "no reason given");
    return NULL;
}
