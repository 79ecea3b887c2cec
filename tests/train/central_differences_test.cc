// SPDX-License-Identifier: Apache-2.0
// That a wrong gradient is found, and a right one passes.
#include "support/central_differences.h"

#include <gtest/gtest-spi.h>

#include <cmath>
#include <limits>

#include "support/support.h"

namespace
{

// Of magnitudes from 1e-3 to 1e3, and curved.
double function(const std::vector<double> &x)
{
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += std::sin(x[i] * double(i + 1)) + x[i] * x[(i + 1) % x.size()];
    return sum;
}

std::vector<double> derivative(const std::vector<double> &x)
{
    std::vector<double> d(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
        d[i] =
            std::cos(x[i] * double(i + 1)) * double(i + 1) + x[(i + 1) % x.size()] + x[(i + x.size() - 1) % x.size()];
    return d;
}

std::vector<double> point(std::size_t count = 7)
{
    std::vector<double> x;
    for (std::size_t i = 0; i < count; ++i) x.push_back(std::sin(double(3 * i + 1)) * (i % 3 ? 1 : 5));
    return x;
}

// expect_central_differences on this gradient, for EXPECT_NONFATAL_FAILURE, which takes no local variables.
void check(const std::vector<double> &gradient)
{
    support::expect_central_differences("g", point(), gradient, function);
}

template <typename Value>
std::vector<double> spoiled(std::size_t i, Value value)
{
    std::vector<double> gradient = derivative(point());
    gradient[i] = value(gradient[i]);
    return gradient;
}

TEST(CentralDifferences, TheRightGradientPasses)
{
    check(derivative(point()));
    const std::vector<float> x = { 0.5f, -1.25f, 3 };
    std::vector<float> gradient;
    for (double d : derivative(std::vector<double>(x.begin(), x.end()))) gradient.push_back(float(d));
    support::expect_central_differences("floats", x, gradient, function);
    support::expect_central_differences("zero", std::vector<double> { 1, 2 }, std::vector<double> { 0, 0 },
                                        [](const std::vector<double> &) { return 42.0; });
}

TEST(CentralDifferences, AreExactToManyDigits)
{
    const std::vector<double> x = point(), d = derivative(x);
    for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_NEAR(support::central_difference(function, x, i, 1e-3), d[i], 1e-8 * (1 + std::fabs(d[i]))) << i;
}

TEST(CentralDifferences, EveryWrongComponentIsFound)
{
    for (int i = 0; i < 7; ++i) {
        static std::size_t at;
        at = std::size_t(i);
        EXPECT_NONFATAL_FAILURE(check(spoiled(at, [](double d) { return d + 1e-4; })), "by central differences");
        EXPECT_NONFATAL_FAILURE(check(spoiled(at, [](double d) { return -d; })), "g[" + std::to_string(at) + "] is ");
    }
}

TEST(CentralDifferences, NaNFails)
{
    EXPECT_FATAL_FAILURE(check(spoiled(3, [](double) { return std::nan(""); })), "g[3]");
    EXPECT_FATAL_FAILURE(check(spoiled(0, [](double) { return std::numeric_limits<double>::infinity(); })), "g[0]");
    EXPECT_NONFATAL_FAILURE(
        support::expect_central_differences("g", std::vector<double> { 1 }, std::vector<double> { 0 },
                                            [](const std::vector<double> &) { return std::nan(""); }),
        "by central differences nan");
}

TEST(CentralDifferences, SomethingMustBeCompared)
{
    EXPECT_FATAL_FAILURE(check({ 1, 2 }), "gradient.size()");
    EXPECT_FATAL_FAILURE(
        support::expect_central_differences("g", std::vector<double>(), std::vector<double>(), function), "nothing");
}

TEST(CentralDifferences, ManyCoordinatesAreSampled)
{
    static int calls;
    calls = 0;
    support::DifferenceOptions options;
    options.coordinates = 5;
    support::expect_central_differences(
        "sum", std::vector<double>(1000, 0.5), std::vector<double>(1000, 1.0),
        [](const std::vector<double> &x) {
            ++calls;
            double sum = 0;
            for (double v : x) sum += v;
            return sum;
        },
        options);
    EXPECT_EQ(calls, 5 * 4);
}

} // namespace
