// SPDX-License-Identifier: Apache-2.0
// Small convolutions and products with their data and the right answers.
#pragma once

#include "support/support.h"

extern "C" {
#include "choices/choice_cache.h"
#include "cuda/libraries/cublaslt_matmul.h"
#include "cuda/libraries/cudnn_conv.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"
#include "tributary/kernels.h"
}

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace problems
{

// Memory of the simulated device, aligned to 256 bytes; the bytes after it must not be changed.
class Memory
{
  public:
    explicit Memory(std::size_t bytes, unsigned char fill = 0xff);
    ~Memory();
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    char *data() { return data_; }

  private:
    char *data_;
    std::size_t bytes_;
};

double tolerance(trib_precision precision);
// `count` values in [-1, 1), the same every time.
std::vector<float> values(const std::string &name, std::size_t count);
// Rounds to what the precision stores.
void rounded(trib_precision precision, std::vector<float> &values);

struct Slice {
    int offset, pitch;
};

// NHWC values of `channels` into a slice of memory that is `pitch` wide, and back.
void put(const std::vector<float> &values, int channels, Slice slice, trib_precision precision, char *memory);
std::vector<float> take(const char *memory, std::size_t pixels, int channels, Slice slice, trib_precision precision);

// Weights as the libraries want them: from [k][c][taps] to [k][taps][c].
void pack(trib_precision precision, int k, int c, int taps, const std::vector<float> &values, char *memory);

// One convolution: its description, its data in device memory, and what the written tensor must be.
struct Conv {
    trib_conv_desc desc;
    Slice x_slice, y_slice;
    std::vector<float> expected;
    Memory x, w, y, bias32, bias16;

    Conv(const trib_conv_desc &desc, Slice x_slice, Slice y_slice);
    trib_conv_pointers pointers(trib_dtype bias);
    // Relative error of what was written, after a run.
    double error();
    // That channels outside a slice that is written were left alone.
    bool neighbours_untouched();

  private:
    std::size_t x_pixels() const { return std::size_t(desc.n) * desc.h * desc.w; }
    std::size_t y_pixels() const { return std::size_t(desc.n) * desc.p * desc.q; }
    std::size_t filter_size() const { return std::size_t(desc.k) * desc.r * desc.s * desc.c; }
};

// A 3x3 convolution of two 6x5 images.
trib_conv_desc small_conv(trib_conv_direction direction, trib_precision precision, Slice x, Slice y);

// The library for the card of tests/data/cudnn.
trib_status open_h200(trib_cudnn **out);

} // namespace problems
