// SPDX-License-Identifier: Apache-2.0
// What the kernels of training promise beyond their references: the same bits from any grid, statistics that do not
// cancel, pools that give back all they were given, and refusals in words. On the emulation, and on a GPU if there is
// one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "device.h"
#include "tributary/internal/kernels_cuda.h"

namespace
{

using Bytes = std::vector<std::byte>;

template <class T>
Bytes bytes_of(const std::vector<T> &values)
{
    Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

// Device memory that holds `values`.
template <class T>
class Array
{
  public:
    explicit Array(const std::vector<T> &values) : count_(values.size()), buffer_(bytes_of(values), true) {}
    explicit Array(std::size_t count) : Array(std::vector<T>(count)) {}
    T *at() const { return reinterpret_cast<T *>(buffer_.at(0)); }
    std::vector<T> values() const
    {
        Bytes bytes(count_ * sizeof(T));
        buffer_.read(bytes);
        std::vector<T> values(count_);
        std::memcpy(values.data(), bytes.data(), bytes.size());
        return values;
    }

  private:
    std::size_t count_;
    device::Buffer buffer_;
};

std::vector<float> uniform(std::size_t count, float from, float to, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> value(from, to);
    std::vector<float> values(count);
    for (float &v : values) v = value(random);
    return values;
}

void expect_ok(const trib_status &status) { EXPECT_EQ(status.code, TRIB_OK) << status.message; }

// Statistics of x, whose rows are dense: scale, shift, mean, 1 / deviation, running mean and variance.
std::vector<float> statistics(const std::vector<float> &x, int c, float eps)
{
    const std::int64_t rows = std::int64_t(x.size()) / c;
    const Array<float> in(x), weight(std::vector<float>(c, 1)), bias(c), saved(4 * c), mean(c), var(c);
    const Array<double> workspace(trib_cuda_row_sums_workspace(rows, c) / sizeof(double));
    const trib_pixel_geometry g = { rows, c, c, c, false };
    const trib_batch_norm_parameters p = { weight.at(), bias.at(), eps, 1 };
    expect_ok(trib_cuda_batch_statistics(&g, TRIB_F32, in.at(), &p, saved.at(), mean.at(), var.at(), workspace.at(),
                                         nullptr));
    std::vector<float> all = saved.values();
    for (const Array<float> *more : { &mean, &var })
        for (float value : more->values()) all.push_back(value);
    return all;
}

class RowSums : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!device::missing().empty()) GTEST_SKIP() << device::missing();
    }
};

TEST_F(RowSums, HaveTheSameBitsFromAnyGridAndInAnyOrder)
{
    const std::vector<float> x = uniform(1000 * 24, -1, 3, 1);
    device::vary(1);
    const std::vector<float> wanted = statistics(x, 24, 1e-3f);
    for (std::uint64_t seed = 2; seed < 10; ++seed) {
        device::vary(seed);
        EXPECT_EQ(statistics(x, 24, 1e-3f), wanted) << seed;
    }
    device::vary(1);
}

// In float32 the squares of 4096 +- 1 would leave nothing of a variance of 1/3.
TEST_F(RowSums, AVarianceFarFromZeroIsNotLost)
{
    const int c = 8;
    const std::vector<float> x = uniform(2000 * c, 4095, 4097, 1), got = statistics(x, c, 0);
    for (int channel = 0; channel < c; ++channel) {
        double mean = 0, variance = 0;
        for (int row = 0; row < 2000; ++row) mean += double(x[row * c + channel]) / 2000;
        for (int row = 0; row < 2000; ++row) variance += std::pow(x[row * c + channel] - mean, 2) / 1999;
        EXPECT_NEAR(got[2 * c + channel], mean, 1e-3) << channel;
        EXPECT_NEAR(got[5 * c + channel], variance, 1e-6) << channel;
    }
}

// Equal values: rounding must not make a variance negative, or its root is NaN.
TEST_F(RowSums, AConstantHasNoVariance)
{
    for (float value : { 0.1f, 3.3333333f, 1e-20f, 12345.678f }) {
        const std::vector<float> got = statistics(std::vector<float>(777 * 4, value), 4, 1e-5f);
        for (int channel = 0; channel < 4; ++channel) {
            EXPECT_FLOAT_EQ(got[8 + channel], value);
            EXPECT_NEAR(got[12 + channel], 1 / std::sqrt(1e-5f), 0.05f) << value;
        }
    }
}

TEST_F(RowSums, NeedLittleMemory)
{
    for (std::int64_t rows : { 1LL, 64LL, 1568LL, 256LL * 112 * 112 })
        for (int c : { 1, 3, 64, 1024, 40000 }) {
            const std::int64_t bytes = trib_cuda_row_sums_workspace(rows, c);
            EXPECT_GE(bytes, 2 * 8 * c);
            EXPECT_LE(bytes, std::max<std::int64_t>(1 << 20, 16 * 2 * 8 * std::int64_t(c))) << rows << ' ' << c;
            EXPECT_LE(bytes, (rows / 64 + 1) * 16 * c) << rows << ' ' << c;
        }
}

trib_window_geometry pool(int h, int size, int stride, int pad, int p)
{
    trib_window_geometry g = {};
    g.n = 2, g.c = g.k = g.x_pitch = g.y_pitch = 8, g.h = g.w = h, g.p = g.q = p;
    g.r = g.s = size, g.stride_h = g.stride_w = stride;
    g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = pad;
    return g;
}

// The indices of the forward are those the backward looks for: what all windows have, all pixels get.
TEST(MaxPool, BackwardGivesEveryWindowsGradientToOnePixel)
{
    if (!device::missing().empty()) GTEST_SKIP() << device::missing();
    for (const trib_window_geometry &g : { pool(9, 3, 2, 0, 4), pool(7, 3, 1, 1, 7), pool(8, 2, 2, 0, 4) }) {
        const std::size_t in = 2 * 8 * g.h * g.w, out = 2 * 8 * g.p * g.q;
        const Array<float> x(uniform(in, -1, 1, 1)), y(out), dx(in), dy(std::vector<float>(out, 1));
        const Array<std::uint8_t> index(out);
        expect_ok(trib_cuda_max_pool2d_indexed(&g, TRIB_F32, x.at(), y.at(), index.at(), 8, nullptr));
        expect_ok(trib_cuda_max_pool2d_backward(&g, TRIB_F32, dy.at(), index.at(), 8, dx.at(), false, nullptr));
        double sum = 0;
        for (float value : dx.values()) sum += value;
        EXPECT_EQ(sum, double(out));
    }
}

TEST(TrainingRefusals, NameTheKernelAndTheReason)
{
    const auto expect_unsupported = [](const trib_status &status, const std::string &text) {
        EXPECT_EQ(status.code, TRIB_UNSUPPORTED) << status.message;
        EXPECT_NE(std::string(status.message).find(text), std::string::npos) << status.message;
    };
    alignas(16) float x[64] = {};
    std::uint8_t index[64] = {};
    const trib_window_geometry wide = pool(17, 17, 1, 0, 1), small = pool(1, 1, 1, 0, 1);
    const trib_gradient_geometry g = { 1, 8, 8, 8, 8 };
    const trib_lrn_coefficients lrn = { 11, 1, 0.75f, 1 };
    expect_unsupported(trib_cuda_max_pool2d_indexed(&wide, TRIB_F32, x, x, index, 8, nullptr), "window of 17x17");
    expect_unsupported(trib_cuda_lrn_backward(&g, &lrn, TRIB_F32, x, x, x, nullptr), "lrn_backward: no CUDA kernel");
    expect_unsupported(trib_cuda_relu_backward(&g, TRIB_I64, x, x, x, nullptr, nullptr, nullptr),
                       "relu_backward: no CUDA kernel for i64");
    expect_unsupported(trib_cuda_max_pool2d_backward(&small, TRIB_U8, x, index, 8, x, false, nullptr),
                       "max_pool2d_backward: no CUDA kernel for u8");
}

} // namespace
