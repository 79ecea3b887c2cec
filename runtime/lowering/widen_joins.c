/* SPDX-License-Identifier: Apache-2.0
 * One product, one destination: the joined output of a fork becomes wider by the reductions' channels, which lie before
 * those of the 1x1 branch.
 *
 *     before   3x3_reduce [a]   5x5_reduce [b]   output [1x1 | 3x3 | 5x5 | pool_proj]      three destinations
 *     after    output [3x3_reduce | 5x5_reduce | 1x1 | 3x3 | 5x5 | pool_proj]              one: the first a + b + c
 *
 * A merged op with several destinations is for own kernels alone. With one it is a plain product whose rows lie some
 * way apart, which any library computes, at nearly the rate of the memory; everybody else reads and writes slices as
 * before. The reductions then stay in memory for as long as the output. */
#include "lowering/passes.h"

/* What one merged op moves. */
typedef struct widening {
    int join;     /* the buffer that becomes wider */
    int channels; /* by so many, at its beginning */
    int slice;    /* output of the op that lies in the join */
} widening;

static bool is_whole(const trib_view *v) { return !v->c_offset && v->c == v->c_total; }

static bool same_pixels(const trib_view *a, const trib_view *b)
{
    return a->dtype == b->dtype && a->layout == b->layout && a->n == b->n && a->h == b->h && a->w == b->w;
}

static bool is_activation(const trib_lowering *l, int buffer)
{
    return l->plan->buffers[buffer].kind == TRIB_BUFFER_ACTIVATION;
}

/* Whether all outputs are whole tensors but one, which is the beginning of a join. */
static bool can_widen(const trib_lowering *l, const trib_op_desc *d, widening *out)
{
    const int multiple = trib_device_get_info(l->device)->channel_multiple;
    *out = (widening) { .slice = -1 };
    for (int i = 0; i < d->output_count; ++i) {
        const trib_view *y = &d->outputs[i];
        if (y->layout != TRIB_NHWC || !same_pixels(y, &d->outputs[0]) || !is_activation(l, y->buffer)) return false;
        if (is_whole(y)) {
            if (y->c % multiple) return false;
            out->channels += y->c;
        } else if (out->slice >= 0 || y->c_offset) {
            return false;
        } else {
            out->slice = i;
            out->join = y->buffer;
        }
    }
    return out->slice >= 0 && out->channels > 0;
}

/* ---- moving views ---- */

/* A tensor that was in buffer `from` is now at channel `offset` of `to`, which has `total`. */
typedef struct move {
    int from, to, offset, total;
} move;

static void move_view(const move *m, trib_view *view)
{
    if (view->buffer != m->from || view->layout != TRIB_NHWC) return;
    view->buffer = m->to;
    view->c_offset += m->offset;
    view->c_total = m->total;
}

static void move_all(trib_lowering *l, const move *m)
{
    for (size_t i = 0; i < l->graph->layer_count; ++i) move_view(m, &l->views[i]);
    for (int i = 0; i < l->plan->op_count; ++i) {
        trib_op_desc *d = &l->plan->ops[i].desc;
        for (int k = 0; k < d->input_count; ++k) move_view(m, &d->inputs[k]);
        for (int k = 0; k < d->output_count; ++k) move_view(m, &d->outputs[k]);
    }
}

/* Moves the join's old tensor first: what moves into it afterwards is already in its place. */
static void widen(trib_lowering *l, trib_plan_op *op, const widening *w)
{
    const int total = op->desc.outputs[w->slice].c_total + w->channels;
    const int width = w->channels + op->desc.outputs[w->slice].c;
    const trib_plan_part last = op->parts[w->slice];
    int at = 0, part = 0;
    move_all(l, &(move) { w->join, w->join, w->channels, total });
    for (int i = 0; i < op->desc.output_count; ++i) {
        if (i == w->slice) continue;
        const trib_view y = op->desc.outputs[i];
        move_all(l, &(move) { y.buffer, w->join, at, total });
        trib_lowering_forget_buffer(l, y.buffer);
        op->parts[part++] = op->parts[i];
        at += y.c;
    }
    op->parts[part] = last;
    trib_view *all = &op->desc.outputs[0];
    all->buffer = w->join;
    all->c_offset = 0;
    all->c = width;
    all->c_total = total;
    op->desc.output_count = 1;
    l->plan->buffers[w->join].bytes = trib_view_bytes(all);
}

trib_status trib_pass_widen_joins(trib_lowering *l)
{
    int widened = 0;
    if (trib_device_get_info(l->device)->host) return trib_success(); /* its own kernels have several destinations */
    for (int i = 0; i < l->plan->op_count; ++i) {
        trib_plan_op *op = &l->plan->ops[i];
        widening w;
        if (op->part_count < 2 || !trib_pass_concerns(l, TRIB_PASS_WIDEN_JOINS, op->fork)) continue;
        if (!can_widen(l, &op->desc, &w)) continue;
        widen(l, op, &w);
        ++widened;
    }
    return trib_lowering_note(l, "widen_joins: %d joined outputs begin with the reductions of their module", widened);
}
