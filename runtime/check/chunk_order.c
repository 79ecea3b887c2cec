/* SPDX-License-Identifier: Apache-2.0
 * The stream-order checker for the work around a plan: copies to the device and back, for several chunks in flight.
 * Each stage of a few chunks is an op of a small plan, whose order is computed like that of any other. */
#include "plan/chunk_order.h"

#include <string.h>

#include "plan/order.h"
#include "tributary/internal/alloc.h"

/* Chunks after which everything repeats: each slot is used three times. */
enum { CHUNKS = 2 * TRIB_MAX_SLOTS + 1, STEPS = CHUNKS * TRIB_STAGE_COUNT };

typedef enum memory { INPUT = 0, OUTPUTS, ARENA, MEMORY_COUNT } memory;
typedef enum access { NONE = 0, READS, WRITES } access;

static const char *const memory_names[MEMORY_COUNT] = { "the input", "the outputs", "the arena" };
static const access accesses[TRIB_STAGE_COUNT][MEMORY_COUNT] = {
    [TRIB_STAGE_LOAD] = { [INPUT] = WRITES },
    [TRIB_STAGE_COMPUTE] = { [INPUT] = READS, [OUTPUTS] = WRITES, [ARENA] = WRITES },
    [TRIB_STAGE_FETCH] = { [OUTPUTS] = READS },
};

static int step_of(int chunk, trib_stage stage) { return chunk * TRIB_STAGE_COUNT + (int)stage; }
static int chunk_of(int step) { return step / TRIB_STAGE_COUNT; }
static trib_stage stage_of(int step) { return (trib_stage)(step % TRIB_STAGE_COUNT); }

/* Event i is recorded by step i. */
static void describe(const trib_chunk_order *order, int step, trib_plan_op *op)
{
    const trib_stage_order *stage = &order->stages[stage_of(step)];
    memset(op, 0, sizeof *op);
    op->name = trib_stage_name(stage_of(step));
    op->stream = stage->stream;
    op->record = stage->recorded ? step : -1;
    for (int k = 0; k < stage->wait_count; ++k) {
        int chunk = chunk_of(step) - stage->waits[k].back;
        if (chunk >= 0) op->waits[op->wait_count++] = step_of(chunk, stage->waits[k].stage);
    }
}

/* Memory that both touch, at least one writing; MEMORY_COUNT: none. */
static memory shared(const trib_chunk_order *order, int a, int b)
{
    bool same_slot = (chunk_of(b) - chunk_of(a)) % order->slots == 0;
    for (int m = 0; m < MEMORY_COUNT; ++m) {
        access first = accesses[stage_of(a)][m], second = accesses[stage_of(b)][m];
        bool both = first != NONE && second != NONE && (first == WRITES || second == WRITES);
        if (both && (same_slot || m == ARENA)) return (memory)m;
    }
    return MEMORY_COUNT;
}

static trib_status conflict(int a, int b, const char *what)
{
    const char *first = trib_stage_name(stage_of(a)), *second = trib_stage_name(stage_of(b));
    return TRIB_ERROR(
        TRIB_INTERNAL,
        "chunk order: %s of chunk %d and %s of chunk %d may run in either order, but both use %s: the latter "
        "must wait for the former",
        first, chunk_of(a), second, chunk_of(b), what);
}

static trib_status check_steps(const trib_chunk_order *order, const trib_order *before)
{
    for (int a = 0; a < STEPS; ++a)
        for (int b = a + 1; b < STEPS; ++b) {
            if (trib_before(before, (size_t)a, (size_t)b)) continue;
            memory m = shared(order, a, b);
            if (m != MEMORY_COUNT) return conflict(a, b, memory_names[m]);
            if (chunk_of(a) == chunk_of(b) && stage_of(b) == TRIB_STAGE_FETCH)
                return conflict(a, b, "the caller's memory");
        }
    return trib_success();
}

trib_status trib_chunk_order_check(const trib_chunk_order *order)
{
    trib_order before = { 0 };
    if (order->slots < 1 || order->slots > TRIB_MAX_SLOTS)
        return TRIB_ERROR(TRIB_INTERNAL, "chunk order: %d slots", order->slots);
    trib_plan_op *ops = trib_alloc_zeroed(STEPS, sizeof *ops);
    if (!ops) return trib_plan_no_memory();
    for (int i = 0; i < STEPS; ++i) describe(order, i, &ops[i]);
    trib_status status = trib_order_of(ops, STEPS, TRIB_STAGE_COUNT, STEPS, &before);
    if (!trib_failed(&status)) status = check_steps(order, &before);
    trib_order_release(&before);
    trib_free(ops);
    return status;
}
