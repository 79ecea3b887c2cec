// SPDX-License-Identifier: Apache-2.0
// nsys_tool make FILE VERSION: an export of random work on several processes, devices and streams, eager and in graphs.
// nsys_tool dump FILE: what is read from an export, for against_nsys.py: "op START DURATION STREAM NAME" and, of each
// NVTX range name, "range WINDOWS WALL OPS NAME".
#include <cinttypes>
#include <cstdio>
#include <random>
#include <string>

#include "nsys/exports.h"
#include "profile/nsys_overlap.h"

namespace
{

using exports::Export;

void make_eager(Export &out, int pid, int &correlation, std::mt19937 &random)
{
    std::int64_t host = 1000000, device = host;
    for (int step = 0; step < 50; ++step) {
        const std::int64_t begin = host;
        for (int op = 0; op < 12; ++op) {
            const std::int64_t before = host;
            for (unsigned k = 0; k < 1 + random() % 3; ++k) {
                const exports::Stream stream = { pid, int(random() % 2), 1, 7 + int(random() % 4) };
                out.call(pid, pid + 1, host + 10, host + 2000, ++correlation);
                device = std::max(device, host + 2500) + random() % 3000;
                const std::int64_t end = device + random() % 9000;
                if (random() % 5)
                    out.kernel(stream, device, end, correlation, "kernel_" + std::to_string(random() % 7));
                else if (random() % 2)
                    out.copy(stream, device, end, correlation, 1 + int(random() % 2));
                else
                    out.set(stream, device, end, correlation);
                host += 2500;
            }
            out.range(pid, pid + 1, before, host, "op_" + std::to_string(op));
        }
        out.range(pid, pid + 1, begin - 5, host + 5, "step");
        host += 10000;
    }
}

void make_graphs(Export &out, int pid, int &correlation, std::mt19937 &random)
{
    for (int n = 0; n < 30; ++n) {
        out.node(pid, pid + 1, 1000 + n, 100 + n);
        out.node(pid, pid + 1, 5000 + n, 200 + n, 100 + n);
    }
    for (int launch = 0; launch < 20; ++launch) {
        const std::int64_t start = 10000000 + 1000000 * std::int64_t(launch);
        out.range(pid, pid + 1, start - 100, start + 9000, "launch");
        out.call(pid, pid + 1, start, start + 8000, ++correlation);
        for (int n = 0; n < 30; ++n) {
            const std::int64_t at = start + 9000 + random() % 200000;
            out.kernel({ pid, 0, 1, 40 + int(random() % 9) }, at, at + random() % 30000, correlation, "node", 200 + n);
        }
    }
}

int make(const char *path, const char *version)
{
    Export out(path, version);
    std::mt19937 random(1);
    int correlation = 0;
    out.gpu("A GPU");
    for (int pid : { 100, 200 }) {
        make_eager(out, pid, correlation, random);
        make_graphs(out, pid, correlation, random);
    }
    return 0;
}

void dump_ranges(const trib_nsys_report *report)
{
    trib_nsys_overlaps all = {};
    const trib_status s = trib_nsys_overlaps_of(report, nullptr, &all);
    if (trib_failed(&s)) std::fprintf(stderr, "%s\n", s.message);
    for (std::size_t i = 0; i < all.window_count; ++i)
        std::printf("range %" PRId64 " %" PRId64 " %" PRId64 " %s\n", all.windows[i].count, all.windows[i].sums.wall,
                    all.windows[i].sums.ops, trib_nsys_name_text(&report->names, all.windows[i].name));
    trib_nsys_overlaps_release(&all);
}

int dump(const char *path)
{
    trib_nsys_report *report = nullptr;
    const trib_status s = trib_nsys_read(path, nullptr, &report);
    if (trib_failed(&s)) return std::fprintf(stderr, "%s\n", s.message), 1;
    for (std::size_t i = 0; i < report->op_count; ++i) {
        const trib_nsys_op &op = report->ops[i];
        const bool kernel = op.kind == TRIB_NSYS_KERNEL;
        std::printf("op %" PRId64 " %" PRId64 " %" PRId64 " %s\n", op.start, op.end - op.start,
                    report->streams[op.stream].number, kernel ? trib_nsys_name_text(&report->names, op.name) : "-");
    }
    dump_ranges(report);
    trib_nsys_release(report);
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    const std::string what = argc > 2 ? argv[1] : "";
    if (what == "make" && argc == 4) return make(argv[2], argv[3]);
    if (what == "dump" && argc == 3) return dump(argv[2]);
    return std::fprintf(stderr, "usage: nsys_tool make FILE VERSION | dump FILE\n"), 2;
}
