/* SPDX-License-Identifier: Apache-2.0
 * Copies. Pinned host memory is copied as it is; ordinary memory passes through pinned blocks, piece by piece, so that
 * neither direction waits for the device:
 *
 *     to the device:  the caller copies a piece into a block while the device fetches the one before
 *     to the host:    the device fills a block, then a host function in the stream copies it out
 *
 * While capturing, both directions use host functions: memory is read when the work is launched. */
#include <string.h>

#include "cuda/device.h"
#include "cuda/memory/copy.h"
#include "cuda/streams/capture.h"
#include "cuda/streams/stream.h"

static void CUDART_CB copy_block(void *argument)
{
    const trib_cuda_block *block = argument;
    memcpy(block->target, block->source, block->bytes);
}

static bool is_pinned(trib_cuda_device *device, const void *memory)
{
    struct cudaPointerAttributes attributes;
    trib_status status = TRIB_CUDA(device, cudaPointerGetAttributes(&attributes, memory));
    return !trib_failed(&status) && attributes.type == cudaMemoryTypeHost;
}

static trib_status host_copy(trib_cuda_stream *stream, trib_cuda_block *block, void *target, const void *source,
                             size_t bytes)
{
    block->target = target;
    block->source = source;
    block->bytes = bytes;
    return TRIB_CUDA(trib_cuda_of(stream->base.device), cudaLaunchHostFunc(stream->handle, copy_block, block));
}

static trib_status fill(trib_cuda_stream *stream, trib_cuda_block *block, const void *source, size_t bytes,
                        bool capturing)
{
    if (capturing) return host_copy(stream, block, block->memory, source, bytes);
    memcpy(block->memory, source, bytes);
    return trib_success();
}

static void give_back(trib_cuda_stream *stream, trib_cuda_block *block, bool capturing)
{
    if (capturing)
        trib_cuda_capture_keep(stream, block);
    else
        trib_cuda_block_give(trib_cuda_of(stream->base.device), block, stream->handle);
}

static trib_status piece_to_device(trib_cuda_stream *stream, void *target, const void *source, size_t bytes)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    bool capturing = atomic_load(&stream->capture);
    trib_cuda_block *block;
    TRIB_TRY(trib_cuda_block_take(device, bytes, &block));
    trib_status status = fill(stream, block, source, bytes, capturing);
    if (!trib_failed(&status))
        status =
            TRIB_CUDA(device, cudaMemcpyAsync(target, block->memory, bytes, cudaMemcpyHostToDevice, stream->handle));
    give_back(stream, block, capturing);
    return trib_outcome(&status);
}

static trib_status piece_to_host(trib_cuda_stream *stream, void *target, const void *source, size_t bytes)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    trib_cuda_block *block;
    TRIB_TRY(trib_cuda_block_take(device, bytes, &block));
    trib_status status =
        TRIB_CUDA(device, cudaMemcpyAsync(block->memory, source, bytes, cudaMemcpyDeviceToHost, stream->handle));
    if (!trib_failed(&status)) status = host_copy(stream, block, target, block->memory, bytes);
    give_back(stream, block, atomic_load(&stream->capture));
    return trib_outcome(&status);
}

typedef trib_status (*piece_copy)(trib_cuda_stream *stream, void *target, const void *source, size_t bytes);

static trib_status in_pieces(trib_cuda_stream *stream, piece_copy copy, void *target, const void *source, size_t bytes)
{
    while (bytes) {
        size_t room = trib_cuda_block_room(bytes);
        size_t piece = bytes < room ? bytes : room;
        TRIB_TRY(copy(stream, target, source, piece));
        target = (char *)target + piece;
        source = (const char *)source + piece;
        bytes -= piece;
    }
    return trib_success();
}

trib_status trib_cuda_copy_to_device(trib_stream *base, void *target, const void *source, size_t bytes)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    if (!is_pinned(device, source)) return in_pieces(stream, piece_to_device, target, source, bytes);
    return TRIB_CUDA(device, cudaMemcpyAsync(target, source, bytes, cudaMemcpyHostToDevice, stream->handle));
}

trib_status trib_cuda_copy_to_host(trib_stream *base, void *target, const void *source, size_t bytes)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    if (!is_pinned(device, target)) return in_pieces(stream, piece_to_host, target, source, bytes);
    return TRIB_CUDA(device, cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToHost, stream->handle));
}

trib_status trib_cuda_copy_on_device(trib_stream *base, void *target, const void *source, size_t bytes)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    return TRIB_CUDA(device, cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToDevice, stream->handle));
}

trib_status trib_cuda_fill_zero(trib_stream *base, void *target, size_t bytes)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    return TRIB_CUDA(device, cudaMemsetAsync(target, 0, bytes, stream->handle));
}
