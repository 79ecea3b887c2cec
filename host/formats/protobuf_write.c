/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/protobuf_write.h"

#include <inttypes.h>
#include <string.h>

#include "formats/protobuf.h"
#include "tributary/internal/alloc.h"

static void put_varint(trib_pb_message *m, uint64_t value)
{
    char bytes[10];
    size_t size = 0;
    for (; value > 127; value >>= 7) bytes[size++] = (char)((value & 127) | 128);
    bytes[size++] = (char)value;
    trib_text_put(&m->own, bytes, size);
    m->failed |= m->own.failed;
}

static void put_key(trib_pb_message *m, uint32_t field, trib_pb_type type)
{
    put_varint(m, (uint64_t)field << 3 | (uint64_t)type);
}

void trib_pb_put_number(trib_pb_message *m, uint32_t field, uint64_t value)
{
    put_key(m, field, TRIB_PB_VARINT);
    put_varint(m, value);
}

void trib_pb_put_float(trib_pb_message *m, uint32_t field, float value)
{
    char bytes[sizeof value];
    memcpy(bytes, &value, sizeof value);
    put_key(m, field, TRIB_PB_FIXED32);
    trib_text_put(&m->own, bytes, sizeof bytes);
    m->failed |= m->own.failed;
}

void trib_pb_put_string(trib_pb_message *m, uint32_t field, const char *chars)
{
    put_key(m, field, TRIB_PB_BYTES);
    put_varint(m, strlen(chars));
    trib_text_put(&m->own, chars, strlen(chars));
    m->failed |= m->own.failed;
}

static void add_hole(trib_pb_message *m, size_t at, const void *bytes, size_t size)
{
    if (m->failed) return;
    m->failed = trib_grow((void **)&m->holes, &m->hole_capacity, m->hole_count + 1, sizeof *m->holes) != 0;
    if (m->failed) return;
    m->holes[m->hole_count++] = (trib_pb_hole) { at, bytes, size };
    m->borrowed += size;
}

void trib_pb_put_borrowed(trib_pb_message *m, uint32_t field, const void *bytes, size_t size)
{
    put_key(m, field, TRIB_PB_BYTES);
    put_varint(m, size);
    add_hole(m, m->own.size, bytes, size);
}

void trib_pb_append(trib_pb_message *m, trib_pb_message *more)
{
    const size_t at = m->own.size;
    if (more->own.size) trib_text_put(&m->own, more->own.bytes, more->own.size);
    for (size_t i = 0; i < more->hole_count; ++i)
        add_hole(m, at + more->holes[i].at, more->holes[i].bytes, more->holes[i].size);
    m->failed |= more->failed || m->own.failed;
    trib_pb_message_free(more);
}

void trib_pb_move(trib_pb_message *m, uint32_t field, trib_pb_message *inner)
{
    put_key(m, field, TRIB_PB_BYTES);
    put_varint(m, trib_pb_message_size(inner));
    trib_pb_append(m, inner);
}

uint64_t trib_pb_message_size(const trib_pb_message *m) { return m->own.size + m->borrowed; }

trib_status trib_pb_message_check(const trib_pb_message *m)
{
    if (m->failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the description of a model");
    if (trib_pb_message_size(m) <= INT32_MAX) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%" PRIu64 " bytes, but other programs read at most 2 GiB of this format",
                      trib_pb_message_size(m));
}

trib_status trib_pb_write(const trib_pb_message *m, trib_output *output)
{
    size_t at = 0;
    for (size_t i = 0; i < m->hole_count; at = m->holes[i++].at) {
        TRIB_TRY(trib_output_write(output, m->own.bytes + at, m->holes[i].at - at));
        TRIB_TRY(trib_output_write(output, m->holes[i].bytes, m->holes[i].size));
    }
    return m->own.size > at ? trib_output_write(output, m->own.bytes + at, m->own.size - at) : trib_success();
}

void trib_pb_message_free(trib_pb_message *m)
{
    trib_text_free(&m->own);
    trib_free(m->holes);
    *m = (trib_pb_message) { 0 };
}
