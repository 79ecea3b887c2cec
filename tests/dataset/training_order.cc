// SPDX-License-Identifier: Apache-2.0
// The order of an epoch visits everything once, and looks like chance.
#include <cmath>
#include <numeric>

#include "support/support.h"

static std::vector<int64_t> order(uint64_t seed, int64_t epoch, int64_t count)
{
    std::vector<int64_t> list;
    for (int64_t i = 0; i < count; ++i) list.push_back(trib_training_order(seed, epoch, i, count));
    return list;
}

TEST(TrainingOrder, EveryImageOncePerEpoch)
{
    for (int64_t count : { 1, 2, 3, 4, 5, 7, 10, 63, 64, 65, 255, 256, 257, 1000, 4096, 4097, 60000 })
        for (int64_t epoch : { 0, 1, 1000 }) {
            std::vector<int> visits(size_t(count), 0);
            for (int64_t image : order(9, epoch, count)) {
                ASSERT_TRUE(image >= 0 && image < count);
                ++visits[size_t(image)];
            }
            for (int n : visits) ASSERT_EQ(n, 1);
        }
}

TEST(TrainingOrder, LargeCountsStayInside)
{
    const int64_t count = (int64_t(1) << 40) - 12345;
    std::vector<int64_t> seen;
    for (int64_t i = 0; i < 2000; ++i) seen.push_back(trib_training_order(1, 2, i * 549755000, count));
    for (int64_t image : seen) ASSERT_TRUE(image >= 0 && image < count);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST(TrainingOrder, SeedAndEpochChangeIt)
{
    auto first = order(1, 0, 500);
    EXPECT_EQ(order(1, 0, 500), first);
    for (const auto &other : { order(2, 0, 500), order(1, 1, 500), order(0, 1, 500) }) {
        int same = 0;
        for (size_t i = 0; i < 500; ++i) same += other[i] == first[i];
        EXPECT_LE(same, 8); // 1 expected
    }
}

TEST(TrainingOrder, PositionsAreEvenlyFilled)
{
    // How often each image is at each position, over epochs: chi-squared of 12 x 12 cells with 121 degrees of freedom.
    const int64_t n = 12, epochs = 24000;
    std::vector<double> counts(size_t(n * n));
    double follows = 0; // image i + 1 right after image i
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
        auto list = order(3, epoch, n);
        for (int64_t i = 0; i < n; ++i) ++counts[size_t(i * n + list[size_t(i)])];
        for (size_t i = 1; i < size_t(n); ++i) follows += list[i] == list[i - 1] + 1;
    }
    double chi = 0, expected = double(epochs) / double(n);
    for (double count : counts) chi += (count - expected) * (count - expected) / expected;
    EXPECT_NEAR(chi, 121, 5 * std::sqrt(2 * 121.0));
    EXPECT_NEAR(follows / double(epochs), double(n - 1) / double(n), 0.03); // 11 neighbours, each with 1/12
}
