// SPDX-License-Identifier: Apache-2.0
// What the CUDA device does beyond the conformance suite: what it is called, how it uses CUDA, how it fails.
#include <cstring>
#include <thread>

#include "conformance/conformance.h"
#include "cuda/watch.h"
#include "fakecuda/fakecuda.h"

using conformance::Capture;
using conformance::Device;
using conformance::Event;
using conformance::Stream;

namespace
{

class Cuda : public testing::Test
{
  protected:
    static Device open(const char *spec = "cuda")
    {
        trib_device *opened = nullptr;
        EXPECT_OK(trib_device_open(spec, nullptr, &opened));
        return Device(opened);
    }
    static Stream stream(const Device &device, const char *name = "test", int priority = 0)
    {
        trib_stream_options options = { name, 0, priority };
        trib_stream *made = nullptr;
        EXPECT_OK(trib_stream_create(device.get(), &options, &made));
        return Stream(made);
    }
    static void *alloc(const Device &device, const Stream &stream, std::size_t bytes)
    {
        void *memory = nullptr;
        EXPECT_OK(trib_device_alloc(device.get(), stream.get(), bytes, &memory));
        return memory;
    }
};

// ---- which device ----

TEST_F(Cuda, DescribesItself)
{
    Device device = open();
    const trib_device_info &info = *trib_device_get_info(device.get());
    EXPECT_STREQ(info.spec, "cuda:0");
    EXPECT_STREQ(info.name, "NVIDIA H200");
    EXPECT_STREQ(info.instructions, "sm_90");
    EXPECT_NE(std::strstr(info.library, "CUDA 1"), nullptr) << info.library;
    EXPECT_NE(std::strstr(info.library, "driver 13.0"), nullptr) << info.library;
    EXPECT_EQ(info.cores, 132);
    EXPECT_EQ(info.memory_bytes, std::int64_t(1) << 30);
    EXPECT_TRUE(info.has_capture);
    EXPECT_FALSE(info.host);
    EXPECT_EQ(info.layouts[0], TRIB_NHWC);
}

TEST_F(Cuda, EachDeviceIsListedAndOpened)
{
    fakecuda::Options options;
    options.devices = 3;
    fakecuda::reset(options);
    trib_device_listing all[8];
    ASSERT_EQ(trib_device_list(all, 8), 4);
    EXPECT_STREQ(all[0].spec, "cpu");
    EXPECT_STREQ(all[3].spec, "cuda:2");
    EXPECT_TRUE(all[3].available);
    EXPECT_NE(std::strstr(all[3].description, "NVIDIA H200, sm_90, 132"), nullptr) << all[3].description;
    EXPECT_EQ(trib_device_list(all, 2), 4) << "only as many as fit are written";
    Device device = open("cuda:2");
    EXPECT_STREQ(trib_device_get_info(device.get())->spec, "cuda:2");
    trib_device *none = nullptr;
    EXPECT_FAILS(trib_device_open("cuda:3", nullptr, &none), TRIB_NOT_FOUND, "the last CUDA device here is cuda:2");
    EXPECT_FAILS(trib_device_open("cuda:99999999999999999999", nullptr, &none), TRIB_NOT_FOUND, "cuda:2");
}

// Every thread has its own current device: each call selects the right one (or the simulation objects).
TEST_F(Cuda, WorksFromEveryThread)
{
    fakecuda::Options options;
    options.devices = 2;
    fakecuda::reset(options);
    Device first = open("cuda:0"), second = open("cuda:1");
    Stream s = stream(second);
    std::thread([&] {
        int value = 3, seen = 0;
        void *cell = alloc(second, s, sizeof value);
        EXPECT_OK(trib_copy_to_device(s.get(), cell, &value, sizeof value));
        Stream other = stream(first);
        EXPECT_OK(trib_copy_to_host(s.get(), &seen, cell, sizeof seen));
        EXPECT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(seen, 3);
        trib_device_free(second.get(), s.get(), cell);
    }).join();
}

TEST_F(Cuda, WithoutADriverOrADeviceItSaysSo)
{
    trib_device *none = nullptr;
    trib_device_listing all[4];
    fakecuda::Options options;
    options.driver = false;
    fakecuda::reset(options);
    EXPECT_FAILS(trib_device_open("cuda", nullptr, &none), TRIB_UNSUPPORTED, "no NVIDIA driver");
    ASSERT_EQ(trib_device_list(all, 4), 2);
    EXPECT_FALSE(all[1].available);
    EXPECT_STREQ(all[1].spec, "cuda");
    EXPECT_NE(std::strstr(all[1].description, "driver"), nullptr);
    options.driver = true;
    options.devices = 0;
    fakecuda::reset(options);
    EXPECT_FAILS(trib_device_open("cuda:0", nullptr, &none), TRIB_NOT_FOUND, "no CUDA device is visible");
    EXPECT_EQ(none, nullptr);
}

// Until this build has operators for CUDA devices, "auto" must not choose one.
TEST_F(Cuda, AutoChoosesADeviceThatComputes)
{
    trib_device *opened = nullptr;
    ASSERT_OK(trib_device_open("auto", nullptr, &opened));
    Device device(opened);
    trib_op_desc desc = {};
    desc.kind = TRIB_CONV2D;
    desc.input_count = desc.output_count = 1;
    desc.attributes.conv2d.k = 8;
    desc.attributes.conv2d.r = desc.attributes.conv2d.s = 1;
    desc.attributes.conv2d.stride_h = desc.attributes.conv2d.stride_w = 1;
    trib_view &view = desc.inputs[0];
    view.layout = TRIB_NHWC;
    view.n = 1, view.c = view.c_total = 8, view.h = view.w = 4;
    desc.outputs[0] = view;
    trib_implementation any[4];
    int count = 0;
    char reason[TRIB_MESSAGE_SIZE];
    ASSERT_OK(trib_op_implementations(opened, &desc, true, any, 4, &count, reason));
    EXPECT_GT(count, 0) << trib_device_get_info(opened)->spec << ": " << reason;
}

// ---- how it uses CUDA ----

TEST_F(Cuda, StreamsAndEventsAreUsedAgain)
{
    Device device = open();
    for (int i = 0; i < 50; ++i) {
        Stream a = stream(device), b = stream(device, "urgent", 3);
        trib_event *made = nullptr;
        ASSERT_OK(trib_event_create(device.get(), &made));
        Event event(made);
        EXPECT_OK(trib_stream_wait(a.get(), made)); // its earlier records are not the new owner's
        int64_t ns = 0;
        EXPECT_FAILS(trib_event_elapsed(made, made, &ns), TRIB_INVALID_ARGUMENT, "never recorded");
        ASSERT_OK(trib_event_record(made, b.get()));
    }
    fakecuda::Counts counts = fakecuda::counts();
    EXPECT_EQ(counts.streams, 3); // one is the device's own
    EXPECT_EQ(counts.events, 1);
}

// A thousand pieces of work, of which the device does one now and then: the last is certainly not done.
TEST_F(Cuda, TimeOfAnEventNotYetReachedIsRefused)
{
    Device device = open();
    Stream s = stream(device);
    trib_event *start = nullptr, *end = nullptr;
    int64_t ns = -1;
    ASSERT_OK(trib_event_create(device.get(), &start));
    ASSERT_OK(trib_event_create(device.get(), &end));
    Event first(start), last(end);
    void *cell = alloc(device, s, 64);
    ASSERT_OK(trib_event_record(start, s.get()));
    for (int i = 0; i < 1000; ++i) ASSERT_OK(trib_fill_zero(s.get(), cell, 64));
    ASSERT_OK(trib_event_record(end, s.get()));
    ASSERT_GT(fakecuda::pending(), 100u);
    EXPECT_FAILS(trib_event_elapsed(end, end, &ns), TRIB_INVALID_ARGUMENT, "not completed");
    EXPECT_EQ(ns, -1);
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_OK(trib_event_elapsed(start, end, &ns));
    trib_device_free(device.get(), s.get(), cell);
}

// Ordinary memory passes through pinned blocks in both directions, which are used again; the caller never waits.
TEST_F(Cuda, CopiesAreAsynchronousAndSteady)
{
    Device device = open();
    Stream s = stream(device);
    const std::size_t bytes = std::size_t(40) << 20;
    std::vector<char> source(bytes), seen(bytes);
    for (std::size_t i = 0; i < bytes; ++i) source[i] = char(i * 31 >> 3);
    void *memory = alloc(device, s, bytes);
    std::int64_t pinned = 0;
    for (int round = 0; round < 4; ++round) {
        ASSERT_OK(trib_copy_to_device(s.get(), memory, source.data(), bytes));
        ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), memory, bytes));
        if (round == 0) {
            EXPECT_GT(fakecuda::pending(), 0u) << "nothing has waited";
        }
        ASSERT_OK(trib_stream_synchronize(s.get()));
        ASSERT_EQ(seen, source);
        if (round == 0) pinned = fakecuda::counts().pinned;
    }
    EXPECT_EQ(fakecuda::counts().pinned, pinned);
    trib_device_free(device.get(), s.get(), memory);
}

TEST_F(Cuda, PinnedMemoryIsCopiedAsItIs)
{
    Device device = open();
    Stream s = stream(device);
    void *host = nullptr;
    ASSERT_EQ(cudaHostAlloc(&host, 4096, cudaHostAllocDefault), cudaSuccess);
    void *memory = alloc(device, s, 4096);
    std::memset(host, 1, 4096);
    ASSERT_OK(trib_copy_to_device(s.get(), memory, host, 4096));
    ASSERT_OK(trib_fill_zero(s.get(), memory, 2048));
    ASSERT_OK(trib_copy_to_host(s.get(), host, memory, 4096));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(static_cast<char *>(host)[2047], 0);
    EXPECT_EQ(static_cast<char *>(host)[2048], 1);
    EXPECT_EQ(fakecuda::counts().pinned, 1) << "no block was needed";
    trib_device_free(device.get(), s.get(), memory);
    ASSERT_EQ(cudaFreeHost(host), cudaSuccess);
}

// What the library gives callers to copy from and to, from any part of it.
TEST_F(Cuda, HostMemoryIsPinnedAndNeedsNoBlock)
{
    Device device = open();
    Stream s = stream(device);
    void *host = nullptr;
    ASSERT_OK(trib_host_alloc(device.get(), 8192, &host));
    void *memory = alloc(device, s, 4096);
    std::memset(host, 1, 8192);
    char *middle = static_cast<char *>(host) + 1000;
    ASSERT_OK(trib_copy_to_device(s.get(), memory, middle, 4096));
    std::memset(middle, 2, 10); // read when the device comes to it, not when it is asked
    ASSERT_OK(trib_copy_to_host(s.get(), middle + 2000, memory, 4096));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(fakecuda::counts().pinned, 1) << "a copy was staged";
    EXPECT_EQ(trib_host_memory(device.get()).current_bytes, 8192);
    trib_device_free(device.get(), s.get(), memory);
    trib_host_free(device.get(), host);
}

TEST_F(Cuda, HostMemoryThatTheSystemDoesNotLockIsAnErrorThatSaysSo)
{
    fakecuda::Options options;
    options.pinned = 10000;
    fakecuda::reset(options);
    Device device = open();
    void *first = nullptr, *second = nullptr;
    ASSERT_OK(trib_host_alloc(device.get(), 6000, &first));
    EXPECT_FAILS(
        trib_host_alloc(device.get(), 6001, &second), TRIB_OUT_OF_MEMORY,
        "cuda:0: page-locked host memory: 6001 bytes asked for, 6000 in use here, and the system locks no more");
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    EXPECT_EQ(second, nullptr);
    device.reset(); // what its owner forgot goes with the device
    EXPECT_EQ(fakecuda::leaks(), "");
}

// Pinned memory runs out: copies wait for blocks that come back instead of failing.
TEST_F(Cuda, LittlePinnedMemoryIsEnough)
{
    fakecuda::Options options;
    options.pinned = std::size_t(17) << 20;
    fakecuda::reset(options);
    Device device = open();
    Stream s = stream(device);
    const std::size_t bytes = std::size_t(64) << 20;
    std::vector<char> source(bytes, 7), seen(bytes);
    void *memory = alloc(device, s, bytes);
    ASSERT_OK(trib_copy_to_device(s.get(), memory, source.data(), bytes));
    ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), memory, bytes));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, source);
    trib_device_free(device.get(), s.get(), memory);
}

TEST_F(Cuda, NoPinnedMemoryIsAnErrorThatSaysSo)
{
    fakecuda::Options options;
    options.pinned = 1000;
    fakecuda::reset(options);
    Device device = open();
    Stream s = stream(device);
    void *memory = alloc(device, s, 4);
    int value = 0;
    EXPECT_FAILS(trib_copy_to_device(s.get(), memory, &value, 4), TRIB_OUT_OF_MEMORY, "pinned memory for copies");
    trib_device_free(device.get(), s.get(), memory);
}

TEST_F(Cuda, MemoryThePoolKeptIsTrimmedBeforeAnAllocationFails)
{
    fakecuda::Options options;
    options.memory = 1 << 20;
    fakecuda::reset(options);
    Device device = open();
    Stream s = stream(device);
    void *parts[4];
    for (void *&part : parts) part = alloc(device, s, 200 << 10);
    for (void *part : parts) trib_device_free(device.get(), s.get(), part);
    void *large = alloc(device, s, 1 << 20);
    ASSERT_NE(large, nullptr);
    void *more = nullptr;
    EXPECT_FAILS(trib_device_alloc(device.get(), s.get(), 4096, &more), TRIB_OUT_OF_MEMORY,
                 "cuda:0 memory: 4096 bytes asked for, 1048576 in use");
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    trib_device_free(device.get(), s.get(), large);
    EXPECT_EQ(trib_device_memory(device.get()).peak_bytes, 1 << 20);
}

TEST_F(Cuda, MemoryMayBeAllocatedAndFreedWhileCapturing)
{
    Device device = open();
    Stream s = stream(device);
    int value = 11, seen = 0;
    void *old = alloc(device, s, 4), *target = alloc(device, s, 4);
    ASSERT_OK(trib_copy_to_device(s.get(), old, &value, 4));
    ASSERT_OK(trib_copy_on_device(s.get(), target, old, 4)); // still on its way when `old` is freed
    ASSERT_OK(trib_capture_begin(s.get()));
    trib_device_free(device.get(), s.get(), old);
    void *fresh = alloc(device, s, 4);
    ASSERT_OK(trib_copy_on_device(s.get(), fresh, target, 4));
    trib_capture *made = nullptr;
    ASSERT_OK(trib_capture_end(s.get(), &made));
    Capture capture(made);
    ASSERT_OK(trib_capture_launch(made, s.get()));
    ASSERT_OK(trib_copy_to_host(s.get(), &seen, fresh, 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, 11);
    trib_device_free(device.get(), s.get(), fresh);
    trib_device_free(device.get(), s.get(), target);
    EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0);
}

// CUDA does not update a graph whose copies change direction: it is made again.
TEST_F(Cuda, ACaptureIsReplacedByOneThatCopiesTheOtherWay)
{
    Device device = open();
    Stream s = stream(device);
    void *cell = alloc(device, s, 4), *host = nullptr;
    ASSERT_EQ(cudaHostAlloc(&host, 4, cudaHostAllocDefault), cudaSuccess);
    int *value = static_cast<int *>(host);
    trib_capture *made = nullptr;
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), cell, host, 4));
    ASSERT_OK(trib_capture_end(s.get(), &made));
    Capture capture(made);
    *value = 5;
    ASSERT_OK(trib_capture_launch(made, s.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_host(s.get(), host, cell, 4));
    ASSERT_OK(trib_capture_replace(s.get(), made));
    *value = 0;
    ASSERT_OK(trib_capture_launch(made, s.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(*value, 5);
    EXPECT_EQ(fakecuda::counts().graphs, 2);
    capture.reset();
    trib_device_free(device.get(), s.get(), cell);
    ASSERT_EQ(cudaFreeHost(host), cudaSuccess);
}

TEST_F(Cuda, ACaptureMayEndOnAnotherThread)
{
    Device device = open();
    Stream s = stream(device);
    void *cell = alloc(device, s, 4);
    int seen = -1;
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_fill_zero(s.get(), cell, 4));
    std::thread([&] {
        trib_capture *made = nullptr;
        EXPECT_OK(trib_capture_end(s.get(), &made));
        Capture capture(made);
        EXPECT_OK(trib_capture_launch(made, s.get()));
    }).join();
    ASSERT_OK(trib_copy_to_host(s.get(), &seen, cell, 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, 0);
    trib_device_free(device.get(), s.get(), cell);
}

// The pinned memory that a launch copies through is not given to others before the launch is done with it. The copies
// are so large that a slab is one block.
TEST_F(Cuda, ACaptureDestroyedWhileItRunsKeepsItsMemory)
{
    const std::size_t bytes = 700 << 10;
    const std::vector<char> captured(bytes, 1), eager(bytes, 2);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        fakecuda::Options options;
        options.seed = seed;
        fakecuda::reset(options);
        Device device = open();
        Stream s = stream(device), t = stream(device);
        std::vector<char> first(bytes), second(bytes);
        void *a = alloc(device, s, bytes), *b = alloc(device, t, bytes);
        trib_capture *made = nullptr;
        ASSERT_OK(trib_capture_begin(s.get()));
        ASSERT_OK(trib_copy_to_device(s.get(), a, captured.data(), bytes));
        ASSERT_OK(trib_copy_to_host(s.get(), first.data(), a, bytes));
        ASSERT_OK(trib_capture_end(s.get(), &made));
        ASSERT_OK(trib_capture_launch(made, s.get()));
        trib_capture_destroy(made);
        ASSERT_OK(trib_copy_to_device(t.get(), b, eager.data(), bytes));
        ASSERT_OK(trib_copy_to_host(t.get(), second.data(), b, bytes));
        ASSERT_OK(trib_stream_synchronize(t.get()));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        EXPECT_TRUE(first == captured);
        EXPECT_TRUE(second == eager);
        trib_device_free(device.get(), s.get(), a);
        trib_device_free(device.get(), t.get(), b);
    }
}

// A capture of the same shape is updated in place; one of another shape is made again.
TEST_F(Cuda, ReplacingACaptureUpdatesItsGraph)
{
    Device device = open();
    Stream s = stream(device);
    void *cell = alloc(device, s, 64);
    const auto record = [&](int fills) {
        EXPECT_OK(trib_capture_begin(s.get()));
        for (int i = 0; i < fills; ++i) EXPECT_OK(trib_fill_zero(s.get(), cell, std::size_t(4 * (i + 1))));
    };
    record(1);
    trib_capture *made = nullptr;
    ASSERT_OK(trib_capture_end(s.get(), &made));
    Capture capture(made);
    fakecuda::fail_function("cudaGraphInstantiate", 1, cudaErrorMemoryAllocation);
    record(1);
    EXPECT_OK(trib_capture_replace(s.get(), made)); // nothing is instantiated
    record(2);
    EXPECT_FAILS(trib_capture_replace(s.get(), made), TRIB_OUT_OF_MEMORY, "cudaGraphInstantiate");
    fakecuda::stop_failing();
    EXPECT_OK(trib_capture_launch(made, s.get())); // the old content is still there
    record(2);
    EXPECT_OK(trib_capture_replace(s.get(), made));
    EXPECT_OK(trib_capture_launch(made, s.get()));
    EXPECT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    trib_device_free(device.get(), s.get(), cell);
}

TEST_F(Cuda, AnUnjoinedStreamIsNamed)
{
    Device device = open();
    Stream s = stream(device, "main"), t = stream(device, "branch 3");
    trib_event *made = nullptr;
    ASSERT_OK(trib_event_create(device.get(), &made));
    Event fork(made);
    void *cell = alloc(device, s, 4);
    trib_capture *capture = nullptr;
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(made, s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), made));
    ASSERT_OK(trib_fill_zero(t.get(), cell, 4));
    EXPECT_FAILS(trib_capture_end(s.get(), &capture), TRIB_INVALID_ARGUMENT, "\"branch 3\"");
    trib_device_free(device.get(), s.get(), cell);
}

// ---- how it fails ----

TEST_F(Cuda, AFaultEndsTheDeviceAndIsQuotedFromThenOn)
{
    Device device = open();
    Stream s = stream(device, "doomed"), t = stream(device);
    void *cell = alloc(device, s, 4);
    int seen = 5;
    fakecuda::fail_function("cudaMemsetAsync", 1, cudaErrorLaunchFailure);
    EXPECT_FAILS(trib_fill_zero(s.get(), cell, 4), TRIB_DEVICE_ERROR, "cudaErrorLaunchFailure");
    fakecuda::stop_failing();
    for (int i = 0; i < 2; ++i) {
        trib_status status = trib_copy_to_host(t.get(), &seen, cell, 4);
        EXPECT_EQ(status.code, TRIB_DEVICE_ERROR);
        EXPECT_EQ(status.vendor_code, cudaErrorLaunchFailure);
        EXPECT_NE(std::strstr(status.message, "cuda:0 is lost"), nullptr) << status.message;
        EXPECT_NE(std::strstr(status.message, "cudaMemsetAsync(target, 0, bytes, stream->handle)"), nullptr);
        EXPECT_NE(std::strstr(status.message, "restart the program"), nullptr) << status.message;
    }
    trib_stream *none = nullptr;
    trib_event *nothing = nullptr;
    EXPECT_FAILS(trib_stream_create(device.get(), nullptr, &none), TRIB_DEVICE_ERROR, "is lost");
    EXPECT_FAILS(trib_event_create(device.get(), &nothing), TRIB_DEVICE_ERROR, "is lost");
    EXPECT_FAILS(trib_stream_synchronize(s.get()), TRIB_DEVICE_ERROR, "is lost");
    EXPECT_FAILS(trib_capture_begin(s.get()), TRIB_DEVICE_ERROR, "is lost");
    trib_device_free(device.get(), s.get(), cell);
    EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0);
}

// A fault while work runs: reported to waiters, and everything can still be destroyed.
TEST_F(Cuda, AFaultOfRunningWorkIsReportedWhereItIsWaitedFor)
{
    watch::expect_violations(); // on purpose: memory is freed on one stream while another one uses it
    int faults = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        fakecuda::Options options;
        options.seed = seed;
        fakecuda::reset(options);
        Device device = open();
        Stream s = stream(device), t = stream(device);
        void *cell = alloc(device, s, 4);
        ASSERT_OK(trib_stream_synchronize(s.get()));
        trib_status status = trib_fill_zero(t.get(), cell, 4);
        trib_device_free(device.get(), s.get(), cell);
        if (!trib_failed(&status)) status = trib_stream_synchronize(s.get());
        if (!trib_failed(&status)) status = trib_stream_synchronize(t.get());
        if (!trib_failed(&status)) continue;
        ++faults;
        EXPECT_EQ(status.vendor_code, cudaErrorIllegalAddress) << status.message;
        EXPECT_FAILS(trib_fill_zero(t.get(), cell, 4), TRIB_DEVICE_ERROR, "cudaErrorIllegalAddress");
    }
    EXPECT_GT(faults, 0);
}

TEST_F(Cuda, AFailureThatIsNoFaultLeavesTheDeviceUsable)
{
    Device device = open();
    Stream s = stream(device);
    void *cell = alloc(device, s, 4);
    fakecuda::fail_function("cudaMemsetAsync", 1, cudaErrorInvalidValue);
    trib_status status = trib_fill_zero(s.get(), cell, 4);
    EXPECT_EQ(status.code, TRIB_DEVICE_ERROR);
    EXPECT_EQ(status.vendor_code, cudaErrorInvalidValue);
    EXPECT_STREQ(status.call, "cudaMemsetAsync(target, 0, bytes, stream->handle)");
    EXPECT_NE(std::strstr(status.file, "copy.c"), nullptr);
    EXPECT_NE(std::strstr(status.message, "cudaErrorInvalidValue: invalid argument"), nullptr) << status.message;
    EXPECT_OK(trib_fill_zero(s.get(), cell, 4));
    EXPECT_OK(trib_stream_synchronize(s.get()));
    trib_device_free(device.get(), s.get(), cell);
}

// Its work may still write to the caller's memory when cudaStreamSynchronize fails: the device is waited for instead.
TEST_F(Cuda, AFailedSynchronisationStillWaits)
{
    Device device = open();
    Stream s = stream(device);
    void *cell = alloc(device, s, 4);
    for (const char *call : { "cudaStreamSynchronize", "cudaSetDevice" }) {
        int seen = 5;
        ASSERT_OK(trib_fill_zero(s.get(), cell, 4));
        ASSERT_OK(trib_copy_to_host(s.get(), &seen, cell, 4));
        fakecuda::fail_function(call, 1, cudaErrorUnknown);
        EXPECT_FAILS(trib_stream_synchronize(s.get()), TRIB_DEVICE_ERROR, call);
        EXPECT_EQ(fakecuda::pending(), 0u);
        EXPECT_EQ(seen, 0);
        fakecuda::stop_failing();
        EXPECT_OK(trib_stream_synchronize(s.get()));
    }
    trib_device_free(device.get(), s.get(), cell);
}

} // namespace
