/* SPDX-License-Identifier: Apache-2.0
 * The parameters for which a pretrained model has no values. */
#ifndef TRIBUTARY_MODELS_NETWORK_FRESH_H
#define TRIBUTARY_MODELS_NETWORK_FRESH_H

#include "network/tensor_index.h"

/* Sets fresh[i] for each parameter: a classifier's when the file has another number of classes, whose tensors count as
 * used, and those of auxiliary classifiers of which the file has nothing. Fails with TRIB_BAD_DATA if a replaced
 * classifier differs in more than its classes. */
trib_status trib_find_fresh(const trib_network *network, const trib_graph *graph, const trib_dialect *dialect,
                            trib_tensor_index *index, bool *fresh);

#endif
