/* SPDX-License-Identifier: Apache-2.0
 * Convolutions through cuDNN's graph API: describe, ask for candidates, keep the fastest, run it.
 *
 *     trib_cudnn *library;                                         // once per card
 *     s = trib_cudnn_open(0, &library);
 *     trib_conv_desc conv = { .precision = TRIB_PRECISION_BF16, .n = 32, .c = 96, .h = 28, .w = 28, ... };
 *     trib_conv_list list;
 *     s = trib_conv_candidates(library, &conv, NULL, &list);       // best guess first
 *     trib_compiled_conv *compiled = trib_conv_list_take(&list, 0);
 *     trib_conv_list_clear(&list);
 *     s = trib_conv_run(compiled, handle, &(trib_conv_pointers) { x, w, bias, y }, workspace);
 *     trib_compiled_conv_destroy(compiled);
 *
 * A trib_compiled_conv is what cuDNN calls an execution plan; in these files, a plan is that.
 *
 * Activations are NHWC with a pitch, the number of elements from one pixel to the next: a channel slice of a wider
 * tensor is a pointer and the wide pitch. Filters are K,R,S,C (trib_cuda_pack_weights). Needs no card: plans can be
 * made for a described card, and machines without a GPU test all plans this way. (Without a CUDA driver at all, cuDNN
 * offers no engine that is compiled at run time.)
 *
 * Threads: everything here may be used from several threads at once, but a handle belongs to one stream. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_CONV_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_CONV_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/op.h"
#include "tributary/status.h"

struct CUstream_st;
struct cudnnContext;

typedef struct trib_cudnn trib_cudnn;
typedef struct trib_compiled_conv trib_compiled_conv;

/* ---- the library and its handles ---- */

/* For the card with this CUDA ordinal. */
trib_status trib_cudnn_open(int device, trib_cudnn **out);
/* For a card described by cuDNN's own JSON (tests/data/cudnn): plans can be made and saved, not run. */
trib_status trib_cudnn_open_described(const char *json, trib_cudnn **out);
void trib_cudnn_close(trib_cudnn *library); /* NULL is fine, here and below; plans outlive it */
/* "9.19.0": the version of the loaded library, not of the headers. */
const char *trib_cudnn_version(const trib_cudnn *library);

/* One handle per stream, created while the card is current. */
trib_status trib_cudnn_handle_create(struct CUstream_st *stream, struct cudnnContext **out);
void trib_cudnn_handle_destroy(struct cudnnContext *handle);

/* ---- what to compute ---- */

typedef enum trib_conv_direction {
    TRIB_CONV_FORWARD = 0, /* y = relu(conv(x, w) + bias) */
    TRIB_CONV_DGRAD,       /* x = gradient of the input, from y = gradient of the output; or that is added to x */
    TRIB_CONV_WGRAD        /* w = gradient of the filter, from x and y = gradient of the output */
} trib_conv_direction;

typedef struct trib_conv_desc {
    trib_conv_direction direction;
    trib_precision precision; /* of x, w and y */
    int n, c, h, w;           /* x */
    int k, p, q;              /* y */
    int r, s;                 /* filter */
    int stride_h, stride_w;
    int pad_top, pad_left; /* trailing padding follows from p and q */
    int x_pitch, y_pitch;  /* c and k when packed */
    bool has_bias, relu;   /* forward only */
    bool add;              /* dgrad only: to what x holds */
    bool wide_w;           /* wgrad only: w is float32, whatever the precision */
} trib_conv_desc;

/* "fwd bf16 n32 c96 28x28 k128 3x3 s1x1 p1+1 28x28 x96 y256 bias relu": the key of a choice cache. Returns `text` (at
 * least TRIB_CONV_KEY bytes). */
enum { TRIB_CONV_KEY = 160, TRIB_CONV_NAME = 224 };
const char *trib_conv_key(const trib_conv_desc *desc, char *text);

/* ---- ways to compute it ---- */

typedef struct trib_conv_limits {
    int64_t workspace_bytes;     /* limit for a plan; 0: none */
    int most;                    /* maximum number of plans; 0: all. Compiling at run time takes 0.1-0.6 s each */
    bool no_copies;              /* leave out plans that hide a packed copy instead of listing them last */
    bool no_runtime_compilation; /* leave out such plans */
    bool wide_bias;              /* only plans whose bias is float32 */
    bool any_order;              /* include plans whose order of sums varies from run to run */
    bool describe_only;          /* only the info of plans: compiles nothing; such plans cannot be run or saved */
} trib_conv_limits;

/* Whether this failure concerns only one plan, so that another may work. */
bool trib_conv_refusal(const trib_status *status);

typedef struct trib_compiled_conv_info {
    char name[TRIB_CONV_NAME]; /* "cudnn:7:f32:2=0,14=3": identifies this plan */
    trib_dtype bias;           /* storage type of the bias: float32, or the data's type */
    int engine;
    int64_t workspace_bytes;
    bool hides_copy; /* the workspace has room for a packed copy of x or y, and is most likely for that, not for the
                        partial sums of a split product, which need as much for small batches */
    bool runtime_compiled;
    bool tensor_cores;
    bool any_order;    /* sums in an order that varies from run to run */
    bool native_graph; /* can be added to a CUDA graph without capture */
} trib_compiled_conv_info;

/* Working plans, best guess first, in the order of cuDNN's heuristics; but those that hide a copy come later, and those
 * without the tensor cores of the precision last. */
typedef struct trib_conv_list {
    int count, capacity;
    trib_compiled_conv **convs;
    /* Why the others were refused, for reports: */
    int configs;     /* engine configurations offered */
    int unsupported; /* refused by cuDNN: `reason` has the first refusal */
    int imprecise;   /* less precise than requested, or not in a fixed order */
    int too_large;   /* workspace over the limit */
    int copies;      /* hides a copy, listed or not */
    char reason[TRIB_MESSAGE_SIZE];
} trib_conv_list;

/* `limits` may be NULL. Finding none is not a failure: count is 0 and the numbers say why. Clear the list after
 * success. */
trib_status trib_conv_candidates(const trib_cudnn *library, const trib_conv_desc *desc, const trib_conv_limits *limits,
                                 trib_conv_list *out);
/* Takes a plan from the list, leaving NULL: the caller destroys it. */
trib_compiled_conv *trib_conv_list_take(trib_conv_list *list, int index);
void trib_conv_list_clear(trib_conv_list *list);

/* The plan of this name. TRIB_UNSUPPORTED if this library or card no longer has it; TRIB_BAD_DATA if it is not the name
 * of a plan. */
trib_status trib_compiled_conv_by_name(const trib_cudnn *library, const trib_conv_desc *desc, const char *name,
                                       trib_compiled_conv **out);
/* The plan as JSON, compiled kernels included, for a choice cache; freed with trib_free. Followed by a zero byte. */
trib_status trib_compiled_conv_save(const trib_compiled_conv *compiled, char **json, size_t *bytes);
/* Loads a plan saved under that name for that desc. Fails for another card or version of cuDNN; cuDNN may not notice
 * damage (measured: a flipped bit of a kernel), so keep a checksum. */
trib_status trib_compiled_conv_load(const trib_cudnn *library, const trib_conv_desc *desc, const char *name,
                                    const char *json, size_t bytes, trib_compiled_conv **out);

const trib_compiled_conv_info *trib_compiled_conv_get_info(const trib_compiled_conv *compiled);
void trib_compiled_conv_destroy(trib_compiled_conv *compiled);

/* ---- running ---- */

/* Device memory, x and y at the first element of their slices, all aligned to 16 bytes. */
typedef struct trib_conv_pointers {
    const void *x, *w, *bias, *y; /* which are written depends on the direction */
} trib_conv_pointers;

/* In the order of the handle's stream. `workspace` has info's workspace_bytes. A plan is immutable: several streams may
 * run it at once, each with its own handle and workspace. */
trib_status trib_conv_run(const trib_compiled_conv *compiled, struct cudnnContext *handle,
                          const trib_conv_pointers *pointers, void *workspace);

#endif
