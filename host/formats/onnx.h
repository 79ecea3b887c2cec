/* SPDX-License-Identifier: Apache-2.0
 * ONNX models: nodes, values and tensors of one graph. Messages of protocol buffers stay where they are in the bytes of
 * the file; attributes are read when they are asked for. */
#ifndef TRIBUTARY_FORMATS_ONNX_H
#define TRIBUTARY_FORMATS_ONNX_H

#include "formats/protobuf.h"
#include "tributary/graph.h"
#include "tributary/image.h"
#include "tributary/network.h"
#include "tributary/shape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Element types of TensorProto. */
enum {
    TRIB_ONNX_F32 = 1,
    TRIB_ONNX_I32 = 6,
    TRIB_ONNX_I64 = 7,
    TRIB_ONNX_BOOL = 9,
    TRIB_ONNX_F16 = 10,
    TRIB_ONNX_F64 = 11,
    TRIB_ONNX_BF16 = 16
};

/* Where a tensor's values are: one of these. */
typedef enum trib_onnx_form { TRIB_ONNX_NO_VALUES, TRIB_ONNX_RAW, TRIB_ONNX_TYPED, TRIB_ONNX_EXTERNAL } trib_onnx_form;

typedef struct trib_onnx_tensor {
    trib_pb message, name;
    uint64_t type;
    trib_shape shape;
    int64_t count;
    trib_onnx_form form;
    trib_pb raw;                 /* of TRIB_ONNX_RAW */
    trib_pb location;            /* of TRIB_ONNX_EXTERNAL: a path relative to the model's folder */
    uint64_t offset, byte_count; /* in that file */
} trib_onnx_tensor;

typedef struct trib_onnx_node {
    trib_pb message, op, domain, name;
    int first_name, input_count, output_count; /* inputs, then outputs, in the model's list of names */
} trib_onnx_node;

/* A value that a node writes, or a tensor. */
typedef struct trib_onnx_value {
    trib_pb name;
    int node, output; /* node -1: a tensor */
    int tensor;
} trib_onnx_value;

typedef struct trib_onnx_model {
    trib_onnx_node *nodes;
    trib_pb *names;
    trib_onnx_tensor *tensors; /* initialisers */
    trib_onnx_value *values;   /* sorted by name */
    size_t node_count, node_capacity, name_count, name_capacity, tensor_count, tensor_capacity, value_count;
    trib_pb graph;  /* its message, for inputs */
    trib_pb output; /* name of its first output; empty: none */
    trib_pb_shown producer;
    trib_pb labels, preprocessing, provenance; /* Tributary's metadata_props; empty: there are none */
    int64_t opset;
} trib_onnx_model;

/* Nodes, tensors and so on of a file; names of inputs and outputs of all nodes together. */
enum { TRIB_ONNX_MOST = 50000, TRIB_ONNX_MOST_NAMES = 500000 };

/* Zero-initialise `model`; release it also after a failure. Messages name the node or tensor, not the file. */
trib_status trib_onnx_read(trib_pb file, trib_onnx_model *model);
void trib_onnx_release(trib_onnx_model *model);
/* Whether the first bytes are those of an ONNX model. */
bool trib_onnx_recognises(const unsigned char *head, size_t size);

/* ---- values ---- */

/* NULL: neither a node nor an initialiser has it. */
const trib_onnx_value *trib_onnx_find(const trib_onnx_model *model, const trib_pb *name);
const trib_pb *trib_onnx_input(const trib_onnx_model *model, const trib_onnx_node *node, int i);
const trib_pb *trib_onnx_output(const trib_onnx_model *model, const trib_onnx_node *node, int i);
/* The node that writes the value; NULL: none does. */
const trib_onnx_node *trib_onnx_producer(const trib_onnx_model *model, const trib_pb *name);
/* A graph input of that name: its own name, height and width, 0 where they are free. False: there is no such input. */
bool trib_onnx_image(const trib_onnx_model *model, const trib_pb *name, trib_pb *own, int64_t size[2]);
/* Height and width of the images that the model is for. False: any, or it does not say. */
bool trib_onnx_image_size(const trib_onnx_model *model, int64_t size[2]);
bool trib_onnx_is(const trib_onnx_node *node, const char *op);
/* "node 'name' (Conv)" */
typedef struct trib_onnx_shown {
    char text[200];
} trib_onnx_shown;
trib_onnx_shown trib_onnx_show(const trib_onnx_node *node);

/* Why a Cast or Dropout is more than a copy of its first input; NULL: it is none, or another operator. */
const char *trib_onnx_changes(const trib_onnx_model *model, const trib_onnx_node *node);
/* Of floating-point elements. */
bool trib_onnx_is_float(uint64_t type);

/* ---- attributes ---- */

enum { TRIB_ONNX_INTS = 8 };
typedef struct trib_onnx_attribute {
    bool found;
    float f;
    int64_t i, ints[TRIB_ONNX_INTS];
    int count; /* of ints; may be more than are kept */
    trib_pb s, tensor;
} trib_onnx_attribute;

trib_onnx_attribute trib_onnx_get(const trib_onnx_node *node, const char *name);
int64_t trib_onnx_int(const trib_onnx_node *node, const char *name, int64_t otherwise);
float trib_onnx_float(const trib_onnx_node *node, const char *name, float otherwise);

/* ---- tensors ---- */

trib_status trib_onnx_read_tensor(trib_pb message, trib_onnx_tensor *out);
/* The type of what trib_onnx_take gives. Fails if values are no floating-point numbers. */
trib_status trib_onnx_dtype(const trib_onnx_tensor *tensor, trib_dtype *out);
/* A tensor's values, in the bytes of the file if they lie there as they are needed; otherwise in new memory, *owned,
 * for trib_free. `folder` holds external files; NULL: the tensor is in none. */
trib_status trib_onnx_take(const trib_onnx_tensor *tensor, const char *folder, const void **values, void **owned);
/* A few whole numbers, or numbers; false: there are more than `limit`, or they are of another type, or in another file.
 */
bool trib_onnx_whole_numbers(const trib_onnx_tensor *tensor, int64_t *out, int limit, int *count);
bool trib_onnx_numbers(const trib_onnx_tensor *tensor, double *out, int limit, int *count);
/* Reads part of a file below `folder`: every step of the path is a folder or a regular file with one name, never a
 * link. */
trib_status trib_onnx_read_external(const trib_onnx_tensor *tensor, const char *folder, void *buffer);
/* Fails if a file of this name is never opened, whatever there is; the message does not have the name. */
trib_status trib_onnx_check_location(const trib_pb *location);

/* ---- constants ---- */

typedef enum trib_onnx_kind { TRIB_ONNX_VALUES, TRIB_ONNX_FILL, TRIB_ONNX_WHOLE } trib_onnx_kind;

/* A value that does not depend on the image: a tensor, perhaps of another shape or transposed; one number everywhere; a
 * few whole numbers. */
typedef struct trib_onnx_constant {
    trib_onnx_kind kind;
    trib_shape shape;
    trib_onnx_tensor tensor;
    bool transposed; /* a matrix: the tensor has rows and columns exchanged */
    double fill;
    int64_t whole[TRIB_ONNX_INTS];
    int count;
} trib_onnx_constant;

/* Fails, naming the value, if it depends on the image or on operators that are not computed here. */
trib_status trib_onnx_fold(const trib_onnx_model *model, const trib_pb *name, trib_onnx_constant *out);

/* ---- the network ---- */

/* What the network's parameter is made of. */
typedef struct trib_onnx_parameter {
    trib_onnx_constant constant;
    trib_onnx_constant minus; /* subtracted, if has_minus: the bias of a convolution before a batch norm */
    bool has_minus;
} trib_onnx_parameter;

typedef struct trib_onnx_match {
    trib_graph *graph;               /* at the size of the image, of the default width and number of classes */
    trib_onnx_parameter *parameters; /* of each parameter of the graph */
    trib_pb image;                   /* the value that its input stands for */
    int matched;                     /* layers, for the better of two failures */
    bool folded;                     /* batch norms are part of their convolutions */
} trib_onnx_match;

/* Compares the model's graph with the network's, layer by layer from the output. *out is released in either case. */
trib_status trib_onnx_match_network(const trib_onnx_model *model, const trib_network *network, trib_onnx_match *out);
void trib_onnx_match_release(trib_onnx_match *match);

/* The network's input as a function of the image: channel c is scale[c] * image[source[c]] + shift[c]. */
typedef struct trib_onnx_affine {
    int channels, source[3];
    double scale[3], shift[3];
    trib_pb image; /* a graph input */
} trib_onnx_affine;

trib_status trib_onnx_arithmetic(const trib_onnx_model *model, const trib_pb *name, trib_onnx_affine *out);
/* Whether it leaves the image as it is, perhaps with channels in another order. */
bool trib_onnx_keeps_values(const trib_onnx_affine *affine);

#ifdef __cplusplus
}
#endif
#endif
