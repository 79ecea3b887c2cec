// SPDX-License-Identifier: Apache-2.0
// The machine itself, and how its calls fail.
#include "fakecuda/machine.h"

#include <algorithm>
#include <chrono>
#include <sstream>

namespace fakecuda
{

thread_local int current_device = 0;
thread_local bool inside_work = false;

namespace
{

thread_local cudaError_t last_error = cudaSuccess;

template <typename Set>
void delete_all(Set &handles)
{
    for (auto handle : handles) delete handle;
    handles.clear();
}

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void seed(Machine &m, std::uint64_t value)
{
    m.random.seed(value);
    m.first_number = m.numbers;
    m.order = 0;
}

void open(Machine &m, const Options &options)
{
    m.options = options;
    seed(m, options.seed);
    m.sticky = cudaSuccess;
    m.injection = Injection();
    m.counts = Counts();
    m.host = m.last = 0;
    m.zero = now();
    m.free_from.assign(std::size_t(options.at_once), 0);
    m.tracer = nullptr;
    m.keeps_ledger = false;
    m.violations.clear();
    drop_all_work();
    m.captures.clear();
    delete_all(m.streams);
    delete_all(m.events);
    delete_all(m.graphs);
    delete_all(m.execs);
    delete_all(m.pools);
    open_memory();
}

} // namespace

Machine::~Machine() { close_memory(); }

Machine &machine()
{
    static Machine the_machine;
    return the_machine;
}

void reset(const Options &options)
{
    std::lock_guard<std::mutex> lock(machine().lock);
    open(machine(), options);
    last_error = cudaSuccess;
    current_device = 0;
}

void set_cupti(const Cupti &cupti)
{
    std::lock_guard<std::mutex> lock(machine().lock);
    machine().options.cupti = cupti;
}

std::int64_t clock_zero()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return machine().zero;
}

void reseed(std::uint64_t value)
{
    std::lock_guard<std::mutex> lock(machine().lock);
    seed(machine(), value);
}

std::uint64_t order()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return machine().order;
}

// ---- failing ----

void fail(std::int64_t k, Failure how)
{
    std::lock_guard<std::mutex> lock(machine().lock);
    Injection injection;
    injection.counting = true;
    injection.k = k;
    injection.how = how;
    machine().injection = injection;
}

void fail_function(const std::string &name, std::int64_t k, cudaError_t error)
{
    fail(k, Failure::once);
    std::lock_guard<std::mutex> lock(machine().lock);
    machine().injection.function = name;
    machine().injection.error = error;
}

std::int64_t stop_failing()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    machine().injection.counting = false;
    return machine().injection.seen;
}

std::string failed_function()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return machine().injection.hit;
}

cudaError_t failed(cudaError_t error)
{
    if (error != cudaSuccess) last_error = error;
    return error;
}

cudaError_t refuse(const char *function)
{
    violation(std::string(function) + " was called from a host function or kernel");
    return failed(cudaErrorNotPermitted);
}

void violation(const std::string &text)
{
    if (machine().violations.size() < 100) machine().violations.push_back(text);
}

// Whoever runs work holds the lock.
void kernel_violation(const std::string &text) { violation(text); }

// Whether this call is one to fail.
static bool hit(Injection &injection, const char *function)
{
    if (!injection.counting || (!injection.function.empty() && injection.function != function)) return false;
    bool now = ++injection.seen == injection.k;
    if (now) injection.hit = function;
    return now || (injection.active() && injection.how == Failure::forever);
}

bool fails_inside(const char *function) { return hit(machine().injection, function); }

cudaError_t begin(const char *function, cudaError_t injected)
{
    Machine &m = machine();
    if (m.devices.empty()) open_memory(); // the first call of a program that did not ask for a special machine
    m.host += m.options.call;
    if (m.options.real_clock) m.host = std::max(m.host, now() - m.zero);
    if (!hit(m.injection, function)) {
        if (m.sticky != cudaSuccess) return failed(m.sticky);
        progress(m.options.eagerness);
        return cudaSuccess;
    }
    if (m.injection.how != Failure::once) drop_all_work();
    if (m.injection.how == Failure::sticky) injected = m.sticky = cudaErrorIllegalAddress;
    if (!m.injection.function.empty()) injected = m.injection.error;
    return failed(injected);
}

// ---- calls as a profiler sees them ----

namespace
{
thread_local std::uint32_t current_call = 0;
}

std::uint32_t Call::current() { return current_call; }

Call::Call(const char *function) : function_(function), outer_(current_call)
{
    Machine &m = machine();
    correlation_ = outer_ && !m.options.cupti.inner_ids ? outer_ : ++m.calls;
    current_call = correlation_;
    if (m.tracer) m.tracer->enter(function_, correlation_);
}

Call::~Call()
{
    if (machine().tracer) machine().tracer->leave(function_, correlation_);
    current_call = outer_;
}

// ---- pausing ----

namespace
{
std::mutex pause_lock; // the two below
std::string pause_function;
std::function<void()> pause;
} // namespace

void pause_before(const std::string &function, std::function<void()> what)
{
    std::lock_guard<std::mutex> lock(pause_lock);
    pause_function = function;
    pause = std::move(what);
}

void reach(const char *function)
{
    std::function<void()> now;
    {
        std::lock_guard<std::mutex> lock(pause_lock);
        if (pause && pause_function == function) now.swap(pause);
    }
    if (now) now();
}

// ---- reports ----

std::string leaks()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return left_behind();
}

std::string left_behind()
{
    const Machine &m = machine();
    std::ostringstream text;
    auto add = [&text](const char *what, std::size_t count) {
        if (count) text << (text.tellp() > 0 ? ", " : "") << count << ' ' << what;
    };
    add("streams", m.streams.size());
    add("events", m.events.size());
    add("graphs", m.graphs.size());
    add("executable graphs", m.execs.size());
    add("pools", m.pools.size());
    add("captures", m.captures.size());
    add("device allocations", m.allocated.size());
    add("pinned allocations", m.pinned.size());
    add("CUPTI subscribers", m.tracer != nullptr);
    return text.str();
}

std::vector<std::string> violations()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return machine().violations;
}

Counts counts()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return machine().counts;
}

std::size_t pending()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return machine().ready.size() + machine().waiting.size();
}

} // namespace fakecuda

// ---- errors ----

using namespace fakecuda;

cudaError_t cudaGetLastError(void)
{
    cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError(void) { return last_error; }

#define FAKECUDA_NAMES(X)                                                                                             \
    X(cudaSuccess, "no error")                                                                                        \
    X(cudaErrorInvalidValue, "invalid argument")                                                                      \
    X(cudaErrorMemoryAllocation, "out of memory")                                                                     \
    X(cudaErrorInitializationError, "initialization error")                                                           \
    X(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy")                                           \
    X(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version")                    \
    X(cudaErrorNoDevice, "no CUDA-capable device is detected")                                                        \
    X(cudaErrorInvalidDevice, "invalid device ordinal")                                                               \
    X(cudaErrorInvalidResourceHandle, "invalid resource handle")                                                      \
    X(cudaErrorIllegalState, "the operation cannot be performed in the present state")                                \
    X(cudaErrorNotReady, "device not ready")                                                                          \
    X(cudaErrorIllegalAddress, "an illegal memory access was encountered")                                            \
    X(cudaErrorLaunchFailure, "unspecified launch failure")                                                           \
    X(cudaErrorNotPermitted, "operation not permitted")                                                               \
    X(cudaErrorNotSupported, "operation not supported")                                                               \
    X(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing")                          \
    X(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture")                   \
    X(cudaErrorStreamCaptureMerge, "operation would result in a merge of separate capture sequences")                 \
    X(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began")                        \
    X(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work")                                           \
    X(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream")                     \
    X(cudaErrorStreamCaptureImplicit, "operation would make the legacy stream depend on a capturing blocking stream") \
    X(cudaErrorCapturedEvent, "operation not permitted on an event last recorded in a capturing stream")              \
    X(cudaErrorStreamCaptureWrongThread, "attempt to terminate a thread-local capture sequence from another thread")  \
    X(cudaErrorGraphExecUpdateFailure,                                                                                \
      "the graph update was not performed because it included changes which violated constraints")                    \
    X(cudaErrorUnknown, "unknown error")

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
#define X(code, text) \
    case code: return #code;
        FAKECUDA_NAMES(X)
#undef X
    default: return "unrecognized error code";
    }
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
#define X(code, text) \
    case code: return text;
        FAKECUDA_NAMES(X)
#undef X
    default: return "unrecognized error code";
    }
}
