// SPDX-License-Identifier: Apache-2.0
// Any bytes as an export of Nsight Systems: what is accepted adds up. (Without SQLite every file is refused.)
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "profile/nsys_print.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

void check_sums(const trib_nsys_sums &s)
{
    check(s.busy + s.launch + s.wait + s.tail == s.streams * s.wall);
    check(s.overlap >= 0 && s.overlap <= s.any && s.any <= s.wall && s.any <= s.busy);
}

void read_all(const std::string &path)
{
    trib_nsys_report *report = nullptr;
    trib_nsys_overlaps overlaps = {};
    trib_nsys_networks networks = {};
    trib_status s = trib_nsys_read(path.c_str(), nullptr, &report);
    check(trib_failed(&s) ? !report && s.message[0] : report != nullptr);
    if (!report) return;
    s = trib_nsys_overlaps_of(report, nullptr, &overlaps);
    check(!trib_failed(&s) || s.message[0]);
    for (std::size_t i = 0; i < overlaps.device_count; ++i) check_sums(overlaps.devices[i].sums);
    s = trib_nsys_networks_of(report, &networks);
    check(!trib_failed(&s) || s.message[0]);
    FILE *out = std::fopen("/dev/null", "w");
    if (out) {
        trib_nsys_print(report, &overlaps, &networks, out);
        std::fclose(out);
    }
    trib_nsys_networks_release(&networks);
    trib_nsys_overlaps_release(&overlaps);
    trib_nsys_release(report);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    check(file >= 0 && write(file, data, size) == ssize_t(size));
    // A file that nsys would have to export is not: nsys may be there.
    if (size < 6 || std::string(data, data + 6) != "NVIDIA") read_all("/proc/self/fd/" + std::to_string(file));
    close(file);
    return 0;
}
