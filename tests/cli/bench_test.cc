// SPDX-License-Identifier: Apache-2.0
// Sweeps of bench: which cells there are, whose turn it is, and what the times say.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "support/support.h"
#include "tributary/internal/fault.h"

extern "C" {
#include "host/cli/bench_cells.h"
#include "host/cli/bench_layers.h"
#include "host/cli/bench_stats.h"
#include "host/cli/values.h"
}

namespace
{

using Ints = std::vector<int>;

cli_ints ints(Ints &values) { return { values.data(), int(values.size()) }; }

// ---- schedules ----

// The elements of a list, each as --schedule would take it; "bad" if it is refused.
std::vector<std::string> schedules(const std::vector<const char *> &given)
{
    cli_schedule_list list = {};
    std::vector<std::string> all;
    for (const char *text : given)
        if (cli_read_schedule_list(text, &list) != CLI_VALUE_GOOD) all.push_back("bad");
    const int count = all.empty() ? list.count : 0;
    for (int i = 0; i < count; ++i) {
        std::string text = trib_schedule_name(trib_schedule(list.items[i].all));
        for (int k = 0; k < list.items[i].names.count; ++k)
            text += std::string(",") + list.items[i].forks[k].fork + "=" +
                    trib_schedule_name(list.items[i].forks[k].schedule);
        all.push_back(text);
    }
    cli_schedule_list_release(&list);
    return all;
}

TEST(BenchSchedules, AWordBeginsAnotherAndAForkBelongsToTheOneBefore)
{
    using Texts = std::vector<std::string>;
    EXPECT_EQ(schedules({ "serial" }), (Texts { "serial" }));
    EXPECT_EQ(schedules({ "serial,branches,fused" }), (Texts { "serial", "branches", "fused" }));
    EXPECT_EQ(schedules({ "serial,fused,a=serial,b*=branches,branches" }),
              (Texts { "serial", "fused,a=serial,b*=branches", "branches" }));
    EXPECT_EQ(schedules({ "a=fused" }), (Texts { "serial,a=fused" }));
    EXPECT_EQ(schedules({ "fused,auto,serial" }).size(), 3u);
    EXPECT_EQ(schedules({ "serial,auto,a=fused" }), (Texts { "bad" })) << "auto is whole";
    EXPECT_EQ(schedules({ "fused", "a=serial", "branches" }), (Texts { "fused,a=serial", "branches" }));
    for (const char *bad : { "", "none", "serial,", ",serial", "serial,=fused", "a=none", "serial;fused" })
        EXPECT_EQ(schedules({ bad }), (Texts { "bad" })) << bad;
}

TEST(BenchSchedules, EveryAllocationMayFail)
{
    for (int k = 1;; ++k) {
        cli_schedule_list list = {};
        trib_fault_arm(k, false);
        const cli_value_result result = cli_read_schedule_list("serial,fused,a=serial,b=branches", &list);
        const std::int64_t seen = trib_fault_disarm();
        EXPECT_EQ(result, seen >= k ? CLI_VALUE_NO_MEMORY : CLI_VALUE_GOOD);
        cli_schedule_list_release(&list);
        if (seen < k) break;
    }
}

// ---- cells ----

struct Lists {
    Ints batches, precisions, launches, in_flights;
    std::vector<cli_schedules> schedules;
    cli_cell_lists all()
    {
        return { ints(batches),
                 ints(precisions),
                 ints(launches),
                 ints(in_flights),
                 { schedules.data(), int(schedules.size()) } };
    }
};

TEST(BenchCells, AreEveryCombinationOnceByBatchSize)
{
    Lists lists { { 8, 1 }, { 0, 3 }, { 0, 1 }, { 1, 2, 4 }, std::vector<cli_schedules>(2) };
    const cli_cell_lists all = lists.all();
    cli_cells cells;
    ASSERT_OK(cli_cells_make(&all, &cells));
    ASSERT_EQ(cells.count, 48);
    EXPECT_EQ(cells.configurations, 24);
    std::map<Ints, int> seen;
    for (int i = 0; i < cells.count; ++i) {
        const cli_cell &c = cells.items[i];
        EXPECT_EQ(c.batch, i < 24 ? 8 : 1);
        EXPECT_EQ(c.configuration, i % 24);
        ++seen[{ c.batch, c.precision, c.launch, c.in_flight, c.schedule }];
        const cli_cell &same = cells.items[i % 24];
        EXPECT_EQ((Ints { c.precision, c.launch, c.in_flight, c.schedule }),
                  (Ints { same.precision, same.launch, same.in_flight, same.schedule }));
    }
    EXPECT_EQ(seen.size(), 48u);
    cli_cells_release(&cells);
}

TEST(BenchCells, WithoutListsAreTheUsualOnes)
{
    const cli_cell_lists none = {};
    cli_cells cells;
    ASSERT_OK(cli_cells_make(&none, &cells));
    ASSERT_EQ(cells.count, 2);
    EXPECT_EQ(cells.configurations, 1);
    EXPECT_EQ(cells.items[0].batch, 1);
    EXPECT_EQ(cells.items[1].batch, 32);
    EXPECT_EQ(cells.items[1].in_flight, 0);
    char text[CLI_CELL_TEXT];
    EXPECT_STREQ(cli_cell_name(&none, &cells.items[0], text), "serial");
    cli_cells_release(&cells);
}

TEST(BenchCells, AreNamedByWhatVaries)
{
    Lists lists { { 1 }, { 0, 3 }, { 0, 1 }, { 7 }, std::vector<cli_schedules>(2) };
    lists.schedules[1].all = TRIB_BRANCHES;
    const cli_cell_lists all = lists.all();
    cli_cells cells;
    char text[CLI_CELL_TEXT];
    ASSERT_OK(cli_cells_make(&all, &cells));
    EXPECT_STREQ(cli_cell_name(&all, &cells.items[0], text), "fp32, serial, eager");
    EXPECT_STREQ(cli_cell_name(&all, &cells.items[7], text), "bf16, branches, graph");
    cli_cells_release(&cells);
}

TEST(BenchCells, TooManyAreRefusedAndMemoryMayRunOut)
{
    Lists lists { Ints(100, 1), { 0 }, Ints(100, 0), Ints(100, 1), {} };
    cli_cell_lists all = lists.all();
    cli_cells cells;
    trib_status s = cli_cells_make(&all, &cells);
    EXPECT_EQ(s.code, TRIB_INVALID_ARGUMENT);
    EXPECT_NE(std::string(s.message).find("1000000 combinations"), std::string::npos) << s.message;
    cli_cells_release(&cells);
    all = {};
    trib_fault_arm(1, false);
    s = cli_cells_make(&all, &cells);
    trib_fault_disarm();
    EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY);
    cli_cells_release(&cells);
}

// A drift that is the same for every turn favours no cell, if the number of rounds is even.
TEST(BenchTurns, GoForwardsAndBackwards)
{
    for (int count : { 1, 2, 5 }) {
        Ints sums(std::size_t(count), 0), seen(std::size_t(count), 0);
        for (int round = 0; round < 4; ++round)
            for (int i = 0; i < count; ++i) {
                const int cell = cli_cells_turn(count, round, i);
                ASSERT_GE(cell, 0);
                ASSERT_LT(cell, count);
                ++seen[std::size_t(cell)];
                sums[std::size_t(cell)] += round * count + i;
            }
        EXPECT_EQ(seen, Ints(std::size_t(count), 4));
        EXPECT_EQ(sums, Ints(std::size_t(count), sums[0]));
    }
}

TEST(BenchTurns, DivideTheRuns)
{
    for (int total : { 1, 3, 4, 7, 100 })
        for (int rounds : { 1, 2, 3, 4 }) {
            int sum = 0, last = total;
            for (int round = 0; round < rounds; ++round) {
                const int part = cli_cells_share(total, rounds, round);
                EXPECT_LE(part, last);
                EXPECT_GE(part, total / rounds);
                sum += last = part;
            }
            EXPECT_EQ(sum, total);
        }
}

// ---- times ----

struct Samples {
    ~Samples() { cli_samples_release(&all); }
    Samples &add(int what, int round, double milliseconds)
    {
        EXPECT_OK(cli_samples_add(&all, { round, what, 0, milliseconds * 1e-3 }));
        return *this;
    }
    cli_bench_summary summary(int what)
    {
        cli_bench_summary s;
        EXPECT_OK(cli_samples_summarise(&all, what, &s));
        return s;
    }
    cli_samples all = {};
};

// 1, 2, ... n milliseconds, from the middle outwards.
void count_up(Samples &samples, int n)
{
    for (int i = 0; i < n; ++i) samples.add(0, 0, (i * 7) % n + 1);
}

TEST(BenchTimes, APercentileNeedsSoManyRunsThatOneLiesBeyondIt)
{
    const struct {
        int runs, shown;
    } cases[] = { { 1, 1 }, { 9, 1 }, { 10, 2 }, { 19, 2 }, { 20, 3 }, { 99, 3 }, { 100, 4 } };
    for (const auto &c : cases) {
        Samples samples;
        count_up(samples, c.runs);
        const cli_bench_summary s = samples.summary(0);
        EXPECT_EQ(s.count, std::size_t(c.runs));
        for (int i = 0; i < CLI_PERCENTILES; ++i) EXPECT_EQ(std::isnan(s.percentile[i]), i >= c.shown) << c.runs;
    }
}

TEST(BenchTimes, PercentilesLieBetweenTheNearestTwo)
{
    Samples samples;
    for (int i = 1; i <= 100; ++i) samples.add(1, 0, (i * 37) % 101);
    samples.add(0, 0, 1000);
    const cli_bench_summary s = samples.summary(1);
    EXPECT_DOUBLE_EQ(s.min, 1);
    EXPECT_DOUBLE_EQ(s.mean, 50.5);
    const double expected[CLI_PERCENTILES] = { 50.5, 90.1, 95.05, 99.01 };
    for (int i = 0; i < CLI_PERCENTILES; ++i) EXPECT_NEAR(s.percentile[i], expected[i], 1e-9);
    EXPECT_EQ(samples.summary(7).count, 0u);
}

TEST(BenchTimes, RatesAreOfOneKindAndOneRound)
{
    Samples samples;
    samples.add(0, 0, 10).add(0, 0, 30).add(0, 1, 5).add(2, 0, 1);
    EXPECT_DOUBLE_EQ(cli_samples_per_second(&samples.all, 0, 0), 50);
    EXPECT_DOUBLE_EQ(cli_samples_per_second(&samples.all, 0, 1), 200);
    EXPECT_DOUBLE_EQ(cli_samples_per_second(&samples.all, 0, 2), 0);
    EXPECT_EQ(cli_samples_count(&samples.all, 0), 3u);
}

TEST(BenchTimes, MemoryMayRunOut)
{
    Samples samples;
    samples.add(0, 0, 1);
    cli_bench_summary s;
    trib_fault_arm(1, false);
    EXPECT_EQ(cli_samples_summarise(&samples.all, 0, &s).code, TRIB_OUT_OF_MEMORY);
    trib_fault_disarm();
    EXPECT_EQ(s.count, 0u);
    cli_samples none = {};
    trib_fault_arm(1, false);
    EXPECT_EQ(cli_samples_add(&none, {}).code, TRIB_OUT_OF_MEMORY);
    trib_fault_disarm();
    cli_samples_release(&none);
}

// Rounds in which the machine was three times as slow for both say the same as the others.
TEST(BenchRatios, AreTakenWithinARound)
{
    double a[] = { 110, 33, 0, 120, 90 };
    const double b[] = { 100, 30, 50, 100, 0 };
    const cli_spread s = cli_ratio_of(a, b, 5);
    EXPECT_EQ(s.count, 3);
    EXPECT_DOUBLE_EQ(s.median, 1.1);
    EXPECT_DOUBLE_EQ(s.min, 1.1);
    EXPECT_DOUBLE_EQ(s.max, 1.2);
    double two[] = { 3, 1 }, none[] = { 0 };
    EXPECT_DOUBLE_EQ(cli_spread_of(two, 2).median, 2);
    EXPECT_EQ(cli_ratio_of(none, b, 1).count, 0);
}

// ---- layers ----

// A small network on the CPU, whose ops are timed.
struct Session {
    Session()
    {
        trib_network_spec net = {};
        net.network = trib_network_find("bvlc");
        net.classes = 3;
        net.height = net.width = 32;
        net.width_multiplier = 0.05;
        EXPECT_OK(trib_model_random(&net, 1, &model));
        EXPECT_OK(trib_device_open("cpu", nullptr, &device));
        EXPECT_OK(cli_layers_begin(&layers, 2));
        trib_session_options o = trib_session_default_options();
        o.timeline = layers.timeline;
        EXPECT_OK(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &o, &session));
    }
    ~Session()
    {
        trib_session_destroy(session);
        cli_layers_release(&layers);
        trib_device_close(device);
        trib_model_destroy(model);
    }
    void run()
    {
        std::vector<float> x(3 * 32 * 32, 0.5f), y(3);
        void *outputs[] = { y.data() };
        ASSERT_OK(trib_session_run(session, x.data(), 1, outputs));
    }
    trib_model *model = nullptr;
    trib_device *device = nullptr;
    trib_session *session = nullptr;
    cli_layers layers = {};
};

TEST(BenchLayers, HaveTheTimesOfAllRunsButThoseThatWarmUp)
{
    Session s;
    s.run();
    cli_layers_pass(&s.layers);
    const trib_plan *plan = trib_session_plan(s.session);
    for (int i = 0; i < 3; ++i) {
        s.run();
        ASSERT_OK(cli_layers_take(&s.layers, plan));
    }
    ASSERT_OK(cli_layers_take(&s.layers, plan)); // nothing new
    EXPECT_EQ(s.layers.runs, 3u);
    ASSERT_EQ(s.layers.op_count, plan->op_count);
    EXPECT_EQ(s.layers.images, 1);
    double last = -1;
    for (int i = 0; i < plan->op_count; ++i) {
        cli_layer_times t;
        ASSERT_OK(cli_layers_times(&s.layers, i, &t));
        EXPECT_STREQ(s.layers.ops[i].name, plan->ops[i].name);
        EXPECT_LE(t.min, t.median);
        EXPECT_LE(t.median, t.max);
        if (!plan->ops[i].implementation) continue;
        EXPECT_GT(t.start, last) << "on one stream, one after another";
        last = t.start;
    }
}

TEST(BenchLayers, MemoryMayRunOut)
{
    Session s;
    const trib_plan *plan = trib_session_plan(s.session);
    s.run();
    for (int k = 1;; ++k) {
        trib_fault_arm(k, false);
        const trib_status status = cli_layers_take(&s.layers, plan);
        const std::int64_t seen = trib_fault_disarm();
        EXPECT_EQ(status.code, seen >= k ? TRIB_OUT_OF_MEMORY : TRIB_OK);
        if (seen < k) break;
    }
    EXPECT_EQ(s.layers.runs, 1u);
    cli_layer_times t;
    trib_fault_arm(1, false);
    EXPECT_EQ(cli_layers_times(&s.layers, 0, &t).code, TRIB_OUT_OF_MEMORY);
    trib_fault_disarm();
    cli_layers none;
    trib_fault_arm(1, false);
    EXPECT_EQ(cli_layers_begin(&none, 1).code, TRIB_OUT_OF_MEMORY);
    trib_fault_disarm();
    cli_layers_release(&none);
}

} // namespace
