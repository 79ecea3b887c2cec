/* SPDX-License-Identifier: Apache-2.0
 * A fold op's geometry, and its inputs by role, as kernels take them. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_FOLD_H
#define TRIBUTARY_RUNTIME_DEVICE_FOLD_H

#include "tributary/kernels.h"
#include "tributary/op.h"

trib_fold_geometry trib_fold_geometry_of(const trib_op_desc *desc);
trib_fold_inputs trib_fold_inputs_of(const trib_op_desc *desc, const void *const *inputs);

#endif
