// SPDX-License-Identifier: Apache-2.0
// What the simulated cuDNN and cuBLASLt need of the simulated CUDA runtime, and no more. library_alone.cc is an
// immediate stand-in: work runs when it is given. With the whole simulation, these go to its machine.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fakecuda::library
{

// Asked first by every entry point that can fail: counts the call; true when it is the one to fail.
bool fails(const char *function);

struct Touched {
    const void *data;
    std::size_t bytes;
};
// Gives work to a stream, which runs it in its order; everything touched must be device memory then.
cudaError_t enqueue(cudaStream_t stream, const char *name, std::function<void()> work,
                    const std::vector<Touched> &touched);

// The ledger: what was made and is to be given back.
void made(const char *what);
void given_back(const char *what);

// Execution plans of cuDNN that were finalized since the program started.
void plan_compiled();
std::int64_t plans_compiled();

// ---- how they compute (library.cc) ----

// Whether products of tf32 round their factors, or leave it to the tensor cores to cut them off. Rounding, unless set
// here, or at the start by FAKECUDA_TF32=cut in the environment.
void round_tf32(bool yes);
bool rounds_tf32();

// ---- for tests, with the stand-in ----

// The k-th call from now on fails (first is 1; 0: none, only count), with `forever` every later one too.
void fail(std::int64_t k, bool forever);
// Stops failing and counting; returns the number of calls seen.
std::int64_t stop_failing();
std::string failed_function(); // the first one that was made to fail
std::string leaks();           // "" when everything was given back

} // namespace fakecuda::library
