// SPDX-License-Identifier: Apache-2.0
// Profiles of a network on the simulated CUDA, whose clock knows no gaps: what the numbers of a module must be follows
// from how long its ops take.
#include <algorithm>
#include <functional>
#include <memory>

#include "cuda/network.h"
#include "device/driver.h"
#include "fakecuda/fakecuda.h"
#include "profile/flows.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

// ---- each op takes a time of its own, the same in every run ----

const trib_driver *real;
int current = -1;

trib_status begin_op(trib_observation *o, trib_stream *stream, trib_observed_run *run, int op)
{
    current = op;
    return real->observe_begin(o, stream, run, op);
}

trib_status end_op(trib_observation *o, trib_stream *stream)
{
    current = -1;
    return real->observe_end(o, stream);
}

nets::Device device_with(int at_once)
{
    static trib_driver driver;
    fakecuda::Options options;
    options.real_clock = true;
    options.at_once = at_once;
    options.takes = [](const std::string &) { return current < 0 ? 1000 : 2000 + 37 * (current * current % 101); };
    fakecuda::reset(options);
    nets::Device device = network::open();
    real = device->driver;
    driver = *real;
    driver.observe_begin = begin_op;
    driver.observe_end = end_op;
    device->driver = &driver;
    return device;
}

// ---- one recorded run ----

struct Profiled {
    nets::Session session;
    trib_timeline *timeline = nullptr;
    trib_profile_graph graph = {};
    trib_timeline_run run = {};
    ~Profiled()
    {
        session.reset();
        trib_timeline_destroy(timeline);
        trib_profile_graph_release(&graph);
    }
};

void record(const Net &net, trib_device *device, trib_schedule schedule, bool one_stream, Profiled *out)
{
    Way way;
    way.schedule = schedule;
    way.launch = TRIB_GRAPH;
    ASSERT_OK(trib_timeline_create(1, &out->timeline));
    trib_session_options options = net.options(way);
    options.timeline = out->timeline;
    options.one_stream = one_stream;
    trib_session *made = nullptr;
    ASSERT_OK(trib_session_create(device, net.graph(), net.parameters(), &options, &made));
    out->session.reset(made);
    Bytes bytes;
    ASSERT_OK(net.run(made, 0, 1, &bytes));
    ASSERT_EQ(trib_timeline_count(out->timeline), 1) << trib_timeline_loss(out->timeline).message;
    out->run = trib_timeline_at(out->timeline, 0);
    ASSERT_OK(trib_profile_graph_of_plan(trib_session_plan(made), 0, &out->graph));
}

// The schedule's run, with times alone and of windows from one in sequence.
void profile(trib_schedule schedule, int at_once,
             const std::function<void(const trib_profile &, const Profiled &)> &look)
{
    const Net net;
    nets::Device device = device_with(at_once);
    Profiled sequence, beside;
    record(net, device.get(), schedule, true, &sequence);
    record(net, device.get(), schedule, false, &beside);
    if (testing::Test::HasFailure()) return;
    std::vector<std::int64_t> alone(std::size_t(sequence.graph.op_count)), serial;
    ASSERT_OK(trib_profile_alone(&sequence.graph, &sequence.run.ops, 1, alone.data()));
    const trib_profile_run before = { sequence.run.ops, sequence.run.clock_step, 0, 0, alone.data(), nullptr };
    flows::Profile one, p;
    ASSERT_OK(trib_profile_analyse(&sequence.graph, &before, nullptr, &one, nullptr));
    flows::expect_closed(one);
    EXPECT_EQ(one.total.overlap, 0);
    for (int w = 0; w < one.window_count; ++w) serial.push_back(one.windows[w].wall);
    ASSERT_EQ(beside.graph.part_count, one.window_count);
    const trib_profile_run run = { beside.run.ops, beside.run.clock_step, 0, 0, alone.data(), serial.data() };
    ASSERT_OK(trib_profile_analyse(&beside.graph, &run, nullptr, &p, nullptr));
    flows::expect_closed(p);
    EXPECT_EQ(p.negative_gaps + p.trimmed, 0);
    look(p, beside);
}

// How long each branch's ops take together, the longest first.
std::vector<std::int64_t> chains(const trib_profile &p, const trib_profile_graph &g, int window)
{
    std::vector<std::int64_t> lengths(std::size_t(g.parts[window].branch_count));
    for (int i = 0; i < g.op_count; ++i)
        if (g.ops[i].window == window && g.ops[i].branch >= 0)
            lengths[std::size_t(g.ops[i].branch)] += p.ops[i].to - p.ops[i].from;
    std::sort(lengths.rbegin(), lengths.rend());
    return lengths;
}

} // namespace

// A module takes as long as its longest branch; of the others, each overlaps as long as it lasts.
TEST(Profile, OfBranchesOnADeviceWithoutLimits)
{
    int modules = 0;
    profile(TRIB_BRANCHES, 0, [&](const trib_profile &p, const Profiled &of) {
        for (int w = 1; w < p.window_count; w += 2) {
            SCOPED_TRACE(of.graph.parts[w].name);
            const trib_profile_window &window = p.windows[w];
            const std::vector<std::int64_t> length = chains(p, of.graph, w);
            std::int64_t sum = 0;
            ASSERT_EQ(length.size(), 4u);
            for (std::size_t k = 0; k < 4; ++k) {
                sum += length[k];
                EXPECT_EQ(window.at[k + 1], length[k] - (k < 3 ? length[k + 1] : 0));
            }
            EXPECT_GT(length[3], 0);
            EXPECT_EQ(window.wall, length[0]);
            EXPECT_EQ(window.any, length[0]);
            EXPECT_EQ(window.overlap, length[1]);
            EXPECT_EQ(window.sum, sum);
            EXPECT_EQ(window.alone, sum);
            EXPECT_EQ(window.serial, sum);
            EXPECT_EQ(window.branch_largest, length[0]);
            EXPECT_EQ(window.idle[TRIB_IDLE_IMBALANCE], 4 * length[0] - sum);
            EXPECT_EQ(window.path.busy, length[0]);
            EXPECT_EQ(window.bounds.path, length[0]);
            EXPECT_EQ(window.bounds.binding, TRIB_BOUND_PATH);
            const trib_profile_gain gain = trib_profile_gain_of(&window);
            EXPECT_DOUBLE_EQ(gain.gain, double(sum) / double(length[0]));
            EXPECT_DOUBLE_EQ(gain.bound, gain.gain);
            EXPECT_DOUBLE_EQ(gain.branch_bound, gain.gain);
            EXPECT_DOUBLE_EQ(gain.concurrency, gain.gain);
            EXPECT_DOUBLE_EQ(gain.stretch, 1);
            EXPECT_DOUBLE_EQ(gain.device_busy, 1);
            ++modules;
        }
    });
    EXPECT_GT(modules, 1);
}

// One piece of work at a time: nothing is gained, and streams that are ready are held up.
TEST(Profile, OfBranchesOnADeviceThatDoesOneThingAtATime)
{
    profile(TRIB_BRANCHES, 1, [](const trib_profile &p, const Profiled &of) {
        for (int w = 1; w < p.window_count; w += 2) {
            SCOPED_TRACE(of.graph.parts[w].name);
            const trib_profile_window &window = p.windows[w];
            EXPECT_EQ(window.overlap, 0);
            EXPECT_EQ(window.wall, window.sum);
            EXPECT_EQ(window.serial, window.wall);
            EXPECT_GT(window.idle[TRIB_IDLE_CONTENTION], 0);
            EXPECT_EQ(window.idle[TRIB_IDLE_CONTENTION] + window.idle[TRIB_IDLE_IMBALANCE], 3 * window.wall);
            EXPECT_DOUBLE_EQ(trib_profile_gain_of(&window).gain, 1);
            EXPECT_GT(trib_profile_gain_of(&window).bound, 1);
        }
    });
}

// Merged reductions first: nothing is shorter than the longest path, and the device keeps to it.
TEST(Profile, OfFusedModules)
{
    profile(TRIB_FUSED, 0, [](const trib_profile &p, const Profiled &) {
        EXPECT_EQ(p.total.bounds.path, p.total.wall);
        EXPECT_EQ(p.total.path.busy, p.total.wall);
        EXPECT_GT(p.total.overlap, 0);
        for (int w = 1; w < p.window_count; w += 2) EXPECT_EQ(p.windows[w].bounds.path, p.windows[w].wall);
    });
}
