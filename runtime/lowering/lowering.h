/* SPDX-License-Identifier: Apache-2.0
 * A plan while it is being made: the plan itself, whose lists the passes extend in place, and data that only they need.
 */
#ifndef TRIBUTARY_RUNTIME_LOWERING_LOWERING_H
#define TRIBUTARY_RUNTIME_LOWERING_LOWERING_H

#include "graph/graph.h"
#include "graph/strings.h"
#include "plan/order.h"
#include "tributary/plan.h"

/* Additions to a layer by graph passes. */
typedef struct trib_folded {
    bool relu;    /* it ends in max(0, y) */
    float bn_eps; /* above 0: it ends in a batch norm, whose parameters now belong to the layer */
} trib_folded;

/* Training: where a parameter of the graph and what belongs to it stay from step to step; buffer -1: there is none. The
 * copy is a weight's value in the type of the precision, if that is no float32. */
typedef struct trib_trained {
    trib_view value, gradient, sum, momentum, average, copy;
} trib_trained;

/* Training: a range of values, and the same range of copies, as vectors. */
typedef struct trib_copied {
    trib_view values, copies; /* buffer -1: there is none */
} trib_copied;
enum { TRIB_COPIED = 2 };

/* Training: parameters with the same multiples of learning rate and weight decay, as vectors. */
typedef struct trib_update {
    trib_view value, gradient, sum, momentum, average; /* buffer -1: there is none */
    trib_sgd attributes;
} trib_update;
enum { TRIB_UPDATES = 2 };

/* Training: 1x1 convolutions of one input, whose backward ops are one: the gradient of the input is the product of all
 * their gradients, side by side, with all their weights, one below the other. */
enum { TRIB_MAX_MERGED = 4 };
typedef struct trib_merged {
    int count, layers[TRIB_MAX_MERGED]; /* in the order of the merged channels */
} trib_merged;

typedef struct trib_lowering {
    trib_graph *graph;   /* its own copy, which the graph passes rewrite */
    trib_folded *folded; /* one per layer */
    trib_device *device;
    trib_plan_options options;
    trib_plan *plan;                                    /* owned until the lowering is finished */
    trib_strings *strings;                              /* all names in the plan */
    size_t op_capacity, buffer_capacity, note_capacity; /* of the plan's lists */
    size_t prepare_capacity, load_capacity;
    trib_view *views;      /* the output of each layer */
    trib_trained *trained; /* training: one per parameter of the graph */
    trib_update updates[TRIB_UPDATES];
    trib_copied copied[TRIB_COPIED]; /* weights that are updated; frozen ones */
    trib_merged *merged;
    int merged_count;
    trib_view labels, controls; /* training: inputs of the plan */
    trib_view loss_scale;       /* training: if it adapts; otherwise buffer -1 */
    trib_view step_controls;    /* training: the controls with that scale, which loss and updates read */
    int64_t measured_ns;        /* sum over ops, with options.measure */
} trib_lowering;

/* A copy of the graph whose outputs are the wanted ones, and a plan without ops. Release the lowering, also on failure.
 */
trib_status trib_lowering_begin(trib_lowering *lowering, const trib_graph *graph, trib_device *device,
                                const trib_plan_options *options, trib_layout layout);
/* Including the plan, unless `plan` was taken and set to NULL. */
void trib_lowering_release(trib_lowering *lowering);

/* Fills in the plan's forks; fails on a schedule for a fork that the graph does not have. */
trib_status trib_lowering_set_schedules(trib_lowering *lowering);

/* Channels for the readers of an input: convolutions accept zeros after the image's own channels. */
int trib_entry_channels(const trib_lowering *lowering, int input);

/* Ops and views from layers; concatenations become one copy per input and a join. No layouts for ops yet. */
trib_status trib_lower_graph(trib_lowering *lowering);

/* Adds a buffer and returns its index in *out. `name` is copied. */
trib_status trib_lowering_add_buffer(trib_lowering *lowering, const char *name, trib_buffer_kind kind, int64_t bytes,
                                     int *out);
/* Marks a buffer as unused: trib_lowering_drop_buffers removes it; until then it keeps its index. */
void trib_lowering_forget_buffer(trib_lowering *lowering, int buffer);
trib_status trib_lowering_drop_buffers(trib_lowering *lowering);

/* An op of a layer, with all other fields empty. `name` is one of the plan's strings; NULL, as these
 * return it, is reported as out of memory. */
trib_status trib_lowering_new_op(const trib_lowering *lowering, int layer, const char *name, trib_plan_op *out);
trib_status trib_lowering_add_op(trib_lowering *lowering, const trib_plan_op *op);
trib_status trib_lowering_insert_op(trib_lowering *lowering, int index, const trib_plan_op *op);
void trib_lowering_remove_op(trib_lowering *lowering, int index);
trib_plan_part trib_no_parameters(void);

TRIB_PRINTF(2, 3) trib_status trib_lowering_note(trib_lowering *lowering, const char *format, ...);

static inline bool trib_pass_disabled(const trib_lowering *l, trib_pass pass)
{
    return l->options.disabled_passes >> pass & 1u;
}

#endif
