// SPDX-License-Identifier: Apache-2.0
// When ops ran, as the CUDA device tells it, against the simulated clock: exactly, whatever CUPTI does. Where it cannot
// tell, it says so, and no wrong time comes out.
#include <map>

#include "conformance/conformance.h"
#include "device/driver.h"
#include "fakecuda/fakecuda.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

using conformance::Capture;
using conformance::Device;
using conformance::Event;
using conformance::Stream;

namespace
{

struct Interval {
    std::int64_t start, end;
    bool operator==(const Interval &other) const { return start == other.start && end == other.end; }
};
std::ostream &operator<<(std::ostream &out, const Interval &i) { return out << i.start << " to " << i.end; }
using Times = std::map<int, Interval>; // by op

// A run that is observed, and what is told of it.
struct Observed : trib_observed_run {
    explicit Observed(bool wanted = true) : trib_observed_run { &observer, wanted, nullptr } {}
    static void tell(trib_observed_run *run, int op, std::int64_t issued, std::int64_t start, std::int64_t end)
    {
        EXPECT_LE(issued, start);
        Times &times = static_cast<Observed *>(run)->times;
        EXPECT_FALSE(times.count(op)) << "op " << op << " is told twice";
        times[op] = { start - fakecuda::clock_zero(), end - fakecuda::clock_zero() };
    }
    static const trib_observer observer;
    Times times;
};
const trib_observer Observed::observer = { nullptr, nullptr, tell };

// An op is some pieces of work: copies and fills. Op 1 and op 2 run side by side, between op 0 and op 3.
constexpr int op_count = 4, pieces[] = { 1, 2, 3, 1 };
constexpr std::size_t bytes = 3 << 20;

class Rig
{
  public:
    Rig() = default;
    Rig(const Rig &) = delete;
    Rig &operator=(const Rig &) = delete;
    ~Rig()
    {
        fakecuda::label(-1);
        capture_.reset();
        for (const Stream &s : streams_)
            if (s) trib_stream_synchronize(s.get());
        close();
        if (memory_) trib_device_free(device(), stream(0), memory_);
    }

    trib_status open(int runs = 3)
    {
        trib_device *device = nullptr;
        trib_stream *s = nullptr, *t = nullptr;
        trib_event *fork = nullptr, *join = nullptr;
        void *memory = nullptr;
        TRIB_TRY(trib_device_open("cuda", nullptr, &device));
        device_.reset(device);
        TRIB_TRY(observe(runs));
        TRIB_TRY(trib_stream_create(device, nullptr, &s));
        streams_[0].reset(s);
        TRIB_TRY(trib_stream_create(device, nullptr, &t));
        streams_[1].reset(t);
        TRIB_TRY(trib_event_create(device, &fork));
        fork_.reset(fork);
        TRIB_TRY(trib_event_create(device, &join));
        join_.reset(join);
        TRIB_TRY(trib_device_alloc(device, s, bytes, &memory));
        memory_ = static_cast<char *>(memory);
        return trib_stream_synchronize(s);
    }
    trib_status observe(int runs)
    {
        const trib_observation_options options = { op_count, runs, true };
        return driver()->observation_open(device_.get(), &options, &observation_);
    }
    void close()
    {
        if (observation_) driver()->observation_close(observation_);
        observation_ = nullptr;
    }

    // All ops, with labels from `label` on; run NULL: they are being recorded.
    trib_status give(trib_observed_run *run, int label = 0)
    {
        TRIB_TRY(give_op(run, 0, 0, label));
        TRIB_TRY(trib_event_record(fork_.get(), stream(0)));
        TRIB_TRY(trib_stream_wait(stream(1), fork_.get()));
        TRIB_TRY(give_op(run, 1, 0, label));
        TRIB_TRY(give_op(run, 2, 1, label));
        TRIB_TRY(trib_event_record(join_.get(), stream(1)));
        TRIB_TRY(trib_stream_wait(stream(0), join_.get()));
        return give_op(run, 3, 0, label);
    }
    trib_status record()
    {
        trib_capture *capture = nullptr;
        TRIB_TRY(trib_capture_begin(stream(0)));
        trib_status status = give(nullptr);
        trib_status end = trib_capture_end(stream(0), &capture);
        capture_.reset(capture);
        return trib_failed(&status) ? status : end;
    }
    trib_status launch(trib_observed_run *run)
    {
        TRIB_TRY(driver()->observe_begin(observation_, stream(0), run, TRIB_OBSERVE_LAUNCH));
        trib_status status = trib_capture_launch(capture_.get(), stream(0));
        trib_status end = driver()->observe_end(observation_, stream(0));
        return trib_failed(&status) ? status : end;
    }
    trib_status wait() { return trib_stream_synchronize(stream(0)); }
    trib_status collect(trib_observed_run *run) { return driver()->observation_collect(observation_, run); }
    void drop(trib_observed_run *run) { driver()->observation_drop(observation_, run); }
    std::string source() const { return observation_->source; }
    const trib_observation *observation() const { return observation_; }
    trib_device *device() const { return device_.get(); }

  private:
    const trib_driver *driver() const { return device_->driver; }
    trib_stream *stream(int i) const { return streams_[i].get(); }
    trib_status give_op(trib_observed_run *run, int op, int on, int label)
    {
        fakecuda::label(label + op);
        TRIB_TRY(driver()->observe_begin(observation_, stream(on), run, op));
        trib_status status = trib_success();
        char *part = memory_ + std::size_t(on) * (bytes / 2);
        for (int i = 0; i < pieces[op] && !trib_failed(&status); ++i) {
            const std::size_t size = (bytes / 8) / std::size_t(1 + op + 2 * i);
            status = i % 2 ? trib_copy_on_device(stream(on), part, part + bytes / 4, size)
                           : trib_fill_zero(stream(on), part + bytes / 4, size);
        }
        trib_status end = driver()->observe_end(observation_, stream(on));
        fakecuda::label(-1);
        return trib_failed(&status) ? status : end;
    }

    Device device_;
    trib_observation *observation_ = nullptr;
    Stream streams_[2];
    Event fork_, join_;
    char *memory_ = nullptr;
    Capture capture_;
};

// When the ops with labels from `label` on ran, the `turn`-th time.
Times truth(const std::vector<fakecuda::Ran> &ledger, int label = 0, int turn = 0)
{
    Times times;
    for (int op = 0; op < op_count; ++op) {
        std::vector<Interval> all;
        for (const fakecuda::Ran &ran : ledger)
            if (ran.label == label + op) all.push_back({ ran.begin, ran.end });
        std::sort(all.begin(), all.end(), [](const Interval &a, const Interval &b) { return a.start < b.start; });
        const std::size_t first = std::size_t(turn * pieces[op]), count = std::size_t(pieces[op]);
        if (all.size() < first + count) {
            ADD_FAILURE() << "op " << op << " ran " << all.size() << " pieces of work";
            return times;
        }
        Interval &whole = times[op] = all[first];
        for (std::size_t i = first; i < first + count; ++i) whole.end = std::max(whole.end, all[i].end);
    }
    return times;
}

// With CUPTI, the host's clock is the real one. Events tell when the host was too late to record them, so that they are
// compared on a host that takes no time.
void begin(fakecuda::Cupti cupti = {})
{
    fakecuda::Options options;
    options.real_clock = cupti.driver && !cupti.missing && cupti.holder.empty();
    options.cupti = std::move(cupti);
    fakecuda::reset(options);
}

// ---- as it should be ----

TEST(Observe, TellsWhenOpsRan)
{
    begin();
    Rig rig;
    ASSERT_OK(rig.open());
    EXPECT_EQ(rig.source().substr(0, 6), "CUPTI ") << rig.source();
    for (int i = 0; i < 3; ++i) {
        Observed run;
        fakecuda::start_ledger();
        ASSERT_OK(rig.give(&run));
        ASSERT_OK(rig.wait());
        ASSERT_OK(rig.collect(&run));
        EXPECT_EQ(run.times, truth(fakecuda::stop_ledger()));
        EXPECT_EQ(run.of_driver, nullptr);
    }
}

TEST(Observe, TellsWhenOpsOfAGraphRan)
{
    begin();
    Rig rig;
    ASSERT_OK(rig.open());
    ASSERT_OK(rig.record());
    for (int i = 0; i < 3; ++i) {
        Observed run;
        fakecuda::start_ledger();
        ASSERT_OK(rig.launch(&run));
        ASSERT_OK(rig.wait());
        ASSERT_OK(rig.collect(&run));
        EXPECT_EQ(run.times, truth(fakecuda::stop_ledger()));
    }
}

// Collected in another order than they were given in.
TEST(Observe, KeepsRunsInFlightApart)
{
    for (bool graph : { false, true }) {
        begin();
        Rig rig;
        ASSERT_OK(rig.open());
        if (graph) ASSERT_OK(rig.record());
        Observed runs[3], late;
        fakecuda::start_ledger();
        for (int i = 0; i < 3; ++i) ASSERT_OK(graph ? rig.launch(&runs[i]) : rig.give(&runs[i], 10 * i));
        ASSERT_OK(rig.give(&late, 100));
        ASSERT_OK(rig.wait());
        for (int i : { 1, 0, 2 }) ASSERT_OK(rig.collect(&runs[i]));
        EXPECT_FAILS(rig.collect(&late), TRIB_DEVICE_ERROR, "more runs are in flight");
        const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
        for (int i = 0; i < 3; ++i) EXPECT_EQ(runs[i].times, truth(ledger, graph ? 0 : 10 * i, graph ? i : 0));
    }
}

// The first of two is complete before the second: CUPTI keeps its records back, and nothing is taken by force.
TEST(Observe, WaitsForRecordsThatComeLater)
{
    begin();
    Rig rig, other;
    ASSERT_OK(rig.open());
    ASSERT_OK(rig.record());
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        fakecuda::reseed(seed);
        Observed first, second;
        fakecuda::start_ledger();
        ASSERT_OK(rig.launch(&first));
        ASSERT_OK(rig.wait());
        ASSERT_OK(rig.launch(&second));
        ASSERT_OK(rig.collect(&first));
        ASSERT_OK(rig.wait());
        ASSERT_OK(rig.collect(&second));
        const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
        EXPECT_EQ(first.times, truth(ledger, 0, 0));
        EXPECT_EQ(second.times, truth(ledger, 0, 1));
    }
}

TEST(Observe, PassesOverRunsThatNeedNotBeTimed)
{
    begin();
    Rig rig;
    ASSERT_OK(rig.open());
    Observed run(false), dropped, wanted;
    ASSERT_OK(rig.give(&run));
    ASSERT_OK(rig.give(&dropped));
    rig.drop(&dropped);
    fakecuda::start_ledger();
    ASSERT_OK(rig.wait());
    ASSERT_OK(rig.give(&wanted, 10));
    ASSERT_OK(rig.wait());
    ASSERT_OK(rig.collect(&run));
    ASSERT_OK(rig.collect(&wanted));
    EXPECT_TRUE(run.times.empty());
    EXPECT_TRUE(dropped.times.empty());
    EXPECT_EQ(wanted.times, truth(fakecuda::stop_ledger(), 10));
}

TEST(Observe, AsksForNothingIfTimesAreNotWanted)
{
    conformance::Device device;
    trib_device *opened = nullptr;
    ASSERT_OK(trib_device_open("cuda", nullptr, &opened));
    device.reset(opened);
    const trib_observation_options options = { op_count, 1, false };
    trib_observation *observation = nullptr;
    ASSERT_OK(opened->driver->observation_open(opened, &options, &observation));
    EXPECT_EQ(observation, nullptr);
}

// Of one process: the second joins, and the subscriber stays until the device is closed.
TEST(Observe, SharesOneSessionOfCupti)
{
    begin();
    Rig rig;
    ASSERT_OK(rig.open());
    {
        Rig other;
        ASSERT_OK(other.open());
        EXPECT_EQ(other.source(), rig.source());
        Observed a, b;
        fakecuda::start_ledger();
        ASSERT_OK(rig.give(&a));
        ASSERT_OK(other.give(&b, 10));
        ASSERT_OK(rig.wait());
        ASSERT_OK(other.wait());
        ASSERT_OK(rig.collect(&a));
        ASSERT_OK(other.collect(&b));
        const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
        EXPECT_EQ(a.times, truth(ledger));
        EXPECT_EQ(b.times, truth(ledger, 10));
    }
    rig.close();
    ASSERT_OK(rig.observe(1));
    Observed run;
    fakecuda::start_ledger();
    ASSERT_OK(rig.give(&run));
    ASSERT_OK(rig.wait());
    ASSERT_OK(rig.collect(&run));
    EXPECT_EQ(run.times, truth(fakecuda::stop_ledger()));
}

// The device that began it is closed first: the other goes on, and ends it.
TEST(Observe, GoesOnWhenAnotherDeviceIsClosed)
{
    begin();
    auto first = std::make_unique<Rig>();
    Rig second;
    ASSERT_OK(first->open());
    ASSERT_OK(second.open());
    first.reset();
    Observed run;
    fakecuda::start_ledger();
    ASSERT_OK(second.give(&run));
    ASSERT_OK(second.wait());
    ASSERT_OK(second.collect(&run));
    EXPECT_EQ(run.times, truth(fakecuda::stop_ledger()));
}

// ---- faults of CUPTI ----

// Three runs, eagerly or as a graph; what collecting them says.
std::vector<trib_status> three_runs(Rig &rig, bool graph, Observed runs[3])
{
    std::vector<trib_status> told;
    if (graph) EXPECT_OK(rig.record());
    fakecuda::start_ledger();
    for (int i = 0; i < 3; ++i) {
        EXPECT_OK(graph ? rig.launch(&runs[i]) : rig.give(&runs[i], 10 * i));
        EXPECT_OK(rig.wait());
        told.push_back(rig.collect(&runs[i]));
    }
    const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
    for (int i = 0; i < 3; ++i) {
        const Times expected = truth(ledger, graph ? 0 : 10 * i, graph ? i : 0);
        const trib_status &status = told[std::size_t(i)];
        EXPECT_EQ(runs[i].times, trib_failed(&status) ? Times() : expected) << status.message;
    }
    return told;
}

TEST(Observe, CountsRecordsThatNeverCome)
{
    for (bool graph : { false, true }) {
        fakecuda::Cupti cupti;
        cupti.lose = 11; // one of the second run's seven: 16 of the warm-up come first
        begin(cupti);
        Rig rig;
        ASSERT_OK(rig.open());
        Observed runs[3];
        const std::vector<trib_status> told = three_runs(rig, graph, runs);
        EXPECT_FAILS(told[0], TRIB_DEVICE_ERROR, "CUPTI lost 1 of");
        EXPECT_OK(told[1]);
        EXPECT_FAILS(told[2], TRIB_DEVICE_ERROR, "CUPTI lost 1 of");
    }
}

TEST(Observe, LosesTheFirstRecordsOnTheWarmUp)
{
    for (int lost : { 1, 16, 20 }) {
        fakecuda::Cupti cupti;
        cupti.lose_first = lost;
        begin(cupti);
        Rig rig;
        ASSERT_OK(rig.open());
        Observed runs[3];
        const std::vector<trib_status> told = three_runs(rig, true, runs);
        EXPECT_EQ(trib_failed(&told[0]), lost > 16);
        EXPECT_OK(told[1]);
        EXPECT_OK(told[2]);
    }
}

TEST(Observe, ReportsRecordsWithoutTimes)
{
    for (bool graph : { false, true }) {
        fakecuda::Cupti cupti;
        cupti.untimed = 11;
        begin(cupti);
        Rig rig;
        ASSERT_OK(rig.open());
        Observed runs[3];
        const std::vector<trib_status> told = three_runs(rig, graph, runs);
        EXPECT_FAILS(told[0], TRIB_DEVICE_ERROR, "CUPTI has no times in 1 of");
        EXPECT_OK(told[1]);
        EXPECT_FAILS(told[2], TRIB_DEVICE_ERROR, "CUPTI has no times in 1 of");
    }
}

// The right times come out, and the source says how.
TEST(Observe, GuessesByOrderIfCorrelationIdsAreWrong)
{
    fakecuda::Cupti cupti;
    cupti.wrong_ids = true;
    begin(cupti);
    Rig rig;
    ASSERT_OK(rig.open());
    Observed runs[3];
    for (const trib_status &status : three_runs(rig, true, runs)) EXPECT_OK(status);
    EXPECT_NE(rig.source().find("launches told apart by order"), std::string::npos) << rig.source();
}

TEST(Observe, GuessesForSeveralRunsInFlight)
{
    fakecuda::Cupti cupti;
    cupti.wrong_ids = true;
    begin(cupti);
    Rig rig;
    ASSERT_OK(rig.open());
    ASSERT_OK(rig.record());
    Observed runs[3];
    fakecuda::start_ledger();
    for (Observed &run : runs) ASSERT_OK(rig.launch(&run));
    ASSERT_OK(rig.wait());
    for (Observed &run : runs) {
        EXPECT_FAILS(rig.collect(&run), TRIB_DEVICE_ERROR, "CUPTI");
        EXPECT_TRUE(run.times.empty());
    }
    fakecuda::start_ledger();
    Observed later[3];
    for (Observed &run : later) ASSERT_OK(rig.launch(&run));
    ASSERT_OK(rig.wait());
    for (Observed &run : later) ASSERT_OK(rig.collect(&run));
    const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(later[i].times, truth(ledger, 0, i));
}

// Launches that nobody asks for do not make those beside them suspect.
TEST(Observe, IgnoresLaunchesThatNeedNotBeTimed)
{
    begin();
    Rig rig;
    ASSERT_OK(rig.open());
    ASSERT_OK(rig.record());
    for (int i = 0; i < 3; ++i) {
        fakecuda::start_ledger();
        Observed untimed(false), wanted, dropped;
        ASSERT_OK(rig.launch(&untimed));
        ASSERT_OK(rig.launch(&wanted));
        ASSERT_OK(rig.launch(&dropped));
        rig.drop(&dropped);
        ASSERT_OK(rig.wait());
        ASSERT_OK(rig.collect(&untimed));
        ASSERT_OK(rig.collect(&wanted));
        EXPECT_EQ(wanted.times, truth(fakecuda::stop_ledger(), 0, 1));
    }
    EXPECT_EQ(rig.source().find("order"), std::string::npos);
}

TEST(Observe, CountsACallOfTheRuntimeOnce)
{
    fakecuda::Cupti cupti;
    cupti.inner_ids = true;
    begin(cupti);
    Rig rig;
    ASSERT_OK(rig.open());
    Observed runs[3];
    for (const trib_status &status : three_runs(rig, false, runs)) EXPECT_OK(status);
}

TEST(Observe, SaysSoIfNodesAreUnknown)
{
    fakecuda::Cupti cupti;
    cupti.nodes = false;
    begin(cupti);
    Rig rig;
    ASSERT_OK(rig.open());
    Observed runs[3];
    for (const trib_status &status : three_runs(rig, true, runs))
        EXPECT_FAILS(status, TRIB_DEVICE_ERROR, "saw no work of op 0");
}

// ---- without CUPTI: events ----

// Times of events are right among themselves; the host's clock is only near.
void expect_same_but_shifted(const Times &told, const Times &wanted)
{
    ASSERT_EQ(told.size(), wanted.size());
    const std::int64_t shift = told.at(0).start - wanted.at(0).start;
    for (const auto &[op, interval] : wanted) {
        // An op begins when its stream comes to it: at the latest when its first work does.
        EXPECT_LE(told.at(op).start, interval.start + shift) << op;
        EXPECT_EQ(told.at(op).end, interval.end + shift) << op;
    }
}

void expect_events(const fakecuda::Cupti &cupti, const std::string &why)
{
    begin(cupti);
    Rig rig;
    ASSERT_OK(rig.open());
    EXPECT_EQ(rig.source().substr(0, 8), "events: ") << rig.source();
    EXPECT_NE(rig.source().find(why), std::string::npos) << rig.source();
    EXPECT_NE(rig.source().find("nsys"), std::string::npos) << rig.source();
    EXPECT_GT(rig.observation()->clock_step, 1);
    std::int64_t before = 0;
    for (int i = 0; i < 5; ++i) {
        Observed run;
        fakecuda::start_ledger();
        ASSERT_OK(rig.give(&run));
        ASSERT_OK(rig.wait());
        ASSERT_OK(rig.collect(&run));
        expect_same_but_shifted(run.times, truth(fakecuda::stop_ledger()));
        EXPECT_GE(run.times.at(0).start, before);
        before = run.times.at(3).end;
        fakecuda::spend(1000000000);
    }
}

TEST(ObserveByEvents, IfTheLibraryIsMissing)
{
    fakecuda::Cupti cupti;
    cupti.missing = true;
    expect_events(cupti, "cannot be loaded");
}

TEST(ObserveByEvents, IfThereIsNoDriver)
{
    fakecuda::Cupti cupti;
    cupti.driver = false;
    expect_events(cupti, "CUPTI_ERROR_UNKNOWN");
}

TEST(ObserveByEvents, IfAnotherProfilerHasCupti)
{
    fakecuda::Cupti cupti;
    cupti.holder = "CUPTI for Nsight Systems";
    expect_events(cupti, "CUPTI is used by CUPTI for Nsight Systems");
}

TEST(ObserveByEvents, CannotTellTimesInAGraph)
{
    fakecuda::Cupti cupti;
    cupti.missing = true;
    begin(cupti);
    Rig rig;
    ASSERT_OK(rig.open());
    ASSERT_OK(rig.record());
    Observed run;
    ASSERT_OK(rig.launch(&run));
    ASSERT_OK(rig.wait());
    EXPECT_FAILS(rig.collect(&run), TRIB_UNSUPPORTED, "a recorded plan");
    EXPECT_TRUE(run.times.empty());
}

// ---- every call and every allocation fails once ----

// All of it. Times that come out are right, however much fails; `complete`: there were any.
trib_status scenario(const fakecuda::Cupti &cupti, bool *complete)
{
    const bool on_purpose = cupti.missing; // else the failure led to events, on a real clock
    Rig rig;
    std::vector<Observed> runs(4);
    *complete = true;
    TRIB_TRY(rig.open(4));
    fakecuda::start_ledger();
    for (int i = 0; i < 2; ++i) TRIB_TRY(rig.give(&runs[std::size_t(i)], 100 + 10 * i));
    TRIB_TRY(rig.wait());
    const bool events = rig.source().substr(0, 6) == "events";
    if (!events) TRIB_TRY(rig.record());
    for (int i = 2; i < 4; ++i)
        TRIB_TRY(events ? rig.give(&runs[std::size_t(i)], 100 + 10 * i) : rig.launch(&runs[std::size_t(i)]));
    TRIB_TRY(rig.wait());
    std::vector<trib_status> told;
    for (Observed &run : runs) told.push_back(rig.collect(&run));
    const std::vector<fakecuda::Ran> ledger = fakecuda::stop_ledger();
    for (int i = 0; i < 4; ++i) {
        const bool graph = !events && i >= 2;
        const Times wanted = truth(ledger, graph ? 0 : 100 + 10 * i, graph ? i - 2 : 0);
        const trib_status &status = told[std::size_t(i)];
        *complete = *complete && !trib_failed(&status);
        EXPECT_TRUE(events || !trib_failed(&status) || runs[std::size_t(i)].times.empty()) << status.message;
        if (trib_failed(&status)) continue;
        if (events && on_purpose)
            expect_same_but_shifted(runs[std::size_t(i)].times, wanted);
        else if (events)
            EXPECT_EQ(runs[std::size_t(i)].times.size(), wanted.size());
        else
            EXPECT_EQ(runs[std::size_t(i)].times, wanted);
    }
    return trib_success();
}

void torture(const fakecuda::Cupti &cupti)
{
    bool complete = false;
    begin(cupti);
    fakecuda::fail(0, fakecuda::Failure::once);
    ASSERT_OK(scenario(cupti, &complete));
    const std::int64_t calls = fakecuda::stop_failing();
    ASSERT_TRUE(complete);
    int reported = 0, lost = 0;
    for (std::int64_t k = 1; k <= calls; k += support::by_form(5, 1)) {
        begin(cupti);
        fakecuda::fail(k, fakecuda::Failure::once);
        trib_status status = scenario(cupti, &complete);
        fakecuda::stop_failing();
        SCOPED_TRACE("call " + std::to_string(k) + ", " + fakecuda::failed_function() + ": " + status.message);
        EXPECT_EQ(fakecuda::leaks(), "");
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
        reported += trib_failed(&status);
        lost += !trib_failed(&status) && !complete;
    }
    EXPECT_GT(reported, 0);
    std::printf("%lld calls: %d fail, with %d times are lost\n", static_cast<long long>(calls), reported, lost);
}

TEST(ObserveTorture, EachCallFailsOnce) { torture({}); }

TEST(ObserveTorture, EachCallFailsOnceWithEvents)
{
    fakecuda::Cupti cupti;
    cupti.missing = true;
    torture(cupti);
}

void torture_memory(const fakecuda::Cupti &cupti, bool forever)
{
    bool complete = false;
    begin(cupti);
    trib_fault_arm(0, false);
    ASSERT_OK(scenario(cupti, &complete));
    const std::int64_t allocations = trib_fault_disarm();
    for (std::int64_t k = 1; k <= allocations; k += support::by_form(3, 1)) {
        begin(cupti);
        trib_fault_arm(k, forever);
        trib_status status = scenario(cupti, &complete);
        trib_fault_disarm();
        SCOPED_TRACE("allocation " + std::to_string(k) + ": " + status.message);
        EXPECT_EQ(fakecuda::leaks(), "");
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
        EXPECT_TRUE(!trib_failed(&status) || status.code == TRIB_OUT_OF_MEMORY);
    }
}

TEST(ObserveTorture, EachAllocationFailsOnce) { torture_memory({}, false); }
TEST(ObserveTorture, EachAllocationFailsAndEveryLaterOne) { torture_memory({}, true); }
TEST(ObserveTorture, EachAllocationFailsOnceWithEvents)
{
    fakecuda::Cupti cupti;
    cupti.missing = true;
    torture_memory(cupti, false);
}

} // namespace
