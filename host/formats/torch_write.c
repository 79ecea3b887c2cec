/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/torch_write.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "formats/zip_write.h"

static const char *storage_class(trib_dtype dtype)
{
    switch (dtype) {
    case TRIB_F32: return "FloatStorage";
    case TRIB_F16: return "HalfStorage";
    case TRIB_BF16: return "BFloat16Storage";
    case TRIB_F64: return "DoubleStorage";
    case TRIB_I64: return "LongStorage";
    case TRIB_I32: return "IntStorage";
    case TRIB_U8: return "ByteStorage";
    default: return NULL;
    }
}

/* ---- the pickle ---- */

static void put(trib_text *t, uint64_t n, int bytes)
{
    for (int i = 0; i < bytes; ++i) {
        const char byte = (char)(n >> (8 * i) & 0xFF);
        trib_text_put(t, &byte, 1);
    }
}

static void put_string(trib_text *t, const char *chars)
{
    trib_text_add(t, "X");
    put(t, strlen(chars), 4);
    trib_text_add(t, chars);
}

/* BININT, or LONG1. */
static void put_integer(trib_text *t, int64_t n)
{
    trib_text_add(t, n <= INT32_MAX ? "J" : "\x8A\x08");
    put(t, (uint64_t)n, n <= INT32_MAX ? 4 : 8);
}

static void put_place(trib_text *t, const trib_shape *shape)
{
    int64_t stride[TRIB_MAX_RANK], step = 1;
    for (int i = shape->rank - 1; i >= 0; step *= shape->dim[i--]) stride[i] = step;
    put_integer(t, 0); /* offset */
    trib_text_add(t, "(");
    for (int i = 0; i < shape->rank; ++i) put_integer(t, shape->dim[i]);
    trib_text_add(t, "t(");
    for (int i = 0; i < shape->rank; ++i) put_integer(t, stride[i]);
    trib_text_add(t, "t");
}

/* _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks). */
static void put_tensor(trib_text *t, const trib_tensor *tensor, int64_t count, int key)
{
    char number[16];
    snprintf(number, sizeof number, "%d", key);
    put_string(t, tensor->name);
    trib_text_add(t, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_string(t, "storage");
    trib_text_add(t, "ctorch\n");
    trib_text_add(t, storage_class(tensor->dtype));
    trib_text_add(t, "\n");
    put_string(t, number);
    put_string(t, "cpu");
    put_integer(t, count);
    trib_text_add(t, "tQ");
    put_place(t, &tensor->shape);
    trib_text_add(t, "\x89"
                     "ccollections\nOrderedDict\n)RtR");
}

static trib_status make_pickle(trib_text *t, const trib_tensor *tensors, int count)
{
    trib_text_add(t, "\x80\x02"
                     "ccollections\nOrderedDict\n)R(");
    for (int i = 0; i < count; ++i) {
        int64_t elements = 0;
        TRIB_TRY(trib_shape_count(&tensors[i].shape, &elements));
        if (!storage_class(tensors[i].dtype))
            return TRIB_ERROR(TRIB_UNSUPPORTED, "tensor '%.150s' is %s, which a PyTorch file does not have",
                              tensors[i].name, trib_dtype_name(tensors[i].dtype));
        put_tensor(t, &tensors[i], elements, i);
    }
    trib_text_add(t, "u.");
    return t->failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a pickle of %d tensors", count) : trib_success();
}

/* ---- the archive ---- */

static const char *byte_order(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one ? "little" : "big";
}

static trib_status add_members(trib_zip_writer *zip, const trib_text *pickle, const trib_tensor *tensors, int count)
{
    TRIB_TRY(trib_zip_add(zip, "archive/data.pkl", pickle->bytes, pickle->size));
    TRIB_TRY(trib_zip_add(zip, "archive/byteorder", byte_order(), strlen(byte_order())));
    for (int i = 0; i < count; ++i) {
        char name[32];
        int64_t elements = 0;
        snprintf(name, sizeof name, "archive/data/%d", i);
        TRIB_TRY(trib_shape_count(&tensors[i].shape, &elements));
        TRIB_TRY(trib_zip_add(zip, name, tensors[i].data, (size_t)elements * trib_dtype_size(tensors[i].dtype)));
    }
    TRIB_TRY(trib_zip_add(zip, "archive/version", "3\n", 2));
    return trib_zip_finish(zip);
}

static trib_status write_archive(const char *path, const trib_text *pickle, const trib_tensor *tensors, int count)
{
    trib_zip_writer zip = { 0 };
    TRIB_TRY(trib_output_open(path, &zip.output));
    trib_status s = add_members(&zip, pickle, tensors, count);
    trib_zip_writer_free(&zip);
    if (!trib_failed(&s)) return trib_output_commit(zip.output);
    trib_output_abandon(zip.output);
    return s;
}

trib_status trib_torch_write(const char *path, const trib_tensor *tensors, int count)
{
    trib_text pickle = { 0 };
    trib_status s = make_pickle(&pickle, tensors, count);
    trib_add_context(&s, "%s: cannot be written", trib_shorten(path).text);
    if (!trib_failed(&s)) s = write_archive(path, &pickle, tensors, count);
    trib_text_free(&pickle);
    return s;
}
