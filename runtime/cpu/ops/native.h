/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_H

#include "tributary/op.h"

/* Maximum, average and adaptive average, source and target in the same layout. */
void trib_native_pool(const trib_op_desc *desc, const float *x, float *y);

#endif
