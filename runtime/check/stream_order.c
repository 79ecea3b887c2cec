/* SPDX-License-Identifier: Apache-2.0
 * The stream-order checker: a plan, seen only as accesses to byte ranges, must order every two that conflict. It does
 * not rely on the passes that made the plan: the order is computed again from streams, records and waits. */
#include <stdio.h>

#include "graph/kinds.h"
#include "plan/order.h"
#include "tributary/internal/alloc.h"
#include "tributary/plan.h"

/* `rows` pieces of `bytes` each, `stride` apart: a channel slice of a tensor. `space` separates areas of memory (-1 -
 * the area) from each other and from the callers' buffers. */
typedef struct access {
    int space, op, buffer;
    bool write;
    int64_t begin, bytes, stride, rows;
} access;

static int64_t end_of(const access *a) { return a->begin + (a->rows - 1) * a->stride + a->bytes; }

static int space_of(const trib_plan *p, int buffer)
{
    trib_memory_area area = trib_buffer_area(p->buffers[buffer].kind);
    return area == TRIB_AREA_CALLER ? buffer : -1 - (int)area;
}

static const char *space_text(int space)
{
    return space == -1 - TRIB_AREA_ARENA        ? "the arena"
           : space == -1 - TRIB_AREA_PARAMETERS ? "the parameters"
           : space == -1 - TRIB_AREA_LOADING    ? "the memory of loading"
                                                : "a caller's buffer";
}

/* All of a buffer. */
static access access_of_buffer(const trib_plan *p, int op, int buffer, bool write)
{
    const trib_plan_buffer *b = &p->buffers[buffer];
    return (access) { .space = space_of(p, buffer),
                      .op = op,
                      .buffer = buffer,
                      .write = write,
                      .begin = b->offset,
                      .bytes = b->bytes,
                      .stride = b->bytes,
                      .rows = 1 };
}

static access access_of_view(const trib_plan *p, int op, const trib_view *v, bool write)
{
    const trib_plan_buffer *b = &p->buffers[v->buffer];
    bool outside = trib_buffer_area(b->kind) == TRIB_AREA_CALLER;
    int64_t size = (int64_t)trib_dtype_size(v->dtype), block = trib_layout_block(v->layout),
            plane = (int64_t)v->h * v->w;
    int64_t c = (v->c + block - 1) / block * block, total = (v->c_total + block - 1) / block * block;
    access a = { .space = space_of(p, v->buffer), .op = op, .buffer = v->buffer, .write = write };
    a.begin = (outside ? 0 : b->offset) + trib_view_offset(v);
    a.rows = v->layout == TRIB_NHWC ? v->n * plane : v->n;
    a.bytes = size * (v->layout == TRIB_NHWC ? c : c * plane);
    a.stride = size * (v->layout == TRIB_NHWC ? total : total * plane);
    return a;
}

/* Exact for rows of the same stride; otherwise any overlap from first to last byte counts. */
static bool overlap(const access *a, const access *b)
{
    if (a->space != b->space || a->begin >= end_of(b) || b->begin >= end_of(a)) return false;
    if (a->stride != b->stride || a->rows == 1 || b->rows == 1) return true;
    int64_t shift = (b->begin - a->begin) % a->stride;
    if (shift < 0) shift += a->stride;
    return shift < a->bytes || shift + b->bytes > a->stride;
}

typedef struct access_list {
    access *items;
    size_t count, capacity;
} access_list;

static trib_status add(access_list *list, access a)
{
    if (trib_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof a)) return trib_plan_no_memory();
    list->items[list->count++] = a;
    return trib_success();
}

static trib_status collect(const trib_plan *p, access_list *list)
{
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op *op = &p->ops[i];
        if (!op->implementation) continue;
        /* An update in place counts as a write, which includes the read. */
        for (int k = 0; k < op->desc.input_count; ++k)
            if (!trib_op_updates(&op->desc, k)) TRIB_TRY(add(list, access_of_view(p, i, &op->desc.inputs[k], false)));
        for (int k = 0; k < op->desc.output_count; ++k)
            TRIB_TRY(add(list, access_of_view(p, i, &op->desc.outputs[k], true)));
        if (op->parameters >= 0) TRIB_TRY(add(list, access_of_buffer(p, i, op->parameters, false)));
        if (op->workspace >= 0) TRIB_TRY(add(list, access_of_buffer(p, i, op->workspace, true)));
    }
    return trib_success();
}

static trib_status conflict(const trib_plan *p, const access *a, const access *b)
{
    const trib_plan_op *first = &p->ops[a->op], *second = &p->ops[b->op];
    int64_t begin = a->begin > b->begin ? a->begin : b->begin, end = end_of(a) < end_of(b) ? end_of(a) : end_of(b);
    return TRIB_ERROR(TRIB_INTERNAL,
                      "%s (stream %d) and %s (stream %d) may run in either order, but the former %s and the latter %s "
                      "bytes %lld..%lld of %s (%s): stream %d must wait for an event recorded after %s",
                      first->name, first->stream, second->name, second->stream, a->write ? "writes" : "reads",
                      b->write ? "writes" : "reads", (long long)begin, (long long)end, space_text(a->space),
                      p->buffers[a->buffer].name, second->stream, first->name);
}

static trib_status check(const trib_plan *p, const trib_order *order, const access_list *list)
{
    for (size_t i = 0; i < list->count; ++i)
        for (size_t j = i + 1; j < list->count; ++j) {
            const access *a = &list->items[i], *b = &list->items[j];
            if (a->op == b->op || !(a->write || b->write) || !overlap(a, b)) continue;
            if (!trib_before(order, (size_t)a->op, (size_t)b->op)) return conflict(p, a, b);
        }
    return trib_success();
}

/* One op's own memory: an input it still reads must not be overwritten by its output or workspace, unless it updates
 * the input in place. */
static trib_status check_within_ops(const trib_plan *p, const access_list *list)
{
    for (size_t i = 0; i < list->count; ++i)
        for (size_t j = i + 1; j < list->count && list->items[j].op == list->items[i].op; ++j) {
            const access *a = &list->items[i], *b = &list->items[j];
            if ((a->write || b->write) && overlap(a, b))
                return TRIB_ERROR(TRIB_INTERNAL, "%s: %s and %s share memory", p->ops[a->op].name,
                                  p->buffers[a->buffer].name, p->buffers[b->buffer].name);
        }
    return trib_success();
}

/* A run begins on stream 0, with the plan's first op. */
static trib_status check_begin(const trib_plan *p, const trib_order *order)
{
    if (p->op_count && p->ops[0].stream != 0)
        return TRIB_ERROR(TRIB_INTERNAL, "%s begins the plan on stream %d: it must begin on stream 0", p->ops[0].name,
                          p->ops[0].stream);
    for (int i = 1; i < p->op_count; ++i)
        if (!trib_before(order, 0, (size_t)i))
            return TRIB_ERROR(TRIB_INTERNAL, "%s (stream %d) may start before the plan does: it must follow %s",
                              p->ops[i].name, p->ops[i].stream, p->ops[0].name);
    return trib_success();
}

/* The next run on the same memory starts from stream 0, on which at least the first op is. */
static trib_status check_end(const trib_plan *p, const trib_order *order)
{
    int last = 0;
    for (int i = 0; i < p->op_count; ++i)
        if (p->ops[i].stream == 0) last = i;
    for (int i = 0; i < p->op_count; ++i)
        if (i != last && !trib_before(order, (size_t)i, (size_t)last))
            return TRIB_ERROR(TRIB_INTERNAL, "%s (stream %d) is not joined into stream 0 at the end of the plan",
                              p->ops[i].name, p->ops[i].stream);
    return trib_success();
}

static trib_status check_ops(const trib_plan *p)
{
    access_list list = { 0 };
    trib_order order = { 0 };
    trib_status status;
    TRIB_TRY_GOTO(status, done, trib_order_of(p->ops, (size_t)p->op_count, p->stream_count, p->event_count, &order));
    TRIB_TRY_GOTO(status, done, collect(p, &list));
    TRIB_TRY_GOTO(status, done, check_within_ops(p, &list));
    TRIB_TRY_GOTO(status, done, check(p, &order, &list));
    TRIB_TRY_GOTO(status, done, check_begin(p, &order));
    TRIB_TRY_GOTO(status, done, check_end(p, &order));
done:
    trib_free(list.items);
    trib_order_release(&order);
    return trib_outcome(&status);
}

/* Of those that prepare parameters, how many write this buffer. */
static int writers_of(const trib_plan *p, int buffer, int *last)
{
    int writers = 0;
    for (int i = 0; i < p->prepare_count; ++i)
        for (int k = 0; k < p->prepare[i].desc.output_count; ++k) {
            if (p->prepare[i].desc.outputs[k].buffer != buffer) continue;
            ++writers;
            *last = i;
        }
    return writers;
}

/* Each op reads what was packed for it, and nothing else writes that. */
static trib_status check_parameters(const trib_plan *p)
{
    for (int i = 0; i < p->op_count; ++i) {
        int writer = -1;
        if (p->ops[i].parameters < 0) continue;
        int writers = writers_of(p, p->ops[i].parameters, &writer);
        if (writers != 1 || p->prepare[writer].desc.kind != TRIB_PACK || p->prepare[writer].consumer != i)
            return TRIB_ERROR(TRIB_INTERNAL, "%s: its parameters are packed by %d ops, for %s", p->ops[i].name, writers,
                              writers ? p->ops[p->prepare[writer].consumer].name : "none");
    }
    return trib_success();
}

/* Preparing is over before a run begins: each of the two is a plan of its own. */
trib_status trib_plan_check_stream_order(const trib_plan *p)
{
    trib_plan preparing = *p;
    trib_status status;
    preparing.ops = p->prepare;
    preparing.op_count = p->prepare_count;
    TRIB_TRY_GOTO(status, done, check_ops(p));
    TRIB_TRY_GOTO(status, done, check_ops(&preparing));
    TRIB_TRY_GOTO(status, done, check_parameters(p));
done:
    trib_add_context(&status, "stream order of %s", p->graph_name);
    return trib_outcome(&status);
}
