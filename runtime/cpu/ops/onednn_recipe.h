/* SPDX-License-Identifier: Apache-2.0
 * How an op is described to oneDNN.
 *
 * oneDNN only gets dense tensors (see onednn_version.h). A channel slice of one image is dense in the blocked
 * layouts, so ops run image by image with a moving data pointer, which costs nothing. A slice that is not dense (NHWC,
 * or several images at once) goes through a staging buffer in the workspace. In blocked layouts, padding channels are
 * ordinary channels: zero weights keep them zero, and oneDNN has nothing to pad.
 *
 * A primitive runs with the number of threads OpenMP had when its descriptor was made.
 *
 * Everything is in the terms of the forward direction: x is the image (or its gradient), y the result (or its). */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_RECIPE_H
#define TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_RECIPE_H

#include "cpu/device.h"
#include "cpu/libraries/onednn_library.h"
#include "device/alignment.h"

/* A desc as oneDNN sees it. */
typedef struct trib_onednn_recipe {
    trib_dnnl_geometry g; /* of `images` images */
    int images;           /* per execution */
    int rest;             /* of the batch's last execution, if these are fewer; or 0 */
    bool filled;          /* it computes `images` all the same: zeros stand for those that are not there */
    int chunk;            /* images per task: a multiple of `images`, or the batch */
    int threads;          /* of a primitive */
    bool turned;          /* the gradient of a 1x1 convolution's input, as a forward convolution: x is dy, y is dx */
    trib_layout x_layout, y_layout;
    bool stage_x, stage_y;
    int64_t x_bytes, y_bytes; /* of `images` images, dense */
    int first_r, first_s;     /* convolution: filter taps left out at the top and left, see crop() */
    dnnl_alg_kind_t algorithm;
    const char *prefix; /* of the implementation's name; NULL: any */
} trib_onednn_recipe;

/* How a convolution can be shown to oneDNN. Where layouts are not those of the op, images are copied. */
typedef struct trib_onednn_way {
    trib_layout x, y;
    bool turned;
} trib_onednn_way;
enum { TRIB_ONEDNN_WAYS = 4 };

/* In the order of trying; returns how many. In training there are several. */
int trib_onednn_ways(const trib_op_desc *desc, trib_onednn_way all[TRIB_ONEDNN_WAYS]);
/* Fills all but `threads`. False: not a case for oneDNN under this name. */
bool trib_onednn_recipe_of(const trib_op_desc *desc, const char *name, const trib_onednn_way *way,
                           trib_onednn_recipe *r);

/* Of `images` and of `rest` images; NULL: there is none. */
typedef struct trib_onednn_descriptors {
    dnnl_primitive_desc_t all, rest;
} trib_onednn_descriptors;

enum { TRIB_ONEDNN_CANDIDATES = 3 };

/* Names of implementations that may run `desc`, best first, NULL where there are fewer. */
void trib_onednn_candidates(const trib_op_desc *desc, const char *names[TRIB_ONEDNN_CANDIDATES]);
/* out->all is NULL, and `reason` says why, when oneDNN cannot do this fast under this name. */
trib_status trib_onednn_find(trib_cpu_device *device, const trib_op_desc *desc, const char *name, trib_onednn_recipe *r,
                             trib_onednn_descriptors *out, char *reason);
void trib_onednn_descriptors_destroy(trib_onednn_descriptors *descriptors);

const trib_view *trib_onednn_x(const trib_op_desc *desc, const trib_onednn_recipe *r);
const trib_view *trib_onednn_y(const trib_op_desc *desc, const trib_onednn_recipe *r);
/* A convolution whose weight is in memory, or is its result. */
bool trib_onednn_trains(const trib_op_desc *desc);
/* Convolutions and linear layers. */
bool trib_onednn_has_weight(const trib_op_desc *desc);
/* The weight, or its gradient, in the format of the primitive. */
trib_dnnl_md trib_onednn_weight_format(const trib_op_desc *desc, dnnl_primitive_desc_t descriptor);
/* Of a batch; at least 1. */
int trib_onednn_tasks(const trib_op_desc *desc, const trib_onednn_recipe *r);

#endif
