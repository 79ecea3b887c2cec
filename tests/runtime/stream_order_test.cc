// SPDX-License-Identifier: Apache-2.0
// The checker must object to every mutant of a real plan whose order really changed.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "runtime/nets.h"

namespace
{

using nets::Plan;

// ordered[a][b], worked out here by following edges one at a time: an oracle of its own for the order the checker
// computes.
std::vector<std::vector<bool>> closure(const trib_plan *p)
{
    const int n = p->op_count;
    const auto size = static_cast<std::size_t>(n);
    std::vector<std::vector<bool>> before(size, std::vector<bool>(size));
    for (int b = 0; b < n; ++b)
        for (int a = 0; a < b; ++a) {
            bool waits = false;
            for (int k = 0; k < p->ops[b].wait_count; ++k) waits |= p->ops[b].waits[k] == p->ops[a].record;
            before[std::size_t(a)][std::size_t(b)] =
                p->ops[a].stream == p->ops[b].stream || (waits && p->ops[a].record >= 0);
        }
    for (std::size_t via = 0; via < size; ++via)
        for (std::size_t a = 0; a < via; ++a)
            for (std::size_t b = via + 1; b < size; ++b)
                if (before[a][via] && before[via][b]) before[a][b] = true;
    return before;
}

struct Tally {
    int mutants = 0, changed = 0, caught = 0;
};

void judge(const trib_plan *plan, const std::vector<std::vector<bool>> &original, Tally &tally, const std::string &what)
{
    ++tally.mutants;
    trib_status s = trib_plan_check_stream_order(plan);
    bool changed = closure(plan) != original;
    tally.changed += changed;
    tally.caught += trib_failed(&s);
    EXPECT_EQ(trib_failed(&s), changed) << what << ": " << s.message;
    if (trib_failed(&s)) {
        EXPECT_EQ(s.code, TRIB_INTERNAL);
    }
}

Tally delete_each_record_and_wait(trib_plan *p)
{
    Tally tally;
    auto original = closure(p);
    for (int i = 0; i < p->op_count; ++i) {
        trib_plan_op *op = &p->ops[i];
        for (int k = 0; k < op->wait_count; ++k) {
            trib_plan_op kept = *op;
            std::copy(op->waits + k + 1, op->waits + op->wait_count, op->waits + k);
            --op->wait_count;
            judge(p, original, tally, std::string("without a wait of ") + op->name);
            *op = kept;
        }
        if (op->record < 0) continue;
        int kept = op->record;
        op->record = -1;
        judge(p, original, tally, std::string("without the record of ") + op->name);
        op->record = kept;
    }
    return tally;
}

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
            Tally t = delete_each_record_and_wait(p.get());
            std::printf("%s, batch %d: %d mutants, %d change the order, %d caught\n", trib_network_name(variant), batch,
                        t.mutants, t.changed, t.caught);
            EXPECT_GE(t.mutants, 9 * 6);
            EXPECT_EQ(t.changed, t.mutants); // every record and wait in the plan is needed
            EXPECT_EQ(t.caught, t.mutants);
        }
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
