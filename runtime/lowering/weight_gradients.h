/* SPDX-License-Identifier: Apache-2.0
 * Training: gradients of weights beside gradients of data. Only the update reads the gradient of a weight or bias,
 * while the gradient of a layer's input holds up all layers before it: so the former have a stream of their own. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_WEIGHT_GRADIENTS_H
#define TRIBUTARY_RUNTIME_LOWERING_WEIGHT_GRADIENTS_H

#include "lowering/lowering.h"

/* How far a stream may fall behind the others. */
typedef struct trib_lag {
    int stream; /* -1: there is none */
    int *ended; /* by op: those of the stream before op ended[i] must have ended when op i starts */
} trib_lag;

/* Ops have streams. Moves gradients of weights, and what is computed again only for them, to a new one, where the
 * schedule is not serial. Release lag->ended with trib_free. */
trib_status trib_place_weight_gradients(trib_lowering *lowering, trib_lag *lag);

#endif
