/* SPDX-License-Identifier: Apache-2.0
 * Tributary: one operation of a plan, as a device sees it: shapes, layouts, attributes, memory. */
#ifndef TRIBUTARY_OP_H
#define TRIBUTARY_OP_H

#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/graph.h"
#include "tributary/step_controls.h"

TRIB_BEGIN_DECLS

/* How a tensor of N,C,H,W elements lies in memory. A blocked layout stores channels in groups of 8 or 16:
 * [N][ceil(C/B)][H][W][B], the last group zero-padded. */
typedef enum trib_layout { TRIB_NCHW = 0, TRIB_NHWC, TRIB_NCHW8C, TRIB_NCHW16C, TRIB_LAYOUT_COUNT } trib_layout;

/* "nchw", "nhwc", "nChw8c", "nChw16c". */
const char *trib_layout_name(trib_layout layout);
/* Channels per block: 8 or 16 for the blocked layouts, otherwise 1. */
int trib_layout_block(trib_layout layout);

/* The precision of convolutions and matrix products: types of storage and factors. Sums are float32. */
typedef enum trib_precision {
    TRIB_PRECISION_FP32 = 0, /* float32 stored and multiplied */
    TRIB_PRECISION_TF32, /* float32 stored, factors of 10 bits of fraction: tensor cores. Weights and the results of our
                            products are rounded to that; a library may truncate other factors */
    TRIB_PRECISION_FP16,
    TRIB_PRECISION_BF16,
    TRIB_PRECISION_COUNT
} trib_precision;

/* "fp32", "tf32", "fp16", "bf16". */
const char *trib_precision_name(trib_precision precision);
/* The element type of tensors of this precision. */
trib_dtype trib_precision_dtype(trib_precision precision);

/* A tensor an op reads or writes: channels [c_offset, c_offset + c) of a tensor with c_total channels.
 * Pointers given to a device always point at the first element of the *slice* (see trib_view_offset). */
typedef struct trib_view {
    int buffer; /* index into the plan's buffers */
    trib_dtype dtype;
    trib_layout layout;
    int n, c, h, w;
    int c_offset, c_total;
} trib_view;

/* Bytes of the whole (c_total channels wide) tensor, block padding included. */
int64_t trib_view_bytes(const trib_view *view);
/* Bytes from the start of the whole tensor to the slice's first element. */
int64_t trib_view_offset(const trib_view *view);

enum { TRIB_MAX_OUTPUTS = 4 };

/* A step before or after an op whose result is never materialised: the max pool before a pool projection, the LRN after
 * a pool. (Bias and ReLU, which nearly every op can end in, have their own fields.) */
typedef struct trib_op_stage {
    trib_kind kind; /* TRIB_NO_STAGE: there is none */
    trib_attributes attributes;
} trib_op_stage;

/* Training. Activations, their gradients and u8 indices have the batch's n; "vector" is f32 with n = h = w = 1 and c =
 * channels; vectors, saved, loss, labels and controls are dense, in nchw or nhwc. A weight is dense: n = K, c = C, h x
 * w = its filter (a linear layer: C,H,W of its input), nchw and f32 on a cpu, nhwc and of the precision's type on a
 * GPU; a gradient of a weight is f32 in the same order. A d before a name is the gradient of the loss with respect to
 * it. Names in brackets are optional.
 *
 *     kind                        inputs                      outputs
 *     conv2d, linear              x, weight [, bias]          y            instead of packed parameters
 *     conv2d_backward_data        dy, weight                  dx
 *     conv2d_backward_weight      x, dy                       dweight
 *     linear_backward_data        dy, weight                  dx
 *     linear_backward_weight      x, dy                       dweight
 *     bias_backward               dy                          dbias        a vector: the sum over images and pixels
 *     relu_backward               dy, y                       dx [, dbias] dy where y > 0, else 0; dbias sums dx
 *     batch_statistics            x, weight, bias, mean, var  saved, mean, var
 *     batch_norm_apply            x, saved                    y            x * scale + shift
 *     batch_norm_backward         dy, x, saved                dx, dweight, dbias
 *     max_pool2d_indexed          x                           y, index     u8: r * S + s of the first largest; its
 *                                                                        block padding is anything
 *     max_pool2d_backward         dy, index                   dx
 *     avg_pool2d_backward, adaptive_avg_pool2d_backward: dy   dx
 *     lrn_backward                dy, x                       dx
 *     dropout_training            x, controls                 y            and dy to dx, with the same controls
 *     cross_entropy               logits, labels, controls    dlogits, loss
 *     scale_controls              controls, scale             controls     loss_scale is multiplied by scale's
 *     sum_gradients               s, g, controls              s            add_to_sum ? s + g : g
 *     check_gradients             g, controls                 controls     no_update = 2 where it was 0 and g is not
 *                                                                        finite
 *     clip_gradients              g [, g2], controls          g [, g2]     * clip_norm / length, if they are longer
 *     sgd                         w, g, v, controls           w, v
 *     moving_average              a, w, controls              a            a = d * a + (1 - d) * w, d = average_decay
 *     adjust_loss_scale           controls, scale             scale        as trib_loss_scale says
 *
 * With controls.no_update, clip_gradients, sgd and moving_average change nothing. They, batch_statistics,
 * sum_gradients, check_gradients and adjust_loss_scale update in place: an output that has an input's name is the same
 * view of the same memory. "saved" is f32 with n = 4, c = channels: the rows scale = weight / sqrt(var + eps), shift =
 * bias - mean * scale, mean and 1 / sqrt(var + eps) of the batch. With desc.relu, batch_norm_apply ends in max(0, y),
 * and batch_norm_backward sees dy as 0 where x * scale + shift <= 0. relu_backward, batch_norm_backward and
 * dropout_training may write dx over dy. labels: i32, c = 1, h = w = 1; loss: f32, the same extents. dlogits is the
 * gradient of controls.loss_scale * weight * (mean of loss). "scale" is a trib_loss_scale, as a vector of 4. In the
 * last seven all but controls are flat: n = h = w = 1.
 */

/* Everything a device needs to choose, prepare and run an op. Plain data; compare with memcmp after zero-initialising.
 *
 * A convolution with several outputs is several convolutions of one input with the same window: output i has the next
 * outputs[i].c channels, and attributes.conv2d.k is their sum. TRIB_TOP_K has two outputs: probabilities (f32) and
 * class indices (i32).
 *
 * A ReLU or a batch norm may update its input in place: its output is then the same view of the same buffer. What every
 * other op writes has no byte in common with what it reads. */
typedef struct trib_op_desc {
    trib_kind kind;
    trib_precision precision; /* of products; f16 and bf16 need views of that type */
    trib_attributes attributes;
    trib_op_stage before, after; /* prologue: of the first input; epilogue: of the result, before ReLU */
    int input_count, output_count;
    trib_view inputs[TRIB_MAX_INPUTS];
    trib_view outputs[TRIB_MAX_OUTPUTS];
    bool relu;       /* fused max(0, y) */
    bool has_bias;   /* convolution, linear: a bias (its own, or batch norm's) is added */
    bool accumulate; /* training: output 0 (backward_data, the pools' backward) is added to what its memory holds */
    bool any_order;  /* sums may be made in an order that differs from run to run, where that is faster */
    int threads;     /* cpu: cores this op may use */
    int chunk;       /* cpu, training: images that are computed at a time, by one thread. Sums over a batch are made
                        chunk by chunk, in order, so that bits do not depend on threads. 0: all at once */
} trib_op_desc;

/* True if the op has a prologue or an epilogue. */
bool trib_op_has_stages(const trib_op_desc *desc);

/* Values of an op's parameters, dense float32 in device memory, batch norm already folded: weight is O,I,R,S (O of all
 * outputs, concatenated) or [out,in] (columns in C,H,W order). A standalone batch norm has weight = scale and bias =
 * shift per channel. NULL if there is none. */
typedef struct trib_op_parameters {
    const float *weight;
    const float *bias;
    int channels; /* convolution: I, if less than the channels of the input view, the rest of which are zeros; 0: the
                     same */
} trib_op_parameters;

/* One way to run an op, as a device offers it. */
typedef struct trib_implementation {
    const char *name;        /* static string or owned by the device: "onednn:jit_avx512", "reference" */
    int64_t workspace_bytes; /* scratch memory for running */
    const char *note;        /* the reason for its rank; static or owned by the device; may be NULL */
    /* Size of its packed parameters, and scratch memory for packing them; 0: it has none. */
    int64_t packed_bytes, packing_bytes;
    bool any_order; /* its bits may differ from run to run; offered only for a desc that has any_order */
} trib_implementation;

TRIB_END_DECLS
#endif
