// SPDX-License-Identifier: Apache-2.0
// What a profiler learns while a session runs. On every device, what the host does; the ops from the threads that
// compute them where there are such threads (cpu), elsewhere as the host gives them to streams.
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "nvtx/recording.h"
#include "runtime/nets.h"
#include "tributary/internal/fault.h"
extern "C" {
#include "trace/trace.h"
}

using nets::Session;
using recording::Range;

namespace
{

constexpr int chunk = 2;
const std::string chunk_name = "tiny batch 2";

class Nvtx : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_device *opened = nullptr;
        const std::string kind = support::kind_under_test();
        ASSERT_OK(trib_device_open(kind.empty() ? "cpu" : kind.c_str(), nullptr, &opened));
        device.reset(opened);
        options = trib_session_default_options();
        options.max_batch = 5;
        options.lanes = 2;
        options.plan.batch = chunk;
        options.plan.schedule = TRIB_BRANCHES;
    }
    Session session() { return nets::session(graph.get(), device.get(), options); }
    trib_status run(const Session &s, int n)
    {
        std::vector<float> y(std::size_t(n) * 10);
        void *outputs[] = { y.data() };
        return trib_session_run(s.get(), input.data(), n, outputs);
    }
    bool threads_report() const { return trib_device_get_info(device.get())->host; }
    // What this thread reported.
    static std::vector<Range> own(const std::vector<Range> &ranges)
    {
        std::vector<Range> result;
        const std::string self = std::to_string(gettid());
        std::copy_if(ranges.begin(), ranges.end(), std::back_inserter(result),
                     [&](const Range &r) { return r.thread == self; });
        return result;
    }
    // One range for each op that computes and each of `chunks` chunks, from the thread of its lane and stream, in
    // order.
    static void expect_computed(const trib_session *s, const std::vector<Range> &ranges, int chunks)
    {
        const trib_plan *plan = trib_session_plan(s);
        std::map<std::string, std::vector<std::string>> expected, seen; // by name of the thread
        for (int k = 0; k < chunks; ++k)
            for (int i = 0; i < plan->op_count; ++i) {
                const trib_plan_op &op = plan->ops[i];
                if (!op.implementation) continue;
                const std::string lane = std::to_string(k % trib_session_lanes(s));
                expected["lane " + lane + " stream " + std::to_string(op.stream)].push_back(
                    std::string(op.name) + " " + trib_kind_name(op.desc.kind) + " " + std::to_string(k));
            }
        for (const Range &r : ranges) {
            if (r.thread == std::to_string(gettid())) continue;
            EXPECT_EQ(r.depth, 0) << r.name;
            seen[r.thread_name].push_back(r.name + " " + r.category + " " + r.payload);
        }
        EXPECT_EQ(seen, expected);
    }
    // One range for each op of the plan, in its order, from ranges[first] on; `payload` "": the op's stream.
    static void expect_ops(const trib_plan *plan, const std::vector<Range> &ranges, std::size_t first,
                           const std::string &payload)
    {
        ASSERT_GE(ranges.size(), first + std::size_t(plan->op_count));
        for (int i = 0; i < plan->op_count; ++i) {
            const Range &range = ranges[first + std::size_t(i)];
            EXPECT_EQ(range.name, plan->ops[i].name);
            EXPECT_EQ(range.category, trib_kind_name(plan->ops[i].desc.kind));
            EXPECT_EQ(range.payload, payload.empty() ? std::to_string(plan->ops[i].stream) : payload) << range.name;
            EXPECT_EQ(range.depth, 1) << range.name;
        }
    }
    static void expect_no_problems()
    {
        recording::all();
        EXPECT_EQ(recording::problems(), std::vector<std::string>());
    }
    static void expect_range(const Range &range, const std::string &name, const std::string &payload, int depth)
    {
        EXPECT_EQ(range.name, name);
        EXPECT_EQ(range.category, "");
        EXPECT_EQ(range.payload, payload);
        EXPECT_EQ(range.depth, depth);
    }

    nets::Graph graph = nets::inception(true);
    std::vector<float> input = nets::input_for(graph.get(), 5);
    nets::Device device;
    trib_session_options options = {};
};

TEST_F(Nvtx, EveryOpHasItsRangeInPlanOrder)
{
    Session s = session();
    ASSERT_TRUE(s);
    const trib_plan *plan = trib_session_plan(s.get());
    ASSERT_EQ(plan->stream_count, 4);
    std::size_t before = recording::all().ranges.size();
    const std::size_t each = threads_report() ? 1 : std::size_t(plan->op_count) + 1;
    ASSERT_OK(run(s, 5));
    ASSERT_OK(run(s, 2));
    auto all = recording::ranges_after(before), ranges = own(all);
    ASSERT_EQ(ranges.size(), 4 * each); // chunks of 2, 2 and 1 images, then one of 2
    for (std::size_t k = 0; k < 4; ++k) {
        expect_range(ranges[k * each], chunk_name, std::to_string(k), 0);
        if (!threads_report()) expect_ops(plan, ranges, k * each + 1, std::to_string(k));
    }
    if (threads_report()) expect_computed(s.get(), all, 4);
    expect_no_problems();
}

TEST_F(Nvtx, ACapturedGraphIsNamedWhenItIsRecordedAndWhenItIsLaunched)
{
    std::size_t before = recording::all().ranges.size();
    options.launch = TRIB_GRAPH;
    Session s = session();
    ASSERT_TRUE(s);
    const trib_plan *plan = trib_session_plan(s.get());
    auto recorded = recording::ranges_after(before);
    const std::size_t each = threads_report() ? 1 : std::size_t(plan->op_count) + 1;
    // two lanes; on a GPU each has two chunks in flight, with memory and a graph of their own
    const std::size_t graphs = trib_device_get_info(device.get())->host ? 2 : 4;
    ASSERT_EQ(recorded.size(), graphs * each);
    for (std::size_t graph = 0; graph < graphs; ++graph) {
        expect_range(recorded[graph * each], chunk_name + " capture", "none", 0);
        if (!threads_report()) expect_ops(plan, recorded, graph * each + 1, "");
    }
    ASSERT_OK(run(s, 5));
    auto all = recording::ranges_after(before + graphs * each), launched = own(all);
    ASSERT_EQ(launched.size(), 6u);
    for (std::size_t k = 0; k < 3; ++k) {
        expect_range(launched[2 * k], chunk_name, std::to_string(k), 0);
        expect_range(launched[2 * k + 1], chunk_name + " launch", std::to_string(k), 1);
    }
    if (threads_report()) expect_computed(s.get(), all, 3);
    expect_no_problems();
}

TEST_F(Nvtx, OneDomainAndOneCategoryForEachKind)
{
    Session s = session();
    auto r = recording::all();
    EXPECT_EQ(r.domains, std::vector<std::string> { "tributary" });
    EXPECT_EQ(r.categories.count("0"), 0u); // means none
    std::multiset<std::string> named, kinds;
    for (const auto &category : r.categories) named.insert(category.second);
    for (int kind = 0; kind < TRIB_KIND_COUNT; ++kind) kinds.insert(trib_kind_name(trib_kind(kind)));
    EXPECT_EQ(named, kinds);
}

TEST_F(Nvtx, SessionsComeAndGoInManyThreads)
{
    Session first = session();
    ASSERT_OK(run(first, 5));
    auto before = recording::all();
    auto work = [this] {
        for (int i = 0; i < 5; ++i) {
            Session s = session();
            EXPECT_OK(run(s, 5));
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
    for (std::thread &thread : threads) thread.join();
    expect_no_problems();
    auto after = recording::all();
    EXPECT_EQ(after.strings, before.strings); // registered once, and for good
    EXPECT_EQ(after.domains, before.domains);
    std::set<std::string> seen; // that submitted
    for (std::size_t i = before.ranges.size(); i < after.ranges.size(); ++i)
        if (after.ranges[i].name == chunk_name) seen.insert(after.ranges[i].thread);
    EXPECT_EQ(seen.size(), 4u);
    EXPECT_EQ(seen.count(before.ranges[0].thread), 0u);
}

TEST_F(Nvtx, RangesAreClosedWhateverFails)
{
    int in_the_middle = 0;
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        options.launch = launch;
        nets::Parameters parameters(graph.get());
        bool reached = true;
        for (std::int64_t k = 1; reached; ++k) {
            std::size_t before = recording::all().ranges.size();
            trib_session *made = nullptr;
            trib_fault_arm(k, false);
            trib_status status = trib_session_create(device.get(), graph.get(), parameters.data(), &options, &made);
            Session s(made);
            if (!trib_failed(&status)) status = run(s, 5);
            reached = trib_fault_disarm() >= k;
            EXPECT_EQ(trib_failed(&status), reached) << "operation " << k;
            auto ranges = recording::ranges_after(before);
            if (trib_failed(&status) && !ranges.empty() && ranges.back().depth == 1) ++in_the_middle;
        }
    }
    EXPECT_GT(in_the_middle, 0);
    expect_no_problems();
}

TEST_F(Nvtx, NamesThatFindNoMemoryAreRegisteredTheNextTime)
{
    nets::Graph other = nets::inception(false);
    nets::Plan plan = nets::plan(other.get(), device.get(), options.plan);
    static int round = 0;
    ++round;
    trib_plan renamed = *plan; // its name was not registered
    std::vector<trib_plan_op> ops(plan->ops, plan->ops + plan->op_count);
    std::vector<std::string> names;
    for (int i = 0; i < plan->op_count; ++i)
        names.push_back("no memory for " + std::to_string(round) + "." + std::to_string(i));
    for (std::size_t i = 0; i < ops.size(); ++i) ops[i].name = names[i].c_str();
    renamed.ops = ops.data();
    trib_trace *trace = nullptr;
    std::int64_t k = 1;
    for (;; ++k) {
        trib_fault_arm(k, false);
        const trib_trace_subject subject = { device.get(), &renamed, 1, 1, nullptr };
        trib_status status = trib_trace_create(&subject, trib_trace_default_sinks(), &trace);
        if (trib_fault_disarm() < k) {
            EXPECT_OK(status);
            break;
        }
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY);
        EXPECT_EQ(trace, nullptr);
    }
    EXPECT_GT(k, 3); // strings registered by failed ones are not registered again
    ASSERT_NE(trace, nullptr);
    trib_trace_destroy(trace);
    auto strings = recording::all().strings;
    for (const std::string &name : names) EXPECT_EQ(std::count(strings.begin(), strings.end(), name), 1) << name;
}

} // namespace
