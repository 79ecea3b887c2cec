// SPDX-License-Identifier: Apache-2.0
// What a session reports to its listeners, with sinks that record it.
#include <algorithm>
#include <string>
#include <vector>

#include "runtime/nets.h"
#include "tributary/internal/fault.h"
extern "C" {
#include "runtime/session/traced.h"
#include "runtime/trace/trace.h"
}

namespace
{

struct Recorder {
    bool listens = true, broken = false;
    int open = 0;
    std::vector<std::string> calls;
};

trib_status open_recorder(void *context, const trib_trace_subject *subject, void **state)
{
    auto *recorder = static_cast<Recorder *>(context);
    if (recorder->broken) return TRIB_ERROR(TRIB_IO_ERROR, "the timeline cannot be written");
    if (!recorder->listens) return trib_success();
    ++recorder->open;
    recorder->calls.push_back(std::string("open ") + subject->plan->graph_name);
    *state = recorder;
    return trib_success();
}

void close_recorder(void *state) { --static_cast<Recorder *>(state)->open; }

void name_stream(void *state, int lane, int stream, const char *name)
{
    static_cast<Recorder *>(state)->calls.push_back("stream " + std::to_string(lane) + "." + std::to_string(stream) +
                                                    " " + name);
}

void push(void *state, const trib_trace_range *r)
{
    static const char *const what[] = { "chunk", "capture", "launch", "op" };
    std::string text = std::string("push ") + what[r->what];
    for (std::int64_t value : { std::int64_t(r->lane), std::int64_t(r->stream), std::int64_t(r->op), r->chunk })
        text += " " + std::to_string(value);
    static_cast<Recorder *>(state)->calls.push_back(text);
}

void pop(void *state, const trib_trace_range *r)
{
    push(state, r);
    std::string &text = static_cast<Recorder *>(state)->calls.back();
    text.replace(0, 4, "pop");
}

class Trace : public testing::Test
{
  protected:
    void SetUp() override
    {
        options.plan.schedule = TRIB_BRANCHES;
        options.plan.batch = options.max_batch = 1;
        options.lanes = 1;
    }
    trib_status create()
    {
        nets::Parameters parameters(graph.get());
        trib_session *made = nullptr;
        trib_status status =
            trib_session_create_traced(device.get(), graph.get(), parameters.data(), &options, { list, 2 }, &made);
        session.reset(made);
        return status;
    }
    trib_status run()
    {
        std::vector<float> y(10);
        void *outputs[] = { y.data() };
        return trib_session_run(session.get(), input.data(), 1, outputs);
    }
    // The reports of a session with one lane while it is created and runs chunks in sequence.
    std::vector<std::string> expected(int chunks) const
    {
        const trib_plan *plan = trib_session_plan(session.get());
        std::vector<std::string> calls { std::string("open ") + plan->graph_name };
        for (int i = 0; i < plan->stream_count; ++i) {
            std::string n = std::to_string(i);
            calls.push_back("stream 0." + n + " lane 0 stream " + n);
        }
        for (int chunk = 0; chunk < chunks; ++chunk) {
            const std::string submitted = "chunk 0 0 -1 " + std::to_string(chunk);
            calls.push_back("push " + submitted);
            for (int i = 0; i < plan->op_count; ++i) {
                const std::string op = "op 0 " + std::to_string(plan->ops[i].stream) + " " + std::to_string(i) + " " +
                                       std::to_string(chunk);
                calls.push_back("push " + op);
                calls.push_back("pop " + op);
            }
            calls.push_back("pop " + submitted);
        }
        return calls;
    }

    Recorder first, second;
    // Ranges alone; tests/runtime/timeline_test.cc is about runs.
    static trib_trace_sink sink(const char *name, Recorder *recorder)
    {
        trib_trace_sink s = {};
        s.name = name;
        s.context = recorder;
        s.open = open_recorder;
        s.close = close_recorder;
        s.name_stream = name_stream;
        s.push = push;
        s.pop = pop;
        return s;
    }
    trib_trace_sink one = sink("first", &first), two = sink("second", &second);
    const trib_trace_sink *list[2] = { &one, &two };
    nets::Device device = nets::cpu(1);
    nets::Graph graph = nets::inception(true);
    std::vector<float> input = nets::input_for(graph.get(), 1);
    trib_session_options options = trib_session_default_options();
    nets::Session session;
};

TEST_F(Trace, TwoSinksAreToldTheSameInTheSameOrder)
{
    ASSERT_OK(create());
    ASSERT_GT(trib_session_plan(session.get())->stream_count, 1);
    ASSERT_OK(run());
    ASSERT_OK(run());
    EXPECT_EQ(first.calls, expected(2));
    EXPECT_EQ(second.calls, first.calls);
    session.reset();
    EXPECT_EQ(first.open, 0);
    EXPECT_EQ(second.open, 0);
}

TEST_F(Trace, ACaptureIsToldOnceAndALaunchForEachChunk)
{
    options.launch = TRIB_GRAPH;
    ASSERT_OK(create());
    std::size_t made = first.calls.size();
    EXPECT_EQ(std::count(first.calls.begin(), first.calls.end(), "push capture 0 0 -1 -1"), 1);
    ASSERT_OK(run());
    EXPECT_EQ(std::vector<std::string>(first.calls.begin() + std::ptrdiff_t(made), first.calls.end()),
              (std::vector<std::string> { "push chunk 0 0 -1 0", "push launch 0 0 -1 0", "pop launch 0 0 -1 0",
                                          "pop chunk 0 0 -1 0" }));
    EXPECT_EQ(second.calls, first.calls);
}

TEST_F(Trace, WhereOneDoesNotListenTheOtherIsToldAll)
{
    first.listens = false;
    two.name_stream = nullptr; // optional
    ASSERT_OK(create());
    ASSERT_OK(run());
    EXPECT_EQ(first.calls, std::vector<std::string>());
    auto ranges = expected(1);
    ranges.erase(ranges.begin() + 1, ranges.begin() + 1 + trib_session_plan(session.get())->stream_count);
    EXPECT_EQ(second.calls, ranges);
}

TEST_F(Trace, WhereNobodyListensThereIsNoList)
{
    first.listens = second.listens = false;
    nets::Plan plan = nets::plan(graph.get(), device.get(), options.plan);
    trib_trace *trace = nullptr;
    trib_fault_arm(0, false);
    const trib_trace_subject subject = { device.get(), plan.get(), 1, 1, nullptr };
    EXPECT_OK(trib_trace_create(&subject, { list, 2 }, &trace));
    EXPECT_EQ(trib_fault_disarm(), 0); // nothing is allocated
    EXPECT_EQ(trace, nullptr);
}

TEST_F(Trace, ASinkThatCannotBeOpenedIsReportedByName)
{
    second.broken = true;
    EXPECT_FAILS(create(), TRIB_IO_ERROR, "trace sink second: the timeline cannot be written");
    EXPECT_EQ(first.open, 0); // and the one before it is closed
}

TEST_F(Trace, SinksAreClosedWhereThereIsNoMemory)
{
    nets::Plan plan = nets::plan(graph.get(), device.get(), options.plan);
    trib_trace *trace = nullptr;
    const trib_trace_subject subject = { device.get(), plan.get(), 1, 1, nullptr };
    trib_fault_arm(1, false);
    EXPECT_FAILS(trib_trace_create(&subject, { list, 2 }, &trace), TRIB_OUT_OF_MEMORY, "trace sinks");
    EXPECT_EQ(trib_fault_disarm(), 1);
    EXPECT_EQ(first.open, 0);
    EXPECT_EQ(second.open, 0);
}

TEST_F(Trace, RangesAreClosedWhateverFails)
{
    bool reached = true;
    for (std::int64_t k = 1; reached; ++k) {
        first.calls.clear();
        second.calls.clear();
        trib_fault_arm(k, false);
        trib_status status = create();
        if (!trib_failed(&status)) status = run();
        reached = trib_fault_disarm() >= k;
        session.reset();
        int depth = 0;
        for (const std::string &call : first.calls) depth += (call.rfind("push", 0) == 0) - (call.rfind("pop", 0) == 0);
        EXPECT_EQ(depth, 0) << "operation " << k;
        if (second.calls.size()) {
            EXPECT_EQ(second.calls, first.calls);
        }
        EXPECT_EQ(first.open + second.open, 0);
    }
}

} // namespace
