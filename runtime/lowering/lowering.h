/* SPDX-License-Identifier: Apache-2.0
 * A plan while it is being made: the plan itself, whose lists the passes grow in place, and what only they need to
 * know. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_LOWERING_H
#define TRIBUTARY_RUNTIME_LOWERING_LOWERING_H

#include "graph/graph.h"
#include "graph/strings.h"
#include "plan/order.h"
#include "tributary/plan.h"

/* What graph passes have made part of a layer. */
typedef struct trib_folded {
    bool relu;    /* it ends in max(0, y) */
    float bn_eps; /* above 0: in a batch norm, whose parameters are the layer's now, too */
} trib_folded;

typedef struct trib_lowering {
    trib_graph *graph;   /* its own copy, which the graph passes rewrite */
    trib_folded *folded; /* one per layer */
    trib_device *device;
    trib_plan_options options;
    trib_plan *plan;                                    /* owned until the lowering is done with it */
    trib_strings *strings;                              /* the plan's: every name in it lies here */
    size_t op_capacity, buffer_capacity, note_capacity; /* of the plan's lists */
    trib_view *views;                                   /* one per layer: where its output is */
    int64_t measured_ns;                                /* sum over ops, with options.measure */
} trib_lowering;

/* A copy of the graph whose outputs are the wanted ones, and a plan without ops. On failure, too, the lowering must be
 * released. */
trib_status trib_lowering_begin(trib_lowering *lowering, const trib_graph *graph, trib_device *device,
                                const trib_plan_options *options, trib_layout layout);
/* The plan with it, unless somebody took it (set `plan` to NULL). */
void trib_lowering_release(trib_lowering *lowering);

/* Fills in the plan's forks; fails on a schedule for a fork that the graph does not have. */
trib_status trib_lowering_set_schedules(trib_lowering *lowering);

/* Ops and views from layers; concatenations become one copy per input and a join. No layouts for ops yet. */
trib_status trib_lower_graph(trib_lowering *lowering);

/* Adds a buffer and returns its index in *out. `name` is copied. */
trib_status trib_lowering_add_buffer(trib_lowering *lowering, const char *name, trib_buffer_kind kind, int64_t bytes,
                                     int *out);
/* A buffer that is not needed any more: it goes with trib_lowering_drop_buffers, and keeps its index until then. */
void trib_lowering_forget_buffer(trib_lowering *lowering, int buffer);
trib_status trib_lowering_drop_buffers(trib_lowering *lowering);

/* An op of a layer with everything that is not its business empty. `name` lies in the plan's strings; NULL, as these
 * return it, is reported as out of memory. */
trib_status trib_lowering_new_op(const trib_lowering *lowering, int layer, const char *name, trib_plan_op *out);
trib_status trib_lowering_add_op(trib_lowering *lowering, const trib_plan_op *op);
void trib_lowering_remove_op(trib_lowering *lowering, int index);
trib_plan_part trib_no_parameters(void);

TRIB_PRINTF(2, 3) trib_status trib_lowering_note(trib_lowering *lowering, const char *format, ...);

static inline bool trib_pass_disabled(const trib_lowering *l, trib_pass pass)
{
    return l->options.disabled_passes >> pass & 1u;
}

#endif
