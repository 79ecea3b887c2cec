// SPDX-License-Identifier: Apache-2.0
// A schedule per fork: which fork has which, its effect on streams, and that results do not depend on it.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "runtime/nets.h"

namespace
{

using nets::Plan;

// Points to `forks`, which lives to the end of the expression it stands in.
trib_plan_options options(trib_schedule all, const std::vector<trib_fork_schedule> &forks)
{
    trib_plan_options o = trib_plan_default_options();
    o.schedule = all;
    o.fork_schedules = forks.data();
    o.fork_schedule_count = int(forks.size());
    return o;
}

int stream_of(const trib_plan *p, const std::string &name)
{
    for (int i = 0; i < p->op_count; ++i)
        if (name == p->ops[i].name) return p->ops[i].stream;
    return -1;
}

std::string schedule_text(const trib_plan *p)
{
    char text[512];
    EXPECT_LT(trib_plan_schedule_text(p, text, sizeof text), sizeof text);
    return text;
}

std::string json(const trib_plan *p)
{
    char *text = nullptr;
    std::size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    EXPECT_OK(trib_plan_print_json(p, out));
    std::fclose(out);
    std::string all(text, size);
    std::free(text);
    return all;
}

TEST(Schedules, HaveNames)
{
    for (int i = 0; i < TRIB_SCHEDULE_COUNT; ++i)
        EXPECT_EQ(trib_schedule_find(trib_schedule_name(trib_schedule(i))), i);
    EXPECT_EQ(trib_schedule_find("figure"), -1);
}

TEST(Schedules, EachForkHasItsOwn)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    Plan p = nets::plan(
        graph.get(), device.get(),
        options(TRIB_BRANCHES, { { "inception_3a", TRIB_SERIAL, nullptr }, { "inception_4b", TRIB_FUSED, nullptr } }));
    ASSERT_TRUE(p);
    ASSERT_EQ(p->fork_count, 9);
    EXPECT_EQ(p->forks[0].schedule, TRIB_SERIAL);
    EXPECT_EQ(p->forks[1].schedule, TRIB_BRANCHES);
    EXPECT_EQ(p->forks[3].schedule, TRIB_FUSED);
    EXPECT_EQ(stream_of(p.get(), "inception_3a/pool_proj"), 0);
    EXPECT_EQ(stream_of(p.get(), "inception_3b/pool_proj"), 3);
    EXPECT_EQ(stream_of(p.get(), "inception_3b/1x1"), 0);
    EXPECT_EQ(stream_of(p.get(), "inception_4b/1x1"), 1); // fused: the branch with most work stays
    EXPECT_EQ(stream_of(p.get(), "inception_4b/3x3"), 0);
    EXPECT_EQ(schedule_text(p.get()), "branches,inception_3a=serial,inception_4b=fused");
    EXPECT_NE(json(p.get()).find("{\"name\": \"inception_4b\", \"parent\": -1, \"schedule\": \"fused\"}"),
              std::string::npos);
}

TEST(Schedules, PatternsNameSeveralForksAndTheLastCounts)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    Plan p = nets::plan(graph.get(), device.get(),
                        options(TRIB_SERIAL, { { "inception_4*", TRIB_BRANCHES, nullptr },
                                               { "inception_4[cd]", TRIB_FUSED, nullptr } }));
    ASSERT_TRUE(p);
    EXPECT_EQ(schedule_text(p.get()), "serial,inception_4a=branches,inception_4b=branches,inception_4c=fused,"
                                      "inception_4d=fused,inception_4e=branches");
    // Its own words make the same plan; with another schedule anywhere it is another plan.
    Plan same = nets::plan(graph.get(), device.get(),
                           options(TRIB_SERIAL, { { "inception_4?", TRIB_BRANCHES, nullptr },
                                                  { "inception_4c", TRIB_FUSED, nullptr },
                                                  { "inception_4d", TRIB_FUSED, nullptr } }));
    Plan other =
        nets::plan(graph.get(), device.get(), options(TRIB_SERIAL, { { "inception_4*", TRIB_BRANCHES, nullptr } }));
    Plan named = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES, { { "*", TRIB_SERIAL, nullptr } }));
    Plan serial = nets::plan(graph.get(), device.get(), options(TRIB_SERIAL, {}));
    ASSERT_TRUE(same && other && named && serial);
    EXPECT_TRUE(trib_plan_equal(p.get(), same.get()));
    EXPECT_FALSE(trib_plan_equal(p.get(), other.get()));
    EXPECT_EQ(named->stream_count, 1);
    EXPECT_EQ(named->event_count, 0);
    EXPECT_FALSE(trib_plan_equal(named.get(), serial.get())); // it says what it was asked for
}

// The text may be longer than what it is written to.
TEST(Schedules, TextIsCutWhereItDoesNotFit)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    Plan p = nets::plan(graph.get(), device.get(), options(TRIB_SERIAL, { { "*", TRIB_FUSED, nullptr } }));
    ASSERT_TRUE(p);
    const std::size_t whole = schedule_text(p.get()).size();
    for (std::size_t size = 0; size <= whole + 1; ++size) {
        std::vector<char> text(size + 1, '#');
        EXPECT_EQ(trib_plan_schedule_text(p.get(), text.data(), size), whole);
        EXPECT_EQ(text[size], '#');
        if (size) {
            EXPECT_EQ(std::strlen(text.data()), std::min(size - 1, whole));
        }
    }
}

TEST(Schedules, UnknownForksAndSchedulesAreRefused)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    trib_plan *made = nullptr;
    auto refuse = [&](const trib_plan_options &o, trib_code code, const char *message) {
        EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &made), code, message);
    };
    refuse(options(TRIB_SERIAL, { { "inception_3c", TRIB_FUSED, nullptr } }), TRIB_NOT_FOUND,
           "there is no fork 'inception_3c'; there are inception_3a, inception_3b, inception_4a");
    refuse(options(TRIB_SERIAL, { { "*", TRIB_FUSED, nullptr }, { "6*", TRIB_FUSED, nullptr } }), TRIB_NOT_FOUND,
           "no fork '6*'");
    refuse(options(TRIB_SERIAL, { { nullptr, TRIB_FUSED, nullptr } }), TRIB_INVALID_ARGUMENT, "needs the fork's name");
    trib_fork_schedule wrong { "*", TRIB_SERIAL, nullptr };
    const int no_schedule = 7;
    std::memcpy(&wrong.schedule, &no_schedule, sizeof wrong.schedule);
    refuse(options(TRIB_SERIAL, { wrong }), TRIB_INVALID_ARGUMENT, "schedule 7");
    trib_plan_options o = options(TRIB_SERIAL, {});
    o.fork_schedule_count = -1;
    refuse(o, TRIB_INVALID_ARGUMENT, "-1 schedules");
    o.fork_schedule_count = 1;
    o.fork_schedules = nullptr;
    refuse(o, TRIB_INVALID_ARGUMENT, "no list");
    EXPECT_EQ(made, nullptr);
}

TEST(Schedules, ManyForksAreListedAsFarAsTheMessageGoes)
{
    trib_graph_builder *b = trib_graph_begin("many");
    int x = trib_add_input(b, "input", 8, 6, 6);
    for (int i = 0; i < 60; ++i) {
        const std::string name = "module" + std::to_string(i);
        trib_fork fork = trib_fork_open(b, name.c_str(), x);
        trib_fork_branch(&fork);
        trib_lrn lrn { 5, 1e-4f, 0.75f, 1 };
        const int end = trib_add_lrn(b, (name + "/norm").c_str(), x, &lrn);
        x = trib_fork_join_concat(&fork, (name + "/output").c_str(), &end, 1);
    }
    trib_graph_mark_output(b, "y", x);
    trib_graph *graph = nullptr;
    ASSERT_OK(trib_graph_finish(b, &graph));
    nets::Graph owner(graph);
    auto device = nets::cpu();
    trib_plan *made = nullptr;
    const std::vector<trib_fork_schedule> none = { { "none", TRIB_FUSED, nullptr } };
    trib_plan_options o = options(TRIB_SERIAL, none);
    EXPECT_FAILS(trib_plan_create(graph, device.get(), &o, &made), TRIB_NOT_FOUND, "module0, module1, ");
    EXPECT_FAILS(trib_plan_create(graph, device.get(), &o, &made), TRIB_NOT_FOUND, "...");
}

std::vector<float> logits(const trib_graph *graph, trib_device *device, trib_plan_options plan, trib_launch launch)
{
    trib_session_options o = trib_session_default_options();
    o.plan = plan;
    o.max_batch = o.plan.batch = 2;
    o.lanes = 1;
    o.launch = launch;
    nets::Session session = nets::session(graph, device, o);
    std::vector<float> x = nets::input_for(graph, 2), y(2 * 10, NAN);
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(session.get(), x.data(), 2, outputs));
    return y;
}

TEST(Schedules, MixedOnesGiveTheBitsOfSerial)
{
    auto device = nets::cpu();
    auto graph = nets::little_googlenet(3, 16);
    const std::vector<float> serial = logits(graph.get(), device.get(), options(TRIB_SERIAL, {}), TRIB_EAGER);
    for (float value : serial) ASSERT_TRUE(std::isfinite(value));
    for (std::uint64_t seed = 1; seed <= 10; ++seed)
        for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
            nets::Schedules schedules(graph.get(), seed);
            EXPECT_EQ(logits(graph.get(), device.get(), schedules.options(), launch), serial) << seed;
        }
}

} // namespace
