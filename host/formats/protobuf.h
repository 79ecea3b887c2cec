/* SPDX-License-Identifier: Apache-2.0
 * Protocol buffers from memory, field by field, without a schema and without a copy.
 *
 *     trib_pb_field f;
 *     while (trib_pb_next(&message, &f))
 *         if (trib_pb_is(&f, 7, TRIB_PB_BYTES)) ...        f.bytes is a message or an array of its own
 *     TRIB_TRY(trib_pb_end(&message));
 *
 * The first damage ends the loop, and trib_pb_end says what it is and where. Nothing recurses: a reader goes into the
 * messages that it knows, and into no others. */
#ifndef TRIBUTARY_FORMATS_PROTOBUF_H
#define TRIBUTARY_FORMATS_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are those on the wire. */
typedef enum trib_pb_type { TRIB_PB_VARINT = 0, TRIB_PB_FIXED64, TRIB_PB_BYTES, TRIB_PB_FIXED32 = 5 } trib_pb_type;

/* The unread rest of a message or array. The memory is the caller's. */
typedef struct trib_pb {
    const unsigned char *file; /* where offsets in messages count from */
    const unsigned char *at, *end;
    const char *problem; /* NULL: none so far; at `at` */
} trib_pb;

typedef struct trib_pb_field {
    uint32_t number;
    trib_pb_type type;
    uint64_t value; /* of a varint or a fixed number: its bits */
    trib_pb bytes;  /* of a string, message or packed array */
} trib_pb_field;

trib_pb trib_pb_of(const void *bytes, size_t size);
static inline size_t trib_pb_size(const trib_pb *pb) { return (size_t)(pb->end - pb->at); }

/* The next field; groups (an old form of messages) are passed over. False at the end and at damage. */
bool trib_pb_next(trib_pb *message, trib_pb_field *field);
/* The next number of a packed array. False at the end and at damage. */
bool trib_pb_next_varint(trib_pb *array, uint64_t *value);
/* TRIB_BAD_DATA if the loop ended at damage. */
trib_status trib_pb_end(const trib_pb *pb);

static inline bool trib_pb_is(const trib_pb_field *field, uint32_t number, trib_pb_type type)
{
    return field->number == number && field->type == type;
}
/* A field's number in single precision. */
float trib_pb_float(const trib_pb_field *field);

/* Adds a field of a repeated whole number, packed or not, to values[0 .. *count): at most `limit`; *count goes on
 * counting. */
trib_status trib_pb_take_integers(const trib_pb_field *field, int64_t *values, int limit, int *count);

/* Whether the bytes are UTF-8 without control characters, and not empty. */
bool trib_pb_is_name(const trib_pb *bytes);
/* Up to 127 bytes of a string for a message, with '?' in place of what cannot be shown. */
typedef struct trib_pb_shown {
    char text[128];
} trib_pb_shown;
trib_pb_shown trib_pb_show(const trib_pb *bytes);
/* A copy that ends in a zero byte; NULL when out of memory. Release it with trib_free. */
char *trib_pb_copy(const trib_pb *bytes);
bool trib_pb_equals(const trib_pb *bytes, const char *text);

#ifdef __cplusplus
}
#endif
#endif
