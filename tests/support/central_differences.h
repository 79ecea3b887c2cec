// SPDX-License-Identifier: Apache-2.0
// Analytic gradients against central differences, in double.
//
//     std::vector<float> w = ..., dw = ...; // dw: the gradient of loss at w, by the code under test
//     support::expect_central_differences(
//         "dw", w, dw, [&](const std::vector<double> &w) { return loss(w); });
//
// The function is evaluated in double at points that need not be floats: where the code under test computes in float,
// the test writes the same mathematics down in double. Points nearer to a kink (of a ReLU, a max pool) than the step
// have no derivative there; the test keeps away from them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace support
{

// A scalar of all parameters.
using ScalarFunction = std::function<double(const std::vector<double> &)>;

struct DifferenceOptions {
    double tolerance = 1e-6; // of the largest of: the gradient's component, its root mean square, `floor`
    double floor = 1e-12;    // gradients below this are taken for zero
    double step = 1e-3;      // of a parameter's magnitude, or of 1 if that is less
    int coordinates = 40;    // tried, at random without repetition; all if there are fewer
    std::uint64_t seed = 1;
};

// The derivative of `f` by x[i]: differences with the steps h and h / 2, extrapolated, so that the error is O(h^4).
double central_difference(const ScalarFunction &f, std::vector<double> x, std::size_t i, double h);

// EXPECTs `gradient` to be that of `f` at `x`. NaN or infinity anywhere, sizes that differ and no coordinate at all
// are failures. A failure names `what`, the coordinate and both values.
void expect_central_differences(const std::string &what, const std::vector<float> &x,
                                const std::vector<float> &gradient, const ScalarFunction &f,
                                const DifferenceOptions &options = {});
void expect_central_differences(const std::string &what, const std::vector<double> &x,
                                const std::vector<double> &gradient, const ScalarFunction &f,
                                const DifferenceOptions &options = {});

} // namespace support
