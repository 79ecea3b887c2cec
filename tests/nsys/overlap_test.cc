// SPDX-License-Identifier: Apache-2.0
// Sums of streams and ranges: worked out by hand, and against counting nanosecond by nanosecond.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "nsys/exports.h"
#include "profile/nsys_overlap.h"
#include "profile/nsys_print.h"
#include "profile/nsys_sort.h"
#include "support/support.h"

namespace
{

using exports::Export;
using exports::Stream;

class NsysOverlap : public testing::Test
{
  protected:
    support::TemporaryFolder folder;
    std::string path = folder.file("report.sqlite");
    std::unique_ptr<Export> out = std::make_unique<Export>(path, exports::v2023);
    trib_nsys_report *report = nullptr;
    trib_nsys_overlaps overlaps = {};

    trib_status sum(const char *range = nullptr)
    {
        out.reset();
        if (!report) EXPECT_OK(trib_nsys_read(path.c_str(), nullptr, &report));
        trib_nsys_overlaps_release(&overlaps);
        return report ? trib_nsys_overlaps_of(report, range, &overlaps) : trib_success();
    }
    std::string printed()
    {
        char *text = nullptr;
        std::size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        const trib_nsys_networks none = {};
        trib_nsys_print(report, &overlaps, &none, file);
        std::fclose(file);
        const std::string copy(text, size);
        std::free(text);
        return copy;
    }
    void TearDown() override
    {
        trib_nsys_overlaps_release(&overlaps);
        trib_nsys_release(report);
    }
};

void expect_whole(const trib_nsys_sums &s)
{
    EXPECT_EQ(s.busy + s.launch + s.wait + s.tail, s.streams * s.wall);
    EXPECT_LE(s.overlap, s.any);
    EXPECT_LE(s.any, s.wall);
    EXPECT_LE(s.any, s.busy);
}

// time      0    10   20   30   40   50   60   70   80
// stream 1  [---------)         [---------)    [----)
// stream 2       [---------)                             ends at 30
// calls     stream 1: the op at 40 was issued at 35, that at 70 at 55 (before the one before it ended: a wait)
TEST_F(NsysOverlap, ByHand)
{
    out->range(7, 70, 0, 1000, "step");
    out->call(7, 70, -3, -2, 1);
    out->call(7, 70, -2, 5, 2);
    out->call(7, 70, 34, 35, 3);
    out->call(7, 70, 54, 55, 4);
    out->kernel({ 7, 0, 1, 1 }, 0, 20, 1);
    out->kernel({ 7, 0, 1, 2 }, 10, 30, 2);
    out->kernel({ 7, 0, 1, 1 }, 40, 60, 3);
    out->kernel({ 7, 0, 1, 1 }, 70, 80, 4);
    ASSERT_OK(sum());
    ASSERT_EQ(overlaps.device_count, 1u);
    const trib_nsys_sums &s = overlaps.devices[0].sums;
    EXPECT_EQ(s.wall, 80);
    EXPECT_EQ(s.busy, 50 + 20);
    EXPECT_EQ(s.any, 30 + 20 + 10);
    EXPECT_EQ(s.overlap, 10);
    EXPECT_EQ(s.launch, 15 + 5); // stream 1 from 20 to 35, stream 2 from 0 to 5
    EXPECT_EQ(s.wait, 5 + 10 + 5);
    EXPECT_EQ(s.tail, 50);
    EXPECT_EQ(s.streams, 2);
    expect_whole(s);
    EXPECT_EQ(overlaps.devices[0].lanes[0].busy, 50);
    EXPECT_EQ(overlaps.devices[0].lanes[1].tail, 50);
}

TEST_F(NsysOverlap, OpsOfAStreamThatOverlapCountOnce)
{
    out->kernel({ 7, 0, 1, 1 }, 0, 20, 1);
    out->kernel({ 7, 0, 1, 1 }, 5, 10, 2);
    out->kernel({ 7, 0, 1, 1 }, 15, 30, 3);
    out->kernel({ 7, 0, 1, 1 }, 30, 30, 4); // of no duration
    out->kernel({ 7, 0, 1, 1 }, 35, 35, 5);
    ASSERT_OK(sum());
    const trib_nsys_sums &s = overlaps.devices[0].sums;
    EXPECT_EQ(s.wall, 35);
    EXPECT_EQ(s.busy, 30);
    EXPECT_EQ(s.any, 30);
    EXPECT_EQ(s.overlap, 0);
    EXPECT_EQ(s.wait, 5);
    expect_whole(s);
}

TEST_F(NsysOverlap, ProcessesAndDevicesAreApart)
{
    for (int pid : { 7, 8 })
        for (int device : { 0, 1 }) out->kernel({ pid, device, 1, 7 }, 10 * device, 20 + pid, 1);
    ASSERT_OK(sum());
    ASSERT_EQ(overlaps.device_count, 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(overlaps.devices[i].sums.ops, 1);
        EXPECT_EQ(overlaps.devices[i].sums.overlap, 0);
    }
}

TEST_F(NsysOverlap, ARangesWindowHoldsWhatWasLaunchedInIt)
{
    for (int step = 0; step < 3; ++step) {
        const int t = 1000 * step;
        out->range(7, 70, t, t + 100, "step");
        out->range(7, 70, t + 10, t + 50, "forward");
        out->range(7, 70, t + 20, t + 30, "step"); // part of the step it is in
        out->call(7, 70, t + 22, t + 24, 10 * step + 1);
        out->call(7, 70, t + 40, t + 42, 10 * step + 2);
        out->call(7, 70, t + 60, t + 61, 10 * step + 3);
        out->kernel({ 7, 0, 1, 1 }, t + 100, t + 200, 10 * step + 1);
        out->kernel({ 7, 0, 1, 2 }, t + 150, t + 300 + step, 10 * step + 2);
        out->kernel({ 7, 0, 1, 1 }, t + 400, t + 500, 10 * step + 3);
    }
    out->call(7, 70, 5000, 5001, 99);
    out->kernel({ 7, 0, 1, 1 }, 5002, 5003, 99); // in no range
    ASSERT_OK(sum());
    ASSERT_EQ(overlaps.window_count, 2u);
    const trib_nsys_window &steps = overlaps.windows[0], &forward = overlaps.windows[1];
    EXPECT_STREQ(trib_nsys_name_text(&report->names, steps.name), "step");
    EXPECT_EQ(steps.count, 3);
    EXPECT_EQ(steps.median, 400);
    EXPECT_EQ(steps.sums.ops, 9);
    EXPECT_EQ(steps.sums.overlap, 3 * 50);
    EXPECT_EQ(forward.count, 3);
    EXPECT_EQ(forward.median, 201);
    EXPECT_EQ(forward.sums.wall, 200 + 201 + 202);
    expect_whole(overlaps.devices[0].sums);

    ASSERT_OK(sum("forward"));
    ASSERT_EQ(overlaps.window_count, 1u);
    EXPECT_EQ(overlaps.windows[0].sums.ops, 6);
    EXPECT_FAILS(sum("backward"), TRIB_NOT_FOUND, "called \"backward\"; in others it was: \"step\", \"forward\"");
}

// outer  [0        20)             domain 1
// inner        [10        30)      domain 2: overlaps in part
// open            [15              never closed, in both
// calls     5    12  16  22  35
TEST_F(NsysOverlap, ARangeHoldsNothingAfterItsEnd)
{
    out->domain(7, 1, "one");
    out->domain(7, 2, "two");
    out->range(7, 70, 0, 20, "outer", 1);
    out->range(7, 70, 10, 30, "inner", 2);
    out->range(7, 70, 15, -1, "open", 1);
    int correlation = 0;
    for (int call : { 5, 12, 16, 22, 35 }) {
        out->call(7, 70, call, call + 1, ++correlation);
        out->kernel({}, 100 * correlation, 100 * correlation + 10, correlation);
    }
    ASSERT_OK(sum());
    std::map<std::string, std::int64_t> ops;
    for (std::size_t i = 0; i < overlaps.window_count; ++i)
        ops[trib_nsys_name_text(&report->names, overlaps.windows[i].name)] = overlaps.windows[i].sums.ops;
    EXPECT_EQ(ops, (std::map<std::string, std::int64_t> { { "outer", 3 }, { "inner", 3 }, { "open", 3 } }));
}

TEST_F(NsysOverlap, RangesThatAreForgottenLeaveTheStreams)
{
    for (int i = 0; i < 300; ++i) out->range(7, 70, i, -1, "forgotten");
    out->range(7, 71, 0, 1000, "step");
    for (int thread : { 70, 71 }) {
        out->call(7, thread, 500, 501, thread);
        out->kernel({}, 10 * thread, 10 * thread + 5, thread);
    }
    ASSERT_OK(sum());
    ASSERT_EQ(overlaps.window_count, 1u);
    EXPECT_EQ(overlaps.windows[0].sums.ops, 1);
    const std::string text = printed();
    EXPECT_NE(text.find("note: the NVTX ranges of 1 thread are left out: more than 256"), std::string::npos) << text;
    EXPECT_NE(text.find("2 ops on 1 stream in "), std::string::npos) << text;
}

TEST_F(NsysOverlap, RangesThatMayEndOnAnyThreadAreSaid)
{
    out->range(7, 70, 0, 100, "request");
    out->sql("UPDATE NVTX_EVENTS SET eventType = 60");
    out->call(7, 70, 5, 6, 1);
    out->kernel({}, 10, 20, 1);
    ASSERT_OK(sum());
    EXPECT_EQ(overlaps.window_count, 0u);
    const std::string text = printed();
    EXPECT_NE(text.find("work is not looked for in 1 range of nvtxRangeStart"), std::string::npos) << text;
    EXPECT_EQ(text.find("record with --trace"), std::string::npos) << text;
}

TEST_F(NsysOverlap, TextsAreSafeAndWhole)
{
    char to[8];
    EXPECT_STREQ(trib_nsys_clean("a\x1b\x7f\xc2\x9b\xff z", to, sizeof to), "a???? z");
    EXPECT_STREQ(trib_nsys_clean("abcdef\xc3\xa4", to, sizeof to), "abcdef"); // no half of a character
    EXPECT_STREQ(trib_nsys_clean("abcde\xc3\xa4", to, sizeof to), "abcde\xc3\xa4");
}

TEST_F(NsysOverlap, WithoutRangesNothingIsFoundInOne)
{
    out->kernel({}, 0, 20, 1);
    EXPECT_FAILS(sum("step"), TRIB_NOT_FOUND, "the report has no ranges with work");
}

// Against counting each nanosecond.
TEST_F(NsysOverlap, CountedOneByOne)
{
    std::mt19937 random(1);
    const auto below = [&](int n) { return int(random() % unsigned(n)); };
    std::map<int, std::vector<std::array<int, 3>>> ops; // by stream: start, end, issued
    for (int i = 0; i < 300; ++i) {
        const int stream = below(5), start = below(2000), end = start + below(40), call = start - below(60);
        ops[stream].push_back({ start, end, call });
        out->call(7, 70, call - 1, call, i);
        out->kernel({ 7, 0, 1, stream }, start, end, i);
    }
    ASSERT_OK(sum());
    const trib_nsys_sums &s = overlaps.devices[0].sums;
    std::int64_t busy = 0, any = 0, overlap = 0, launch = 0;
    int from = 1 << 30, to = 0;
    for (auto &[stream, list] : ops) {
        std::sort(list.begin(), list.end());
        from = std::min(from, list.front()[0]);
        for (const auto &op : list) to = std::max(to, op[1]);
    }
    for (int t = from; t < to; ++t) {
        int working = 0;
        for (const auto &[stream, list] : ops) {
            const bool works =
                std::any_of(list.begin(), list.end(), [&](const auto &op) { return op[0] <= t && t < op[1]; });
            working += works;
            const auto next = std::find_if(list.begin(), list.end(), [&](const auto &op) { return op[0] > t; });
            if (!works && next != list.end()) launch += t < (*next)[2];
        }
        busy += working;
        any += working > 0;
        overlap += working > 1;
    }
    EXPECT_EQ(s.wall, to - from);
    EXPECT_EQ(s.busy, busy);
    EXPECT_EQ(s.any, any);
    EXPECT_EQ(s.overlap, overlap);
    EXPECT_NEAR(double(s.launch), double(launch), 0.05 * double(launch)) << "of equal starts either may be the next";
    expect_whole(s);
}

TEST_F(NsysOverlap, IsPrinted)
{
    out->range(7, 70, -10, 1000, "st\x1b[31mep");
    out->call(7, 70, -3, -2, 1);
    out->call(7, 70, -2, -1, 2);
    out->kernel({ 7, 0, 1, 13 }, 0, 2000000, 1);
    out->kernel({ 7, 0, 1, 14 }, 1000000, 4000000, 2);
    out->kernel({ 7, 0, 1, 14 }, 0, 0, 3);
    out->kernel({ 7, 0, 1, 14 }, 4000000, 4000000, 4);
    out->stream_name({ 7, 0, 1, 13 }, "lane 0 stream 0");
    out->gpu("NVIDIA H200");
    ASSERT_OK(sum());
    const std::string text = printed();
    for (const char *line :
         { "3 kernels, 0 copies, 0 sets\n", "note: left out, since times are missing or impossible: 1 op\n",
           "note: of 1 op the report does not have the call",
           "process 7, GPU 0 NVIDIA H200: 3 ops on 2 streams in 4.000 ms\n",
           "a stream at work 100.0 % of the time, two or more 25.0 %; concurrency 1.25 of 2\n",
           "       13  lane 0 stream 0              1    50.0 %    0.0 %    0.0 %   50.0 %\n", "st?[31mep" })
        EXPECT_NE(text.find(line), std::string::npos) << line << "\nis not in\n" << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(NsysOverlap, ManyStreamsAndWholeGraphsArePrinted)
{
    out = nullptr;
    std::remove(path.c_str());
    out = std::make_unique<Export>(path, exports::v2024);
    for (int i = 0; i < 30; ++i) out->whole_graph({ 7, 0, 1, i }, 100 * i, 100 * i + 90, i);
    ASSERT_OK(sum());
    const std::string text = printed();
    for (const char *line : { "0 kernels, 0 copies, 0 sets, 30 graphs in one block each\n",
                              "--cuda-graph-trace=node shows their kernels\n", "process 7, GPU 0: 30 ops on 30 streams",
                              "  and 6 streams more\n", "no NVTX ranges with work" })
        EXPECT_NE(text.find(line), std::string::npos) << line << "\nis not in\n" << text;
}

TEST_F(NsysOverlap, OnACpuARangeIsOnlySummedIfAskedFor)
{
    out->domain(7, 1, "tributary");
    out->range(7, 71, 100, 200, "conv1", 1, 4, 0);
    out->range(7, 72, 150, 400, "conv1", 1, 4, 1);
    ASSERT_OK(sum());
    EXPECT_EQ(overlaps.window_count, 0u);
    EXPECT_NE(printed().find("no work of a GPU; 2 ops on the threads of a CPU\n\nprocess 7, CPU: 2 ops on 2 streams"),
              std::string::npos)
        << printed();
    EXPECT_EQ(printed().find("no NVTX ranges"), std::string::npos);
    ASSERT_OK(sum("conv1"));
    ASSERT_EQ(overlaps.window_count, 1u);
    EXPECT_EQ(overlaps.windows[0].count, 2);
    EXPECT_EQ(overlaps.windows[0].sums.wall, 100 + 250);
}

// ---- sorting ----

struct Item {
    std::uint64_t key[3];
    std::uint32_t value;
};

trib_nsys_key key_of(const void *item)
{
    const auto *i = static_cast<const Item *>(item);
    return { { i->key[0], i->key[1], i->key[2] } };
}

TEST(NsysSort, AsTheStandardLibrary)
{
    std::mt19937_64 random(2);
    for (std::uint64_t mask : { std::uint64_t(0), std::uint64_t(1), std::uint64_t(0xff00), ~std::uint64_t(0) }) {
        for (std::size_t count : { 0, 1, 2, 24, 25, 1000, 20000 }) {
            std::vector<Item> items(count);
            for (std::uint32_t i = 0; i < count; ++i)
                items[i] = { { random() & mask & 3, random() & mask, random() & mask }, i };
            std::vector<Item> wanted = items;
            const auto before = [](const Item &a, const Item &b) {
                return std::tie(a.key[0], a.key[1], a.key[2]) < std::tie(b.key[0], b.key[1], b.key[2]);
            };
            std::sort(wanted.begin(), wanted.end(), before);
            trib_nsys_sort(items.data(), count, sizeof(Item), key_of);
            std::set<std::uint32_t> values;
            for (std::size_t i = 0; i < count; ++i) {
                EXPECT_FALSE(before(items[i], wanted[i]) || before(wanted[i], items[i])) << i << " of " << count;
                values.insert(items[i].value);
            }
            EXPECT_EQ(values.size(), count);
        }
    }
}

} // namespace
