// SPDX-License-Identifier: Apache-2.0
// What the parts of the simulated runtime share: one machine, one lock.
#pragma once

#include "fakecuda/fakecuda.h"

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace fakecuda
{

using Work = std::function<cudaError_t()>;

// A piece of work on its way. Those it waits for are dropped once it is done.
struct Op {
    Work run; // empty: only a point in the order
    std::vector<std::shared_ptr<Op>> waits;
    std::vector<Op *> dependents; // all still to be done, and kept alive by `waiting`
    int missing = 0;
    bool done = false;
    std::int64_t duration = 0, ready = 0, start = 0, finish = 0; // nanoseconds of the device's clock
    std::uint64_t number = 0;
    const char *kind = nullptr; // null: nothing that a ledger shows
    std::int64_t stream = 0;
    std::int64_t label = -1;
    std::uint64_t node = 0;        // of a graph
    std::uint32_t correlation = 0; // the call that gave it
    bool traced = false;
};
using OpPointer = std::shared_ptr<Op>;

// One piece of work of a graph.
struct Node {
    const char *kind;
    std::string fixed; // what an update cannot change: a copy's direction and devices
    Work run;
    std::int64_t duration = 0;
    std::set<std::size_t> waits; // indices of nodes, all smaller
    std::int64_t stream = 0;
    std::uint64_t id = 0;
    std::int64_t label = -1;
};

struct Capture {
    std::uint64_t id = 0;
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    std::thread::id thread;
    cudaStream_t origin = nullptr;
    bool invalidated = false;
    std::vector<Node> nodes;
    std::set<cudaStream_t> streams;
};
using CapturePointer = std::shared_ptr<Capture>;

struct Allocation {
    std::size_t bytes = 0;
    std::uint64_t number = 0; // distinguishes objects that had the same address
    cudaMemPool_t pool = nullptr;
};

// Memory of a pool that was freed, and from when on it may be used again.
struct Freed {
    std::uintptr_t address;
    std::size_t bytes;
    OpPointer when;
};

struct Injection {
    bool counting = false;
    std::int64_t k = 0, seen = 0;
    Failure how = Failure::once;
    std::string function, hit;
    cudaError_t error = cudaErrorUnknown;
    bool active() const { return counting && k > 0 && seen >= k; }
};

struct Device {
    char *memory = nullptr; // reserved address range
    std::size_t reserved = 0;
    std::map<std::uintptr_t, std::size_t> taken; // by pools
};

// Who is told what happens: the simulated CUPTI.
struct Tracer {
    virtual ~Tracer() = default;
    virtual void enter(const char *function, std::uint32_t correlation) = 0;
    virtual void leave(const char *function, std::uint32_t correlation) = 0;
    virtual void created(const Node &node) = 0;
    virtual void cloned(const Node &from, const Node &to) = 0;
    virtual void given(Op &op) = 0;
    virtual void done(const Op &op) = 0;
};

struct Machine {
    ~Machine();

    std::mutex lock;
    Options options;
    std::mt19937_64 random;
    std::vector<Device> devices;
    cudaError_t sticky = cudaSuccess;
    Injection injection;
    Counts counts;
    std::vector<std::string> violations;
    std::uint64_t numbers = 0;
    std::uint64_t first_number = 0, order = 0; // since the seed was set
    std::int64_t host = 0, last = 0;           // the host's clock; when the latest work was done
    std::int64_t zero = 0;                     // CLOCK_MONOTONIC when the machine was made
    std::vector<std::int64_t> free_from;       // Options::at_once: when each of the places is free again
    Tracer *tracer = nullptr;
    std::uint32_t calls = 0; // of the runtime and the driver
    std::uint64_t nodes = 0; // of graphs
    bool keeps_ledger = false;
    std::vector<Ran> ledger;

    std::set<cudaStream_t> streams;
    std::set<cudaEvent_t> events;
    std::set<cudaGraph_t> graphs;
    std::set<cudaGraphExec_t> execs;
    std::set<cudaMemPool_t> pools;
    std::set<CapturePointer> captures;

    std::map<std::uintptr_t, Allocation> allocated; // as the host sees it
    std::map<std::uintptr_t, Allocation> live;      // as the device sees it: what work may touch now
    std::map<std::uintptr_t, std::size_t> pinned;
    std::size_t pinned_bytes = 0;

    std::vector<OpPointer> ready;
    std::map<Op *, OpPointer> waiting;
};

Machine &machine();
extern thread_local int current_device;

// ---- calls (fakecuda.cc) ----

// Begins every call that can fail: counts it, injects a failure, answers a sticky error, refuses host functions.
cudaError_t begin(const char *function, cudaError_t injected = cudaErrorUnknown);
bool fails_inside(const char *function); // the same for a call from a callback: the machine is locked, no work runs
cudaError_t failed(cudaError_t error);   // remembers it for cudaGetLastError
void violation(const std::string &text);
std::string left_behind(); // leaks(), with the machine locked

// True in the thread that runs work, which holds the lock then.
extern thread_local bool inside_work;
cudaError_t refuse(const char *function); // a call from inside work
void reach(const char *function);         // before the lock is taken: where pause_before pauses

// A call of the runtime or the driver, as a profiler sees it. The machine is locked.
class Call
{
  public:
    explicit Call(const char *function);
    ~Call();
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    static std::uint32_t current(); // of this thread; 0: none

  private:
    const char *function_;
    std::uint32_t correlation_, outer_;
};

// Locks the machine and begins a call; returns from the function when it fails, by default with cudaErrorUnknown.
#define FAKECUDA_LOCK()                                           \
    if (fakecuda::inside_work) return fakecuda::refuse(__func__); \
    fakecuda::reach(__func__);                                    \
    std::lock_guard<std::mutex> fakecuda_lock(fakecuda::machine().lock)
#define FAKECUDA_CALL_OR(injected)                                        \
    FAKECUDA_LOCK();                                                      \
    const fakecuda::Call fakecuda_this_call(__func__);                    \
    do {                                                                  \
        cudaError_t fakecuda_error = fakecuda::begin(__func__, injected); \
        if (fakecuda_error != cudaSuccess) return fakecuda_error;         \
    } while (0)
#define FAKECUDA_CALL() FAKECUDA_CALL_OR(cudaErrorUnknown)

// ---- work (schedule.cc) ----

OpPointer enqueue(Work run, std::int64_t duration, const std::vector<OpPointer> &after);
void wait_for(const OpPointer &op);
// Lets the device do something on its own.
void progress(int percent);
bool happens_before(const OpPointer &first, const OpPointer &second);
void drop_all_work(); // never runs it
// Says what it is, for those who look: a node's work, or if it has no number, work given by itself.
void give(const OpPointer &op, const Node &node);
// Gives a stream work, or its capture.
cudaError_t submit(cudaStream_t stream, const char *kind, Work run, std::int64_t duration,
                   const std::string &fixed = "");

// ---- memory (memory.cc) ----

void open_memory();
void close_memory();
void settle_memory(); // after work was dropped: what the host sees is what is
// A check for when the work runs: device memory at these addresses is still the same.
cudaError_t resolve(const void *data, std::size_t bytes, const char *what, Work &check);
bool is_device(const void *data);
std::string place_of(const void *data); // "host", or "device 0"
bool is_pinned(const void *data, std::size_t bytes);

// ---- graphs (graph.cc) ----

cudaError_t check_stream(cudaStream_t stream);
// For calls that CUDA calls unsafe while capturing.
cudaError_t unsafe_call();
void invalidate(const CapturePointer &capture);

} // namespace fakecuda

struct CUstream_st {
    int device;
    int priority;
    std::int64_t number;
    fakecuda::OpPointer last;
    fakecuda::CapturePointer capture;
    std::set<std::size_t> front; // nodes of the capture that what comes next waits for
};

struct CUevent_st {
    int device;
    bool timing;
    fakecuda::OpPointer record; // null: never recorded
    fakecuda::CapturePointer capture;
    std::set<std::size_t> front;
};

struct CUgraph_st {
    std::vector<fakecuda::Node> nodes;
};

struct CUgraphExec_st {
    std::shared_ptr<std::vector<fakecuda::Node>> nodes;
    fakecuda::OpPointer last; // end of the latest launch
};

struct CUmemPoolHandle_st {
    int device;
    std::size_t reserved;
    std::vector<fakecuda::Freed> freed;
};
