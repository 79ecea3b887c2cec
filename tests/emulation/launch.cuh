// SPDX-License-Identifier: Apache-2.0
// The twin of kernels/cuda/native/launch.cuh: runs the grid now, or hands it to whoever plays the streams.
#pragma once

#include <functional>
#include <tuple>

#include "hook.h"
#include "platform.cuh"
#include "tributary/status.h"

namespace emulation
{

// What the launched kernels take the device to have; 132 unless set.
void set_multiprocessor_count(int count);
// The most a grid may have in y and z; 65535 unless set. A small one makes kernels loop over rows.
void set_grid_row_limit(int limit);

// Of this thread's last launch.
dim3 last_grid();

trib_status enqueue(const char *name, dim3 grid, int threads, std::size_t shared_bytes, void *stream,
                    std::function<void()> body);

} // namespace emulation

template <class... P, class... A>
trib_status launch(const char *name, void (*kernel)(P...), dim3 grid, int threads, std::size_t shared_bytes,
                   void *stream, A... arguments)
{
    std::tuple<P...> typed(arguments...);
    return emulation::enqueue(name, grid, threads, shared_bytes, stream,
                              [kernel, typed] { std::apply(kernel, typed); });
}

int multiprocessor_count();
int grid_row_limit();
