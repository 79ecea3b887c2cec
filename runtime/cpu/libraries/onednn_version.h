/* SPDX-License-Identifier: Apache-2.0
 * Making descriptors, which differs between the C APIs of oneDNN 2.x (onednn_v2.c) and 3.x (onednn_v3.c). 2.x has
 * operation descriptors and memory descriptors by value; 3.x makes primitive descriptors directly.
 *
 * All tensors are dense. (A descriptor with the strides of a slice is accepted and runs the reference, 100 to 1,000
 * times slower, and at N = 1 it can even replace the fast one of the same shape in oneDNN's primitive cache.) */
#ifndef TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_VERSION_H
#define TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_VERSION_H

#include "cpu/libraries/onednn_functions.h"
#include "tributary/op.h"

typedef enum trib_dnnl_direction {
    TRIB_DNNL_FORWARD = 0,
    TRIB_DNNL_BACKWARD_DATA,
    TRIB_DNNL_BACKWARD_WEIGHT
} trib_dnnl_direction;

/* In the terms of the forward direction: source x (n,c,h,w), target y (n,k,p,q). */
typedef struct trib_dnnl_geometry {
    trib_dnnl_direction direction; /* convolutions; all else is forward */
    int n, c, h, w, k, p, q;
    int r, s;
    dnnl_dims_t strides, before, after; /* padding top/left and bottom/right */
    dnnl_format_tag_t source, target;
    bool has_bias, relu;
    bool accumulate; /* y is added to what its memory holds; only a forward convolution */
    bool training;   /* weights change from run to run: Winograd transforms them while it runs, not in their format */
    trib_dnnl_md weight; /* convolution: the format of its weights; NULL: the primitive's preferred one */
} trib_dnnl_geometry;

/* Primitive descriptors with a scratchpad from the caller, and weights in the primitive's preferred format. `prefix`:
 * the implementation's name must begin with it; NULL: the first one. */
dnnl_status_t trib_dnnl_conv(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                             const char *prefix, dnnl_primitive_desc_t *out);
dnnl_status_t trib_dnnl_pool(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                             dnnl_primitive_desc_t *out);
dnnl_status_t trib_dnnl_lrn(dnnl_engine_t engine, const trib_dnnl_geometry *g, const trib_lrn *lrn,
                            dnnl_primitive_desc_t *out);
/* y[n,k] from x[n,c,h,w]. */
dnnl_status_t trib_dnnl_linear(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_primitive_desc_t *out);
/* Over c of [n,c]. */
dnnl_status_t trib_dnnl_softmax(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_primitive_desc_t *out);
/* float32 memory at `data` in a plain format. */
dnnl_status_t trib_dnnl_memory(dnnl_engine_t engine, int rank, const dnnl_dims_t dims, dnnl_format_tag_t format,
                               void *data, dnnl_memory_t *out);

/* Of the implementation a descriptor stands for (onednn_library.c). */
bool trib_dnnl_name_begins(dnnl_primitive_desc_t descriptor, const char *prefix);

#endif
