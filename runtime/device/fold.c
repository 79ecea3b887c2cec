/* SPDX-License-Identifier: Apache-2.0 */
#include "device/fold.h"

trib_fold_geometry trib_fold_geometry_of(const trib_op_desc *desc)
{
    const trib_view *weight = &desc->outputs[0];
    return (
        trib_fold_geometry) { .k = weight->c, .row = (int64_t)weight->h * weight->w, .eps = desc->attributes.fold.eps };
}

trib_fold_inputs trib_fold_inputs_of(const trib_op_desc *desc, const void *const *inputs)
{
    trib_fold_inputs x = { 0 };
    if (desc->attributes.fold.weight) x.weight = *inputs++;
    if (desc->attributes.fold.bias) x.bias = *inputs++;
    x.bn_weight = inputs[0];
    x.bn_bias = inputs[1];
    x.mean = inputs[2];
    x.var = inputs[3];
    return x;
}
