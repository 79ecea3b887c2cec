// SPDX-License-Identifier: Apache-2.0
// What later Inceptions are made of, in a small made-up network (nets::nested).
#include <cmath>
#include <cstring>
#include <ostream>
#include <string>

#include "runtime/mutants.h"
#include "runtime/nets.h"

namespace
{

std::vector<float> logits(const trib_graph *graph, trib_device *device, const trib_plan_options &plan)
{
    trib_session_options o = trib_session_default_options();
    o.plan = plan;
    o.max_batch = o.plan.batch = 2;
    o.lanes = 1;
    nets::Session session = nets::session(graph, device, o);
    std::vector<float> x = nets::input_for(graph, 2), y(2 * 7, NAN);
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(session.get(), x.data(), 2, outputs));
    return y;
}

trib_plan_options scheduled(trib_schedule schedule)
{
    trib_plan_options o = trib_plan_default_options();
    o.schedule = schedule;
    return o;
}

TEST(Nested, ShapesAreThoseOfTheFormulas)
{
    nets::Graph graph = nets::nested();
    auto layer = [&](const char *name) {
        return trib_graph_layer(graph.get(), trib_graph_find_layer(graph.get(), name));
    };
    EXPECT_EQ(layer("stem")->h, 14);
    EXPECT_EQ(layer("stem")->w, 13);
    EXPECT_EQ(layer("module/7x1")->h, 14);
    EXPECT_EQ(layer("module/output")->c, 64);
    EXPECT_EQ(layer("reduction/output")->c, 96);
    EXPECT_EQ(layer("reduction/output")->h, 6);
    EXPECT_EQ(layer("module/split/3x1")->fork, 1);
    EXPECT_EQ(trib_graph_fork(graph.get(), 1)->parent, 0);
    EXPECT_EQ(trib_graph_fork(graph.get(), 1)->parent_branch, 2);
}

TEST(Nested, EveryScheduleComputesWhatTheReferenceDoes)
{
    nets::Graph graph = nets::nested();
    nets::Device device = nets::cpu();
    trib_plan_options reference = scheduled(TRIB_SERIAL);
    reference.reference = true;
    const std::vector<float> wanted = logits(graph.get(), device.get(), reference);
    const std::vector<float> serial = logits(graph.get(), device.get(), scheduled(TRIB_SERIAL));
    double largest = 0;
    for (float value : wanted) largest = std::max(largest, std::fabs(double(value)));
    ASSERT_GT(largest, 0);
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_LE(std::fabs(double(serial[i]) - wanted[i]), 1e-5 * largest);
    for (trib_schedule schedule : { TRIB_BRANCHES, TRIB_FUSED })
        EXPECT_EQ(logits(graph.get(), device.get(), scheduled(schedule)), serial) << trib_schedule_name(schedule);
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        nets::Schedules mixed(graph.get(), seed);
        EXPECT_EQ(logits(graph.get(), device.get(), mixed.options()), serial) << seed;
    }
}

// The inner join writes into the outer one's buffer, and so do branches that it has nothing to do with.
TEST(Nested, AnInnerJoinWaitsForItsOwnBranchesOnly)
{
    nets::Graph graph = nets::nested();
    nets::Device device = nets::cpu();
    nets::Plan plan = nets::plan(graph.get(), device.get(), scheduled(TRIB_BRANCHES));
    auto find = [&](const char *name) -> const trib_plan_op & {
        int i = 0;
        while (std::strcmp(plan->ops[i].name, name)) ++i;
        return plan->ops[i];
    };
    const trib_plan_op &join = find("module/split/output"), &own = find("module/split/1x3"),
                       &other = find("module/split/3x1");
    EXPECT_EQ(join.implementation, nullptr);
    EXPECT_EQ(join.stream, own.stream);
    ASSERT_EQ(join.wait_count, 1);
    EXPECT_EQ(join.waits[0], other.record);
    EXPECT_EQ(find("module/output").wait_count, 3);
}

struct Streams {
    int outer_first, outer_last, inner_first, inner_last; // of the module's and the split's first and last branch
    int around, count;                                    // of the branch that splits; of the plan
};
bool operator==(const Streams &a, const Streams &b) { return !std::memcmp(&a, &b, sizeof a); }
std::ostream &operator<<(std::ostream &out, const Streams &s)
{
    return out << "{ " << s.outer_first << ", " << s.outer_last << ", " << s.inner_first << ", " << s.inner_last << ", "
               << s.around << ", " << s.count << " }";
}

Streams streams_of(const trib_graph *graph, trib_device *device, trib_schedule all, trib_schedule outer,
                   const trib_schedule *inner)
{
    const trib_fork_schedule forks[] = { { "module", outer, nullptr },
                                         { "module/split", inner ? *inner : TRIB_SERIAL, nullptr } };
    trib_plan_options o = scheduled(all);
    o.fork_schedules = forks;
    o.fork_schedule_count = inner ? 2 : 1;
    nets::Plan p = nets::plan(graph, device, o);
    EXPECT_OK(trib_plan_check_stream_order(p.get()));
    auto stream = [&](const std::string &name) {
        for (int i = 0; i < p->op_count; ++i)
            if (name == p->ops[i].name) return p->ops[i].stream;
        return -1;
    };
    return { stream("module/1x1"),       stream("module/pool_proj"), stream("module/split/1x3"),
             stream("module/split/3x1"), stream("module/3x3"),       p->stream_count };
}

// A fork without its own schedule has that of the enclosing fork. In a serial fork no branch leaves the stream of
// what is around it, whatever the forks inside do; these begin on that stream.
TEST(Nested, ForksInsideForks)
{
    nets::Graph graph = nets::nested();
    nets::Device device = nets::cpu();
    const trib_schedule serial = TRIB_SERIAL, branches = TRIB_BRANCHES;
    auto streams = [&](trib_schedule all, trib_schedule outer, const trib_schedule *inner) {
        return streams_of(graph.get(), device.get(), all, outer, inner);
    };
    EXPECT_EQ(streams(TRIB_BRANCHES, TRIB_BRANCHES, nullptr), (Streams { 0, 3, 2, 4, 2, 5 }));
    EXPECT_EQ(streams(TRIB_SERIAL, TRIB_BRANCHES, nullptr), (Streams { 0, 3, 2, 4, 2, 5 }));
    EXPECT_EQ(streams(TRIB_BRANCHES, TRIB_SERIAL, nullptr), (Streams { 0, 0, 0, 0, 0, 2 })); // the reduction branches
    EXPECT_EQ(streams(TRIB_SERIAL, TRIB_SERIAL, &branches), (Streams { 0, 0, 0, 1, 0, 2 }));
    EXPECT_EQ(streams(TRIB_SERIAL, TRIB_BRANCHES, &serial), (Streams { 0, 3, 2, 2, 2, 4 }));
    EXPECT_EQ(streams(TRIB_BRANCHES, TRIB_SERIAL, &branches), (Streams { 0, 0, 0, 2, 0, 3 }));
}

TEST(Nested, EveryRecordAndWaitOfMixedSchedulesIsNeeded)
{
    nets::Graph graph = nets::nested();
    nets::Device device = nets::cpu();
    int changed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        nets::Schedules mixed(graph.get(), seed);
        nets::Plan p = nets::plan(graph.get(), device.get(), mixed.options());
        ASSERT_TRUE(p);
        mutants::Tally t = mutants::delete_each_record_and_wait(p.get());
        EXPECT_EQ(t.changed, t.mutants) << seed;
        EXPECT_EQ(t.caught, t.mutants) << seed;
        changed += t.changed;
    }
    EXPECT_GT(changed, 100);
}

} // namespace
