// SPDX-License-Identifier: Apache-2.0
// Memory that any stream may use is freed on the device's own stream, while other streams record graphs.
#include <chrono>
#include <future>

#include "conformance/conformance.h"
#include "fakecuda/fakecuda.h"

using conformance::Capture;
using conformance::Device;
using conformance::Event;
using conformance::Stream;

namespace
{

class CudaFree : public testing::Test
{
  protected:
    void SetUp() override { open(1); }
    void TearDown() override { EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0); }
    void open(std::uint64_t seed)
    {
        fakecuda::Options options;
        options.seed = seed;
        s.reset(), t.reset(), device.reset();
        fakecuda::reset(options);
        trib_device *opened = nullptr;
        ASSERT_OK(trib_device_open("cuda", nullptr, &opened));
        device.reset(opened);
        t = stream(), s = stream(); // s is the first that a free looks at
    }
    Stream stream()
    {
        trib_stream *made = nullptr;
        EXPECT_OK(trib_stream_create(device.get(), nullptr, &made));
        return Stream(made);
    }
    void *alloc(const Stream &stream)
    {
        void *memory = nullptr;
        EXPECT_OK(trib_device_alloc(device.get(), stream.get(), 64, &memory));
        return memory;
    }

    Device device;
    Stream s, t;
};

// One thread frees, and is about to record an event on `s`, which records nothing; another begins a capture there.
TEST_F(CudaFree, StaysOutOfACaptureThatBeginsOnAnotherThread)
{
    void *any = alloc(t), *cell = alloc(s);
    trib_status begun = trib_success();
    std::future<void> other;
    for (const Stream *stream : { &s, &t }) ASSERT_OK(trib_stream_synchronize(stream->get()));
    fakecuda::pause_before("cudaEventRecord", [&] {
        other = std::async(std::launch::async, [&] { begun = trib_capture_begin(s.get()); });
        other.wait_for(std::chrono::milliseconds(200)); // it may have to wait until the event is recorded
    });
    trib_device_free(device.get(), nullptr, any);
    ASSERT_TRUE(other.valid()) << "no event was recorded";
    other.get();
    ASSERT_OK(begun);
    trib_capture *made = nullptr;
    EXPECT_OK(trib_fill_zero(s.get(), cell, 64));
    EXPECT_OK(trib_capture_end(s.get(), &made));
    Capture capture(made);
    trib_device_free(device.get(), s.get(), cell);
}

// What a stream was given before it began to record, or joined, is waited for all the same.
TEST_F(CudaFree, WaitsForWorkFromBeforeACapture)
{
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        open(seed);
        void *of_s = alloc(s), *of_t = alloc(t);
        trib_event *made = nullptr;
        trib_capture *captured = nullptr;
        ASSERT_OK(trib_event_create(device.get(), &made));
        Event fork(made);
        ASSERT_OK(trib_fill_zero(s.get(), of_s, 64));
        ASSERT_OK(trib_fill_zero(t.get(), of_t, 64));
        ASSERT_OK(trib_capture_begin(s.get()));
        ASSERT_OK(trib_event_record(made, s.get()));
        ASSERT_OK(trib_stream_wait(t.get(), made));
        trib_device_free(device.get(), nullptr, of_s);
        trib_device_free(device.get(), nullptr, of_t);
        ASSERT_OK(trib_event_record(made, t.get()));
        ASSERT_OK(trib_stream_wait(s.get(), made));
        ASSERT_OK(trib_capture_end(s.get(), &captured));
        Capture capture(captured);
        for (const Stream *stream : { &s, &t }) ASSERT_OK(trib_stream_synchronize(stream->get()));
        ASSERT_EQ(fakecuda::violations().size(), 0u) << fakecuda::violations()[0];
    }
}

} // namespace
