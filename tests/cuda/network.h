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
    std::vector<trib_fork_schedule> forks; // other schedules of some modules: "inception_a", "inception_b" ...
    trib_launch launch = TRIB_EAGER;
    bool pixels = false;
    trib_precision precision = TRIB_PRECISION_FP32;
    bool measure = false;
    int max_batch = 0, chunk = 0, lanes = 0, in_flight = 0; // chunk: images at a time; lanes: chunks side by side
};
std::string name_of(const Way &way); // "fused_graph_pixels"

// All four parallel ways, each with either input.
std::vector<Way> parallel_ways();

using Bytes = std::vector<unsigned char>; // all outputs, in sequence

// The one that other results are compared with: one op after the other.
Way serial(Way way);

// Outputs of a plan for n images, and where each begins.
struct Outputs {
    Outputs(const trib_plan *plan, int n);
    Bytes bytes; // NaN, or no class
    std::vector<void *> rows;
};

// The network, its parameters and images, all different: what an op finds in memory from an earlier run is wrong.
class Net
{
  public:
    static constexpr int images = 16;
    explicit Net(int modules = 2);
    const trib_graph *graph() const { return graph_.get(); }
    const trib_tensor *parameters() const { return parameters_.data(); }
    trib_session_options options(const Way &way) const; // points into `way`
    const void *image(int index, bool pixels) const;

    trib_status create(trib_device *device, const Way &way, trib_session **out) const;
    // n images from the `first` one on. Outputs are NaN, or no class, where nothing was written.
    trib_status run(trib_session *session, int first, int n, Bytes *outputs) const;
    // One image, op by op, on its own device; errors are failures of the test.
    Bytes result(const Way &way, int image) const;

  private:
    nets::Graph graph_;
    nets::Parameters parameters_;
    std::vector<float> floats_;
    std::vector<std::uint8_t> pixels_;
    trib_normalise normalise_ {};
};

nets::Device open(const trib_device_options *options = nullptr);

// Memory that a device copies directly.
class HostMemory
{
  public:
    HostMemory(trib_device *device, std::size_t bytes);
    ~HostMemory() { trib_host_free(device_, data_); }
    HostMemory(const HostMemory &) = delete;
    HostMemory &operator=(const HostMemory &) = delete;
    unsigned char *data() const { return static_cast<unsigned char *>(data_); }

  private:
    trib_device *device_;
    void *data_ = nullptr;
};

// One batch of images for a session, and its results: both in memory that is copied directly.
class Batch
{
  public:
    Batch(trib_device *device, const trib_plan *plan, int images);
    void load(const Net &net, int first); // from this image on
    const void *input() const { return input_.data(); }
    void *const *rows() const { return rows_.data(); }
    int images() const { return images_; }
    Bytes outputs() const { return Bytes(outputs_.data(), outputs_.data() + output_bytes_); }

  private:
    int images_;
    bool pixels_;
    std::size_t input_bytes_, output_bytes_;
    HostMemory input_, outputs_;
    std::vector<void *> rows_;
};

} // namespace network
