// SPDX-License-Identifier: Apache-2.0
// The search for the fastest schedule: its space and statistics, then the whole on made-up costs, with a clock and
// noise of the test's own, and at last on a device. Real speed decides nothing here.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "runtime/nets.h"
#include "runtime/trained.h"
#include "support/form.h"

extern "C" {
#include "plan/stages.h"
#include "tributary/internal/alloc.h"
#include "tune/pairs.h"
#include "tune/search.h"
#include "tune/space.h"
}

namespace
{

struct FreeSpace {
    void operator()(trib_space *s) const { trib_space_destroy(s); }
};
using Space = std::unique_ptr<trib_space, FreeSpace>;

Space space_of(const std::vector<int> &lengths)
{
    trib_space *s = nullptr;
    EXPECT_OK(trib_space_create(lengths.data(), int(lengths.size()), &s));
    return Space(s);
}

// All paths of a space, by brute force.
void each_path(const trib_space *s, const std::function<void(const trib_path &)> &use)
{
    trib_path path = {};
    std::function<void(int)> go = [&](int set) {
        if (set == s->set_count - 1) return use(path);
        for (int i = 0; i < s->step_count; ++i) {
            if (s->steps[i].from != set) continue;
            path.stages[path.count++] = s->steps[i].stage;
            go(s->steps[i].to);
            --path.count;
        }
    };
    go(0);
}

double cost_of(const trib_path &path, const std::vector<double> &cost)
{
    double sum = 0;
    for (int i = 0; i < path.count; ++i) sum += cost[std::size_t(path.stages[i])];
    return sum;
}

std::vector<double> any_costs(const trib_space *s, std::uint64_t seed)
{
    std::vector<double> cost;
    for (int i = 0; i < s->stage_count; ++i) cost.push_back(0.1 + trib_uniform("cost", seed, std::uint64_t(i)));
    return cost;
}

// ---- the space ----

TEST(TuneSpace, IsAsLargeAsCounted)
{
    struct Counts {
        std::vector<int> lengths;
        int sets, steps, stages;
    };
    const Counts all[] = { { { 1, 2, 2, 2 }, 54, 594, 127 },   { { 1, 2, 2, 1 }, 36, 288, 63 },
                           { { 1, 2, 3, 2 }, 72, 1008, 223 },  { { 1, 3, 1 }, 16, 74, 27 },
                           { { 1, 3, 5, 2 }, 144, 3636, 895 }, { { 2, 4, 1 }, 30, 240, 87 } };
    for (const Counts &c : all) {
        Space s = space_of(c.lengths);
        ASSERT_TRUE(s);
        EXPECT_EQ(s->set_count, c.sets);
        EXPECT_EQ(s->step_count, c.steps);
        EXPECT_EQ(s->stage_count, c.stages);
    }
    int paths = 0;
    each_path(space_of({ 1, 2, 2, 2 }).get(), [&](const trib_path &) { ++paths; });
    EXPECT_EQ(paths, 7880);
}

TEST(TuneSpace, TooLargeOnesAreRefused)
{
    trib_space *s = nullptr;
    for (const std::vector<int> &lengths : { std::vector<int> { 10 }, std::vector<int>(17, 1),
                                             std::vector<int> { 5, 5, 5, 5, 5 }, std::vector<int>(14, 1) })
        EXPECT_FAILS(trib_space_create(lengths.data(), int(lengths.size()), &s), TRIB_UNSUPPORTED, "too many stages");
    EXPECT_EQ(s, nullptr);
}

TEST(TuneSpace, TheBestPathIsTheBestOfAllPaths)
{
    Space s = space_of({ 1, 2, 2, 2 });
    for (std::uint64_t seed = 1; seed <= support::by_form<std::uint64_t>(3, 30); ++seed) {
        const std::vector<double> cost = any_costs(s.get(), seed);
        double best = INFINITY;
        each_path(s.get(), [&](const trib_path &path) { best = std::min(best, cost_of(path, cost)); });
        trib_path found = {};
        const double claimed = trib_space_best(s.get(), cost.data(), &found);
        EXPECT_NEAR(claimed, best, 1e-12);
        EXPECT_NEAR(cost_of(found, cost), best, 1e-12);
        std::vector<bool> near(std::size_t(s->stage_count));
        each_path(s.get(), [&](const trib_path &path) {
            if (cost_of(path, cost) > 1.05 * best) return;
            for (int i = 0; i < path.count; ++i) near[std::size_t(path.stages[i])] = true;
        });
        std::unique_ptr<bool[]> marked(new bool[std::size_t(s->stage_count)]);
        trib_space_near(s.get(), cost.data(), 0.05, marked.get());
        for (int i = 0; i < s->stage_count; ++i) EXPECT_EQ(marked[std::size_t(i)], near[std::size_t(i)]) << i;
    }
}

TEST(TuneSpace, StagesThatAreNotKnownAreOnNoPath)
{
    Space s = space_of({ 1, 2 });
    std::vector<double> cost(std::size_t(s->stage_count), INFINITY);
    trib_path path = {};
    EXPECT_EQ(trib_space_best(s.get(), cost.data(), &path), INFINITY);
    trib_space_serial(s.get(), &path);
    ASSERT_EQ(path.count, 3);
    for (int i = 0; i < 3; ++i) cost[std::size_t(path.stages[i])] = 1;
    EXPECT_EQ(trib_space_best(s.get(), cost.data(), &path), 3);
    char text[TRIB_SPACE_TEXT];
    trib_space_serial(s.get(), &path);
    trib_space_text(s.get(), &path, false, text);
    EXPECT_STREQ(text, "10-01-01");
    trib_space_text(s.get(), &path, true, text);
    EXPECT_STREQ(text, "10/01/01");
    EXPECT_EQ(trib_space_width(s.get(), path.stages[0]), 1);
}

// ---- pairs ----

TEST(TunePairs, IntervalsAreOrderStatistics)
{
    auto ratio = [](int n) {
        std::vector<double> r(static_cast<std::size_t>(n));
        std::iota(r.rbegin(), r.rend(), 1.0);
        return trib_ratio_of(r.data(), n);
    };
    EXPECT_EQ(ratio(12).low, 3);
    EXPECT_EQ(ratio(12).high, 10);
    EXPECT_EQ(ratio(12).ratio, 6.5);
    EXPECT_EQ(ratio(20).low, 6);
    EXPECT_EQ(ratio(20).high, 15);
    EXPECT_EQ(ratio(6).low, 1);
    EXPECT_EQ(ratio(6).high, 6);
    for (int n = 0; n < 6; ++n) {
        EXPECT_EQ(ratio(n).high, INFINITY) << n;
        const trib_ratio r = ratio(n);
        EXPECT_FALSE(trib_is_faster(&r));
    }
    for (double bad : { double(NAN), double(INFINITY), 0.0, -1.0 }) {
        std::vector<double> r(12, 0.5);
        r[7] = bad;
        const trib_ratio all = trib_ratio_of(r.data(), 12);
        EXPECT_FALSE(trib_is_faster(&all)) << bad;
    }
}

// The median lies outside in at most 5 % of cases, whatever the distribution: here one with a long tail.
TEST(TunePairs, IntervalsHoldTheMedian)
{
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> noise(0, 0.3);
    int outside = 0, cases = 4000;
    for (int i = 0; i < cases; ++i) {
        std::vector<double> r(20);
        for (double &x : r) x = noise(random);
        const trib_ratio all = trib_ratio_of(r.data(), 20);
        outside += all.low > 1 || all.high < 1;
    }
    EXPECT_LT(outside, cases * 0.055);
    EXPECT_GT(outside, cases * 0.025);
}

// ---- the search, on costs of our own ----

// Modules of GoogLeNet's form. A stage takes what the test says, a barrier-free schedule as long as with barriers, and
// every run has noise. Time passes with each run.
struct Fake {
    std::vector<Space> spaces;
    std::vector<trib_tune_window> windows;
    std::vector<std::string> names;
    std::vector<const char *> forks;
    std::vector<int> parents;
    std::vector<trib_tune_setting> settings;
    std::vector<std::vector<double>> cost; // of each window's stages
    double trunk = 1, noise = 0, branches = 1, setting_cost[4] = { 1, 1, 1, 1 }, clock = 0, opening = 0;
    int failing_open = -1, opens = 0, open_now = 0, stop_after = 1 << 30, runs = 0;
    trib_code failure = TRIB_INTERNAL;
    std::mt19937_64 random { 7 };
    trib_tune_measurer measurer {};
    trib_search search {};
    trib_tuned &tuned = *static_cast<trib_tuned *>(trib_alloc_zeroed(1, sizeof(trib_tuned)));

    Fake(int modules, bool training)
    {
        for (int f = 0; f < modules; ++f) names.push_back("module_" + std::to_string(f));
        for (int f = 0; f < modules; ++f) {
            forks.push_back(names[std::size_t(f)].c_str());
            parents.push_back(-1);
            for (int backward = 0; backward < 1 + training; ++backward) {
                spaces.push_back(space_of({ 1, 2, 2, 2 }));
                windows.push_back({ f, backward != 0, spaces.back().get() });
                // One layer after the other, and all at once, take the same.
                std::vector<double> all(std::size_t(spaces.back()->stage_count));
                for (std::size_t i = 0; i < all.size(); ++i) all[i] = layers_in(spaces.back()->stages[i]);
                cost.push_back(all);
            }
        }
        trib_tune_setting one = {};
        one.staged = true;
        settings.push_back(one);
        measurer = { open, run, close, now, this };
        search.measurer = &measurer;
        search.fork_count = modules;
        search.forks = forks.data();
        search.parents = parents.data();
        search.window_count = int(windows.size());
        search.windows = windows.data();
        search.how.seconds = 1e9;
        search.how.stopped = [](void *f) { return static_cast<Fake *>(f)->runs >= static_cast<Fake *>(f)->stop_after; };
        search.how.context = this;
    }
    ~Fake()
    {
        EXPECT_EQ(open_now, 0);
        trib_tuned_destroy(&tuned);
    }
    static int layers_in(std::uint32_t stage)
    {
        int count = 0;
        for (; stage; stage &= stage - 1) ++count;
        return count;
    }
    trib_status go()
    {
        search.setting_count = int(settings.size());
        search.settings = settings.data();
        return trib_search_run(&search, &tuned);
    }
    double jitter() { return noise > 0 ? std::lognormal_distribution<double>(0, noise)(random) : 1; }

    // What a run of this way takes, without noise.
    struct Runner {
        double factor;
        std::vector<std::vector<double>> stages;
    };
    Runner *make(const trib_way *way)
    {
        Runner *r = new Runner { 1, {} };
        for (std::size_t i = 0; i < settings.size(); ++i)
            if (settings[i].lanes == way->setting.lanes) r->factor = setting_cost[i];
        for (std::size_t w = 0; w < windows.size(); ++w) {
            const trib_space *space = windows[w].space;
            const char *word = way->words[windows[w].fork];
            std::vector<double> times;
            trib_stages s;
            if (!*word)
                times.push_back(way->all == TRIB_SERIAL ? 7 : 7 * branches);
            else if (trib_stages_read(word, windows[w].backward, &s))
                for (std::uint32_t done[4] = {}, i = 0; int(i) < s.count; ++i) {
                    std::uint32_t mask = 0;
                    const int first[] = { 0, 1, 3, 5 };
                    for (int b = 0; b < 4; ++b)
                        for (int k = 0; k < s.layers[i][b]; ++k) mask |= 1u << (first[b] + int(done[b]++));
                    const std::uint32_t *at = std::find(space->stages, space->stages + space->stage_count, mask);
                    EXPECT_NE(at, space->stages + space->stage_count) << word;
                    times.push_back(cost[w][std::size_t(at - space->stages)]);
                }
            else
                ADD_FAILURE() << word;
            r->stages.push_back(times);
        }
        return r;
    }
    static trib_status open(void *context, const trib_way *way, bool, void **out)
    {
        Fake *f = static_cast<Fake *>(context);
        if (f->opens++ == f->failing_open) return TRIB_ERROR(f->failure, "cannot be had");
        f->clock += f->opening;
        ++f->open_now;
        *out = f->make(way);
        return trib_success();
    }
    static trib_status run(void *context, void *opened, trib_tune_times *times)
    {
        Fake *f = static_cast<Fake *>(context);
        const Runner *r = static_cast<Runner *>(opened);
        double sum = f->trunk * f->jitter();
        for (std::size_t w = 0; w < r->stages.size(); ++w) {
            times->windows[w] = 0;
            for (std::size_t i = 0; i < r->stages[w].size(); ++i)
                times->windows[w] += times->stages[w][i] = r->stages[w][i] * r->factor * f->jitter();
            sum += times->windows[w];
        }
        times->network = sum;
        f->clock += sum;
        ++f->runs;
        return trib_success();
    }
    static void close(void *context, void *opened)
    {
        --static_cast<Fake *>(context)->open_now;
        delete static_cast<Runner *>(opened);
    }
    static double now(void *context) { return static_cast<Fake *>(context)->clock; }

    std::string word(const std::string &fork) const
    {
        for (int i = 0; i < tuned.fork_count; ++i)
            if (fork == tuned.forks[i].fork) return tuned.forks[i].stages ? tuned.forks[i].stages : "fixed";
        return "";
    }
    // Of the schedule that was chosen, for one window.
    double chosen_cost(std::size_t w)
    {
        trib_way way = {};
        EXPECT_OK(trib_way_create(search.fork_count, &way));
        way.all = tuned.schedule;
        for (int f = 0; f < search.fork_count; ++f) {
            const std::string text = word(names[std::size_t(f)]);
            std::copy(text.begin(), text.end(), way.words[f]);
        }
        Runner *r = make(&way);
        const double sum = std::accumulate(r->stages[w].begin(), r->stages[w].end(), 0.0);
        delete r;
        trib_way_release(&way);
        return sum;
    }
};

// Random costs, no noise: the optimum of every window, where it gains.
TEST(TuneSearch, FindsTheOptimum)
{
    for (bool training : { false, true })
        for (std::uint64_t seed = 1; seed <= support::by_form<std::uint64_t>(4, 40); ++seed) {
            Fake fake(2, training);
            for (std::size_t w = 0; w < fake.windows.size(); ++w)
                for (std::size_t i = 0; i < fake.cost[w].size(); ++i)
                    if (Fake::layers_in(fake.windows[w].space->stages[i]) > 1)
                        fake.cost[w][i] *= 0.6 + trib_uniform("stage", seed + 100 * w, i);
            ASSERT_OK(fake.go());
            for (std::size_t w = 0; w < fake.windows.size(); ++w) {
                trib_path path = {};
                const double best = trib_space_best(fake.windows[w].space, fake.cost[w].data(), &path);
                EXPECT_NEAR(fake.chosen_cost(w), best, 1e-9) << "seed " << seed << ", window " << w;
            }
            ASSERT_GT(fake.tuned.verdict_count, 0);
            const trib_tune_verdict &last = fake.tuned.verdicts[fake.tuned.verdict_count - 1];
            EXPECT_STREQ(last.what, "stages");
            EXPECT_TRUE(last.taken);
            EXPECT_TRUE(fake.tuned.complete);
            EXPECT_GE(fake.tuned.runs, 127);
        }
}

// Nothing is faster: with whatever noise, serial stays.
TEST(TuneSearch, TiesGoToSerial)
{
    for (double noise : { 0.0, 0.02, 0.1, 0.4 })
        for (std::uint64_t seed = 1; seed <= support::by_form<std::uint64_t>(10, 200); ++seed) {
            Fake fake(3, false);
            fake.noise = noise;
            fake.random.seed(seed);
            ASSERT_OK(fake.go());
            EXPECT_EQ(fake.tuned.schedule, TRIB_SERIAL) << noise << " " << seed;
            EXPECT_EQ(fake.tuned.fork_count, 0) << noise << " " << seed;
        }
}

// Half a percent is less than what counts.
TEST(TuneSearch, SmallGainsAreNotTaken)
{
    Fake fake(2, false);
    for (double &c : fake.cost[0]) c *= 0.995;
    fake.branches = 0.995;
    ASSERT_OK(fake.go());
    EXPECT_EQ(fake.tuned.schedule, TRIB_SERIAL);
    EXPECT_EQ(fake.tuned.fork_count, 0);
    EXPECT_NE(std::string(fake.tuned.note), "");
}

TEST(TuneSearch, AFasterFixedScheduleIsTaken)
{
    Fake fake(2, false);
    fake.branches = 0.8;
    fake.noise = 0.02;
    for (auto &window : fake.cost)
        for (std::size_t i = 0; i < window.size(); ++i)
            if (fake.windows[0].space->stages[i] == 127) window[i] = 7 * 0.8; // all at once
    ASSERT_OK(fake.go());
    EXPECT_NE(fake.tuned.schedule, TRIB_SERIAL);
    EXPECT_EQ(fake.tuned.fork_count, 0); // no stages are faster than that
    bool taken = false;
    for (int i = 0; i < fake.tuned.verdict_count; ++i) taken |= fake.tuned.verdicts[i].taken;
    EXPECT_TRUE(taken);
}

// Of one module only: the other keeps what the network has.
TEST(TuneSearch, ModulesAreJudgedOneByOne)
{
    Fake fake(3, false);
    fake.noise = 0.02;
    for (std::size_t i = 0; i < fake.cost[1].size(); ++i)
        if (Fake::layers_in(fake.windows[1].space->stages[i]) > 1) fake.cost[1][i] *= 0.6;
    ASSERT_OK(fake.go());
    EXPECT_EQ(fake.word("module_0"), "");
    EXPECT_NE(fake.word("module_1"), "");
    EXPECT_EQ(fake.word("module_2"), "");
    EXPECT_NEAR(fake.chosen_cost(1), 0.6 * 7, 0.5);
}

TEST(TuneSearch, LanesAreChosenInPairsToo)
{
    Fake fake(1, false);
    fake.settings.clear();
    for (int lanes : { 2, 1 }) {
        trib_tune_setting s = {};
        s.lanes = lanes, s.chunk = 4, s.threads = 2 / lanes, s.staged = lanes == 1;
        std::snprintf(s.name, sizeof s.name, "%d lanes", lanes);
        fake.settings.push_back(s);
    }
    fake.setting_cost[1] = 0.7;
    ASSERT_OK(fake.go());
    EXPECT_EQ(fake.tuned.lanes, 1);
    EXPECT_EQ(fake.tuned.threads, 2);
    Fake slower(1, false);
    slower.settings = fake.settings;
    slower.setting_cost[1] = 2;
    ASSERT_OK(slower.go());
    EXPECT_EQ(slower.tuned.lanes, 2);
    EXPECT_NE(std::string(slower.tuned.note).find("a lane has one thread"), std::string::npos);
}

// At any moment: what is left is a valid choice, and all runners are closed.
TEST(TuneSearch, MayBeStoppedAndMayFailAtAnyMoment)
{
    for (int after = 0; after < 400; after += support::by_form(13, 1)) {
        Fake fake(2, true);
        fake.stop_after = after;
        ASSERT_OK(fake.go());
        EXPECT_EQ(fake.tuned.fork_count, 0);
        EXPECT_FALSE(fake.tuned.complete && after < 30);
    }
    for (int k = 0; k < 60; k += support::by_form(7, 1)) {
        Fake fake(2, false);
        for (double &c : fake.cost[0]) c *= 0.7;
        fake.failing_open = k;
        EXPECT_FAILS(fake.go(), TRIB_INTERNAL, "cannot be had");
    }
}

// A schedule that the device cannot do, or that memory is short for, is passed over.
TEST(TuneSearch, WhatCannotBeHadIsPassedOver)
{
    Fake fake(1, false);
    fake.failing_open = 1;
    fake.failure = TRIB_OUT_OF_MEMORY;
    EXPECT_OK(fake.go());
}

// Time by the measurer's clock: what is in progress is finished, and nothing else begins.
TEST(TuneSearch, EndsWhenTimeIsUp)
{
    for (double seconds : { 0.001, 100.0, 1000.0, 3000.0 }) {
        Fake fake(2, false);
        for (double &c : fake.cost[0]) c *= 0.7;
        fake.search.how.seconds = seconds;
        ASSERT_OK(fake.go());
        EXPECT_LT(fake.clock, seconds + 30 * 20);
        EXPECT_EQ(fake.tuned.seconds, fake.clock);
    }
}

} // namespace
