/* SPDX-License-Identifier: Apache-2.0
 * Batch norm by itself, folded to a scale and a shift per channel. */
#include "cpu/ops/native/native.h"
#include "cpu/ops/pixels.h"

trib_status trib_native_scale_shift(const trib_native_call *call)
{
    const float *x = call->inputs[0], *scales = call->packed;
    const float *shifts = trib_packed_bias(call->packing, scales);
    float *y = call->outputs[0];
    trib_pixels from = trib_pixels_of(&call->desc->inputs[0]), to = trib_pixels_of(&call->desc->outputs[0]);
    int64_t pixels = (int64_t)from.h * from.w;
    for (int n = 0; n < from.n; ++n)
        for (int g = 0; g < from.groups; ++g) {
            const float *scale = scales + (int64_t)g * from.width, *shift = shifts + (int64_t)g * from.width;
            const float *source = x + n * from.image + g * from.group;
            float *target = y + n * to.image + g * to.group;
            for (int64_t i = 0; i < pixels; ++i)
                for (int c = 0; c < from.width; ++c) {
                    float value = source[i * from.pitch + c] * scale[c] + shift[c];
                    target[i * to.pitch + c] = call->desc->relu && value < 0 ? 0 : value;
                }
        }
    return trib_success();
}
