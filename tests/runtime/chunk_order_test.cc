// SPDX-License-Identifier: Apache-2.0
// The order of chunks that follow each other through a lane: proved as it is, and refused with any part of it missing.
#include "support/support.h"

extern "C" {
#include "plan/chunk_order.h"
}

namespace
{

TEST(ChunkOrder, IsProvedForEverySlotCount)
{
    for (bool beside : { false, true })
        for (int slots = 1; slots <= TRIB_MAX_SLOTS; ++slots) {
            trib_chunk_order order = trib_chunk_order_of(beside, slots);
            EXPECT_OK(trib_chunk_order_check(&order));
        }
}

// A slot too few for what the waits say, or a number of slots that cannot be.
TEST(ChunkOrder, RefusesOtherSlotCounts)
{
    trib_chunk_order order = trib_chunk_order_of(true, 2);
    order.slots = 1;
    EXPECT_FAILS(trib_chunk_order_check(&order), TRIB_INTERNAL, "the input");
    order.slots = 0;
    EXPECT_FAILS(trib_chunk_order_check(&order), TRIB_INTERNAL, "0 slots");
    order.slots = TRIB_MAX_SLOTS + 1;
    EXPECT_FAILS(trib_chunk_order_check(&order), TRIB_INTERNAL, "3 slots");
}

// The message names both stages and the memory they share.
TEST(ChunkOrder, EachMissingWaitIsRefused)
{
    const struct {
        trib_stage stage;
        int wait;
        const char *message;
    } cases[] = {
        { TRIB_STAGE_LOAD, 0,
          "compute of chunk 0 and load of chunk 2 may run in either order, but both use the input" },
        { TRIB_STAGE_COMPUTE, 0,
          "load of chunk 0 and compute of chunk 0 may run in either order, but both use the input" },
        { TRIB_STAGE_COMPUTE, 1,
          "fetch of chunk 0 and compute of chunk 2 may run in either order, but both use the outputs" },
        // Or of the computing that stands between the two: what a caller gets back is complete.
        { TRIB_STAGE_FETCH, 0,
          "load of chunk 0 and fetch of chunk 0 may run in either order, but both use the caller's memory" },
    };
    for (const auto &c : cases) {
        trib_chunk_order order = trib_chunk_order_of(true, 2);
        trib_stage_order *s = &order.stages[c.stage];
        s->waits[c.wait] = s->waits[--s->wait_count];
        EXPECT_FAILS(trib_chunk_order_check(&order), TRIB_INTERNAL, c.message);
    }
}

TEST(ChunkOrder, AnEventThatIsNeverRecordedOrdersNothing)
{
    trib_chunk_order order = trib_chunk_order_of(true, 2);
    order.stages[TRIB_STAGE_LOAD].recorded = false;
    EXPECT_FAILS(trib_chunk_order_check(&order), TRIB_INTERNAL, "load of chunk 0 and compute of chunk 0");
}

TEST(ChunkOrder, StagesHaveNames)
{
    EXPECT_STREQ(trib_stage_name(TRIB_STAGE_FETCH), "fetch");
    EXPECT_STREQ(trib_stage_name(TRIB_STAGE_COUNT), "unknown");
}

} // namespace
