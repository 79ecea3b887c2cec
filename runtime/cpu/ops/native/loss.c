/* SPDX-License-Identifier: Apache-2.0
 * Softmax and cross-entropy. A single pixel's channels are adjacent in every layout: each image is a row of the
 * reference. */
#include <string.h>

#include "cpu/ops/native/training.h"
#include "cpu/ops/pixels.h"
#include "tributary/training_kernels.h"

trib_status trib_native_cross_entropy(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    trib_pixels x = trib_pixels_of(&desc->inputs[0]), dx = trib_pixels_of(&desc->outputs[0]);
    trib_step_controls controls;
    memcpy(&controls, call->inputs[2], sizeof controls);
    const trib_cross_entropy_geometry g = { .n = 1,
                                            .classes = desc->inputs[0].c,
                                            .smoothing = desc->attributes.cross_entropy.smoothing,
                                            .scale = desc->attributes.cross_entropy.weight * controls.loss_scale /
                                                     (float)call->images };
    for (int n = 0; n < x.n; ++n)
        trib_ref_cross_entropy(&g, (const float *)call->inputs[0] + n * x.image, (const int32_t *)call->inputs[1] + n,
                               (float *)call->outputs[0] + n * dx.image, (float *)call->outputs[1] + n);
    trib_pixels_clear(&dx, call->outputs[0], desc->outputs[0].c);
    return trib_success();
}
