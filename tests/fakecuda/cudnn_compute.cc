// SPDX-License-Identifier: Apache-2.0
// Float32 sums in a fixed order: over filter taps, then channels. The innermost loop is contiguous, so that compilers
// vectorise it: whole networks are computed here.
#include "fakecuda/cudnn_fake.h"
#include "fakecuda/library.h"
#include "fakecuda/number.h"

#include <algorithm>

namespace fakecuda::cudnn
{

namespace
{

Stored stored(std::int64_t type)
{
    return type == CUDNN_DATA_HALF ? Stored::f16 : type == CUDNN_DATA_BFLOAT16 ? Stored::bf16 : Stored::f32;
}

using Floats = std::vector<float>;

// A tensor as packed floats, NHWC.
Floats unpack(const Tensor &t, const char *memory, bool tf32)
{
    Floats out(std::size_t(t.elements()));
    const std::int64_t pixels = t.extent[0] * t.extent[2] * t.extent[3], channels = t.extent[1];
    const bool rounds = library::rounds_tf32();
    for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t c = 0; c < channels; ++c) {
            float value = load(memory, i * t.stride[3] + c, stored(t.type));
            out[std::size_t(i * channels + c)] = tf32 ? to_tf32(value, rounds) : value;
        }
    return out;
}

void pack(const Tensor &t, const Floats &values, char *memory)
{
    const std::int64_t pixels = t.extent[0] * t.extent[2] * t.extent[3], channels = t.extent[1];
    for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t c = 0; c < channels; ++c)
            store(memory, i * t.stride[3] + c, stored(t.type), values[std::size_t(i * channels + c)]);
}

void add_scaled(float *sum, float factor, const float *values, std::int64_t count)
{
    for (std::int64_t i = 0; i < count; ++i) sum[i] += factor * values[i];
}

// Calls f(x pixel, y pixel, tap) for all that meet, tap by tap for each y pixel.
template <typename Function>
void for_all(const Convolution &c, Function f)
{
    const std::int64_t h_count = c.x.extent[2], w_count = c.x.extent[3], p_count = c.y.extent[2],
                       q_count = c.y.extent[3], r_count = c.w.extent[2], s_count = c.w.extent[3];
    for (std::int64_t n = 0; n < c.x.extent[0]; ++n)
        for (std::int64_t p = 0; p < p_count; ++p)
            for (std::int64_t q = 0; q < q_count; ++q)
                for (std::int64_t r = 0; r < r_count; ++r)
                    for (std::int64_t s = 0; s < s_count; ++s) {
                        std::int64_t h = p * c.stride[0] + r - c.before[0], w = q * c.stride[1] + s - c.before[1];
                        if (h >= 0 && h < h_count && w >= 0 && w < w_count)
                            f((n * h_count + h) * w_count + w, (n * p_count + p) * q_count + q, r * s_count + s);
                    }
}

constexpr std::int64_t block = 32; // output channels summed side by side, in registers

// From K,taps,C to blocks of K, taps, C, one block's channels together; zeros after the last.
Floats blocked(const Floats &w, std::int64_t k_count, std::int64_t rest)
{
    Floats out(std::size_t((k_count + block - 1) / block * block * rest));
    for (std::int64_t k = 0; k < k_count; ++k)
        for (std::int64_t i = 0; i < rest; ++i)
            out[std::size_t((k / block * rest + i) * block + k % block)] = w[std::size_t(k * rest + i)];
    return out;
}

// sum[j] += x[i] * w[i][j]
void multiply(const float *x, const float *w, std::int64_t channels, float *sum)
{
    float s[block];
    std::copy(sum, sum + block, s);
    for (std::int64_t i = 0; i < channels; ++i)
        for (std::int64_t j = 0; j < block; ++j) s[j] += x[i] * w[i * block + j];
    std::copy(s, s + block, sum);
}

void forward(const Convolution &c, bool keeps_nan, const Floats &x, const Floats &w, Floats &y, const char *bias)
{
    const std::int64_t channels = c.x.extent[1], k_count = c.y.extent[1], taps = c.w.extent[2] * c.w.extent[3];
    const std::int64_t blocks = (k_count + block - 1) / block, pixels = std::int64_t(y.size()) / k_count;
    const Floats turned = blocked(w, k_count, taps * channels);
    Floats sums(std::size_t(pixels * blocks * block));
    for_all(c, [&](std::int64_t xi, std::int64_t yi, std::int64_t tap) {
        for (std::int64_t b = 0; b < blocks; ++b)
            multiply(&x[std::size_t(xi * channels)], &turned[std::size_t((b * taps + tap) * channels * block)],
                     channels, &sums[std::size_t((yi * blocks + b) * block)]);
    });
    for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t k = 0; k < k_count; ++k) {
            float value = sums[std::size_t(i * blocks * block + k)];
            if (c.has_bias) value += load(bias, k, stored(c.bias.type));
            if (c.relu && (value < 0 || (value != value && !keeps_nan))) value = 0;
            y[std::size_t(i * k_count + k)] = value;
        }
}

void dgrad(const Convolution &c, Floats &x, const Floats &w, const Floats &y)
{
    const std::int64_t channels = c.x.extent[1], k_count = c.y.extent[1], taps = c.w.extent[2] * c.w.extent[3];
    for_all(c, [&](std::int64_t xi, std::int64_t yi, std::int64_t tap) {
        for (std::int64_t k = 0; k < k_count; ++k)
            add_scaled(&x[std::size_t(xi * channels)], y[std::size_t(yi * k_count + k)],
                       &w[std::size_t((k * taps + tap) * channels)], channels);
    });
}

void wgrad(const Convolution &c, const Floats &x, Floats &w, const Floats &y)
{
    const std::int64_t channels = c.x.extent[1], k_count = c.y.extent[1], taps = c.w.extent[2] * c.w.extent[3];
    for_all(c, [&](std::int64_t xi, std::int64_t yi, std::int64_t tap) {
        for (std::int64_t k = 0; k < k_count; ++k)
            add_scaled(&w[std::size_t((k * taps + tap) * channels)], y[std::size_t(yi * k_count + k)],
                       &x[std::size_t(xi * channels)], channels);
    });
}

} // namespace

void compute(const Convolution &c, const Arithmetic &how, const Pointers &pointers)
{
    const bool tf32 = how.tf32;
    const auto zeros = [](const Tensor &t) { return Floats(std::size_t(t.elements())); };
    switch (c.direction) {
    case Direction::forward: {
        Floats y = zeros(c.y);
        forward(c, how.keeps_nan, unpack(c.x, pointers.x, tf32), unpack(c.w, pointers.w, tf32), y, pointers.bias);
        pack(c.y, y, pointers.y);
        break;
    }
    case Direction::dgrad: {
        Floats x = c.adds ? unpack(c.x, pointers.x, false) : zeros(c.x);
        dgrad(c, x, unpack(c.w, pointers.w, tf32), unpack(c.y, pointers.y, tf32));
        pack(c.x, x, pointers.x);
        break;
    }
    case Direction::wgrad: {
        Floats w = zeros(c.w);
        wgrad(c, unpack(c.x, pointers.x, tf32), w, unpack(c.y, pointers.y, tf32));
        for (float &value : w) value += how.error;
        pack(c.w, w, pointers.w);
        break;
    }
    }
}

} // namespace fakecuda::cudnn
