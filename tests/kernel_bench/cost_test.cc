// SPDX-License-Identifier: Apache-2.0
// What the benchmark holds kernels against: bytes and operations of GoogLeNet's layers, and the floor they give.
#include "benches/kernels/cost.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "layers.h"
#include "tributary/internal/fault.h"

namespace
{

// A kernel's layer by its name; the same in every type.
trib_kernel_problem layer(const std::string &kernel, const std::string &name, int batch)
{
    const Layers layers(batch);
    for (const bench_layer &l : layers)
        if (kernel == l.kernel->name && name == l.name) return l.problem;
    ADD_FAILURE() << kernel << " has no layer " << name;
    return {};
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
    trib_kernel_problem p = layer("max_pool2d_lrn", "pool1/3x3_s2+pool1/norm1", 32);
    EXPECT_EQ(bench_bytes(&p, TRIB_F16), 2 * 32 * 64 * (112 * 112 + 56 * 56));
    p = layer("preprocess", "input/normalise", 256);
    EXPECT_EQ(bench_bytes(&p, TRIB_BF16), 256LL * 224 * 224 * (3 + 8 * 2));
    p = layer("reorder_converting", "input/convert", 256);
    EXPECT_EQ(bench_bytes(&p, TRIB_BF16), 256LL * 224 * 224 * (3 * 4 + 8 * 2));
    p = layer("softmax_top_k", "loss3/classifier/top_k", 32);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 32 * (1000 * 4 + 5 * (4 + 4)));
    p = layer("scale_shift", "inception_3a/3x3/bn", 1);
    EXPECT_EQ(bench_bytes(&p, TRIB_F16), 2 * 2 * 28 * 28 * 128 + 2 * 4 * 128);
}

// The concatenation that a module's projection is a slice of is 256 channels wide; 32 of them are moved.
TEST(Bytes, OfASliceLeaveOutWhatIsBesideIt)
{
    const trib_kernel_problem p = layer("max_pool2d_conv1x1", "inception_3a/pool+inception_3a/pool_proj", 1);
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

// What is updated is read and written, a workspace is not counted, and indices are bytes.
TEST(Bytes, OfTraining)
{
    trib_kernel_problem p = layer("batch_norm_backward", "inception_4e/1x1/bn/backward", 256);
    EXPECT_EQ(p.output_count, 4);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 4LL * (3 * 256 * 14 * 14 * 256 + (4 + 2) * 256));
    p = layer("batch_statistics", "conv1/7x7_s2/bn/statistics", 1);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 4 * (112 * 112 * 64 + (2 + 4 + 2 * 2) * 64));
    p = layer("max_pool2d_backward_accumulated", "inception_3a/pool/backward", 32);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 32 * 28 * 28 * 192 * (4 + 1 + 2 * 4));
    EXPECT_EQ(p.inputs[1].below, 9);
    p = layer("relu_backward", "inception_3a/3x3/relu/backward", 1);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 4 * (3 * 28 * 28 * 128 + 128));
    EXPECT_EQ(p.inputs[0].first, 64);
    EXPECT_EQ(p.inputs[0].pitch, 256);
    p = layer("cross_entropy", "loss/logits", 32);
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 4 * (2 * 32 * 1000 + 2 * 32) + 64);
    p = layer("sgd", "update", 1);
    EXPECT_EQ(p.inputs[0].c, 13381376); // weights of bvlc with both auxiliary classifiers: biases have their own update
    EXPECT_EQ(bench_bytes(&p, TRIB_F32), 4LL * (1 + 2 * 2) * 13381376 + 64);
}

void inference_scales(const trib_kernel_problem &p, const trib_kernel_problem &q, int times)
{
    EXPECT_EQ(q.inputs[0].rows, times * p.inputs[0].rows);
    for (int j = 1; j < p.input_count; ++j) EXPECT_EQ(q.inputs[j].rows, p.inputs[j].rows);
    for (int j = 0; j < p.output_count; ++j) {
        EXPECT_EQ(q.outputs[j].rows, times * p.outputs[j].rows);
        EXPECT_EQ(q.outputs[j].pitch, p.outputs[j].pitch);
    }
}

// Arrays of activations and of single rows are mixed.
void training_scales(const trib_kernel_problem &p, const trib_kernel_problem &q, int times)
{
    int scaled = 0;
    const auto check = [&](const trib_kernel_array &a, const trib_kernel_array &b) {
        if (a.content == TRIB_KERNEL_SCRATCH) return;
        EXPECT_EQ(a.pitch, b.pitch);
        EXPECT_TRUE(b.rows == a.rows || b.rows == times * a.rows) << a.rows << " and " << b.rows;
        scaled += b.rows != a.rows;
    };
    ASSERT_EQ(p.input_count, q.input_count);
    ASSERT_EQ(p.output_count, q.output_count);
    for (int j = 0; j < p.input_count; ++j) check(p.inputs[j], q.inputs[j]);
    for (int j = 0; j < p.output_count; ++j) check(p.outputs[j], q.outputs[j]);
    EXPECT_EQ(scaled > 0, times > 1);
}

// Activations grow with the batch, parameters do not; nothing else changes.
TEST(Layers, ScaleWithTheBatch)
{
    const Layers ones(1), all(256);
    ASSERT_EQ(ones.count(), all.count());
    for (int i = 0; i < ones.count(); ++i) {
        const bench_layer &one = ones.begin()[i], &many = all.begin()[i];
        const trib_kernel_problem &p = one.problem, &q = many.problem;
        const int times = q.flops == p.flops ? 1 : 256; // what changes weights has no batch
        ASSERT_EQ(one.kernel, many.kernel);
        SCOPED_TRACE(std::string(one.kernel->name) + " " + one.name);
        EXPECT_EQ(one.dtype, many.dtype);
        EXPECT_STREQ(one.name, many.name);
        EXPECT_EQ(q.flops, times * p.flops);
        if (one.training)
            training_scales(p, q, times);
        else
            inference_scales(p, q, p.fold.k || p.pack.k || p.columns.k ? 1 : 256);
    }
}

// A later batch brings no weights again.
TEST(Layers, OfWeightsAreThoseOfTheFirstBatch)
{
    Layers layers(32);
    const int first = layers.count();
    layers.add(1);
    for (int i = 0; i < layers.count(); ++i) {
        const bench_layer &l = layers.begin()[i];
        EXPECT_EQ(l.batch, i < first ? 32 : 1);
        EXPECT_FALSE(i >= first && (l.problem.fold.k || l.problem.pack.k || l.problem.columns.k)) << l.name;
    }
}

// Some of the many allocations; what is left is LeakSanitizer's to find.
TEST(Layers, AllocationsMayFail)
{
    bool failed = true;
    for (std::int64_t k = 1; failed; k += 1 + k / 4) {
        bench_layers layers = {};
        trib_fault_arm(k, false);
        const trib_status status = bench_layers_add(&layers, 1);
        failed = trib_fault_disarm() >= k;
        EXPECT_EQ(status.code, failed ? TRIB_OUT_OF_MEMORY : TRIB_OK) << k << ": " << status.message;
        bench_layers_destroy(&layers);
    }
}

// The sum over layers with different shapes; of those with the same, only the first is in the list.
double multiply_adds(const std::string &kernel)
{
    double sum = 0;
    for (const bench_layer &l : Layers(1))
        if (kernel == l.kernel->name && l.dtype == TRIB_F32) sum += l.problem.flops / 2;
    return sum;
}

TEST(Layers, MultiplyAddsOfGoogLeNet)
{
    // pixels * in * (1x1 + 3x3_reduce + 5x5_reduce) of the nine modules, and conv2/3x3_reduce
    EXPECT_EQ(multiply_adds("conv1x1"), 784.0 * (192 * 176 + 256 * 288) +
                                            196.0 * (480 * 304 + 512 * 296 + 512 * 280 + 512 * 288 + 528 * 448) +
                                            49.0 * 832 * (448 + 624) + 3136.0 * 64 * 64);
    // pixels * in * pool_proj: those of 4b and 4c have the same shape
    EXPECT_EQ(multiply_adds("max_pool2d_conv1x1"),
              784.0 * (192 * 32 + 256 * 64) + 196.0 * (480 * 64 + 2 * 512 * 64 + 528 * 128) + 49.0 * 832 * 2 * 128);
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
