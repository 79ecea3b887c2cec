/* SPDX-License-Identifier: Apache-2.0
 * How chunks follow each other through a lane: in to the device, computed, out again. Data, so that what runs is what
 * is checked (check/chunk_order.c).
 *
 *     on a GPU, two chunks in two slots:
 *     loading    | load 0 | load 1 |         | load 2 |          a slot is filled once what it held is computed,
 *     computing           | compute 0        | compute 1 |       and computed into once its results are fetched
 *     fetching                               | fetch 0   | fetch 1 */
#ifndef TRIBUTARY_RUNTIME_PLAN_CHUNK_ORDER_H
#define TRIBUTARY_RUNTIME_PLAN_CHUNK_ORDER_H

#include "tributary/status.h"

typedef enum trib_stage {
    TRIB_STAGE_LOAD = 0, /* the caller's images into a slot's input */
    TRIB_STAGE_COMPUTE,  /* the plan, from a slot's input to its outputs */
    TRIB_STAGE_FETCH,    /* a slot's outputs into the caller's memory */
    TRIB_STAGE_COUNT
} trib_stage;
const char *trib_stage_name(trib_stage stage);

enum { TRIB_MAX_SLOTS = 2, TRIB_MAX_STAGE_WAITS = 2 };

typedef struct trib_stage_order {
    int stream; /* stages with the same number share one */
    bool recorded;
    int wait_count;
    struct {
        trib_stage stage;
        int back; /* of an earlier chunk, by this distance; 0: of the same chunk */
    } waits[TRIB_MAX_STAGE_WAITS];
} trib_stage_order;

typedef struct trib_chunk_order {
    int slots; /* inputs and outputs on the device: chunk i has slot i % slots */
    trib_stage_order stages[TRIB_STAGE_COUNT];
} trib_chunk_order;

/* `beside`: copies run beside computing, each direction on its own stream; otherwise everything on one stream. */
trib_chunk_order trib_chunk_order_of(bool beside, int slots);

/* Proves that no stage of a chunk touches a slot or the arena while a stage of another does, unless both only read, and
 * that a chunk whose results are fetched is complete. The failure names both stages and the missing wait. */
trib_status trib_chunk_order_check(const trib_chunk_order *order);

#endif
