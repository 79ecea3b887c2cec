/* SPDX-License-Identifier: Apache-2.0
 * Providers of the card that layers are planned for, in place of the library's own table: our kernels, then a library
 * that takes every other product. So plans need no cuDNN, and are made in no time; which ops are ours is the same,
 * because our kernels come first there, too. */
#include <stdio.h>

#include "cuda/ops/ops.h"
#include "device/op_check.h"

static bool is_gradient_of_product(trib_kind kind)
{
    return kind == TRIB_CONV2D_BACKWARD_DATA || kind == TRIB_CONV2D_BACKWARD_WEIGHT ||
           kind == TRIB_LINEAR_BACKWARD_DATA || kind == TRIB_LINEAR_BACKWARD_WEIGHT;
}

static bool is_product(trib_kind kind) { return kind == TRIB_CONV2D || kind == TRIB_LINEAR; }

static trib_status offer(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason)
{
    (void)device, (void)state;
    const bool forward = is_product(desc->kind), packs = forward && !trib_op_weights_are_inputs(desc);
    if ((!forward && !is_gradient_of_product(desc->kind)) || trib_op_has_stages(desc) || desc->output_count > 1)
        snprintf(reason, TRIB_MESSAGE_SIZE, "library: convolutions, linear layers and their gradients alone only");
    else if (*count < capacity)
        out[(*count)++] = (trib_implementation) { .name = "library:product", .packed_bytes = packs ? 256 : 0 };
    return trib_success();
}

static const trib_cuda_provider library = { .prefix = "library:", .offer = offer };

const trib_cuda_provider *const trib_cuda_providers[] = { &trib_cuda_kernels_provider, &library, NULL };
