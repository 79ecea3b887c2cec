/* SPDX-License-Identifier: Apache-2.0
 * The parameters of one op as its device needs them: float32, batch norm folded in, those of all parts concatenated. */
#ifndef TRIBUTARY_RUNTIME_SESSION_PARAMETERS_H
#define TRIBUTARY_RUNTIME_SESSION_PARAMETERS_H

#include "tributary/plan.h"

typedef struct trib_folded {
    float *weight, *bias;    /* owned; NULL if the op has none */
    int64_t weights, biases; /* number of them */
    int channels;            /* input channels of the weight, see trib_op_parameters; 0: as many as the input has */
} trib_folded;

/* `parameters`: the graph's, by id. */
trib_status trib_fold_parameters(const trib_plan_op *op, const trib_tensor *parameters, trib_folded *out);
void trib_folded_release(trib_folded *folded);

/* Packs the parameters of `handle`, made for `op`, into new device memory: *packed, the caller's to free; NULL for an
 * op that has none. Waits for the packing. */
trib_status trib_pack_parameters(trib_device *device, trib_stream *stream, const trib_plan_op *op,
                                 trib_op_handle *handle, const trib_tensor *parameters, void **packed);

#endif
