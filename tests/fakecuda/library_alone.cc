// SPDX-License-Identifier: Apache-2.0
#include "fakecuda/library.h"

#include <map>
#include <mutex>

namespace fakecuda::library
{

namespace
{
std::mutex lock;
std::map<std::string, int> ledger;
std::int64_t target = 0, seen = 0;
bool counting = false, persistent = false;
std::string first;
} // namespace

bool fails(const char *function)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!counting) return false;
    ++seen;
    bool hit = target > 0 && (seen == target || (seen > target && persistent));
    if (hit && first.empty()) first = function;
    return hit;
}

cudaError_t enqueue(cudaStream_t, const char *, std::function<void()> work, const std::vector<Touched> &)
{
    work();
    return cudaSuccess;
}

void made(const char *what)
{
    std::lock_guard<std::mutex> guard(lock);
    ++ledger[what];
}

void given_back(const char *what)
{
    std::lock_guard<std::mutex> guard(lock);
    --ledger[what];
}

void fail(std::int64_t k, bool forever)
{
    std::lock_guard<std::mutex> guard(lock);
    target = k, persistent = forever, seen = 0, counting = true;
    first.clear();
}

std::int64_t stop_failing()
{
    std::lock_guard<std::mutex> guard(lock);
    counting = false;
    return seen;
}

std::string failed_function()
{
    std::lock_guard<std::mutex> guard(lock);
    return first;
}

std::string leaks()
{
    std::lock_guard<std::mutex> guard(lock);
    std::string text;
    for (const auto &[what, count] : ledger)
        if (count) text += std::to_string(count) + " " + what + "; ";
    return text;
}

} // namespace fakecuda::library

// The two calls of the runtime that the libraries make.
extern "C" {
cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}
const char *cudaGetErrorString(cudaError_t) { return "an error of the stand-in"; }
}
