// SPDX-License-Identifier: Apache-2.0
// The checker must object to every mutant of a real plan whose order really changed.
#include <cstdio>

#include "runtime/mutants.h"
#include "runtime/nets.h"

namespace
{

using nets::Plan;

TEST(StreamOrder, CatchesEveryDeletedRecordAndWaitOfGoogLeNet)
{
    auto device = nets::cpu();
    for (const trib_network *variant : { support::bvlc, support::torchvision })
        for (int batch : { 1, 4 }) {
            auto graph = nets::googlenet(variant);
            trib_plan_options o = trib_plan_default_options();
            o.schedule = TRIB_BRANCHES;
            o.batch = batch;
            Plan p = nets::plan(graph.get(), device.get(), o);
            ASSERT_TRUE(p);
            ASSERT_OK(trib_plan_check_stream_order(p.get()));
            mutants::Tally t = mutants::delete_each_record_and_wait(p.get());
            std::printf("%s, batch %d: %d mutants, %d change the order, %d caught\n", trib_network_name(variant), batch,
                        t.mutants, t.changed, t.caught);
            EXPECT_GE(t.mutants, 9 * 6);
            EXPECT_EQ(t.changed, t.mutants); // every record and wait in the plan is needed
            EXPECT_EQ(t.caught, t.mutants);
        }
}

// Every fork has its own schedule: work between two different forks must be ordered as well.
TEST(StreamOrder, CatchesEveryDeletedRecordAndWaitOfMixedSchedules)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc);
    int changed = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        nets::Schedules schedules(graph.get(), seed);
        Plan p = nets::plan(graph.get(), device.get(), schedules.options());
        ASSERT_TRUE(p);
        ASSERT_OK(trib_plan_check_stream_order(p.get()));
        if (seed % 20) continue;
        mutants::Tally t = mutants::delete_each_record_and_wait(p.get());
        EXPECT_EQ(t.changed, t.mutants) << seed;
        EXPECT_EQ(t.caught, t.mutants) << seed;
        changed += t.changed;
    }
    EXPECT_GT(changed, 200);
}

TEST(StreamOrder, CatchesMemoryGivenAwayTooEarly)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    trib_plan_options o = trib_plan_default_options();
    o.schedule = TRIB_BRANCHES;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    // The four branches of a module are alive together: putting one's buffer on another's must be seen.
    int a = -1, b = -1;
    for (int i = 0; i < p->buffer_count; ++i) {
        if (std::string(p->buffers[i].name) == "inception_4a/3x3_reduce") a = i;
        if (std::string(p->buffers[i].name) == "inception_4a/5x5_reduce") b = i;
    }
    ASSERT_GE(a, 0);
    ASSERT_GE(b, 0);
    p->buffers[b].offset = p->buffers[a].offset;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "inception_4a/");
}

TEST(StreamOrder, MessageNamesBothOpsTheRangeAndTheMissingWait)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    trib_plan_options o = trib_plan_default_options();
    o.schedule = TRIB_BRANCHES;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    for (int i = 0; i < p->op_count; ++i)
        if (std::string(p->ops[i].name) == "module/3x3_reduce") p->ops[i].wait_count = 0;
    trib_status s = trib_plan_check_stream_order(p.get());
    std::string text = s.message;
    for (const char *wanted : { "module/3x3_reduce", "stream 1", "writes", "bytes", "must wait" })
        EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in: " << text;
}

// What prepares parameters is held to the same: and each op reads what was packed for it.
TEST(StreamOrder, CatchesParametersThatAreNotPreparedAsTheyAreRead)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    Plan p = nets::plan(graph.get(), device.get(), trib_plan_default_options());
    ASSERT_TRUE(p);
    ASSERT_GT(p->prepare_count, 2);
    ASSERT_EQ(p->prepare[0].desc.kind, TRIB_FOLD);
    ASSERT_EQ(p->prepare[1].desc.kind, TRIB_PACK);
    const trib_plan_op fold = p->prepare[0], pack = p->prepare[1];
    const auto refused = [&](const char *why) {
        EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, why);
        p->prepare[0] = fold;
        p->prepare[1] = pack;
        ASSERT_OK(trib_plan_check_stream_order(p.get()));
    };
    p->prepare[0].desc.outputs[0].buffer = fold.desc.inputs[0].buffer;
    refused("share memory");
    p->prepare[1].desc.kind = TRIB_FOLD;
    refused("its parameters are packed by 1 ops");
    p->prepare[1].consumer = 0;
    refused("its parameters are packed by 1 ops, for");
    p->prepare[1].desc.outputs[0].buffer = pack.desc.inputs[0].buffer;
    refused("share memory");
    const int packed = pack.desc.outputs[0].buffer;
    p->buffers[fold.desc.outputs[0].buffer].kind = TRIB_BUFFER_PACKED; // over what others have packed
    p->buffers[fold.desc.outputs[0].buffer].offset = p->buffers[packed].offset;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "share memory");
    p->buffers[fold.desc.outputs[0].buffer].kind = TRIB_BUFFER_LOADING;
    p->buffers[fold.desc.outputs[0].buffer].offset = 0;
    // An op of a run that writes what others read is in no order with them on another stream.
    trib_plan_options o = trib_plan_default_options();
    o.schedule = TRIB_BRANCHES;
    p = nets::plan(graph.get(), device.get(), o);
    int left = -1, right = -1;
    for (int i = 0; i < p->op_count; ++i) {
        if (std::string(p->ops[i].name) == "module/3x3_reduce") left = i;
        if (std::string(p->ops[i].name) == "module/5x5_reduce") right = i;
    }
    ASSERT_GE(left, 0);
    ASSERT_GE(right, 0);
    p->ops[left].workspace = p->ops[right].parameters;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "the parameters");
}

// Whatever the memory is, the message says which it is.
TEST(StreamOrder, NamesTheMemoryThatIsUsedInNoOrder)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    trib_plan_options o = trib_plan_default_options();
    o.schedule = TRIB_BRANCHES;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    p->prepare[1].stream = 1; // beside the others, which use the same memory
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "of the memory of loading (");
    p->prepare[1].stream = 0;
    ASSERT_OK(trib_plan_check_stream_order(p.get()));
    for (int i = 0; i < p->op_count; ++i)
        if (std::string(p->ops[i].name) == "module/3x3_reduce" || std::string(p->ops[i].name) == "module/5x5_reduce")
            p->ops[i].workspace = p->outputs[0].buffer;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "of a caller's buffer (");
}

TEST(StreamOrder, CatchesParametersThatNothingPacks)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    Plan p = nets::plan(graph.get(), device.get(), trib_plan_default_options());
    ASSERT_TRUE(p);
    for (int i = 0; i < p->op_count; ++i)
        if (std::string(p->ops[i].name) == "module/3x3") p->ops[i].parameters = p->inputs[0].buffer;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL,
                 "module/3x3: its parameters are packed by 0 ops, for none");
}

TEST(StreamOrder, RefusesEventsAndStreamsThatDoNotExist)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    trib_plan_options o = trib_plan_default_options();
    o.schedule = TRIB_BRANCHES;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    p->ops[1].stream = 99;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "99");
    p->ops[1].stream = 0;
    p->ops[1].wait_count = 1;
    p->ops[1].waits[0] = 1000;
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "1000");
}

} // namespace
