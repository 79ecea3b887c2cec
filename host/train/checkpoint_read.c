/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "data/file.h"
#include "formats/safetensors_private.h"
#include "train/checkpoint.h"
#include "train/checkpoint_format.h"
#include "train/checkpoint_load.h"
#include "train/crc32c.h"
#include "tributary/internal/alloc.h"

struct trib_checkpoint {
    trib_safetensors *file;
};

/* Eight lower-case digits: upper case would be a flipped bit. */
static bool read_digits(const char *digits, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < TRIB_CHECKPOINT_DIGITS; ++i) {
        const char c = digits[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

/* ---- the header ---- */

/* Bytes before the data, by the first eight of the file. */
static trib_status header_size(const unsigned char *start, size_t got, int64_t size, size_t *out)
{
    uint64_t length = 0;
    if (got < TRIB_SAFETENSORS_LENGTH)
        return TRIB_ERROR(TRIB_BAD_DATA, "header: it ends after %zu bytes; the file is truncated", got);
    for (int i = 0; i < TRIB_SAFETENSORS_LENGTH; ++i) length |= (uint64_t)start[i] << (8 * i);
    if (length > TRIB_SAFETENSORS_MAX_HEADER || (int64_t)length > size - TRIB_SAFETENSORS_LENGTH)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "header (bytes 0 to 7): its length of %" PRIu64 " is more than a file of %" PRId64
                          " bytes can have; the file is damaged or truncated, or is no checkpoint",
                          length, size);
    *out = TRIB_SAFETENSORS_LENGTH + (size_t)length;
    return trib_success();
}

static trib_status check_header(char *bytes, size_t size)
{
    uint32_t wanted = 0, found;
    if (size < TRIB_CHECKPOINT_SMALLEST_HEADER ||
        memcmp(bytes + TRIB_SAFETENSORS_LENGTH, TRIB_CHECKPOINT_START, sizeof TRIB_CHECKPOINT_START - 1) != 0)
        return TRIB_ERROR(
            TRIB_BAD_DATA,
            "header (bytes 0 to %zu): does not begin like that of a checkpoint; the file is damaged, or is "
            "another file",
            size - 1);
    bool digits = read_digits(bytes + TRIB_CHECKPOINT_DIGITS_AT, &wanted);
    memset(bytes + TRIB_CHECKPOINT_DIGITS_AT, '0', TRIB_CHECKPOINT_DIGITS);
    found = trib_crc32c(0, bytes, size);
    if (!digits || found != wanted)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "header (bytes 0 to %zu): is damaged: its checksum is %08" PRIx32
                          ", the file says %08" PRIx32,
                          size - 1, found, wanted);
    if (bytes[TRIB_CHECKPOINT_VERSION_AT] != TRIB_CHECKPOINT_VERSION[0])
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "header: the checkpoint has version %c, only " TRIB_CHECKPOINT_VERSION
                          " can be read; use a later Tributary",
                          bytes[TRIB_CHECKPOINT_VERSION_AT]);
    return trib_success();
}

/* Leaves the blob at its beginning, for the reader of safetensors. Errors of `blob` already name the file. */
static trib_status check_start(trib_blob *blob)
{
    unsigned char start[TRIB_SAFETENSORS_LENGTH];
    size_t got = 0, size = 0;
    void *bytes = NULL;
    if (trib_blob_size(blob) < 0)
        return trib_with_name(TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a checkpoint is a file, and this is a pipe"),
                              blob->path);
    TRIB_TRY(trib_blob_read(blob, start, sizeof start, &got));
    TRIB_TRY(trib_with_name(header_size(start, got, trib_blob_size(blob), &size), blob->path));
    TRIB_TRY(trib_blob_skip_to(blob, 0));
    TRIB_TRY(trib_blob_take(blob, size, &bytes, &got)); /* all of it: a file that shrank has failed */
    trib_status s = trib_with_name(check_header(bytes, got), blob->path);
    trib_free(bytes);
    return trib_failed(&s) ? s : trib_blob_skip_to(blob, 0);
}

static trib_status open_file(const char *path, trib_safetensors **out)
{
    trib_blob blob;
    TRIB_TRY(trib_blob_open(path, &blob));
    trib_status s = check_start(&blob);
    if (!trib_failed(&s)) return trib_safetensors_open_blob(&blob, out);
    trib_blob_close(&blob);
    return s;
}

/* ---- the data ---- */

static trib_status check_tensor(const trib_safetensors *file, int i, const char *digits)
{
    const trib_tensor *tensor = &file->base.tensors[i];
    int64_t begin = file->places[i], end = i + 1 < file->base.count ? file->places[i + 1] : file->data_size;
    uint32_t wanted = 0, found = trib_crc32c(0, tensor->data, (size_t)(end - begin));
    if (read_digits(digits, &wanted) && found == wanted) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "section '%.150s' (bytes %" PRId64 " to %" PRId64 "): is damaged: its checksum is %08" PRIx32
                      ", the file says %08" PRIx32,
                      tensor->name, file->data_at + begin, file->data_at + end - 1, found, wanted);
}

/* Of the tensors that were loaded. */
static trib_status check_data(const trib_safetensors *file)
{
    const char *digits = trib_weights_metadata(&file->base, TRIB_CHECKPOINT_DATA_KEY);
    size_t wanted = (size_t)file->base.count * TRIB_CHECKPOINT_DIGITS;
    if (!digits || strlen(digits) != wanted)
        return TRIB_ERROR(TRIB_BAD_DATA, "header: '" TRIB_CHECKPOINT_DATA_KEY "' is not %zu digits", wanted);
    for (int i = 0; i < file->base.count; ++i)
        if (file->base.tensors[i].data) TRIB_TRY(check_tensor(file, i, digits + (size_t)i * TRIB_CHECKPOINT_DIGITS));
    return trib_success();
}

/* Whether the header is one of a checkpoint, and nobody else's; leaves the file before its data. */
static trib_status is_intact(trib_safetensors *file, bool *intact)
{
    *intact = false;
    if (!trib_weights_metadata(&file->base, TRIB_CHECKPOINT_DATA_KEY) || trib_blob_size(&file->blob) < 0)
        return trib_success();
    TRIB_TRY(trib_blob_skip_to(&file->blob, 0));
    trib_status s = check_start(&file->blob);
    *intact = !trib_failed(&s);
    if (trib_failed(&s) && s.code != TRIB_BAD_DATA && s.code != TRIB_UNSUPPORTED) return s;
    return trib_blob_skip_to(&file->blob, file->data_at);
}

trib_status trib_checkpoint_load(trib_weights_file *file, const char *path, trib_tensor_wanted wanted,
                                 const void *context)
{
    bool intact = false;
    if (file->driver == &trib_safetensors_driver) TRIB_TRY(is_intact((trib_safetensors *)file, &intact));
    TRIB_TRY(trib_weights_load(file, wanted, context));
    return intact ? trib_with_name(check_data((trib_safetensors *)file), path) : trib_success();
}

static trib_status open_checkpoint(const char *path, bool data, trib_checkpoint **out)
{
    if (!path || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_checkpoint_open: an argument is NULL");
    trib_checkpoint *c = trib_alloc_zeroed(1, sizeof *c);
    if (!c) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(path).text);
    trib_status s = open_file(path, &c->file);
    if (data && !trib_failed(&s)) s = trib_safetensors_load(c->file, NULL, NULL);
    if (data && !trib_failed(&s)) s = trib_with_name(check_data(c->file), path);
    if (trib_failed(&s))
        trib_checkpoint_close(c);
    else
        *out = c;
    return s;
}

trib_status trib_checkpoint_open(const char *path, trib_checkpoint **out) { return open_checkpoint(path, true, out); }

trib_status trib_checkpoint_open_header(const char *path, trib_checkpoint **out)
{
    return open_checkpoint(path, false, out);
}

void trib_checkpoint_close(trib_checkpoint *checkpoint)
{
    if (!checkpoint) return;
    trib_safetensors_close(checkpoint->file);
    trib_free(checkpoint);
}

int trib_checkpoint_count(const trib_checkpoint *checkpoint) { return checkpoint->file->base.count; }

const trib_tensor *trib_checkpoint_tensors(const trib_checkpoint *checkpoint) { return checkpoint->file->base.tensors; }

const trib_tensor *trib_checkpoint_find(const trib_checkpoint *checkpoint, const char *name)
{
    return trib_safetensors_find(checkpoint->file, name);
}

const char *trib_checkpoint_metadata(const trib_checkpoint *checkpoint, const char *key)
{
    return trib_weights_metadata(&checkpoint->file->base, key);
}
