/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/interned.h"

#include <string.h>

#include "tributary/internal/alloc.h"

void trib_cuda_interned_open(trib_cuda_interned *interned) { pthread_mutex_init(&interned->lock, NULL); }

void trib_cuda_interned_close(trib_cuda_interned *interned)
{
    for (size_t i = 0; i < interned->count; ++i) trib_free(interned->list[i]);
    trib_free(interned->list);
    pthread_mutex_destroy(&interned->lock);
}

static const char *find(const trib_cuda_interned *interned, const char *text)
{
    for (size_t i = 0; i < interned->count; ++i)
        if (!strcmp(interned->list[i], text)) return interned->list[i];
    return NULL;
}

static const char *add(trib_cuda_interned *interned, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = trib_alloc(bytes);
    if (!copy ||
        trib_grow((void **)&interned->list, &interned->capacity, interned->count + 1, sizeof *interned->list)) {
        trib_free(copy);
        return NULL;
    }
    memcpy(copy, text, bytes);
    return interned->list[interned->count++] = copy;
}

trib_status trib_cuda_intern(trib_cuda_interned *interned, const char *text, const char **kept)
{
    pthread_mutex_lock(&interned->lock);
    *kept = find(interned, text);
    if (!*kept) *kept = add(interned, text);
    pthread_mutex_unlock(&interned->lock);
    return *kept ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "out of memory for a name");
}
