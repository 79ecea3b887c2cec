// SPDX-License-Identifier: Apache-2.0
// Between the emulated kernels and the simulated streams, whose headers cannot be included together: both have CUDA's
// vector types.
#pragma once

#include <functional>

#include "tributary/status.h"

// Enqueues `work` on a simulated stream (run_test.cc).
trib_status give_to_stream(void *stream, std::function<trib_status()> work);
// Whether launches of emulated kernels are given to give_to_stream; else they run at once (streams.cc).
void use_streams(bool use);
