// SPDX-License-Identifier: Apache-2.0
// Capture: work written down once and launched many times. Devices without it are not asked.
#include "conformance/conformance.h"

using namespace conformance;

namespace
{

class Captures : public DeviceTest
{
  protected:
    void SetUp() override
    {
        DeviceTest::SetUp();
        if (!info().has_capture) GTEST_SKIP() << info().spec << " cannot capture";
    }
    Capture end(const Stream &stream)
    {
        trib_capture *made = nullptr;
        EXPECT_OK(trib_capture_end(stream.get(), &made));
        return Capture(made);
    }
};

TEST_P(Captures, RecordsInsteadOfRunningAndReplaysInOrder)
{
    Stream s = stream();
    Memory a = alloc(s, 4), b = alloc(s, 4);
    int value = 1, one = 0, two = 0;
    ASSERT_OK(trib_fill_zero(s.get(), b.get(), 4));
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), a.get(), &value, 4));
    ASSERT_OK(trib_copy_on_device(s.get(), b.get(), a.get(), 4));
    ASSERT_OK(trib_fill_zero(s.get(), a.get(), 4));
    Capture capture = end(s);
    ASSERT_NE(capture, nullptr);
    ASSERT_OK(trib_copy_to_host(s.get(), &one, b.get(), 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(one, 0) << "nothing runs before it is launched";
    for (value = 2; value < 6; ++value) {
        ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
        ASSERT_OK(trib_copy_to_host(s.get(), &one, b.get(), 4));
        ASSERT_OK(trib_copy_to_host(s.get(), &two, a.get(), 4));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(one, value);
        EXPECT_EQ(two, 0);
    }
}

// New work replaces the old: of the same shape, of another, and not at all after a failure.
TEST_P(Captures, AreReplaced)
{
    Stream s = stream(), t = stream();
    Memory a = alloc(s, 4), b = alloc(s, 4), c = alloc(s, 4);
    int first = 1, second = 2, seen[2] = {};
    auto launched = [&](const Capture &capture) {
        EXPECT_OK(trib_fill_zero(s.get(), a.get(), 4));
        EXPECT_OK(trib_fill_zero(s.get(), b.get(), 4));
        EXPECT_OK(trib_capture_launch(capture.get(), s.get()));
        EXPECT_OK(trib_copy_to_host(s.get(), &seen[0], a.get(), 4));
        EXPECT_OK(trib_copy_to_host(s.get(), &seen[1], b.get(), 4));
        EXPECT_OK(trib_stream_synchronize(s.get()));
        return std::make_pair(seen[0], seen[1]);
    };
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), a.get(), &first, 4));
    Capture capture = end(s);
    EXPECT_EQ(launched(capture), std::make_pair(1, 0));
    // The same shape: another source and target.
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), b.get(), &second, 4));
    ASSERT_OK(trib_capture_replace(s.get(), capture.get()));
    EXPECT_EQ(launched(capture), std::make_pair(0, 2));
    // More work, on two streams.
    Event fork = event(), join = event();
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), c.get(), &second, 4));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_copy_on_device(t.get(), a.get(), c.get(), 4));
    ASSERT_OK(trib_event_record(join.get(), t.get()));
    ASSERT_OK(trib_copy_on_device(s.get(), b.get(), c.get(), 4));
    ASSERT_OK(trib_stream_wait(s.get(), join.get()));
    ASSERT_OK(trib_capture_replace(s.get(), capture.get()));
    EXPECT_EQ(launched(capture), std::make_pair(2, 2));
    // A stream that is not joined: the old work stays.
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_fill_zero(t.get(), a.get(), 4));
    EXPECT_FAILS(trib_capture_replace(s.get(), capture.get()), TRIB_INVALID_ARGUMENT, "joined");
    EXPECT_EQ(launched(capture), std::make_pair(2, 2));
    EXPECT_FAILS(trib_capture_replace(s.get(), capture.get()), TRIB_INVALID_ARGUMENT, "did not begin");
    EXPECT_FAILS(trib_capture_replace(s.get(), nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_EQ(launched(capture), std::make_pair(2, 2));
}

// A launch that is running when its capture is replaced still does its old work.
TEST_P(Captures, AreReplacedWhileALaunchIsOnItsWay)
{
    Stream s = stream(), u = stream();
    Memory a = alloc(s, 4), b = alloc(s, 4), slow = alloc(s, 16 << 20);
    const int first = 1, second = 2;
    for (int round = 0; round < 5; ++round) {
        int seen[2] = {};
        ASSERT_OK(trib_capture_begin(s.get()));
        for (int i = 0; i < 10; ++i) ASSERT_OK(trib_fill_zero(s.get(), slow.get(), 16 << 20));
        ASSERT_OK(trib_copy_to_device(s.get(), a.get(), &first, 4));
        Capture capture = end(s);
        ASSERT_OK(trib_fill_zero(s.get(), a.get(), 4));
        ASSERT_OK(trib_fill_zero(s.get(), b.get(), 4));
        ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
        ASSERT_OK(trib_capture_begin(u.get()));
        ASSERT_OK(trib_copy_to_device(u.get(), b.get(), &second, 4));
        ASSERT_OK(trib_capture_replace(u.get(), capture.get()));
        ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
        ASSERT_OK(trib_copy_to_host(s.get(), &seen[0], a.get(), 4));
        ASSERT_OK(trib_copy_to_host(s.get(), &seen[1], b.get(), 4));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(seen[0], 1);
        EXPECT_EQ(seen[1], 2);
    }
}

// s: set x, fork to t: y = x, join: z = y. t does its part after something slow.
TEST_P(Captures, ForksAndJoinsThroughEvents)
{
    Stream s = stream(), t = stream();
    Memory x = alloc(s, 4), y = alloc(s, 4), z = alloc(s, 4), slow = alloc(s, 16 << 20);
    int value = 0, seen = -1;
    Event fork = event(), join = event();
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), x.get(), &value, 4));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_fill_zero(t.get(), slow.get(), 16 << 20));
    ASSERT_OK(trib_copy_on_device(t.get(), y.get(), x.get(), 4));
    ASSERT_OK(trib_event_record(join.get(), t.get()));
    ASSERT_OK(trib_stream_wait(s.get(), join.get()));
    ASSERT_OK(trib_copy_on_device(s.get(), z.get(), y.get(), 4));
    Capture capture = end(s);
    ASSERT_NE(capture, nullptr);
    t.reset(); // the capture does not need the stream it was recorded from
    for (value = 1; value < 20; ++value) {
        ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
        ASSERT_OK(trib_copy_to_host(s.get(), &seen, z.get(), 4));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        ASSERT_EQ(seen, value);
    }
}

// Each launch moves a chain one step; queued without waiting in between, on two streams.
TEST_P(Captures, LaunchesOfOneCaptureRunOneAfterAnother)
{
    Stream s = stream(), t = stream(), other = stream();
    const int cells = 64;
    Memory chain = alloc(s, cells * 4), copy = alloc(s, cells * 4);
    Event fork = event(), join = event();
    std::vector<int> values(cells), seen(cells);
    for (int i = 0; i < cells; ++i) values[std::size_t(i)] = i;
    ASSERT_OK(trib_copy_to_device(s.get(), chain.get(), values.data(), cells * 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    char *from = static_cast<char *>(chain.get());
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_copy_on_device(t.get(), copy.get(), from, cells * 4));
    ASSERT_OK(trib_event_record(join.get(), t.get()));
    ASSERT_OK(trib_stream_wait(s.get(), join.get()));
    ASSERT_OK(trib_copy_on_device(s.get(), from, static_cast<char *>(copy.get()) + 4, (cells - 1) * 4));
    Capture capture = end(s);
    ASSERT_NE(capture, nullptr);
    for (int i = 0; i < 20; ++i) ASSERT_OK(trib_capture_launch(capture.get(), i % 2 ? s.get() : other.get()));
    ASSERT_OK(trib_stream_synchronize(other.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), from, cells * 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen[0], 20);
    EXPECT_EQ(seen[30], 50);
}

TEST_P(Captures, KeepTheirPlaceAmongEagerWork)
{
    Stream s = stream();
    Memory cell = alloc(s, 4);
    int captured = 10, eager = 20, seen[3] = {};
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_copy_to_device(s.get(), cell.get(), &captured, 4));
    Capture capture = end(s);
    ASSERT_OK(trib_copy_to_device(s.get(), cell.get(), &eager, 4));
    ASSERT_OK(trib_copy_to_host(s.get(), &seen[0], cell.get(), 4));
    ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
    ASSERT_OK(trib_copy_to_host(s.get(), &seen[1], cell.get(), 4));
    ASSERT_OK(trib_copy_to_device(s.get(), cell.get(), &eager, 4));
    ASSERT_OK(trib_copy_to_host(s.get(), &seen[2], cell.get(), 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen[0], 20);
    EXPECT_EQ(seen[1], 10);
    EXPECT_EQ(seen[2], 20);
}

TEST_P(Captures, AStreamThatIsNotJoinedIsAnError)
{
    Stream s = stream(), t = stream(0, "forgotten");
    Memory cell = alloc(s, 4);
    Event fork = event(), join = event();
    trib_capture *capture = nullptr;
    // Never joined at all.
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_fill_zero(t.get(), cell.get(), 4));
    EXPECT_FAILS(trib_capture_end(s.get(), &capture), TRIB_INVALID_ARGUMENT, "joined");
    // Joined, but it went on afterwards.
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_event_record(join.get(), t.get()));
    ASSERT_OK(trib_stream_wait(s.get(), join.get()));
    ASSERT_OK(trib_fill_zero(t.get(), cell.get(), 4));
    EXPECT_FAILS(trib_capture_end(s.get(), &capture), TRIB_INVALID_ARGUMENT, "joined");
    EXPECT_EQ(capture, nullptr);
    // Both streams work again afterwards.
    ASSERT_OK(trib_fill_zero(t.get(), cell.get(), 4));
    ASSERT_OK(trib_stream_synchronize(t.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

// b is joined through c, which a then waits for.
TEST_P(Captures, JoiningThroughAnotherStreamCounts)
{
    Stream a = stream(), b = stream(), c = stream();
    Memory cell = alloc(a, 4), copy = alloc(a, 4);
    int value = 4, seen = 0;
    Event fork = event(), b_done = event(), c_done = event();
    ASSERT_OK(trib_capture_begin(a.get()));
    ASSERT_OK(trib_event_record(fork.get(), a.get()));
    ASSERT_OK(trib_stream_wait(b.get(), fork.get()));
    ASSERT_OK(trib_copy_to_device(b.get(), cell.get(), &value, 4));
    ASSERT_OK(trib_event_record(b_done.get(), b.get()));
    ASSERT_OK(trib_stream_wait(c.get(), b_done.get()));
    ASSERT_OK(trib_copy_on_device(c.get(), copy.get(), cell.get(), 4));
    ASSERT_OK(trib_event_record(c_done.get(), c.get()));
    ASSERT_OK(trib_stream_wait(a.get(), c_done.get()));
    Capture capture = end(a);
    ASSERT_NE(capture, nullptr);
    ASSERT_OK(trib_capture_launch(capture.get(), a.get()));
    ASSERT_OK(trib_copy_to_host(a.get(), &seen, copy.get(), 4));
    ASSERT_OK(trib_stream_synchronize(a.get()));
    EXPECT_EQ(seen, value);
}

TEST_P(Captures, MisuseIsRefused)
{
    Stream s = stream(), t = stream();
    Event outside = event(), inside = event();
    trib_capture *capture = nullptr;
    int64_t ns = 0;
    EXPECT_FAILS(trib_capture_end(s.get(), &capture), TRIB_INVALID_ARGUMENT, "did not begin");
    ASSERT_OK(trib_event_record(outside.get(), t.get()));
    ASSERT_OK(trib_capture_begin(s.get()));
    EXPECT_FAILS(trib_capture_begin(s.get()), TRIB_INVALID_ARGUMENT, "already");
    EXPECT_FAILS(trib_stream_synchronize(s.get()), TRIB_INVALID_ARGUMENT, "capturing");
    EXPECT_FAILS(trib_stream_wait(s.get(), outside.get()), TRIB_INVALID_ARGUMENT, "outside");
    ASSERT_OK(trib_event_record(inside.get(), s.get()));
    EXPECT_FAILS(trib_event_synchronize(inside.get()), TRIB_INVALID_ARGUMENT, "capture");
    Capture done = end(s);
    ASSERT_NE(done, nullptr);
    EXPECT_FAILS(trib_stream_wait(t.get(), inside.get()), TRIB_INVALID_ARGUMENT, "ended");
    EXPECT_FAILS(trib_event_elapsed(inside.get(), outside.get(), &ns), TRIB_INVALID_ARGUMENT, "capture");
    ASSERT_OK(trib_capture_launch(done.get(), s.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    ASSERT_OK(trib_event_record(inside.get(), t.get())); // an ordinary event again
    EXPECT_OK(trib_event_synchronize(inside.get()));
}

TEST_P(Captures, StreamsMayBeDestroyedWhileTheyCapture)
{
    Stream s = stream(), t = stream();
    Event fork = event();
    trib_capture *capture = nullptr;
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    t.reset();
    EXPECT_FAILS(trib_capture_end(s.get(), &capture), TRIB_INVALID_ARGUMENT, "destroyed");
    ASSERT_OK(trib_capture_begin(s.get()));
    s.reset(); // the capture goes with it
}

TEST_P(Captures, MayBeDestroyedWhileALaunchIsPending)
{
    Stream s = stream(), t = stream();
    Memory slow = alloc(s, 16 << 20), cell = alloc(s, 4);
    Event fork = event(), join = event();
    int value = 6, seen = 0;
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    ASSERT_OK(trib_fill_zero(t.get(), slow.get(), 16 << 20));
    ASSERT_OK(trib_copy_to_device(t.get(), cell.get(), &value, 4));
    ASSERT_OK(trib_event_record(join.get(), t.get()));
    ASSERT_OK(trib_stream_wait(s.get(), join.get()));
    Capture capture = end(s);
    ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
    capture.reset();
    ASSERT_OK(trib_copy_to_host(s.get(), &seen, cell.get(), 4));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, value);
}

INSTANTIATE_TEST_SUITE_P(Devices, Captures, testing::ValuesIn(available_devices()), test_name);

} // namespace
