// SPDX-License-Identifier: Apache-2.0
#include "tributary/kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace
{

const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

std::vector<int> top_k(const std::vector<float> &values, int k)
{
    std::vector<int> indices(k + 1, -7);
    trib_top_k(values.data(), int(values.size()), k, indices.data());
    EXPECT_EQ(indices[k], -7) << "written past the end";
    indices.pop_back();
    return indices;
}

// By a stable sort of everything, NaNs last.
std::vector<int> by_sorting(const std::vector<float> &values, int k)
{
    std::vector<int> indices(values.size());
    std::iota(indices.begin(), indices.end(), 0);
    auto key = [&](int i) { return std::isnan(values[i]) ? 0 : values[i]; };
    auto rank = [&](int i) { return std::isnan(values[i]) ? 0 : 1; };
    std::stable_sort(indices.begin(), indices.end(),
                     [&](int a, int b) { return rank(a) != rank(b) ? rank(a) > rank(b) : key(a) > key(b); });
    indices.resize(k);
    return indices;
}

TEST(TopK, LargestFirst) { EXPECT_EQ(top_k({ 0.1f, 0.7f, -1, 0.2f }, 3), (std::vector<int> { 1, 3, 0 })); }

TEST(TopK, TiesGoByIndex)
{
    EXPECT_EQ(top_k({ 1, 2, 1, 2, 2, 1 }, 5), (std::vector<int> { 1, 3, 4, 0, 2 }));
    EXPECT_EQ(top_k({ 0.0f, -0.0f, 0.0f }, 3), (std::vector<int> { 0, 1, 2 }));
}

TEST(TopK, NaNIsSmallest)
{
    EXPECT_EQ(top_k({ nan, -infinity, nan, infinity }, 4), (std::vector<int> { 3, 1, 0, 2 }));
    EXPECT_EQ(top_k({ nan, nan, nan }, 2), (std::vector<int> { 0, 1 }));
    EXPECT_EQ(top_k({ nan, 1 }, 1), (std::vector<int> { 1 }));
}

TEST(TopK, OneAndNone)
{
    EXPECT_EQ(top_k({ 5 }, 1), (std::vector<int> { 0 }));
    EXPECT_EQ(top_k({ 5, 6 }, 0), (std::vector<int> {}));
}

TEST(TopK, MatchesSorting)
{
    std::mt19937 generator(11);
    for (int round = 0; round < 300; ++round) {
        int count = 1 + int(generator() % 40);
        std::vector<float> values(count);
        for (float &v : values) {
            v = float(int(generator() % 9)) - 4; // many ties
            if (generator() % 10 == 0) v = generator() % 2 ? nan : -infinity;
        }
        int k = 1 + int(generator() % count);
        ASSERT_EQ(top_k(values, k), by_sorting(values, k)) << "round " << round;
    }
}

TEST(TopK, AllOfManyIsQuick)
{
    std::vector<float> values(300000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i % 1000);
    EXPECT_EQ(top_k(values, int(values.size())), by_sorting(values, int(values.size())));
}

} // namespace
