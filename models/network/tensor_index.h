/* SPDX-License-Identifier: Apache-2.0
 * The tensors of a file, found by name. */
#ifndef TRIBUTARY_MODELS_NETWORK_TENSOR_INDEX_H
#define TRIBUTARY_MODELS_NETWORK_TENSOR_INDEX_H

#include <stddef.h>

#include "tributary/network.h"

/* The name without `module.` and `_orig_mod.`, which PyTorch's data parallelism and compilation put before names. */
const char *trib_bare_name(const char *name);
/* Whether a tensor of that bare name is the state of a training, and not the network's. */
bool trib_is_training_state(const char *bare_name);

/* Tensors sorted by bare name. */
typedef struct trib_tensor_entry {
    const char *bare_name;
    const trib_tensor *tensor;
    bool used;
} trib_tensor_entry;

typedef struct trib_tensor_index {
    trib_tensor_entry *entries;
    size_t count;
} trib_tensor_index;

/* Fails if two tensors have the same bare name. Release it even after a failure. */
trib_status trib_tensor_index_build(const trib_tensor *tensors, int count, trib_tensor_index *index);
void trib_tensor_index_release(trib_tensor_index *index);
/* NULL when there is none of that bare name. */
trib_tensor_entry *trib_tensor_index_find(const trib_tensor_index *index, const char *bare_name);

#endif
