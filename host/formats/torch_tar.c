/* SPDX-License-Identifier: Apache-2.0
 * torch.save before 0.1.11: a tar archive of `storages`, `tensors` and `pickle`. The first two begin with the pickle of
 * a number; that many entries follow, each a small pickle and then bytes, little-endian. The object's pickle refers to
 * tensors by number. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

enum { BLOCK = 512, SIZE_AT = 124, SIZE_DIGITS = 12, KIND_AT = 156, NAME_LENGTH = 100, WINDOW = 1024 };

/* A member, and how far it has been read. */
typedef struct stream {
    const char *name;
    trib_blob *blob;
    int64_t at, end; /* in the file; end 0: not found */
} stream;

typedef struct archive {
    stream storages, tensors, pickle;
    bool has_checkpoint; /* of TensorFlow */
} archive;

/* ---- members ---- */

/* Digits of base 8, with spaces around them; larger numbers are of no use here. */
static bool read_octal(const char *digits, int64_t *out)
{
    int i = 0;
    *out = 0;
    while (i < SIZE_DIGITS && digits[i] == ' ') ++i;
    for (; i < SIZE_DIGITS && digits[i] >= '0' && digits[i] <= '7'; ++i) *out = *out * 8 + (digits[i] - '0');
    return i == SIZE_DIGITS || digits[i] == ' ' || !digits[i];
}

/* `header` ends in a zero byte. */
static trib_status note_member(archive *a, const char *header, int64_t at, int64_t size)
{
    stream *const streams[] = { &a->storages, &a->tensors, &a->pickle };
    a->has_checkpoint = a->has_checkpoint || strstr(header, ".ckpt");
    for (size_t i = 0; i < sizeof streams / sizeof *streams; ++i) {
        if (strncmp(header, streams[i]->name, NAME_LENGTH)) continue;
        if (streams[i]->end) return BAD("the tar archive has the member '%s' twice", streams[i]->name);
        streams[i]->at = at;
        streams[i]->end = at + size;
    }
    return trib_success();
}

static trib_status find_members(trib_blob *blob, archive *a)
{
    char header[BLOCK + 1] = "";
    const int64_t all = trib_blob_size(blob);
    int64_t size = 0;
    for (int64_t at = 0; at <= all - BLOCK; at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK) {
        TRIB_TRY(trib_blob_read_at(blob, at, header, BLOCK));
        if (!header[0]) break;
        if (!read_octal(header + SIZE_AT, &size) || size > all - at - BLOCK)
            return BAD("a member of the tar archive is larger than the file; it was cut short");
        if (header[KIND_AT] == '0' || !header[KIND_AT]) TRIB_TRY(note_member(a, header, at + BLOCK, size));
    }
    if (a->storages.end && a->tensors.end && a->pickle.end) return trib_success();
    if (a->has_checkpoint)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "is a tar archive of a TensorFlow checkpoint; export the network to ONNX "
                                            "with tf2onnx");
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "is a tar archive without PyTorch's members (storages, tensors, pickle); unpack it");
}

/* ---- entries ---- */

static trib_status read_bytes(stream *s, void *bytes, size_t size)
{
    if ((int64_t)size > s->end - s->at) return BAD("it ends inside an entry");
    TRIB_TRY(trib_blob_read_at(s->blob, s->at, bytes, size));
    s->at += (int64_t)size;
    return trib_success();
}

static trib_status read_number(stream *s, int bytes, int64_t *out)
{
    unsigned char b[8];
    uint64_t n = 0;
    TRIB_TRY(read_bytes(s, b, (size_t)bytes));
    for (int i = 0; i < bytes; ++i) n |= (uint64_t)b[i] << (8 * i);
    *out = (int64_t)n;
    return trib_success();
}

/* A small pickle, read into `window`. */
static trib_status read_pickle(stream *s, char window[WINDOW + 1], trib_pickle *out)
{
    const size_t size = s->end - s->at < WINDOW ? (size_t)(s->end - s->at) : WINDOW;
    TRIB_TRY(trib_blob_read_at(s->blob, s->at, window, size));
    window[size] = '\0';
    trib_status status = trib_pickle_read(window, size, out);
    s->at += (int64_t)out->used;
    if (trib_failed(&status)) trib_pickle_free(out);
    return status;
}

static trib_status read_count(stream *s, int64_t *count)
{
    char window[WINDOW + 1];
    trib_pickle p;
    TRIB_TRY(read_pickle(s, window, &p));
    const bool good = trib_pickle_integer(&p, p.result, count) && *count >= 0;
    trib_pickle_free(&p);
    return good ? trib_success() : BAD("its number of entries is none");
}

/* ---- storages ---- */

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b; /* the first member of what is compared */
    return (*x > *y) - (*x < *y);
}

/* Sorts by number; fails if two have the same. */
static trib_status sort(void *list, int count, size_t size, const char *what)
{
    if (count) qsort(list, (size_t)count, size, by_number);
    for (int i = 1; i < count; ++i) {
        const void *entry = (const char *)list + (size_t)i * size;
        if (!by_number((const char *)entry - size, entry)) return BAD("two %s have the same number", what);
    }
    return trib_success();
}

static trib_status add_storage(trib_torch_file *file, trib_torch_storage storage)
{
    void *block = file->storages;
    size_t capacity = file->storage_capacity;
    const size_t count = (size_t)file->storage_count + 1;
    if (count > TRIB_TORCH_MAX_TENSORS) return BAD("it has more than %d storages", TRIB_TORCH_MAX_TENSORS);
    if (trib_grow(&block, &capacity, count, sizeof *file->storages))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %zu storages", count);
    file->storages = block;
    file->storage_capacity = capacity;
    file->storages[file->storage_count++] = storage;
    return trib_success();
}

/* (number, location, type), then the count and the elements. */
static trib_status read_storage(trib_torch_file *file, stream *s)
{
    char window[WINDOW + 1];
    trib_pickle p;
    trib_torch_storage storage = { 0 };
    TRIB_TRY(read_pickle(s, window, &p));
    const uint32_t type = trib_pickle_item(&p, p.result, 2);
    bool good = trib_pickle_integer(&p, trib_pickle_item(&p, p.result, 0), &storage.number) &&
                trib_pickle_kind_of(&p, type) == TRIB_PICKLE_NAME;
    if (good) trib_torch_set_class(&p, type, &storage);
    trib_pickle_free(&p);
    if (!good || !storage.item) return BAD("an entry is no storage of a known type");
    TRIB_TRY(read_number(s, 8, &storage.count));
    storage.at = s->at;
    if (storage.count < 0 || storage.count > (s->end - s->at) / storage.item)
        return BAD("a storage of %" PRId64 " elements does not fit into it", storage.count);
    s->at += storage.count * storage.item;
    return add_storage(file, storage);
}

static int find_storage(const trib_torch_file *file, int count, int64_t number)
{
    const trib_torch_storage *found =
        count ? bsearch(&number, file->storages, (size_t)count, sizeof *file->storages, by_number) : NULL;
    return found ? (int)(found - file->storages) : -1;
}

/* (number, number of the storage that it is a part of, offset, elements). */
static trib_status add_view(trib_torch_file *file, const trib_pickle *p, uint32_t view, int storages)
{
    int64_t n[4] = { 0 };
    for (uint32_t i = 0; i < 4; ++i)
        if (!trib_pickle_integer(p, trib_pickle_item(p, view, i), &n[i])) return BAD("a view is not four numbers");
    const int found = find_storage(file, storages, n[1]);
    if (found < 0) return BAD("a view is of a storage that is not there");
    trib_torch_storage part = file->storages[found];
    if (n[2] < 0 || n[3] < 0 || n[2] > part.count || n[3] > part.count - n[2])
        return BAD("a view reaches beyond its storage");
    part.number = n[0];
    part.count = n[3];
    part.at += n[2] * part.item;
    return add_storage(file, part);
}

static trib_status read_views(trib_torch_file *file, stream *s)
{
    trib_pickle p = { 0 };
    uint32_t view = 0;
    const int storages = file->storage_count;
    const size_t size = (size_t)(s->end - s->at);
    if (size > TRIB_TORCH_MAX_PICKLE) return BAD("its list of views is too large: %zu bytes", size);
    char *bytes = trib_alloc(size + 1);
    if (!bytes) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu bytes", size);
    trib_status status = read_bytes(s, bytes, size);
    bytes[size] = '\0';
    if (!trib_failed(&status)) status = trib_pickle_read(bytes, size, &p);
    if (!trib_failed(&status)) {
        trib_pickle_walk walk = trib_pickle_walk_over(&p, p.result);
        while (!trib_failed(&status) && trib_pickle_next(&walk, &view)) status = add_view(file, &p, view, storages);
    }
    trib_pickle_free(&p);
    trib_free(bytes);
    return status;
}

static trib_status read_storages(trib_torch_file *file, stream *s)
{
    int64_t count = 0;
    TRIB_TRY(read_count(s, &count));
    for (int64_t i = 0; i < count; ++i) TRIB_TRY(read_storage(file, s));
    TRIB_TRY(sort(file->storages, file->storage_count, sizeof *file->storages, "storages"));
    TRIB_TRY(read_views(file, s));
    return sort(file->storages, file->storage_count, sizeof *file->storages, "storages");
}

/* ---- tensors ---- */

static trib_status add_tensor(trib_torch_file *file, const trib_torch_stored *tensor)
{
    void *block = file->stored;
    const size_t count = (size_t)file->stored_count + 1;
    if (count > TRIB_TORCH_MAX_TENSORS) return BAD("it has more than %d tensors", TRIB_TORCH_MAX_TENSORS);
    if (trib_grow(&block, &file->stored_capacity, count, sizeof *file->stored))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %zu tensors", count);
    file->stored = block;
    file->stored[file->stored_count++] = *tensor;
    return trib_success();
}

/* Rank, 4 bytes of no meaning, sizes, strides and offset. Names are not known yet, so what cannot be a tensor of a
 * network is refused here. */
static trib_status read_place(trib_torch_file *file, stream *s, trib_torch_stored *t)
{
    const trib_torch_storage *storage = &file->storages[t->view.storage];
    int64_t rank = 0, none = 0, count = 0;
    TRIB_TRY(read_number(s, 4, &rank));
    TRIB_TRY(read_number(s, 4, &none));
    if (rank > TRIB_MAX_RANK)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "a tensor has %" PRId64 " dimensions; at most %d are supported", rank,
                          TRIB_MAX_RANK);
    t->tensor.shape.rank = (int)rank;
    for (int i = 0; i < rank; ++i) TRIB_TRY(read_number(s, 8, &t->tensor.shape.dim[i]));
    for (int i = 0; i < rank; ++i) TRIB_TRY(read_number(s, 8, &t->view.stride[i]));
    TRIB_TRY(read_number(s, 8, &t->view.offset));
    bool good = t->view.offset >= 0;
    for (int i = 0; i < rank; ++i) good = good && t->tensor.shape.dim[i] >= 0 && t->view.stride[i] >= 0;
    if (!good) return BAD("a tensor has a negative size, stride or offset");
    TRIB_TRY(trib_shape_count(&t->tensor.shape, &count));
    if (count > INT64_MAX / 16 || trib_torch_reaches_outside(&t->tensor.shape, &t->view, storage->count))
        return BAD("a tensor has elements outside of its storage, or too many");
    return trib_success();
}

/* (number, number of the storage, type), then where it is. */
static trib_status read_tensor(trib_torch_file *file, stream *s)
{
    char window[WINDOW + 1];
    trib_pickle p;
    trib_torch_stored t = { 0 };
    int64_t number = 0;
    TRIB_TRY(read_pickle(s, window, &p));
    const bool good = trib_pickle_integer(&p, trib_pickle_item(&p, p.result, 0), &t.number) &&
                      trib_pickle_integer(&p, trib_pickle_item(&p, p.result, 1), &number);
    trib_pickle_free(&p);
    t.view.storage = good ? find_storage(file, file->storage_count, number) : -1;
    if (t.view.storage < 0) return BAD("a tensor is in a storage that is not there");
    const int dtype = file->storages[t.view.storage].dtype;
    if (dtype < 0) return TRIB_ERROR(TRIB_UNSUPPORTED, "a tensor has elements of a type that is not supported");
    t.view.dtype = (trib_dtype)dtype;
    t.tensor.dtype = t.view.dtype == TRIB_F64 ? TRIB_F32 : t.view.dtype;
    TRIB_TRY(read_place(file, s, &t));
    return add_tensor(file, &t);
}

static trib_status read_tensors(trib_torch_file *file, stream *s)
{
    int64_t count = 0;
    TRIB_TRY(read_count(s, &count));
    for (int64_t i = 0; i < count; ++i) TRIB_TRY(read_tensor(file, s));
    return sort(file->stored, file->stored_count, sizeof *file->stored, "tensors");
}

const trib_torch_stored *trib_torch_find_stored(const trib_torch_file *file, uint32_t value)
{
    const trib_pickle_value *v = trib_pickle_at(&file->pickle, value);
    int64_t number = 0;
    if (v->kind != TRIB_PICKLE_REFERENCE || !file->stored_count) return NULL;
    if (!trib_pickle_integer(&file->pickle, v->as.id, &number)) return NULL;
    return bsearch(&number, file->stored, (size_t)file->stored_count, sizeof *file->stored, by_number);
}

/* ---- the file ---- */

static trib_status read_object(trib_torch_file *file, stream *s)
{
    const int64_t size = s->end - s->at;
    if (size > TRIB_TORCH_MAX_PICKLE) return BAD("is too large: %" PRId64 " bytes", size);
    file->pickle_bytes = trib_alloc((size_t)size + 1);
    if (!file->pickle_bytes) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its %" PRId64 " bytes", size);
    TRIB_TRY(read_bytes(s, file->pickle_bytes, (size_t)size));
    file->pickle_bytes[size] = '\0';
    return trib_pickle_read(file->pickle_bytes, (size_t)size, &file->pickle);
}

static trib_status read_member(trib_torch_file *file, stream *s, trib_status (*read)(trib_torch_file *, stream *))
{
    s->blob = &file->blob;
    trib_status status = read(file, s);
    trib_add_context(&status, "tar member '%s'", s->name);
    return status;
}

trib_status trib_torch_open_tar(trib_torch_file *file)
{
    archive a = { { .name = "storages" }, { .name = "tensors" }, { .name = "pickle" }, false };
    TRIB_TRY(find_members(&file->blob, &a));
    TRIB_TRY(read_member(file, &a.storages, read_storages));
    TRIB_TRY(read_member(file, &a.tensors, read_tensors));
    TRIB_TRY(read_member(file, &a.pickle, read_object));
    return trib_torch_list_tensors(file);
}
