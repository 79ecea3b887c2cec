// SPDX-License-Identifier: Apache-2.0
// Without a tool: nothing is kept, nothing is allocated, and a range costs a few nanoseconds. A program of its own,
// since NVTX looks for a tool once.
#include <chrono>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "runtime/nets.h"
#include "tributary/internal/fault.h"
extern "C" {
#include "trace/trace.h"
}

namespace
{

class NvtxSilent : public testing::Test
{
  protected:
    void SetUp() override
    {
        ::unsetenv("NVTX_INJECTION64_PATH"); // the tests themselves may run under a profiler
        ::setenv("NVTX_RECORD", record.c_str(), 1);
    }
    support::TemporaryFolder folder;
    std::string record = folder.file("record");
    nets::Device device = nets::cpu();
    nets::Graph graph = nets::inception(true);
};

TEST_F(NvtxSilent, NothingIsRecordedAndNothingAllocated)
{
    nets::Plan plan = nets::plan(graph.get(), device.get(), trib_plan_default_options());
    trib_trace *trace = nullptr;
    trib_fault_arm(0, false);
    const trib_trace_subject subject = { device.get(), plan.get(), 1, 1, nullptr };
    EXPECT_OK(trib_trace_create(&subject, trib_trace_default_sinks(), &trace));
    EXPECT_EQ(trib_fault_disarm(), 0);
    EXPECT_EQ(trace, nullptr);
    trib_trace_destroy(trace);

    auto input = nets::input_for(graph.get(), 1);
    std::vector<float> y(10);
    void *outputs[] = { y.data() };
    nets::Session s = nets::session(graph.get(), device.get(), trib_session_default_options());
    ASSERT_OK(trib_session_run(s.get(), input.data(), 1, outputs));
    EXPECT_NE(::access(record.c_str(), F_OK), 0);
}

// Reported, not judged: machines differ.
TEST_F(NvtxSilent, CostOfARange)
{
    constexpr int count = 10000000;
    trib_trace *volatile none = nullptr; // as in a lane: looked at each time
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
        const trib_trace_range range = { TRIB_TRACE_OP, 0, 0, i, i };
        trib_trace_push(none, &range);
        trib_trace_pop(none, &range);
    }
    std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    std::cout << "a push and a pop: " << time.count() / count << " ns\n";
}

} // namespace
