/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/texts.h"

#include <string.h>

#include "tributary/internal/alloc.h"

void trib_cuda_texts_open(trib_cuda_texts *texts) { pthread_mutex_init(&texts->lock, NULL); }

void trib_cuda_texts_close(trib_cuda_texts *texts)
{
    for (size_t i = 0; i < texts->count; ++i) trib_free(texts->list[i]);
    trib_free(texts->list);
    pthread_mutex_destroy(&texts->lock);
}

static const char *find(const trib_cuda_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; ++i)
        if (!strcmp(texts->list[i], text)) return texts->list[i];
    return NULL;
}

static const char *add(trib_cuda_texts *texts, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = trib_alloc(bytes);
    if (!copy || trib_grow((void **)&texts->list, &texts->capacity, texts->count + 1, sizeof *texts->list)) {
        trib_free(copy);
        return NULL;
    }
    memcpy(copy, text, bytes);
    return texts->list[texts->count++] = copy;
}

trib_status trib_cuda_texts_keep(trib_cuda_texts *texts, const char *text, const char **kept)
{
    pthread_mutex_lock(&texts->lock);
    *kept = find(texts, text);
    if (!*kept) *kept = add(texts, text);
    pthread_mutex_unlock(&texts->lock);
    return *kept ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "out of memory for a name");
}
