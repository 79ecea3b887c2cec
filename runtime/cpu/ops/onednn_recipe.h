/* SPDX-License-Identifier: Apache-2.0
 * How an op is described to oneDNN.
 *
 * oneDNN only gets dense tensors (see onednn_version.h). A channel slice of one image is dense in the blocked
 * layouts, so ops run image by image with a moving data pointer, which costs nothing. A slice that is not dense (NHWC,
 * or several images at once) goes through a staging buffer in the workspace. In blocked layouts, padding channels are
 * ordinary channels: zero weights keep them zero, and oneDNN has nothing to pad.
 *
 * A primitive runs with the number of threads OpenMP had when its descriptor was made. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_RECIPE_H
#define TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_RECIPE_H

#include "cpu/device.h"
#include "cpu/libraries/onednn_library.h"
#include "device/alignment.h"

/* A desc as oneDNN sees it. */
typedef struct trib_onednn_recipe {
    trib_dnnl_geometry g; /* of `images` images */
    int images;           /* per execution */
    int threads;
    bool stage_source, stage_target;
    int64_t source_bytes, target_bytes; /* of `images` images, dense */
    int first_r, first_s;               /* convolution: filter taps left out at the top and left, see crop() */
    dnnl_alg_kind_t algorithm;
    const char *prefix; /* of the implementation's name; NULL: any */
} trib_onednn_recipe;

enum { TRIB_ONEDNN_CANDIDATES = 3 };

/* Names of implementations that may run `desc`, best first, NULL where there are fewer. */
void trib_onednn_candidates(const trib_op_desc *desc, const char *names[TRIB_ONEDNN_CANDIDATES]);
/* *out is NULL, and `reason` says why, when oneDNN cannot do this fast under this name. */
trib_status trib_onednn_find(trib_cpu_device *device, const trib_op_desc *desc, const char *name, trib_onednn_recipe *r,
                             dnnl_primitive_desc_t *out, char *reason);
/* Of a run: scratchpad first, then the staged source, then the staged target. */
int64_t trib_onednn_workspace_of(const trib_onednn_recipe *r, dnnl_primitive_desc_t descriptor, int64_t *scratch_bytes);

#endif
