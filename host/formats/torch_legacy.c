/* SPDX-License-Identifier: Apache-2.0
 * torch.save from 0.1.11 to 1.5, and later if asked: five pickles one behind the other, which are a magic number, the
 * protocol, the machine, the object and the keys of its storages; then, for each key, an int64 and as many elements.
 * They are little-endian whatever the third pickle says, and not aligned. */
#include <inttypes.h>
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

enum { MAGIC, PROTOCOL, MACHINE, OBJECT, KEYS, PICKLES, FIRST_READ = 1 << 20, COUNT_BYTES = 8 };

static const char *const names[] = { "magic number", "protocol version", "description of the machine", "object",
                                     "list of storages" };

/* The beginning of the file, as much as was read. */
typedef struct beginning {
    char *bytes;
    size_t size;
    size_t at; /* where the next pickle begins */
} beginning;

/* Reads `size` bytes of the file, or all of a shorter one, with a zero byte behind them. */
static trib_status read_beginning(trib_torch_file *file, size_t size, beginning *b)
{
    const int64_t all = trib_blob_size(&file->blob);
    if ((int64_t)size > all) size = (size_t)all;
    char *larger = trib_realloc_array(b->bytes, size + 1, 1);
    if (!larger) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu bytes", size);
    b->bytes = larger;
    TRIB_TRY(trib_blob_read_at(&file->blob, (int64_t)b->size, b->bytes + b->size, size - b->size));
    b->bytes[size] = '\0';
    b->size = size;
    return trib_success();
}

/* Reads more of the file as long as the pickle needs more. */
static trib_status read_pickle(trib_torch_file *file, int i, beginning *b, trib_pickle *out)
{
    for (;;) {
        trib_status s = trib_pickle_read(b->bytes + b->at, b->size - b->at, out);
        if (!trib_failed(&s)) break;
        const bool all = (int64_t)b->size >= trib_blob_size(&file->blob), cut = out->cut_short;
        trib_pickle_free(out);
        if (cut && all)
            return BAD("the file ends inside of the %s: it was cut short; download or copy it again", names[i]);
        trib_add_context(&s, "the %s", names[i]);
        if (!cut || b->size >= TRIB_TORCH_MAX_PICKLE) return s;
        TRIB_TRY(read_beginning(file, 4 * b->size, b));
    }
    b->at += out->used;
    return trib_success();
}

static trib_status check_protocol(const trib_pickle *p)
{
    enum { KNOWN = 1001 };
    int64_t version = 0;
    if (!trib_pickle_integer(p, p->result, &version)) return BAD("its protocol version is not a number");
    if (version == KNOWN) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "has the protocol version %" PRId64 " of PyTorch's files; only %d is known",
                      version, KNOWN);
}

/* The pickles before the object. The magic number is what this file was recognised by. */
static trib_status read_small(trib_torch_file *file, int i, beginning *b)
{
    trib_pickle p = { 0 };
    TRIB_TRY(read_pickle(file, i, b, &p));
    trib_status s = i == PROTOCOL ? check_protocol(&p) : trib_success();
    trib_pickle_free(&p);
    return s;
}

/* ---- storages ---- */

static trib_status read_count(trib_torch_file *file, int64_t at, int64_t *count)
{
    unsigned char bytes[COUNT_BYTES];
    uint64_t n = 0;
    if (at > trib_blob_size(&file->blob) - COUNT_BYTES) return BAD("it ends before the storage; it was cut short");
    TRIB_TRY(trib_blob_read_at(&file->blob, at, bytes, sizeof bytes));
    for (int i = 0; i < COUNT_BYTES; ++i) n |= (uint64_t)bytes[i] << (8 * i);
    *count = (int64_t)n;
    return trib_success();
}

static trib_status place_storage(trib_torch_file *file, trib_torch_storage *s, int64_t *at)
{
    int64_t count = 0;
    if (!s->item)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "is a %s, whose size is not known",
                          trib_pickle_show(&file->pickle, s->type).text);
    if (s->at >= 0) return BAD("is there twice");
    TRIB_TRY(read_count(file, *at, &count));
    if (count != s->count) return BAD("has %" PRId64 " elements, but the object says %" PRId64, count, s->count);
    s->at = *at + COUNT_BYTES;
    if (count > (trib_blob_size(&file->blob) - s->at) / s->item)
        return BAD("needs more bytes than the file has; it was cut short");
    *at = s->at + count * s->item;
    return trib_success();
}

/* The storages lie in the order of `keys`. Bytes after the last are of no use. */
static trib_status place_storages(trib_torch_file *file, const trib_pickle *keys, int64_t at)
{
    uint32_t key = 0;
    trib_pickle_walk walk = trib_pickle_walk_over(keys, keys->result);
    if (trib_pickle_kind_of(keys, keys->result) != TRIB_PICKLE_LIST) return BAD("its storages are not in a list");
    while (trib_pickle_next(&walk, &key)) {
        const trib_pickle_value *k = trib_pickle_at(keys, key);
        if (k->kind != TRIB_PICKLE_STRING) return BAD("the list of storages has a key that is not a string");
        const int found = trib_torch_find_storage(file, k->as.text, k->count);
        if (found < 0)
            return BAD("the list of storages has '%s', which no tensor uses", trib_pickle_show(keys, key).text);
        trib_status s = place_storage(file, &file->storages[found], &at);
        trib_add_context(&s, "storage '%s'", trib_pickle_show(keys, key).text);
        if (trib_failed(&s)) return s;
    }
    return trib_success();
}

/* `bytes` hold the object's pickle, and must stay where they are. */
static trib_status read_rest(trib_torch_file *file, beginning *b)
{
    trib_pickle keys = { 0 };
    beginning rest = { 0 };
    TRIB_TRY(trib_torch_list_storages(file));
    trib_status s = trib_success();
    TRIB_TRY_GOTO(s, done, read_beginning(file, b->size, &rest));
    rest.at = b->at;
    TRIB_TRY_GOTO(s, done, read_pickle(file, KEYS, &rest, &keys));
    TRIB_TRY_GOTO(s, done, place_storages(file, &keys, (int64_t)rest.at));
    s = trib_torch_list_tensors(file);
done:
    trib_pickle_free(&keys);
    trib_free(rest.bytes);
    return s;
}

trib_status trib_torch_open_legacy(trib_torch_file *file)
{
    beginning b = { 0 };
    trib_status s;
    TRIB_TRY_GOTO(s, done, read_beginning(file, FIRST_READ, &b));
    for (int i = MAGIC; i < OBJECT; ++i) TRIB_TRY_GOTO(s, done, read_small(file, i, &b));
    TRIB_TRY_GOTO(s, done, read_pickle(file, OBJECT, &b, &file->pickle));
    file->pickle_bytes = b.bytes;
    return read_rest(file, &b);
done:
    trib_free(b.bytes);
    return s;
}
