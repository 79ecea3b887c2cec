/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "formats/safetensors_private.h"
#include "train/checkpoint.h"
#include "train/checkpoint_format.h"
#include "train/crc32c.h"
#include "tributary/internal/alloc.h"

/* What is written: the caller's lists in the order of the file. */
typedef struct contents {
    trib_tensor *tensors;
    int count;
    trib_key_value *metadata; /* the format's own keys first */
    int metadata_count;
    trib_text checksums;
} contents;

static void release(contents *c)
{
    trib_free(c->tensors);
    trib_free(c->metadata);
    trib_text_free(&c->checksums);
}

/* With the largest elements first, all data is aligned: PyTorch cannot map a tensor that is not. */
static void copy_by_size(contents *c, const trib_tensor *tensors, int count)
{
    for (size_t size = 8; size; size /= 2)
        for (int i = 0; i < count; ++i)
            if (trib_dtype_size(tensors[i].dtype) == size) c->tensors[c->count++] = tensors[i];
}

static trib_status check_key(const trib_key_value *pair)
{
    if (!pair->key || !pair->value) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a key or value of metadata is NULL");
    if (strncmp(pair->key, TRIB_CHECKPOINT_KEY, strlen(TRIB_CHECKPOINT_KEY)) == 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the key '%.100s' is the format's own; use another", pair->key);
    return trib_success();
}

static trib_status add_checksums(contents *c)
{
    for (int i = 0; i < c->count; ++i) {
        uint64_t bytes = 0;
        TRIB_TRY(trib_safetensors_tensor_bytes(&c->tensors[i], &bytes));
        trib_text_format(&c->checksums, "%08" PRIx32, trib_crc32c(0, c->tensors[i].data, (size_t)bytes));
    }
    trib_text_add(&c->checksums, "");
    if (c->checksums.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d checksums", c->count);
    c->metadata[0] = (trib_key_value) { TRIB_CHECKPOINT_KEY, TRIB_CHECKPOINT_VERSION " 00000000" };
    c->metadata[1] = (trib_key_value) { TRIB_CHECKPOINT_DATA_KEY, c->checksums.bytes };
    return trib_success();
}

static trib_status collect(contents *c, const trib_tensor *tensors, int count, const trib_key_value *metadata,
                           int metadata_count)
{
    if (count < 0 || (count && !tensors) || metadata_count < 0 || (metadata_count && !metadata))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_checkpoint_write: an argument is NULL or negative");
    c->metadata_count = metadata_count + 2;
    c->tensors = trib_alloc_zeroed((size_t)count, sizeof *c->tensors);
    c->metadata = trib_alloc_zeroed((size_t)c->metadata_count, sizeof *c->metadata);
    if (!c->tensors || !c->metadata) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", count);
    for (int i = 0; i < metadata_count; ++i) {
        TRIB_TRY(check_key(&metadata[i]));
        c->metadata[i + 2] = metadata[i];
    }
    copy_by_size(c, tensors, count);
    if (c->count < count) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a tensor has an unknown element type");
    return add_checksums(c);
}

/* The header with its own checksum. */
static trib_status make_header(const contents *c, trib_text *header)
{
    char digits[TRIB_CHECKPOINT_DIGITS + 1];
    TRIB_TRY(trib_safetensors_make_header(header, c->tensors, c->count, c->metadata, c->metadata_count));
    snprintf(digits, sizeof digits, "%08" PRIx32, trib_crc32c(0, header->bytes, header->size));
    memcpy(header->bytes + TRIB_CHECKPOINT_DIGITS_AT, digits, TRIB_CHECKPOINT_DIGITS);
    return trib_success();
}

static trib_status write_file(const char *path, const contents *c, const trib_text *header)
{
    trib_output *output = NULL;
    trib_status s;
    TRIB_TRY(trib_output_open(path, &output));
    TRIB_TRY_GOTO(s, fail, trib_output_write(output, header->bytes, header->size));
    for (int i = 0; i < c->count; ++i) {
        uint64_t bytes = 0;
        TRIB_TRY_GOTO(s, fail, trib_safetensors_tensor_bytes(&c->tensors[i], &bytes));
        TRIB_TRY_GOTO(s, fail, trib_output_write(output, c->tensors[i].data, (size_t)bytes));
    }
    return trib_output_commit_to_disk(output);
fail:
    trib_output_abandon(output);
    return s;
}

trib_status trib_checkpoint_write(const char *path, const trib_tensor *tensors, int count,
                                  const trib_key_value *metadata, int metadata_count)
{
    if (!path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_checkpoint_write: path is NULL");
    contents c = { 0 };
    trib_text header = { 0 };
    trib_status s = collect(&c, tensors, count, metadata, metadata_count);
    if (!trib_failed(&s)) s = make_header(&c, &header);
    trib_add_context(&s, "%s: cannot be written", trib_shorten(path).text);
    if (!trib_failed(&s)) s = write_file(path, &c, &header);
    trib_text_free(&header);
    release(&c);
    return s;
}
