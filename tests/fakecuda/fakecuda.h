// SPDX-License-Identifier: Apache-2.0
// A simulated CUDA runtime: tests link it instead of the real one, so that the CUDA device is executed without a GPU.
//
// It has CUDA's semantics as far as the driver depends on them, and takes every freedom that CUDA leaves:
//   - work runs late, and in any order that streams, events and graph edges allow, chosen by a seed;
//   - freed memory is given out again as early as stream order allows;
//   - memory that was not written, or was freed, is filled with 0xff (NaN in every float type), and with
//     AddressSanitizer cannot be touched;
// and it records what real CUDA would let pass in silence: use of freed or not yet allocated memory, copies out of
// range, unknown handles, the legacy stream, calls from host functions.
//
// Device pointers are host pointers, so that a "kernel" is any function of the host: see launch().
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fakecuda
{

// What the real CUPTI has been seen to do.
struct Cupti {
    bool missing = false;   // the library cannot be loaded
    bool driver = true;     // false: all that needs a driver fails with CUPTI_ERROR_UNKNOWN
    std::string holder;     // another profiler has it: its name
    int lose_first = 0;     // records at the beginning of a session that never come
    int lose = 0;           // every so manieth record never comes; 0: none
    int untimed = 0;        // every so manieth record has no times; 0: none
    bool wrong_ids = false; // a graph's work has the correlation id of the launch before
    bool inner_ids = false; // calls of the driver from the runtime have correlation ids of their own
    bool nodes = true;      // false: it does not tell when nodes of graphs are made
};

struct Options {
    std::uint64_t seed = 1;
    std::size_t memory = std::size_t(1) << 30; // of each device
    std::size_t pinned = std::size_t(1) << 30; // of pinned host memory
    int devices = 1;
    bool driver = true;         // false: as on a machine without NVIDIA's driver
    std::int64_t call = 0;      // nanoseconds that the host needs for a call: work does not begin before it is given
    std::int64_t kernel = 5000; // nanoseconds that a kernel takes which does not say
    // Nanoseconds that a kernel of this name takes which does not say; empty: `kernel`.
    std::function<std::int64_t(const std::string &)> takes;
    int at_once = 0;         // pieces of work that the device does at once; 0: any number
    bool real_clock = false; // the host's clock goes on as CLOCK_MONOTONIC does, too
    Cupti cupti;
    int eagerness = 25; // percent of calls during which the device does a piece of work; 0: none before it must
};

// A new machine: nothing is allocated, nothing has failed.
void reset(const Options &options = Options());
// The same machine with another CUPTI from now on.
void set_cupti(const Cupti &cupti);
// CLOCK_MONOTONIC when the device's clock was 0: CUPTI adds it to all times.
std::int64_t clock_zero();
// The same machine, which makes its choices from another seed from now on.
void reseed(std::uint64_t seed);
// In which order work ran since then: equal for equal orders, and with near certainty for no others.
std::uint64_t order();

// ---- work ----

struct Range {
    const void *data;
    std::size_t bytes;
};
// Gives `stream` a kernel. It runs, or is recorded, in stream order; `touches` (device memory) must be allocated then.
// A kernel that does not return cudaSuccess is a device fault: every later call fails. It takes `duration` nanoseconds
// of the device's clock; 0: Options::kernel.
cudaError_t launch(cudaStream_t stream, const char *name, std::function<cudaError_t()> kernel,
                   const std::vector<Range> &touches = {}, std::int64_t duration = 0);

// The host does something else for so many nanoseconds.
void spend(std::int64_t nanoseconds);

// The work in the order in which it ran. The device's clock knows no lack of anything, unless Options::at_once says so:
// work begins when what it waits for is done and the host has given it. So two pieces whose times overlap are certain
// not to be ordered.
struct Ran {
    std::string kind;    // "kernel", "host", "memset", "memcpy to device", "memcpy to host", "memcpy on device"
    std::int64_t stream; // the how manieth created since reset(), from 1; in a graph, the one it was recorded on
    std::int64_t begin, end;
    std::int64_t label = -1;
};
// Work that this thread gives or records from now on has this label; -1: none.
void label(std::int64_t value);
void start_ledger();
std::vector<Ran> stop_ledger();

// Called by a running kernel, to report something that no correct kernel does.
void kernel_violation(const std::string &text);

// ---- failures ----

enum class Failure {
    once,    // one call returns an error that means nothing for others
    forever, // and so does every later one: the driver is gone, work on its way never runs
    sticky   // the device faults
};
// The k-th fallible call from now on fails (first is 1; 0: none, only count).
void fail(std::int64_t k, Failure how);
// The k-th call of this function from now on fails with this error.
void fail_function(const std::string &name, std::int64_t k, cudaError_t error);
// Stops failing and counting; returns the number of calls seen. A sticky fault stays until reset().
std::int64_t stop_failing();
// The function that fail() made fail first; "" when none.
std::string failed_function();

// The next thread that is about to call this function of the runtime calls `what` first, once: others get in between.
void pause_before(const std::string &function, std::function<void()> what);

// ---- what was seen ----

// What is not given back, in words; "" when nothing is left.
std::string leaks();
// What no correct program does, since reset().
std::vector<std::string> violations();

struct Counts {
    std::int64_t pageable_copies = 0; // asynchronous copies that were not: their host memory is not pinned
    std::int64_t executed = 0;        // pieces of work
    std::int64_t streams = 0, events = 0, pinned = 0, allocations = 0, graphs = 0; // created since reset()
    std::int64_t device_resets = 0; // calls of cudaDeviceReset, each with nothing left on the machine, or a violation
};
Counts counts();
// Pieces of work given to streams and not executed yet.
std::size_t pending();

} // namespace fakecuda
