/* SPDX-License-Identifier: Apache-2.0
 * A clock: its hand goes around the images that are kept, and drops the first that was not asked for since it last came
 * by. */
#include "data/image_cache.h"

#include <pthread.h>
#include <string.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"

typedef struct kept_image {
    trib_image image; /* without pixels: not kept */
    int holders;
    bool asked_for; /* since the hand came by */
} kept_image;

struct trib_image_cache {
    pthread_mutex_t lock;
    kept_image *images;
    int64_t *kept; /* numbers, in no order */
    int64_t count, kept_count, hand;
    int64_t bytes, most_bytes;
};

static int64_t bytes_of(const trib_image *image) { return (int64_t)image->width * image->height * image->channels; }

trib_status trib_image_cache_create(int64_t images, int64_t most_bytes, trib_image_cache **out)
{
    trib_image_cache *cache = trib_alloc_zeroed(1, sizeof *cache);
    if (!cache) return trib_no_memory("the images that are kept");
    *cache = (trib_image_cache) { .count = images, .most_bytes = most_bytes };
    cache->images = trib_alloc_zeroed((size_t)images + 1, sizeof *cache->images);
    cache->kept = trib_alloc_zeroed((size_t)images + 1, sizeof *cache->kept);
    if (cache->images && cache->kept && pthread_mutex_init(&cache->lock, NULL) == 0) {
        *out = cache;
        return trib_success();
    }
    trib_free(cache->images);
    trib_free(cache->kept);
    trib_free(cache);
    return trib_no_memory("the images that are kept");
}

void trib_image_cache_destroy(trib_image_cache *cache)
{
    if (!cache) return;
    for (int64_t i = 0; i < cache->kept_count; ++i) trib_image_release(&cache->images[cache->kept[i]].image);
    pthread_mutex_destroy(&cache->lock);
    trib_free(cache->images);
    trib_free(cache->kept);
    trib_free(cache);
}

const trib_image *trib_image_cache_hold(trib_image_cache *cache, int64_t number)
{
    kept_image *entry = &cache->images[number];
    pthread_mutex_lock(&cache->lock);
    bool there = entry->image.pixels != NULL;
    entry->holders += there;
    entry->asked_for |= there;
    pthread_mutex_unlock(&cache->lock);
    return there ? &entry->image : NULL;
}

void trib_image_cache_let_go(trib_image_cache *cache, int64_t number)
{
    pthread_mutex_lock(&cache->lock);
    --cache->images[number].holders;
    pthread_mutex_unlock(&cache->lock);
}

/* Drops images until `bytes` more fit; false: too many are held. Call with the lock held. */
static bool make_room(trib_image_cache *cache, int64_t bytes)
{
    for (int64_t looked = 0; cache->bytes + bytes > cache->most_bytes; ++looked) {
        if (!cache->kept_count || looked > 2 * cache->kept_count) return false;
        if (cache->hand >= cache->kept_count) cache->hand = 0;
        kept_image *entry = &cache->images[cache->kept[cache->hand]];
        if (entry->holders || entry->asked_for) {
            entry->asked_for = false;
            ++cache->hand;
            continue;
        }
        cache->bytes -= bytes_of(&entry->image);
        trib_image_release(&entry->image);
        cache->kept[cache->hand] = cache->kept[--cache->kept_count];
    }
    return true;
}

void trib_image_cache_keep(trib_image_cache *cache, int64_t number, const trib_image *image)
{
    const int64_t bytes = bytes_of(image);
    if (bytes > cache->most_bytes) return;
    trib_image copy = *image;
    copy.pixels = trib_alloc((size_t)bytes);
    if (!copy.pixels) return;
    memcpy(copy.pixels, image->pixels, (size_t)bytes);
    pthread_mutex_lock(&cache->lock);
    kept_image *entry = &cache->images[number];
    if (!entry->image.pixels && make_room(cache, bytes)) {
        *entry = (kept_image) { .image = copy };
        cache->kept[cache->kept_count++] = number;
        cache->bytes += bytes;
        copy.pixels = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    trib_image_release(&copy);
}

int64_t trib_image_cache_bytes(trib_image_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    const int64_t bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}
