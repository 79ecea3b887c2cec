// SPDX-License-Identifier: Apache-2.0
// Timelines of a network on the simulated CUDA: the times of every op are those of the simulated clock, in every
// schedule, launch by launch, in inference and in training; and where CUPTI fails, a timeline says what is missing.
#include <cstdio>
#include <map>

#include "cuda/network.h"
#include "cuda/network_training.h"
#include "device/driver.h"
#include "fakecuda/fakecuda.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

using network::Bytes;
using network::name_of;
using network::Net;
using network::TrainingBatch;
using network::TrainingWay;
using network::Way;

namespace
{

// ---- which op each piece of work is of ----

// Labels: those of recorded ops, capture by capture, then those of eager runs.
constexpr std::int64_t per_capture = 1000, per_run = 100000;

const trib_driver *real;
std::int64_t runs_begun, captures, last_recorded;
std::map<const trib_observed_run *, std::int64_t> run_number;

// What a session tells the driver, as labels of the simulation.
trib_status label_and_begin(trib_observation *o, trib_stream *stream, trib_observed_run *run, int op)
{
    if (run && !run->of_driver) run_number[run] = ++runs_begun;
    if (!run && op <= last_recorded) ++captures;
    if (!run) last_recorded = op;
    fakecuda::label(op < 0 ? -1 : op + (run ? run_number[run] * per_run : captures * per_capture));
    return real->observe_begin(o, stream, run, op);
}

trib_status end_label(trib_observation *o, trib_stream *stream)
{
    fakecuda::label(-1);
    return real->observe_end(o, stream);
}

trib_status open_labelled(nets::Device *out)
{
    static trib_driver driver;
    trib_device *device = nullptr;
    TRIB_TRY(trib_device_open("cuda", nullptr, &device));
    out->reset(device);
    real = device->driver;
    driver = *real;
    driver.observe_begin = label_and_begin;
    driver.observe_end = end_label;
    device->driver = &driver;
    runs_begun = 0;
    captures = -1;
    last_recorded = INT64_MAX;
    run_number.clear();
    return trib_success();
}

nets::Device labelled_device()
{
    nets::Device device;
    EXPECT_OK(open_labelled(&device));
    return device;
}

struct Interval {
    std::int64_t start, end;
    bool operator==(const Interval &other) const { return start == other.start && end == other.end; }
};
std::ostream &operator<<(std::ostream &out, const Interval &i) { return out << i.start << " to " << i.end; }

// The op's work with this label, the `turn`-th of `turns` times.
Interval truth(const std::vector<fakecuda::Ran> &ledger, std::int64_t label, int turn = 0, int turns = 1)
{
    std::vector<Interval> all;
    for (const fakecuda::Ran &ran : ledger)
        if (ran.label == label) all.push_back({ ran.begin, ran.end });
    std::sort(all.begin(), all.end(), [](const Interval &a, const Interval &b) { return a.start < b.start; });
    const std::size_t pieces = all.size() / std::size_t(turns), first = pieces * std::size_t(turn);
    EXPECT_EQ(all.size() % std::size_t(turns), 0u);
    if (!pieces) return { 0, 0 };
    Interval whole = all[first];
    for (std::size_t i = first; i < first + pieces; ++i) whole.end = std::max(whole.end, all[i].end);
    return { whole.start + fakecuda::clock_zero(), whole.end + fakecuda::clock_zero() };
}

// Where the runs of a session come from: captures of each lane, launched in turn; or nowhere, if it is eager.
class Runs
{
  public:
    Runs(bool graph, int runs, int lanes = 1, int slots = 1)
        : graph_(graph), slots_(slots), of_lane_(std::size_t(lanes)), all_(runs / lanes)
    {
    }
    // To be asked for each run, in order.
    void next(const trib_timeline_run &run)
    {
        const int number = of_lane_[std::size_t(run.lane)]++;
        const int slot = number % slots_;
        label_ = graph_ ? (run.lane * slots_ + slot) * per_capture : (run.chunk + 1) * per_run;
        turn_ = graph_ ? number / slots_ : 0;
        turns_ = graph_ ? (all_ - slot + slots_ - 1) / slots_ : 1;
    }
    Interval op(const std::vector<fakecuda::Ran> &ledger, int op) const
    {
        return truth(ledger, label_ + op, turn_, turns_);
    }

  private:
    bool graph_;
    int slots_;
    std::vector<int> of_lane_;
    int all_; // of a lane
    std::int64_t label_ = 0;
    int turn_ = 0, turns_ = 1;
};

void expect_exact(const trib_plan *plan, const trib_timeline *timeline, const std::vector<fakecuda::Ran> &ledger,
                  int count, Runs runs)
{
    ASSERT_EQ(trib_timeline_count(timeline), count) << trib_timeline_loss(timeline).message;
    EXPECT_EQ(trib_timeline_lost(timeline), 0);
    int timed = 0;
    for (int i = 0; i < count; ++i) {
        const trib_timeline_run run = trib_timeline_at(timeline, i);
        EXPECT_EQ(run.chunk, i);
        EXPECT_OK(trib_timeline_check(plan, &run));
        runs.next(run);
        for (int op = 0; op < plan->op_count; ++op) {
            const Interval wanted = runs.op(ledger, op), told = { run.ops[op].start, run.ops[op].end };
            ASSERT_EQ(told, wanted) << "run " << i << ", op " << op << ", " << plan->ops[op].name;
            timed += told.start > 0;
        }
    }
    EXPECT_GT(timed, count * plan->op_count / 2);
}

struct FreeTimeline {
    void operator()(trib_timeline *t) const { trib_timeline_destroy(t); }
};
using Timeline = std::unique_ptr<trib_timeline, FreeTimeline>;

Timeline timeline_of(int runs)
{
    trib_timeline *made = nullptr;
    EXPECT_OK(trib_timeline_create(runs, &made));
    return Timeline(made);
}

// Kernels take a time of their own each; `at_once`: as in fakecuda::Options.
void begin(const fakecuda::Cupti &cupti = {}, int at_once = 0)
{
    static std::int64_t kernels;
    kernels = 0;
    fakecuda::Options options;
    options.real_clock = true;
    options.at_once = at_once;
    options.takes = [](const std::string &) { return 2000 + 37 * (kernels++ % 101); };
    options.cupti = cupti;
    fakecuda::reset(options);
}

trib_status create(const Net &net, trib_device *device, const Way &way, trib_timeline *timeline, trib_session **out)
{
    trib_session_options o = net.options(way);
    o.timeline = timeline;
    return trib_session_create(device, net.graph(), net.parameters(), &o, out);
}

// ---- inference ----

class TimelineOfInference : public testing::TestWithParam<Way>
{
};

TEST_P(TimelineOfInference, HasTheTimesOfTheSimulatedClock)
{
    const Net net;
    const Bytes wanted = net.result(GetParam(), 0);
    for (int at_once : { 0, 2 }) {
        begin({}, at_once);
        nets::Device device = labelled_device();
        Timeline timeline = timeline_of(4);
        trib_session *made = nullptr;
        ASSERT_OK(create(net, device.get(), GetParam(), timeline.get(), &made));
        nets::Session session(made);
        fakecuda::start_ledger();
        Bytes bytes;
        for (int i = 0; i < 3; ++i) ASSERT_OK(net.run(made, 0, 1, &bytes));
        EXPECT_EQ(bytes, wanted);
        const bool graph = GetParam().launch == TRIB_GRAPH;
        expect_exact(trib_session_plan(made), timeline.get(), fakecuda::stop_ledger(), 3, Runs(graph, 3));
        EXPECT_EQ(std::string(trib_timeline_source(timeline.get())).substr(0, 6), "CUPTI ");
        EXPECT_EQ(trib_timeline_at(timeline.get(), 0).clock_step, 1000); // as wrong as it has been seen to be
    }
}

std::vector<Way> ways()
{
    std::vector<Way> all;
    for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED })
        for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
            Way way;
            way.schedule = schedule;
            way.launch = launch;
            way.pixels = schedule == TRIB_FUSED;
            all.push_back(way);
        }
    return all;
}

INSTANTIATE_TEST_SUITE_P(Network, TimelineOfInference, testing::ValuesIn(ways()),
                         [](const auto &info) { return name_of(info.param); });

// Several lanes, several batches of each in flight.
TEST(Timeline, KeepsLanesAndBatchesInFlightApart)
{
    const Net net;
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        begin();
        nets::Device device = labelled_device();
        Timeline timeline = timeline_of(20);
        Way way;
        way.schedule = TRIB_BRANCHES;
        way.launch = launch;
        way.max_batch = 8;
        way.chunk = 1;
        way.lanes = 2;
        way.in_flight = 2;
        trib_session *made = nullptr;
        ASSERT_OK(create(net, device.get(), way, timeline.get(), &made));
        nets::Session session(made);
        fakecuda::start_ledger();
        Bytes bytes;
        for (int i = 0; i < 2; ++i) ASSERT_OK(net.run(made, 0, 8, &bytes));
        const int slots = launch == TRIB_GRAPH ? int(captures + 1) / 2 : 1;
        expect_exact(trib_session_plan(made), timeline.get(), fakecuda::stop_ledger(), 16,
                     Runs(launch == TRIB_GRAPH, 16, 2, slots));
        EXPECT_EQ(slots, launch == TRIB_GRAPH ? 2 : 1);
    }
}

// A simulated device that does at most two things at once never does three.
TEST(Timeline, OfADeviceThatDoesFewThingsAtOnce)
{
    const Net net;
    int most[3] = {};
    for (int at_once : { 1, 2 }) {
        begin({}, at_once);
        nets::Device device = network::open();
        Timeline timeline = timeline_of(1);
        Way way;
        way.schedule = TRIB_BRANCHES;
        way.launch = TRIB_GRAPH;
        trib_session *made = nullptr;
        ASSERT_OK(create(net, device.get(), way, timeline.get(), &made));
        nets::Session session(made);
        Bytes bytes;
        ASSERT_OK(net.run(made, 0, 1, &bytes));
        const trib_timeline_run run = trib_timeline_at(timeline.get(), 0);
        for (int i = 0; i < trib_session_plan(made)->op_count; ++i) {
            int together = 0;
            for (int k = 0; k < trib_session_plan(made)->op_count; ++k)
                together += run.ops[k].start <= run.ops[i].start && run.ops[i].start < run.ops[k].end;
            most[at_once] = std::max(most[at_once], together);
        }
    }
    EXPECT_EQ(most[1], 1);
    EXPECT_EQ(most[2], 2);
}

// ---- training ----

class TimelineOfTraining : public testing::TestWithParam<TrainingWay>
{
};

TEST_P(TimelineOfTraining, HasTheTimesOfTheSimulatedClock)
{
    begin();
    TrainingBatch batch(GetParam().batch_norm);
    nets::Device device = labelled_device();
    Timeline timeline = timeline_of(3);
    trib_trainer *made = nullptr;
    ASSERT_OK(batch.create(device.get(), GetParam(), &made, timeline.get()));
    network::Trainer trainer(made);
    std::vector<float> seen;
    fakecuda::start_ledger();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_OK(batch.step(made, i, &seen));
    const bool graph = GetParam().launch == TRIB_GRAPH;
    expect_exact(trib_trainer_plan(made), timeline.get(), fakecuda::stop_ledger(), 3, Runs(graph, 3));
}

std::vector<TrainingWay> training_ways()
{
    std::vector<TrainingWay> all;
    for (bool batch_norm : { false, true })
        for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED })
            all.push_back(
                { batch_norm, schedule, batch_norm == (schedule == TRIB_BRANCHES) ? TRIB_EAGER : TRIB_GRAPH });
    return all;
}

INSTANTIATE_TEST_SUITE_P(Network, TimelineOfTraining, testing::ValuesIn(training_ways()),
                         [](const auto &info) { return name_of(info.param); });

// ---- faults of CUPTI ----

// Runs a fused graph some times; leaves what the timeline has.
void run_with(const fakecuda::Cupti &cupti, int runs, trib_timeline *timeline, trib_launch launch = TRIB_GRAPH)
{
    const Net net;
    Way way;
    way.schedule = TRIB_FUSED;
    way.launch = launch;
    const Bytes wanted = net.result(way, 0);
    begin(cupti);
    nets::Device device = labelled_device();
    trib_session *made = nullptr;
    ASSERT_OK(create(net, device.get(), way, timeline, &made));
    nets::Session session(made);
    fakecuda::start_ledger();
    Bytes bytes;
    for (int i = 0; i < runs; ++i) ASSERT_OK(net.run(made, 0, 1, &bytes));
    EXPECT_EQ(bytes, wanted); // of which a lack of times changes nothing
    const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
    EXPECT_EQ(trib_timeline_count(timeline) + trib_timeline_lost(timeline), runs);
    for (int i = 0; i < trib_timeline_count(timeline); ++i) {
        const trib_timeline_run run = trib_timeline_at(timeline, i);
        EXPECT_OK(trib_timeline_check(trib_session_plan(made), &run));
        for (int op = 0; op < trib_session_plan(made)->op_count && cupti.driver && cupti.holder.empty(); ++op)
            ASSERT_EQ((Interval { run.ops[op].start, run.ops[op].end }),
                      launch == TRIB_GRAPH ? truth(ledger, op, int(run.chunk), runs)
                                           : truth(ledger, op + (run.chunk + 1) * per_run));
    }
}

TEST(Timeline, CountsRunsWhoseRecordsNeverCome)
{
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        fakecuda::Cupti cupti;
        cupti.lose = 60;
        Timeline timeline = timeline_of(10);
        run_with(cupti, 10, timeline.get(), launch);
        EXPECT_GT(trib_timeline_lost(timeline.get()), 0);
        EXPECT_GT(trib_timeline_count(timeline.get()), 0);
        EXPECT_NE(std::string(trib_timeline_loss(timeline.get()).message).find("CUPTI lost 1 of"), std::string::npos);
    }
}

TEST(Timeline, CountsRunsWithRecordsThatHaveNoTimes)
{
    fakecuda::Cupti cupti;
    cupti.untimed = 60;
    Timeline timeline = timeline_of(10);
    run_with(cupti, 10, timeline.get());
    EXPECT_GT(trib_timeline_lost(timeline.get()), 0);
    EXPECT_GT(trib_timeline_count(timeline.get()), 0);
    EXPECT_NE(std::string(trib_timeline_loss(timeline.get()).message).find("no times in 1 of"), std::string::npos);
}

TEST(Timeline, TellsLaunchesApartByOrderIfCorrelationIdsAreWrong)
{
    fakecuda::Cupti cupti;
    cupti.wrong_ids = true;
    Timeline timeline = timeline_of(5);
    run_with(cupti, 5, timeline.get());
    EXPECT_EQ(trib_timeline_lost(timeline.get()), 0);
    EXPECT_NE(std::string(trib_timeline_source(timeline.get())).find("by order"), std::string::npos);
}

// Asked for a graph, a session launches eagerly, since events cannot be read from a graph.
TEST(Timeline, HasEventsIfAnotherProfilerHasCupti)
{
    fakecuda::Cupti cupti;
    cupti.holder = "CUPTI for Nsight Systems";
    Timeline timeline = timeline_of(5);
    run_with(cupti, 5, timeline.get());
    EXPECT_EQ(trib_timeline_lost(timeline.get()), 0);
    const std::string source = trib_timeline_source(timeline.get());
    EXPECT_EQ(source.find("events: CUPTI is used by CUPTI for Nsight Systems; "), 0u) << source;
    EXPECT_GT(trib_timeline_at(timeline.get(), 0).clock_step, 1);
}

TEST(Timeline, HasEventsWithoutADriverOfCupti)
{
    fakecuda::Cupti cupti;
    cupti.driver = false;
    Timeline timeline = timeline_of(5);
    run_with(cupti, 5, timeline.get());
    EXPECT_EQ(trib_timeline_lost(timeline.get()), 0);
    const std::string source = trib_timeline_source(timeline.get());
    EXPECT_NE(source.find("CUPTI_ERROR_UNKNOWN (999)"), std::string::npos) << source;
}

// ---- whatever fails ----

// A session with a timeline, two runs. Whatever comes out of it is right.
trib_status timed_runs(const Net &net, const Way &way)
{
    nets::Device device;
    TRIB_TRY(open_labelled(&device));
    trib_timeline *created = nullptr;
    TRIB_TRY(trib_timeline_create(2, &created));
    Timeline timeline(created);
    trib_session *made = nullptr;
    TRIB_TRY(create(net, device.get(), way, timeline.get(), &made));
    nets::Session session(made);
    fakecuda::start_ledger();
    Bytes bytes;
    for (int i = 0; i < 2; ++i) TRIB_TRY(net.run(made, 0, 1, &bytes));
    const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
    const std::string source = trib_timeline_source(timeline.get());
    for (int i = 0; i < trib_timeline_count(timeline.get()) && source[0] == 'C'; ++i) {
        const trib_timeline_run run = trib_timeline_at(timeline.get(), i);
        for (int op = 0; op < trib_session_plan(made)->op_count; ++op)
            EXPECT_EQ((Interval { run.ops[op].start, run.ops[op].end }),
                      way.launch == TRIB_GRAPH ? truth(ledger, op, int(run.chunk), 2)
                                               : truth(ledger, op + (run.chunk + 1) * per_run));
    }
    return trib_success();
}

void torture(trib_launch launch, bool memory)
{
    const Net net(1);
    Way way;
    way.schedule = TRIB_FUSED;
    way.launch = launch;
    begin();
    memory ? trib_fault_arm(0, false) : fakecuda::fail(0, fakecuda::Failure::once);
    ASSERT_OK(timed_runs(net, way));
    const std::int64_t all = memory ? trib_fault_disarm() : fakecuda::stop_failing();
    int failures = 0;
    const std::int64_t step = support::by_form(127, 1);
    for (std::int64_t k = 1; k <= all; k += step) {
        begin();
        memory ? trib_fault_arm(k, false) : fakecuda::fail(k, fakecuda::Failure::once);
        trib_status status = timed_runs(net, way);
        memory ? trib_fault_disarm() : fakecuda::stop_failing();
        fakecuda::label(-1);
        SCOPED_TRACE(std::to_string(k) + ": " + fakecuda::failed_function() + " " + status.message);
        EXPECT_EQ(fakecuda::leaks(), "");
        failures += trib_failed(&status);
    }
    EXPECT_GT(failures, 0);
    std::printf("%lld of %lld: %d fail\n", static_cast<long long>((all + step - 1) / step), static_cast<long long>(all),
                failures);
}

TEST(TimelineTorture, EachCallFailsOnceInAGraph) { torture(TRIB_GRAPH, false); }
TEST(TimelineTorture, EachCallFailsOnceEagerly) { torture(TRIB_EAGER, false); }
TEST(TimelineTorture, EachAllocationFailsOnceInAGraph) { torture(TRIB_GRAPH, true); }

} // namespace
