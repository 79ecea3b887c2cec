/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a network as layers, shapes and parameters (the "what").
 *
 * A graph knows nothing of batch sizes, devices or memory layouts. Its builder states concurrency: it opens a fork,
 * adds one chain of layers per branch, and joins the branches in a concatenation.
 *
 *     trib_graph_builder *b = trib_graph_begin("two_branches");
 *     int x = trib_add_input(b, "input", 3, 224, 224);
 *     trib_fork f = trib_fork_open(b, "split", x);
 *     trib_fork_branch(&f);
 *     int left = trib_add_conv2d(b, "left", x, &(trib_conv2d){ .k = 16, .r = 1, .s = 1 });
 *     trib_fork_branch(&f);
 *     int right = trib_add_conv2d(b, "right", x, &(trib_conv2d){ .k = 16, .r = 3, .s = 3, .pad = { 1, 1, 1, 1 } });
 *     int y = trib_fork_join_concat(&f, "output", (const int[]){ left, right }, 2);
 *     trib_graph_mark_output(b, "features", y);
 *     trib_status s = trib_graph_finish(b, &graph);
 *
 * The builder keeps the first failure: later calls do nothing and return -1, and trib_graph_finish reports it.
 *
 * Shapes are per image: activations are C,H,W. Layer ids count from 0 in topological order, and each layer has one
 * output. */
#ifndef TRIBUTARY_GRAPH_H
#define TRIBUTARY_GRAPH_H

#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/dtype.h"
#include "tributary/shape.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

typedef enum trib_kind {
    TRIB_INPUT = 0,
    TRIB_NO_STAGE = TRIB_INPUT, /* see trib_op_stage in op.h */
    TRIB_CONV2D,
    TRIB_BATCH_NORM,
    TRIB_RELU,
    TRIB_MAX_POOL2D,
    TRIB_AVG_POOL2D,
    TRIB_ADAPTIVE_AVG_POOL2D,
    TRIB_LRN,
    TRIB_CONCAT,
    TRIB_LINEAR,
    TRIB_DROPOUT,
    TRIB_SOFTMAX,
    /* Only in plans: */
    TRIB_REORDER,    /* a change of memory layout, element type, or to more channels (the new ones are 0) */
    TRIB_PREPROCESS, /* 8-bit pixels to normalised ones */
    TRIB_REGIONS,    /* regions of pictures to normalised pixels (region.h) */
    TRIB_TOP_K,      /* the k most likely classes of each row of logits */
    TRIB_FOLD,       /* batch norm's parameters into the preceding weight and bias */
    TRIB_PACK,       /* weight and bias into the form that one op reads; runs through the handle of that op */
    /* Only in plans for training; what they read and write: op.h */
    TRIB_CONV2D_BACKWARD_DATA,
    TRIB_CONV2D_BACKWARD_WEIGHT,
    TRIB_LINEAR_BACKWARD_DATA,
    TRIB_LINEAR_BACKWARD_WEIGHT,
    TRIB_BIAS_BACKWARD,
    TRIB_RELU_BACKWARD,
    TRIB_BATCH_STATISTICS,
    TRIB_BATCH_NORM_APPLY,
    TRIB_BATCH_NORM_BACKWARD,
    TRIB_MAX_POOL2D_INDEXED,
    TRIB_MAX_POOL2D_BACKWARD,
    TRIB_AVG_POOL2D_BACKWARD,
    TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD,
    TRIB_LRN_BACKWARD,
    TRIB_DROPOUT_TRAINING,
    TRIB_CROSS_ENTROPY,
    TRIB_SCALE_CONTROLS,
    TRIB_SUM_GRADIENTS,
    TRIB_CHECK_GRADIENTS,
    TRIB_CLIP_GRADIENTS,
    TRIB_SGD,
    TRIB_MOVING_AVERAGE,
    TRIB_ADJUST_LOSS_SCALE,
    TRIB_KIND_COUNT
} trib_kind;

/* "conv2d", "max_pool2d", ... */
const char *trib_kind_name(trib_kind kind);

typedef struct trib_pad {
    int top, left, bottom, right;
} trib_pad;

/* y[k,p,q] = b[k] + sum over c,r,s of w[k,c,r,s] x[c, p*stride_h + r - pad.top, q*stride_w + s - pad.left]. Weights are
 * O,I,R,S. */
typedef struct trib_conv2d {
    int k;                  /* output channels */
    int r, s;               /* filter height and width */
    int stride_h, stride_w; /* 0 means 1 */
    trib_pad pad;
    bool no_bias;
} trib_conv2d;

/* Windows of r x s. With `ceil_mode`, a last window that extends beyond the edge is kept if it starts inside the image
 * or its left/top padding (the rule of Caffe and PyTorch). Padding never wins a maximum. Averages divide by the number
 * of elements inside the image and its stated padding, as PyTorch's count_include_pad=True does. r = 0: one window over
 * the whole image. */
typedef struct trib_pool2d {
    int r, s, stride_h, stride_w;
    trib_pad pad;
    bool ceil_mode;
} trib_pool2d;

/* Output of exactly p x q; window i spans floor(i*H/p) .. ceil((i+1)*H/p), as in PyTorch. */
typedef struct trib_adaptive_pool2d {
    int p, q;
} trib_adaptive_pool2d;

/* y = x * (k + alpha/size * sum of x^2 over `size` neighbouring channels)^-beta. (Krizhevsky et al. 2012, 3.3) */
typedef struct trib_lrn {
    int size;
    float alpha, beta, k;
} trib_lrn;

/* y = (x - mean) / sqrt(var + eps) * weight + bias, per channel, with the running statistics. */
typedef struct trib_batch_norm {
    float eps;
} trib_batch_norm;

/* y[o] = b[o] + sum of w[o,i] x[i], x flattened in C,H,W order. Weights are [out, in]. */
typedef struct trib_linear {
    int out;
    bool no_bias;
} trib_linear;

/* Identity at inference. In training an element becomes 0 with probability p, and x / (1 - p) otherwise. */
typedef struct trib_dropout {
    float p;
    uint32_t salt; /* training: sets the layer's random numbers apart from those of other layers */
} trib_dropout;

/* loss[n] = -sum over c of t[c] log softmax(logits[n])[c], with t = (1 - smoothing) for the label, plus smoothing /
 * classes for every class. Its gradient is that of weight * mean over n of loss[n]. */
typedef struct trib_cross_entropy {
    float weight, smoothing;
} trib_cross_entropy;

/* Batch norm with the statistics of the batch. running = (1 - momentum) * running + momentum * batch, with the unbiased
 * variance, as in PyTorch. */
typedef struct trib_batch_statistics {
    float eps, momentum;
} trib_batch_statistics;

/* g' = g + weight_decay * decay * w; v = momentum * v + g'; w -= lr * rate * (nesterov ? g' + momentum * v : v).
 * (PyTorch's form.) */
typedef struct trib_sgd {
    float rate, decay; /* multiples for these parameters: Caffe's are 2 and 0 for biases */
    bool nesterov;
} trib_sgd;

typedef struct trib_adjust_loss_scale {
    int growth_interval; /* good steps after which the scale doubles */
} trib_adjust_loss_scale;

/* y = x * scale[c] + shift[c] for c in the order of y; the source has 3 channels, or 1 that stands for all three. */
typedef struct trib_normalise {
    bool bgr; /* y's channel order; x is RGB */
    float scale[3], shift[3];
} trib_normalise;

/* Images of h x w pixels from regions of pictures (region.h). The input is a trib_region_row per image, as bytes. */
typedef struct trib_cut_regions {
    trib_normalise normalise;
    int h, w;
} trib_cut_regions;

/* k classes, largest logit first (ties: lower index first; NaN last), and their softmax over the whole row. */
typedef struct trib_top_k_rows {
    int k;
} trib_top_k_rows;

/* y = batch norm folded into weight and bias, in double: weight * scale, bias * scale + shift, with scale = bn_weight /
 * sqrt(var + eps), shift = bn_bias - mean * scale. Inputs are weight and bias, those that there are, then the batch
 * norm's four in the order of their roles; outputs a weight and a bias. Without a weight (a batch norm alone) they are
 * scale and shift. All are dense: n = 1, c = O, h = I, w = R*S. */
typedef struct trib_fold {
    bool weight, bias;
    float eps;
} trib_fold;

/* Inputs are a dense weight and, where the op has one, a bias; the output is what trib_op_pack writes. */
typedef struct trib_pack {
    int channels; /* as in trib_op_parameters */
} trib_pack;

typedef union trib_attributes {
    trib_conv2d conv2d; /* in layers and ops strides are at least 1, and a pool's window has an extent: the builder
                           replaces zeros */
    trib_pool2d pool2d;
    trib_adaptive_pool2d adaptive_pool2d;
    trib_lrn lrn;
    trib_batch_norm batch_norm;
    trib_linear linear;
    trib_dropout dropout;
    trib_normalise preprocess;
    trib_cut_regions regions;
    trib_top_k_rows top_k;
    trib_fold fold;
    trib_pack pack;
    trib_batch_statistics batch_statistics;
    trib_cross_entropy cross_entropy;
    trib_sgd sgd;
    trib_adjust_loss_scale adjust_loss_scale;
} trib_attributes;

/* The role of a parameter in its layer. */
typedef enum trib_role {
    TRIB_WEIGHT = 0, /* of a convolution or a linear layer */
    TRIB_BIAS,
    TRIB_BN_WEIGHT, /* a batch norm's own: its scale, ... */
    TRIB_BN_BIAS,
    TRIB_BN_MEAN,
    TRIB_BN_VAR,
    TRIB_ROLE_COUNT
} trib_role;

/* "weight", "bias", "bn_weight", ... */
const char *trib_role_name(trib_role role);

enum { TRIB_NO_PARAMETER = -1, TRIB_MAX_INPUTS = 8 };

typedef struct trib_layer {
    const char *name; /* Caffe's: "inception_3a/3x3_reduce" */
    trib_kind kind;
    int input_count;
    int inputs[TRIB_MAX_INPUTS]; /* layer ids */
    trib_attributes attributes;
    int parameters[TRIB_ROLE_COUNT]; /* parameter ids by role, TRIB_NO_PARAMETER where there is none */
    int c, h, w;                     /* output, per image; linear and softmax have h = w = 1 */
    int fork;   /* innermost fork this layer belongs to, -1 on the trunk; a join belongs to the outer level */
    int branch; /* which branch of that fork, from 0; 0 on the trunk */
} trib_layer;

typedef struct trib_fork_info {
    const char *name; /* "inception_3a" */
    int input;        /* the layer all branches read */
    int join;         /* the concat that ends it */
    int branch_count;
    int parent; /* the enclosing fork, or -1 */
    int parent_branch;
} trib_fork_info;

typedef struct trib_parameter {
    const char *name; /* "inception_3a/3x3_reduce.weight" */
    trib_role role;
    int layer;
    trib_shape shape;
} trib_parameter;

typedef struct trib_output {
    const char *name; /* "logits" */
    int layer;
} trib_output;

/* A finished network; immutable. */
typedef struct trib_graph trib_graph;

const char *trib_graph_name(const trib_graph *graph);
int trib_graph_layer_count(const trib_graph *graph);
const trib_layer *trib_graph_layer(const trib_graph *graph, int layer);
int trib_graph_parameter_count(const trib_graph *graph);
const trib_parameter *trib_graph_parameter(const trib_graph *graph, int parameter);
int trib_graph_fork_count(const trib_graph *graph);
const trib_fork_info *trib_graph_fork(const trib_graph *graph, int fork);
int trib_graph_output_count(const trib_graph *graph);
const trib_output *trib_graph_output(const trib_graph *graph, int output);
/* Ids by name, -1 if there is none. */
int trib_graph_find_layer(const trib_graph *graph, const char *name);
int trib_graph_find_parameter(const trib_graph *graph, const char *name);

/* Operations per image; a multiply-add is two. */
int64_t trib_layer_flops(const trib_graph *graph, int layer);
/* Elements of all parameters of the layer, without running statistics. */
int64_t trib_layer_parameter_elements(const trib_graph *graph, int layer);

trib_status trib_graph_clone(const trib_graph *graph, trib_graph **out);
void trib_graph_destroy(trib_graph *graph); /* NULL is fine */

/* ---- building ---- */

/* A network being built. */
typedef struct trib_graph_builder trib_graph_builder;

typedef struct trib_fork {
    trib_graph_builder *builder;
    int id;
} trib_fork;

/* NULL only if out of memory; all functions accept a NULL builder, and trib_graph_finish reports it. */
trib_graph_builder *trib_graph_begin(const char *name);
/* The first is the image; there may be others, outside of forks. Sessions run networks of one input only. */
int trib_add_input(trib_graph_builder *b, const char *name, int c, int h, int w);
int trib_add_conv2d(trib_graph_builder *b, const char *name, int input, const trib_conv2d *conv);
int trib_add_batch_norm(trib_graph_builder *b, const char *name, int input, float eps);
int trib_add_relu(trib_graph_builder *b, const char *name, int input);
int trib_add_max_pool2d(trib_graph_builder *b, const char *name, int input, const trib_pool2d *pool);
int trib_add_avg_pool2d(trib_graph_builder *b, const char *name, int input, const trib_pool2d *pool);
int trib_add_adaptive_avg_pool2d(trib_graph_builder *b, const char *name, int input, int p, int q);
int trib_add_lrn(trib_graph_builder *b, const char *name, int input, const trib_lrn *lrn);
int trib_add_linear(trib_graph_builder *b, const char *name, int input, const trib_linear *linear);
int trib_add_dropout(trib_graph_builder *b, const char *name, int input, float p);
int trib_add_softmax(trib_graph_builder *b, const char *name, int input);
/* Adds a layer of any kind, except inputs and kinds that are only in plans, by the rules of the kind: number of inputs,
 * attributes, parameters. `attributes` NULL: the kind has none. The functions above and below call this with their
 * kind. */
int trib_add_layer(trib_graph_builder *b, const char *name, trib_kind kind, const int *inputs, int count,
                   const trib_attributes *attributes);
/* Along channels. Outside a fork, this joins existing layers. */
int trib_add_concat(trib_graph_builder *b, const char *name, const int *inputs, int count);

trib_fork trib_fork_open(trib_graph_builder *b, const char *name, int input);
/* Layers added from now on belong to the next branch. */
void trib_fork_branch(trib_fork *fork);
/* Closes the fork; `branches` holds each branch's last layer, in the order of the concatenation. */
int trib_fork_join_concat(trib_fork *fork, const char *name, const int *branches, int count);

void trib_graph_mark_output(trib_graph_builder *b, const char *name, int layer);
/* Frees the builder, also on failure. */
trib_status trib_graph_finish(trib_graph_builder *b, trib_graph **out);

TRIB_END_DECLS
#endif
