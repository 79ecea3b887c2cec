/* SPDX-License-Identifier: Apache-2.0
 * One arena for activations and workspaces. Two buffers may share memory when every access to one is certain to be over
 * before any access to the other begins, in the *partial* order of streams and events: what runs side by side never
 * shares. Placement is greedy, largest first, each at the lowest offset free of its conflicts. */
#include <stdlib.h>
#include <string.h>

#include "passes/passes.h"
#include "tributary/internal/alloc.h"

enum { ALIGNMENT = 256 };

static int64_t aligned(int64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static bool in_arena(const trib_plan_buffer *b)
{
    return (b->kind == TRIB_BUFFER_ACTIVATION || b->kind == TRIB_BUFFER_WORKSPACE) && b->bytes > 0;
}

static bool touches(const trib_plan_op *op, int buffer)
{
    if (!op->implementation) return false;
    if (op->workspace == buffer) return true;
    for (int i = 0; i < op->desc.input_count; ++i)
        if (op->desc.inputs[i].buffer == buffer) return true;
    for (int i = 0; i < op->desc.output_count; ++i)
        if (op->desc.outputs[i].buffer == buffer) return true;
    return false;
}

/* uses[b * ops + i]: op i touches buffer b. */
static bool all_before(const trib_lowering *l, const trib_order *order, const unsigned char *uses, size_t a, size_t b)
{
    for (size_t i = 0; i < l->op_count; ++i) {
        if (!uses[a * l->op_count + i]) continue;
        for (size_t j = 0; j < l->op_count; ++j)
            if (uses[b * l->op_count + j] && !trib_before(order, i, j)) return false;
    }
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

/* The lowest offset at which `index` overlaps none of the buffers placed before it that it conflicts with. */
static int64_t lowest_offset(trib_lowering *l, const placement *placed, size_t index, const unsigned char *conflicts)
{
    int64_t offset = 0, bytes = placed[index].bytes;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t k = 0; k < index; ++k) {
            const trib_plan_buffer *other = &l->buffers[placed[k].buffer];
            if (!conflicts[placed[k].buffer]) continue;
            if (offset < other->offset + placed[k].bytes && other->offset < offset + bytes) {
                offset = other->offset + placed[k].bytes;
                moved = true;
            }
        }
    }
    return offset;
}

static void place(trib_lowering *l, const trib_order *order, const unsigned char *uses, placement *list, size_t count,
                  unsigned char *conflicts)
{
    bool reuse = !trib_pass_disabled(l, TRIB_PASS_PLAN_MEMORY);
    for (size_t i = 0; i < count; ++i) {
        size_t b = list[i].buffer;
        for (size_t k = 0; k < i; ++k) {
            size_t other = list[k].buffer;
            conflicts[other] =
                !reuse || !(all_before(l, order, uses, b, other) || all_before(l, order, uses, other, b));
        }
        l->buffers[b].offset = lowest_offset(l, list, i, conflicts);
        int64_t end = l->buffers[b].offset + list[i].bytes;
        if (end > l->arena_bytes) l->arena_bytes = end;
        l->activation_bytes += list[i].bytes;
    }
}

trib_status trib_pass_plan_memory(trib_lowering *l)
{
    trib_order order = { 0 };
    size_t count = 0;
    placement *list = trib_alloc_zeroed(l->buffer_count, sizeof *list);
    unsigned char *uses = trib_alloc_zeroed(l->buffer_count, l->op_count),
                  *conflicts = trib_alloc_zeroed(l->buffer_count, 1);
    trib_status status = list && uses && conflicts
                             ? trib_order_of(l->ops, l->op_count, l->stream_count, l->event_count, &order)
                             : trib_lowering_no_memory();
    if (!trib_failed(&status)) {
        for (size_t b = 0; b < l->buffer_count; ++b) {
            for (size_t i = 0; i < l->op_count; ++i) uses[b * l->op_count + i] = touches(&l->ops[i], (int)b);
            if (in_arena(&l->buffers[b])) list[count++] = (placement) { b, aligned(l->buffers[b].bytes) };
        }
        qsort(list, count, sizeof *list, largest_first);
        place(l, &order, uses, list, count, conflicts);
        status = trib_lowering_note(l, "plan_memory: %zu buffers of %.1f MB in an arena of %.1f MB", count,
                                    (double)l->activation_bytes * 1e-6, (double)l->arena_bytes * 1e-6);
    }
    trib_order_release(&order);
    trib_free(list);
    trib_free(uses);
    trib_free(conflicts);
    return status;
}
