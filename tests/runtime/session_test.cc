// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <limits>

#include "runtime/nets.h"
#include "tributary/internal/fault.h"

namespace
{

using nets::Session;

std::vector<float> run(trib_session *s, const std::vector<float> &input, int n, std::size_t row)
{
    std::vector<float> y(std::size_t(n) * row, std::numeric_limits<float>::quiet_NaN());
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(s, input.data(), n, outputs));
    return y;
}

// Everything that must not change a single bit: schedule, launch, lanes, chunk, threads, layout of memory.
TEST(Session, EveryWayOfRunningGivesTheSameBits)
{
    auto device = nets::cpu();
    for (bool batch_norm : { false, true }) {
        auto graph = nets::inception(batch_norm);
        auto input = nets::input_for(graph.get(), 7);
        trib_session_options oracle = trib_session_default_options();
        oracle.max_batch = 7;
        oracle.lanes = 1;
        oracle.plan.batch = 1;
        Session serial = nets::session(graph.get(), device.get(), oracle);
        ASSERT_TRUE(serial);
        auto expected = run(serial.get(), input, 7, 10);
        for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES })
            for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH })
                for (int lanes : { 1, 2, 3 })
                    for (bool reuse : { true, false }) {
                        trib_session_options o = oracle;
                        o.plan.schedule = schedule;
                        o.launch = launch;
                        o.lanes = lanes;
                        o.plan.disabled_passes = reuse ? 0 : 1u << TRIB_PASS_PLAN_MEMORY;
                        Session s = nets::session(graph.get(), device.get(), o);
                        ASSERT_TRUE(s);
                        for (int again = 0; again < 3; ++again) {
                            auto y = run(s.get(), input, 7, 10);
                            ASSERT_EQ(0, std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)))
                                << trib_schedule_name(schedule) << " launch " << launch << " lanes " << lanes;
                        }
                    }
    }
}

// Batches in flight: results of each are where they belong, in whatever order they are waited for.
TEST(Session, SeveralBatchesInFlightGiveTheSameBits)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    const int batches = 6, n = 3;
    auto input = nets::input_for(graph.get(), batches * n);
    const std::size_t image = input.size() / (batches * n);
    trib_session_options o = trib_session_default_options();
    o.max_batch = n;
    Session one = nets::session(graph.get(), device.get(), o);
    o.in_flight = 2;
    for (int lanes : { 0, 1, 3 }) {
        o.lanes = lanes;
        Session s = nets::session(graph.get(), device.get(), o);
        ASSERT_TRUE(one && s);
        std::vector<std::vector<float>> y(batches, std::vector<float>(n * 10));
        std::vector<std::int64_t> jobs(batches);
        for (std::size_t b = 0; b < batches; ++b) {
            void *outputs[] = { y[b].data() };
            ASSERT_OK(trib_session_submit(s.get(), input.data() + b * n * image, n, outputs, &jobs[b]));
            if (b > 0) ASSERT_OK(trib_session_wait(s.get(), jobs[b - 1]));
        }
        ASSERT_OK(trib_session_wait(s.get(), jobs[batches - 1]));
        ASSERT_OK(trib_session_wait(s.get(), jobs[0])); // long done
        for (std::size_t b = 0; b < batches; ++b) {
            std::vector<float> part(input.begin() + std::ptrdiff_t(b * n * image),
                                    input.begin() + std::ptrdiff_t((b + 1) * n * image));
            ASSERT_EQ(run(one.get(), part, n, 10), y[b]) << "batch " << b << ", lanes " << lanes;
        }
        EXPECT_FAILS(trib_session_wait(s.get(), jobs[batches - 1] + (std::int64_t(1) << 24)), TRIB_INVALID_ARGUMENT,
                     "no such job");
        EXPECT_FAILS(trib_session_wait(s.get(), -1), TRIB_INVALID_ARGUMENT, "no such job");
    }
}

// Two batches in sequence in one lane: if the first fails, the second is skipped, and must not count as done.
TEST(Session, ABatchBehindOneThatFailedFailsToo)
{
    auto device = nets::cpu(1);
    auto graph = nets::inception(true, 9);
    auto input = nets::input_for(graph.get(), 2);
    const std::size_t image = input.size() / 2;
    trib_session_options o = trib_session_default_options();
    o.in_flight = 2;
    o.lanes = 1;
    Session s = nets::session(graph.get(), device.get(), o);
    ASSERT_TRUE(s);
    std::vector<float> expected[2];
    for (std::size_t i = 0; i < 2; ++i)
        expected[i] = run(s.get(), { input.begin() + long(i * image), input.begin() + long((i + 1) * image) }, 1, 10);
    int failures = 0;
    for (std::int64_t k = 1; k <= 40; ++k) {
        std::vector<float> y[2] = { std::vector<float>(10), std::vector<float>(10) };
        std::int64_t jobs[2] = { -1, -1 };
        trib_fault_arm(k, false);
        for (std::size_t i = 0; i < 2; ++i) {
            void *outputs[] = { y[i].data() };
            trib_status status = trib_session_submit(s.get(), input.data() + i * image, 1, outputs, &jobs[i]);
            if (trib_failed(&status)) jobs[i] = -1;
        }
        for (std::size_t i = 2; i-- > 0;) {
            if (jobs[i] < 0) continue;
            trib_status status = trib_session_wait(s.get(), jobs[i]);
            failures += trib_failed(&status);
            EXPECT_TRUE(trib_failed(&status) || y[i] == expected[i]) << "batch " << i << ", fault " << k;
        }
        trib_fault_disarm();
    }
    EXPECT_TRUE(failures > 0 || std::strstr(trib_device_get_info(device.get())->library, "without"));
    void *outputs[] = { expected[1].data() };
    EXPECT_OK(trib_session_run(s.get(), input.data(), 1, outputs));
    EXPECT_EQ(expected[1], expected[0]);
}

TEST(Session, ChunksOfSeveralImagesAndShortOnesAgree)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    auto input = nets::input_for(graph.get(), 11);
    trib_session_options o = trib_session_default_options();
    o.max_batch = 11;
    Session one = nets::session(graph.get(), device.get(), o);
    ASSERT_TRUE(one);
    auto expected = run(one.get(), input, 11, 10);
    for (int chunk : { 2, 4, 11 }) {
        o.plan.batch = chunk;
        Session s = nets::session(graph.get(), device.get(), o);
        ASSERT_TRUE(s);
        EXPECT_LE(support::relative_error(run(s.get(), input, 11, 10), expected), 1e-5) << chunk;
        EXPECT_LE(support::relative_error(run(s.get(), input, 1, 10),
                                          std::vector<float>(expected.begin(), expected.begin() + 10)),
                  1e-5);
    }
}

// Nor does an image's result depend on those it is computed with: threads divide a batch, and a run that is continued
// begins elsewhere. Libraries' matrix products do depend on their number of rows.
TEST(Session, AnImageHasTheSameBitsInEveryBatch)
{
    constexpr int images = 19, classes = 1000;
    auto device = nets::cpu();
    trib_graph_builder *b = trib_graph_begin("classifier");
    trib_pool2d global {};
    trib_linear fc { classes, false };
    const int pixels = trib_add_avg_pool2d(b, "global", trib_add_input(b, "input", 112, 2, 2), &global);
    trib_graph_mark_output(b, "logits", trib_add_linear(b, "fc", pixels, &fc));
    trib_graph *g = nullptr;
    ASSERT_OK(trib_graph_finish(b, &g));
    nets::Graph graph(g);
    auto input = nets::input_for(g, images);
    for (int layout : { int(TRIB_LAYOUT_AUTO), int(TRIB_NHWC) }) {
        std::vector<float> expected;
        for (int batch = 1; batch <= images; ++batch) {
            trib_session_options o = trib_session_default_options();
            o.max_batch = images;
            o.lanes = 1 + batch % 2;
            o.plan.batch = batch;
            o.plan.layout = layout;
            Session s = nets::session(g, device.get(), o);
            ASSERT_TRUE(s);
            auto y = run(s.get(), input, images, classes);
            if (expected.empty()) expected = y;
            EXPECT_TRUE(y == expected) << "batch " << batch;
        }
    }
}

TEST(Session, PassesDoNotChangeTheResult)
{
    auto device = nets::cpu();
    for (bool batch_norm : { false, true }) {
        auto graph = nets::inception(batch_norm);
        auto input = nets::input_for(graph.get(), 2);
        trib_session_options o = trib_session_default_options();
        o.max_batch = 2;
        o.plan.reference = true;
        Session reference = nets::session(graph.get(), device.get(), o);
        ASSERT_TRUE(reference);
        auto expected = run(reference.get(), input, 2, 10);
        o.plan.reference = false;
        for (unsigned off = 0; off < 1u << TRIB_PASS_COUNT; ++off) {
            if (off & (1u << TRIB_PASS_PRUNE | 1u << TRIB_PASS_CHOOSE_IMPLEMENTATION |
                       1u << TRIB_PASS_PREPARE_PARAMETERS | 1u << TRIB_PASS_ASSIGN_STREAMS))
                continue; // refused: Plan.RequiredPassesStay
            if (off & (1u << TRIB_PASS_BACKWARD | 1u << TRIB_PASS_RECOMPUTE)) continue; // training's
            const trib_device_info *info = trib_device_get_info(device.get());
            for (int i = 0; i < info->layout_count; ++i) {
                o.plan.disabled_passes = off;
                o.plan.layout = info->layouts[i];
                Session s = nets::session(graph.get(), device.get(), o);
                ASSERT_TRUE(s) << off;
                EXPECT_LE(support::relative_error(run(s.get(), input, 2, 10), expected), 1e-5)
                    << "passes off: " << off << ", layout " << trib_layout_name(info->layouts[i]);
            }
        }
    }
}

TEST(Session, SeveralOutputs)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    auto input = nets::input_for(graph.get(), 3);
    const char *names[] = { "logits", "probabilities", "module/output", "input" };
    trib_session_options o = trib_session_default_options();
    o.max_batch = 3;
    o.plan.outputs = names;
    o.plan.output_count = 4;
    o.plan.schedule = TRIB_BRANCHES;
    Session s = nets::session(graph.get(), device.get(), o);
    ASSERT_TRUE(s);
    std::vector<float> logits(30), probabilities(30), module(3 * 80 * 14 * 14), copy(input.size());
    void *outputs[] = { logits.data(), probabilities.data(), module.data(), copy.data() };
    ASSERT_OK(trib_session_run(s.get(), input.data(), 3, outputs));
    for (int i = 0; i < 3; ++i) {
        float sum = 0;
        for (int c = 0; c < 10; ++c) sum += probabilities[std::size_t(i * 10 + c)];
        EXPECT_NEAR(sum, 1, 1e-5);
    }
    EXPECT_EQ(copy, input);
    for (float v : module) ASSERT_GE(v, 0);
}

TEST(Session, AcceptsEitherInputLayout)
{
    auto device = nets::cpu();
    auto graph = nets::inception(false);
    auto nchw = nets::input_for(graph.get(), 1);
    std::vector<float> nhwc(nchw.size());
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < 196; ++i) nhwc[i * 3 + c] = nchw[c * 196 + i];
    trib_session_options o = trib_session_default_options();
    Session a = nets::session(graph.get(), device.get(), o);
    o.plan.input_layout = TRIB_NHWC;
    Session b = nets::session(graph.get(), device.get(), o);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(run(a.get(), nchw, 1, 10), run(b.get(), nhwc, 1, 10));
}

TEST(Session, MemoryLimitFromPlentyToNothingIsMonotone)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    nets::Parameters parameters(graph.get());
    trib_session_options o = trib_session_default_options();
    {
        Session s = nets::session(graph.get(), device.get(), o);
    }
    std::int64_t peak = trib_device_memory(device.get()).peak_bytes;
    ASSERT_GT(peak, 0);
    bool refused = false;
    for (int percent = 100; percent >= 0; --percent) {
        trib_device_set_memory_limit(device.get(), std::max<std::int64_t>(1, peak * percent / 100));
        trib_session *s = nullptr;
        trib_status status = trib_session_create(device.get(), graph.get(), parameters.data(), &o, &s);
        EXPECT_TRUE(!refused || trib_failed(&status)) << percent;
        refused |= trib_failed(&status);
        EXPECT_TRUE(!trib_failed(&status) || status.code == TRIB_OUT_OF_MEMORY) << status.message;
        trib_session_destroy(s);
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0);
}

// While parameters are loaded there is no second copy of the network, and afterwards only the packed one, whatever the
// number of lanes.
TEST(Session, ParametersAreThereOnceHoweverManyLanes)
{
    auto device = nets::cpu(2);
    auto graph = nets::googlenet(support::torchvision, 64, 10);
    std::int64_t left[3] = {};
    for (int lanes : { 1, 2 }) {
        trib_session_options o = trib_session_default_options();
        o.lanes = lanes;
        o.max_batch = 4;
        o.plan.batch = o.plan.threads = 1;
        const std::int64_t before = trib_device_memory(device.get()).current_bytes;
        Session s = nets::session(graph.get(), device.get(), o);
        ASSERT_TRUE(s);
        ASSERT_EQ(trib_session_lanes(s.get()), lanes);
        const trib_plan *p = trib_session_plan(s.get());
        const trib_memory_stats stats = trib_device_memory(device.get());
        left[lanes] = stats.current_bytes - before - p->parameter_bytes;
        EXPECT_GT(left[lanes], 0);
        EXPECT_LT(left[lanes], p->parameter_bytes) << "arenas and slots";
        EXPECT_LE(stats.peak_bytes, p->parameter_bytes + std::max(p->loading_bytes, left[lanes]));
    }
    EXPECT_EQ(left[2], 2 * left[1]);
}

TEST(Session, EveryFallibleOperationMayFail)
{
    auto device = nets::cpu(1);
    auto graph = nets::inception(true, 9);
    nets::Parameters parameters(graph.get());
    auto input = nets::input_for(graph.get(), 2);
    std::vector<float> y(20), expected(20);
    void *outputs[] = { y.data() }, *expected_outputs[] = { expected.data() };
    trib_session_options o = trib_session_default_options();
    o.max_batch = 2;
    o.plan.schedule = TRIB_BRANCHES;
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        o.launch = launch;
        {
            Session s = nets::session(graph.get(), device.get(), o);
            ASSERT_OK(trib_session_run(s.get(), input.data(), 2, expected_outputs));
        }
        std::int64_t failures = 0;
        for (std::int64_t k = 1;; ++k) {
            trib_session *s = nullptr;
            trib_fault_arm(k, false);
            trib_status status = trib_session_create(device.get(), graph.get(), parameters.data(), &o, &s);
            if (!trib_failed(&status)) status = trib_session_run(s, input.data(), 2, outputs);
            bool reached = trib_fault_disarm() >= k;
            if (s) { // what failed once works the next time
                EXPECT_OK(trib_session_run(s, input.data(), 2, outputs));
                EXPECT_EQ(y, expected) << "after failure of operation " << k << ", launch " << launch;
            }
            trib_session_destroy(s);
            if (!reached) {
                EXPECT_OK(status);
                break;
            }
            EXPECT_TRUE(trib_failed(&status)) << "operation " << k;
            ++failures;
        }
        EXPECT_GT(failures, 100);
        EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0);
    }
}

} // namespace
