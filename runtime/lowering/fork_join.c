/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/fork_join.h"

#include <string.h>

#include "tributary/internal/alloc.h"

/* known[s][t]: the number of ops in the list up to the last one on stream t that new work on stream s is certain to
 * follow. A vector clock per stream; at[i] keeps the clock of op i's stream after op i. */
typedef struct clocks {
    int streams;
    int *known; /* streams x streams */
    int *at;    /* ops x streams */
} clocks;

static int *row(int *table, int streams, int i) { return table + (size_t)i * (size_t)streams; }

static void merge(int *target, const int *source, int streams)
{
    for (int t = 0; t < streams; ++t)
        if (source[t] > target[t]) target[t] = source[t];
}

static trib_status wait_for(trib_plan *p, clocks *c, int op, int earlier)
{
    trib_plan_op *from = &p->ops[earlier], *to = &p->ops[op];
    int *known = row(c->known, c->streams, to->stream);
    if (known[from->stream] > earlier) return trib_success(); /* follows already */
    if (to->wait_count == TRIB_MAX_WAITS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "layer %s: more than %d streams meet", to->name, TRIB_MAX_WAITS);
    if (from->record < 0) from->record = p->event_count++;
    to->waits[to->wait_count++] = from->record;
    merge(known, row(c->at, c->streams, earlier), c->streams);
    return trib_success();
}

/* ---- which op must follow which ---- */

static int first_block(const trib_view *v) { return v->c_offset / trib_layout_block(v->layout); }
static int end_block(const trib_view *v)
{
    int block = trib_layout_block(v->layout);
    return (v->c_offset + v->c + block - 1) / block;
}

/* Only what stays from run to run has its place already, and may be seen as several buffers: a parameter, and as a part
 * of all parameters. */
static bool same_bytes(const trib_plan *p, int a, int b)
{
    const trib_plan_buffer *x = &p->buffers[a], *y = &p->buffers[b];
    if (trib_buffer_area(x->kind) != TRIB_AREA_PARAMETERS || trib_buffer_area(y->kind) != TRIB_AREA_PARAMETERS)
        return false;
    return x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes;
}

/* Whether they have bytes in common. Slices of one tensor are disjoint if their channels are; a buffer seen as tensors
 * of different shapes counts as one piece. */
static bool meet(const trib_plan *p, const trib_view *a, const trib_view *b)
{
    if (a->buffer < 0 || b->buffer < 0) return false;
    if (a->buffer != b->buffer) return same_bytes(p, a->buffer, b->buffer);
    bool same_tensor = a->dtype == b->dtype && a->layout == b->layout && a->n == b->n && a->h == b->h && a->w == b->w &&
                       a->c_total == b->c_total;
    return !same_tensor || (first_block(a) < end_block(b) && first_block(b) < end_block(a));
}

static bool any_meet(const trib_plan *p, const trib_view *a, int a_count, const trib_view *b, int b_count)
{
    for (int i = 0; i < a_count; ++i)
        for (int k = 0; k < b_count; ++k)
            if (meet(p, &a[i], &b[k])) return true;
    return false;
}

bool trib_must_follow(const trib_plan *p, const trib_plan_op *op, const trib_plan_op *earlier)
{
    const trib_op_desc *d = &op->desc, *e = &earlier->desc;
    if (any_meet(p, d->inputs, d->input_count, e->outputs, e->output_count)) return true;
    if (!op->implementation || !earlier->implementation) return false;
    return any_meet(p, d->outputs, d->output_count, e->inputs, e->input_count) ||
           any_meet(p, d->outputs, d->output_count, e->outputs, e->output_count);
}

/* ---- waits ---- */

static bool is_too_late(const trib_plan *p, const trib_lag *lag, int op, int earlier)
{
    return p->ops[earlier].stream == lag->stream && earlier < lag->ended[op];
}

/* The ops to follow are tried latest first, so that one wait makes those it implies unnecessary. Work beside stream 0
 * must not start before the run: it follows the first op. */
static trib_status connect(trib_plan *p, const trib_lag *lag, const trib_barriers *barriers, clocks *c)
{
    for (int i = 0; i < p->op_count; ++i) {
        trib_plan_op *op = &p->ops[i];
        for (int j = i; j-- > 0;)
            if (p->ops[j].stream != op->stream &&
                (j == 0 || is_too_late(p, lag, i, j) || (barriers->levels && trib_barrier_between(barriers, j, i)) ||
                 trib_must_follow(p, op, &p->ops[j])))
                TRIB_TRY(wait_for(p, c, i, j));
        int *known = row(c->known, c->streams, op->stream);
        known[op->stream] = i + 1;
        memcpy(row(c->at, c->streams, i), known, (size_t)c->streams * sizeof *known);
    }
    return trib_success();
}

/* What no later op on stream 0 follows yet (an output taken from inside a branch) is joined by an op that runs nothing.
 */
static trib_status join_rest(trib_lowering *l, clocks *c)
{
    trib_plan *p = l->plan;
    bool open = false;
    int *known = row(c->known, c->streams, 0);
    trib_plan_op end;
    memset(&end, 0, sizeof end);
    end.name = "end";
    end.layer = end.fork = -1;
    end.record = end.workspace = end.parameters = end.consumer = -1;
    end.desc.kind = TRIB_CONCAT;
    end.part_count = 1;
    end.parts[0] = trib_no_parameters();
    for (int j = p->op_count; j-- > 0;) {
        trib_plan_op *op = &p->ops[j];
        if (known[op->stream] > j) continue;
        if (end.wait_count == TRIB_MAX_WAITS)
            return TRIB_ERROR(TRIB_UNSUPPORTED, "more than %d streams end", TRIB_MAX_WAITS);
        if (op->record < 0) op->record = p->event_count++;
        end.waits[end.wait_count++] = op->record;
        merge(known, row(c->at, c->streams, j), c->streams);
        open = true;
    }
    return open ? trib_lowering_add_op(l, &end) : trib_success();
}

trib_status trib_connect_streams(trib_lowering *l, const trib_lag *lag, const trib_barriers *barriers)
{
    trib_plan *p = l->plan;
    size_t streams = (size_t)p->stream_count;
    clocks c = { .streams = p->stream_count };
    c.known = trib_alloc_zeroed(streams * streams, sizeof *c.known);
    c.at = trib_alloc_zeroed((size_t)p->op_count * streams, sizeof *c.at);
    trib_status status = c.known && c.at ? connect(p, lag, barriers, &c) : trib_plan_no_memory();
    if (!trib_failed(&status)) status = join_rest(l, &c);
    trib_free(c.known);
    trib_free(c.at);
    return status;
}
