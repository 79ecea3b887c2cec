// SPDX-License-Identifier: Apache-2.0
#include "block.h"

#include <algorithm>
#include <numeric>
#include <random>

__thread emulation::Index3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation
{

namespace
{

struct Cancelled {
};

thread_local Thread *running_thread;
thread_local std::uint64_t order_seed;
// Fibers outlive launches: making a stack costs more than running a small kernel.
thread_local std::vector<std::unique_ptr<Fiber>> fibers;

Fiber *fiber(int index)
{
    while (fibers.size() <= std::size_t(index)) fibers.push_back(std::make_unique<Fiber>());
    return fibers[index].get();
}

std::vector<int> shuffled(int count, std::uint64_t salt)
{
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    if (order_seed) std::shuffle(order.begin(), order.end(), std::mt19937_64(order_seed + salt));
    return order;
}

std::string text(Site site)
{
    const char *slash = std::strrchr(site.file, '/');
    return std::string(site.what) + " (" + (slash ? slash + 1 : site.file) + ":" + std::to_string(site.line) + ")";
}

} // namespace

Thread *current() { return running_thread; }

Thread &running(const char *what)
{
    if (!running_thread) throw Error(std::string(what) + " outside a kernel");
    return *running_thread;
}

void set_order(std::uint64_t seed) { order_seed = seed; }

Block::Block(const char *kernel, Index3 grid, int threads, std::size_t shared_bytes)
    : shared(shared_bytes), kernel_(kernel), grid_(grid), threads_(threads)
{
    for (int i = 0; i < threads; ++i) {
        threads_[i].block = this;
        threads_[i].index = i;
        threads_[i].lane = i % warp_size;
        threads_[i].warp = i / warp_size;
        threads_[i].fiber = fiber(i);
    }
}

std::string Block::position(const Thread &thread) const
{
    return std::string(kernel_) + ": block " + std::to_string(block_.x) + "," + std::to_string(block_.y) + "," +
           std::to_string(block_.z) + " thread " + std::to_string(thread.index) + ": ";
}

void Block::fail(const std::string &what) const
{
    throw Error(running_thread ? position(*running_thread) + what : std::string(kernel_) + ": " + what);
}

void Block::run_thread(Thread &thread, const std::function<void()> &body)
{
    thread.begun = true;
    try {
        body();
        if (thread.copies.pending()) fail("ends with cp.async copies it never waited for");
    } catch (const Cancelled &) {
    } catch (const std::exception &error) {
        if (error_.empty()) error_ = error.what();
    }
    thread.begun = false;
    thread.state = Thread::exited;
}

void Block::run(Index3 block, const std::function<void()> &body)
{
    block_ = block;
    shared.reset();
    error_.clear();
    cancelled_ = false;
    for (Thread &thread : threads_) {
        thread.state = Thread::ready;
        thread.begun = false;
        thread.copies = AsyncCopies();
        thread.shared_used = 0;
        thread.fiber->start([this, &thread, &body] { run_thread(thread, body); });
    }
    const int warps = (int(threads_.size()) + warp_size - 1) / warp_size;
    bool going = true;
    while (going && error_.empty()) {
        going = false;
        for (int warp : shuffled(warps, block.x))
            if (error_.empty()) going |= run_warp(warp);
        if (going && error_.empty()) release_barrier();
    }
    if (error_.empty()) return;
    cancel();
    throw Error(error_);
}

void Block::resume(Thread &thread)
{
    running_thread = &thread;
    threadIdx = { unsigned(thread.index), 0, 0 };
    blockIdx = block_;
    blockDim = { unsigned(threads_.size()), 1, 1 };
    gridDim = grid_;
    thread.fiber->resume();
    running_thread = nullptr;
}

// Until every lane has exited (false) or waits at a barrier (true).
bool Block::run_warp(int warp)
{
    const int first = warp * warp_size, lanes = std::min(warp_size, int(threads_.size()) - first);
    for (;;) {
        int count[4] = {};
        for (int i = first; i < first + lanes; ++i) {
            if (threads_[i].state == Thread::ready) resume(threads_[i]);
            if (!error_.empty()) return false;
            ++count[threads_[i].state];
        }
        if (count[Thread::exited] == lanes) return false;
        if (count[Thread::at_barrier] == lanes) return true;
        if (count[Thread::at_collective] == lanes) {
            finish_collective(first, lanes);
            if (!error_.empty()) return false;
            continue;
        }
        if (count[Thread::at_collective] == 0) return true; /* release_barrier() finds those that exited */
        const Thread *waiting = nullptr, *other = nullptr;
        for (int i = first; i < first + lanes; ++i)
            (threads_[i].state == Thread::at_collective ? waiting : other) = &threads_[i];
        error_ = position(*waiting) + "waits at " + text(waiting->site) + " for thread " +
                 std::to_string(other->index) + " of its warp, which " +
                 (other->state == Thread::exited ? "has ended" : "waits at " + text(other->site));
        return false;
    }
}

void Block::finish_collective(int first, int lanes)
{
    void *arguments[warp_size];
    for (int i = 0; i < lanes; ++i) {
        Thread &thread = threads_[first + i];
        if (!(thread.site == threads_[first].site)) {
            error_ = position(threads_[first]) + "is at " + text(threads_[first].site) + " while thread " +
                     std::to_string(thread.index) + " of its warp is at " + text(thread.site);
            return;
        }
        arguments[i] = thread.argument;
        thread.state = Thread::ready;
    }
    try {
        compute_(arguments, lanes);
    } catch (const std::exception &error) {
        error_ = error.what();
    }
}

void Block::release_barrier()
{
    const Thread *first = nullptr, *ended = nullptr;
    for (const Thread &thread : threads_) {
        if (thread.state == Thread::exited) {
            ended = &thread;
            continue;
        }
        if (!first) first = &thread;
        if (!(thread.site == first->site)) {
            error_ = position(*first) + "waits at " + text(first->site) + " while thread " +
                     std::to_string(thread.index) + " waits at " + text(thread.site);
            return;
        }
    }
    if (ended) {
        error_ = position(*first) + "waits at " + text(first->site) + " for thread " + std::to_string(ended->index) +
                 ", which has ended";
        return;
    }
    for (Thread &thread : threads_) thread.state = Thread::ready;
    shared.next_epoch();
}

// Lets every thread that is under way unwind its stack.
void Block::cancel()
{
    cancelled_ = true;
    for (Thread &thread : threads_)
        if (thread.begun) resume(thread);
}

void Block::wait(Thread::State state, Site site)
{
    Thread &thread = *running_thread;
    thread.state = state;
    thread.site = site;
    thread.fiber->suspend();
    if (cancelled_) throw Cancelled();
}

void Block::barrier(Site site) { wait(Thread::at_barrier, site); }

void Block::collective(Site site, void *argument, Collective compute)
{
    running_thread->argument = argument;
    compute_ = compute;
    wait(Thread::at_collective, site);
}

const char *refusal(Index3 grid, int threads, std::size_t shared_bytes)
{
    if (threads < 1 || threads > 1024 || grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.x > 0x7FFFFFFF ||
        grid.y > 65535 || grid.z > 65535)
        return "no GPU accepts this grid or number of threads";
    if (shared_bytes > SharedMemory::limit) return "more than 48 KB of dynamic shared memory";
    return nullptr;
}

void run_grid(const char *kernel, Index3 grid, int threads, std::size_t shared_bytes, const std::function<void()> &body)
{
    Block block(kernel, grid, threads, shared_bytes);
    for (int z : shuffled(int(grid.z), 1))
        for (int y : shuffled(int(grid.y), 2))
            for (int x : shuffled(int(grid.x), 3)) block.run({ unsigned(x), unsigned(y), unsigned(z) }, body);
}

} // namespace emulation
