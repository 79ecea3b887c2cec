/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "formats/safetensors_private.h"
#include "tributary/internal/alloc.h"

/* A file without content; trib_safetensors_close frees it. */
static trib_safetensors *create(void)
{
    trib_safetensors *file = trib_alloc_zeroed(1, sizeof *file);
    if (!file) return NULL;
    file->base.driver = &trib_safetensors_driver;
    file->blob = trib_closed_blob();
    return file;
}

/* The length of the header, from the first bytes; `follow` bytes come after them. */
static trib_status header_length(const unsigned char *p, size_t got, uint64_t follow, size_t *out)
{
    uint64_t length = 0;
    if (got < TRIB_SAFETENSORS_LENGTH)
        return TRIB_ERROR(TRIB_BAD_DATA, "%zu bytes are too few for a safetensors file; it is truncated", got);
    for (int i = 0; i < TRIB_SAFETENSORS_LENGTH; ++i) length |= (uint64_t)p[i] << (8 * i);
    if (length > TRIB_SAFETENSORS_MAX_HEADER)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "a header of %" PRIu64 " bytes is over the limit of 100 MB; this is not a safetensors file",
                          length);
    if (length > follow)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "the header needs %" PRIu64 " bytes but only %" PRIu64 " follow; the file is truncated",
                          length, follow);
    *out = (size_t)length;
    return trib_success();
}

static void set_data(trib_safetensors *file, const void *data)
{
    for (int i = 0; i < file->base.count; ++i)
        file->base.tensors[i].data = data ? (const char *)data + file->places[i] : NULL;
}

/* ---- opening ---- */

/* Reads the header, and checks a regular file's length against it. Errors of `blob` already name the file. */
static trib_status read_start(trib_safetensors *file)
{
    trib_blob *blob = &file->blob;
    bool known = trib_blob_size(blob) >= 0;
    unsigned char start[TRIB_SAFETENSORS_LENGTH];
    void *text = NULL;
    size_t got = 0, length = 0;
    uint64_t follow = known && trib_blob_size(blob) > TRIB_SAFETENSORS_LENGTH
                          ? (uint64_t)trib_blob_size(blob) - TRIB_SAFETENSORS_LENGTH
                          : 0;
    trib_status s;
    if (known && trib_blob_size(blob) < TRIB_SAFETENSORS_LENGTH)
        return trib_with_name(header_length(start, (size_t)trib_blob_size(blob), 0, &length), blob->path);
    TRIB_TRY(trib_blob_read(blob, start, TRIB_SAFETENSORS_LENGTH, &got));
    TRIB_TRY(trib_with_name(header_length(start, got, known ? follow : UINT64_MAX, &length), blob->path));
    TRIB_TRY(trib_blob_take(blob, length, &text, &got));
    s = header_length(start, TRIB_SAFETENSORS_LENGTH, got, &length);
    if (!trib_failed(&s)) s = trib_safetensors_read_header(file, text, length);
    if (!trib_failed(&s) && known) s = trib_safetensors_check_data(file, follow - length);
    trib_free(text);
    file->data_at = trib_blob_at(blob);
    return trib_with_name(s, blob->path);
}

trib_status trib_safetensors_open_blob(trib_blob *blob, trib_safetensors **out)
{
    trib_safetensors *file = create();
    if (!file) {
        trib_status s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(blob->path).text);
        trib_blob_close(blob);
        return s;
    }
    file->blob = *blob;
    *blob = trib_closed_blob();
    trib_status s = read_start(file);
    if (trib_failed(&s))
        trib_safetensors_close(file);
    else
        *out = file;
    return s;
}

trib_status trib_safetensors_open_header(const char *path, trib_safetensors **out)
{
    trib_blob blob;
    if (!path || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_open_header: an argument is NULL");
    TRIB_TRY(trib_blob_open(path, &blob));
    return trib_safetensors_open_blob(&blob, out);
}

trib_status trib_safetensors_parse(const void *bytes, size_t size, const char *name, trib_safetensors **out)
{
    trib_blob blob;
    if ((!bytes && size) || !name || !out)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_parse: an argument is NULL");
    TRIB_TRY(trib_blob_of_memory(bytes, size, name, &blob));
    TRIB_TRY(trib_safetensors_open_blob(&blob, out));
    set_data(*out, (const char *)bytes + (*out)->data_at); /* the caller owns the memory */
    return trib_success();
}

/* ---- data ---- */

/* Offset of the i-th tensor's data; for i = count, the end of all data. */
static int64_t place(const trib_safetensors *file, int i)
{
    return i < file->base.count ? file->places[i] : file->data_size;
}

/* Memory for all data; pages that are never written take none. */
static trib_status take_wanted(trib_safetensors *file, trib_tensor_wanted wanted, const void *context, void **out)
{
    char *data = trib_alloc((size_t)file->data_size);
    trib_status s = trib_success();
    if (!data)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for its %" PRId64 " bytes of data",
                          trib_shorten(file->blob.path).text, file->data_size);
    for (int i = 0, end; i < file->base.count; i = end) {
        for (end = i; end < file->base.count && wanted(context, &file->base.tensors[end]); ++end) continue;
        size_t got = 0, size = (size_t)(place(file, end) - place(file, i));
        TRIB_TRY_GOTO(s, fail, trib_blob_skip_to(&file->blob, file->data_at + place(file, i)));
        TRIB_TRY_GOTO(s, fail, trib_blob_read(&file->blob, data + place(file, i), size, &got));
        while (end < file->base.count && !wanted(context, &file->base.tensors[end])) ++end;
    }
    *out = data;
    return s;
fail:
    trib_free(data);
    return s;
}

/* Reads all data; a pipe must end with it. */
static trib_status take_all(trib_safetensors *file, void **out)
{
    trib_blob *blob = &file->blob;
    void *data = NULL;
    size_t got = 0, more = 0;
    char byte;
    TRIB_TRY(trib_blob_take(blob, (size_t)file->data_size, &data, &got));
    trib_status s = trib_success();
    if (trib_blob_size(blob) < 0 && got == (size_t)file->data_size) s = trib_blob_read(blob, &byte, 1, &more);
    if (!trib_failed(&s)) s = trib_with_name(trib_safetensors_check_data(file, got + more), blob->path);
    if (trib_failed(&s))
        trib_free(data);
    else
        *out = data;
    return s;
}

trib_status trib_safetensors_load(trib_safetensors *file, trib_tensor_wanted wanted, const void *context)
{
    bool parts = wanted && trib_blob_size(&file->blob) >= 0;
    if (file->data_size > TRIB_SAFETENSORS_MAX_DATA || (uint64_t)file->data_size > SIZE_MAX)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "%s: %" PRId64 " bytes of data are more than the %" PRId64 " that are read at once",
                          trib_shorten(file->blob.path).text, file->data_size, TRIB_SAFETENSORS_MAX_DATA);
    TRIB_TRY(parts ? take_wanted(file, wanted, context, &file->data) : take_all(file, &file->data));
    trib_blob_close(&file->blob);
    set_data(file, file->data);
    for (int i = 0; parts && i < file->base.count; ++i)
        if (!wanted(context, &file->base.tensors[i])) file->base.tensors[i].data = NULL;
    return trib_success();
}

trib_status trib_safetensors_open(const char *path, trib_safetensors **out)
{
    trib_safetensors *file = NULL;
    if (!path || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_open: an argument is NULL");
    TRIB_TRY(trib_safetensors_open_header(path, &file));
    trib_status s = trib_safetensors_load(file, NULL, NULL);
    if (trib_failed(&s))
        trib_safetensors_close(file);
    else
        *out = file;
    return s;
}

/* Range check: position of `tensor`'s bytes [offset, offset + size) in the data. */
static trib_status find_bytes(const trib_safetensors *file, const trib_tensor *tensor, int64_t offset, size_t size,
                              int64_t *at)
{
    for (int i = 0; i < file->base.count; ++i) {
        if (&file->base.tensors[i] != tensor) continue;
        int64_t all = place(file, i + 1) - place(file, i);
        if (offset < 0 || offset > all || size > (uint64_t)(all - offset))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                              "tensor '%.150s': %zu bytes from %" PRId64 " on are outside of its %" PRId64,
                              tensor->name, size, offset, all);
        *at = file->places[i] + offset;
        return trib_success();
    }
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_read: the tensor is not one of this file");
}

trib_status trib_safetensors_read(trib_safetensors *file, const trib_tensor *tensor, int64_t offset, void *buffer,
                                  size_t size)
{
    trib_blob *blob = &file->blob;
    int64_t at = 0;
    size_t got = 0;
    TRIB_TRY(find_bytes(file, tensor, offset, size, &at));
    if (tensor->data) {
        if (size) memcpy(buffer, (const char *)tensor->data + offset, size);
        return trib_success();
    }
    if (!trib_blob_is_open(blob))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "tensor '%.150s': its data was released", tensor->name);
    at += file->data_at;
    if (trib_blob_size(blob) < 0 && at < trib_blob_at(blob))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: a pipe cannot be read again from byte %" PRId64,
                          trib_shorten(blob->path).text, at);
    TRIB_TRY(trib_blob_skip_to(blob, at));
    TRIB_TRY(trib_blob_read(blob, buffer, size, &got));
    if (got < size)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: tensor '%.150s': ends after %" PRId64 " bytes; the file is truncated",
                          trib_shorten(blob->path).text, tensor->name, offset + (int64_t)got);
    return trib_success();
}

void trib_safetensors_release_data(trib_safetensors *file)
{
    trib_free(file->data);
    file->data = NULL;
    set_data(file, NULL);
}

void trib_safetensors_close(trib_safetensors *file)
{
    if (!file) return;
    trib_blob_close(&file->blob);
    trib_free(file->data);
    trib_free(file->base.tensors);
    trib_free(file->places);
    trib_free(file->by_name);
    trib_free(file->base.metadata);
    trib_json_free(file->header);
    trib_free(file);
}

/* ---- what is in it ---- */

int trib_safetensors_count(const trib_safetensors *file) { return file->base.count; }

const trib_tensor *trib_safetensors_tensors(const trib_safetensors *file) { return file->base.tensors; }

static int compare_tensor(const void *name, const void *tensor)
{
    return strcmp(name, (*(const trib_tensor *const *)tensor)->name);
}

const trib_tensor *trib_safetensors_find(const trib_safetensors *file, const char *name)
{
    if (!file->base.count) return NULL;
    const trib_tensor **found =
        bsearch(name, file->by_name, (size_t)file->base.count, sizeof *file->by_name, compare_tensor);
    return found ? *found : NULL;
}

int trib_safetensors_metadata_count(const trib_safetensors *file) { return file->base.metadata_count; }

const trib_key_value *trib_safetensors_metadata(const trib_safetensors *file) { return file->base.metadata; }

const char *trib_safetensors_metadata_get(const trib_safetensors *file, const char *key)
{
    return trib_weights_metadata(&file->base, key);
}
