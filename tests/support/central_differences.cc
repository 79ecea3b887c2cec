// SPDX-License-Identifier: Apache-2.0
#include "support/central_differences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace support
{

double central_difference(const ScalarFunction &f, std::vector<double> x, std::size_t i, double h)
{
    const double at = x[i];
    auto slope = [&](double step) {
        // What is stored counts: at + step may be rounded.
        volatile double above = at + step, below = at - step;
        x[i] = above;
        const double high = f(x);
        x[i] = below;
        return (high - f(x)) / (above - below);
    };
    const double wide = slope(h), narrow = slope(h / 2);
    return (4 * narrow - wide) / 3;
}

namespace
{

std::vector<std::size_t> choose(std::size_t count, const DifferenceOptions &options)
{
    std::vector<std::size_t> all(count);
    std::iota(all.begin(), all.end(), std::size_t(0));
    std::mt19937_64 random(options.seed);
    std::shuffle(all.begin(), all.end(), random);
    all.resize(std::min(count, std::size_t(std::max(options.coordinates, 0))));
    return all;
}

double root_mean_square(const std::vector<double> &values)
{
    double sum = 0;
    for (double v : values) sum += v * v;
    return std::sqrt(sum / double(values.size()));
}

} // namespace

void expect_central_differences(const std::string &what, const std::vector<double> &x,
                                const std::vector<double> &gradient, const ScalarFunction &f,
                                const DifferenceOptions &options)
{
    ASSERT_EQ(x.size(), gradient.size()) << what;
    const std::vector<std::size_t> chosen = choose(x.size(), options);
    ASSERT_FALSE(chosen.empty()) << what << ": nothing is compared";
    for (std::size_t i = 0; i < gradient.size(); ++i)
        ASSERT_TRUE(std::isfinite(gradient[i])) << what << "[" << i << "]";
    const double usual = std::max(root_mean_square(gradient), options.floor);
    for (std::size_t i : chosen) {
        const double numeric = central_difference(f, x, i, options.step * std::max(1.0, std::fabs(x[i])));
        const double error = std::fabs(numeric - gradient[i]), scale = std::max(usual, std::fabs(numeric));
        EXPECT_TRUE(error <= options.tolerance * scale) // false for NaN
            << what << "[" << i << "] is " << gradient[i] << ", but by central differences " << numeric
            << "; relative error " << error / scale << ", seed " << options.seed;
    }
}

void expect_central_differences(const std::string &what, const std::vector<float> &x,
                                const std::vector<float> &gradient, const ScalarFunction &f,
                                const DifferenceOptions &options)
{
    expect_central_differences(what, std::vector<double>(x.begin(), x.end()),
                               std::vector<double>(gradient.begin(), gradient.end()), f, options);
}

} // namespace support
