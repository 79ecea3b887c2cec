/* SPDX-License-Identifier: Apache-2.0
 * Copies between layouts: joining of branches, changes of layout, a ReLU by itself, and regions of pictures. */
#include "cpu/ops/native/native.h"
#include "cpu/ops/pixels.h"
#include "device/regions.h"

trib_status trib_native_copies(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    float *y = call->outputs[0];
    trib_pixels to = trib_pixels_of(&desc->outputs[0]);
    int first = 0;
    for (int i = 0; i < desc->input_count; ++i) {
        trib_pixels from = trib_pixels_of(&desc->inputs[i]);
        trib_pixels_copy(&from, call->inputs[i], 0, &to, y, first, desc->inputs[i].c, desc->relu);
        first += desc->inputs[i].c;
    }
    trib_pixels_clear(&to, y, first);
    return trib_success();
}

trib_status trib_native_regions(const trib_native_call *call)
{
    trib_regions_geometry g = trib_regions_of(call->desc);
    trib_ref_regions(&g, call->inputs[0], NULL, call->outputs[0]);
    return trib_success();
}

trib_status trib_native_relu(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    float *y = call->outputs[0];
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    trib_pixels_copy(&from, call->inputs[0], 0, &to, y, 0, desc->inputs[0].c, true);
    trib_pixels_clear(&to, y, desc->inputs[0].c);
    return trib_success();
}
