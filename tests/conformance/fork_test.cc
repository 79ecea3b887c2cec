// SPDX-License-Identifier: Apache-2.0
// A child of fork() has the objects but not their threads and contexts: every call fails with that reason, none hangs.
#include "conformance/conformance.h"
#include "support/child.h"

using namespace conformance;

namespace
{

#define EXPECT_REFUSED(expression) EXPECT_FAILS(expression, TRIB_INVALID_ARGUMENT, "created before fork()")

class Fork : public DeviceTest
{
};

TEST_P(Fork, MemoryStreamsAndEventsAreRefusedInAChild)
{
    Stream s = stream(), t = stream();
    Event e = event(), f = event();
    Memory a = alloc(s, 64), b = alloc(s, 64);
    int value = 7;
    ASSERT_OK(trib_event_record(e.get(), s.get()));
    ASSERT_OK(trib_event_record(f.get(), s.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    keep_busy(t); // the child's copy of this queue is never worked off
    support::expect_in_child([&] {
        void *memory = nullptr;
        trib_stream *made = nullptr;
        trib_event *more = nullptr;
        int64_t time = 0;
        EXPECT_REFUSED(trib_device_alloc(device(), s.get(), 64, &memory));
        EXPECT_REFUSED(trib_stream_create(device(), nullptr, &made));
        EXPECT_REFUSED(trib_stream_synchronize(t.get()));
        EXPECT_REFUSED(trib_event_create(device(), &more));
        EXPECT_REFUSED(trib_event_record(e.get(), s.get()));
        EXPECT_REFUSED(trib_stream_wait(s.get(), e.get()));
        EXPECT_REFUSED(trib_event_synchronize(e.get()));
        EXPECT_REFUSED(trib_event_elapsed(e.get(), f.get(), &time));
        EXPECT_REFUSED(trib_copy_to_device(s.get(), a.get(), &value, 4));
        EXPECT_REFUSED(trib_copy_to_host(s.get(), &value, a.get(), 4));
        EXPECT_REFUSED(trib_copy_on_device(s.get(), a.get(), b.get(), 4));
        EXPECT_REFUSED(trib_fill_zero(s.get(), a.get(), 4));
        EXPECT_TRUE(!memory && !made && !more);
        EXPECT_EQ(trib_device_memory(device()).current_bytes, 0);
        trib_device_set_memory_limit(device(), 1);
        a = Memory(), b = Memory();
        s.reset(), t.reset(), e.reset(), f.reset();
        trib_device_close(device());
        device_.release();
    });
    ASSERT_OK(trib_copy_to_device(s.get(), a.get(), &value, 4));
    int seen = 0;
    ASSERT_OK(trib_copy_to_host(s.get(), &seen, a.get(), 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, value) << "the parent is not disturbed";
}

// Even giving it back must not wait: another thread may have held the lock when the process forked.
TEST_P(Fork, HostMemoryIsRefusedInAChild)
{
    void *memory = nullptr;
    ASSERT_OK(trib_host_alloc(device(), 64, &memory));
    support::expect_in_child([&] {
        void *more = nullptr;
        EXPECT_REFUSED(trib_host_alloc(device(), 64, &more));
        EXPECT_EQ(more, nullptr);
        EXPECT_EQ(trib_host_memory(device()).current_bytes, 0);
        trib_host_set_memory_limit(device(), 1);
        trib_host_free(device(), memory);
    });
    EXPECT_EQ(trib_host_memory(device()).current_bytes, 64) << "the parent is not disturbed";
    trib_host_free(device(), memory);
    EXPECT_EQ(trib_host_memory(device()).current_bytes, 0);
}

TEST_P(Fork, CapturesAndOpsAreRefusedInAChild)
{
    Stream s = stream();
    trib_capture *made = nullptr;
    if (info().has_capture) {
        ASSERT_OK(trib_capture_begin(s.get()));
        ASSERT_OK(trib_capture_end(s.get(), &made));
    }
    Capture capture(made);
    support::expect_in_child([&] {
        trib_op_desc desc = {};
        trib_implementation any[1];
        int count = 0;
        const char *name = nullptr;
        int64_t time = 0;
        trib_op_handle *op = nullptr;
        EXPECT_REFUSED(trib_capture_begin(s.get()));
        EXPECT_REFUSED(trib_capture_end(s.get(), &made));
        if (capture) EXPECT_REFUSED(trib_capture_replace(s.get(), capture.get()));
        if (capture) EXPECT_REFUSED(trib_capture_launch(capture.get(), s.get()));
        EXPECT_REFUSED(trib_op_implementations(device(), &desc, true, any, 1, &count, nullptr));
        EXPECT_REFUSED(trib_op_recall(device(), &desc, &name, &time));
        EXPECT_REFUSED(trib_op_remember(device(), &desc, "name", 1));
        EXPECT_REFUSED(trib_device_save_choices(device()));
        EXPECT_REFUSED(trib_op_create(device(), &desc, "name", &op));
        capture.reset(), s.reset();
    });
}

// On the CPU a child computes with its own device; CUDA that an ancestor used does not work in it, and reports that.
TEST_P(Fork, AChildMayOpenADeviceOfItsOwn)
{
    support::expect_in_child([&] {
        trib_device *opened = nullptr;
        trib_status status = trib_device_open(GetParam().c_str(), nullptr, &opened);
        if (GetParam() != "cpu") {
            EXPECT_FAILS(status, TRIB_UNSUPPORTED, "CUDA was used before fork()");
            EXPECT_OK(trib_device_open("auto", nullptr, &opened));
            EXPECT_STREQ(trib_device_get_info(opened)->spec, "cpu");
        }
        Device own(opened);
        ASSERT_NE(own, nullptr) << status.message;
        trib_stream *made = nullptr;
        ASSERT_OK(trib_stream_create(own.get(), nullptr, &made));
        Stream s(made);
        Memory a(own.get(), s.get(), 4);
        int value = 7, seen = 0;
        EXPECT_OK(trib_copy_to_device(s.get(), a.get(), &value, 4));
        EXPECT_OK(trib_copy_to_host(s.get(), &seen, a.get(), 4));
        EXPECT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(seen, value);
    });
}

INSTANTIATE_TEST_SUITE_P(Devices, Fork, testing::ValuesIn(available_devices()), test_name);

} // namespace
