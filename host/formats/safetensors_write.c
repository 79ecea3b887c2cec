/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "data/file.h"
#include "formats/safetensors_private.h"
#include "tributary/internal/alloc.h"

static void put_tensor(trib_text *t, const trib_tensor *tensor, uint64_t begin, uint64_t end)
{
    trib_text_json(t, tensor->name);
    trib_text_format(t, ":{\"dtype\":\"%s\",\"shape\":[", trib_safetensors_dtype_name(tensor->dtype));
    for (int i = 0; i < tensor->shape.rank; ++i) trib_text_format(t, "%s%" PRId64, i ? "," : "", tensor->shape.dim[i]);
    trib_text_format(t, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, end);
}

static void put_metadata(trib_text *t, const trib_key_value *metadata, int count)
{
    trib_text_json(t, TRIB_SAFETENSORS_METADATA);
    trib_text_add(t, ":{");
    for (int i = 0; i < count; ++i) {
        if (i) trib_text_add(t, ",");
        trib_text_json(t, metadata[i].key);
        trib_text_add(t, ":");
        trib_text_json(t, metadata[i].value);
    }
    trib_text_add(t, "}");
}

trib_status trib_safetensors_tensor_bytes(const trib_tensor *tensor, uint64_t *bytes)
{
    int64_t count = 0;
    if (!tensor->name) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a tensor has no name");
    if (!trib_safetensors_dtype_name(tensor->dtype))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "tensor '%.150s': unknown element type", tensor->name);
    trib_status s = trib_shape_count(&tensor->shape, &count);
    if (!trib_failed(&s) && count && !tensor->data) s = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "has no data");
    if (!trib_failed(&s) && count > ((int64_t)1 << 50)) s = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "is too large");
    trib_add_context(&s, "tensor '%.150s'", tensor->name);
    *bytes = (uint64_t)count * trib_dtype_size(tensor->dtype);
    return s;
}

/* The header with its length in front, padded with spaces so that the data begins at a multiple of 8. */
static trib_status build_header(trib_text *t, const trib_tensor *tensors, int count, const trib_key_value *metadata,
                                int metadata_count, uint64_t *data_size)
{
    uint64_t at = 0;
    trib_text_put(t, "\0\0\0\0\0\0\0", 8);
    trib_text_add(t, "{");
    if (metadata_count) put_metadata(t, metadata, metadata_count);
    for (int i = 0; i < count; ++i) {
        uint64_t bytes = 0;
        TRIB_TRY(trib_safetensors_tensor_bytes(&tensors[i], &bytes));
        if (i || metadata_count) trib_text_add(t, ",");
        put_tensor(t, &tensors[i], at, at + bytes);
        at += bytes;
    }
    trib_text_add(t, "}");
    while (t->size % 8 && !t->failed) trib_text_add(t, " ");
    if (t->failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the header of %d tensors", count);
    for (int i = 0; i < 8; ++i) t->bytes[i] = (char)((uint64_t)(t->size - 8) >> (8 * i) & 0xFF);
    *data_size = at;
    return trib_success();
}

/* Written files must be readable: the reader itself finds repeated names, bad UTF-8 and the like. */
static trib_status check_header(const trib_text *t, uint64_t data_size)
{
    if (t->size - 8 > TRIB_SAFETENSORS_MAX_HEADER)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the header would be over the format's limit of 100 MB");
    if (data_size > SIZE_MAX) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "more data than this machine can address");
    trib_safetensors *file = trib_alloc_zeroed(1, sizeof *file);
    if (!file) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to check the header");
    file->blob.reader.fd = -1;
    trib_status s = trib_safetensors_read_header(file, t->bytes + 8, t->size - 8);
    if (!trib_failed(&s)) s = trib_safetensors_check_data(file, data_size);
    trib_safetensors_close(file);
    return s;
}

trib_status trib_safetensors_make_header(trib_text *text, const trib_tensor *tensors, int count,
                                         const trib_key_value *metadata, int metadata_count)
{
    uint64_t data_size = 0;
    trib_status s = build_header(text, tensors, count, metadata, metadata_count, &data_size);
    if (!trib_failed(&s)) s = check_header(text, data_size);
    if (s.code == TRIB_BAD_DATA || s.code == TRIB_UNSUPPORTED)
        s.code = TRIB_INVALID_ARGUMENT; /* an error of the caller's, not of a file */
    return s;
}

static trib_status write_all(const char *path, const trib_text *header, const trib_tensor *tensors, int count)
{
    trib_output *output = NULL;
    trib_status s;
    TRIB_TRY(trib_output_open(path, &output));
    TRIB_TRY_GOTO(s, fail, trib_output_write(output, header->bytes, header->size));
    for (int i = 0; i < count; ++i) {
        uint64_t bytes = 0;
        TRIB_TRY_GOTO(s, fail, trib_safetensors_tensor_bytes(&tensors[i], &bytes));
        TRIB_TRY_GOTO(s, fail, trib_output_write(output, tensors[i].data, (size_t)bytes));
    }
    return trib_output_commit(output);
fail:
    trib_output_abandon(output);
    return s;
}

static bool arguments_missing(const char *path, const trib_tensor *tensors, int count, const trib_key_value *metadata,
                              int metadata_count)
{
    if (!path || count < 0 || (count && !tensors) || metadata_count < 0 || (metadata_count && !metadata)) return true;
    for (int i = 0; i < metadata_count; ++i)
        if (!metadata[i].key || !metadata[i].value) return true;
    return false;
}

trib_status trib_safetensors_write(const char *path, const trib_tensor *tensors, int count,
                                   const trib_key_value *metadata, int metadata_count)
{
    if (arguments_missing(path, tensors, count, metadata, metadata_count))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_safetensors_write: an argument is NULL or negative");
    trib_text header = { 0 };
    trib_status s = trib_safetensors_make_header(&header, tensors, count, metadata, metadata_count);
    trib_add_context(&s, "%s: cannot be written", trib_shorten(path).text);
    if (!trib_failed(&s)) s = write_all(path, &header, tensors, count);
    trib_text_free(&header);
    return s;
}
