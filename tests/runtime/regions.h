// SPDX-License-Identifier: Apache-2.0
// A network that is given pictures in both ways, as pixels and as regions of what lies on a device, and what must hold
// on any device.
#pragma once

#include <memory>
#include <vector>

#include "runtime/nets.h"

namespace regions
{

struct Free {
    void operator()(trib_pictures *p) const { trib_pictures_destroy(p); }
};
using Pictures = std::unique_ptr<trib_pictures, Free>;
using Logits = std::vector<float>;

Pictures pictures(trib_device *device, std::int64_t most_bytes = 0);
// Bytes of a picture, different for each number.
std::vector<std::uint8_t> rgb(int number, int width, int height);
std::int64_t add(trib_pictures *pictures, int number, int width, int height);

// Logits of regions, n of them at a time; NaN where nothing was written.
Logits run(trib_session *session, const trib_pictures *pictures, const std::vector<trib_region> &regions, int n);

struct Way {
    trib_schedule schedule;
    trib_launch launch;
    int chunk, lanes;
    trib_precision precision;
};

// A network, and as many pictures of its size as images.
class Cut
{
  public:
    Cut(nets::Graph graph, trib_device *device, int images);
    const trib_graph *graph() const { return graph_.get(); }
    trib_device *device() const { return device_; }
    int size() const { return size_; }
    // Batches of all images; `layout` of the pixels.
    trib_session_options options(const Way &way, trib_layout layout) const;
    nets::Session session(const trib_session_options &options) const;
    // Logits of all images as pixels, which the device normalises if it can, else the host.
    Logits from_pixels(trib_session_options options) const;
    // Logits of all images, as regions that are whole pictures.
    Logits from_regions(const trib_session_options &options) const;
    // One picture for each image, and its whole as a region.
    std::vector<trib_region> add_to(trib_pictures *pictures) const;

  private:
    std::vector<float> normalised(trib_layout layout) const;
    std::vector<std::uint8_t> bytes() const;

    nets::Graph graph_;
    trib_device *device_;
    int images_, size_;
    trib_normalise normalise_;
};

// ---- on any device; failures are the test's ----

// Copies of whole pictures give the bits that pixels give.
void expect_bits_of_pixels(trib_device *device, const Way &way, trib_layout layout);
// Batches in flight, smaller than the largest, of pictures that come and go.
void expect_right_in_flight(trib_device *device, const Way &way, int in_flight);

} // namespace regions
