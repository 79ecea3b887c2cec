// SPDX-License-Identifier: Apache-2.0
// What a profiler learns about CUDA's own objects, on the simulated CUDA.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/conformance.h"
#include "fakecuda/fakecuda.h"
#include "nvtx/recording.h"
#include "runtime/nets.h"

namespace
{

using Names = std::multiset<std::string>;

// What the objects are called in the end: one name for each. Those of earlier tests, `skip` of them, are gone.
Names last_names(const std::vector<recording::Name> &given, std::size_t skip)
{
    std::map<std::string, std::string> last;
    for (std::size_t i = skip; i < given.size(); ++i) last[given[i].handle] = given[i].name;
    Names result;
    for (const auto &object : last) result.insert(object.second);
    return result;
}

class NvtxCuda : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_device *opened = nullptr;
        before = recording::all();
        ASSERT_OK(trib_device_open("cuda", nullptr, &opened));
        device.reset(opened);
    }
    Names streams() const { return last_names(recording::all().streams, before.streams.size()); }
    Names events() const { return last_names(recording::all().events, before.events.size()); }

    recording::Recording before;
    nets::Device device;
};

TEST_F(NvtxCuda, StreamsAndEventsHaveNames)
{
    nets::Graph graph = nets::inception(true);
    auto input = nets::input_for(graph.get(), 2);
    std::vector<float> y(20);
    void *outputs[] = { y.data() };
    trib_session_options o = trib_session_default_options();
    o.max_batch = o.lanes = 2;
    o.plan.batch = 1;
    o.plan.schedule = TRIB_BRANCHES;
    nets::Session s = nets::session(graph.get(), device.get(), o);
    ASSERT_TRUE(s);
    ASSERT_OK(trib_session_run(s.get(), input.data(), 2, outputs));
    EXPECT_EQ(streams().count("memory"), 1u);
    for (const char *name : { "lane 0 copies in", "lane 0 copies out", "lane 1 copies in", "lane 1 copies out" }) {
        EXPECT_EQ(streams().count(name), 1u) << name;
        EXPECT_EQ(events().count(name), 1u) << name;
    }
    const trib_plan *plan = trib_session_plan(s.get());
    for (int lane = 0; lane < 2; ++lane)
        for (int i = 0; i < plan->stream_count; ++i) {
            std::string name = "lane " + std::to_string(lane) + " stream " + std::to_string(i);
            EXPECT_EQ(streams().count(name), 1u) << name;
            // What its ops record; and stream 0 records that the chunk is computed.
            auto records = std::size_t(std::count_if(plan->ops, plan->ops + plan->op_count,
                                                     [i](const auto &op) { return op.stream == i && op.record >= 0; }));
            EXPECT_GT(records, 0u) << name;
            EXPECT_EQ(events().count(name), records + (i == 0 ? 1 : 0)) << name;
        }
}

TEST_F(NvtxCuda, WhatIsUsedAgainIsNamedAgain)
{
    auto use = [this](const char *name) {
        trib_stream *stream = nullptr;
        trib_event *event = nullptr;
        trib_stream_options o = { name, 0, 0 };
        EXPECT_OK(trib_stream_create(device.get(), &o, &stream));
        EXPECT_OK(trib_event_create(device.get(), &event));
        for (int i = 0; i < 3; ++i) EXPECT_OK(trib_event_record(event, stream));
        trib_event_destroy(event);
        trib_stream_destroy(stream);
    };
    use("left");
    EXPECT_EQ(streams(), (Names { "left", "memory" }));
    EXPECT_EQ(events(), Names { "left" });
    use("right");
    EXPECT_EQ(streams(), (Names { "memory", "right" })); // the same objects
    EXPECT_EQ(events(), Names { "right" });
    EXPECT_EQ(recording::all().events.size(), before.events.size() + 2); // once for each owner
}

TEST_F(NvtxCuda, RangesAreClosedWhicheverCallFails)
{
    nets::Graph graph = nets::inception(true);
    auto input = nets::input_for(graph.get(), 1);
    std::vector<float> y(10);
    void *outputs[] = { y.data() };
    trib_session_options o = trib_session_default_options();
    o.plan.schedule = TRIB_BRANCHES;
    nets::Session s = nets::session(graph.get(), device.get(), o);
    ASSERT_TRUE(s);
    std::set<std::string> last; // the op that failed
    bool reached = true;
    for (std::int64_t k = 1; reached; ++k) {
        std::size_t before = recording::all().ranges.size();
        fakecuda::fail(k, fakecuda::Failure::once);
        trib_status status = trib_session_run(s.get(), input.data(), 1, outputs);
        reached = fakecuda::stop_failing() >= k;
        auto ranges = recording::ranges_after(before);
        if (trib_failed(&status) && !ranges.empty()) last.insert(ranges.back().name);
    }
    const trib_plan *plan = trib_session_plan(s.get());
    for (int i = 0; i < plan->op_count; ++i) {
        if (plan->ops[i].implementation) {
            EXPECT_EQ(last.count(plan->ops[i].name), 1u) << plan->ops[i].name;
        }
    }
    EXPECT_EQ(recording::problems(), std::vector<std::string>());
}

} // namespace
