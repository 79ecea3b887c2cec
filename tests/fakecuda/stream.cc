// SPDX-License-Identifier: Apache-2.0
// Streams, events, host functions, waiting.
#include "fakecuda/machine.h"

#include <algorithm>

using namespace fakecuda;

namespace fakecuda
{

cudaError_t check_stream(cudaStream_t stream)
{
    if (!stream || stream == cudaStreamLegacy || stream == cudaStreamPerThread) {
        violation("the legacy or per-thread default stream is used");
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (!machine().streams.count(stream)) {
        violation("a stream that does not exist is used");
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (stream->device != current_device) violation("a stream is used while another device is current");
    return cudaSuccess;
}

} // namespace fakecuda

namespace
{

cudaError_t check_event(cudaEvent_t event)
{
    if (machine().events.count(event)) return cudaSuccess;
    violation("an event that does not exist is used");
    return failed(cudaErrorInvalidResourceHandle);
}

cudaError_t run_until(const OpPointer &op)
{
    wait_for(op);
    return failed(machine().sticky);
}

} // namespace

// ---- streams ----

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned int flags, int priority)
{
    FAKECUDA_CALL();
    if (flags != cudaStreamNonBlocking) violation("a stream that synchronises with the legacy stream is created");
    *out = new CUstream_st { current_device, priority, ++machine().counts.streams, nullptr, nullptr, {} };
    machine().streams.insert(*out);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned int flags)
{
    return cudaStreamCreateWithPriority(out, flags, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    FAKECUDA_LOCK();
    cudaError_t error = begin(__func__);
    if (!machine().streams.erase(stream)) {
        violation("a stream that does not exist is destroyed");
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (stream->capture) {
        stream->capture->streams.erase(stream);
        invalidate(stream->capture);
        if (stream->capture->origin == stream) machine().captures.erase(stream->capture);
    }
    delete stream; // its work continues
    return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    if (stream->capture) {
        invalidate(stream->capture);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    return run_until(stream->last);
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    if (stream->capture) {
        invalidate(stream->capture);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    progress(100);
    if (machine().sticky != cudaSuccess) return failed(machine().sticky);
    return !stream->last || stream->last->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void)
{
    FAKECUDA_CALL();
    if (!machine().captures.empty()) {
        for (const CapturePointer &capture : machine().captures) invalidate(capture);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    while (!machine().ready.empty()) progress(100);
    machine().host = std::max(machine().host, machine().last);
    return failed(machine().sticky);
}

// Frees what the program left, which a correct program does not need.
cudaError_t cudaDeviceReset(void)
{
    FAKECUDA_CALL();
    while (!machine().ready.empty()) progress(100);
    const std::string left = left_behind();
    if (!left.empty()) violation("cudaDeviceReset while there are still " + left);
    ++machine().counts.device_resets;
    return failed(machine().sticky);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    auto work = [function, data] {
        function(data);
        return cudaSuccess;
    };
    return submit(stream, "host", work, 10000);
}

// ---- events ----

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned int flags)
{
    FAKECUDA_CALL();
    *out = new CUevent_st { current_device, !(flags & cudaEventDisableTiming), nullptr, nullptr, {} };
    machine().events.insert(*out);
    ++machine().counts.events;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    FAKECUDA_LOCK();
    cudaError_t error = begin(__func__);
    if (!machine().events.erase(event)) {
        violation("an event that does not exist is destroyed");
        return failed(cudaErrorInvalidResourceHandle);
    }
    delete event;
    return error;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error == cudaSuccess) error = check_event(event);
    if (error != cudaSuccess) return error;
    if (event->device != stream->device) return failed(cudaErrorInvalidResourceHandle);
    event->capture = stream->capture;
    event->front = stream->front;
    if (stream->capture)
        event->record = nullptr;
    else
        event->record = stream->last = enqueue(nullptr, 0, { stream->last });
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error == cudaSuccess) error = check_event(event);
    if (error != cudaSuccess) return error;
    if (!event->capture && !stream->capture) {
        if (event->record) stream->last = enqueue(nullptr, 0, { stream->last, event->record });
        return cudaSuccess;
    }
    if (!event->capture) { // CUDA refuses a dependency on what is not part of the graph
        invalidate(stream->capture);
        return failed(cudaErrorStreamCaptureIsolation);
    }
    if (!machine().captures.count(event->capture)) {
        if (stream->capture) invalidate(stream->capture);
        return failed(cudaErrorCapturedEvent);
    }
    if (stream->capture && stream->capture != event->capture) {
        invalidate(stream->capture);
        invalidate(event->capture);
        return failed(cudaErrorStreamCaptureMerge);
    }
    stream->capture = event->capture;
    stream->capture->streams.insert(stream);
    stream->front.insert(event->front.begin(), event->front.end());
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    FAKECUDA_CALL();
    cudaError_t error = unsafe_call();
    if (error == cudaSuccess) error = check_event(event);
    if (error != cudaSuccess) return error;
    if (event->capture) return failed(cudaErrorCapturedEvent);
    progress(100);
    if (machine().sticky != cudaSuccess) return failed(machine().sticky);
    return !event->record || event->record->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    FAKECUDA_CALL();
    cudaError_t error = unsafe_call();
    if (error == cudaSuccess) error = check_event(event);
    if (error != cudaSuccess) return error;
    if (event->capture) {
        invalidate(event->capture);
        return failed(cudaErrorCapturedEvent);
    }
    return run_until(event->record);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    FAKECUDA_CALL();
    cudaError_t error = check_event(start);
    if (error == cudaSuccess) error = check_event(end);
    if (error != cudaSuccess) return error;
    if (!start->record || !end->record || !start->timing || !end->timing) return failed(cudaErrorInvalidResourceHandle);
    if (!start->record->done || !end->record->done) return cudaErrorNotReady;
    *milliseconds = float(double(end->record->finish - start->record->finish) / 1e6);
    return cudaSuccess;
}
