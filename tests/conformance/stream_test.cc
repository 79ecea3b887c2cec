// SPDX-License-Identifier: Apache-2.0
// Streams, events and copies: what order is promised, what is timed, what is waited for.
#include <thread>

#include "conformance/conformance.h"

using namespace conformance;

namespace
{

class Streams : public DeviceTest
{
};

TEST_P(Streams, WorkOnOneStreamRunsInTheOrderGiven)
{
    Stream s = stream();
    const int count = 2000;
    Memory cell = alloc(s, sizeof(int));
    std::vector<int> values(count), seen(count, -1);
    for (int i = 0; i < count; ++i) {
        values[std::size_t(i)] = i;
        ASSERT_OK(trib_copy_to_device(s.get(), cell.get(), &values[std::size_t(i)], sizeof(int)));
        ASSERT_OK(trib_copy_to_host(s.get(), &seen[std::size_t(i)], cell.get(), sizeof(int)));
    }
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, values);
}

TEST_P(Streams, CopiesAndFillsTouchExactlyTheirBytes)
{
    Stream s = stream();
    std::vector<unsigned char> source(1000), target(1002, 0xee);
    for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<unsigned char>(i * 7 + 1);
    Memory a = alloc(s, 1000), b = alloc(s, 1000);
    ASSERT_OK(trib_copy_to_device(s.get(), a.get(), source.data(), 1000));
    ASSERT_OK(trib_copy_on_device(s.get(), b.get(), a.get(), 1000));
    ASSERT_OK(trib_fill_zero(s.get(), static_cast<char *>(b.get()) + 10, 5));
    ASSERT_OK(trib_copy_to_host(s.get(), target.data() + 1, b.get(), 1000));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    for (std::size_t i = 10; i < 15; ++i) source[i] = 0;
    EXPECT_EQ(target.front(), 0xee);
    EXPECT_EQ(target.back(), 0xee);
    EXPECT_TRUE(std::equal(source.begin(), source.end(), target.begin() + 1));
}

TEST_P(Streams, AnEventOrdersTwoStreams)
{
    Stream a = stream(), b = stream();
    Event ready = event();
    Memory cell = alloc(a, sizeof(int));
    for (int round = 0; round < 50; ++round) {
        int value = round + 1, seen = -1;
        keep_busy(a, 1);
        ASSERT_OK(trib_copy_to_device(a.get(), cell.get(), &value, sizeof value));
        ASSERT_OK(trib_event_record(ready.get(), a.get()));
        ASSERT_OK(trib_stream_wait(b.get(), ready.get()));
        ASSERT_OK(trib_copy_to_host(b.get(), &seen, cell.get(), sizeof seen));
        ASSERT_OK(trib_stream_synchronize(b.get()));
        ASSERT_EQ(seen, value);
        ASSERT_OK(trib_stream_synchronize(a.get()));
    }
}

TEST_P(Streams, WaitingForAnEventThatWasNeverRecordedDoesNothing)
{
    Stream s = stream();
    Event never = event();
    EXPECT_OK(trib_stream_wait(s.get(), never.get()));
    EXPECT_OK(trib_event_synchronize(never.get()));
    EXPECT_OK(trib_stream_synchronize(s.get()));
}

// b waits for the first record only: were it to wait for the second, it would wait for itself and hang.
TEST_P(Streams, AWaitRefersToTheLatestRecordWhenItWasIssued)
{
    Stream a = stream(), b = stream();
    Event e = event(), back = event();
    Memory cell = alloc(a, sizeof(int));
    int first = 1, second = 2, seen = -1;
    ASSERT_OK(trib_copy_to_device(a.get(), cell.get(), &first, sizeof first));
    ASSERT_OK(trib_event_record(e.get(), a.get()));
    ASSERT_OK(trib_stream_wait(b.get(), e.get()));
    ASSERT_OK(trib_copy_to_host(b.get(), &seen, cell.get(), sizeof seen));
    ASSERT_OK(trib_event_record(back.get(), b.get()));
    ASSERT_OK(trib_stream_wait(a.get(), back.get()));
    ASSERT_OK(trib_copy_to_device(a.get(), cell.get(), &second, sizeof second));
    ASSERT_OK(trib_event_record(e.get(), a.get()));
    ASSERT_OK(trib_stream_synchronize(a.get()));
    ASSERT_OK(trib_stream_synchronize(b.get()));
    EXPECT_EQ(seen, first);
}

// The same event on two streams: a wait for the record on the busy one must not be satisfied by the later record on the
// idle one, nor the other way round.
TEST_P(Streams, AnEventRecordedAgainElsewhereKeepsEarlierWaits)
{
    Stream a = stream(), b = stream(), c = stream();
    Event e = event();
    Memory cell = alloc(a, sizeof(int));
    int zero = 0, value = 7, seen = -1;
    ASSERT_OK(trib_copy_to_device(a.get(), cell.get(), &zero, sizeof zero));
    ASSERT_OK(trib_stream_synchronize(a.get()));
    keep_busy(a);
    ASSERT_OK(trib_copy_to_device(a.get(), cell.get(), &value, sizeof value));
    ASSERT_OK(trib_event_record(e.get(), a.get()));
    ASSERT_OK(trib_stream_wait(c.get(), e.get()));
    ASSERT_OK(trib_event_record(e.get(), b.get()));
    ASSERT_OK(trib_event_synchronize(e.get()));
    ASSERT_OK(trib_copy_to_host(c.get(), &seen, cell.get(), sizeof seen));
    ASSERT_OK(trib_stream_synchronize(c.get()));
    EXPECT_EQ(seen, value);
    ASSERT_OK(trib_stream_synchronize(a.get()));
}

TEST_P(Streams, SynchronisingAnEventWaitsForTheWorkBeforeIt)
{
    Stream s = stream();
    Event done = event();
    Memory cell = alloc(s, sizeof(int));
    int value = 5, seen = -1;
    keep_busy(s);
    ASSERT_OK(trib_copy_to_device(s.get(), cell.get(), &value, sizeof value));
    ASSERT_OK(trib_copy_to_host(s.get(), &seen, cell.get(), sizeof seen));
    ASSERT_OK(trib_event_record(done.get(), s.get()));
    ASSERT_OK(trib_event_synchronize(done.get()));
    EXPECT_EQ(seen, value);
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

TEST_P(Streams, ElapsedTimeIsThatOfTheWorkBetween)
{
    Stream s = stream();
    Event start = event(), end = event(), later = event();
    int64_t ns = -1, more = -1;
    EXPECT_FAILS(trib_event_elapsed(start.get(), end.get(), &ns), TRIB_INVALID_ARGUMENT, "never recorded");
    ASSERT_OK(trib_event_record(start.get(), s.get()));
    keep_busy(s);
    ASSERT_OK(trib_event_record(end.get(), s.get()));
    keep_busy(s, 1);
    ASSERT_OK(trib_event_record(later.get(), s.get()));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    ASSERT_OK(trib_event_elapsed(start.get(), end.get(), &ns));
    ASSERT_OK(trib_event_elapsed(start.get(), later.get(), &more));
    EXPECT_GT(ns, 10000) << "160 MB were written";
    EXPECT_LT(ns, int64_t(60) * 1000000000);
    EXPECT_GT(more, ns);
}

// A device may be done before it is asked: then the time is right; else there is none.
TEST_P(Streams, ElapsedTimeIsAskedForTooEarlyOrRight)
{
    Stream s = stream();
    Event start = event(), end = event();
    int64_t early = -1, ns = -1;
    ASSERT_OK(trib_event_record(start.get(), s.get()));
    keep_busy(s, 400);
    ASSERT_OK(trib_event_record(end.get(), s.get()));
    trib_status status = trib_event_elapsed(start.get(), end.get(), &early);
    if (trib_failed(&status)) {
        EXPECT_FAILS(status, TRIB_INVALID_ARGUMENT, "not completed");
        EXPECT_EQ(early, -1);
    }
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_OK(trib_event_elapsed(start.get(), end.get(), &ns));
    if (!trib_failed(&status)) {
        EXPECT_EQ(early, ns);
    }
}

TEST_P(Streams, AnEventMayBeDestroyedWhileWaitsArePending)
{
    Stream a = stream(), b = stream();
    Memory cell = alloc(a, sizeof(int));
    int value = 3, seen = -1;
    keep_busy(a);
    ASSERT_OK(trib_copy_to_device(a.get(), cell.get(), &value, sizeof value));
    {
        Event e = event();
        ASSERT_OK(trib_event_record(e.get(), a.get()));
        ASSERT_OK(trib_stream_wait(b.get(), e.get()));
    }
    ASSERT_OK(trib_copy_to_host(b.get(), &seen, cell.get(), sizeof seen));
    ASSERT_OK(trib_stream_synchronize(b.get()));
    EXPECT_EQ(seen, value);
    ASSERT_OK(trib_stream_synchronize(a.get()));
}

TEST_P(Streams, DestroyingAStreamFinishesItsWork)
{
    Stream keeper = stream();
    Memory cell = alloc(keeper, sizeof(int));
    int value = 9, seen = -1;
    {
        Stream s = stream();
        keep_busy(s);
        ASSERT_OK(trib_copy_to_device(s.get(), cell.get(), &value, sizeof value));
        ASSERT_OK(trib_copy_to_host(s.get(), &seen, cell.get(), sizeof seen));
    }
    EXPECT_EQ(seen, value);
}

TEST_P(Streams, ManyThreadsUseOneDevice)
{
    const int threads = 6, rounds = 60;
    std::vector<int> wrong(threads, 0);
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
        workers.emplace_back([this, t, &wrong] {
            for (int i = 0; i < rounds; ++i) {
                Stream a = stream(1), b = stream(1);
                Event e = event();
                Memory cell = alloc(a, 4096);
                std::vector<int> values(1024, t * 1000 + i), seen(1024, -1);
                trib_status copied = trib_copy_to_device(a.get(), cell.get(), values.data(), 4096);
                trib_status recorded = trib_event_record(e.get(), a.get());
                trib_status waited = trib_stream_wait(b.get(), e.get());
                trib_status read = trib_copy_to_host(b.get(), seen.data(), cell.get(), 4096);
                trib_status done = trib_stream_synchronize(b.get());
                for (const trib_status *s : { &copied, &recorded, &waited, &read, &done })
                    wrong[std::size_t(t)] += trib_failed(s);
                wrong[std::size_t(t)] += seen != values;
            }
        });
    for (std::thread &worker : workers) worker.join();
    EXPECT_EQ(wrong, std::vector<int>(threads, 0));
}

// Threads that share one event: each records it on its own stream and waits for whatever is latest.
TEST_P(Streams, OneEventIsUsedFromManyThreads)
{
    Event shared = event();
    std::vector<std::thread> workers;
    std::vector<int> failures(4, 0);
    for (int t = 0; t < 4; ++t)
        workers.emplace_back([this, t, &shared, &failures] {
            Stream s = stream(1);
            for (int i = 0; i < 200; ++i) {
                trib_status recorded = trib_event_record(shared.get(), s.get());
                trib_status waited = trib_stream_wait(s.get(), shared.get());
                trib_status reached = trib_event_synchronize(shared.get());
                failures[std::size_t(t)] += trib_failed(&recorded) + trib_failed(&waited) + trib_failed(&reached);
            }
            trib_status done = trib_stream_synchronize(s.get());
            failures[std::size_t(t)] += trib_failed(&done);
        });
    for (std::thread &worker : workers) worker.join();
    EXPECT_EQ(failures, std::vector<int>(4, 0));
}

TEST_P(Streams, NullArgumentsAreRefused)
{
    Stream s = stream();
    int value = 0;
    EXPECT_FAILS(trib_stream_synchronize(nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_copy_to_host(s.get(), nullptr, &value, 4), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_copy_to_device(s.get(), &value, nullptr, 4), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_fill_zero(s.get(), nullptr, 4), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_event_record(nullptr, s.get()), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_stream_wait(s.get(), nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    trib_stream_destroy(nullptr);
    trib_event_destroy(nullptr);
    trib_device_close(nullptr);
}

TEST_P(Streams, ObjectsOfAnotherDeviceAreRefused)
{
    trib_device *opened = nullptr;
    ASSERT_OK(support::open_device(GetParam(), &opened));
    Device other(opened);
    Stream mine = stream();
    trib_event *theirs = nullptr;
    ASSERT_OK(trib_event_create(other.get(), &theirs));
    Event owner(theirs);
    EXPECT_FAILS(trib_stream_wait(mine.get(), theirs), TRIB_INVALID_ARGUMENT, "different devices");
    EXPECT_FAILS(trib_event_record(theirs, mine.get()), TRIB_INVALID_ARGUMENT, "different devices");
    void *memory = nullptr;
    EXPECT_FAILS(trib_device_alloc(other.get(), mine.get(), 16, &memory), TRIB_INVALID_ARGUMENT, "another device");
}

INSTANTIATE_TEST_SUITE_P(Devices, Streams, testing::ValuesIn(available_devices()), test_name);

} // namespace
