// SPDX-License-Identifier: Apache-2.0
#include "tributary/kernels.h"

#include <cmath>

#include "nhwc.h"

using kernels::Nhwc;

namespace
{

TEST(Linear, ColumnsAreInChannelRowColumnOrder)
{
    // Channels {1,2}, {10,20}, ... at the pixels of a 2x2 image; one output per column picks that column out.
    Nhwc x(1, 2, 2, 2);
    x.fill([](int, int h, int w, int c) { return float(100 * c + 10 * h + w + 1); });
    std::vector<float> w(64), y(8);
    for (int o = 0; o < 8; ++o) w[o * 8 + o] = 1;
    trib_linear_geometry g = { 1, 2, 2, 2, 8, 2, 8, false };
    trib_ref_linear(&g, x.data(), w.data(), nullptr, y.data());
    EXPECT_EQ(y, (std::vector<float> { 1, 2, 11, 12, 101, 102, 111, 112 }));
}

TEST(Linear, MatchesFlatteningFirst)
{
    for (bool relu : { false, true }) {
        Nhwc x(3, 2, 4, 5, 2, 1), y(3, 1, 1, 7, 1, 2);
        x.randomise(4);
        std::vector<float> w = kernels::random_values(7 * 40, 5), bias = kernels::random_values(7, 6);
        trib_linear_geometry g = { 3, 5, 2, 4, 7, x.pitch, y.pitch, relu };
        trib_ref_linear(&g, x.data(), w.data(), bias.data(), y.data());
        for (int n = 0; n < 3; ++n) {
            std::vector<float> flat;
            for (int c = 0; c < 5; ++c)
                for (int h = 0; h < 2; ++h)
                    for (int v = 0; v < 4; ++v) flat.push_back(x.at(n, h, v, c));
            for (int o = 0; o < 7; ++o) {
                double sum = bias[o];
                for (int i = 0; i < 40; ++i) sum += double(flat[i]) * w[o * 40 + i];
                kernels::expect_near(y.at(n, 0, 0, o), relu ? std::max(sum, 0.0) : sum);
            }
        }
        y.expect_canaries();
    }
}

TEST(Linear, SumsInDouble)
{
    const float x[] = { 1e8f, 1, -1e8f }, w[] = { 1, 1, 1 };
    float y;
    trib_linear_geometry g = { 1, 3, 1, 1, 1, 3, 1, false };
    trib_ref_linear(&g, x, w, nullptr, &y);
    EXPECT_EQ(y, 1.0f);
}

} // namespace
