// SPDX-License-Identifier: Apache-2.0
// Makes the program one that runs on the simulated CUDA: a machine with one card from before main() to its end, and
// exit code 98 when something was done there that no correct program does, or was not given back. It says whether the
// program reset the card at its end: only then can compute-sanitizer look for leaks.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cuda/launch_hook.h"
#include "fakecuda/library.h"

namespace
{

struct Machine {
    Machine()
    {
        fakecuda::Options options;
        options.driver = std::getenv("SIMULATED_NO_DRIVER") == nullptr;
        // Kernels so long that --measure needs few runs; or a clock of the device that next to stands still.
        options.real_clock = std::getenv("SIMULATED_WRONG_CLOCK") == nullptr;
        options.kernel = options.real_clock ? 3000000 : 1;
        fakecuda::reset(options);
        emulation::set_stream_hook(watch::on_simulated_stream);
    }
    ~Machine()
    {
        std::vector<std::string> wrong = fakecuda::violations();
        for (const std::string &left : { fakecuda::leaks(), fakecuda::library::leaks() })
            if (!left.empty()) wrong.push_back(left);
        for (const std::string &text : wrong) std::fprintf(stderr, "simulated CUDA: %s\n", text.c_str());
        if (!wrong.empty()) _exit(98);
        if (fakecuda::counts().device_resets > 0) std::fprintf(stderr, "simulated CUDA: reset with nothing left\n");
    }
} machine;

} // namespace
