/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/fork_join.h"

#include <string.h>

#include "tributary/internal/alloc.h"

/* known[s][t]: how many ops of the list, counted up to and including the last one on stream t that work given to stream
 * s now is certain to follow. A vector clock per stream; at[i] keeps the clock of op i's stream after op i. */
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

/* The ops an op must follow, latest first, so that waiting for one spares the waits it implies. */
static bool must_follow(const trib_plan *p, const trib_plan_op *op, const trib_plan_op *earlier)
{
    bool meets = !op->implementation && op->desc.kind == TRIB_CONCAT; /* a join follows all writers of its slices */
    for (int o = 0; o < earlier->desc.output_count; ++o) {
        int buffer = earlier->desc.outputs[o].buffer;
        if (buffer < 0) continue;
        for (int i = 0; i < op->desc.input_count; ++i)
            if (op->desc.inputs[i].buffer == buffer) return true;
        if (meets && buffer == op->desc.outputs[0].buffer) return true;
    }
    /* Work beside stream 0 must not start before the run does. */
    return p->ops == earlier && op->stream != earlier->stream;
}

static trib_status connect(trib_plan *p, clocks *c)
{
    for (int i = 0; i < p->op_count; ++i) {
        trib_plan_op *op = &p->ops[i];
        for (int j = i; j-- > 0;)
            if (p->ops[j].stream != op->stream && must_follow(p, op, &p->ops[j])) TRIB_TRY(wait_for(p, c, i, j));
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
    end.record = end.workspace = -1;
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

trib_status trib_connect_streams(trib_lowering *l)
{
    trib_plan *p = l->plan;
    size_t streams = (size_t)p->stream_count;
    clocks c = { .streams = p->stream_count };
    c.known = trib_alloc_zeroed(streams * streams, sizeof *c.known);
    c.at = trib_alloc_zeroed((size_t)p->op_count * streams, sizeof *c.at);
    trib_status status = c.known && c.at ? connect(p, &c) : trib_plan_no_memory();
    if (!trib_failed(&status)) status = join_rest(l, &c);
    trib_free(c.known);
    trib_free(c.at);
    return status;
}
