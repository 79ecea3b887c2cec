/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/libraries/lazy/lazy.h"

#include <dlfcn.h>
#include <stdio.h>

#include "tributary/internal/library.h"

static void load(trib_lazy_library *library)
{
    char why[120];
    if (library->handle || library->error[0]) return;
    library->handle = trib_library_load(library->name, library->built, why, sizeof why);
    if (!library->handle)
        snprintf(library->error, sizeof library->error, "%s cannot be loaded (%s); put its folder into LD_LIBRARY_PATH",
                 library->name, why);
}

void *trib_lazy_find(trib_lazy_library *library, _Atomic(void *) *slot, const char *function)
{
    void *found = atomic_load(slot);
    if (found) return found;
    pthread_mutex_lock(&library->lock);
    load(library);
    if (library->handle) {
        function += sizeof "trib_lazy_" - 1;
        found = dlsym(library->handle, function);
        if (!found)
            snprintf(library->error, sizeof library->error, "%s has no %s: is it another version?", library->name,
                     function);
    }
    pthread_mutex_unlock(&library->lock);
    if (found) atomic_store(slot, found);
    return found;
}
