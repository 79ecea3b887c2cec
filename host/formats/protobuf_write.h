/* SPDX-License-Identifier: Apache-2.0
 * Writes protocol buffers from the inside out: a message is complete before it becomes a field of another. Values of
 * tensors stay where they are until the file is written.
 *
 *     trib_pb_message inner = { 0 }, outer = { 0 };
 *     trib_pb_put_string(&inner, 1, "conv1");
 *     trib_pb_put_borrowed(&inner, 9, values, size);
 *     trib_pb_move(&outer, 5, &inner);
 *     s = trib_pb_write(&outer, output);
 *     trib_pb_message_free(&outer);
 *
 * The caller puts fields in the order of their numbers, as other writers do. */
#ifndef TRIBUTARY_FORMATS_PROTOBUF_WRITE_H
#define TRIBUTARY_FORMATS_PROTOBUF_WRITE_H

#include "formats/file.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the caller's that belong between two bytes of a message's own. */
typedef struct trib_pb_hole {
    size_t at; /* in the message's own bytes */
    const void *bytes;
    size_t size;
} trib_pb_hole;

/* Zero-initialise. Once out of memory it stays `failed` and accepts no more. */
typedef struct trib_pb_message {
    trib_text own;
    trib_pb_hole *holes; /* in the order of `at` */
    size_t hole_count, hole_capacity;
    uint64_t borrowed; /* bytes in all holes */
    bool failed;
} trib_pb_message;

/* Negative numbers are given as the uint64_t of the same bits. */
void trib_pb_put_number(trib_pb_message *message, uint32_t field, uint64_t value);
void trib_pb_put_float(trib_pb_message *message, uint32_t field, float value);
void trib_pb_put_string(trib_pb_message *message, uint32_t field, const char *chars);
/* `bytes` must outlive the message. */
void trib_pb_put_borrowed(trib_pb_message *message, uint32_t field, const void *bytes, size_t size);
/* Adds `inner` as a field and releases it. */
void trib_pb_move(trib_pb_message *message, uint32_t field, trib_pb_message *inner);
/* Adds the fields of `more`, and releases it. */
void trib_pb_append(trib_pb_message *message, trib_pb_message *more);

uint64_t trib_pb_message_size(const trib_pb_message *message);
/* TRIB_OUT_OF_MEMORY if a part of the message is missing, TRIB_UNSUPPORTED from 2 GiB on, which other programs cannot
 * read. */
trib_status trib_pb_message_check(const trib_pb_message *message);
/* The message without a length before it. */
trib_status trib_pb_write(const trib_pb_message *message, trib_output *output);
void trib_pb_message_free(trib_pb_message *message);

#ifdef __cplusplus
}
#endif
#endif
