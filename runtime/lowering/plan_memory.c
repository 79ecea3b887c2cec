/* SPDX-License-Identifier: Apache-2.0
 * One arena for activations and workspaces. Two buffers may share memory if every access to one is certain to end
 * before any access to the other begins, in the *partial* order of streams and events: ops that run side by side never
 * share. Placement is greedy, largest first, each at the lowest offset free of its conflicts. */
#include <stdlib.h>
#include <string.h>

#include "device/alignment.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

static bool in_arena(const trib_plan_buffer *b)
{
    return (b->kind == TRIB_BUFFER_ACTIVATION || b->kind == TRIB_BUFFER_WORKSPACE) && b->bytes > 0;
}

/* For each buffer of the plan, two sets of ops: its users, and the ops that end before all of its users start. One
 * buffer is before another if its users are in the other's second set. */
typedef struct lifetimes {
    size_t words; /* 64-bit words of a set */
    uint64_t *users, *over;
} lifetimes;

static void add_user(lifetimes *l, const trib_order *order, int buffer, size_t op)
{
    if (buffer < 0) return;
    uint64_t *users = l->users + (size_t)buffer * l->words, *over = l->over + (size_t)buffer * l->words;
    const uint64_t *before = trib_order_row(order, op);
    bool first = true;
    for (size_t w = 0; first && w < l->words; ++w) first = users[w] == 0;
    for (size_t w = 0; w < l->words; ++w) over[w] = first ? before[w] : over[w] & before[w];
    users[op / 64] |= (uint64_t)1 << (op % 64);
}

static void find_lifetimes(const trib_plan *p, const trib_order *order, lifetimes *out)
{
    for (size_t i = 0; i < order->count; ++i) {
        const trib_plan_op *op = &p->ops[i];
        if (!op->implementation) continue;
        for (int k = 0; k < op->desc.input_count; ++k) add_user(out, order, op->desc.inputs[k].buffer, i);
        for (int k = 0; k < op->desc.output_count; ++k) add_user(out, order, op->desc.outputs[k].buffer, i);
        add_user(out, order, op->workspace, i);
    }
}

static bool all_before(const lifetimes *l, size_t a, size_t b)
{
    const uint64_t *users = l->users + a * l->words, *over = l->over + b * l->words;
    for (size_t w = 0; w < l->words; ++w)
        if (users[w] & ~over[w]) return false;
    return true;
}

typedef struct placement {
    size_t buffer;
    int64_t bytes;
} placement;

static int largest_first(const void *x, const void *y)
{
    const placement *a = x, *b = y;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
    return a->buffer < b->buffer ? -1 : a->buffer > b->buffer;
}

/* The lowest offset at which `next` overlaps none of the `count` placed ones, in the order of their offsets, that it
 * conflicts with. */
static int64_t lowest_offset(const trib_plan *p, const lifetimes *times, const placement *placed, size_t count,
                             placement next, bool reuse)
{
    int64_t offset = 0;
    for (size_t k = 0; k < count; ++k) {
        int64_t begin = p->buffers[placed[k].buffer].offset, end = begin + placed[k].bytes;
        if (begin >= offset + next.bytes) break;
        if (end <= offset) continue;
        bool shares = reuse && (all_before(times, next.buffer, placed[k].buffer) ||
                                all_before(times, placed[k].buffer, next.buffer));
        if (!shares) offset = end;
    }
    return offset;
}

static void insert_by_offset(const trib_plan *p, placement *placed, size_t count, placement next)
{
    size_t at = count;
    while (at && p->buffers[placed[at - 1].buffer].offset > p->buffers[next.buffer].offset) --at;
    memmove(placed + at + 1, placed + at, (count - at) * sizeof *placed);
    placed[at] = next;
}

static void place(trib_plan *p, const lifetimes *times, const placement *list, size_t count, placement *placed,
                  bool reuse)
{
    for (size_t i = 0; i < count; ++i) {
        trib_plan_buffer *b = &p->buffers[list[i].buffer];
        b->offset = lowest_offset(p, times, placed, i, list[i], reuse);
        insert_by_offset(p, placed, i, list[i]);
        if (b->offset + list[i].bytes > p->arena_bytes) p->arena_bytes = b->offset + list[i].bytes;
        p->activation_bytes += list[i].bytes;
    }
}

static trib_status plan_memory(trib_lowering *l, const trib_order *order, lifetimes *times, placement *list,
                               placement *placed)
{
    trib_plan *p = l->plan;
    size_t count = 0;
    find_lifetimes(p, order, times);
    for (int b = 0; b < p->buffer_count; ++b)
        if (in_arena(&p->buffers[b])) list[count++] = (placement) { (size_t)b, trib_aligned(p->buffers[b].bytes) };
    qsort(list, count, sizeof *list, largest_first);
    place(p, times, list, count, placed, !trib_pass_disabled(l, TRIB_PASS_PLAN_MEMORY));
    return trib_lowering_note(l, "plan_memory: %zu buffers of %.1f MB in an arena of %.1f MB", count,
                              (double)p->activation_bytes * 1e-6, (double)p->arena_bytes * 1e-6);
}

trib_status trib_pass_plan_memory(trib_lowering *l)
{
    const trib_plan *p = l->plan;
    size_t buffers = (size_t)p->buffer_count;
    trib_order order = { 0 };
    TRIB_TRY(trib_order_of(p->ops, (size_t)p->op_count, p->stream_count, p->event_count, &order));
    lifetimes times = { .words = order.words };
    times.users = trib_alloc_zeroed(buffers * order.words, sizeof *times.users);
    times.over = trib_alloc_zeroed(buffers * order.words, sizeof *times.over);
    placement *list = trib_alloc_zeroed(buffers, sizeof *list);
    placement *placed = trib_alloc_zeroed(buffers, sizeof *placed);
    trib_status status = times.users && times.over && list && placed ? plan_memory(l, &order, &times, list, placed)
                                                                     : trib_plan_no_memory();
    trib_order_release(&order);
    trib_free(times.users);
    trib_free(times.over);
    trib_free(list);
    trib_free(placed);
    return status;
}
