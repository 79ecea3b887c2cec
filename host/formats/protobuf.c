/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/protobuf.h"

#include <string.h>

#include "formats/text.h"
#include "tributary/internal/alloc.h"

/* As deep as protobuf's own readers go. */
enum { MAX_GROUPS = 100, MAX_FIELD = (1 << 29) - 1, START_GROUP = 3, END_GROUP = 4 };

trib_pb trib_pb_of(const void *bytes, size_t size)
{
    static const unsigned char none[1];
    const unsigned char *begin = size ? bytes : none;
    return (trib_pb) { .file = begin, .at = begin, .end = begin + size };
}

static bool fail(trib_pb *pb, const char *problem)
{
    pb->problem = problem;
    return false;
}

bool trib_pb_next_varint(trib_pb *pb, uint64_t *value)
{
    if (pb->problem || pb->at == pb->end) return false;
    uint64_t result = 0;
    const unsigned char *at = pb->at;
    for (int shift = 0; shift < 70; shift += 7) {
        if (at == pb->end) return fail(pb, "a number (varint) goes on after the end of its message");
        const unsigned byte = *at++;
        if (shift == 63 && byte > 1) break;
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80) continue;
        pb->at = at;
        *value = result;
        return true;
    }
    return fail(pb, "a number (varint) has more than 64 bits");
}

/* Little-endian, of `size` bytes. */
static bool read_fixed(trib_pb *pb, int size, uint64_t *value)
{
    if (trib_pb_size(pb) < (size_t)size) return fail(pb, "a number goes on after the end of its message");
    *value = 0;
    for (int i = 0; i < size; ++i) *value |= (uint64_t)pb->at[i] << (8 * i);
    pb->at += size;
    return true;
}

/* A varint that must be there. */
static bool need_varint(trib_pb *pb, uint64_t *value)
{
    if (pb->at == pb->end) return fail(pb, "a field is cut off at the end of its message");
    return trib_pb_next_varint(pb, value);
}

static bool read_bytes(trib_pb *pb, trib_pb *bytes)
{
    uint64_t length;
    if (!need_varint(pb, &length)) return false;
    if (length > trib_pb_size(pb))
        return fail(pb, "the length of a field is more than the bytes up to the end of its message");
    *bytes = (trib_pb) { .file = pb->file, .at = pb->at, .end = pb->at + length };
    pb->at += length;
    return true;
}

/* The key, and what follows it; a group's key has nothing. */
static bool read_field(trib_pb *pb, trib_pb_field *f, unsigned *type)
{
    uint64_t key;
    if (!trib_pb_next_varint(pb, &key)) return false;
    *type = (unsigned)(key & 7);
    if (key >> 3 == 0) return fail(pb, "a field has the number 0");
    if (key >> 3 > MAX_FIELD) return fail(pb, "the number of a field has more than 29 bits");
    *f = (trib_pb_field) { .number = (uint32_t)(key >> 3), .type = (trib_pb_type)*type };
    switch (*type) {
    case TRIB_PB_VARINT: return need_varint(pb, &f->value);
    case TRIB_PB_FIXED64: return read_fixed(pb, 8, &f->value);
    case TRIB_PB_FIXED32: return read_fixed(pb, 4, &f->value);
    case TRIB_PB_BYTES: return read_bytes(pb, &f->bytes);
    case START_GROUP:
    case END_GROUP: return true;
    default: return fail(pb, "a field has a wire type that does not exist");
    }
}

/* Up to the end of the group of that number. */
static bool skip_group(trib_pb *pb, uint32_t number)
{
    uint32_t open[MAX_GROUPS];
    int depth = 0;
    trib_pb_field f;
    unsigned type;
    open[depth++] = number;
    while (depth) {
        if (pb->at == pb->end) return fail(pb, "a group has no end");
        if (!read_field(pb, &f, &type)) return false;
        if (type == START_GROUP && depth == MAX_GROUPS) return fail(pb, "groups are nested more than 100 deep");
        if (type == START_GROUP) open[depth++] = f.number;
        if (type == END_GROUP && open[--depth] != f.number) return fail(pb, "a group ends that was not begun");
    }
    return true;
}

bool trib_pb_next(trib_pb *pb, trib_pb_field *f)
{
    unsigned type;
    while (!pb->problem && read_field(pb, f, &type)) {
        if (type == END_GROUP) return fail(pb, "a group ends that was not begun");
        if (type != START_GROUP) return true;
        if (!skip_group(pb, f->number)) return false;
    }
    return false;
}

trib_status trib_pb_end(const trib_pb *pb)
{
    if (!pb->problem) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s (at byte %lld); the file is cut short or damaged", pb->problem,
                      (long long)(pb->at - pb->file));
}

float trib_pb_float(const trib_pb_field *field)
{
    float single;
    double twice;
    const uint32_t bits = (uint32_t)field->value;
    if (field->type == TRIB_PB_FIXED32) {
        memcpy(&single, &bits, sizeof single);
        return single;
    }
    if (field->type == TRIB_PB_VARINT) return (float)(int64_t)field->value;
    memcpy(&twice, &field->value, sizeof twice);
    return (float)twice;
}

trib_status trib_pb_take_integers(const trib_pb_field *field, int64_t *values, int limit, int *count)
{
    uint64_t value = field->value;
    trib_pb packed = field->bytes;
    if (field->type == TRIB_PB_VARINT) {
        if (*count < limit) values[*count] = (int64_t)value;
        ++*count;
        return trib_success();
    }
    if (field->type != TRIB_PB_BYTES) return TRIB_ERROR(TRIB_BAD_DATA, "a whole number has the wrong wire type");
    while (trib_pb_next_varint(&packed, &value)) {
        if (*count < limit) values[*count] = (int64_t)value;
        if (*count < INT32_MAX) ++*count;
    }
    return trib_pb_end(&packed);
}

bool trib_pb_is_name(const trib_pb *bytes)
{
    for (const unsigned char *c = bytes->at; c < bytes->end;) {
        if (*c < ' ' || *c == 0x7F) return false;
        char sequence[5] = "";
        memcpy(sequence, c, (size_t)(bytes->end - c) < 4 ? (size_t)(bytes->end - c) : 4);
        const int length = trib_utf8_length(sequence);
        if (!length || (*c == 0xC2 && c[1] < 0xA0)) return false;
        c += length;
    }
    return bytes->at < bytes->end;
}

trib_pb_shown trib_pb_show(const trib_pb *bytes)
{
    trib_pb_shown shown;
    size_t length = trib_pb_size(bytes) < sizeof shown.text ? trib_pb_size(bytes) : sizeof shown.text - 1;
    for (size_t i = 0; i < length; ++i)
        shown.text[i] = bytes->at[i] < ' ' || bytes->at[i] >= 0x7F ? '?' : (char)bytes->at[i];
    shown.text[length] = '\0';
    return shown;
}

char *trib_pb_copy(const trib_pb *bytes)
{
    const size_t size = trib_pb_size(bytes);
    char *copy = trib_alloc(size + 1);
    if (!copy) return NULL;
    memcpy(copy, bytes->at, size);
    copy[size] = '\0';
    return copy;
}

bool trib_pb_equals(const trib_pb *bytes, const char *text)
{
    return trib_pb_size(bytes) == strlen(text) && !memcmp(bytes->at, text, strlen(text));
}
