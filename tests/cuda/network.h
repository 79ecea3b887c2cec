// SPDX-License-Identifier: Apache-2.0
// A small network on the simulated CUDA device, in all the ways a GoogLeNet runs there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/nets.h"

namespace network
{

// How it runs; what is 0 is chosen by the session. With `pixels` 8-bit RGB goes in and the three likeliest classes come
// out; else float32 and all rows.
struct Way {
    trib_schedule schedule = TRIB_SERIAL;
    trib_launch launch = TRIB_EAGER;
    bool pixels = false;
    trib_precision precision = TRIB_PRECISION_FP32;
    bool measure = false;
    int chunk = 0, lanes = 0; // images at a time; of these how many side by side
};
std::string name_of(const Way &way); // "fused_graph_pixels"

// All four parallel ways, each with either input.
std::vector<Way> parallel_ways();

using Bytes = std::vector<unsigned char>; // all outputs, one after the other

// The network, its parameters and images of its own.
class Net
{
  public:
    explicit Net(int images = 1, int modules = 2);
    const trib_graph *graph() const { return graph_.get(); }
    const trib_tensor *parameters() const { return parameters_.data(); }
    trib_session_options options(const Way &way) const;
    const void *input(bool pixels) const { return pixels ? static_cast<const void *>(pixels_.data()) : floats_.data(); }

    trib_status create(trib_device *device, const Way &way, trib_session **out) const;
    // The first n images. Outputs are NaN, or no class, where nothing was written.
    trib_status run(trib_session *session, int n, Bytes *outputs) const;
    // On a device of its own; what went wrong is a failure of the test.
    Bytes result(const Way &way) const;

  private:
    int images_;
    nets::Graph graph_;
    nets::Parameters parameters_;
    std::vector<float> floats_;
    std::vector<std::uint8_t> pixels_;
    trib_normalise normalise_ {};
};

nets::Device open(const trib_device_options *options = nullptr);

} // namespace network
