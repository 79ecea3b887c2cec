/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a graph lowered for one device, batch size and schedule (the "how").
 *
 * A plan is plain data: a list of ops in an order that is valid on one stream, each with its stream, the events it
 * waits for and records, memory, layouts and implementation. It can be printed, compared, written as JSON and checked,
 * and runs nothing. */
#ifndef TRIBUTARY_PLAN_H
#define TRIBUTARY_PLAN_H

#include <stdio.h>

#include "tributary/declare.h"
#include "tributary/device.h"
#include "tributary/graph.h"
#include "tributary/op.h"

TRIB_BEGIN_DECLS

typedef enum trib_schedule {
    TRIB_SERIAL = 0, /* all branches on the fork's own stream, stream 0 on the trunk; the reference for the others */
    TRIB_BRANCHES,   /* one stream per branch, as in the paper's figure; branch 0 stays on the fork's own stream */
    TRIB_FUSED,      /* the 1x1 convolutions that read a module's input as one op, if the device has such ops, then the
                        large convolutions side by side */
    TRIB_SCHEDULE_COUNT
} trib_schedule;
const char *trib_schedule_name(trib_schedule schedule);
/* -1 when there is no such schedule. */
int trib_schedule_find(const char *name);

/* The schedule of one fork, or of several. A fork that is not named has that of the fork around it, without stages, or,
 * on the trunk, trib_plan_options.schedule. In a serial fork no branch leaves the stream of what is around it: a fork
 * inside one of its branches may be parallel all the same, beginning and ending on that stream.
 *
 * With `stages`, the layers of its branches run in stages, and those of one stage side by side, a stream for each
 * branch: the one of the branch's earlier layers, if it is free. "1110-0112" has two stages: of a GoogLeNet module, 1x1
 * and both reductions, then 3x3, 5x5, and the pool with its projection. A digit per branch is the number of its layers
 * in that stage; convolutions, pools and linear layers count, and a fork inside as one; other layers belong to the one
 * before them. After "-", an op waits for what it reads and for what its stream has before it; after "/", for all of
 * the stages before as well. "1110-0112:0112/1110" also has the stages of the backward ops, which count from the end of
 * each branch; without, they are those of the forward ops, in reverse. */
typedef struct trib_fork_schedule {
    const char *fork; /* "inception_3a", or a pattern as a shell has them, "inception_4*" */
    trib_schedule schedule;
    const char *stages; /* NULL: none. Otherwise `schedule` says only which ops there are: TRIB_BRANCHES or TRIB_FUSED,
                           whose merged ops run where the first of their layers does */
} trib_fork_schedule;
/* "serial", "1110-0112" (TRIB_BRANCHES with these stages) or "fused:1110-0112", as --schedule takes them. *stages
 * points into `text`. False if it is none of them. */
bool trib_fork_schedule_read(const char *text, trib_schedule *schedule, const char **stages);

/* The passes, in the order they run. Each can be switched off, except the ones marked required. */
typedef enum trib_pass {
    TRIB_PASS_PRUNE = 0,        /* required: removes layers that no wanted output needs, or that do nothing at
                                   inference */
    TRIB_PASS_FOLD_BATCH_NORM,  /* BN into the preceding convolution */
    TRIB_PASS_FUSE_BIAS_RELU,   /* ReLU into the preceding convolution or linear layer */
    TRIB_PASS_ELIDE_CONCAT,     /* a branch's last op writes its slice of the joined output */
    TRIB_PASS_MERGE_REDUCTIONS, /* fused: 1x1 convolutions of one fork input become one op with several outputs */
    TRIB_PASS_WIDEN_JOINS,      /* fused, not on a cpu: the outputs of such an op become one, in the joined output */
    TRIB_PASS_FUSE_POOL_PROJECTION,  /* fused: a 3x3 pool and the following 1x1 convolution become one op */
    TRIB_PASS_FUSE_POOL_LRN,         /* a max pool and an adjacent LRN become one op */
    TRIB_PASS_BACKWARD,              /* training, required: losses, the backward of every op, the update */
    TRIB_PASS_RECOMPUTE,             /* training: what is cheap to compute is computed again for the backward ops */
    TRIB_PASS_CHOOSE_IMPLEMENTATION, /* required: layouts and implementations */
    TRIB_PASS_PREPARE_PARAMETERS,    /* required: what runs when parameters change */
    TRIB_PASS_ASSIGN_STREAMS,        /* required: the schedule, its events and waits */
    TRIB_PASS_PLAN_MEMORY,           /* if off, every buffer gets its own memory */
    TRIB_PASS_COUNT
} trib_pass;
const char *trib_pass_name(trib_pass pass);
/* -1 if there is no such pass. */
int trib_pass_find(const char *name);

enum { TRIB_LAYOUT_AUTO = -1, TRIB_MAX_PLAN_OUTPUTS = 64 };

/* Softmax cross-entropy of an output (rows of logits) with the labels; the total loss is the sum of weight * mean. */
typedef struct trib_loss {
    const char *output; /* "logits", "aux1" */
    float weight;
} trib_loss;

enum { TRIB_FIRST_LOSS_SCALE = 65536 }; /* where PyTorch's GradScaler begins */

/* A plan for training: forward, losses, backward and update are one run. Its inputs are the images, "labels" (i32, N;
 * classes from 0) and "controls" (u8, 64: a trib_step_controls); its outputs the logits of each loss, and "loss/NAME"
 * (f32, N) of each. Parameters, their gradients and the optimiser's state are in trib_plan.tensors. */
typedef struct trib_training {
    const trib_loss *losses;
    int loss_count;
    float label_smoothing;
    float statistics_momentum; /* of batch norm's running statistics; 0: 0.1 */
    bool no_dropout;
    bool nesterov;
    bool caffe_rules; /* biases: twice the learning rate, no weight decay */
    bool average;     /* keeps a moving average of the parameters */
    bool clip;        /* before the update, gradients are clipped to trib_step_controls.clip_norm */
    int accumulate;   /* runs that make a step: the update is that of the sum of their gradients, each of which is
                         divided by their number. 0: 1. What a run does is said by add_to_sum and no_update of
                         trib_step_controls */
    float loss_scale; /* above 0: the loss scale adapts, beginning with this (see trib_loss_scale); runs multiply it by
                         that of their controls. 0: the controls' alone, and gradients that are not finite are used */
    int loss_scale_growth;     /* good steps after which it doubles; 0: 2000 */
    bool no_update;            /* gradients only: the loss scale does not adapt */
    const char *const *frozen; /* prefixes of names of parameters and running statistics that keep their values, and
                                  need no gradients; batch norms go on to normalise with the batch's own statistics */
    int frozen_count;
} trib_training;

/* How to lower a graph. With top_k, the plan has exactly two outputs, "top_k/probabilities" (f32, N,k) and
 * "top_k/indices" (i32, N,k), of the one output that options->outputs names (NULL: the graph's first), which must be
 * rows. */
typedef struct trib_plan_options {
    int batch;                                /* images per run of the plan; 0: 1 */
    trib_schedule schedule;                   /* outside of forks, and of all forks except those in fork_schedules */
    const trib_fork_schedule *fork_schedules; /* single forks; the last one for a fork counts. An unknown name fails
                                                 with TRIB_NOT_FOUND, listing the forks */
    int fork_schedule_count;
    trib_precision precision;
    int layout;                      /* a trib_layout for activations, or TRIB_LAYOUT_AUTO: the device's best */
    trib_layout input_layout;        /* of the caller's input */
    const trib_normalise *normalise; /* the first input is 8-bit RGB pixels (NHWC), normalised on the device; NULL:
                                        normalised float32. Needs trib_device_info.normalises */
    bool regions;                    /* the input is regions of pictures (region.h), which the device cuts, warps and
                                        normalises: every device does. Needs `normalise`; not for training. input_layout is
                                        that of the cut pixels, where layers take them as they are */
    int top_k;                  /* k > 0: return the k most likely classes of each row of logits instead (see above) */
    int threads;                /* cpu: cores this plan may use, 0: all of the device's; elsewhere 0 */
    bool reference;             /* plain C reference for every op */
    bool measure;               /* time the candidates on the device instead of ranking them */
    unsigned disabled_passes;   /* bit (1u << trib_pass) */
    unsigned forced_passes;     /* the same: also where the pass expects no gain; for tests and measurements */
    const char *const *outputs; /* names of outputs or layers to return; NULL: the graph's first output */
    int output_count;
    const trib_training *training; /* NULL: inference. With it, the outputs are those of its losses */
    bool any_order; /* sums may be made in an order that differs from run to run where the device is faster so: then
                       bits differ, too (trib_plan.any_order_ops). On a cpu nothing is, and nothing changes */
} trib_plan_options;

/* Zero but for TRIB_LAYOUT_AUTO. */
trib_plan_options trib_plan_default_options(void);

typedef enum trib_buffer_kind {
    TRIB_BUFFER_ACTIVATION = 0, /* in the arena */
    TRIB_BUFFER_WORKSPACE,      /* in the arena, alive during one op */
    TRIB_BUFFER_INPUT,          /* given by the caller of each run */
    TRIB_BUFFER_OUTPUT,         /* given by the caller of each run */
    TRIB_BUFFER_LOADING,        /* before a parameter is packed: its values, batch norm folded in, scratch memory */
    TRIB_BUFFER_PACKED,         /* the form in which one op reads its parameters */
    TRIB_BUFFER_PARAMETER,      /* training: values as the graph shapes them, dense float32 */
    TRIB_BUFFER_GRADIENT,       /* training: of a parameter, in its shape */
    TRIB_BUFFER_STATE,          /* training: what stays from step to step beside parameters */
    TRIB_BUFFER_KIND_COUNT
} trib_buffer_kind;
/* "activation", "workspace", "input", ... */
const char *trib_buffer_kind_name(trib_buffer_kind kind);

/* The memory a buffer lies in. */
typedef enum trib_memory_area {
    TRIB_AREA_ARENA = 0,  /* one per lane */
    TRIB_AREA_CALLER,     /* a buffer of its own */
    TRIB_AREA_PARAMETERS, /* one per session, the same for all lanes: it stays as long as the session */
    TRIB_AREA_LOADING     /* needed only while parameters are prepared */
} trib_memory_area;
trib_memory_area trib_buffer_area(trib_buffer_kind kind);

typedef struct trib_plan_buffer {
    const char *name; /* of the tensor, e.g. "inception_3a/output" */
    trib_buffer_kind kind;
    int64_t bytes;
    int64_t offset; /* in its area; -1 for inputs and outputs */
} trib_plan_buffer;

enum { TRIB_MAX_WAITS = 8 };

/* The parameters of one layer: graph parameter ids by role, or TRIB_NO_PARAMETER. */
typedef struct trib_plan_part {
    int parameters[TRIB_ROLE_COUNT];
    float bn_eps;
} trib_plan_part;

typedef struct trib_plan_op {
    const char *name; /* of its layer; passes that add ops or join several derive names from those of layers */
    int layer;        /* graph layer this op ends with */
    int fork, branch; /* as in the graph */
    trib_op_desc desc;
    int part_count; /* 1, or the number of layers that were merged, in the order of their channels */
    trib_plan_part parts[TRIB_MAX_OUTPUTS];
    int stream;
    int wait_count;
    int waits[TRIB_MAX_WAITS];  /* events to wait for before the op */
    int record;                 /* event to record after the op, or -1 */
    int workspace;              /* buffer, or -1 */
    int parameters;             /* buffer of its packed parameters, or -1 */
    int64_t packing_bytes;      /* scratch memory while they are packed */
    int consumer;               /* of an op that prepares parameters: the op that reads them; else -1 */
    const char *implementation; /* NULL: nothing runs here, but streams meet (input, join of a concat) */
    const char *reason;         /* why it was chosen: candidates, times, ranks; may be NULL */
    int64_t flops;              /* of this op, whole batch */
    int64_t bytes;              /* read and written at least, including parameters */
} trib_plan_op;

/* A fork of the graph; trib_plan_op.fork is its index. */
typedef struct trib_plan_fork {
    const char *name;
    int parent; /* the fork around it, or -1 */
    trib_schedule schedule;
    const char *stages; /* as in trib_fork_schedule, or NULL */
} trib_plan_fork;

/* What the caller hands in for each run, in the order of the graph's input layers. */
typedef struct trib_plan_input {
    const char *name; /* the layer's */
    int buffer;
    trib_shape shape;   /* N,C,H,W extents, whatever the layout; regions: N,40,1,1, a trib_region_row per image */
    trib_dtype dtype;   /* f32; of the first input u8, if the device normalises it */
    trib_layout layout; /* dense */
} trib_plan_input;

/* A parameter that is brought to the device before op `op` of those that prepare parameters. */
typedef struct trib_plan_load {
    int parameter; /* of the graph */
    int op;
    trib_view view; /* dense; a slice where several convolutions were merged */
} trib_plan_load;

typedef struct trib_plan_output {
    const char *name;
    int buffer;
    trib_shape shape; /* N,C,H,W or N,C; dense */
    trib_dtype dtype; /* f32, or i32 for "top_k/indices" */
} trib_plan_output;

/* What a tensor that stays from step to step is. */
typedef enum trib_tensor_role {
    TRIB_TENSOR_PARAMETER = 0, /* running statistics, too */
    TRIB_TENSOR_GRADIENT,      /* of the last step: with trib_training.accumulate, their sum so far */
    TRIB_TENSOR_MOMENTUM,
    TRIB_TENSOR_AVERAGE, /* moving average of a parameter */
    TRIB_TENSOR_ROLE_COUNT
} trib_tensor_role;
/* "parameter", "gradient", "momentum", "average". */
const char *trib_tensor_role_name(trib_tensor_role role);

typedef struct trib_plan_tensor {
    trib_tensor_role role;
    int parameter;  /* of the graph */
    trib_view view; /* dense, in the parameter's shape */
} trib_plan_tensor;

typedef struct trib_plan {
    const char *graph_name, *device_spec;
    int batch;
    trib_schedule schedule; /* outside of forks, and the default for forks */
    trib_precision precision;
    trib_layout layout; /* of activations */
    int threads;
    unsigned disabled_passes;
    int op_count, buffer_count, input_count, output_count, fork_count, stream_count, event_count;
    trib_plan_op *ops; /* these run every time */
    /* These run before, when parameters have changed (at inference: once), in this order, on stream 0: of each op that
     * has parameters, batch norm folded in, then packed. What one of them needs beside packed parameters shares its
     * memory with what the next one's needs, so that a network is never there twice. */
    int prepare_count, load_count;
    trib_plan_op *prepare;
    trib_plan_load *loads; /* in the order of the ops they come before */
    trib_plan_buffer *buffers;
    trib_plan_input *inputs;
    trib_plan_output *outputs;
    trib_plan_fork *forks;
    bool training;
    bool regions;      /* the input is made by trib_session_submit_regions */
    int any_order_ops; /* with options.any_order: ops whose bits may differ from run to run */
    int tensor_count;  /* training */
    trib_plan_tensor *tensors;
    int loss_scale; /* training: the buffer of the trib_loss_scale, or -1 */
    int64_t arena_bytes;
    int64_t activation_bytes; /* size of the arena without reuse */
    int64_t parameter_bytes;  /* of packed parameters, once for all lanes; training: of all tensors */
    int64_t loading_bytes;    /* additional memory while they are prepared */
    /* The device's limits at this precision, for rooflines (see trib_device_info); 0 and NULL if unknown. */
    double copy_rate, math_rate;
    const char *rates_source;
    int64_t device_memory_bytes; /* 0: unknown, or memory of the host */
    int note_count;              /* one per pass, for --explain */
    const char **notes;
    void *storage; /* strings */
} trib_plan;

/* Lowers `graph` for `device`. Needs no parameters, and runs nothing unless options->measure is set. */
trib_status trib_plan_create(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                             trib_plan **out);
void trib_plan_destroy(trib_plan *plan);

/* The schedule of what lies inside a fork, or with -1 outside of all. */
trib_schedule trib_plan_schedule_of(const trib_plan *plan, int fork);
/* "fused", or where forks differ "fused,inception_3a=serial,inception_3b=1110-0112": as --schedule takes it. Like
 * snprintf: returns the length of the whole, which may not fit. */
size_t trib_plan_schedule_text(const trib_plan *plan, char *text, size_t size);

/* Seconds of a run if each op moved its bytes, or did its products, at the device's rate, whichever takes longer, one
 * op after the other; 0 if the rates are unknown. */
double trib_plan_seconds_at_best(const trib_plan *plan);

bool trib_plan_equal(const trib_plan *a, const trib_plan *b);
/* A table for people; with `explain`, also the passes' notes and each op's reason. */
trib_status trib_plan_print(const trib_plan *plan, bool explain, FILE *out);
trib_status trib_plan_print_json(const trib_plan *plan, FILE *out);

/* Proves that any two ops that touch the same bytes, at least one writing, are ordered by stream order and events; that
 * no op overwrites its own input, unless it updates it in place; and that all ops follow the first op and end before
 * the last one on stream 0: both for the ops of every run and for those that prepare parameters. Proves, too, that each
 * packed parameter is written by exactly one op, the one that packs it. The failure names both ops, the buffer, the
 * byte range and the missing wait. trib_plan_create checks every plan. */
trib_status trib_plan_check_stream_order(const trib_plan *plan);

TRIB_END_DECLS
#endif
