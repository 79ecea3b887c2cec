// SPDX-License-Identifier: Apache-2.0
// A slice of the channels of a wider NHWC tensor, with canaries around what a kernel may write.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace kernels
{

constexpr float canary = -12345.5f;

struct Nhwc {
    int n, h, w, c, pitch, first; // the slice is channels first .. first + c - 1 of `pitch`
    std::vector<float> memory;

    Nhwc(int n_, int h_, int w_, int c_, int before = 0, int after = 0)
        : n(n_), h(h_), w(w_), c(c_), pitch(before + c_ + after), first(before),
          memory(std::size_t(n_) * h_ * w_ * (before + c_ + after), canary)
    {
    }
    std::size_t index(int i, int y, int x, int channel) const
    {
        return ((std::size_t(i) * h + y) * w + x) * pitch + first + channel;
    }
    float *data() { return memory.data() + first; }
    float &at(int i, int y, int x, int channel) { return memory[index(i, y, x, channel)]; }
    float at(int i, int y, int x, int channel) const { return memory[index(i, y, x, channel)]; }

    template <class F>
    void fill(F value)
    {
        for (int i = 0; i < n; ++i)
            for (int y = 0; y < h; ++y)
                for (int x = 0; x < w; ++x)
                    for (int k = 0; k < c; ++k) at(i, y, x, k) = value(i, y, x, k);
    }
    void randomise(unsigned seed)
    {
        std::mt19937 generator(seed);
        std::uniform_real_distribution<float> uniform(-1, 1);
        fill([&](int, int, int, int) { return uniform(generator); });
    }
    void expect_canaries() const
    {
        for (std::size_t i = 0; i < memory.size(); ++i) {
            int channel = int(i % pitch);
            bool inside = channel >= first && channel < first + c;
            ASSERT_TRUE(inside || memory[i] == canary) << "written at " << i;
        }
    }
};

inline std::vector<float> random_values(std::size_t count, unsigned seed)
{
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(count);
    for (float &v : values) v = uniform(generator);
    return values;
}

// Fails on NaN too.
inline void expect_near(float got, double wanted, double tolerance = 1e-6)
{
    EXPECT_TRUE(std::abs(double(got) - wanted) <= tolerance * (1 + std::abs(wanted))) << got << " is not " << wanted;
}

} // namespace kernels
