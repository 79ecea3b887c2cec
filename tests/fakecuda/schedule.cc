// SPDX-License-Identifier: Apache-2.0
// What runs when: any piece of work whose predecessors are done may be next, and nothing runs before it must.
#include "fakecuda/machine.h"

#include <algorithm>
#include <cstring>

namespace fakecuda
{

namespace
{

thread_local std::int64_t current_label = -1;

// When the device begins with it: at once, or when one of its places is free.
std::int64_t place(const Op &op)
{
    auto &places = machine().free_from;
    if (places.empty() || !op.kind) return op.ready;
    auto first = std::min_element(places.begin(), places.end());
    const std::int64_t start = std::max(op.ready, *first);
    *first = start + op.duration;
    return start;
}

void finish(Op *op)
{
    Machine &m = machine();
    op->done = true;
    op->start = place(*op);
    op->finish = op->start + op->duration;
    m.last = std::max(m.last, op->finish);
    if (m.keeps_ledger && op->kind) m.ledger.push_back({ op->kind, op->stream, op->start, op->finish, op->label });
    if (m.tracer && op->traced) m.tracer->done(*op);
    op->run = nullptr;
    op->waits.clear();
    for (Op *next : op->dependents) {
        next->ready = std::max(next->ready, op->finish);
        if (--next->missing) continue;
        m.ready.push_back(m.waiting[next]);
        m.waiting.erase(next);
    }
    op->dependents.clear();
}

void run(std::size_t index)
{
    Machine &m = machine();
    OpPointer op = m.ready[index];
    m.ready[index] = m.ready.back();
    m.ready.pop_back();
    ++m.counts.executed;
    m.order = (m.order ^ (op->number - m.first_number)) * 0x100000001b3; // FNV-1a
    cudaError_t error = cudaSuccess;
    if (op->run) {
        inside_work = true;
        error = op->run();
        inside_work = false;
    }
    finish(op.get());
    if (error == cudaSuccess) return;
    m.sticky = error; // a fault of the device: the process can use it no longer
    drop_all_work();
}

std::size_t any()
{
    return std::uniform_int_distribution<std::size_t>(0, machine().ready.size() - 1)(machine().random);
}

std::size_t extreme(bool newest)
{
    const auto &ready = machine().ready;
    auto older = [](const OpPointer &a, const OpPointer &b) { return a->number < b->number; };
    auto found = newest ? std::max_element(ready.begin(), ready.end(), older)
                        : std::min_element(ready.begin(), ready.end(), older);
    return std::size_t(found - ready.begin());
}

// Ready work that `op` needs.
std::size_t needed_by(Op *op)
{
    std::set<Op *> seen;
    std::vector<Op *> open = { op };
    while (!open.empty()) {
        Op *next = open.back();
        open.pop_back();
        if (!seen.insert(next).second) continue;
        for (const OpPointer &wait : next->waits)
            if (!wait->done) open.push_back(wait.get());
    }
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < machine().ready.size(); ++i)
        if (seen.count(machine().ready[i].get())) found.push_back(i);
    return found[std::uniform_int_distribution<std::size_t>(0, found.size() - 1)(machine().random)];
}

} // namespace

OpPointer enqueue(Work run, std::int64_t duration, const std::vector<OpPointer> &after)
{
    Machine &m = machine();
    OpPointer op = std::make_shared<Op>();
    op->run = std::move(run);
    op->duration = duration;
    op->number = ++m.numbers;
    op->ready = m.host;
    for (const OpPointer &before : after) {
        if (!before) continue;
        op->ready = std::max(op->ready, before->done ? before->finish : 0);
        if (before->done) continue;
        before->dependents.push_back(op.get());
        op->waits.push_back(before);
        ++op->missing;
    }
    if (op->missing)
        m.waiting[op.get()] = op;
    else
        m.ready.push_back(op);
    return op;
}

// How the device gets there is another way each time: at random, newest or oldest first, or nothing that is not needed.
void wait_for(const OpPointer &op)
{
    Machine &m = machine();
    int way = int(m.random() % 4);
    while (op && !op->done && !m.ready.empty()) {
        if (way == 3)
            run(needed_by(op.get()));
        else
            run(way == 0 ? any() : extreme(way == 1));
    }
    if (op) m.host = std::max(m.host, op->finish);
}

void spend(std::int64_t nanoseconds)
{
    std::lock_guard<std::mutex> lock(machine().lock);
    machine().host += nanoseconds;
}

void start_ledger()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    machine().keeps_ledger = true;
    machine().ledger.clear();
}

std::vector<Ran> stop_ledger()
{
    std::lock_guard<std::mutex> lock(machine().lock);
    machine().keeps_ledger = false;
    return std::move(machine().ledger);
}

void progress(int percent)
{
    Machine &m = machine();
    if (!m.ready.empty() && int(m.random() % 100) < percent) run(any());
}

bool happens_before(const OpPointer &first, const OpPointer &second)
{
    if (first->done || first == second) return true;
    std::set<Op *> seen;
    std::vector<Op *> open;
    if (second) open.push_back(second.get());
    while (!open.empty()) {
        Op *next = open.back();
        open.pop_back();
        if (next == first.get()) return true;
        if (!seen.insert(next).second) continue;
        for (const OpPointer &wait : next->waits) open.push_back(wait.get());
    }
    return false;
}

void drop_all_work()
{
    Machine &m = machine();
    std::vector<OpPointer> all;
    all.swap(m.ready);
    for (auto &entry : m.waiting) all.push_back(entry.second);
    m.waiting.clear();
    for (const OpPointer &op : all) {
        op->done = true;
        op->run = nullptr;
        op->waits.clear();
        op->dependents.clear();
    }
    settle_memory();
}

void label(std::int64_t value) { current_label = value; }

void give(const OpPointer &op, const Node &node)
{
    op->kind = node.kind;
    op->stream = node.stream;
    op->node = node.id;
    op->label = node.label;
    op->correlation = Call::current();
    if (machine().tracer) machine().tracer->given(*op);
}

cudaError_t submit(cudaStream_t stream, const char *kind, Work run, std::int64_t duration, const std::string &fixed)
{
    if (!stream->capture) {
        stream->last = enqueue(std::move(run), duration, { stream->last });
        give(stream->last, { kind, fixed, nullptr, duration, {}, stream->number, 0, current_label });
        return cudaSuccess;
    }
    Capture &capture = *stream->capture;
    if (capture.invalidated) return failed(cudaErrorStreamCaptureInvalidated);
    capture.nodes.push_back(
        { kind, fixed, std::move(run), duration, stream->front, stream->number, ++machine().nodes, current_label });
    stream->front = { capture.nodes.size() - 1 };
    if (machine().tracer) machine().tracer->created(capture.nodes.back());
    return cudaSuccess;
}

cudaError_t launch(cudaStream_t stream, const char *name, std::function<cudaError_t()> kernel,
                   const std::vector<Range> &touches, std::int64_t duration)
{
    if (inside_work) return refuse(name);
    std::lock_guard<std::mutex> lock(machine().lock);
    // Our kernels are launched through the runtime, which calls the driver; libraries call the driver.
    const bool ours = !std::strcmp(name, "kernel");
    const Call call(ours ? "cudaLaunchKernel" : "cuLaunchKernelEx");
    const std::unique_ptr<Call> nested(ours ? new Call("cuLaunchKernel") : nullptr);
    cudaError_t error = begin(name);
    if (error == cudaSuccess) error = check_stream(stream);
    std::vector<Work> checks;
    for (const Range &range : touches) {
        if (error != cudaSuccess) break;
        checks.emplace_back();
        error = resolve(range.data, range.bytes, name, checks.back());
    }
    if (error != cudaSuccess) return error;
    auto work = [checks, kernel] {
        for (const Work &check : checks) {
            cudaError_t bad = check();
            if (bad != cudaSuccess) return bad;
        }
        return kernel();
    };
    const Options &options = machine().options;
    if (!duration) duration = options.takes ? options.takes(name) : options.kernel;
    return submit(stream, "kernel", work, duration);
}

} // namespace fakecuda
