/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "formats/safetensors_private.h"
#include "tributary/internal/alloc.h"

enum { LENGTH_SIZE = 8 };

static trib_status read_bytes(trib_safetensors *file, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint64_t length = 0;
    if (size < LENGTH_SIZE)
        return TRIB_ERROR(TRIB_BAD_DATA, "%zu bytes are too few for a safetensors file; it is cut short", size);
    for (int i = 0; i < LENGTH_SIZE; ++i) length |= (uint64_t)p[i] << (8 * i);
    if (length > TRIB_SAFETENSORS_MAX_HEADER)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "a header of %" PRIu64 " bytes is over the limit of 100 MB; this is not a safetensors file",
                          length);
    if (length > size - LENGTH_SIZE)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "the header needs %" PRIu64 " bytes but only %zu follow; the file is cut short", length,
                          size - LENGTH_SIZE);
    const unsigned char *data = p + LENGTH_SIZE + length;
    return trib_safetensors_read_header(file, (const char *)p + LENGTH_SIZE, (size_t)length, data,
                                        size - LENGTH_SIZE - (size_t)length);
}

trib_status trib_safetensors_open(const char *path, trib_safetensors **out)
{
    if (!path || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_open: an argument is NULL");
    trib_status s;
    trib_safetensors *file = trib_alloc_zeroed(1, sizeof *file);
    if (!file) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(path).text);
    TRIB_TRY_GOTO(s, fail, trib_mapping_open(path, &file->mapping));
    s = read_bytes(file, file->mapping.bytes, file->mapping.size);
    trib_add_context(&s, "%s", trib_shorten(path).text);
    if (trib_failed(&s)) goto fail;
    *out = file;
    return s;
fail:
    trib_safetensors_close(file);
    return s;
}

trib_status trib_safetensors_parse(const void *bytes, size_t size, const char *name, trib_safetensors **out)
{
    if ((!bytes && size) || !name || !out)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_parse: an argument is NULL");
    trib_safetensors *file = trib_alloc_zeroed(1, sizeof *file);
    if (!file) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(name).text);
    trib_status s = read_bytes(file, bytes, size);
    trib_add_context(&s, "%s", trib_shorten(name).text);
    if (trib_failed(&s))
        trib_safetensors_close(file);
    else
        *out = file;
    return s;
}

void trib_safetensors_close(trib_safetensors *file)
{
    if (!file) return;
    trib_free(file->tensors);
    trib_free(file->by_name);
    trib_free(file->metadata);
    trib_json_free(file->header);
    trib_mapping_close(&file->mapping);
    trib_free(file);
}

int trib_safetensors_count(const trib_safetensors *file) { return file->count; }

const trib_tensor *trib_safetensors_tensors(const trib_safetensors *file) { return file->tensors; }

static int compare_tensor(const void *name, const void *tensor)
{
    return strcmp(name, (*(const trib_tensor *const *)tensor)->name);
}

const trib_tensor *trib_safetensors_find(const trib_safetensors *file, const char *name)
{
    if (!file->count) return NULL;
    const trib_tensor **found =
        bsearch(name, file->by_name, (size_t)file->count, sizeof *file->by_name, compare_tensor);
    return found ? *found : NULL;
}

int trib_safetensors_metadata_count(const trib_safetensors *file) { return file->metadata_count; }

const trib_key_value *trib_safetensors_metadata(const trib_safetensors *file) { return file->metadata; }

static int compare_key(const void *key, const void *pair) { return strcmp(key, ((const trib_key_value *)pair)->key); }

const char *trib_safetensors_metadata_get(const trib_safetensors *file, const char *key)
{
    if (!file->metadata_count) return NULL;
    const trib_key_value *found =
        bsearch(key, file->metadata, (size_t)file->metadata_count, sizeof *file->metadata, compare_key);
    return found ? found->value : NULL;
}

void trib_safetensors_release_pages(const trib_safetensors *file) { trib_mapping_release_pages(&file->mapping); }
