/* SPDX-License-Identifier: Apache-2.0
 * The elements of tensors: from a storage, by their strides, in this machine's byte order. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

/* What is read now. Storages that are compressed are unpacked whole, one at a time. */
typedef struct reading {
    trib_torch_file *file;
    int *order; /* indices of wanted tensors, those of a storage together */
    int count;
    int storage;    /* of the following; -1: none */
    int64_t at;     /* of its bytes in the file */
    char *unpacked; /* NULL: not compressed */
} reading;

/* A tensor's elements before they are put in order: those from its first to its last. */
typedef struct span {
    char *bytes;
    bool owned;
    int64_t count;
} span;

/* ---- which, and whether they fit ---- */

static int64_t element_count(const trib_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->shape.rank; ++i) count *= tensor->shape.dim[i];
    return count;
}

static trib_status check_memory(const reading *r)
{
    const int64_t size = trib_blob_size(&r->file->blob);
    int64_t most = size > INT64_MAX / 8 ? INT64_MAX : 4 * size + TRIB_TORCH_SPARE_BYTES;
    for (int i = 0; i < r->count; ++i) {
        const trib_tensor *t = &r->file->base.tensors[r->order[i]];
        const int64_t bytes = element_count(t) * (int64_t)trib_dtype_size(t->dtype);
        if (bytes > most)
            return BAD(
                "tensor '%.150s': the tensors repeat or compress their elements so often that the file of %" PRId64
                " bytes would need much more memory",
                t->name, size);
        most -= bytes;
    }
    return trib_success();
}

typedef struct choice {
    int tensor, storage;
} choice;

static int by_storage(const void *a, const void *b)
{
    const choice *x = a, *y = b;
    if (x->storage != y->storage) return x->storage < y->storage ? -1 : 1;
    return (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

static trib_status choose(reading *r, trib_tensor_wanted wanted, const void *context)
{
    const trib_torch_file *file = r->file;
    choice *choices = trib_alloc_zeroed((size_t)file->base.count, sizeof *choices);
    r->order = trib_alloc_zeroed((size_t)file->base.count, sizeof *r->order);
    if (choices && r->order) {
        for (int i = 0; i < file->base.count; ++i)
            if (!wanted || wanted(context, &file->base.tensors[i]))
                choices[r->count++] = (choice) { i, file->views[i].storage };
        if (r->count) qsort(choices, (size_t)r->count, sizeof *choices, by_storage);
        for (int i = 0; i < r->count; ++i) r->order[i] = choices[i].tensor;
    }
    trib_free(choices);
    if (choices && r->order) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", file->base.count);
}

/* ---- bytes ---- */

static trib_status go_to_storage(reading *r, int storage)
{
    const trib_torch_storage *s = &r->file->storages[storage];
    const trib_zip_member *packed = NULL;
    if (r->storage == storage) return trib_success();
    trib_free(r->unpacked);
    r->unpacked = NULL;
    r->storage = -1;
    TRIB_TRY(trib_torch_locate(r->file, s, &r->at, &packed));
    const int64_t most = 4 * trib_blob_size(&r->file->blob) + TRIB_TORCH_SPARE_BYTES;
    if (packed) TRIB_TRY(trib_zip_take(&r->file->blob, packed, most, &r->unpacked));
    r->storage = storage;
    return trib_success();
}

static trib_status read_span(reading *r, const trib_tensor *tensor, const trib_torch_view *view, span *out)
{
    const int64_t item = (int64_t)trib_dtype_size(view->dtype), at = view->offset * item;
    out->count = 1;
    for (int i = 0; i < tensor->shape.rank; ++i) out->count += (tensor->shape.dim[i] - 1) * view->stride[i];
    if (r->unpacked) {
        out->bytes = r->unpacked + at;
        return trib_success();
    }
    out->bytes = trib_alloc((size_t)(out->count * item));
    if (!out->bytes) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %" PRId64 " elements", out->count);
    out->owned = true;
    return trib_blob_read_at(&r->file->blob, r->at + at, out->bytes, (size_t)(out->count * item));
}

/* ---- elements ---- */

static void swap_bytes(char *bytes, int64_t count, size_t item)
{
    for (int64_t i = 0; i < count; ++i, bytes += item)
        for (size_t low = 0, high = item - 1; low < high; ++low, --high) {
            const char byte = bytes[low];
            bytes[low] = bytes[high];
            bytes[high] = byte;
        }
}

static bool is_dense(const trib_tensor *tensor, const trib_torch_view *view)
{
    int64_t step = 1;
    for (int i = tensor->shape.rank - 1; i >= 0; --i) {
        if (tensor->shape.dim[i] != 1 && view->stride[i] != step) return false;
        step *= tensor->shape.dim[i];
    }
    return true;
}

/* Copies elements into the order of their indices, a row of the last extent at a time. */
static void gather(const trib_tensor *tensor, const trib_torch_view *view, const char *from, char *to, size_t item)
{
    const int last = tensor->shape.rank - 1;
    const int64_t row = last >= 0 ? tensor->shape.dim[last] : 1, step = last >= 0 ? view->stride[last] : 0;
    int64_t index[TRIB_MAX_RANK] = { 0 }, at = 0;
    for (;;) {
        for (int64_t i = 0; i < row; ++i, to += item) memcpy(to, from + (size_t)(at + i * step) * item, item);
        int axis = last - 1;
        for (; axis >= 0; --axis) {
            at += view->stride[axis];
            if (++index[axis] < tensor->shape.dim[axis]) break;
            at -= index[axis] * view->stride[axis];
            index[axis] = 0;
        }
        if (axis < 0) return;
    }
}

/* Puts float32 in the place of f64. Values that were finite stay so. */
static trib_status narrow(char **block, int64_t count)
{
    float *values = trib_realloc_array(NULL, (size_t)count, sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %" PRId64 " elements", count);
    for (int64_t i = 0; i < count; ++i) {
        double wide;
        memcpy(&wide, *block + 8 * i, sizeof wide);
        values[i] = (float)wide;
        if (!isinf(values[i]) || isinf(wide)) continue;
        trib_free(values);
        return BAD("element %" PRId64 " is %g, which is too large for float32", i, wide);
    }
    trib_free(*block);
    *block = (char *)values;
    return trib_success();
}

static bool is_swapped(const trib_torch_file *file)
{
    const uint16_t one = 1;
    return file->big_endian == (*(const unsigned char *)&one == 1);
}

/* Where the elements are as they are needed: in the bytes of a pipe; NULL: nowhere. */
static const void *find_in_pipe(const reading *r, const trib_tensor *tensor, const trib_torch_view *view)
{
    const size_t item = trib_dtype_size(view->dtype);
    const int64_t at = r->at + view->offset * (int64_t)item;
    if (!r->file->piped || r->unpacked || view->dtype == TRIB_F64 || is_swapped(r->file)) return NULL;
    return is_dense(tensor, view) && at % (int64_t)item == 0 ? (const char *)r->file->piped + at : NULL;
}

/* Takes what `from` has, or copies it. */
static trib_status arrange(const trib_torch_file *file, const trib_tensor *tensor, const trib_torch_view *view,
                           span *from, char **block)
{
    const int64_t count = element_count(tensor);
    const size_t item = trib_dtype_size(view->dtype);
    if (from->owned && is_dense(tensor, view)) {
        *block = from->bytes;
        from->owned = false;
    } else {
        *block = trib_alloc((size_t)count * item);
        if (!*block) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %" PRId64 " elements", count);
        gather(tensor, view, from->bytes, *block, item);
    }
    if (is_swapped(file)) swap_bytes(*block, count, item);
    return view->dtype == TRIB_F64 ? narrow(block, count) : trib_success();
}

static trib_status read_tensor(reading *r, int i)
{
    trib_tensor *tensor = &r->file->base.tensors[i];
    const trib_torch_view *view = &r->file->views[i];
    span from = { 0 };
    char *block = NULL;
    if (!element_count(tensor)) {
        block = trib_alloc(0);
        tensor->data = r->file->blocks[i] = block;
        return block ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory");
    }
    TRIB_TRY(go_to_storage(r, view->storage));
    tensor->data = find_in_pipe(r, tensor, view);
    r->file->lends = r->file->lends || tensor->data;
    if (tensor->data) return trib_success();
    trib_status s = read_span(r, tensor, view, &from);
    if (!trib_failed(&s)) s = arrange(r->file, tensor, view, &from, &block);
    if (from.owned) trib_free(from.bytes);
    if (trib_failed(&s))
        trib_free(block);
    else
        tensor->data = r->file->blocks[i] = block;
    return s;
}

/* ---- the file ---- */

/* What only reading needs. */
static void forget(trib_torch_file *file)
{
    trib_blob_close(&file->blob);
    trib_pickle_free(&file->pickle);
    trib_zip_free(&file->zip);
    trib_free(file->pickle_bytes);
    file->pickle_bytes = NULL;
    if (file->lends) return;
    trib_free(file->piped);
    file->piped = NULL;
}

trib_status trib_torch_load(trib_torch_file *file, trib_tensor_wanted wanted, const void *context)
{
    reading r = { .file = file, .storage = -1 };
    trib_status s;
    TRIB_TRY_GOTO(s, done, choose(&r, wanted, context));
    TRIB_TRY_GOTO(s, done, check_memory(&r));
    file->blocks = trib_alloc_zeroed((size_t)file->base.count, sizeof *file->blocks);
    if (!file->blocks) s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", file->base.count);
    for (int i = 0; !trib_failed(&s) && i < r.count; ++i) {
        s = read_tensor(&r, r.order[i]);
        trib_add_context(&s, "tensor '%.150s'", file->base.tensors[r.order[i]].name);
    }
done:
    trib_free(r.order);
    trib_free(r.unpacked);
    if (trib_failed(&s))
        trib_torch_release_data(file);
    else
        forget(file);
    return s;
}

void trib_torch_release_data(trib_torch_file *file)
{
    for (int i = 0; file->blocks && i < file->base.count; ++i) {
        trib_free(file->blocks[i]);
        file->base.tensors[i].data = NULL;
    }
    trib_free(file->blocks);
    file->blocks = NULL;
    if (!file->lends) return;
    trib_free(file->piped);
    file->piped = NULL;
    file->lends = false;
}
