/* SPDX-License-Identifier: Apache-2.0
 * A .caffemodel as a file of weights: LAYER.weight and LAYER.bias of every layer with blobs that a network needs. The
 * bytes of the file are read into memory once; tensors are parts of it. */
#include <string.h>

#include "data/file.h"
#include "formats/caffe_private.h"
#include "formats/foreign.h"
#include "tributary/internal/alloc.h"

/* As much as of a safetensors file. */
#define MAX_BYTES ((size_t)16 << 30)

/* A name of up to 127 bytes, or one whose length takes two bytes and whose own bytes are text. */
static bool is_name(const unsigned char *head, size_t size)
{
    enum { BEGINNING = 3 };
    if (head[1] < 0x80) return true;
    return size > BEGINNING && head[2] < 0x80 && head[2] &&
           trib_is_text(head + BEGINNING, 0x7F < size - BEGINNING ? 0x7F : size - BEGINNING);
}

/* The network's name, a layer of either kind, or the numbers of a mean image; and no text, which may begin with the
 * same byte. A network without a name begins with a layer. */
static bool recognises(const unsigned char *head, size_t size)
{
    if (size < 2 || trib_is_text(head, size) || trib_is_tensorflow_graph(head, size)) return false;
    if (head[0] == 0x08) return size > 2 && head[2] == 0x10 && head[1] < 0x80;
    if (head[0] == 0x0A) return is_name(head, size);
    return head[0] == 0x12 || (head[0] == 0xA2 && head[1] == 0x06);
}

/* ---- tensors ---- */

static trib_status check_blobs(const trib_caffe_layer *l)
{
    const bool known = l->kind == TRIB_CONV2D || l->kind == TRIB_LINEAR;
    const bool no_bias = l->numbers[TRIB_CAFFE_BIAS_TERM] == 0;
    const int wanted = no_bias ? 1 : 2;
    if (!known || l->blob_count == wanted) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "layer %.128s: it has %d blobs where a %s has %s", l->name, l->blob_count,
                      trib_kind_name(l->kind), no_bias ? "1, the weights" : "2, weights and biases");
}

static trib_status add_tensor(trib_caffe_file *file, const trib_caffe_layer *l, int blob)
{
    static const char *const leaves[TRIB_CAFFE_BLOBS] = { ".weight", ".bias" };
    const int i = file->base.count;
    const size_t length = strlen(l->name), size = length + sizeof ".weight";
    trib_tensor *t = &file->base.tensors[i];
    char *name = trib_alloc(size);
    if (!name) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a tensor");
    memcpy(name, l->name, length);
    memcpy(name + length, leaves[blob], strlen(leaves[blob]) + 1);
    *t = (trib_tensor) { .name = name, .dtype = TRIB_F32, .shape = l->blobs[blob].shape };
    if (blob == 1) trib_caffe_lower_rank(&t->shape, 1);
    if (blob == 0 && l->kind == TRIB_LINEAR) trib_caffe_lower_rank(&t->shape, 2);
    file->values[i] = trib_caffe_settle(&l->blobs[blob]);
    ++file->base.count;
    return trib_success();
}

static trib_status add_layer(trib_caffe_file *file, const trib_caffe_layer *l)
{
    TRIB_TRY(check_blobs(l));
    for (int blob = 0; blob < l->blob_count && blob < TRIB_CAFFE_BLOBS; ++blob) TRIB_TRY(add_tensor(file, l, blob));
    return trib_success();
}

static trib_status add_tensors(trib_caffe_file *file)
{
    const size_t most = TRIB_CAFFE_BLOBS * file->net.count;
    file->base.tensors = trib_alloc_zeroed(most, sizeof *file->base.tensors);
    file->values = trib_alloc_zeroed(most, sizeof *file->values);
    if (!file->base.tensors || !file->values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its tensors");
    for (size_t i = 0; i < file->net.count; ++i)
        if (file->net.layers[i].blob_count) TRIB_TRY(add_layer(file, &file->net.layers[i]));
    return file->base.count ? trib_success()
                            : TRIB_ERROR(TRIB_BAD_DATA, "none of its layers has blobs, so there are no weights");
}

/* ---- the driver ---- */

static trib_status take_bytes(trib_caffe_file *file, trib_blob *blob, size_t *size)
{
    TRIB_TRY(trib_blob_take(blob, MAX_BYTES, &file->bytes, size));
    if (*size < MAX_BYTES) return trib_success();
    return trib_with_name(TRIB_ERROR(TRIB_UNSUPPORTED, "is larger than 16 GiB"), blob->path);
}

/* Without the file's name. */
static trib_status understand(trib_caffe_file *file, size_t size)
{
    TRIB_TRY(trib_caffe_read(trib_pb_of(file->bytes, size), &file->net));
    TRIB_TRY(add_tensors(file));
    return trib_caffe_find_network(file);
}

static trib_status read_all(trib_weights_file *base, trib_blob *blob)
{
    trib_caffe_file *file = (trib_caffe_file *)base;
    size_t size = 0;
    TRIB_TRY(take_bytes(file, blob, &size));
    trib_status s = understand(file, size);
    trib_add_context(&s, "Caffe model");
    return trib_with_name(s, blob->path);
}

static void close_weights(trib_weights_file *base)
{
    trib_caffe_file *file = (trib_caffe_file *)base;
    for (int i = 0; i < base->count; ++i) trib_free((char *)(uintptr_t)base->tensors[i].name);
    trib_free(base->tensors);
    trib_free(file->values);
    trib_free(file->bytes);
    trib_caffe_release(&file->net);
    trib_imported_release(&file->imported);
    trib_free(file);
}

static trib_status open_weights(trib_blob *blob, trib_weights_file **out)
{
    return trib_weights_open_whole(&trib_caffe_driver, sizeof(trib_caffe_file), read_all, blob, out);
}

static trib_status load(trib_weights_file *base, trib_tensor_wanted wanted, const void *context)
{
    trib_caffe_file *file = (trib_caffe_file *)base;
    for (int i = 0; i < base->count; ++i)
        if (!wanted || wanted(context, &base->tensors[i])) base->tensors[i].data = file->values[i];
    return trib_success();
}

static void release_data(trib_weights_file *base)
{
    trib_caffe_file *file = (trib_caffe_file *)base;
    for (int i = 0; i < base->count; ++i) base->tensors[i].data = NULL;
    trib_free(file->bytes);
    file->bytes = NULL;
}

const trib_weights_driver trib_caffe_driver = { .format = "Caffe",
                                                .recognises = recognises,
                                                .open = open_weights,
                                                .load = load,
                                                .release_data = release_data,
                                                .close = close_weights };
