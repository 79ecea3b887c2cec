// SPDX-License-Identifier: Apache-2.0
// The references of gradients against central differences of a forward that is written here, in double. Every tensor is
// a slice of a wider one. What is differentiated is the sum of dy * y.
#include <cmath>
#include <functional>

#include "nhwc.h"
#include "support/central_differences.h"
#include "tributary/training_kernels.h"

using kernels::Nhwc;

namespace
{

using Doubles = std::vector<double>;

Doubles differences(const std::vector<float> &at, const support::ScalarFunction &loss)
{
    const Doubles x(at.begin(), at.end());
    Doubles gradient;
    for (std::size_t i = 0; i < x.size(); ++i) gradient.push_back(support::central_difference(loss, x, i, 1e-3));
    return gradient;
}

// The values of a slice, [n][h][w][c].
std::vector<float> values_of(const Nhwc &t)
{
    std::vector<float> values;
    for (int n = 0; n < t.n; ++n)
        for (int h = 0; h < t.h; ++h)
            for (int w = 0; w < t.w; ++w)
                for (int c = 0; c < t.c; ++c) values.push_back(t.at(n, h, w, c));
    return values;
}

void expect_values(const Nhwc &t, const Doubles &wanted)
{
    const std::vector<float> seen = values_of(t);
    ASSERT_EQ(seen.size(), wanted.size());
    for (std::size_t i = 0; i < seen.size(); ++i) kernels::expect_near(seen[i], wanted[i]);
    t.expect_canaries();
}

void expect_values(const std::vector<float> &seen, const Doubles &wanted)
{
    ASSERT_EQ(seen.size(), wanted.size());
    for (std::size_t i = 0; i < seen.size(); ++i) kernels::expect_near(seen[i], wanted[i]);
}

double dot(const std::vector<float> &dy, const Doubles &y)
{
    EXPECT_EQ(dy.size(), y.size());
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += dy[i] * y[i];
    return sum;
}

Nhwc random(int n, int h, int w, int c, int before, int after, unsigned seed)
{
    Nhwc t(n, h, w, c, before, after);
    t.randomise(seed);
    return t;
}

// Checks what `run` writes into dx, and what it adds to it. `forward` is a function of x.
void expect_gradient(const Nhwc &x, const Nhwc &dy, const std::function<Doubles(const Doubles &)> &forward,
                     const std::function<void(float *dx, int pitch, bool accumulate)> &run, bool accumulates = true)
{
    Doubles wanted = differences(values_of(x), [&](const Doubles &at) { return dot(values_of(dy), forward(at)); });
    Nhwc dx = random(x.n, x.h, x.w, x.c, 2, 1, 91);
    for (bool accumulate : { true, false }) {
        if (accumulate && !accumulates) continue;
        const std::vector<float> before = values_of(dx);
        run(dx.data(), dx.pitch, accumulate);
        Doubles sums = wanted;
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += accumulate ? before[i] : 0;
        expect_values(dx, sums);
    }
}

// ---- windows ----

struct Window {
    int n, c, h, w, k, r, s, stride_h, stride_w, top, left, bottom, right, p, q;
};

trib_window_geometry geometry(const Window &t)
{
    trib_window_geometry g = {};
    g.n = t.n, g.c = t.c, g.h = t.h, g.w = t.w, g.k = t.k, g.p = t.p, g.q = t.q, g.r = t.r, g.s = t.s;
    g.stride_h = t.stride_h, g.stride_w = t.stride_w;
    g.pad_top = t.top, g.pad_left = t.left, g.pad_bottom = t.bottom, g.pad_right = t.right;
    return g;
}

std::size_t at(const trib_window_geometry &g, int n, int h, int w, int c)
{
    return ((std::size_t(n) * g.h + h) * g.w + w) * g.c + c;
}

// visit(n, p, q, h, w, r, s) for each position of each window that is inside the image.
template <class Visit>
void each(const trib_window_geometry &g, Visit visit)
{
    for (int n = 0; n < g.n; ++n)
        for (int p = 0; p < g.p; ++p)
            for (int q = 0; q < g.q; ++q)
                for (int r = 0; r < g.r; ++r)
                    for (int s = 0; s < g.s; ++s) {
                        const int h = p * g.stride_h + r - g.pad_top, w = q * g.stride_w + s - g.pad_left;
                        if (h >= 0 && w >= 0 && h < g.h && w < g.w) visit(n, p, q, h, w, r, s);
                    }
}

Doubles convolved(const trib_window_geometry &g, const Doubles &x, const Doubles &weight)
{
    Doubles y(std::size_t(g.n) * g.p * g.q * g.k);
    each(g, [&](int n, int p, int q, int h, int w, int r, int s) {
        for (int k = 0; k < g.k; ++k)
            for (int c = 0; c < g.c; ++c)
                y[((std::size_t(n) * g.p + p) * g.q + q) * g.k + k] +=
                    x[at(g, n, h, w, c)] * weight[((std::size_t(k) * g.c + c) * g.r + r) * g.s + s];
    });
    return y;
}

Doubles doubles(const std::vector<float> &values) { return Doubles(values.begin(), values.end()); }

class Windows : public testing::TestWithParam<Window>
{
};

TEST_P(Windows, Convolution)
{
    trib_window_geometry g = geometry(GetParam());
    const Nhwc x = random(g.n, g.h, g.w, g.c, 1, 2, 1), dy = random(g.n, g.p, g.q, g.k, 3, 1, 2);
    const std::vector<float> w = kernels::random_values(std::size_t(g.k) * g.c * g.r * g.s, 3);
    g.y_pitch = dy.pitch;
    expect_gradient(
        x, dy, [&](const Doubles &at) { return convolved(g, at, doubles(w)); },
        [&](float *dx, int pitch, bool accumulate) {
            g.x_pitch = pitch;
            trib_ref_conv2d_backward_data(&g, dy.memory.data() + dy.first, w.data(), dx, accumulate);
        });
    std::vector<float> dw(w.size(), NAN);
    g.x_pitch = x.pitch;
    trib_ref_conv2d_backward_weight(&g, x.memory.data() + x.first, dy.memory.data() + dy.first, dw.data());
    expect_values(dw, differences(w, [&](const Doubles &at) {
                      return dot(values_of(dy), convolved(g, doubles(values_of(x)), at));
                  }));
}

Doubles averaged(const trib_window_geometry &g, const Doubles &x)
{
    Doubles y(std::size_t(g.n) * g.p * g.q * g.c);
    each(g, [&](int n, int p, int q, int h, int w, int, int) {
        const int top = p * g.stride_h - g.pad_top, left = q * g.stride_w - g.pad_left;
        const int rows = std::min(top + g.r, g.h + g.pad_bottom) - top;
        const int columns = std::min(left + g.s, g.w + g.pad_right) - left;
        for (int c = 0; c < g.c; ++c)
            y[((std::size_t(n) * g.p + p) * g.q + q) * g.c + c] += x[at(g, n, h, w, c)] / (rows * columns);
    });
    return y;
}

TEST_P(Windows, AveragePool)
{
    trib_window_geometry g = geometry(GetParam());
    g.k = g.c;
    const Nhwc x = random(g.n, g.h, g.w, g.c, 1, 2, 1), dy = random(g.n, g.p, g.q, g.c, 3, 1, 2);
    g.y_pitch = dy.pitch;
    expect_gradient(
        x, dy, [&](const Doubles &at) { return averaged(g, at); },
        [&](float *dx, int pitch, bool accumulate) {
            g.x_pitch = pitch;
            trib_ref_avg_pool2d_backward(&g, dy.memory.data() + dy.first, dx, accumulate);
        });
}

Doubles maxima(const trib_window_geometry &g, const Doubles &x)
{
    Doubles y(std::size_t(g.n) * g.p * g.q * g.c, -1e30);
    each(g, [&](int n, int p, int q, int h, int w, int, int) {
        for (int c = 0; c < g.c; ++c) {
            double &best = y[((std::size_t(n) * g.p + p) * g.q + q) * g.c + c];
            best = std::max(best, x[at(g, n, h, w, c)]);
        }
    });
    return y;
}

TEST_P(Windows, MaximumPool)
{
    trib_window_geometry g = geometry(GetParam());
    g.k = g.c;
    Nhwc x(g.n, g.h, g.w, g.c, 1, 2);
    const Nhwc dy = random(g.n, g.p, g.q, g.c, 3, 1, 2);
    int next = 0; // no two are equal, nor as close as the differences
    x.fill([&](int, int, int, int) { return float(next++ * 37 % 1009) / 64; });
    Nhwc y(g.n, g.p, g.q, g.c, 2, 2);
    const int pitch = g.c + 3;
    std::vector<std::uint8_t> index(std::size_t(g.n) * g.p * g.q * pitch, 255);
    g.x_pitch = x.pitch, g.y_pitch = y.pitch;
    trib_ref_max_pool2d_indexed(&g, x.data(), y.data(), index.data() + 1, pitch);
    expect_values(y, maxima(g, doubles(values_of(x))));
    for (std::size_t i = 0; i < index.size(); ++i) {
        const std::size_t channel = i % std::size_t(pitch);
        const bool inside = channel > 0 && channel <= std::size_t(g.c);
        ASSERT_TRUE(inside ? index[i] < g.r * g.s : index[i] == 255) << i;
    }
    g.y_pitch = dy.pitch;
    expect_gradient(
        x, dy, [&](const Doubles &at) { return maxima(g, at); },
        [&](float *dx, int dx_pitch, bool accumulate) {
            g.x_pitch = dx_pitch;
            trib_ref_max_pool2d_backward(&g, dy.memory.data() + dy.first, index.data() + 1, pitch, dx, accumulate);
        });
}

INSTANTIATE_TEST_SUITE_P(Shapes, Windows,
                         testing::Values(Window { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1 }, // one pixel
                                         Window { 2, 5, 3, 4, 9, 1, 1, 1, 1, 0, 0, 0, 0, 3, 4 },
                                         Window { 1, 3, 5, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 5, 4 },
                                         Window { 2, 2, 7, 6, 3, 3, 3, 2, 2, 0, 0, 0, 0, 3, 3 }, // ceil mode
                                         Window { 1, 2, 6, 5, 8, 5, 5, 3, 3, 2, 2, 1, 1, 2, 2 }, // rows left over
                                         Window { 1, 9, 4, 5, 2, 2, 4, 3, 1, 0, 1, 1, 2, 2, 5 },
                                         Window { 1, 2, 2, 2, 2, 3, 3, 2, 2, 0, 0, 0, 0, 1, 1 }, // beyond the image
                                         Window { 1, 10, 3, 3, 17, 3, 2, 2, 1, 2, 0, 1, 0, 2, 2 }));

Doubles adapted(const trib_window_geometry &g, const Doubles &x)
{
    Doubles y;
    for (int n = 0; n < g.n; ++n)
        for (int p = 0; p < g.p; ++p)
            for (int q = 0; q < g.q; ++q)
                for (int c = 0; c < g.c; ++c) {
                    double sum = 0;
                    int count = 0;
                    for (int h = 0; h < g.h; ++h)
                        for (int w = 0; w < g.w; ++w)
                            if (h * g.p < (p + 1) * g.h && (h + 1) * g.p > p * g.h && w * g.q < (q + 1) * g.w &&
                                (w + 1) * g.q > q * g.w) {
                                sum += x[at(g, n, h, w, c)];
                                ++count;
                            }
                    y.push_back(sum / count);
                }
    return y;
}

TEST(Gradient, AdaptiveAveragePool)
{
    for (auto size : { std::pair<int, int> { 1, 1 }, { 4, 4 }, { 3, 7 }, { 9, 2 } }) { // more outputs than inputs, too
        trib_window_geometry g = {};
        g.n = 2, g.c = g.k = 3, g.h = 7, g.w = 5, g.p = size.first, g.q = size.second;
        const Nhwc x = random(g.n, g.h, g.w, g.c, 1, 2, 1), dy = random(g.n, g.p, g.q, g.c, 3, 1, 2);
        g.y_pitch = dy.pitch;
        expect_gradient(
            x, dy, [&](const Doubles &at) { return adapted(g, at); },
            [&](float *dx, int pitch, bool accumulate) {
                g.x_pitch = pitch;
                trib_ref_adaptive_avg_pool2d_backward(&g, dy.memory.data() + dy.first, dx, accumulate);
            });
    }
}

// ---- linear layers ----

Doubles multiplied(const trib_linear_geometry &g, const Doubles &x, const Doubles &w)
{
    Doubles y;
    for (int n = 0; n < g.n; ++n)
        for (int o = 0; o < g.out; ++o) {
            double sum = 0;
            for (int c = 0; c < g.c; ++c)
                for (int pixel = 0; pixel < g.h * g.w; ++pixel)
                    sum += x[(std::size_t(n) * g.h * g.w + pixel) * g.c + c] *
                           w[(std::size_t(o) * g.c + c) * g.h * g.w + pixel];
            y.push_back(sum);
        }
    return y;
}

TEST(Gradient, Linear)
{
    for (trib_linear_geometry g :
         { trib_linear_geometry { 3, 4, 2, 3, 5, 0, 0, false }, trib_linear_geometry { 1, 1, 1, 1, 1, 0, 0, false } }) {
        const Nhwc x = random(g.n, g.h, g.w, g.c, 1, 2, 1), dy = random(g.n, 1, 1, g.out, 3, 1, 2);
        const std::vector<float> w = kernels::random_values(std::size_t(g.out) * g.c * g.h * g.w, 3);
        g.y_pitch = dy.pitch;
        expect_gradient(
            x, dy, [&](const Doubles &at) { return multiplied(g, at, doubles(w)); },
            [&](float *dx, int pitch, bool accumulate) {
                g.x_pitch = pitch;
                trib_ref_linear_backward_data(&g, dy.memory.data() + dy.first, w.data(), dx, accumulate);
            });
        std::vector<float> dw(w.size(), NAN);
        g.x_pitch = x.pitch;
        trib_ref_linear_backward_weight(&g, x.memory.data() + x.first, dy.memory.data() + dy.first, dw.data());
        expect_values(dw, differences(w, [&](const Doubles &at) {
                          return dot(values_of(dy), multiplied(g, doubles(values_of(x)), at));
                      }));
    }
}

// ---- pixels ----

trib_gradient_geometry gradient(const Nhwc &dy, const Nhwc &x, int dx_pitch)
{
    return { std::int64_t(dy.n) * dy.h * dy.w, dy.c, dy.pitch, x.pitch, dx_pitch };
}

TEST(Gradient, ReluAndBias)
{
    const Nhwc dy = random(2, 3, 2, 5, 3, 1, 2);
    Nhwc x = random(2, 3, 2, 5, 1, 2, 1), y(2, 3, 2, 5, 0, 2);
    const auto clipped = [](const Doubles &at) {
        Doubles result = at;
        for (double &value : result) value = std::max(value, 0.0);
        return result;
    };
    y.fill([&](int n, int h, int w, int c) { return std::max(0.0f, x.at(n, h, w, c)); });
    std::vector<float> db(5, NAN);
    expect_gradient(
        x, dy, clipped,
        [&](float *dx, int pitch, bool) {
            const trib_gradient_geometry g = gradient(dy, y, pitch);
            trib_ref_relu_backward(&g, dy.memory.data() + dy.first, y.data(), dx, nullptr);
            trib_ref_relu_backward(&g, dy.memory.data() + dy.first, y.data(), dx, db.data());
        },
        false);
    const std::vector<float> x_values = values_of(x), dy_values = values_of(dy);
    Doubles of_ones(5), of_clipped(5);
    for (std::size_t i = 0; i < dy_values.size(); ++i) {
        of_ones[i % 5] += dy_values[i];
        of_clipped[i % 5] += x_values[i] > 0 ? dy_values[i] : 0;
    }
    expect_values(db, of_clipped);
    const trib_gradient_geometry g = gradient(dy, y, 0);
    trib_ref_bias_backward(&g, dy.memory.data() + dy.first, db.data());
    expect_values(db, of_ones);
}

TEST(Gradient, ReluIsZeroWhereTheOutputIsZeroOrNaN)
{
    const float dy[] = { 1, 2, 3, 4 }, y[] = { 0, -0.0f, NAN, 1e-38f };
    const trib_gradient_geometry g = { 1, 4, 4, 4, 4 };
    float dx[4];
    trib_ref_relu_backward(&g, dy, y, dx, nullptr);
    EXPECT_EQ(std::vector<float>(dx, dx + 4), (std::vector<float> { 0, 0, 0, 4 }));
}

TEST(Gradient, ReluInPlace)
{
    std::vector<float> d = { 1, 2, 3, 4 }, db(2);
    const float y[] = { 1, 0, 0, 1 };
    const trib_gradient_geometry g = { 2, 2, 2, 2, 2 };
    trib_ref_relu_backward(&g, d.data(), y, d.data(), db.data());
    EXPECT_EQ(d, (std::vector<float> { 1, 0, 0, 4 }));
    EXPECT_EQ(db, (std::vector<float> { 1, 4 }));
}

Doubles normalised_across(int size, double alpha, double beta, double k, int channels, const Doubles &x)
{
    Doubles y = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const int c = int(i % std::size_t(channels));
        double sum = 0;
        for (int other = 0; other < channels; ++other)
            if (other >= c - size / 2 && other <= c + (size - 1) / 2) sum += x[i - c + other] * x[i - c + other];
        y[i] = x[i] * std::pow(k + alpha / size * sum, -beta);
    }
    return y;
}

TEST(Gradient, Lrn)
{
    const Nhwc x = random(2, 2, 1, 7, 1, 2, 1), dy = random(2, 2, 1, 7, 3, 1, 2);
    for (int size : { 1, 2, 3, 4, 5, 31 })
        for (float k : { 1.0f, 2.0f })
            expect_gradient(
                x, dy, [&](const Doubles &at) { return normalised_across(size, 0.7f, 0.75f, k, 7, at); },
                [&](float *dx, int pitch, bool) {
                    const trib_gradient_geometry g = gradient(dy, x, pitch);
                    trib_ref_lrn_backward(&g, size, 0.7f, 0.75f, k, dy.memory.data() + dy.first,
                                          x.memory.data() + x.first, dx);
                },
                false);
}

// ---- batch norm ----

struct BatchNorm {
    int c;
    double eps;
    bool relu;
    Doubles operator()(const Doubles &x, const Doubles &weight, const Doubles &bias) const
    {
        Doubles y(x.size());
        const std::size_t rows = x.size() / c;
        for (int i = 0; i < c; ++i) {
            double mean = 0, variance = 0;
            for (std::size_t row = 0; row < rows; ++row) mean += x[row * c + i] / rows;
            for (std::size_t row = 0; row < rows; ++row) variance += std::pow(x[row * c + i] - mean, 2) / rows;
            for (std::size_t row = 0; row < rows; ++row) {
                const double value = (x[row * c + i] - mean) / std::sqrt(variance + eps) * weight[i] + bias[i];
                y[row * c + i] = relu ? std::max(value, 0.0) : value;
            }
        }
        return y;
    }
};

void check_batch_norm(int n, int h, int w, bool relu)
{
    const int c = 3;
    const float eps = 1e-3f;
    const Nhwc x = random(n, h, w, c, 1, 2, 1), dy = random(n, h, w, c, 3, 1, 2);
    const std::vector<float> weight = { 1.5f, -0.7f, 0.3f }, bias = { 0.25f, 0.1f, -0.2f };
    std::vector<float> saved(std::size_t(4 * c), NAN), mean = { 1, 2, 3 }, var = { 4, 5, 6 };
    Nhwc y(n, h, w, c, 0, 1);
    const std::int64_t rows = std::int64_t(n) * h * w;
    const trib_pixel_geometry g = { rows, c, x.pitch, y.pitch, relu };
    const trib_batch_norm_parameters p = { weight.data(), bias.data(), eps, 0.1f };
    trib_ref_batch_statistics(&g, x.memory.data() + x.first, &p, saved.data(), mean.data(), var.data());
    trib_ref_batch_norm_apply(&g, x.memory.data() + x.first, saved.data(), y.data());
    const BatchNorm forward = { c, double(eps), relu };
    expect_values(y, forward(doubles(values_of(x)), doubles(weight), doubles(bias)));
    std::vector<float> dweight(c, NAN), dbias(c, NAN);
    expect_gradient(
        x, dy, [&](const Doubles &at) { return forward(at, doubles(weight), doubles(bias)); },
        [&](float *dx, int pitch, bool) {
            const trib_gradient_geometry back = gradient(dy, x, pitch);
            trib_ref_batch_norm_backward(&back, relu, dy.memory.data() + dy.first, x.memory.data() + x.first,
                                         saved.data(), dx, dweight.data(), dbias.data());
        },
        false);
    const Doubles at = doubles(values_of(x));
    expect_values(dweight, differences(weight, [&](const Doubles &moved) {
                      return dot(values_of(dy), forward(at, moved, doubles(bias)));
                  }));
    expect_values(dbias, differences(bias, [&](const Doubles &moved) {
                      return dot(values_of(dy), forward(at, doubles(weight), moved));
                  }));
}

TEST(Gradient, BatchNorm)
{
    for (bool relu : { false, true }) {
        check_batch_norm(3, 2, 4, relu);
        check_batch_norm(1, 3, 5, relu); // a batch of one image
        check_batch_norm(2, 1, 1, relu);
    }
}

TEST(BatchNorm, RunningStatistics) // mean 2, variance 2/3, unbiased 1
{
    const float x[] = { 1, 2, 3 }, one = 1, zero = 0;
    const trib_pixel_geometry g = { 3, 1, 1, 1, false };
    const trib_batch_norm_parameters p = { &one, &zero, 1e-5f, 0.25f };
    float saved[4], mean = 10, var = 5;
    trib_ref_batch_statistics(&g, x, &p, saved, &mean, &var);
    EXPECT_FLOAT_EQ(mean, 0.75f * 10 + 0.25f * 2);
    EXPECT_FLOAT_EQ(var, 0.75f * 5 + 0.25f * 1);
    kernels::expect_near(saved[2], 2);
    kernels::expect_near(saved[3], 1 / std::sqrt(2.0 / 3 + 1e-5));
    kernels::expect_near(saved[1], -2 * saved[0]);
}

TEST(BatchNorm, OneRowHasNoVariance)
{
    const float x[] = { 3 }, weight = 2, bias = 5, dy = 1;
    const trib_pixel_geometry g = { 1, 1, 1, 1, false };
    const trib_batch_norm_parameters p = { &weight, &bias, 1e-3f, 1 };
    float saved[4], mean = 10, var = 5, y, dx, dweight, dbias;
    trib_ref_batch_statistics(&g, x, &p, saved, &mean, &var);
    EXPECT_EQ(mean, 3);
    EXPECT_EQ(var, 0);
    trib_ref_batch_norm_apply(&g, x, saved, &y);
    kernels::expect_near(y, 5, 1e-5); // 3 * 63 - 184, each rounded
    const trib_gradient_geometry back = { 1, 1, 1, 1, 1 };
    trib_ref_batch_norm_backward(&back, false, &dy, x, saved, &dx, &dweight, &dbias);
    EXPECT_EQ(dx, 0);
    EXPECT_EQ(dweight, 0);
    EXPECT_EQ(dbias, 1);
}

// Around a mean of 4096, E[x^2] - E[x]^2 in float32 would be 0 or 1, not 0.25.
TEST(BatchNorm, LargeMeansDoNotCancel)
{
    const float x[] = { 4096.5f, 4095.5f, 4096.5f, 4095.5f }, one = 1, zero = 0;
    const trib_pixel_geometry g = { 4, 1, 1, 1, false };
    const trib_batch_norm_parameters p = { &one, &zero, 1e-5f, 1 };
    float saved[4], mean = 0, var = 0;
    trib_ref_batch_statistics(&g, x, &p, saved, &mean, &var);
    EXPECT_EQ(mean, 4096);
    kernels::expect_near(var, 1.0 / 3);
    kernels::expect_near(saved[3], 1 / std::sqrt(0.25 + 1e-5));
}

TEST(BatchNorm, BackwardInPlace)
{
    const Nhwc x = random(2, 3, 2, 4, 0, 0, 1), dy = random(2, 3, 2, 4, 0, 0, 2);
    const std::vector<float> saved = kernels::random_values(16, 3);
    std::vector<float> apart(dy.memory.size()), dweight(4), dbias(4), in_place = dy.memory;
    const trib_gradient_geometry g = { 12, 4, 4, 4, 4 };
    trib_ref_batch_norm_backward(&g, true, dy.memory.data(), x.memory.data(), saved.data(), apart.data(),
                                 dweight.data(), dbias.data());
    trib_ref_batch_norm_backward(&g, true, in_place.data(), x.memory.data(), saved.data(), in_place.data(),
                                 dweight.data(), dbias.data());
    EXPECT_EQ(in_place, apart);
}

// ---- loss ----

Doubles losses(int classes, double smoothing, const std::vector<std::int32_t> &labels, const Doubles &x)
{
    Doubles result;
    for (std::size_t n = 0; n < labels.size(); ++n) {
        const double *row = &x[n * std::size_t(classes)];
        double sum = 0, loss = 0;
        for (int c = 0; c < classes; ++c) sum += std::exp(row[c]);
        for (int c = 0; c < classes; ++c)
            loss -= (smoothing / classes + (c == labels[n] ? 1 - smoothing : 0)) * (row[c] - std::log(sum));
        result.push_back(loss);
    }
    return result;
}

TEST(Gradient, CrossEntropy)
{
    const std::vector<std::int32_t> labels = { 0, 4, 2 };
    for (float smoothing : { 0.0f, 0.1f }) {
        const Nhwc x = random(3, 1, 1, 5, 1, 2, 1);
        std::vector<float> loss(3, NAN);
        const float scale = 0.3f * 8;
        const auto mean = [&](const Doubles &at) {
            const Doubles all = losses(5, smoothing, labels, at);
            return double(scale) * (all[0] + all[1] + all[2]) / 3;
        };
        Nhwc one(1, 1, 1, 1);
        one.at(0, 0, 0, 0) = 1;
        expect_gradient(
            x, one, [&](const Doubles &at) { return Doubles { mean(at) }; },
            [&](float *dx, int pitch, bool) {
                const trib_cross_entropy_geometry g = { 3, 5, x.pitch, pitch, smoothing, scale };
                trib_ref_cross_entropy(&g, x.memory.data() + x.first, labels.data(), dx, loss.data());
            },
            false);
        expect_values(loss, losses(5, smoothing, labels, doubles(values_of(x))));
    }
}

} // namespace
