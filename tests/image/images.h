// SPDX-License-Identifier: Apache-2.0
// What the image tests share: images that release themselves, and the files in tests/data/images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/support.h"

class Image
{
  public:
    Image() = default;
    Image(int width, int height, int channels, const std::vector<uint8_t> &pixels);
    ~Image() { trib_image_release(&image_); }
    Image(const Image &) = delete;
    Image &operator=(const Image &) = delete;

    trib_image *put() // for output parameters
    {
        trib_image_release(&image_);
        return &image_;
    }
    const trib_image *get() const { return &image_; }
    const trib_image *operator->() const { return &image_; }
    std::vector<uint8_t> bytes() const;
    std::vector<uint8_t> rgb() const; // gray repeated

  private:
    trib_image image_ = {};
};

// Reproducible noise: the same on every machine.
class Noise
{
  public:
    explicit Noise(uint32_t seed) : state_(seed * 2654435761u + 1) {}
    uint32_t next()
    {
        state_ ^= state_ << 13, state_ ^= state_ >> 17, state_ ^= state_ << 5;
        return state_;
    }
    int below(int limit) { return int(next() % uint32_t(limit)); }
    std::vector<uint8_t> bytes(std::size_t count);

  private:
    uint32_t state_;
};

std::string image_file(const std::string &name); // its bytes
// Every tensor of tests/data/images/`name`: (tensor name, shape, bytes).
struct Golden {
    std::string name;
    std::vector<int> shape;
    std::vector<uint8_t> bytes;
};
std::vector<Golden> read_goldens(const std::string &name);

// True when this build has the decoder that the file's name asks for.
bool can_decode(const std::string &name);
