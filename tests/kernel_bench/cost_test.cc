// SPDX-License-Identifier: Apache-2.0
// What the benchmark holds kernels against: bytes and operations of GoogLeNet's layers, and the floor they give.
#include "benches/kernels/cost.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace
{

const trib_kernel *kernel(const std::string &name)
{
    for (int i = 0; const trib_kernel *k = trib_kernel_at(i); ++i)
        if (name == k->name) return k;
    ADD_FAILURE() << "no kernel " << name;
    return trib_kernel_at(0);
}

trib_kernel_problem layer(const std::string &name, const std::string &text, int batch)
{
    const trib_kernel *k = kernel(name);
    trib_kernel_problem p = {};
    for (int i = 0; i < k->layers; ++i) {
        k->layer(i, batch, &p);
        if (text == p.layer) return p;
    }
    ADD_FAILURE() << name << " has no layer " << text;
    return p;
}

TEST(Bytes, OfMergedReductionsOfInception3a)
{
    const trib_kernel_problem p = layer("conv1x1", "inception_3a/1x1+3x3_reduce+5x5_reduce", 256);
    // 200,704 pixels of 192 channels in and 64 + 96 + 16 out; 176 x 192 weights; 176 biases in float32.
    const std::int64_t pixels = 256 * 28 * 28, elements = pixels * (192 + 176) + 176 * 192;
    EXPECT_EQ(bench_bytes(&p, TRIB_BF16), 2 * elements + 4 * 176);
    EXPECT_EQ(bench_bytes(&p, TRIB_BF16), 147786432);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 4 * elements + 4 * 176);
    EXPECT_EQ(p.flops, 2.0 * pixels * 192 * 176);
}

TEST(Bytes, OfOtherLayersByHand)
{
    trib_kernel_problem p = layer("max_pool2d_lrn", "pool1/3x3_s2+norm1", 32);
    EXPECT_EQ(bench_bytes(&p, TRIB_F16), 2 * 32 * 64 * (112 * 112 + 56 * 56));
    p = layer("preprocess", "data", 256);
    EXPECT_EQ(bench_bytes(&p, TRIB_BF16), 256LL * 224 * 224 * (3 + 8 * 2));
    p = layer("reorder_converting", "data", 256);
    EXPECT_EQ(bench_bytes(&p, TRIB_BF16), 256LL * 224 * 224 * (3 * 4 + 8 * 2));
    p = layer("softmax_top_k", "prob", 32);
    EXPECT_EQ(bench_bytes(&p, TRIB_F16), 32 * (1000 * 2 + 5 * (4 + 4)));
    p = layer("scale_shift", "inception_3a/3x3/bn", 1);
    EXPECT_EQ(bench_bytes(&p, TRIB_F16), 2 * 2 * 28 * 28 * 128 + 2 * 4 * 128);
}

// The concatenation that a module's projection is a slice of is 256 channels wide; 32 of them are moved.
TEST(Bytes, OfASliceLeaveOutWhatIsBesideIt)
{
    const trib_kernel_problem p = layer("max_pool2d_conv1x1", "inception_3a/pool+pool_proj", 1);
    EXPECT_EQ(p.outputs[0].first, 224);
    EXPECT_EQ(p.outputs[0].pitch, 256);
    EXPECT_EQ(bench_bytes(&p, TRIB_F16), 2 * (784 * (192 + 32) + 192 * 32) + 4 * 32);
    const bench_layout layout = bench_layout_of(&p, TRIB_F16);
    EXPECT_EQ(layout.inputs[0], 0);
    EXPECT_GE(layout.inputs[1], 2 * 784 * 192);
    EXPECT_GE(layout.bytes, layout.outputs[0] + 2 * 784 * 256);
    EXPECT_LT(layout.bytes, layout.outputs[0] + 2 * 784 * 256 + 256);
    for (std::int64_t offset : { layout.inputs[1], layout.inputs[2], layout.outputs[0] }) EXPECT_EQ(offset % 256, 0);
}

// Activations grow with the batch, parameters do not; nothing else changes.
TEST(Layers, ScaleWithTheBatch)
{
    for (int i = 0; const trib_kernel *k = trib_kernel_at(i); ++i) {
        ASSERT_GT(k->layers, 0) << k->name;
        for (int index = 0; index < k->layers; ++index) {
            trib_kernel_problem one, many;
            k->layer(index, 1, &one);
            k->layer(index, 256, &many);
            const int times = one.fold.k || one.pack.k ? 1 : 256; // what changes weights has no batch
            EXPECT_STREQ(one.layer, many.layer);
            EXPECT_NE(one.layer[0], 0) << k->name << " layer " << index;
            EXPECT_EQ(many.flops, times * one.flops) << k->name << " " << one.layer;
            EXPECT_EQ(many.inputs[0].rows, times * one.inputs[0].rows) << k->name << " " << one.layer;
            for (int j = 1; j < one.input_count; ++j) EXPECT_EQ(many.inputs[j].rows, one.inputs[j].rows) << k->name;
            for (int j = 0; j < one.output_count; ++j) {
                EXPECT_EQ(many.outputs[j].rows, times * one.outputs[j].rows) << k->name << " " << one.layer;
                EXPECT_EQ(many.outputs[j].pitch, one.outputs[j].pitch);
            }
        }
    }
}

// All 1x1 convolutions of the modules: the table agrees with the network's definition.
TEST(Layers, MultiplyAddsOfGoogLeNet)
{
    double merged = 0, projected = 0;
    for (int i = 0; i < 9; ++i) {
        trib_kernel_problem p;
        kernel("conv1x1")->layer(i, 1, &p);
        merged += p.flops / 2;
        kernel("max_pool2d_conv1x1")->layer(i, 1, &p);
        projected += p.flops / 2;
    }
    // pixels * in * (1x1 + 3x3_reduce + 5x5_reduce), and pixels * in * pool_proj
    EXPECT_EQ(merged, 784.0 * (192 * 176 + 256 * 288) +
                          196.0 * (480 * 304 + 512 * 296 + 512 * 280 + 512 * 288 + 528 * 448) +
                          49.0 * 832 * (448 + 624));
    EXPECT_EQ(projected,
              784.0 * (192 * 32 + 256 * 64) + 196.0 * (480 * 64 + 3 * 512 * 64 + 528 * 128) + 49.0 * 832 * 2 * 128);
}

const bench_limits card = { 4e12, 50e12, 400e12, 700e12, 800e12, 0, 0, 0 };

TEST(Floor, IsTheLargerOfMemoryAndMath)
{
    trib_kernel_problem p = layer("conv1x1", "inception_3a/1x1+3x3_reduce+5x5_reduce", 256);
    const double bytes = double(bench_bytes(&p, TRIB_BF16));
    EXPECT_DOUBLE_EQ(bench_floor(&card, &p, TRIB_BF16), bytes / 4e12);   // 37 us against 17
    EXPECT_DOUBLE_EQ(bench_floor(&card, &p, TRIB_F32), p.flops / 50e12); // without tensor cores 271 us against 74
    p.flops *= 10;
    EXPECT_DOUBLE_EQ(bench_floor(&card, &p, TRIB_BF16), p.flops / 800e12);
    EXPECT_DOUBLE_EQ(bench_floor(&card, &p, TRIB_F16), p.flops / 700e12);
}

TEST(Floor, KnowsWhatComputes)
{
    const trib_kernel_problem product = layer("conv1x1", "conv2/3x3_reduce", 1),
                              tf32 = layer("conv1x1_tf32", "conv2/3x3_reduce", 1),
                              pool = layer("max_pool2d", "pool1/3x3_s2", 1);
    EXPECT_EQ(bench_math_rate(&card, &product, TRIB_F32), card.fp32);
    EXPECT_EQ(bench_math_rate(&card, &product, TRIB_F16), card.fp16);
    EXPECT_EQ(bench_math_rate(&card, &product, TRIB_BF16), card.bf16);
    EXPECT_EQ(bench_math_rate(&card, &tf32, TRIB_F32), card.tf32);
    for (trib_dtype dtype : { TRIB_F32, TRIB_F16, TRIB_BF16 })
        EXPECT_EQ(bench_math_rate(&card, &pool, dtype), card.fp32);
}

TEST(Floor, LeavesOutWhatIsNotKnown)
{
    const trib_kernel_problem p = layer("conv1x1", "conv2/3x3_reduce", 1);
    bench_limits unknown = card;
    unknown.bf16 = 0;
    EXPECT_DOUBLE_EQ(bench_floor(&unknown, &p, TRIB_BF16), double(bench_bytes(&p, TRIB_BF16)) / 4e12);
    unknown.copy = 0;
    EXPECT_EQ(bench_floor(&unknown, &p, TRIB_BF16), 0);
}

TEST(Median, OfFewAndMany)
{
    double values[] = { 5, 1, 4, 2 };
    EXPECT_EQ(bench_median(values, 0), 0);
    EXPECT_EQ(bench_median(values, 1), 5);
    EXPECT_EQ(bench_median(values, 3), 4);
    EXPECT_EQ(bench_median(values, 4), 3);
    EXPECT_EQ(values[0], 1);
}

} // namespace
