/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/foreign.h"

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

/* Servers of files, such as Amazon's, answer in XML. */
static bool is_error_page(const unsigned char *head, size_t size)
{
    static const char error[] = "<Error>";
    if (!has(head, size, 0, "<?xml", 5)) return false;
    for (size_t at = 0; at < size; ++at)
        if (has(head, size, at, error, sizeof error - 1)) return true;
    return false;
}

static bool is_web_page(const unsigned char *head, size_t size)
{
    static const char *const beginnings[] = { "<!doctype html", "<html", "<!--" };
    if (is_error_page(head, size)) return true;
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

/* A number of up to 7 bits in each of at most 5 bytes; its length, 0 if it is none. */
static size_t read_varint(const unsigned char *head, size_t size, size_t *value)
{
    enum { MOST = 5 };
    *value = 0;
    for (size_t i = 0; i < size && i < MOST; ++i) {
        *value |= (size_t)(head[i] & 0x7F) << (7 * i);
        if (head[i] < 0x80) return i + 1;
    }
    return 0;
}

/* Where the bytes of field 1 begin, a string or a message, and how many they are; 0: the first field is another. */
static size_t first_field(const unsigned char *head, size_t size, size_t *length)
{
    const size_t digits = size > 1 && head[0] == 0x0A ? read_varint(head + 1, size - 1, length) : 0;
    return digits ? 1 + digits : 0;
}

/* A node comes first, and its name in it; then what the node does. */
bool trib_is_tensorflow_graph(const unsigned char *head, size_t size)
{
    size_t node = 0, name = 0;
    const size_t at = first_field(head, size, &node);
    const size_t text = at ? first_field(head + at, size - at, &name) : 0;
    if (!text || name + text >= node || at + text + name >= size) return false;
    return trib_is_text(head + at + text, name) && head[at + text + name] == 0x12;
}

/* A table of LevelDB whose first key is empty; its value is a header (the index of a checkpoint) or a list of slices
 * (a whole one, before 2016). */
static bool is_checkpoint(const unsigned char *head, size_t size)
{
    size_t length = 0;
    const size_t digits = has(head, size, 0, "\0\0", 2) ? read_varint(head + 2, size - 2, &length) : 0;
    const size_t at = 2 + digits;
    if (!digits || length < 4) return false;
    return has(head, size, at + 2, "\x1A\x02\x08\x01", 4) || (has(head, size, at, "\x0A", 1) && length > 100);
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
    { .is = is_web_page,
      .what = "a web page (HTML or XML), most likely a server's answer instead of the file",
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
      .instead = "export the network that it was made from to ONNX with tf2onnx" },
    { .is = is_saved_model, .what = "a TensorFlow SavedModel", .instead = "export it to ONNX with tf2onnx" },
    { .is = trib_is_tensorflow_graph,
      .what = "a TensorFlow graph (GraphDef)",
      .instead = "export it to ONNX with tf2onnx" },
    { .is = is_checkpoint, .what = "a TensorFlow checkpoint", .instead = "export the network to ONNX with tf2onnx" },
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
