/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/compiled_kept.h"

#include <stdio.h>
#include <string.h>

void trib_compiled_kept_open(trib_compiled_kept *kept)
{
    pthread_mutex_init(&kept->lock, NULL);
    kept->count = 0;
}

void trib_compiled_kept_close(trib_compiled_kept *kept)
{
    for (int i = 0; i < kept->count; ++i) trib_compiled_conv_destroy(kept->items[i].conv);
    pthread_mutex_destroy(&kept->lock);
}

/* `count` when there is none. */
static int find(const trib_compiled_kept *kept, const char *key)
{
    int i = 0;
    while (i < kept->count && strcmp(kept->items[i].key, key) != 0) ++i;
    return i;
}

bool trib_compiled_kept_has(trib_compiled_kept *kept, const char *key)
{
    pthread_mutex_lock(&kept->lock);
    bool has = find(kept, key) < kept->count;
    pthread_mutex_unlock(&kept->lock);
    return has;
}

void trib_compiled_kept_put(trib_compiled_kept *kept, const char *key, trib_compiled_conv *conv)
{
    pthread_mutex_lock(&kept->lock);
    if (kept->count < TRIB_MOST_COMPILED_KEPT) {
        snprintf(kept->items[kept->count].key, sizeof kept->items[0].key, "%s", key);
        kept->items[kept->count++].conv = conv;
        conv = NULL;
    }
    pthread_mutex_unlock(&kept->lock);
    trib_compiled_conv_destroy(conv);
}

trib_compiled_conv *trib_compiled_kept_take(trib_compiled_kept *kept, const char *key)
{
    trib_compiled_conv *conv = NULL;
    pthread_mutex_lock(&kept->lock);
    int i = find(kept, key);
    if (i < kept->count) {
        conv = kept->items[i].conv;
        kept->items[i] = kept->items[--kept->count];
    }
    pthread_mutex_unlock(&kept->lock);
    return conv;
}
