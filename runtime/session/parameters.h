/* SPDX-License-Identifier: Apache-2.0
 * The parameters of one op as its device wants them: float32, batch norm folded in, those of all its parts one after
 * the other. */
#ifndef TRIBUTARY_RUNTIME_SESSION_PARAMETERS_H
#define TRIBUTARY_RUNTIME_SESSION_PARAMETERS_H

#include "tributary/plan.h"

typedef struct trib_folded {
    float *weight, *bias; /* owned; NULL where the op has none */
} trib_folded;

/* `parameters`: the graph's, by id. */
trib_status trib_fold_parameters(const trib_plan_op *op, const trib_tensor *parameters, trib_folded *out);
void trib_folded_release(trib_folded *folded);

#endif
