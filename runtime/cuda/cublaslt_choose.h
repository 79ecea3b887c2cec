/* SPDX-License-Identifier: Apache-2.0
 * The plan to use for a matrix product: the one the cache remembers, else the fastest on the device, else cuBLASLt's
 * best guess. The twin of cudnn_choose.h. */
#ifndef TRIBUTARY_RUNTIME_CUDA_CUBLASLT_CHOOSE_H
#define TRIBUTARY_RUNTIME_CUDA_CUBLASLT_CHOOSE_H

#include "cuda/cublaslt_matmul.h"
#include "cuda/cudnn_conv.h"
#include "cuda/plan_cache.h"
#include "cuda/plan_timer.h"

/* The product that a forward 1x1 convolution without stride and padding is; false: it is none. */
bool trib_matmul_of_conv(const trib_conv_desc *conv, trib_matmul_desc *out);

/* Where candidates are tried: memory large enough for the matrices; y is overwritten. */
typedef struct trib_matmul_trial {
    const trib_timer *timer;
    struct CUstream_st *stream; /* the timer's */
    trib_matmul_pointers pointers;
    void *workspace; /* `workspace_bytes` */
} trib_matmul_trial;

/* `workspace_bytes`: as for trib_matmul_candidates; with a trial not 0. `cache` NULL: nothing is remembered. `trial`
 * NULL: nothing is measured or put into the cache. `report` (TRIB_MESSAGE_SIZE bytes) tells what there was to choose
 * from, `nanoseconds` how long the chosen one takes, 0 if nobody measured; both may be NULL. Fails with
 * TRIB_UNSUPPORTED when there is no plan. */
trib_status trib_matmul_choose(const trib_cublaslt *library, const trib_matmul_desc *desc, int64_t workspace_bytes,
                               trib_plan_cache *cache, const trib_matmul_trial *trial, char *report,
                               int64_t *nanoseconds, trib_matmul_plan **out);

#endif
