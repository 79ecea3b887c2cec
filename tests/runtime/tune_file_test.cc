// SPDX-License-Identifier: Apache-2.0
// Schedules in a file, and the search on the cpu: with so little time that nothing depends on its speed.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "runtime/nets.h"
#include "runtime/trained.h"
#include "support/form.h"
#include "tributary/internal/fault.h"
#include "tributary/tune.h"

extern "C" {
#include "tributary/internal/alloc.h"
#include "tune/key.h"
}

namespace
{

struct FreeTuned {
    void operator()(trib_tuned *t) const { trib_tuned_destroy(t); }
};
using Tuned = std::unique_ptr<trib_tuned, FreeTuned>;

trib_plan_options batch_of(int batch)
{
    trib_plan_options o = trib_plan_default_options();
    o.batch = batch;
    return o;
}

class TuneFile : public ::testing::Test
{
  protected:
    TuneFile() { std::remove(path.c_str()); }
    ~TuneFile() override { std::remove(path.c_str()); }

    // A choice for the network at a batch size, made up.
    Tuned made_up(int batch)
    {
        trib_tuned *t = static_cast<trib_tuned *>(trib_alloc_zeroed(1, sizeof *t));
        const trib_plan_options o = batch_of(batch);
        trib_tune_key(device.get(), graph.get(), &o, TRIB_EAGER, t->key);
        trib_tune_versions(device.get(), t->library, t->device);
        t->schedule = TRIB_BRANCHES;
        t->forks = static_cast<trib_fork_schedule *>(trib_alloc_zeroed(3, sizeof *t->forks));
        t->forks[t->fork_count++] = { "inception_a", TRIB_BRANCHES, "1110/0112:0112-1110" };
        t->forks[t->fork_count++] = { "inception_b", TRIB_FUSED, "1111-0111" };
        t->forks[t->fork_count++] = { "inception_c", TRIB_SERIAL, nullptr };
        t->lanes = 1, t->chunk = batch, t->threads = 2;
        t->seconds = 12.5, t->runs = 100, t->ways = 9, t->complete = true;
        t->verdicts = static_cast<trib_tune_verdict *>(trib_alloc_zeroed(2, sizeof *t->verdicts));
        t->verdicts[t->verdict_count++] = { "", "branches", "serial", { 1.25, 0, INFINITY, 2 }, false };
        t->verdicts[t->verdict_count++] = { "inception_a", "1110-0112", "serial", { 0.9, 0.85, 0.95, 12 }, true };
        return Tuned(t);
    }
    Tuned load(int batch)
    {
        trib_tuned *t = nullptr;
        const trib_plan_options o = batch_of(batch);
        EXPECT_OK(trib_tuned_load(path.c_str(), device.get(), graph.get(), &o, TRIB_EAGER, note, &t));
        return Tuned(t);
    }
    std::string content() const
    {
        std::ifstream in(path, std::ios::binary);
        std::stringstream all;
        all << in.rdbuf();
        return all.str();
    }
    void write(const std::string &text) const { std::ofstream(path, std::ios::binary) << text; }

    std::string path = ::testing::TempDir() + "schedules_" + std::to_string(::getpid());
    nets::Device device = nets::cpu(2);
    nets::Graph graph = nets::little_googlenet(3, 8);
    char note[TRIB_MESSAGE_SIZE] = "";
};

TEST_F(TuneFile, KeepsAllThatIsInAChoice)
{
    ASSERT_OK(trib_tuned_save(made_up(4).get(), path.c_str()));
    ASSERT_OK(trib_tuned_save(made_up(8).get(), path.c_str()));
    for (int batch : { 4, 8 }) {
        Tuned t = load(batch);
        ASSERT_TRUE(t) << note;
        EXPECT_EQ(t->schedule, TRIB_BRANCHES);
        ASSERT_EQ(t->fork_count, 3);
        EXPECT_STREQ(t->forks[0].fork, "inception_a");
        EXPECT_STREQ(t->forks[0].stages, "1110/0112:0112-1110");
        EXPECT_EQ(t->forks[1].schedule, TRIB_FUSED);
        EXPECT_STREQ(t->forks[1].stages, "1111-0111");
        EXPECT_EQ(t->forks[2].stages, nullptr);
        EXPECT_EQ(t->chunk, batch);
        EXPECT_EQ(t->threads, 2);
        EXPECT_NEAR(t->seconds, 12.5, 1e-6);
        EXPECT_TRUE(t->complete);
        ASSERT_EQ(t->verdict_count, 2);
        EXPECT_EQ(t->verdicts[0].ratio.high, INFINITY);
        EXPECT_STREQ(t->verdicts[0].fork, "");
        EXPECT_NEAR(t->verdicts[1].ratio.high, 0.95, 1e-6);
        EXPECT_EQ(t->verdicts[1].ratio.pairs, 12);
        EXPECT_TRUE(t->verdicts[1].taken);
        trib_plan_options o = batch_of(batch);
        trib_tuned_apply(t.get(), &o);
        nets::Plan plan = nets::plan(graph.get(), device.get(), o);
        char text[256];
        trib_plan_schedule_text(plan.get(), text, sizeof text);
        EXPECT_STREQ(text, "branches,inception_a=1110/0112:0112-1110,inception_b=fused:1111-0111,inception_c=serial");
    }
}

TEST_F(TuneFile, HoldsForWhatItWasMeasuredWithOnly)
{
    ASSERT_OK(trib_tuned_save(made_up(4).get(), path.c_str()));
    EXPECT_FALSE(load(5));
    EXPECT_NE(std::string(note).find("batch 5"), std::string::npos) << note;
    trib_tuned *t = nullptr;
    trib_plan_options o = batch_of(4);
    EXPECT_OK(trib_tuned_load(path.c_str(), device.get(), graph.get(), &o, TRIB_GRAPH, note, &t));
    EXPECT_EQ(t, nullptr);
    nets::Graph other = nets::little_googlenet(3, 8, 16);
    EXPECT_OK(trib_tuned_load(path.c_str(), device.get(), other.get(), &o, TRIB_EAGER, note, &t));
    EXPECT_EQ(t, nullptr);
    trib_training training = training::training_of(training::one_loss, 1);
    o.training = &training;
    EXPECT_OK(trib_tuned_load(path.c_str(), device.get(), graph.get(), &o, TRIB_EAGER, note, &t));
    EXPECT_EQ(t, nullptr);
    EXPECT_TRUE(load(4));
}

TEST_F(TuneFile, AMissingOneIsNoFailure)
{
    EXPECT_FALSE(load(4));
    EXPECT_NE(std::string(note), "");
}

// Of other versions or another device.
TEST_F(TuneFile, AForeignOneIsPassedOverAndReplaced)
{
    ASSERT_OK(trib_tuned_save(made_up(4).get(), path.c_str()));
    for (const char *line : { "library: ", "device: " }) {
        std::string text = content();
        text.insert(text.find(line) + std::strlen(line), "other ");
        write(text);
        EXPECT_FALSE(load(4));
        EXPECT_NE(std::string(note).find("made "), std::string::npos) << note;
        ASSERT_OK(trib_tuned_save(made_up(4).get(), path.c_str()));
        EXPECT_TRUE(load(4));
    }
}

TEST_F(TuneFile, AFileOfAnotherKindIsKept)
{
    write("my only copy\n");
    EXPECT_FALSE(load(4));
    EXPECT_FAILS(trib_tuned_save(made_up(4).get(), path.c_str()), TRIB_INVALID_ARGUMENT, "holds something else");
    EXPECT_EQ(content(), "my only copy\n");
}

// Any byte changed, any part missing: it is then as if there were none.
TEST_F(TuneFile, ADamagedOneIsPassedOver)
{
    ASSERT_OK(trib_tuned_save(made_up(4).get(), path.c_str()));
    const std::string good = content();
    for (std::size_t i = 0; i < good.size(); i += support::by_form<std::size_t>(11, 1)) {
        std::string bad = good;
        bad[i] = char(bad[i] ^ 4);
        write(bad);
        EXPECT_FALSE(load(4)) << i;
        write(good.substr(0, i));
        EXPECT_FALSE(load(4)) << i;
    }
    write(good);
    EXPECT_TRUE(load(4));
}

// With a right checksum, too: the text inside is not trusted either.
TEST_F(TuneFile, HostileTextsAreRefused)
{
    Tuned t = made_up(4);
    const char *const stages[] = { "1110-", "", "serial:1", "11\t10", "x" };
    for (const char *text : stages) {
        t->forks[0].stages = text;
        ASSERT_OK(trib_tuned_save(t.get(), path.c_str()));
        EXPECT_FALSE(load(4)) << text;
        EXPECT_NE(std::string(note).find("cannot be read"), std::string::npos) << note;
    }
    t->forks[0].stages = "1110-0112";
    const int counts[] = { -1, 5000 };
    for (int lanes : counts) {
        t->lanes = lanes;
        ASSERT_OK(trib_tuned_save(t.get(), path.c_str()));
        EXPECT_FALSE(load(4)) << lanes;
    }
    t->lanes = 1;
    ASSERT_OK(trib_tuned_save(t.get(), path.c_str()));
    EXPECT_TRUE(load(4));
}

TEST_F(TuneFile, WhatDoesNotFitTheNetworkOrTheDeviceIsPassedOver)
{
    Tuned t = made_up(4);
    auto refuses = [&](const char *reason) {
        ASSERT_OK(trib_tuned_save(t.get(), path.c_str()));
        EXPECT_FALSE(load(4));
        EXPECT_NE(std::string(note).find(reason), std::string::npos) << note;
    };
    t->forks[2].fork = "inception_z";
    refuses("the network has no module 'inception_z'");
    t->forks[2].fork = "inception_c";
    t->forks[0].stages = "11-11";
    refuses("are for 2 branches");
    t->forks[0].stages = nullptr;
    t->threads = 3;
    refuses("lanes of 3 threads, and the device has 2");
}

TEST_F(TuneFile, IsCheckedBeforeASearch)
{
    EXPECT_OK(trib_tuned_check(path.c_str()));
    EXPECT_FALSE(std::ifstream(path).good()); // nothing is left behind
    EXPECT_FAILS(trib_tuned_check((path + "/no/file").c_str()), TRIB_IO_ERROR, "cannot create");
    ASSERT_OK(trib_tuned_save(made_up(4).get(), path.c_str()));
    EXPECT_OK(trib_tuned_check(path.c_str()));
    EXPECT_TRUE(load(4));
    write("my only copy\n");
    EXPECT_FAILS(trib_tuned_check(path.c_str()), TRIB_INVALID_ARGUMENT, "holds something else");
}

TEST_F(TuneFile, EveryFallibleOperationMayFail)
{
    Tuned t = made_up(4);
    for (std::int64_t k = 1;; ++k) {
        trib_fault_arm(k, false);
        trib_status saved = trib_tuned_save(t.get(), path.c_str());
        if (trib_fault_disarm() < k) {
            EXPECT_OK(saved);
            break;
        }
        EXPECT_TRUE(trib_failed(&saved) || saved.code == TRIB_OK) << k;
    }
    for (std::int64_t k = 1;; ++k) {
        trib_tuned *loaded = nullptr;
        const trib_plan_options o = batch_of(4);
        trib_fault_arm(k, false);
        trib_status status = trib_tuned_load(path.c_str(), device.get(), graph.get(), &o, TRIB_EAGER, note, &loaded);
        const bool reached = trib_fault_disarm() >= k;
        Tuned owner(loaded);
        if (!reached) {
            EXPECT_TRUE(loaded);
            break;
        }
        EXPECT_TRUE(trib_failed(&status) || !loaded) << k;
    }
}

// ---- on the cpu ----

struct Watch {
    int said = 0, left = 1 << 30;
};

trib_tune_options in_seconds(double seconds, Watch *watch)
{
    trib_tune_options how = {};
    how.seconds = seconds;
    how.stopped = [](void *w) { return --static_cast<Watch *>(w)->left < 0; };
    how.progress = [](void *w, const char *, double, double) { ++static_cast<Watch *>(w)->said; };
    how.context = watch;
    return how;
}

TEST(Tune, ASessionGetsAScheduleThatGivesTheBitsOfSerial)
{
    nets::Device device = nets::cpu(2);
    nets::Graph graph = nets::little_googlenet(2, 8);
    nets::Parameters parameters(graph.get());
    for (int batch : { 1, 4 }) {
        trib_session_options o = trib_session_default_options();
        o.max_batch = batch;
        trib_tuned *made = nullptr;
        Watch watch;
        const trib_tune_options how = in_seconds(support::by_form(0.6, 5.0), &watch);
        ASSERT_OK(trib_tune_session(device.get(), graph.get(), parameters.data(), &o, &how, &made));
        Tuned tuned(made);
        EXPECT_GT(watch.said, 0);
        EXPECT_GT(tuned->runs, 0);
        EXPECT_GE(tuned->lanes, 1);
        auto logits = [&](const trib_session_options &options) {
            nets::Session session = nets::session(graph.get(), device.get(), options);
            std::vector<float> x = nets::input_for(graph.get(), batch), y(std::size_t(batch) * 10, NAN);
            void *outputs[] = { y.data() };
            EXPECT_OK(trib_session_run(session.get(), x.data(), batch, outputs));
            return y;
        };
        const std::vector<float> serial = logits(o);
        trib_tuned_apply(tuned.get(), &o.plan);
        o.lanes = tuned->lanes, o.plan.batch = tuned->chunk, o.plan.threads = tuned->threads;
        EXPECT_EQ(logits(o), serial);
    }
}

TEST(Tune, ATrainerGetsAScheduleThatItsPlanTakes)
{
    nets::Device device = nets::cpu(2);
    nets::Graph graph = nets::inception(true);
    nets::Parameters parameters(graph.get());
    trib_training training = training::training_of(training::one_loss, 1);
    trib_trainer_options o = {};
    o.plan = training::options_of(training, 2);
    trib_tuned *made = nullptr;
    Watch watch;
    const trib_tune_options how = in_seconds(support::by_form(0.6, 5.0), &watch);
    ASSERT_OK(trib_tune_trainer(device.get(), graph.get(), parameters.data(), &o, &how, &made));
    Tuned tuned(made);
    trib_tuned_apply(tuned.get(), &o.plan);
    EXPECT_TRUE(nets::plan(graph.get(), device.get(), o.plan));
    EXPECT_EQ(tuned->lanes, 0);
}

TEST(Tune, IsStoppedAtOnceWhenAsked)
{
    nets::Device device = nets::cpu(2);
    nets::Graph graph = nets::little_googlenet(1, 8);
    nets::Parameters parameters(graph.get());
    trib_session_options o = trib_session_default_options();
    trib_tuned *made = nullptr;
    Watch watch;
    watch.left = 0;
    const trib_tune_options how = in_seconds(1e6, &watch);
    ASSERT_OK(trib_tune_session(device.get(), graph.get(), parameters.data(), &o, &how, &made));
    Tuned tuned(made);
    EXPECT_FALSE(tuned->complete);
    EXPECT_EQ(tuned->schedule, TRIB_SERIAL);
    EXPECT_EQ(tuned->fork_count, 0);
}

TEST(Tune, EveryAllocationMayFail)
{
    nets::Device device = nets::cpu(1);
    nets::Graph graph = nets::inception(false, 6);
    nets::Parameters parameters(graph.get());
    trib_session_options o = trib_session_default_options();
    for (std::int64_t k = 1;; k += support::by_form(61, 7)) {
        trib_tuned *made = nullptr;
        Watch watch;
        watch.left = 6;
        const trib_tune_options how = in_seconds(1e6, &watch);
        trib_fault_arm(k, false);
        trib_status status = trib_tune_session(device.get(), graph.get(), parameters.data(), &o, &how, &made);
        const bool reached = trib_fault_disarm() >= k;
        Tuned owner(made);
        EXPECT_EQ(trib_failed(&status), made == nullptr);
        if (!reached) {
            EXPECT_OK(status);
            break;
        }
    }
}

} // namespace
