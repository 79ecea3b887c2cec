/* SPDX-License-Identifier: Apache-2.0
 * Matrix products through cuBLASLt: linear layers, and 1x1 convolutions over all pixels of a batch.
 *
 *     y[rows, out] = relu(x[rows, in] * w[out, in]^T + bias[out])
 *
 * Row-major; x and y have a pitch, the number of elements from one row to the next, so that both may be channel slices.
 * Used like cudnn_conv.h: describe, ask for candidates, keep the fastest, run it. Needs a card.
 *
 * Threads: everything here may be used from several threads at once. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUBLASLT_MATMUL_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUBLASLT_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/op.h"
#include "tributary/status.h"

struct CUstream_st;

typedef struct trib_cublaslt trib_cublaslt;
typedef struct trib_matmul_algorithm trib_matmul_algorithm;

/* For the current card. Destroy plans before closing it. */
trib_status trib_cublaslt_open(trib_cublaslt **out);
void trib_cublaslt_close(trib_cublaslt *library); /* NULL is fine, here and below */
/* "13.0.2" */
const char *trib_cublaslt_version(const trib_cublaslt *library);

typedef struct trib_matmul_desc {
    trib_precision precision; /* of x and w */
    trib_dtype y_dtype;       /* the precision's, or float32: unrounded sums */
    int64_t rows;
    int in, out;
    int64_t x_pitch, y_pitch; /* in and out when packed */
    bool has_bias, relu;
} trib_matmul_desc;

/* "matmul bf16 to f32 r25088 i192 o64 x192 y256 bias relu", for messages. Returns `text` (at least TRIB_MATMUL_KEY
 * bytes). */
enum { TRIB_MATMUL_KEY = 128, TRIB_MATMUL_NAME = 144 };
const char *trib_matmul_key(const trib_matmul_desc *desc, char *text);

typedef struct trib_matmul_algorithm_info {
    char name[TRIB_MATMUL_NAME]; /* "cublaslt:" and the algorithm in hexadecimal: identifies this plan */
    trib_dtype bias;             /* storage type of the bias */
    int64_t workspace_bytes;
} trib_matmul_algorithm_info;

/* Plans, best guess first, at most `capacity`; *count = 0 if cuBLASLt has none, and then `reason` (NULL, or at least
 * TRIB_MESSAGE_SIZE bytes) says why. All sum in a fixed order. `workspace_bytes` is the limit for a plan; 0: 32 MiB,
 * which cuBLASLt asks for on Hopper. */
trib_status trib_matmul_candidates(const trib_cublaslt *library, const trib_matmul_desc *desc, int64_t workspace_bytes,
                                   trib_matmul_algorithm **list, int capacity, int *count, char *reason);
/* The plan of this name. TRIB_UNSUPPORTED if this library or card no longer has it; TRIB_BAD_DATA if it is not the name
 * of a plan. */
trib_status trib_matmul_algorithm_by_name(const trib_cublaslt *library, const trib_matmul_desc *desc, const char *name,
                                          trib_matmul_algorithm **out);
const trib_matmul_algorithm_info *trib_matmul_algorithm_get_info(const trib_matmul_algorithm *chosen);
void trib_matmul_algorithm_destroy(trib_matmul_algorithm *chosen);

/* Device memory aligned to 16 bytes, x and y at the first element of their slices. */
typedef struct trib_matmul_pointers {
    const void *x, *w, *bias;
    void *y;
} trib_matmul_pointers;

/* In stream order. `workspace` has info's workspace_bytes, aligned to 256. A plan is immutable: several streams may run
 * it at once, each with its own workspace. */
trib_status trib_matmul_run(const trib_matmul_algorithm *chosen, struct CUstream_st *stream,
                            const trib_matmul_pointers *pointers, void *workspace);

#endif
