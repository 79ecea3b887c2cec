// SPDX-License-Identifier: Apache-2.0
// What is read from an export of each version: which op belongs to which call, range, layer and stream.
#include <gtest/gtest.h>

#include <memory>

#include "nsys/exports.h"
#include "profile/nsys_report.h"
#include "support/support.h"

namespace
{

using exports::Export;
using exports::Stream;
using Report = std::unique_ptr<trib_nsys_report, decltype(&trib_nsys_release)>;

Report read(const std::string &path)
{
    trib_nsys_report *report = nullptr;
    EXPECT_OK(trib_nsys_read(path.c_str(), nullptr, &report));
    return Report(report, trib_nsys_release);
}

std::string name_of(const trib_nsys_report &report, std::uint32_t range)
{
    return range == TRIB_NSYS_NONE ? "" : trib_nsys_name_text(&report.names, report.ranges[range].name);
}

std::string layer(const Report &r, std::size_t op) { return name_of(*r, r->ops[op].layer); }
std::string range(const Report &r, std::size_t op) { return name_of(*r, r->ops[op].range); }

class NsysVersion : public testing::TestWithParam<const char *>
{
  protected:
    support::TemporaryFolder folder;
    std::string path = folder.file("report.sqlite");
    std::unique_ptr<Export> out = std::make_unique<Export>(path, GetParam());
    Report done()
    {
        out.reset();
        return read(path);
    }
};

TEST_P(NsysVersion, AKernelIsOfTheLayerInWhoseRangeItWasLaunched)
{
    out->domain(7, 1, "tributary");
    out->range(7, 70, 0, 1000, "googlenet batch 1", 1, 0, 3);
    out->range(7, 70, 100, 200, "inception_3a/1x1", 1, 4, 3);
    out->range(7, 70, 300, 400, "inception_3a/3x3", 1, 4, 3);
    out->call(7, 70, 110, 120, 5);
    out->call(7, 70, 310, 320, 6);
    out->call(7, 70, 500, 510, 8);
    out->kernel({ 7, 0, 1, 21 }, 150, 500, 5, "conv");
    out->kernel({ 7, 0, 1, 22 }, 330, 900, 6, "conv");
    out->copy({ 7, 0, 1, 23 }, 510, 600, 8, 2);
    out->stream_name({ 7, 0, 1, 22 }, "lane 0 stream 1");
    out->gpu("NVIDIA H200");
    const Report r = done();
    ASSERT_EQ(r->op_count, 3u);
    EXPECT_EQ(layer(r, 0), "inception_3a/1x1");
    EXPECT_EQ(layer(r, 1), "inception_3a/3x3");
    EXPECT_EQ(layer(r, 2), "") << "between layers";
    EXPECT_EQ(range(r, 2), "googlenet batch 1");
    EXPECT_EQ(r->ops[0].issued, 120);
    EXPECT_EQ(r->ranges[r->ops[1].layer].payload, 3);
    EXPECT_STREQ(trib_nsys_name_text(&r->names, r->ops[1].name), "conv");
    EXPECT_STREQ(trib_nsys_name_text(&r->names, r->ops[2].name), "copy to host");
    EXPECT_STREQ(trib_nsys_name_text(&r->names, r->streams[r->ops[1].stream].name), "lane 0 stream 1");
    EXPECT_EQ(r->streams[r->ops[0].stream].name, TRIB_NSYS_NONE);
    EXPECT_STREQ(trib_nsys_gpu_name(r.get(), 0), "NVIDIA H200");
    EXPECT_EQ(trib_nsys_gpu_name(r.get(), 1), nullptr);
    EXPECT_EQ(r->kinds[TRIB_NSYS_KERNEL], 2);
    EXPECT_EQ(r->uncalled, 0);
}

TEST_P(NsysVersion, RangesOfOtherDomainsAreNoLayers)
{
    out->domain(7, 1, "tributary");
    out->domain(7, 2, "cuDNN");
    out->range(7, 70, 100, 200, "inception_3a/1x1", 1, 4);
    out->range(7, 70, 105, 130, "cudnnBackendExecute", 2, 9);
    out->call(7, 70, 110, 120, 5);
    out->kernel({}, 150, 500, 5);
    const Report r = done();
    EXPECT_EQ(layer(r, 0), "inception_3a/1x1");
    EXPECT_EQ(range(r, 0), "cudnnBackendExecute");
}

TEST_P(NsysVersion, ANodesLayerIsThatOfItsCaptureHoweverOftenItWasCloned)
{
    out->domain(7, 1, "tributary");
    out->range(7, 70, 0, 1000, "googlenet batch 1 capture", 1);
    out->range(7, 70, 100, 200, "inception_3a/1x1", 1, 4, 1);
    out->range(7, 70, 300, 400, "inception_3a/pool", 1, 5, 3);
    out->node(7, 70, 150, 1001);
    out->node(7, 70, 350, 1002);
    out->node(7, 70, 2000, 2001, 1001); // instantiated outside of any range
    out->node(7, 70, 2001, 2002, 1002);
    out->node(7, 70, 2100, 3001, 2001); // a clone of the clone
    out->range(7, 70, 5000, 5100, "googlenet batch 1 launch", 1, 0, 0);
    out->call(7, 70, 5010, 5050, 77);
    out->kernel({ 7, 0, 1, 90 }, 5060, 5070, 77, "a", 3001);
    out->copy({ 7, 0, 1, 91 }, 5065, 5080, 77, 8, 2002);
    out->set({ 7, 0, 1, 91 }, 5082, 5090, 77, 4711); // of which nothing is known
    const Report r = done();
    ASSERT_EQ(r->op_count, 3u);
    EXPECT_EQ(layer(r, 0), "inception_3a/1x1");
    EXPECT_EQ(layer(r, 1), "inception_3a/pool");
    EXPECT_EQ(layer(r, 2), "");
    EXPECT_EQ(r->in_graphs, 3);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(range(r, i), "googlenet batch 1 launch");
        EXPECT_EQ(r->ops[i].issued, 5050);
    }
}

TEST_P(NsysVersion, BacktracesOfACallAreNoCalls)
{
    out->range(7, 70, 100, 200, "right");
    out->range(7, 71, 100, 200, "wrong");
    out->call(7, 71, 110, 115, 5, 67);
    out->call(7, 70, 110, 120, 5, 1);
    out->call(7, 71, 110, 116, 5, 0); // a second one of the right class adds nothing
    out->kernel({}, 150, 500, 5);
    const Report r = done();
    EXPECT_EQ(range(r, 0), "right");
    EXPECT_EQ(r->ops[0].issued, 120);
}

TEST_P(NsysVersion, ProcessesAndDevicesShareNumbersButNothingElse)
{
    for (int pid : { 7, 8 }) {
        out->domain(pid, pid == 7 ? 1 : 2, "tributary");
        out->domain(pid, pid == 7 ? 2 : 1, "other");
        out->range(pid, 70, 100, 200, pid == 7 ? "conv1" : "conv2", pid == 7 ? 1 : 2, 4);
        out->call(pid, 70, 110, 120, 5);
        out->node(pid, 70, 150, 1001);
        out->kernel({ pid, 0, 1, 7 }, 130 + pid, 500, 5);
        out->kernel({ pid, 1, 1, 7 }, 600 + pid, 700, 5);
        out->kernel({ pid, 1, 2, 7 }, 800 + pid, 900, 9, "in a graph", 1001);
    }
    const Report r = done();
    ASSERT_EQ(r->op_count, 6u);
    EXPECT_EQ(r->stream_count, 6u);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(layer(r, i), i % 2 == 0 ? "conv1" : "conv2") << i;
    EXPECT_EQ(r->uncalled, 2);
}

TEST_P(NsysVersion, TimesThatAreNoneAreLeftOutAndCounted)
{
    out->kernel({}, 0, 0, 1);
    out->kernel({}, 20, 10, 2);
    out->kernel({}, 10, INT64_MAX, 3);
    out->kernel({}, INT64_MIN, 10, 4);
    out->kernel({}, -10, -5, 5);
    out->kernel({}, 30, 30, 6);
    const Report r = done();
    EXPECT_EQ(r->op_count, 2u);
    EXPECT_EQ(r->untimed, 4);
    EXPECT_EQ(r->uncalled, 2);
    EXPECT_EQ(r->ops[0].start, -10);
    EXPECT_EQ(range(r, 0), "");
}

TEST_P(NsysVersion, AnOpThatBeganBeforeItsCallReturnedWasIssuedThen)
{
    out->call(7, 70, 100, 900, 5);
    out->kernel({}, 150, 500, 5);
    EXPECT_EQ(done()->ops[0].issued, 150);
}

TEST_P(NsysVersion, ARangeThatNeverClosedGoesOn)
{
    out->range(7, 70, 100, -1, "open");
    out->range(7, 70, 110, 120, "closed");
    out->call(7, 70, 115, 116, 5);
    out->call(7, 70, 130, 131, 6);
    out->kernel({}, 150, 160, 5);
    out->kernel({}, 170, 180, 6);
    const Report r = done();
    EXPECT_EQ(range(r, 0), "closed");
    EXPECT_EQ(range(r, 1), "open");
}

TEST_P(NsysVersion, OfAGpuWithoutWorkOursOnACpuIsShown)
{
    out->domain(7, 1, "tributary");
    out->range(7, 70, 0, 1000, "googlenet batch 1", 1);
    out->range(7, 71, 100, 200, "inception_3a/1x1", 1, 4);
    out->range(7, 72, 150, 400, "inception_3a/3x3", 1, 4);
    out->range(7, 72, 500, -1, "inception_3b/3x3", 1, 4);
    out->range(7, 72, 600, 700, "of another program", 0, 4);
    out->thread_name(7, 72, "lane 0 stream 1");
    const Report r = done();
    ASSERT_EQ(r->op_count, 2u);
    EXPECT_TRUE(r->on_cpu);
    EXPECT_EQ(r->stream_count, 2u);
    EXPECT_EQ(layer(r, 1), "inception_3a/3x3");
    EXPECT_STREQ(trib_nsys_name_text(&r->names, r->streams[r->ops[1].stream].name), "lane 0 stream 1");
}

TEST_P(NsysVersion, TablesWithoutRowsMayBeMissing)
{
    out->kernel({}, 150, 160, 5);
    for (const char *table :
         { "CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_MEMSET", "CUPTI_ACTIVITY_KIND_RUNTIME", "NVTX_EVENTS",
           "TARGET_INFO_GPU", "TARGET_INFO_NVTX_CUDA_STREAM", "ThreadNames" })
        out->sql(std::string("DROP TABLE ") + table);
    const Report r = done();
    EXPECT_EQ(r->op_count, 1u);
    EXPECT_EQ(r->uncalled, 1);
}

INSTANTIATE_TEST_SUITE_P(Versions, NsysVersion, testing::Values(exports::v2022, exports::v2023, exports::v2024),
                         [](const auto &param) { return std::string(param.param).substr(0, 4); });

TEST(NsysRead, AGraphInOneBlockIsAnOp)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("r.sqlite");
    {
        Export out(path, exports::v2024);
        out.range(7, 70, 0, 100, "step");
        out.call(7, 70, 10, 20, 5);
        out.whole_graph({}, 30, 90, 5);
    }
    const Report r = read(path);
    ASSERT_EQ(r->op_count, 1u);
    EXPECT_EQ(r->kinds[TRIB_NSYS_GRAPH], 1);
    EXPECT_EQ(range(r, 0), "step");
}

TEST(NsysRead, LongNamesAreCutAtACharacter)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("r.sqlite");
    {
        Export out(path, exports::v2023);
        std::string name = "x";
        for (int i = 0; i < 1000; ++i) name += "\xc3\xa4";
        out.kernel({}, 1, 2, 5, name);
    }
    const Report r = read(path);
    const std::string name = trib_nsys_name_text(&r->names, r->ops[0].name);
    EXPECT_EQ(name.size(), 511u);
    EXPECT_EQ(name.substr(509), "\xc3\xa4");
}

} // namespace
