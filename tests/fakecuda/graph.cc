// SPDX-License-Identifier: Apache-2.0
// Stream capture and graphs.
#include "fakecuda/machine.h"

#include <cstring>

using namespace fakecuda;

static thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

namespace fakecuda
{

void invalidate(const CapturePointer &capture)
{
    capture->invalidated = true;
    capture->nodes.clear();
}

// Refused while another stream captures in global mode, or this thread in thread-local mode, unless the thread is
// relaxed.
cudaError_t unsafe_call()
{
    for (const CapturePointer &capture : machine().captures) {
        bool mine = capture->thread == std::this_thread::get_id();
        bool forbids =
            capture->mode == cudaStreamCaptureModeGlobal
                ? thread_mode == cudaStreamCaptureModeGlobal || (mine && thread_mode != cudaStreamCaptureModeRelaxed)
                : capture->mode == cudaStreamCaptureModeThreadLocal && mine &&
                      thread_mode != cudaStreamCaptureModeRelaxed;
        if (!forbids) continue;
        invalidate(capture);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    return cudaSuccess;
}

namespace
{

// All nodes that come before `front`, and `front` itself.
std::set<std::size_t> closure(const std::vector<Node> &nodes, const std::set<std::size_t> &front)
{
    std::set<std::size_t> seen;
    std::vector<std::size_t> open(front.begin(), front.end());
    while (!open.empty()) {
        std::size_t next = open.back();
        open.pop_back();
        if (seen.insert(next).second) open.insert(open.end(), nodes[next].waits.begin(), nodes[next].waits.end());
    }
    return seen;
}

void leave(const CapturePointer &capture)
{
    for (cudaStream_t stream : capture->streams) {
        stream->capture = nullptr;
        stream->front.clear();
    }
    capture->streams.clear();
    machine().captures.erase(capture);
}

bool joined(const Capture &capture)
{
    std::set<std::size_t> seen = closure(capture.nodes, capture.origin->front);
    for (cudaStream_t stream : capture.streams)
        for (std::size_t node : stream->front)
            if (!seen.count(node)) return false;
    return true;
}

} // namespace

} // namespace fakecuda

// ---- capture ----

cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode *mode)
{
    std::swap(*mode, thread_mode);
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    if (stream->capture) return failed(cudaErrorIllegalState);
    CapturePointer capture = std::make_shared<Capture>();
    capture->id = ++machine().numbers;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->origin = stream;
    capture->streams.insert(stream);
    stream->capture = capture;
    stream->front.clear();
    machine().captures.insert(capture);
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *status)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    *status = !stream->capture               ? cudaStreamCaptureStatusNone
              : stream->capture->invalidated ? cudaStreamCaptureStatusInvalidated
                                             : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    *out = nullptr;
    CapturePointer capture = stream->capture;
    if (!capture) return failed(cudaErrorIllegalState);
    if (capture->origin != stream) {
        invalidate(capture);
        return failed(cudaErrorStreamCaptureUnmatched);
    }
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
        return failed(cudaErrorStreamCaptureWrongThread);
    bool complete = capture->invalidated || joined(*capture);
    leave(capture);
    if (capture->invalidated) return failed(cudaErrorStreamCaptureInvalidated);
    if (!complete) return failed(cudaErrorStreamCaptureUnjoined);
    *out = new CUgraph_st { capture->nodes };
    machine().graphs.insert(*out);
    return cudaSuccess;
}

// ---- graphs ----

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long)
{
    FAKECUDA_CALL();
    if (!machine().graphs.count(graph)) return failed(cudaErrorInvalidValue);
    auto nodes = std::make_shared<std::vector<Node>>(graph->nodes);
    for (std::size_t i = 0; i < nodes->size(); ++i) {
        (*nodes)[i].id = ++machine().nodes;
        if (machine().tracer) machine().tracer->cloned(graph->nodes[i], (*nodes)[i]);
    }
    *out = new CUgraphExec_st { nodes, nullptr };
    machine().execs.insert(*out);
    ++machine().counts.graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    FAKECUDA_LOCK();
    cudaError_t error = begin(__func__);
    if (!machine().graphs.erase(graph)) return failed(cudaErrorInvalidValue);
    delete graph;
    return error;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    FAKECUDA_LOCK();
    cudaError_t error = begin(__func__);
    if (!machine().execs.erase(exec)) return failed(cudaErrorInvalidValue);
    delete exec; // a running launch continues
    return error;
}

namespace
{

// "memcpy" of "memcpy to device": a ledger tells more than the type of a node.
std::string node_type(const Node &node) { return std::string(node.kind, std::strcspn(node.kind, " ")); }

// Whether one graph may take another's place: the same nodes and edges, copies from and to the same kinds of memory.
cudaGraphExecUpdateResult compare(const std::vector<Node> &old, const std::vector<Node> &fresh)
{
    if (old.size() != fresh.size()) return cudaGraphExecUpdateErrorTopologyChanged;
    for (std::size_t i = 0; i < old.size(); ++i) {
        if (old[i].waits != fresh[i].waits) return cudaGraphExecUpdateErrorTopologyChanged;
        if (node_type(old[i]) != node_type(fresh[i])) return cudaGraphExecUpdateErrorNodeTypeChanged;
        if (old[i].fixed != fresh[i].fixed) return cudaGraphExecUpdateErrorParametersChanged;
    }
    return cudaGraphExecUpdateSuccess;
}

} // namespace

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo *result)
{
    FAKECUDA_CALL();
    if (!machine().execs.count(exec) || !machine().graphs.count(graph)) return failed(cudaErrorInvalidValue);
    result->result = compare(*exec->nodes, graph->nodes);
    result->errorNode = result->errorFromNode = nullptr;
    if (result->result != cudaGraphExecUpdateSuccess) return failed(cudaErrorGraphExecUpdateFailure);
    auto nodes = std::make_shared<std::vector<Node>>(graph->nodes); // launches on their way keep the old ones
    for (std::size_t i = 0; i < nodes->size(); ++i) (*nodes)[i].id = (*exec->nodes)[i].id;
    exec->nodes = nodes;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    if (!machine().execs.count(exec)) return failed(cudaErrorInvalidValue);
    if (stream->capture) return failed(cudaErrorStreamCaptureUnsupported); // CUDA makes a child graph; not needed here
    OpPointer start = enqueue(nullptr, 0, { stream->last, exec->last });
    std::vector<OpPointer> ops;
    for (const Node &node : *exec->nodes) {
        std::vector<OpPointer> after = { start };
        for (std::size_t wait : node.waits) after.push_back(ops[wait]);
        ops.push_back(enqueue(node.run, node.duration, after));
        give(ops.back(), node);
    }
    ops.push_back(start);
    stream->last = exec->last = enqueue(nullptr, 0, ops);
    return cudaSuccess;
}
