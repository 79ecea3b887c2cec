// SPDX-License-Identifier: Apache-2.0
// What is overwritten: ops that update in place, buffers written twice, slices. The waits that such plans get, what of
// them shares memory, and that the checker misses none of the waits.
#include <cstdio>
#include <random>

#include "runtime/handmade.h"
#include "runtime/mutants.h"

namespace
{

using handmade::Builder;
using handmade::find;
using handmade::waits_for;
using nets::Plan;

// The plan is free of races, and with any record or wait missing it is not.
void expect_exact(trib_plan *plan)
{
    ASSERT_OK(trib_plan_check_stream_order(plan));
    mutants::Tally t = mutants::delete_each_record_and_wait(plan);
    EXPECT_EQ(t.changed, t.mutants);
    EXPECT_EQ(t.caught, t.mutants);
}

TEST(InPlace, AReadIsOverBeforeItsSourceIsOverwritten)
{
    Builder b;
    const trib_view x = b.buffer("x"), y = b.buffer("y"), z = b.buffer("z");
    b.op("start", 0, {}, { x, z });
    b.op("read", 1, { x }, { y });
    b.op("overwrite", 0, { z }, { x });
    Plan p = b.finish();
    EXPECT_TRUE(waits_for(p.get(), "read", "start"));
    EXPECT_TRUE(waits_for(p.get(), "overwrite", "read"));
    expect_exact(p.get());
}

TEST(InPlace, TwoWritesKeepTheirOrder)
{
    Builder b;
    const trib_view x = b.buffer("x"), y = b.buffer("y");
    b.op("start", 0, {}, { y });
    b.op("first", 1, { y }, { x });
    b.op("second", 2, { y }, { x });
    b.op("reader", 0, { x }, { y });
    Plan p = b.finish();
    EXPECT_TRUE(waits_for(p.get(), "second", "first"));
    EXPECT_TRUE(waits_for(p.get(), "reader", "second"));
    EXPECT_FALSE(waits_for(p.get(), "reader", "first")); // follows from that
    expect_exact(p.get());
}

TEST(InPlace, AnUpdateFollowsEarlierReadersAndLaterReadersFollowIt)
{
    Builder b;
    const trib_view x = b.buffer("x"), y = b.buffer("y"), z = b.buffer("z");
    b.op("start", 0, {}, { x });
    b.op("before", 1, { x }, { y });
    b.in_place("update", 2, x);
    b.op("after", 1, { x }, { z });
    Plan p = b.finish();
    EXPECT_TRUE(waits_for(p.get(), "update", "before"));
    EXPECT_TRUE(waits_for(p.get(), "after", "update"));
    EXPECT_FALSE(waits_for(p.get(), "update", "start"));
    expect_exact(p.get());
}

TEST(InPlace, SlicesThatDoNotMeetAreConcurrent)
{
    Builder b;
    const trib_view whole = b.buffer("whole", 48), x = b.buffer("x");
    b.op("start", 0, {}, { x });
    b.op("left", 0, { x }, { Builder::slice(whole, 0, 16) });
    b.op("right", 1, { x }, { Builder::slice(whole, 16, 32) });
    b.in_place("left update", 2, Builder::slice(whole, 0, 16));
    b.in_place("middle update", 3, Builder::slice(whole, 8, 16));
    b.op("reader", 1, { Builder::slice(whole, 16, 16) }, { x });
    Plan p = b.finish();
    EXPECT_EQ(find(p.get(), "right")->wait_count, 1); // for the start only
    EXPECT_TRUE(waits_for(p.get(), "right", "start"));
    EXPECT_TRUE(waits_for(p.get(), "left update", "left"));
    EXPECT_EQ(find(p.get(), "left update")->wait_count, 1);
    EXPECT_TRUE(waits_for(p.get(), "middle update", "left update"));
    EXPECT_TRUE(waits_for(p.get(), "middle update", "right"));
    EXPECT_TRUE(waits_for(p.get(), "reader", "middle update"));
    expect_exact(p.get());
}

// A slice that ends inside a block owns the rest of it.
TEST(InPlace, SlicesOfBlockedLayoutsMeetByBlocks)
{
    Builder b(TRIB_NCHW8C);
    const trib_view whole = b.buffer("whole", 24), x = b.buffer("x");
    b.op("start", 0, {}, { x });
    b.op("partial", 1, { x }, { Builder::slice(whole, 0, 12) });
    b.op("rest of the block", 2, { x }, { Builder::slice(whole, 8, 4) });
    b.op("next block", 3, { x }, { Builder::slice(whole, 16, 8) });
    Plan p = b.finish();
    EXPECT_TRUE(waits_for(p.get(), "rest of the block", "partial"));
    EXPECT_EQ(find(p.get(), "next block")->wait_count, 1);
    EXPECT_TRUE(waits_for(p.get(), "next block", "start"));
    expect_exact(p.get());
}

TEST(InPlace, OneBufferOfTwoShapesIsOnePiece)
{
    Builder b;
    const trib_view x = b.buffer("x", 16), y = b.buffer("y");
    trib_view rows = x;
    rows.h = rows.w = 1;
    rows.c = rows.c_total = 4;
    b.op("start", 0, {}, { y });
    b.op("image", 1, { y }, { Builder::slice(x, 8, 8) });
    b.op("rows", 2, { y }, { rows });
    Plan p = b.finish();
    EXPECT_TRUE(waits_for(p.get(), "rows", "image"));
}

TEST(InPlace, MemoryLivesAsLongAsWhatIsUpdatedInIt)
{
    Builder b;
    const trib_view x = b.buffer("x"), y = b.buffer("y"), z = b.buffer("z");
    b.op("start", 0, {}, { x });
    b.in_place("update", 0, x);
    b.op("copy", 0, { x }, { y });
    b.in_place("update again", 0, y);
    b.op("end", 0, { y }, { z });
    Plan p = b.finish();
    expect_exact(p.get());
    EXPECT_NE(p->buffers[0].offset, p->buffers[1].offset);
    EXPECT_NE(p->buffers[1].offset, p->buffers[2].offset);
    EXPECT_EQ(p->buffers[0].offset, p->buffers[2].offset); // x is done with when z is made
    EXPECT_EQ(p->arena_bytes * 3, p->activation_bytes * 2);
}

TEST(InPlace, OnlySomeKindsMay)
{
    for (trib_kind kind : { TRIB_RELU, TRIB_BATCH_NORM, TRIB_LRN, TRIB_CONV2D, TRIB_SOFTMAX, TRIB_CONCAT }) {
        Builder b;
        const trib_view x = b.buffer("x");
        b.op("start", 0, {}, { x });
        b.op("update", 0, { x }, { x }, kind);
        Plan p = b.finish();
        if (kind == TRIB_RELU || kind == TRIB_BATCH_NORM)
            EXPECT_OK(trib_plan_check_stream_order(p.get()));
        else
            EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "update: x and x share memory");
    }
}

// Another slice, or another layout of the same bytes, is not an update in place.
TEST(InPlace, OnlyTheSameViewMay)
{
    Builder shifted;
    trib_view x = shifted.buffer("x", 48);
    shifted.op("start", 0, {}, { x });
    shifted.op("update", 0, { Builder::slice(x, 0, 16) }, { Builder::slice(x, 8, 16) }, TRIB_RELU);
    EXPECT_FAILS(trib_plan_check_stream_order(shifted.finish().get()), TRIB_INTERNAL, "share memory");
    Builder turned(TRIB_NCHW);
    x = turned.buffer("x", 16);
    trib_view blocked = x;
    blocked.layout = TRIB_NCHW8C;
    turned.op("start", 0, {}, { x });
    turned.op("update", 0, { x }, { blocked }, TRIB_RELU);
    EXPECT_FAILS(trib_plan_check_stream_order(turned.finish().get()), TRIB_INTERNAL, "share memory");
}

TEST(InPlace, WorkMustNotStartBeforeThePlanDoes)
{
    Builder b;
    const trib_view x = b.buffer("x"), y = b.buffer("y");
    b.op("start", 0, {}, { x });
    b.op("beside", 1, {}, { y });
    Plan p = b.finish();
    EXPECT_TRUE(waits_for(p.get(), "beside", "start"));
    expect_exact(p.get());
    p->ops[0].stream = 1;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "start begins the plan on stream 1");
}

// The next run on the same memory begins on stream 0: nothing of this one may be under way then.
TEST(InPlace, WorkIsOverWhenStream0Is)
{
    Builder b;
    const trib_view x = b.buffer("x"), y = b.buffer("y");
    b.op("start", 0, {}, { x });
    b.op("beside", 1, { x }, { y });
    Plan p = b.finish();
    ASSERT_EQ(p->op_count, 3);
    ASSERT_EQ(p->ops[2].wait_count, 1); // what joins the streams
    p->ops[2].wait_count = 0;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL,
                 "beside (stream 1) is not joined into stream 0 at the end of the plan");
}

// Ops by chance: any number of them read, write and update slices of a few buffers on a few streams.
Plan random_plan(unsigned seed, trib_layout layout)
{
    std::mt19937 random(seed);
    auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    Builder b(layout);
    std::vector<trib_view> buffers;
    for (int i = 0; i < 6; ++i) buffers.push_back(b.buffer("b" + std::to_string(i), 64));
    auto slice = [&](int buffer) {
        const int first = below(4), parts = 1 + below(4 - first);
        return Builder::slice(buffers[std::size_t(buffer)], 16 * first, 16 * parts);
    };
    b.op("start", 0, {}, { buffers[0] });
    for (int i = 0; i < 40; ++i) {
        const std::string name = "op" + std::to_string(i);
        const int from = below(6), to = (from + 1 + below(5)) % 6;
        if (below(3) == 0)
            b.in_place(name, below(4), slice(from));
        else
            b.op(name, below(4), { slice(from) }, { slice(to) });
    }
    return b.finish(seed % 2);
}

TEST(InPlace, RandomPlansAreFreeOfRacesAndNeedEveryWait)
{
    int tried = 0;
    for (trib_layout layout : { TRIB_NHWC, TRIB_NCHW, TRIB_NCHW16C })
        for (unsigned seed = 1; seed <= 50; ++seed) {
            Plan p = random_plan(seed, layout);
            ASSERT_OK(trib_plan_check_stream_order(p.get()));
            mutants::Tally t = mutants::delete_each_record_and_wait(p.get());
            ASSERT_EQ(t.changed, t.mutants) << seed;
            ASSERT_EQ(t.caught, t.mutants) << seed;
            tried += t.mutants;
        }
    std::printf("%d mutants\n", tried);
    EXPECT_GT(tried, 2000);
}

} // namespace
