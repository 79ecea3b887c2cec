// SPDX-License-Identifier: Apache-2.0
// Random ops for the conformance suite: shapes, slices, data, and what the C reference makes of them.
#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

#include "tributary.h"
#include "tributary/kernels.h"

namespace conformance
{

// Values of a slice, [n][h][w][c], whatever its layout and element type on the device.
using Values = std::vector<float>;

struct OpCase {
    trib_op_desc desc = {};
    std::vector<Values> inputs;
    Values weight, bias;
    int weight_channels = 0;                                      // as in trib_op_parameters
    std::vector<Values> expected;                                 // of each output
    Values initial;                                               // of output 0, if desc.accumulate
    std::array<int, TRIB_MAX_OUTPUTS> updates { -1, -1, -1, -1 }; // the input whose memory an output is, or -1
    bool standard = false; // a dense shape of the kind real networks have: a fast implementation is expected
};

// How many windows fit, with the ceil rule of Caffe and PyTorch; 0 if none does.
int windows(int size, int window, int stride, int before, int after, bool ceil_mode);
// A convolution or pool, or their gradients, as the kernels are given them: dense.
trib_window_geometry window_of(const trib_op_desc &desc);

class Generator
{
  public:
    explicit Generator(unsigned seed) : random_(seed) {}
    // An op of this kind between these layouts; every few are slices of wider tensors where that is possible.
    OpCase make(trib_kind kind, trib_layout source, trib_layout target);
    Values values(std::int64_t count, float scale = 1); // of -scale .. scale
    // A 1x1 convolution of an image pooled 3x3, as the pool branch of a module has it: one op.
    OpCase pooled(trib_kind pool, trib_layout layout);
    // An LRN before or behind a max pool: one op.
    OpCase pool_and_lrn(bool lrn_first, trib_layout layout);
    // Up to four 1x1 convolutions of one image, as the reductions of a module are merged: one op.
    OpCase convolutions(trib_layout layout);
    OpCase top_k();
    OpCase preprocess();
    // An op of training whose x, dx are in `source` and y, dy in `target` (which may differ for convolutions and linear
    // layers), and whose weight is in `weights`.
    OpCase training(trib_kind kind, trib_layout source, trib_layout target, trib_layout weights);
    // Values of its inputs, and what comes of them, for a desc that is complete.
    void training_values(OpCase &op);

  private:
    int pick(std::initializer_list<int> values);
    int upto(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
    bool chance(int percent) { return upto(1, 100) <= percent; }
    // Puts a view of c channels somewhere into a wider tensor, as far as blocks allow.
    trib_view view(trib_layout layout, int n, int c, int h, int w, bool slice);
    void conv(OpCase &op);
    void pool(OpCase &op);
    void shapes(OpCase &op, trib_layout source, trib_layout target);
    // A forward op without values.
    OpCase shaped(trib_kind kind, trib_layout source, trib_layout target);
    trib_view vector(int c);
    Values controls();
    void gradients(OpCase &op, const OpCase &forward, trib_layout weights);
    void pixels(OpCase &op, const OpCase &forward);
    void batch_norm(OpCase &op);
    void loss(OpCase &op);
    void update(OpCase &op);
    void fill(OpCase &op);

    std::mt19937 random_;
};

// What the C reference makes of inputs and parameters of `op`.
std::vector<Values> reference(const OpCase &op);
bool is_training(const trib_op_desc &desc);
std::vector<Values> training_reference(const OpCase &op);
// The same op in another precision: tensors have its element type, values and weights are what that can hold, and so is
// what the reference starts from.
OpCase in_precision(OpCase op, trib_precision precision);
// |seen - expected| <= tolerance * (1 + |expected|): rounding of results, and of sums.
double tolerance_of(trib_precision precision);
std::string describe(const trib_op_desc &desc);

trib_view dense_view(trib_layout layout, int n, int c, int h, int w);
// A square convolution with bias and ReLU of n images of c x h x h.
trib_op_desc conv_desc(trib_layout source, trib_layout target, int n, int c, int h, int k, int r, int stride, int pad);

// The whole tensor around a slice: `values` in the slice, zeros in block padding, `canary` everywhere else.
std::vector<float> pack(const trib_view &view, const Values &values, float canary);
Values unpack(const trib_view &view, const std::vector<float> &whole);

// Bytes of these values as elements of a tensor, and back.
std::vector<unsigned char> stored(const std::vector<float> &values, trib_dtype dtype);
std::vector<float> loaded(const std::vector<unsigned char> &bytes, trib_dtype dtype);
// Marks memory that must not be written; every element type holds it exactly.
constexpr float canary_of(trib_dtype dtype) { return dtype == TRIB_U8 ? 222.0f : -12288.0f; }

} // namespace conformance
