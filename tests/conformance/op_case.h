// SPDX-License-Identifier: Apache-2.0
// Random ops for the conformance suite: shapes, slices, data, and what the C reference makes of them.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tributary.h"
#include "tributary/kernels.h"

namespace conformance
{

// Values of a slice, [n][h][w][c], whatever its layout on the device.
using Values = std::vector<float>;

struct OpCase {
    trib_op_desc desc = {};
    std::vector<Values> inputs;
    Values weight, bias;
    int weight_channels = 0; // as in trib_op_parameters
    Values expected;
    bool standard = false; // a dense shape of the kind real networks have: a fast implementation is expected
};

class Generator
{
  public:
    explicit Generator(unsigned seed) : random_(seed) {}
    // An op of this kind between these layouts; every few are slices of wider tensors where that is possible.
    OpCase make(trib_kind kind, trib_layout source, trib_layout target);
    Values values(std::int64_t count, float scale = 1); // of -scale .. scale
    // A 1x1 convolution of an image pooled 3x3, as the pool branch of a module has it: one op.
    OpCase pooled(trib_kind pool, trib_layout layout);

  private:
    int pick(std::initializer_list<int> values);
    int upto(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
    bool chance(int percent) { return upto(1, 100) <= percent; }
    // Puts a view of c channels somewhere into a wider tensor, as far as blocks allow.
    trib_view view(trib_layout layout, int n, int c, int h, int w, bool slice);
    void conv(OpCase &op);
    void pool(OpCase &op);
    void shapes(OpCase &op, trib_layout source, trib_layout target);
    void fill(OpCase &op);

    std::mt19937 random_;
};

// Result of the C reference for inputs and parameters of `op`.
Values reference(const OpCase &op);
std::string describe(const trib_op_desc &desc);

// The whole tensor around a slice: `values` in the slice, zeros in block padding, `canary` everywhere else.
std::vector<float> pack(const trib_view &view, const Values &values, float canary);
Values unpack(const trib_view &view, const std::vector<float> &whole);

} // namespace conformance
