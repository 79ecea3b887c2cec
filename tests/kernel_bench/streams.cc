// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include "emulation/launch.cuh"

void use_streams(bool use) { emulation::set_stream_hook(use ? give_to_stream : nullptr); }
