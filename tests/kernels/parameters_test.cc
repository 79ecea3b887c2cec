// SPDX-License-Identifier: Apache-2.0
// The references of what runs when weights change.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tributary/kernels.h"

namespace
{

TEST(PackWeights, TurnsAndPads)
{
    const std::vector<float> filter = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }; // 2 of 3 channels, 1x2
    std::vector<float> out(2 * 2 * 5, -1);
    const trib_pack_geometry g = { 2, 3, 2, 5, false };
    trib_ref_pack_weights(&g, filter.data(), out.data());
    EXPECT_EQ(out, (std::vector<float> { 1, 3, 5, 0, 0, 2, 4, 6, 0, 0, 7, 9, 11, 0, 0, 8, 10, 12, 0, 0 }));
}

// Libraries may cut off what tf32 has no bits for.
TEST(PackWeights, RoundsToTf32)
{
    const float last = 1.0f / 1024;
    const std::vector<float> filter = { 1 + 0.75f * last, -1 - 0.5f * last, 1 + 0.25f * last };
    std::vector<float> out(3);
    trib_pack_geometry g = { 1, 3, 1, 3, true };
    trib_ref_pack_weights(&g, filter.data(), out.data());
    EXPECT_EQ(out, (std::vector<float> { 1 + last, -1 - last, 1 }));
    g.tf32 = false;
    trib_ref_pack_weights(&g, filter.data(), out.data());
    EXPECT_EQ(out, filter);
}

struct Fold {
    std::vector<float> bn_weight { 2, -3 }, bn_bias { 0.5f, 1 }, mean { 4, -1 }, var { 3, 8 };
    trib_fold_geometry g { 2, 3, 1 };
    trib_fold_inputs inputs { nullptr, nullptr, bn_weight.data(), bn_bias.data(), mean.data(), var.data() };
    std::vector<float> weight, bias = std::vector<float>(2);

    void operator()()
    {
        weight.resize(std::size_t(g.k * g.row));
        trib_ref_fold_batch_norm(&g, &inputs, weight.data(), bias.data());
    }
};

TEST(FoldBatchNorm, IntoWeights) // scale 2/2 and -3/3
{
    const std::vector<float> weight { 1, 2, 3, 4, 5, 6 }, bias { 10, 20 };
    Fold fold;
    fold.inputs.weight = weight.data();
    fold();
    EXPECT_EQ(fold.weight, (std::vector<float> { 1, 2, 3, -4, -5, -6 }));
    EXPECT_EQ(fold.bias, (std::vector<float> { 0.5f - 4, 1 - 1 }));
    fold.inputs.bias = bias.data();
    fold();
    EXPECT_EQ(fold.bias, (std::vector<float> { 10 + 0.5f - 4, -20 + 1 - 1 }));
}

TEST(FoldBatchNorm, AloneGivesScaleAndShift)
{
    Fold fold;
    fold.g.row = 1;
    fold();
    EXPECT_EQ(fold.weight, (std::vector<float> { 1, -1 }));
    EXPECT_EQ(fold.bias, (std::vector<float> { -3.5f, 0 }));
}

TEST(FoldBatchNorm, IsRoundedOnce) // in float32 the product of the two roundings would be another
{
    const float third = 1.0f / 3, eps = 1e-3f;
    Fold fold;
    fold.g = { 1, 1, eps };
    fold.bn_weight[0] = third, fold.var[0] = 0.7f;
    fold.inputs.weight = &third;
    fold();
    EXPECT_EQ(fold.weight[0], float(double(third) * (double(third) / std::sqrt(double(0.7f) + double(eps)))));
}

} // namespace
