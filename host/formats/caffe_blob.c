/* SPDX-License-Identifier: Apache-2.0
 * Caffe's tensors, BlobProto: num 1, channels 2, height 3, width 4 (of older files; they win), data 5, shape 7 (after
 * the data), double_data 8 (wins over data), and of other programs raw_data 12. */
#include <inttypes.h>
#include <string.h>

#include "formats/caffe.h"

enum { NUM = 1, WIDTH = 4, DATA = 5, SHAPE = 7, DOUBLE_DATA = 8, RAW_DATA = 12 };

/* Bytes of each form of data. */
typedef struct sizes {
    uint64_t single, twice;
    bool legacy, raw;
    trib_shape shape, legacy_shape;
} sizes;

static trib_status add_bytes(const trib_pb_field *f, const char *what, size_t element, uint64_t *sum)
{
    const uint64_t size = f->type == TRIB_PB_BYTES ? trib_pb_size(&f->bytes) : element;
    const trib_pb_type alone = element == 4 ? TRIB_PB_FIXED32 : TRIB_PB_FIXED64;
    if (f->type != TRIB_PB_BYTES && f->type != alone)
        return TRIB_ERROR(TRIB_BAD_DATA, "its %s have the wrong wire type", what);
    if (size % element)
        return TRIB_ERROR(TRIB_BAD_DATA, "%" PRIu64 " bytes of %s are not a whole number of them", size, what);
    *sum += size;
    return trib_success();
}

static trib_status read_shape(trib_pb bytes, trib_shape *out)
{
    trib_pb_field f;
    int count = 0;
    while (trib_pb_next(&bytes, &f))
        if (f.number == 1) TRIB_TRY(trib_pb_take_integers(&f, out->dim, TRIB_MAX_RANK, &count));
    TRIB_TRY(trib_pb_end(&bytes));
    if (count > TRIB_MAX_RANK)
        return TRIB_ERROR(TRIB_BAD_DATA, "its shape has %d dimensions; at most %d are possible", count, TRIB_MAX_RANK);
    out->rank = count;
    return trib_success();
}

static trib_status read_sizes(trib_pb bytes, sizes *s)
{
    trib_pb_field f;
    *s = (sizes) { .legacy_shape.rank = 4 };
    while (trib_pb_next(&bytes, &f)) {
        if (f.number >= NUM && f.number <= WIDTH && f.type == TRIB_PB_VARINT) {
            s->legacy_shape.dim[f.number - NUM] = (int64_t)f.value;
            s->legacy = true;
        }
        if (f.number == DATA) TRIB_TRY(add_bytes(&f, "floats", 4, &s->single));
        if (f.number == DOUBLE_DATA) TRIB_TRY(add_bytes(&f, "doubles", 8, &s->twice));
        if (trib_pb_is(&f, SHAPE, TRIB_PB_BYTES)) TRIB_TRY(read_shape(f.bytes, &s->shape));
        if (f.number == RAW_DATA) s->raw = true;
    }
    return trib_pb_end(&bytes);
}

trib_status trib_caffe_read_blob(trib_pb bytes, trib_caffe_blob *out)
{
    sizes s;
    char text[TRIB_SHAPE_TEXT];
    int64_t wanted = 0;
    TRIB_TRY(read_sizes(bytes, &s));
    if (s.raw)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "its values are in raw_data, which Caffe itself does not have; save it with Caffe");
    *out = (trib_caffe_blob) { .bytes = bytes, .dtype = TRIB_F32, .shape = s.legacy ? s.legacy_shape : s.shape };
    TRIB_TRY(trib_shape_count(&out->shape, &wanted));
    out->count = (int64_t)(s.twice ? s.twice / 8 : s.single / 4);
    if (out->count == wanted) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "it has %" PRId64 " values where its shape %s needs %" PRId64, out->count,
                      trib_shape_text(&out->shape, text), wanted);
}

void trib_caffe_lower_rank(trib_shape *shape, int rank)
{
    while (shape->rank > rank && shape->dim[0] == 1) {
        memmove(shape->dim, shape->dim + 1, (size_t)--shape->rank * sizeof *shape->dim);
        shape->dim[shape->rank] = 0;
    }
}

/* ---- moving values together ---- */

/* Single-precision values of the field at `to`, which is not behind them; returns where the next ones go. */
static unsigned char *move_floats(const trib_pb_field *f, unsigned char *to)
{
    const uint32_t alone = (uint32_t)f->value;
    const size_t size = f->type == TRIB_PB_BYTES ? trib_pb_size(&f->bytes) : sizeof alone;
    const void *from = f->type == TRIB_PB_BYTES ? (const void *)f->bytes.at : &alone;
    if (from != to) memmove(to, from, size);
    return to + size;
}

static unsigned char *move_doubles(const trib_pb_field *f, unsigned char *to)
{
    const size_t count = f->type == TRIB_PB_BYTES ? trib_pb_size(&f->bytes) / 8 : 1;
    const void *from = f->type == TRIB_PB_BYTES ? (const void *)f->bytes.at : &f->value;
    for (size_t i = 0; i < count; ++i, to += 4) {
        double value;
        memcpy(&value, (const char *)from + 8 * i, sizeof value);
        const float single = (float)value;
        memcpy(to, &single, sizeof single);
    }
    return to;
}

static bool has_doubles(trib_pb bytes)
{
    trib_pb_field f;
    while (trib_pb_next(&bytes, &f))
        if (f.number == DOUBLE_DATA && (f.type == TRIB_PB_FIXED64 || trib_pb_size(&f.bytes))) return true;
    return false;
}

const void *trib_caffe_settle(const trib_caffe_blob *blob)
{
    const bool twice = has_doubles(blob->bytes);
    trib_pb bytes = blob->bytes;
    trib_pb_field f;
    unsigned char *begin = NULL, *to = NULL;
    while (trib_pb_next(&bytes, &f)) {
        if (f.number != (twice ? DOUBLE_DATA : DATA)) continue;
        /* A single value ends where the next field begins. */
        const unsigned char *value = f.type == TRIB_PB_BYTES ? f.bytes.at : bytes.at - (twice ? 8 : 4);
        if (!begin) begin = to = (unsigned char *)(uintptr_t)value;
        to = twice ? move_doubles(&f, to) : move_floats(&f, to);
    }
    return begin ? begin : blob->bytes.at; /* without values there is nothing to read */
}
