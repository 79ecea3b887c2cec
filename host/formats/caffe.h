/* SPDX-License-Identifier: Apache-2.0
 * Networks of Caffe as its files describe them: layers by name, their numbers, and their blobs. Read from a .caffemodel
 * (protocol buffers, with blobs) or a .prototxt (text, without). */
#ifndef TRIBUTARY_FORMATS_CAFFE_H
#define TRIBUTARY_FORMATS_CAFFE_H

#include "data/names.h"
#include "formats/protobuf.h"
#include "formats/text_format.h"
#include "tributary/graph.h"
#include "tributary/image.h"
#include "tributary/shape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of layers that change a network's output; NaN: not given. */
typedef enum trib_caffe_number {
    TRIB_CAFFE_NUM_OUTPUT,
    TRIB_CAFFE_BIAS_TERM,
    TRIB_CAFFE_PAD,
    TRIB_CAFFE_PAD_H,
    TRIB_CAFFE_PAD_W,
    TRIB_CAFFE_KERNEL,
    TRIB_CAFFE_KERNEL_H,
    TRIB_CAFFE_KERNEL_W,
    TRIB_CAFFE_STRIDE,
    TRIB_CAFFE_STRIDE_H,
    TRIB_CAFFE_STRIDE_W,
    TRIB_CAFFE_GROUP,
    TRIB_CAFFE_DILATION,
    TRIB_CAFFE_TRANSPOSE,
    TRIB_CAFFE_POOL,
    TRIB_CAFFE_GLOBAL,
    TRIB_CAFFE_ROUND,
    TRIB_CAFFE_LOCAL_SIZE,
    TRIB_CAFFE_ALPHA,
    TRIB_CAFFE_BETA,
    TRIB_CAFFE_REGION,
    TRIB_CAFFE_K,
    TRIB_CAFFE_SLOPE, /* of a ReLU, for negative values */
    TRIB_CAFFE_AXIS,  /* of a Concat */
    TRIB_CAFFE_SCALE, /* from here on of a layer with images */
    TRIB_CAFFE_CROP,
    TRIB_CAFFE_NUMBERS
} trib_caffe_number;

/* A tensor in the bytes of a file. */
typedef struct trib_caffe_blob {
    trib_pb bytes;
    trib_shape shape;
    trib_dtype dtype; /* of what trib_caffe_settle makes */
    int64_t count;
} trib_caffe_blob;

enum { TRIB_CAFFE_BLOBS = 2, TRIB_CAFFE_MAX_LAYERS = 5000, TRIB_CAFFE_MAX_VALUES = 64 };

typedef struct trib_caffe_layer {
    char *name;     /* owned; "" if it has none */
    trib_kind kind; /* TRIB_INPUT: of images; TRIB_DROPOUT: a copy; TRIB_KIND_COUNT: of another kind, not one of the
                       numbers above */
    trib_names bottoms, tops; /* names of the values that it reads and gives */
    int blob_count;           /* in the file */
    bool uneven;              /* a kernel, pad, stride or dilation with several values that differ */
    bool mean_file;           /* images have the mean of a file subtracted */
    int mean_count;           /* values of mean_value, of which the first three are kept */
    double mean[3];
    double numbers[TRIB_CAFFE_NUMBERS];
    trib_caffe_blob blobs[TRIB_CAFFE_BLOBS];
} trib_caffe_layer;

typedef struct trib_caffe_net {
    trib_pb_shown name;
    trib_caffe_layer *layers;
    size_t count, capacity;
    bool v1;           /* layers of the older kind */
    int height, width; /* of the input, if the text says; else 0 */
} trib_caffe_net;

/* Zero-initialise `net`; release it also after a failure. Blobs point into the bytes. Fails naming the layer, not the
 * file. */
trib_status trib_caffe_read(trib_pb file, trib_caffe_net *net);
trib_status trib_caffe_read_text(const char *text, size_t size, trib_caffe_net *net);
void trib_caffe_release(trib_caffe_net *net);

/* ---- blobs ---- */

/* Checks a BlobProto's numbers against its data. */
trib_status trib_caffe_read_blob(trib_pb bytes, trib_caffe_blob *out);
/* Drops leading extents of 1 above `rank`: older files have four extents for every blob. */
void trib_caffe_lower_rank(trib_shape *shape, int rank);
/* The blob's values, dense and in its dtype. Values in double precision or in pieces are moved together within the
 * bytes, which must be writable: call it once. */
const void *trib_caffe_settle(const trib_caffe_blob *blob);

/* ---- what a network must have ---- */

/* That each convolution, linear layer, pool and LRN of the graph is among the layers, with the same numbers. Those of
 * auxiliary classifiers may be missing, as in a network for deployment. */
trib_status trib_caffe_check(const trib_caffe_net *net, const trib_graph *graph);
/* That the layers between the network's images and its classifier are the network's and read each other as they do in
 * the network, if the file says what its layers read: the file may hold others beside them. */
trib_status trib_caffe_check_path(const trib_caffe_net *net, const trib_graph *graph);
/* What the layers with images say about them. */
typedef enum trib_caffe_images {
    TRIB_CAFFE_SAYS_NOTHING,
    TRIB_CAFFE_NEEDS_MEAN_FILE,
    TRIB_CAFFE_SAYS_ALL
} trib_caffe_images;
/* Unless they say nothing, *preprocess becomes Caffe's, with their scale and mean; with the usual mean if that of a
 * file is needed. Fails if two of them differ, or if values are impossible. */
trib_status trib_caffe_preprocess(const trib_caffe_net *net, trib_preprocess *preprocess, trib_caffe_images *says);
/* Of the input, by crop_size or else the input's shape; 0: it does not say. */
void trib_caffe_size(const trib_caffe_net *net, int *height, int *width);

/* ---- for readers of both forms ---- */

/* NULL when out of memory or over the limit, with *status the reason. */
trib_caffe_layer *trib_caffe_add_layer(trib_caffe_net *net, trib_status *status);
/* Takes the name of a value, NULL when out of memory, for a layer's `bottoms` or `tops`. */
trib_status trib_caffe_add_value(trib_names *values, char *name);
/* The kind of a layer by its type: "Convolution" or "CONVOLUTION"; by its older number. */
trib_kind trib_caffe_kind(const char *type);
trib_kind trib_caffe_old_kind(uint64_t type);

/* A message inside of a layer, and its fields. */
typedef struct trib_caffe_row {
    const char *block, *name;
    uint32_t old_block, block_number, number; /* field numbers of the message in both kinds of layers, and within it */
    int slot;                                 /* a trib_caffe_number, or one of these: */
} trib_caffe_row;
enum { TRIB_CAFFE_MEAN_VALUE = TRIB_CAFFE_NUMBERS, TRIB_CAFFE_MEAN_FILE };
extern const trib_caffe_row trib_caffe_rows[];
extern const size_t trib_caffe_row_count;
void trib_caffe_set(trib_caffe_layer *layer, int slot, double value);

#ifdef __cplusplus
}
#endif
#endif
