// SPDX-License-Identifier: Apache-2.0
// A report of a long run: 10 million kernels in the long form, each with its call, in a million ranges, in less than
// 1 GB. How long it takes is printed.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "nsys/exports.h"
#include "profile/nsys_overlap.h"
#include "profile/nsys_print.h"
#include "support/form.h"
#include "support/support.h"

namespace
{

void write_export(const std::string &path, long kernels)
{
    exports::Export out(path, exports::v2023);
    out.string("step"); // 1
    out.string("gemm"); // 2
    const std::string n = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ";
    const std::string rows = n + std::to_string(kernels) + ") INSERT INTO ";
    const std::string thread = std::to_string(exports::global_tid(7, 70));
    const std::string process = std::to_string(exports::global_pid(7));
    // A kernel each microsecond on four streams in turn, 1.5 us long; every ten in a range.
    out.sql(
        rows +
        "CUPTI_ACTIVITY_KIND_KERNEL (start, end, deviceId, contextId, streamId, globalPid, correlationId, "
        "demangledName, shortName, registersPerThread, gridX, gridY, gridZ, blockX, blockY, blockZ, "
        "staticSharedMemory, dynamicSharedMemory, localMemoryPerThread, localMemoryTotal, gridId) SELECT i * 1000 + "
        "500, i * 1000 + 2000, 0, 1, 13 + i % 4, " +
        process + ", i, 2, 2, 32, 8, 1, 1, 128, 1, 1, 0, 0, 0, 0, i FROM n");
    out.sql(
        rows +
        "CUPTI_ACTIVITY_KIND_RUNTIME (start, end, eventClass, globalTid, correlationId, nameId, returnValue) SELECT "
        "i * 1000, i * 1000 + 100, 0, " +
        thread + ", i, 2, 0 FROM n");
    out.sql(n + std::to_string(kernels / 10) +
            ") INSERT INTO NVTX_EVENTS (start, end, eventType, globalTid, textId) SELECT i * 10000, i * 10000 + 9999, "
            "59, " +
            thread + ", 1 FROM n");
}

// In a process of its own, so that only reading counts.
int read_and_check(const std::string &path, long kernels)
{
    trib_nsys_report *report = nullptr;
    trib_nsys_overlaps overlaps = {};
    trib_status status = trib_nsys_read(path.c_str(), nullptr, &report);
    if (!trib_failed(&status)) status = trib_nsys_overlaps_of(report, nullptr, &overlaps);
    if (trib_failed(&status)) return std::fprintf(stderr, "%s\n", status.message), 1;
    const trib_nsys_sums &all = overlaps.devices[0].sums;
    const bool good = all.ops == kernels && all.busy == kernels * 1500 && all.wall == kernels * 1000 + 500 &&
                      overlaps.windows[0].count == kernels / 10 && overlaps.windows[0].median == 10500;
    const trib_nsys_networks none = {};
    trib_nsys_print(report, &overlaps, &none, stdout);
    trib_nsys_overlaps_release(&overlaps);
    trib_nsys_release(report);
    return good ? 0 : 2;
}

TEST(NsysHuge, IsReadInLittleMemory)
{
    const long kernels = support::by_form(50'000L, 10'000'000L);
    support::TemporaryFolder folder;
    const std::string path = folder.file("huge.sqlite");
    write_export(path, kernels);
    const auto start = std::chrono::steady_clock::now();
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const int code = read_and_check(path, kernels);
        std::fflush(stdout);
        _exit(code);
    }
    int result = 0;
    struct rusage usage = {};
    ASSERT_EQ(wait4(child, &result, 0, &usage), child);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(result, 0);
    std::printf("%ld kernels: %.2f s, %.2f s of a CPU, %ld MB at most\n", kernels, seconds.count(),
                double(usage.ru_utime.tv_sec) + 1e-6 * double(usage.ru_utime.tv_usec), usage.ru_maxrss / 1024);
    if (support::sanitized) return;
    EXPECT_LT(usage.ru_maxrss, 64 * 1024 + kernels / 11); // KB
}

} // namespace
