// SPDX-License-Identifier: Apache-2.0
// What the tests of proposals share: pictures made of rectangles and noise, and results that release themselves.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "support/support.h"

inline bool operator==(const trib_proposal &a, const trib_proposal &b)
{
    return std::tie(a.x0, a.y0, a.x1, a.y1) == std::tie(b.x0, b.y0, b.x1, b.y1);
}
inline bool operator<(const trib_proposal &a, const trib_proposal &b)
{
    return std::tie(a.y0, a.x0, a.y1, a.x1) < std::tie(b.y0, b.x0, b.y1, b.x1);
}
inline std::ostream &operator<<(std::ostream &out, const trib_proposal &b)
{
    return out << b.x0 << "," << b.y0 << ".." << b.x1 << "," << b.y1;
}

class Picture
{
  public:
    Picture(int width, int height, int channels = 3)
        : width_(width), height_(height), channels_(channels),
          pixels_(std::size_t(width) * std::size_t(height) * std::size_t(channels))
    {
    }

    // Its first channels_ colours.
    Picture &fill(trib_proposal box, std::vector<int> colour)
    {
        for (int y = box.y0; y < box.y1; ++y)
            for (int x = box.x0; x < box.x1; ++x)
                for (int c = 0; c < channels_; ++c) at(x, y, c) = uint8_t(colour[std::size_t(c)]);
        return *this;
    }
    // Adds -amount .. amount, the same on every machine.
    Picture &add_noise(uint32_t seed, int amount)
    {
        for (uint8_t &p : pixels_) {
            seed = seed * 1664525u + 1013904223u;
            int value = p + int(seed >> 16) % (2 * amount + 1) - amount;
            p = uint8_t(value < 0 ? 0 : value > 255 ? 255 : value);
        }
        return *this;
    }

    int width() const { return width_; }
    int height() const { return height_; }
    uint8_t &at(int x, int y, int c)
    {
        return pixels_[(std::size_t(y) * std::size_t(width_) + std::size_t(x)) * std::size_t(channels_) +
                       std::size_t(c)];
    }
    const std::vector<uint8_t> &pixels() const { return pixels_; }
    trib_image image() const { return { width_, height_, channels_, const_cast<uint8_t *>(pixels_.data()), nullptr }; }

  private:
    int width_, height_, channels_;
    std::vector<uint8_t> pixels_;
};

// Rectangles of any colours, some of them noisy.
inline Picture scene(uint32_t seed, int width, int height, int channels = 3)
{
    Picture picture(width, height, channels);
    uint32_t state = seed;
    auto below = [&](int limit) {
        state = state * 1664525u + 1013904223u;
        return int((state >> 8) % uint32_t(limit));
    };
    for (int i = 0; i < 14; ++i) {
        int x = i ? below(width) : 0, y = i ? below(height) : 0;
        int w = i ? 1 + below(width - x) : width, h = i ? 1 + below(height - y) : height;
        picture.fill({ x, y, x + w, y + h }, { below(256), below(256), below(256) });
    }
    return picture.add_noise(seed, int(seed % 3) * 6);
}

inline trib_status propose(const trib_propose_options &options, const Picture &picture, std::vector<trib_proposal> *out)
{
    trib_image image = picture.image();
    trib_proposals found = {};
    trib_status status = trib_propose(&options, &image, &found);
    out->assign(found.boxes, found.boxes + found.count);
    trib_proposals_release(&found);
    return status;
}

inline std::vector<trib_proposal> proposals_of(const trib_propose_options &options, const Picture &picture)
{
    std::vector<trib_proposal> boxes;
    EXPECT_OK(propose(options, picture, &boxes));
    return boxes;
}

// All boxes of one grouping, in an image that is not reduced.
inline trib_propose_options one_grouping(trib_colour_space space, int k, unsigned set)
{
    trib_propose_options options = {};
    options.space_count = options.set_count = options.k_count = 1;
    options.spaces[0] = space;
    options.sets[0] = set;
    options.ks[0] = k;
    return options;
}
