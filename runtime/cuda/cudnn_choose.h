/* SPDX-License-Identifier: Apache-2.0
 * The plan to use for a convolution: the one the cache remembers, else the fastest of the candidates on the device,
 * else cuDNN's best guess. */
#ifndef TRIBUTARY_RUNTIME_CUDA_CUDNN_CHOOSE_H
#define TRIBUTARY_RUNTIME_CUDA_CUDNN_CHOOSE_H

#include "cuda/cudnn_conv.h"
#include "cuda/plan_cache.h"
#include "cuda/plan_timer.h"

/* Where candidates are tried: memory large enough for the tensors, whose contents are overwritten. */
typedef struct trib_conv_trial {
    const trib_timer *timer;
    struct cudnnContext *handle; /* of the timer's stream */
    trib_conv_pointers pointers; /* the bias large enough for float32 */
    void *workspace;             /* limits' workspace_bytes, which may not be 0 then */
} trib_conv_trial;

/* `cache` NULL: nothing is remembered. `trial` NULL: nothing is measured, and nothing new is put into the cache.
 * `report` (TRIB_MESSAGE_SIZE bytes) tells what there was to choose from, `nanoseconds` how long the chosen one takes,
 * 0 if nobody measured; both may be NULL. Fails with TRIB_UNSUPPORTED, saying why, when there is no plan. */
trib_status trib_conv_choose(const trib_cudnn *library, const trib_conv_desc *desc, const trib_conv_limits *limits,
                             trib_plan_cache *cache, const trib_conv_trial *trial, char *report, int64_t *nanoseconds,
                             trib_conv_plan **out);

#endif
