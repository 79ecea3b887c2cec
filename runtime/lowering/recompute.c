/* SPDX-License-Identifier: Apache-2.0
 * Activations that are cheap to compute from others that stay anyway are computed again for the backward ops instead of
 * being kept from the forward: relu(batch norm) of a convolution's output, and the max pool of a branch, whose indices
 * are kept. What is computed again lives from its first reader on. */
#include "graph/kinds.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

typedef struct recompute {
    trib_lowering *l;
    int forward; /* ops before the first loss */
    bool *kept;  /* by buffer: read by backward ops, so that it stays in any case, or is computed again itself */
    int count;   /* activations computed again */
    int64_t saved, moved; /* bytes that are not kept; bytes read and written again */
} recompute;

static bool reads(const trib_plan_op *op, int buffer)
{
    for (int k = 0; k < op->desc.input_count; ++k)
        if (op->desc.inputs[k].buffer == buffer) return true;
    return false;
}

static bool writes(const trib_plan_op *op, int buffer)
{
    for (int k = 0; k < op->desc.output_count; ++k)
        if (op->desc.outputs[k].buffer == buffer) return true;
    return false;
}

static bool runs_nothing(const trib_plan_op *op)
{
    return op->desc.kind == TRIB_CONCAT && op->desc.inputs[0].buffer == op->desc.outputs[0].buffer;
}

/* The first loss is the first op that reads labels. */
static int count_forward(const trib_lowering *l)
{
    int i = 0;
    while (i < l->plan->op_count && !reads(&l->plan->ops[i], l->labels.buffer)) ++i;
    return i;
}

static int first_reader(const recompute *r, int buffer)
{
    for (int i = r->forward; i < r->l->plan->op_count; ++i)
        if (reads(&r->l->plan->ops[i], buffer)) return i;
    return -1;
}

/* A pool that makes its input smaller is cheaper to keep. */
static bool is_cheap(const recompute *r, const trib_plan_op *op)
{
    const trib_op_desc *d = &op->desc;
    bool cheap =
        d->kind == TRIB_BATCH_NORM_APPLY || (d->kind == TRIB_MAX_POOL2D_INDEXED && d->attributes.pool2d.stride_h == 1 &&
                                             d->attributes.pool2d.stride_w == 1);
    return cheap &&
           (r->kept[d->inputs[0].buffer] || r->l->plan->buffers[d->inputs[0].buffer].kind == TRIB_BUFFER_INPUT);
}

/* Whether all that is written to the buffer can be computed again. */
static bool can_recompute(const recompute *r, int buffer)
{
    int writers = 0;
    for (int i = 0; i < r->forward; ++i) {
        const trib_plan_op *op = &r->l->plan->ops[i];
        if (!writes(op, buffer) || runs_nothing(op)) continue;
        if (!is_cheap(r, op) || op->desc.outputs[0].buffer != buffer) return false;
        ++writers;
    }
    return writers > 0;
}

/* The op once more, for what the reader reads; without the pool's indices, which are kept. */
static trib_plan_op again(const trib_plan_op *op, const trib_plan_op *reader, const char *name, int buffer)
{
    trib_plan_op copy = *op;
    copy.name = name;
    copy.fork = reader->fork;
    copy.branch = reader->branch;
    copy.desc.output_count = 1;
    copy.desc.outputs[0].buffer = buffer;
    if (copy.desc.kind == TRIB_MAX_POOL2D_INDEXED) copy.desc.kind = TRIB_MAX_POOL2D;
    return copy;
}

static void read_instead(recompute *r, int from, int old, int new)
{
    for (int i = from; i < r->l->plan->op_count; ++i) {
        trib_op_desc *d = &r->l->plan->ops[i].desc;
        for (int k = 0; k < d->input_count; ++k)
            if (d->inputs[k].buffer == old) d->inputs[k].buffer = new;
    }
}

static trib_status insert_again(recompute *r, int buffer, int at, int new)
{
    trib_lowering *l = r->l;
    for (int i = 0; i < r->forward; ++i) {
        const trib_plan_op op = l->plan->ops[i];
        if (!writes(&op, buffer) || runs_nothing(&op)) continue;
        const char *name = trib_strings_format(l->strings, "%s/again", op.name);
        if (!name) return trib_plan_no_memory();
        trib_plan_op copy = again(&op, &l->plan->ops[at], name, new);
        TRIB_TRY(trib_lowering_insert_op(l, at, &copy));
        r->moved += trib_view_bytes(&copy.desc.inputs[0]) + trib_view_bytes(&copy.desc.outputs[0]);
    }
    return trib_success();
}

static trib_status recompute_one(recompute *r, int buffer)
{
    trib_lowering *l = r->l;
    int at = first_reader(r, buffer), new;
    const int64_t bytes = l->plan->buffers[buffer].bytes;
    const char *name = trib_strings_format(l->strings, "%s/again", l->plan->buffers[buffer].name);
    if (!name) return trib_plan_no_memory();
    TRIB_TRY(trib_lowering_add_buffer(l, name, TRIB_BUFFER_ACTIVATION, bytes, &new));
    read_instead(r, at, buffer, new);
    TRIB_TRY(insert_again(r, buffer, at, new));
    ++r->count;
    r->saved += bytes;
    return trib_success();
}

/* The latest first: what is computed again may read what is itself computed again, before it. */
static trib_status recompute_all(recompute *r, int buffers)
{
    const trib_plan *p = r->l->plan;
    for (int b = 0; b < buffers; ++b) r->kept[b] = first_reader(r, b) >= 0;
    for (int b = buffers; b-- > 0;)
        if (p->buffers[b].kind == TRIB_BUFFER_ACTIVATION && r->kept[b] && can_recompute(r, b))
            TRIB_TRY(recompute_one(r, b));
    return trib_lowering_note(
        r->l,
        "recompute: %d activations of %.1f MB are not kept for the backward ops; %.1f MB are read and "
        "written again",
        r->count, (double)r->saved * 1e-6, (double)r->moved * 1e-6);
}

trib_status trib_pass_recompute(trib_lowering *l)
{
    recompute r = { .l = l, .forward = count_forward(l) };
    int buffers = l->plan->buffer_count;
    r.kept = trib_alloc_zeroed((size_t)buffers + 1, sizeof *r.kept);
    if (!r.kept) return trib_plan_no_memory();
    trib_status status = recompute_all(&r, buffers);
    trib_free(r.kept);
    return status;
}
