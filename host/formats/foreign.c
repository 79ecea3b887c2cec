/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/foreign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "formats/protobuf.h"

/* No model is shorter. */
enum { LEAST_BYTES = 9, SHOWN_BYTES = 8 };

typedef struct foreign_row {
    size_t at, length; /* offset of the format's own bytes; length 0: `is` decides */
    const char *bytes;
    bool (*is)(const unsigned char *head, size_t size);
    const char *what, *instead;
    bool no_weights; /* such a file holds no weights */
} foreign_row;

static bool has(const unsigned char *head, size_t size, size_t at, const char *bytes, size_t length)
{
    return size >= at + length && !memcmp(head + at, bytes, length);
}

static bool is_html(const unsigned char *head, size_t size)
{
    static const char *const beginnings[] = { "<!doctype html", "<html" };
    size_t at = has(head, size, 0, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (at < size && strchr(" \t\r\n", head[at]) && head[at]) ++at;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; ++i) {
        size_t length = strlen(beginnings[i]);
        if (size - at >= length && !strncasecmp((const char *)head + at, beginnings[i], length)) return true;
    }
    return false;
}

/* A pickle of protocol 2 to 5. */
static bool is_pickle(const unsigned char *head, size_t size)
{
    return size > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5;
}

/* Schema version 1, then a graph that is longer than a name. */
static bool is_saved_model(const unsigned char *head, size_t size)
{
    return has(head, size, 0, "\x08\x01\x12", 3) && size > 3 && head[3] >= 0x80;
}

bool trib_is_text(const unsigned char *head, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        if (head[i] == 0x7F || (head[i] < ' ' && (!head[i] || !strchr("\t\r\n", head[i])))) return false;
    return size > 0;
}

#define BYTES(place, text) .at = (place), .bytes = (text), .length = sizeof(text) - 1

/* The first row that fits gives the message. */
static const foreign_row rows[] = {
    { BYTES(0, "version https://git-lfs"), .what = "a Git LFS pointer, not the file itself",
      .instead = "run 'git lfs pull' in its repository", .no_weights = true },
    { .is = is_html,
      .what = "an HTML page, most likely a server's answer instead of the file",
      .instead = "download it again, and check what arrives",
      .no_weights = true },
    { BYTES(0, "\x1F\x8B"), .what = "packed with gzip", .instead = "unpack it with gunzip" },
    { BYTES(0, "\x28\xB5\x2F\xFD"), .what = "packed with zstd", .instead = "unpack it with unzstd" },
    { BYTES(0, "\xFD\x37\x7A\x58\x5A"), .what = "packed with xz", .instead = "unpack it with unxz" },
    { BYTES(0, "BZh"), .what = "packed with bzip2", .instead = "unpack it with bunzip2" },
    { BYTES(0, "\x89HDF\r\n\x1A\n"), .what = "an HDF5 file, as Keras and Caffe write them",
      .instead = "save its weights as safetensors with the program that made it" },
    { .is = is_pickle,
      .what = "a Python pickle without the magic number of PyTorch's files",
      .instead = "save a model's state_dict with torch.save" },
    { BYTES(4, "TFL3"), .what = "a TensorFlow Lite model",
      .instead = "save the weights of the network that it was made from as safetensors" },
    { .is = is_saved_model, .what = "a TensorFlow SavedModel", .instead = "save its weights as safetensors" },
    { BYTES(0, "GGUF"), .what = "a GGUF file", .instead = "name a file of an Inception network" },
    { .is = trib_is_text,
      .what = "a text file",
      .instead = "name the file that holds the weights; a prototxt is given with --prototxt",
      .no_weights = true },
};

static bool fits(const foreign_row *row, const unsigned char *head, size_t size)
{
    return row->is ? row->is(head, size) : has(head, size, row->at, row->bytes, row->length);
}

#define CAN_READ "only safetensors files, PyTorch files, Caffe models and ONNX models can be read"

/* What is wrong with the first bytes of a damaged Caffe or ONNX model. */
static const char *as_protobuf(const unsigned char *head, size_t size)
{
    trib_pb message = trib_pb_of(head, size);
    trib_pb_field field;
    while (trib_pb_next(&message, &field)) continue;
    return message.problem ? message.problem : "of an unknown kind";
}

static trib_status unknown(const unsigned char *head, size_t size)
{
    char text[3 * SHOWN_BYTES + 1];
    if (size < LEAST_BYTES)
        return TRIB_ERROR(TRIB_BAD_DATA, "%zu bytes are too few for a model file; it is truncated", size);
    for (int i = 0; i < SHOWN_BYTES; ++i) snprintf(text + 3 * i, sizeof text - 3u * (size_t)i, " %02x", head[i]);
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "not a model file of a known format: it begins with the bytes%s (as protocol buffers: %s); " CAN_READ, text,
        as_protobuf(head, size));
}

trib_status trib_foreign_format(const unsigned char *head, size_t size)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i)
        if (fits(&rows[i], head, size))
            return TRIB_ERROR(rows[i].no_weights ? TRIB_BAD_DATA : TRIB_UNSUPPORTED, "is %s; " CAN_READ ": %s",
                              rows[i].what, rows[i].instead);
    return unknown(head, size);
}
