/* SPDX-License-Identifier: Apache-2.0
 * Our kernels as ops: the rows that provider_kernels.c offers and runs. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_KERNEL_OPS_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_KERNEL_OPS_H

#include "tributary/internal/kernels_cuda.h"
#include "tributary/op.h"

/* A kernel's arguments for a run. */
typedef struct trib_kernel_call {
    const void *const *inputs;
    void *const *outputs;
    const void *weight; /* packed, or an input */
    const float *bias;
    void *workspace;
    void *stream;
} trib_kernel_call;

/* One kernel as an op of this kind, with this prologue and epilogue. */
typedef struct trib_kernel_op {
    trib_kind kind, before, after;
    const char *name, *note;
    /* Whether it can run a checked desc, or the reason why not. */
    bool (*supports)(const trib_op_desc *desc, char *reason);
    trib_status (*run)(const trib_op_desc *desc, const trib_kernel_call *c);
    int64_t (*workspace)(const trib_op_desc *desc); /* its bytes; NULL: none */
} trib_kernel_op;

/* For `supports`: writes the reason, and returns false. */
bool trib_kernel_refuses(char *reason, const char *why);
/* All views lie as NHWC; and there is no ReLU to fuse. */
bool trib_kernel_is_plain(const trib_op_desc *desc, char *reason);
bool trib_kernel_is_plain_without_relu(const trib_op_desc *desc, char *reason);
bool trib_kernel_has_small_lrn(const trib_lrn *lrn, char *reason);

/* The row of a kind that only training has, NULL: there is none (training_kernels.c). */
const trib_kernel_op *trib_training_kernel(trib_kind kind);

#endif
