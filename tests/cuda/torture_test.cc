// SPDX-License-Identifier: Apache-2.0
// Whatever CUDA call or host allocation fails, once or from then on or as a fault of the device: a clear error, nothing
// leaked, and the next run works if the device does.
#include <cstring>

#include "conformance/conformance.h"
#include "fakecuda/fakecuda.h"
#include "tributary/internal/fault.h"

using conformance::Capture;
using conformance::Device;
using conformance::Event;
using conformance::Stream;

namespace
{

constexpr std::size_t cells = 5000, bytes = cells * sizeof(int);

// One of everything the device does. The result is the same however the work is ordered.
class Scenario
{
  public:
    trib_status run()
    {
        trib_device *opened = nullptr;
        trib_device_options options = {};
        options.memory_limit = 100 * bytes;
        TRIB_TRY(trib_device_open("cuda", &options, &opened));
        Device device(opened);
        trib_status status = use(opened);
        left_ = trib_device_memory(opened).current_bytes;
        return status;
    }
    std::int64_t left() const { return left_; }
    const std::vector<int> &result() const { return result_; }

  private:
    trib_status use(trib_device *device)
    {
        trib_stream *s = nullptr, *t = nullptr;
        trib_event *fork = nullptr, *join = nullptr;
        trib_stream_options urgent = { "urgent", 0, 7 };
        TRIB_TRY(trib_stream_create(device, nullptr, &s));
        Stream own_s(s);
        TRIB_TRY(trib_stream_create(device, &urgent, &t));
        Stream own_t(t);
        TRIB_TRY(trib_event_create(device, &fork));
        Event own_fork(fork);
        TRIB_TRY(trib_event_create(device, &join));
        Event own_join(join);
        void *x = nullptr, *y = nullptr, *host = nullptr;
        trib_status status = trib_host_alloc(device, bytes, &host);
        if (!trib_failed(&status)) status = trib_device_alloc(device, s, bytes, &x);
        if (!trib_failed(&status)) status = trib_device_alloc(device, s, bytes, &y);
        if (!trib_failed(&status)) status = eager(s, t, fork, join, x, y);
        if (!trib_failed(&status)) status = captured(device, s, t, fork, join, x, y);
        trib_status ends[] = { trib_stream_synchronize(s), trib_stream_synchronize(t) };
        trib_device_free(device, s, x);
        trib_device_free(device, s, y);
        trib_host_free(device, host);
        for (const trib_status &end : ends)
            if (!trib_failed(&status)) status = end;
        return status;
    }

    // x = source on s; y = x on t; back to the host.
    trib_status eager(trib_stream *s, trib_stream *t, trib_event *fork, trib_event *join, void *x, void *y)
    {
        int64_t ns = 0;
        for (std::size_t i = 0; i < cells; ++i) source_[i] = int(i);
        TRIB_TRY(trib_copy_to_device(s, x, source_.data(), bytes));
        TRIB_TRY(trib_event_record(fork, s));
        TRIB_TRY(trib_stream_wait(t, fork));
        TRIB_TRY(trib_copy_on_device(t, y, x, bytes));
        TRIB_TRY(trib_event_record(join, t));
        TRIB_TRY(trib_stream_wait(s, join));
        TRIB_TRY(trib_fill_zero(s, x, bytes / 2));
        TRIB_TRY(trib_copy_to_host(s, result_.data(), y, bytes));
        TRIB_TRY(trib_event_synchronize(join));
        TRIB_TRY(trib_event_elapsed(fork, join, &ns));
        return trib_stream_synchronize(s);
    }

    // The same as a graph, with allocation and freeing in the middle, launched twice.
    trib_status captured(trib_device *device, trib_stream *s, trib_stream *t, trib_event *fork, trib_event *join,
                         void *x, void *y)
    {
        TRIB_TRY(trib_capture_begin(s));
        trib_status status = record(device, s, t, fork, join, x, y);
        trib_capture *made = nullptr;
        trib_status end = trib_capture_end(s, &made);
        Capture capture(made);
        TRIB_TRY(status);
        TRIB_TRY(end);
        for (int round = 1; round <= 2; ++round) {
            for (std::size_t i = 0; i < cells; ++i) source_[i] = int(i) * round;
            if (round == 2) TRIB_TRY(replaced(capture.get(), device, s, t, fork, join, x, y));
            TRIB_TRY(trib_capture_launch(capture.get(), s));
            TRIB_TRY(trib_stream_synchronize(s));
        }
        return trib_success();
    }

    // By the same work once more.
    trib_status replaced(trib_capture *capture, trib_device *device, trib_stream *s, trib_stream *t, trib_event *fork,
                         trib_event *join, void *x, void *y)
    {
        TRIB_TRY(trib_capture_begin(s));
        trib_status status = record(device, s, t, fork, join, x, y);
        trib_status end = trib_capture_replace(s, capture);
        return trib_failed(&status) ? status : end;
    }

    trib_status record(trib_device *device, trib_stream *s, trib_stream *t, trib_event *fork, trib_event *join, void *x,
                       void *y)
    {
        void *scratch = nullptr;
        TRIB_TRY(trib_copy_to_device(s, x, source_.data(), bytes));
        TRIB_TRY(trib_event_record(fork, s));
        TRIB_TRY(trib_stream_wait(t, fork));
        TRIB_TRY(trib_copy_on_device(t, y, x, bytes));
        TRIB_TRY(trib_device_alloc(device, s, 1000, &scratch));
        trib_device_free(device, s, scratch);
        TRIB_TRY(trib_event_record(join, t));
        TRIB_TRY(trib_stream_wait(s, join));
        return trib_copy_to_host(s, result_.data(), y, bytes);
    }

    std::vector<int> source_ = std::vector<int>(cells), result_ = std::vector<int>(cells);
    std::int64_t left_ = 0;
};

void expect_clean(const Scenario &scenario)
{
    for (std::size_t i = 0; i < cells; ++i) ASSERT_EQ(scenario.result()[i], int(i) * 2);
}

std::int64_t count_calls()
{
    Scenario scenario;
    fakecuda::fail(0, fakecuda::Failure::once);
    EXPECT_OK(scenario.run());
    std::int64_t calls = fakecuda::stop_failing();
    expect_clean(scenario);
    return calls;
}

void check_message(const trib_status &status)
{
    EXPECT_TRUE(status.code == TRIB_DEVICE_ERROR || status.code == TRIB_OUT_OF_MEMORY) << status.message;
    EXPECT_TRUE(std::strstr(status.message, "cuda") || std::strstr(status.message, "cudnn") ||
                std::strstr(status.message, "cublas"))
        << status.message;
}

void torture(fakecuda::Failure how)
{
    std::int64_t calls = count_calls(), reported = 0;
    ASSERT_GT(calls, 80);
    for (std::int64_t k = 1; k <= calls + 3; ++k) {
        fakecuda::Options options;
        options.seed = std::uint64_t(k);
        fakecuda::reset(options);
        fakecuda::fail(k, how);
        Scenario scenario;
        trib_status status = scenario.run();
        fakecuda::stop_failing();
        SCOPED_TRACE("call " + std::to_string(k) + ", " + fakecuda::failed_function() + ": " + status.message);
        EXPECT_EQ(fakecuda::leaks(), "");
        EXPECT_EQ(scenario.left(), 0);
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
        if (trib_failed(&status)) {
            check_message(status);
            if (how == fakecuda::Failure::sticky) {
                EXPECT_NE(std::strstr(status.message, "cudaErrorIllegalAddress"), nullptr);
            }
            ++reported;
        } else {
            expect_clean(scenario);
        }
        Scenario next;
        trib_status again = next.run();
        if (how == fakecuda::Failure::sticky && !fakecuda::failed_function().empty()) {
            EXPECT_EQ(again.code, TRIB_DEVICE_ERROR) << "the process has lost the device";
            EXPECT_EQ(fakecuda::leaks(), "");
        } else {
            EXPECT_EQ(again.code, TRIB_OK) << again.message;
            expect_clean(next);
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(reported, calls / 2);
    testing::Test::RecordProperty("calls", int(calls));
    testing::Test::RecordProperty("reported", int(reported));
    fakecuda::reset();
}

TEST(Torture, EachCallFailsOnce) { torture(fakecuda::Failure::once); }
TEST(Torture, EachCallFailsAndEveryLaterOne) { torture(fakecuda::Failure::forever); }
TEST(Torture, TheDeviceFaultsAtEachCall) { torture(fakecuda::Failure::sticky); }

void torture_host_memory(bool forever)
{
    trib_fault_arm(0, false);
    Scenario clean;
    ASSERT_OK(clean.run());
    std::int64_t steps = trib_fault_disarm();
    ASSERT_GT(steps, 5);
    for (std::int64_t k = 1; k <= steps; ++k) {
        Scenario scenario;
        trib_fault_arm(k, forever);
        trib_status status = scenario.run();
        trib_fault_disarm();
        SCOPED_TRACE("allocation " + std::to_string(k) + ": " + status.message);
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY);
        EXPECT_EQ(fakecuda::leaks(), "");
        EXPECT_EQ(scenario.left(), 0);
        Scenario next;
        EXPECT_OK(next.run());
        expect_clean(next);
    }
}

TEST(Torture, EachHostAllocationFailsOnce) { torture_host_memory(false); }
TEST(Torture, EachHostAllocationFailsAndEveryLaterOne) { torture_host_memory(true); }

// From what is needed down to nothing: it works, then it does not, and never works again further down.
TEST(Torture, LoweringTheMemoryIsMonotone)
{
    const int parts = 16;
    bool worked_before = true;
    int worked = 0;
    for (int percent = 110; percent > 0; --percent) {
        fakecuda::Options options;
        options.memory = std::size_t(parts) * 65536 * std::size_t(percent) / 100;
        fakecuda::reset(options);
        trib_device *opened = nullptr;
        ASSERT_OK(trib_device_open("cuda", nullptr, &opened));
        Device device(opened);
        trib_stream *made = nullptr;
        ASSERT_OK(trib_stream_create(opened, nullptr, &made));
        Stream stream(made);
        std::vector<void *> memory(parts, nullptr);
        trib_status status = trib_success();
        for (void *&part : memory)
            if (!trib_failed(&status)) status = trib_device_alloc(opened, made, 65536, &part);
        for (void *part : memory) trib_device_free(opened, made, part);
        bool works = !trib_failed(&status);
        EXPECT_TRUE(worked_before || !works) << percent;
        if (!works) {
            EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << status.message;
            EXPECT_NE(std::strstr(status.message, "65536 bytes asked for"), nullptr) << status.message;
        }
        worked_before = works;
        worked += works;
        EXPECT_OK(trib_stream_synchronize(made)); // an allocation that fails harms nothing else
    }
    EXPECT_EQ(worked, 11); // 100 % to 110 %
    EXPECT_FALSE(worked_before);
}

} // namespace
