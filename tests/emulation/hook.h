// SPDX-License-Identifier: Apache-2.0
// Where emulated kernels meet a simulated CUDA: without CUDA's types, which both have.
#pragma once

#include <functional>

#include "tributary/status.h"

namespace emulation
{

// Enqueues `work` on `stream`; its return value is the result of the launch. nullptr: work is done at once.
using StreamHook = trib_status (*)(void *stream, std::function<trib_status()> work);
void set_stream_hook(StreamHook hook);
// SharedMemory::keep_account.
void keep_account_of_shared_memory(bool yes);

} // namespace emulation
