/* SPDX-License-Identifier: Apache-2.0
 * TensorProto: dims 1, data_type 2, float_data 4, int32_data 5 (also bits of half precision), string_data 6, int64_data
 * 7, name 8, raw_data 9, double_data 10, external_data 13 {key 1, value 2}, data_location 14 (1: external). */
#include <inttypes.h>
#include <string.h>

#include "formats/onnx.h"
#include "tributary/internal/alloc.h"

enum { FLOATS = 4, INT32 = 5, STRINGS = 6, INT64 = 7, NAME = 8, RAW = 9, DOUBLES = 10, ENTRY = 13, LOCATION = 14 };

typedef struct type_row {
    uint64_t type;
    uint32_t field; /* of its values, if they are not raw */
    size_t size;    /* of an element */
    bool is_float;
    trib_dtype dtype;
} type_row;

static const type_row types[] = {
    { TRIB_ONNX_F32, FLOATS, 4, true, TRIB_F32 },  { TRIB_ONNX_F64, DOUBLES, 8, true, TRIB_F32 },
    { TRIB_ONNX_F16, INT32, 2, true, TRIB_F16 },   { TRIB_ONNX_BF16, INT32, 2, true, TRIB_BF16 },
    { TRIB_ONNX_I64, INT64, 8, false, TRIB_I64 },  { TRIB_ONNX_I32, INT32, 4, false, TRIB_I32 },
    { TRIB_ONNX_BOOL, INT32, 1, false, TRIB_I32 },
};

static const type_row *type_of(const trib_onnx_tensor *t)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
        if (types[i].type == t->type) return &types[i];
    return NULL;
}

/* ---- reading the description ---- */

/* Decimal digits; false: none, others, or too many. */
static bool read_digits(const trib_pb *text, uint64_t *out)
{
    uint64_t value = 0;
    for (const unsigned char *c = text->at; c < text->end; ++c) {
        if (*c < '0' || *c > '9' || value > (UINT64_MAX - 9) / 10) return false;
        value = value * 10 + (uint64_t)(*c - '0');
    }
    *out = value;
    return text->at < text->end;
}

/* Where an external tensor is, as far as it says. */
typedef struct external {
    bool is, has_length;
    trib_pb location;
    uint64_t offset, length;
} external;

static trib_status read_entry(trib_pb entry, external *e)
{
    trib_pb_field f;
    trib_pb key = trib_pb_of("", 0), value = key;
    bool good = true;
    while (trib_pb_next(&entry, &f)) {
        if (trib_pb_is(&f, 1, TRIB_PB_BYTES)) key = f.bytes;
        if (trib_pb_is(&f, 2, TRIB_PB_BYTES)) value = f.bytes;
    }
    TRIB_TRY(trib_pb_end(&entry));
    if (trib_pb_equals(&key, "location"))
        e->location = value;
    else if (trib_pb_equals(&key, "offset"))
        good = read_digits(&value, &e->offset);
    else if (trib_pb_equals(&key, "length"))
        good = e->has_length = read_digits(&value, &e->length);
    else if (!trib_pb_equals(&key, "checksum"))
        return TRIB_ERROR(TRIB_BAD_DATA, "external data have the unknown key '%.40s'", trib_pb_show(&key).text);
    if (good) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "external data have the %.40s '%.40s', which is no whole number",
                      trib_pb_show(&key).text, trib_pb_show(&value).text);
}

/* Fields that hold values, and how many values are in them. */
typedef struct content {
    bool raw, strings, typed;
    uint32_t typed_field;
    bool two_fields;
    uint64_t count;
} content;

/* int32_data and int64_data are varints. */
static uint64_t count_varints(trib_pb packed)
{
    uint64_t count = 0, value;
    while (trib_pb_next_varint(&packed, &value)) ++count;
    return packed.problem ? UINT64_MAX >> 1 : count;
}

static void add_values(const trib_pb_field *f, content *c)
{
    const size_t element = f->number == FLOATS ? 4 : f->number == DOUBLES ? 8 : 0;
    const uint64_t size = f->type == TRIB_PB_BYTES ? trib_pb_size(&f->bytes) : 0;
    c->two_fields |= c->typed && c->typed_field != f->number;
    c->typed = true;
    c->typed_field = f->number;
    if (f->type != TRIB_PB_BYTES)
        ++c->count;
    else if (!element)
        c->count += count_varints(f->bytes);
    else
        c->count += size % element ? UINT64_MAX >> 1 : size / element;
}

static trib_status read_fields(trib_pb message, trib_onnx_tensor *t, external *e, content *c)
{
    trib_pb_field f;
    int rank = 0;
    while (trib_pb_next(&message, &f)) {
        if (f.number == 1) TRIB_TRY(trib_pb_take_integers(&f, t->shape.dim, TRIB_MAX_RANK, &rank));
        if (trib_pb_is(&f, 2, TRIB_PB_VARINT)) t->type = f.value;
        if (trib_pb_is(&f, NAME, TRIB_PB_BYTES)) t->name = f.bytes;
        if (f.number == FLOATS || f.number == INT32 || f.number == INT64 || f.number == DOUBLES) add_values(&f, c);
        if (f.number == STRINGS) c->strings = true;
        if (trib_pb_is(&f, ENTRY, TRIB_PB_BYTES)) TRIB_TRY(read_entry(f.bytes, e));
        if (trib_pb_is(&f, LOCATION, TRIB_PB_VARINT)) e->is = f.value == 1;
        if (!trib_pb_is(&f, RAW, TRIB_PB_BYTES)) continue;
        c->raw = true;
        t->raw = f.bytes;
    }
    TRIB_TRY(trib_pb_end(&message));
    if (rank > TRIB_MAX_RANK)
        return TRIB_ERROR(TRIB_BAD_DATA, "it has %d dimensions; at most %d are possible", rank, TRIB_MAX_RANK);
    t->shape.rank = rank;
    return trib_shape_count(&t->shape, &t->count);
}

static trib_status wrong_size(const trib_onnx_tensor *t, uint64_t found, const char *what, uint64_t wanted)
{
    char text[TRIB_SHAPE_TEXT];
    return TRIB_ERROR(TRIB_BAD_DATA, "it has %" PRIu64 " %s where its shape %s needs %" PRIu64, found, what,
                      trib_shape_text(&t->shape, text), wanted);
}

static trib_status check_content(trib_onnx_tensor *t, const external *e, const content *c)
{
    const type_row *row = type_of(t);
    const int forms = c->raw + c->typed + c->strings + e->is;
    if (forms > 1 || c->two_fields) return TRIB_ERROR(TRIB_BAD_DATA, "it has values in two forms at once");
    if (c->strings || !row) return trib_success();         /* of no use here, unless something reads it */
    const uint64_t bytes = (uint64_t)t->count * row->size; /* below 2^62 * 8 only if it is compared by elements */
    if ((uint64_t)t->count > (UINT64_MAX >> 1) / row->size)
        return TRIB_ERROR(TRIB_BAD_DATA, "it has more values than any file");
    if (c->typed && c->typed_field != row->field)
        return TRIB_ERROR(TRIB_BAD_DATA, "its values are of another type than data_type says");
    if (c->typed && c->count != (uint64_t)t->count) return wrong_size(t, c->count, "values", (uint64_t)t->count);
    if (c->raw && trib_pb_size(&t->raw) != bytes) return wrong_size(t, trib_pb_size(&t->raw), "bytes", bytes);
    if (e->is && e->has_length && e->length != bytes) {
        TRIB_TRY(trib_onnx_check_location(&e->location)); /* the graver reason */
        return wrong_size(t, e->length, "bytes in another file", bytes);
    }
    if (!forms && t->count) return wrong_size(t, 0, "values", (uint64_t)t->count);
    t->byte_count = bytes;
    t->form = c->raw ? TRIB_ONNX_RAW : c->typed ? TRIB_ONNX_TYPED : e->is ? TRIB_ONNX_EXTERNAL : TRIB_ONNX_RAW;
    return trib_success();
}

trib_status trib_onnx_read_tensor(trib_pb message, trib_onnx_tensor *t)
{
    const trib_pb none = trib_pb_of("", 0);
    external e = { .location = none };
    content c = { 0 };
    *t = (trib_onnx_tensor) { .message = message, .name = none, .raw = none };
    trib_status s = read_fields(message, t, &e, &c);
    t->location = e.location;
    t->offset = e.offset;
    if (!trib_failed(&s)) s = check_content(t, &e, &c);
    if (e.is) trib_add_context(&s, "external data in '%.60s'", trib_pb_show(&e.location).text);
    if (trib_pb_size(&t->name)) trib_add_context(&s, "initialiser %.100s", trib_pb_show(&t->name).text);
    return s;
}

/* ---- values ---- */

trib_status trib_onnx_dtype(const trib_onnx_tensor *t, trib_dtype *out)
{
    const type_row *row = type_of(t);
    if (!row || !row->is_float || t->form == TRIB_ONNX_NO_VALUES)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "%.100s: values of type %" PRIu64
                          " cannot be weights; float, float16, bfloat16 and double can",
                          trib_pb_show(&t->name).text, t->type);
    *out = row->dtype;
    return trib_success();
}

/* The bits of value i of a typed field, in order, into `to`. */
static void gather(const trib_onnx_tensor *t, const type_row *row, unsigned char *to)
{
    trib_pb message = t->message;
    trib_pb_field f;
    uint64_t value;
    while (trib_pb_next(&message, &f)) {
        if (f.number != row->field) continue;
        if (f.type != TRIB_PB_BYTES) {
            memcpy(to, &f.value, row->size);
            to += row->size;
        } else if (row->field == FLOATS || row->field == DOUBLES) {
            memcpy(to, f.bytes.at, trib_pb_size(&f.bytes));
            to += trib_pb_size(&f.bytes);
        } else {
            for (; trib_pb_next_varint(&f.bytes, &value); to += row->size) memcpy(to, &value, row->size);
        }
    }
}

/* The elements as they are stored, in new memory. */
static trib_status take_copy(const trib_onnx_tensor *t, const char *folder, void **out)
{
    const type_row *row = type_of(t);
    unsigned char *copy = trib_alloc((size_t)t->byte_count);
    trib_status s = trib_success();
    if (!copy)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%.100s: no memory for its %" PRIu64 " bytes",
                          trib_pb_show(&t->name).text, t->byte_count);
    if (t->form == TRIB_ONNX_EXTERNAL)
        s = trib_onnx_read_external(t, folder, copy);
    else if (t->form == TRIB_ONNX_TYPED)
        gather(t, row, copy);
    else
        memcpy(copy, t->raw.at, (size_t)t->byte_count);
    if (trib_failed(&s))
        trib_free(copy);
    else
        *out = copy;
    return s;
}

static void to_single(void *values, int64_t count)
{
    for (int64_t i = 0; i < count; ++i) {
        double value;
        memcpy(&value, (char *)values + 8 * i, sizeof value);
        const float single = (float)value;
        memcpy((char *)values + 4 * i, &single, sizeof single);
    }
}

trib_status trib_onnx_take(const trib_onnx_tensor *t, const char *folder, const void **values, void **owned)
{
    if (t->form == TRIB_ONNX_RAW && t->type != TRIB_ONNX_F64) {
        *values = t->raw.at;
        *owned = NULL;
        return trib_success();
    }
    TRIB_TRY(take_copy(t, folder, owned));
    if (t->type == TRIB_ONNX_F64) to_single(*owned, t->count);
    *values = *owned;
    return trib_success();
}

/* Up to 64 bytes of them. */
static bool few(const trib_onnx_tensor *t, int limit, unsigned char bytes[64], const type_row **row)
{
    *row = type_of(t);
    if (!*row || t->count > limit || t->byte_count > 64 || t->form == TRIB_ONNX_EXTERNAL ||
        t->form == TRIB_ONNX_NO_VALUES)
        return false;
    if (t->form == TRIB_ONNX_TYPED)
        gather(t, *row, bytes);
    else
        memcpy(bytes, t->raw.at, (size_t)t->byte_count);
    return true;
}

bool trib_onnx_whole_numbers(const trib_onnx_tensor *t, int64_t *out, int limit, int *count)
{
    unsigned char bytes[64];
    const type_row *row;
    if (!few(t, limit, bytes, &row) || row->is_float) return false;
    for (*count = 0; *count < (int)t->count; ++*count) {
        int32_t half;
        out[*count] = 0;
        memcpy(&out[*count], bytes + row->size * (size_t)*count, row->size);
        memcpy(&half, bytes + row->size * (size_t)*count, sizeof half);
        if (row->size == 4) out[*count] = half;
    }
    return true;
}

bool trib_onnx_numbers(const trib_onnx_tensor *t, double *out, int limit, int *count)
{
    unsigned char bytes[64];
    const type_row *row;
    int64_t whole[8];
    if (!few(t, limit < 8 ? limit : 8, bytes, &row)) return false;
    if (!row->is_float && !trib_onnx_whole_numbers(t, whole, 8, count)) return false;
    for (*count = 0; *count < (int)t->count; ++*count) {
        const unsigned char *element = bytes + row->size * (size_t)*count;
        float single = 0;
        if (!row->is_float) {
            out[*count] = (double)whole[*count];
        } else if (t->type == TRIB_ONNX_F64) {
            memcpy(&out[*count], element, 8);
        } else {
            trib_convert_to_f32(element, row->dtype, 1, &single);
            out[*count] = (double)single;
        }
    }
    return true;
}
