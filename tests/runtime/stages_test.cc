// SPDX-License-Identifier: Apache-2.0
// Forks in stages: what their text means, where ops run, and that any stages give a proven plan and the bits of serial.
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "runtime/mutants.h"
#include "runtime/nets.h"
#include "runtime/trained.h"
#include "support/form.h"

extern "C" {
#include "plan/order.h"
#include "plan/stages.h"
}

namespace
{

using nets::Plan;

const std::vector<int> googlenet_layers = { 1, 2, 2, 2 };

// A plan's options with stages for one fork; points to `stages`.
class Options
{
  public:
    Options(const char *fork, const char *stages, trib_schedule schedule = TRIB_BRANCHES)
        : forks_ { { fork, schedule, stages } }
    {
    }
    trib_plan_options get(int batch = 1) const
    {
        trib_plan_options o = trib_plan_default_options();
        o.fork_schedules = forks_;
        o.fork_schedule_count = 1;
        o.batch = batch;
        return o;
    }

  private:
    trib_fork_schedule forks_[1];
};

// ---- text ----

std::string reread(const char *text, bool backward)
{
    trib_stages s;
    if (!trib_stages_read(text, backward, &s)) return "refused";
    char again[256];
    EXPECT_LT(trib_stages_text(&s, again, sizeof again), sizeof again);
    return again;
}

TEST(Stages, AreReadForwardAndBackward)
{
    EXPECT_EQ(reread("1110-0112", false), "1110-0112");
    EXPECT_EQ(reread("1110-0112", true), "0112-1110");
    EXPECT_EQ(reread("10/01-02/11", true), "11/02-01/10");
    EXPECT_EQ(reread("10-01:01/10", false), "10-01");
    EXPECT_EQ(reread("10-01:01/10", true), "01/10");
    EXPECT_EQ(reread("9", false), "9");
}

TEST(Stages, OtherTextsAreRefused)
{
    for (const char *text : { "", "-", "10-", "-10", "10--01", "10-1", "00-11", "10,01", "10 01", "1a", "10:", "10:-",
                              "10:1", "10:01:10", "serial", "fused", "12345678901234567", "1/" })
        EXPECT_EQ(reread(text, false), "refused") << text;
    std::string most;
    for (int i = 0; i < TRIB_MAX_STAGES; ++i) most += i ? "-1" : "1";
    EXPECT_EQ(reread(most.c_str(), false), most);
    EXPECT_EQ(reread((most + "-1").c_str(), false), "refused");
}

TEST(Stages, ScheduleOfAForkIsReadAsThePlanWritesIt)
{
    trib_schedule schedule = TRIB_SERIAL;
    const char *stages = nullptr;
    for (int i = 0; i < TRIB_SCHEDULE_COUNT; ++i) {
        EXPECT_TRUE(trib_fork_schedule_read(trib_schedule_name(trib_schedule(i)), &schedule, &stages));
        EXPECT_EQ(int(schedule), i);
        EXPECT_EQ(stages, nullptr);
    }
    EXPECT_TRUE(trib_fork_schedule_read("1110-0112", &schedule, &stages));
    EXPECT_EQ(schedule, TRIB_BRANCHES);
    EXPECT_STREQ(stages, "1110-0112");
    EXPECT_TRUE(trib_fork_schedule_read("fused:1000/0111:1111-0111", &schedule, &stages));
    EXPECT_EQ(schedule, TRIB_FUSED);
    EXPECT_STREQ(stages, "1000/0111:1111-0111");
    for (const char *text : { "", "figure", "serial:11", "branches:11", "fused:", "fused:serial", "fuse:11", "11:" })
        EXPECT_FALSE(trib_fork_schedule_read(text, &schedule, &stages)) << text;
}

TEST(Stages, TextIsCutWhereItDoesNotFit)
{
    trib_stages s;
    ASSERT_TRUE(trib_stages_read("1110/0112", false, &s));
    for (std::size_t size = 0; size < 12; ++size) {
        std::vector<char> text(size + 1, '#');
        EXPECT_EQ(trib_stages_text(&s, text.data(), size), 9u);
        EXPECT_EQ(text[size], '#');
        if (size) {
            EXPECT_EQ(text.data(), std::string("1110/0112").substr(0, size - 1));
        }
    }
}

// A branch keeps its stream where that is free, and takes the lowest free one otherwise.
TEST(Stages, BranchesKeepTheirStreams)
{
    trib_stages s;
    ASSERT_TRUE(trib_stages_read("1110/0112-0100", false, &s));
    auto place = [&](int branch, int layer) { return trib_stages_find(&s, branch, layer); };
    EXPECT_EQ(place(1, 0).slot, 1);
    EXPECT_EQ(place(2, 1).slot, 2);
    EXPECT_EQ(place(3, 0).slot, 0); // the 1x1's
    EXPECT_EQ(place(3, 1).stage, 1);
    EXPECT_EQ(place(1, 2).stage, 2);
    EXPECT_EQ(place(1, 2).slot, 1);
    EXPECT_EQ(place(1, 0).level, 0);
    EXPECT_EQ(place(1, 1).level, 1);
    EXPECT_EQ(place(1, 2).level, 1);
    EXPECT_EQ(place(0, 0).width, 3);
    EXPECT_EQ(place(1, 2).width, 1);
    EXPECT_EQ(s.slots, 3);
    ASSERT_TRUE(trib_stages_read("1000-0100-0010-0001-0111", false, &s));
    EXPECT_EQ(trib_stages_find(&s, 2, 0).slot, 0);
    std::set<int> last;
    for (int b = 1; b < 4; ++b) last.insert(trib_stages_find(&s, b, 1).slot);
    EXPECT_EQ(last, (std::set<int> { 0, 1, 2 }));
}

// ---- plans ----

const trib_plan_op &find(const trib_plan *p, const std::string &name)
{
    int i = 0;
    while (i + 1 < p->op_count && name != p->ops[i].name) ++i;
    EXPECT_EQ(name, p->ops[i].name);
    return p->ops[i];
}

TEST(Stages, OpsRunInTheOrderAndOnTheStreamsOfTheirStages)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    const Options own("inception_4b", "1110-0012/0100");
    trib_plan_options o = own.get();
    o.threads = 4;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    auto op = [&](const char *name) -> const trib_plan_op & {
        return find(p.get(), std::string("inception_4b/") + name);
    };
    EXPECT_EQ(op("1x1").stream, 0);
    EXPECT_EQ(op("3x3_reduce").stream, 1);
    EXPECT_EQ(op("5x5_reduce").stream, 2);
    EXPECT_EQ(op("5x5").stream, 2);
    EXPECT_EQ(op("pool_proj").stream, 0);
    EXPECT_EQ(op("3x3").stream, 1);
    EXPECT_LT(&op("pool_proj"), &op("3x3"));
    EXPECT_EQ(op("pool").wait_count, 0);
    EXPECT_EQ(op("3x3").wait_count, 2);   // behind the barrier: for 5x5 and pool_proj
    EXPECT_EQ(op("1x1").desc.threads, 1); // three side by side, then two, then one, on four cores
    EXPECT_EQ(op("5x5").desc.threads, 2);
    EXPECT_EQ(op("3x3").desc.threads, 4);
    EXPECT_EQ(find(p.get(), "inception_4a/3x3").stream, 0);
    char text[64];
    trib_plan_schedule_text(p.get(), text, sizeof text);
    EXPECT_STREQ(text, "serial,inception_4b=1110-0012/0100");
    for (int i = 0; i < p->prepare_count; ++i) {
        const std::string name = p->prepare[i].name;
        if (p->prepare[i].consumer < 0) continue;
        const std::string consumer = p->ops[p->prepare[i].consumer].name;
        EXPECT_EQ(name.substr(0, consumer.size() + 1), consumer + "/");
    }
}

TEST(Stages, OnesThatDoNotFitTheBranchesAreRefused)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc, 96);
    trib_plan *made = nullptr;
    auto refuse = [&](const char *stages, trib_schedule schedule, const char *message) {
        Options o("inception_3a", stages, schedule);
        trib_plan_options plan = o.get();
        EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &plan, &made), TRIB_INVALID_ARGUMENT, message);
    };
    refuse("1110-0112", TRIB_SERIAL, "serial has no stages");
    refuse("1110-", TRIB_BRANCHES, "'1110-' are no stages");
    refuse("111-012", TRIB_BRANCHES, "are for 3 branches; it has 4");
    refuse("1110-0111", TRIB_FUSED, "have 1 layers of branch 4; it has 2");
    refuse("1110-0122", TRIB_BRANCHES, "have 3 layers of branch 3; it has 2");
    refuse("1110-0112:1111", TRIB_BRANCHES, "have 1 layers of branch 2 backward");
    EXPECT_EQ(made, nullptr);
}

// All ways to cut branches of so many layers into stages.
std::vector<std::string> all_stages(const std::vector<int> &layers)
{
    std::vector<std::string> all;
    std::function<void(const std::vector<int> &, const std::string &)> extend = [&](const std::vector<int> &left,
                                                                                    const std::string &before) {
        if (std::all_of(left.begin(), left.end(), [](int n) { return n == 0; })) {
            all.push_back(before);
            return;
        }
        std::vector<int> take(left.size());
        for (;;) {
            std::size_t b = 0;
            while (b < take.size() && take[b] == left[b]) take[b++] = 0;
            if (b == take.size()) return;
            ++take[b];
            std::vector<int> rest = left;
            std::string stage;
            for (std::size_t i = 0; i < take.size(); ++i) {
                rest[i] -= take[i];
                stage += char('0' + take[i]);
            }
            extend(rest, before.empty() ? stage : before + "-" + stage);
        }
    };
    extend(layers, "");
    return all;
}

std::vector<float> logits(const trib_graph *graph, trib_device *device, const trib_plan_options &plan)
{
    trib_session_options o = trib_session_default_options();
    o.plan = plan;
    o.max_batch = o.plan.batch = 2;
    o.lanes = 1;
    nets::Session session = nets::session(graph, device, o);
    std::vector<float> x = nets::input_for(graph, 2), y(2 * 10, NAN);
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(session.get(), x.data(), 2, outputs));
    return y;
}

// trib_plan_create proves every plan; here it is also run, with a thread per stream: teams of threads take long to
// start.
TEST(Stages, AllOfThemAreProvenAndGiveTheBitsOfSerial)
{
    auto device = nets::cpu(1);
    auto graph = nets::little_googlenet(1, 8);
    ASSERT_EQ(nets::layers_of_branches(graph.get(), 0), googlenet_layers);
    const std::vector<std::string> all = all_stages(googlenet_layers);
    ASSERT_EQ(all.size(), 7880u);
    const std::vector<float> serial = logits(graph.get(), device.get(), trib_plan_default_options());
    for (float value : serial) ASSERT_TRUE(std::isfinite(value));
    const std::size_t step = support::by_form<std::size_t>(197, 1);
    for (std::size_t i = 0; i < all.size(); i += step) {
        std::string barriers = all[i];
        std::replace(barriers.begin(), barriers.end(), '-', '/');
        for (const std::string &stages : { all[i], barriers })
            ASSERT_EQ(logits(graph.get(), device.get(), Options("*", stages.c_str()).get()), serial) << stages;
    }
}

// Without barriers, an op waits for nothing it need not wait for.
TEST(Stages, EveryRecordAndWaitIsNeeded)
{
    auto device = nets::cpu(2);
    auto graph = nets::little_googlenet(1, 8);
    int changed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const std::string stages = nets::any_stages(googlenet_layers, seed, false);
        Plan p = nets::plan(graph.get(), device.get(), Options("*", stages.c_str()).get());
        ASSERT_TRUE(p);
        mutants::Tally t = mutants::delete_each_record_and_wait(p.get());
        EXPECT_EQ(t.changed, t.mutants) << stages;
        EXPECT_EQ(t.caught, t.mutants) << stages;
        changed += t.changed;
    }
    EXPECT_GT(changed, 100);
}

// With them, every op of a stage follows all of the stages before.
TEST(Stages, BarriersHold)
{
    auto device = nets::cpu(2);
    auto graph = nets::little_googlenet(1, 8);
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        std::string stages = nets::any_stages(googlenet_layers, seed, false);
        std::replace(stages.begin(), stages.end(), '-', '/');
        Plan p = nets::plan(graph.get(), device.get(), Options("*", stages.c_str()).get());
        ASSERT_TRUE(p);
        trib_stages s;
        ASSERT_TRUE(trib_stages_read(stages.c_str(), false, &s));
        int number[4] = { 0 };
        std::vector<std::pair<int, int>> staged; // stage, op
        for (int i = 0; i < p->op_count; ++i)
            if (p->ops[i].fork == 0)
                staged.push_back({ trib_stages_find(&s, p->ops[i].branch, number[p->ops[i].branch]++).stage, i });
        ASSERT_EQ(staged.size(), 7u);
        trib_order order = {};
        ASSERT_OK(trib_order_of(p->ops, std::size_t(p->op_count), p->stream_count, p->event_count, &order));
        for (auto a : staged)
            for (auto b : staged) {
                EXPECT_TRUE(a.first >= b.first || trib_before(&order, std::size_t(a.second), std::size_t(b.second)))
                    << stages;
            }
        trib_order_release(&order);
    }
}

// ---- forks inside forks ----

TEST(Stages, AForkInsideIsOneOfItsBranchsLayers)
{
    auto device = nets::cpu(2);
    auto graph = nets::nested();
    ASSERT_EQ(nets::layers_of_branches(graph.get(), 0), (std::vector<int> { 1, 3, 3, 2 }));
    ASSERT_EQ(nets::layers_of_branches(graph.get(), 1), (std::vector<int> { 1, 1 }));
    const trib_fork_schedule forks[] = { { "module", TRIB_BRANCHES, "0020-1312" },
                                         { "module/split", TRIB_BRANCHES, "01-10" } };
    trib_plan_options o = trib_plan_default_options();
    o.fork_schedules = forks;
    o.fork_schedule_count = 2;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    EXPECT_LT(&find(p.get(), "module/3x3"), &find(p.get(), "module/1x1"));
    EXPECT_LT(&find(p.get(), "module/split/3x1"), &find(p.get(), "module/split/1x3"));
    EXPECT_LT(&find(p.get(), "module/1x1"), &find(p.get(), "module/split/3x1"));
    EXPECT_EQ(find(p.get(), "module/split/1x3").stream, find(p.get(), "module/3x3").stream);
}

// ---- training ----

std::vector<float> trained(const trib_graph *graph, const std::string &stages, trib_launch launch)
{
    trib_training t = training::training_of(training::one_loss, 1);
    auto device = nets::cpu(2);
    nets::Parameters parameters(graph);
    Options own("*", stages.c_str());
    trib_trainer_options o = {};
    o.plan = stages.empty() ? trib_plan_default_options() : own.get();
    o.plan.batch = 2;
    o.plan.training = &t;
    o.launch = launch;
    trib_trainer *made = nullptr;
    EXPECT_OK(trib_trainer_create(device.get(), graph, parameters.data(), &o, &made));
    training::Trainer trainer(made);
    std::vector<float> x = nets::input_for(graph, 2), y(2 * 10), loss(2), all;
    const std::int32_t labels[] = { 1, 2 };
    void *outputs[] = { y.data(), loss.data() };
    trib_step_controls controls = {};
    controls.lr = 0.01f, controls.momentum = 0.9f, controls.loss_scale = 1;
    for (; controls.step < 2; ++controls.step) EXPECT_OK(trib_trainer_step(made, x.data(), labels, &controls, outputs));
    for (int i = 0; i < trib_trainer_tensor_count(made); ++i) {
        std::int64_t count = 0;
        const trib_trainer_tensor tensor = trib_trainer_tensor_at(made, i);
        EXPECT_OK(trib_shape_count(&tensor.shape, &count));
        std::vector<float> values(static_cast<std::size_t>(count), NAN);
        EXPECT_OK(trib_trainer_read(made, i, values.data()));
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

TEST(Stages, TrainingGivesTheBitsOfSerial)
{
    for (bool batch_norm : { false, true }) {
        auto graph = nets::inception(batch_norm);
        const std::vector<float> serial = trained(graph.get(), "", TRIB_EAGER);
        const std::uint64_t seeds = support::by_form<std::uint64_t>(5, 200);
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            std::string stages = nets::any_stages(googlenet_layers, seed, seed % 2);
            if (seed % 3) stages += ":" + nets::any_stages(googlenet_layers, seed + 1000, seed % 2);
            ASSERT_TRUE(training::same_bits(trained(graph.get(), stages, seed % 2 ? TRIB_EAGER : TRIB_GRAPH), serial))
                << stages;
        }
    }
}

} // namespace
