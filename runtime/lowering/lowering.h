/* SPDX-License-Identifier: Apache-2.0
 * A plan while it is being made: growing lists of ops and buffers, and what only the passes need to know. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_LOWERING_H
#define TRIBUTARY_RUNTIME_LOWERING_LOWERING_H

#include "graph/graph.h"
#include "graph/strings.h"
#include "plan/order.h"
#include "tributary/plan.h"

typedef struct trib_lowering {
    trib_graph *graph; /* its own copy, which the graph passes rewrite */
    trib_device *device;
    trib_plan_options options;
    trib_layout layout; /* of activations */
    trib_plan_op *ops;
    size_t op_count, op_capacity;
    trib_plan_buffer *buffers;
    size_t buffer_count, buffer_capacity;
    trib_plan_output *outputs;
    size_t output_count;
    const char **notes;
    size_t note_count, note_capacity;
    trib_view *views; /* one per layer: where its output is */
    int input_buffer;
    int stream_count, event_count;
    int64_t arena_bytes, activation_bytes;
    int64_t measured_ns; /* sum over ops, with options.measure */
    trib_strings *strings;
} trib_lowering;

/* Ops and views from layers; concatenations become one copy per input and a join. No layouts for ops yet. */
trib_status trib_lower_graph(trib_lowering *lowering);
void trib_lowering_release(trib_lowering *lowering);

/* Adds a buffer and returns its index in *out. `name` is copied. */
trib_status trib_lowering_add_buffer(trib_lowering *lowering, const char *name, trib_buffer_kind kind, int64_t bytes,
                                     int *out);
trib_status trib_lowering_add_op(trib_lowering *lowering, const trib_plan_op *op);
/* An op of `layer` with everything that is not its business empty. */
trib_plan_part trib_no_parameters(void);
trib_plan_op trib_new_op(const trib_layer *layer, int layer_id);
TRIB_PRINTF(2, 3) trib_status trib_lowering_note(trib_lowering *lowering, const char *format, ...);

static inline bool trib_pass_disabled(const trib_lowering *l, trib_pass pass)
{
    return l->options.disabled_passes >> pass & 1u;
}

#endif
