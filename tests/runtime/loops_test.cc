// SPDX-License-Identifier: Apache-2.0
// The vectorised loops give the same bits with every instruction set of this processor, and touch only their strip.
#include <cmath>
#include <cstring>
#include <random>

extern "C" {
#include "cpu/ops/native/loops.h"
}
#include "support/support.h"

namespace
{

const int width = 16, pixels = 9 * 7, pitch = 19; // 3 floats behind each pixel belong to others

struct Data {
    std::vector<float> x, y, dy, dx;
    std::vector<std::uint8_t> index;
    std::vector<double> sum, product;
    std::vector<float> vectors[5];
    trib_norm_values norm = {};

    explicit Data(bool relu)
    {
        std::mt19937 random(3);
        std::uniform_real_distribution<float> uniform(-1, 1);
        auto some = [&](int count) {
            std::vector<float> v(std::size_t(count), 0.0f);
            for (float &value : v) value = uniform(random);
            return v;
        };
        x = some(pixels * pitch), y = some(pixels * pitch), dy = some(pixels * pitch), dx = some(pixels * pitch);
        x[40] = NAN, y[20] = NAN, x[70] = -0.0f, y[90] = 0;
        for (std::vector<float> &v : vectors) v = some(width);
        for (int i = 0; i < pixels * pitch; ++i) index.push_back(std::uint8_t(random() % 9));
        sum.assign(width, 0.25), product.assign(width, 0.5);
        norm = { vectors[0].data(), vectors[1].data(), vectors[2].data(), relu };
    }
    static trib_run run(std::vector<float> &v) { return { v.data(), pitch }; }
};

template <typename T>
void expect_same(const std::vector<T> &a, const std::vector<T> &b, const char *what)
{
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)), 0) << what;
}

// Runs `work` with every table and compares all that it may have written.
template <typename F>
void compare(F &&work)
{
    for (const bool relu : { false, true }) {
        const Data before(relu);
        Data expected(relu);
        work(trib_loops_single, expected);
        for (const trib_loops *const *l = trib_loops_all; *l; ++l) {
            if (!(*l)->usable()) continue;
            SCOPED_TRACE(testing::Message() << (*l)->lanes << " lanes");
            Data seen(relu);
            work(**l, seen);
            expect_same(seen.dx, expected.dx, "dx"), expect_same(seen.y, expected.y, "y");
            expect_same(seen.index, expected.index, "index");
            expect_same(seen.sum, expected.sum, "sum"), expect_same(seen.product, expected.product, "product");
            for (std::size_t i = 0; i < seen.dx.size(); ++i) {
                if (i % pitch < width) continue;
                ASSERT_EQ(seen.dx[i], before.dx[i]) << "outside of the strip";
            }
        }
    }
}

trib_pool_windows windows(int stride)
{
    const int side = stride == 1 ? 0 : 1;
    return { 9, 7, side ? 5 : 9, side ? 4 : 7, 3, 3, stride, stride, 1, 1 };
}

TEST(Loops, SumsHaveTheSameBits)
{
    compare([](const trib_loops &l, Data &d) { l.sums(width, pixels, Data::run(d.dy), d.sum.data()); });
    compare([](const trib_loops &l, Data &d) {
        l.square_sums(width, pixels, Data::run(d.dy), d.sum.data(), d.product.data());
    });
    compare([](const trib_loops &l, Data &d) {
        l.norm_sums(width, pixels, Data::run(d.dy), Data::run(d.dx), &d.norm, d.sum.data(), d.product.data());
    });
}

TEST(Loops, ElementsHaveTheSameBits)
{
    compare(
        [](const trib_loops &l, Data &d) { l.scale_shift(width, pixels, Data::run(d.x), &d.norm, Data::run(d.dx)); });
    compare([](const trib_loops &l, Data &d) {
        l.norm_backward(width, pixels, Data::run(d.dy), Data::run(d.x), &d.norm, d.vectors[3].data(),
                        d.vectors[4].data(), Data::run(d.dx));
    });
    compare([](const trib_loops &l, Data &d) {
        l.relu_backward(width, pixels, Data::run(d.dy), Data::run(d.y), Data::run(d.dx), d.sum.data());
    });
    compare([](const trib_loops &l, Data &d) {
        l.spread(width, 3, 2, d.dy.data(), 7, { d.dx.data() + 8 * pitch, pitch }, 7 * pitch);
    });
}

TEST(Loops, PoolsHaveTheSameBits)
{
    for (const int stride : { 1, 2 }) {
        const trib_pool_windows g = windows(stride);
        compare([&](const trib_loops &l, Data &d) {
            l.max_pool(width, &g, Data::run(d.x), Data::run(d.dx), d.index.data(), pitch);
        });
        compare(
            [&](const trib_loops &l, Data &d) { l.max_pool(width, &g, Data::run(d.x), Data::run(d.dx), nullptr, 0); });
        for (const bool accumulate : { false, true })
            compare([&](const trib_loops &l, Data &d) {
                l.max_pool_backward(width, &g, Data::run(d.dy), d.index.data(), pitch, Data::run(d.dx), accumulate);
            });
    }
}

std::vector<float> lrn_backward(const trib_loops &loops, float beta)
{
    const int channels = 21, margin = 4;
    std::vector<float> buffers[5];
    for (std::vector<float> &b : buffers) b.assign(channels + 2 * margin, 0.0f);
    trib_lrn_pixel pixel = { channels, 2, 1, 0.3f, beta, 1, nullptr, nullptr, nullptr, nullptr, nullptr };
    pixel.x = buffers[0].data() + margin, pixel.dy = buffers[1].data() + margin;
    pixel.squares = buffers[2].data() + margin, pixel.scale = buffers[3].data() + margin;
    pixel.power = buffers[4].data() + margin;
    for (int c = 0; c < channels; ++c) pixel.x[c] = std::sin(float(c)), pixel.dy[c] = std::cos(float(2 * c));
    loops.lrn_backward(&pixel);
    return buffers[1];
}

TEST(Loops, LrnHasTheSameBits)
{
    for (const float beta : { 0.75f, 0.6f })
        for (const trib_loops *const *l = trib_loops_all; *l; ++l)
            if ((*l)->usable()) expect_same(lrn_backward(**l, beta), lrn_backward(trib_loops_single, beta), "dx");
}

TEST(Loops, EveryWidthOfAStripHasSome)
{
    for (const int w : { 1, 4, 8, 16 }) EXPECT_EQ(w % trib_loops_of(w)->lanes, 0);
}

} // namespace
