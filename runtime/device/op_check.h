/* SPDX-License-Identifier: Apache-2.0
 * Checks of an op's description that hold on every device. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_OP_CHECK_H
#define TRIBUTARY_RUNTIME_DEVICE_OP_CHECK_H

#include "tributary/op.h"
#include "tributary/status.h"

/* Checks shapes, slices and attributes, one by one and against each other. Afterwards a driver may trust the desc: no
 * extent is negative or overflows, and every window touches the image. */
trib_status trib_op_check(const trib_op_desc *desc);
/* Whether its weight (and bias) are inputs, as in training, and are not packed. */
bool trib_op_weights_are_inputs(const trib_op_desc *desc);
/* Checks that the parameters which a checked desc needs are present. */
trib_status trib_op_check_parameters(const trib_op_desc *desc, const trib_op_parameters *parameters);

#endif
