// SPDX-License-Identifier: Apache-2.0
// A network that is given pictures in both ways: as pixels, and as regions of what lies on the device.
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

Pictures pictures(trib_device *device, std::int64_t most_bytes = 0);
// Bytes of a picture, different for each number.
std::vector<std::uint8_t> rgb(int number, int width, int height);

// A network, and as many pictures of its size as images.
class Cut
{
  public:
    Cut(nets::Graph graph, trib_device *device, int images);
    const trib_graph *graph() const { return graph_.get(); }
    int images() const { return images_; }
    int size() const { return size_; }
    // Batches of all images; `layout` of the pixels.
    trib_session_options options(trib_layout layout) const;
    // Logits of all images, normalised on the host.
    std::vector<float> from_pixels(trib_session_options options) const;
    // Logits of all images, as regions that are whole pictures.
    std::vector<float> from_regions(const trib_session_options &options) const;
    nets::Session session(const trib_session_options &options) const;
    // One picture for each image, and their whole.
    std::vector<trib_region> add_to(trib_pictures *pictures) const;

  private:
    nets::Graph graph_;
    trib_device *device_;
    int images_, size_;
    trib_normalise normalise_;
};

} // namespace regions
