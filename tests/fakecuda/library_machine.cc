// SPDX-License-Identifier: Apache-2.0
// The libraries on the simulated machine: their calls are counted and fail with the runtime's, and their work goes to
// its streams, captures and graphs.
#include "fakecuda/library.h"
#include "fakecuda/machine.h"

namespace fakecuda::library
{

namespace
{
std::mutex lock;
// Never destroyed: programs look into it while they exit.
std::map<std::string, int> &ledger()
{
    static auto *all = new std::map<std::string, int>;
    return *all;
}
} // namespace

bool fails(const char *function)
{
    std::lock_guard<std::mutex> guard(machine().lock);
    return begin(function) != cudaSuccess;
}

cudaError_t enqueue(cudaStream_t stream, const char *name, std::function<void()> work,
                    const std::vector<Touched> &touched)
{
    std::vector<Range> ranges;
    for (const Touched &t : touched) ranges.push_back({ t.data, t.bytes });
    return launch(
        stream, name,
        [work = std::move(work)] {
            work();
            return cudaSuccess;
        },
        ranges);
}

void made(const char *what)
{
    std::lock_guard<std::mutex> guard(lock);
    ++ledger()[what];
}

void given_back(const char *what)
{
    std::lock_guard<std::mutex> guard(lock);
    --ledger()[what];
}

void fail(std::int64_t k, bool forever) { fakecuda::fail(k, forever ? Failure::forever : Failure::once); }
std::int64_t stop_failing() { return fakecuda::stop_failing(); }
std::string failed_function() { return fakecuda::failed_function(); }

std::string leaks()
{
    std::lock_guard<std::mutex> guard(lock);
    std::string text;
    for (const auto &[what, count] : ledger())
        if (count) text += std::to_string(count) + " " + what + "; ";
    return text;
}

} // namespace fakecuda::library
