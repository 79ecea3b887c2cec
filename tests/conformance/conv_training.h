// SPDX-License-Identifier: Apache-2.0
// A convolution, or a linear layer, in one of its three directions: data, what loops in double make of it, and a run on
// a device.
#pragma once

#include <string>
#include <vector>

#include "conformance/conformance.h"
#include "conformance/op_case.h"

namespace conformance
{

struct ConvProblem {
    struct Tensor {
        trib_layout layout;
        int n, c, h, w;             // of y, only the channels
        int before = 0, behind = 0; // channels of the tensor around the slice
    };
    struct Result {
        trib_layout layout;
        int c;
        int before = 0, behind = 0;
    };
    Tensor x;
    Result y;
    int taps, stride, pad; // square
    bool bias = true, relu = true;
    bool usual = true; // a fast implementation is expected

    int outputs(int size) const { return (size + 2 * pad - taps) / stride + 1; }
};

// The convolutions of both variants for images of this size, torchvision's 3x3 in place of the 5x5 among them.
std::vector<ConvProblem> googlenet_convolutions(int size);

class ConvRun
{
  public:
    // `filled`: with values, which running needs.
    ConvRun(const ConvProblem &problem, trib_kind kind, int chunk, bool accumulate, bool filled = true);
    std::vector<std::string> implementations(trib_device *device) const;
    // How each implementation describes itself.
    std::vector<std::string> details(trib_device *device) const;
    // `whole`: the result, with what surrounds it. Reports the first failure.
    trib_status try_once(trib_device *device, const std::string &name, int threads, std::vector<float> &whole) const;
    testing::AssertionResult is_right(const std::vector<float> &whole) const;
    std::string describe() const;
    const trib_op_desc &desc() const { return desc_; }

  private:
    void compute(const ConvProblem &problem, bool forward, bool data, Values &y, Values &dx, Values &dw) const;
    trib_status run(trib_device *device, trib_stream *stream, trib_op_handle *op, std::int64_t workspace_bytes,
                    std::vector<float> &whole) const;

    trib_op_desc desc_ = {};
    Values x_, y_, weight_, bias_; // of x and y: the gradients in backward directions
    std::vector<Values> inputs_;
    Values before_, expected_; // of the result
};

} // namespace conformance
