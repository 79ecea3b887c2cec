// SPDX-License-Identifier: Apache-2.0
#include "launch.cuh"

#include <atomic>

namespace emulation
{

static std::atomic<StreamHook> stream_hook { nullptr };
static std::atomic<int> multiprocessors { 132 };
static std::atomic<int> row_limit { 65535 };

void set_stream_hook(StreamHook hook) { stream_hook = hook; }

void keep_account_of_shared_memory(bool yes) { SharedMemory::keep_account(yes); }

void set_multiprocessor_count(int count) { multiprocessors = count; }

void set_grid_row_limit(int limit) { row_limit = limit; }

static thread_local dim3 grid_of_last_launch;

dim3 last_grid() { return grid_of_last_launch; }

trib_status enqueue(const char *name, dim3 grid, int threads, std::size_t shared_bytes, void *stream,
                    std::function<void()> body)
{
    grid_of_last_launch = grid;
    if (const char *why = refusal(grid, threads, shared_bytes))
        return TRIB_ERROR(TRIB_DEVICE_ERROR, "%s: the kernel could not be launched: %s", name, why);
    auto work = [=]() -> trib_status {
        try {
            run_grid(name, grid, threads, shared_bytes, body);
            return trib_success();
        } catch (const std::exception &error) {
            return TRIB_ERROR(TRIB_DEVICE_ERROR, "%s", error.what());
        }
    };
    const StreamHook hook = stream_hook;
    return hook ? hook(stream, work) : work();
}

} // namespace emulation

int multiprocessor_count() { return emulation::multiprocessors; }

int grid_row_limit() { return emulation::row_limit; }
