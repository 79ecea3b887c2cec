/* SPDX-License-Identifier: Apache-2.0
 * Folding of a batch norm into weight and bias. */
#include "device/fold.h"

#include "cpu/ops/native/native.h"

trib_status trib_native_fold(const trib_native_call *call)
{
    trib_fold_geometry g = trib_fold_geometry_of(call->desc);
    trib_fold_inputs x = trib_fold_inputs_of(call->desc, call->inputs);
    trib_ref_fold_batch_norm(&g, &x, call->outputs[0], call->outputs[1]);
    return trib_success();
}
