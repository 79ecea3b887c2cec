// SPDX-License-Identifier: Apache-2.0
// One thread block at a time, its threads fibers on one processor thread.
//
// A warp runs until each of its lanes waits: at a barrier, or at a collective (shuffle, ldmatrix, mma), which the last
// lane to arrive computes for all. When every warp waits at one barrier, all go on. Anything else that can no longer
// go on is an error that names both places, where a GPU would hang or compute rubbish.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fiber.h"
#include "shared.h"

namespace emulation
{

constexpr int warp_size = 32;

// What a kernel did wrong: the message names kernel, block and thread.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Index3 {
    unsigned x, y, z;
};

// Where in the kernel a thread waits.
struct Site {
    const char *what, *file;
    int line;
    static bool same(const char *a, const char *b) { return a == b || std::strcmp(a, b) == 0; }
    bool operator==(const Site &other) const
    {
        return line == other.line && same(what, other.what) && same(file, other.file);
    }
};

class Block;

// One CUDA thread.
struct Thread {
    enum State { ready, at_barrier, at_collective, exited };

    Block *block;
    int index, lane, warp;
    State state;
    bool begun; // and not ended: its stack is in use
    Site site;
    void *argument; // of the collective it waits at
    AsyncCopies copies;
    std::size_t shared_used; // arrays it has declared so far
    Fiber *fiber;
};

// Computes a collective for a warp: arguments[lane] of each of its `lanes` lanes.
using Collective = void (*)(void *const *arguments, int lanes);

class Block
{
  public:
    Block(const char *kernel, Index3 grid, int threads, std::size_t shared_bytes);
    // Runs one block of the grid; throws Error.
    void run(Index3 block, const std::function<void()> &body);

    void barrier(Site site);
    void collective(Site site, void *argument, Collective compute);
    [[noreturn]] void fail(const std::string &what) const;

    SharedMemory shared;

  private:
    void run_thread(Thread &thread, const std::function<void()> &body);
    void wait(Thread::State state, Site site);
    void resume(Thread &thread);
    bool run_warp(int warp);
    void finish_collective(int first, int lanes);
    void release_barrier();
    void cancel();
    std::string position(const Thread &thread) const;

    const char *kernel_;
    Index3 grid_, block_ {};
    std::vector<Thread> threads_;
    Collective compute_ = nullptr;
    bool cancelled_ = false;
    std::string error_;
};

// The thread that runs now; nullptr outside a kernel.
Thread *current();
Thread &running(const char *what); // throws Error outside a kernel

// 0: blocks and warps in their order. Else they are shuffled, as hardware may.
void set_order(std::uint64_t seed);

// Why a launch is refused before anything runs; nullptr: it is not.
const char *refusal(Index3 grid, int threads, std::size_t shared_bytes);
// Runs a whole grid that is not refused. Throws Error.
void run_grid(const char *kernel, Index3 grid, int threads, std::size_t shared_bytes,
              const std::function<void()> &body);

} // namespace emulation

// What kernels see; set when a thread is resumed. (__thread: plain data needs no function called at each use.)
extern __thread emulation::Index3 threadIdx, blockIdx, blockDim, gridDim;
