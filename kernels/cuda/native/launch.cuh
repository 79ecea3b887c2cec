/* SPDX-License-Identifier: Apache-2.0
 * The only way to launch kernels: argument types are checked, and a failure names the kernel. */
#ifndef TRIBUTARY_NATIVE_LAUNCH_CUH
#define TRIBUTARY_NATIVE_LAUNCH_CUH

#include <tuple>
#include <utility>

#include "platform.cuh"
#include "tributary/status.h"

template <class... P, size_t... I>
static cudaError_t launch_tuple(void (*kernel)(P...), dim3 grid, int threads, size_t shared_bytes, cudaStream_t stream,
                                std::tuple<P...> &arguments, std::index_sequence<I...>)
{
    void *addresses[] = { &std::get<I>(arguments)... };
    return cudaLaunchKernel(reinterpret_cast<const void *>(kernel), grid, dim3(threads), addresses, shared_bytes,
                            stream);
}

/* Enqueues kernel(arguments...) on `stream`, a cudaStream_t. */
template <class... P, class... A>
static trib_status launch(const char *name, void (*kernel)(P...), dim3 grid, int threads, size_t shared_bytes,
                          void *stream, A... arguments)
{
    std::tuple<P...> typed(arguments...);
    cudaError_t error = launch_tuple(kernel, grid, threads, shared_bytes, static_cast<cudaStream_t>(stream), typed,
                                     std::index_sequence_for<P...>());
    if (error == cudaSuccess) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_DEVICE_ERROR, static_cast<int>(error), "cudaLaunchKernel",
                             "%s: the kernel could not be launched: %s", name, cudaGetErrorString(error));
}

/* Of the current device; 1 if it is unknown. */
static inline int multiprocessor_count()
{
    int device = 0, count = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device) != cudaSuccess)
        return 1;
    return count;
}

/* The limit of a grid in y and z. */
constexpr int grid_row_limit() { return 65535; }

#endif
