/* SPDX-License-Identifier: Apache-2.0
 * Whether an op's description makes sense on any device. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_OP_CHECK_H
#define TRIBUTARY_RUNTIME_DEVICE_OP_CHECK_H

#include "tributary/op.h"
#include "tributary/status.h"

/* Shapes, slices and attributes, each for itself and against each other. A driver that has called this may trust the
 * desc: no extent is negative or overflows, and every window touches the image. */
trib_status trib_op_check(const trib_op_desc *desc);
/* Whether what a checked desc needs is there. */
trib_status trib_op_check_parameters(const trib_op_desc *desc, const trib_op_parameters *parameters);

#endif
