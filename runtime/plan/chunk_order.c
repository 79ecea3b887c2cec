/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/chunk_order.h"

const char *trib_stage_name(trib_stage stage)
{
    static const char *const names[TRIB_STAGE_COUNT] = { "load", "compute", "fetch" };
    return (unsigned)stage < TRIB_STAGE_COUNT ? names[stage] : "unknown";
}

trib_chunk_order trib_chunk_order_of(bool beside, int slots)
{
    trib_chunk_order one_stream = { .slots = slots, .stages = { [TRIB_STAGE_FETCH] = { .recorded = true } } };
    if (!beside) return one_stream;
    return (trib_chunk_order) {
        .slots = slots,
        .stages = {
            [TRIB_STAGE_LOAD] = { .stream = 1,
                                  .recorded = true,
                                  .wait_count = 1,
                                  .waits = { { TRIB_STAGE_COMPUTE, slots } } },
            [TRIB_STAGE_COMPUTE] = { .stream = 0,
                                     .recorded = true,
                                     .wait_count = 2,
                                     .waits = { { TRIB_STAGE_LOAD, 0 }, { TRIB_STAGE_FETCH, slots } } },
            [TRIB_STAGE_FETCH] = { .stream = 2,
                                   .recorded = true,
                                   .wait_count = 1,
                                   .waits = { { TRIB_STAGE_COMPUTE, 0 } } },
        },
    };
}
