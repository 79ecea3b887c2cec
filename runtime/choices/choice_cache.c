/* SPDX-License-Identifier: Apache-2.0 */
#include "choices/choice_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "choices/choice_entries.h"
#include "tributary/internal/alloc.h"

struct trib_choice_cache {
    pthread_mutex_t lock;
    char *path, *library, *device;
    trib_choice_entries entries;
    bool changed;
};

static trib_status out_of_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "choice cache: out of host memory"); }

/* ---- entries ---- */

static trib_status copy_choice(const trib_choice *from, trib_choice *to)
{
    trib_choice copy = *from;
    if (from->json) {
        copy.json = trib_alloc(from->json_bytes + 1);
        if (!copy.json) return out_of_memory();
        memcpy(copy.json, from->json, from->json_bytes);
        copy.json[from->json_bytes] = 0;
    }
    *to = copy;
    return trib_success();
}

void trib_choice_clear(trib_choice *choice)
{
    trib_free(choice->json);
    choice->json = NULL;
}

static trib_choice_entry *find(const trib_choice_entries *entries, const char *key)
{
    for (size_t i = 0; i < entries->count; ++i)
        if (!strcmp(entries->list[i].key, key)) return &entries->list[i];
    return NULL;
}

trib_status trib_choice_entries_put(trib_choice_entries *entries, const char *key, const trib_choice *choice)
{
    trib_choice copy;
    trib_choice_entry *entry = find(entries, key);
    TRIB_TRY(copy_choice(choice, &copy));
    if (!entry) {
        if (trib_grow((void **)&entries->list, &entries->capacity, entries->count + 1, sizeof *entries->list)) {
            trib_choice_clear(&copy);
            return out_of_memory();
        }
        entry = &entries->list[entries->count++];
        snprintf(entry->key, sizeof entry->key, "%s", key);
    } else
        trib_choice_clear(&entry->choice);
    entry->choice = copy;
    return trib_success();
}

void trib_choice_entries_clear(trib_choice_entries *entries)
{
    for (size_t i = 0; i < entries->count; ++i) trib_choice_clear(&entries->list[i].choice);
    trib_free(entries->list);
    *entries = (trib_choice_entries) { 0 };
}

/* ---- the cache ---- */

/* Reads the file. Only running out of memory is a failure; all other errors give an empty cache and a note. */
static trib_status load(trib_choice_cache *cache, char *note)
{
    trib_status status = trib_choice_file_read(cache->path, cache->library, cache->device, &cache->entries);
    if (!trib_failed(&status)) return status;
    trib_choice_entries_clear(&cache->entries);
    if (status.code == TRIB_OUT_OF_MEMORY) return status;
    if (note && status.code != TRIB_NOT_FOUND)
        snprintf(note, TRIB_MESSAGE_SIZE, "%.400s; what it holds is measured again", status.message);
    return trib_success();
}

trib_status trib_choice_cache_open(const char *path, const char *library, const char *device, char *note,
                                   trib_choice_cache **out)
{
    if (note) *note = 0;
    trib_choice_cache *cache = trib_alloc_zeroed(1, sizeof *cache);
    if (!cache) return out_of_memory();
    pthread_mutex_init(&cache->lock, NULL); /* cannot fail without attributes */
    trib_status status = out_of_memory();
    if (!(cache->library = trib_strdup(library)) || !(cache->device = trib_strdup(device))) goto done;
    if (path && !(cache->path = trib_strdup(path))) goto done;
    status = path ? load(cache, note) : trib_success();
done:
    if (trib_failed(&status))
        trib_choice_cache_close(cache);
    else
        *out = cache;
    return status;
}

void trib_choice_cache_close(trib_choice_cache *cache)
{
    if (!cache) return;
    trib_choice_entries_clear(&cache->entries);
    trib_free(cache->path);
    trib_free(cache->library);
    trib_free(cache->device);
    pthread_mutex_destroy(&cache->lock);
    trib_free(cache);
}

trib_status trib_choice_cache_find(trib_choice_cache *cache, const char *key, bool *found, trib_choice *out)
{
    trib_status status = trib_success();
    pthread_mutex_lock(&cache->lock);
    const trib_choice_entry *entry = find(&cache->entries, key);
    if (entry) status = copy_choice(&entry->choice, out);
    pthread_mutex_unlock(&cache->lock);
    *found = entry && !trib_failed(&status);
    return status;
}

static bool one_line(const char *text, size_t size)
{
    size_t length = strlen(text);
    return length > 0 && length < size && !strpbrk(text, "\r\n");
}

trib_status trib_choice_cache_put(trib_choice_cache *cache, const char *key, const trib_choice *choice)
{
    if (!one_line(key, TRIB_CHOICE_KEY_SIZE) || !one_line(choice->name, TRIB_CHOICE_NAME_SIZE))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "choice cache: \"%.80s\" or \"%.80s\" is not one short line", key,
                          choice->name);
    pthread_mutex_lock(&cache->lock);
    trib_status status = trib_choice_entries_put(&cache->entries, key, choice);
    if (!trib_failed(&status)) cache->changed = true;
    pthread_mutex_unlock(&cache->lock);
    return status;
}

int trib_choice_cache_count(trib_choice_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    int count = (int)cache->entries.count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

trib_status trib_choice_cache_save(trib_choice_cache *cache)
{
    trib_status status = trib_success();
    pthread_mutex_lock(&cache->lock);
    if (cache->path && cache->changed)
        status = trib_choice_file_write(cache->path, cache->library, cache->device, &cache->entries);
    if (!trib_failed(&status)) cache->changed = false;
    pthread_mutex_unlock(&cache->lock);
    return status;
}
