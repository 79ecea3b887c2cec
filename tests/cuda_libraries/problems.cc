// SPDX-License-Identifier: Apache-2.0
#include "cuda_libraries/problems.h"

#include <cstdlib>
#include <cstring>

namespace problems
{

namespace
{

constexpr std::size_t guard = 64;

trib_dtype stored(trib_precision precision) { return trib_precision_dtype(precision); }

void store(char *memory, std::size_t i, trib_dtype dtype, float value)
{
    if (dtype == TRIB_F32)
        reinterpret_cast<float *>(memory)[i] = value;
    else
        reinterpret_cast<std::uint16_t *>(memory)[i] =
            dtype == TRIB_F16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
}

// Gradients in double: for each x, filter tap and y that meet.
template <typename Function>
void for_all(const trib_conv_desc &d, Function f)
{
    for (int n = 0; n < d.n; ++n)
        for (int p = 0; p < d.p; ++p)
            for (int q = 0; q < d.q; ++q)
                for (int r = 0; r < d.r; ++r)
                    for (int s = 0; s < d.s; ++s) {
                        int h = p * d.stride_h + r - d.pad_top, w = q * d.stride_w + s - d.pad_left;
                        if (h < 0 || h >= d.h || w < 0 || w >= d.w) continue;
                        std::size_t x = (std::size_t(n) * d.h + h) * d.w + w, y = (std::size_t(n) * d.p + p) * d.q + q;
                        for (int k = 0; k < d.k; ++k)
                            for (int c = 0; c < d.c; ++c)
                                f(x * d.c + c, y * d.k + k, ((std::size_t(k) * d.c + c) * d.r + r) * d.s + s);
                    }
}

} // namespace

void pack(trib_precision precision, int k, int c, int taps, const std::vector<float> &values, char *memory)
{
    const trib_pack_geometry g = { k, c, taps, c, precision == TRIB_PRECISION_TF32 };
    std::vector<float> packed(values.size());
    trib_ref_pack_weights(&g, values.data(), packed.data());
    for (std::size_t i = 0; i < packed.size(); ++i) store(memory, i, stored(precision), packed[i]);
}

Memory::Memory(std::size_t bytes, unsigned char fill) : bytes_(bytes)
{
    data_ = static_cast<char *>(std::aligned_alloc(256, (bytes + guard + 255) / 256 * 256));
    std::memset(data_, fill, bytes);
    std::memset(data_ + bytes, 0x77, guard);
}

Memory::~Memory()
{
    for (std::size_t i = 0; i < guard; ++i)
        if (data_[bytes_ + i] != 0x77) {
            ADD_FAILURE() << "written past the end of " << bytes_ << " bytes";
            break;
        }
    std::free(data_);
}

double tolerance(trib_precision precision)
{
    const double tolerances[] = { 1e-6, 1e-3, 1e-3, 6e-3 };
    return tolerances[precision];
}

std::vector<float> values(const std::string &name, std::size_t count)
{
    std::vector<float> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = float(2 * trib_uniform(name.c_str(), 1, i) - 1);
    return out;
}

void rounded(trib_precision precision, std::vector<float> &values)
{
    for (float &value : values) {
        if (stored(precision) == TRIB_F16) value = trib_f16_to_f32(trib_f32_to_f16(value));
        if (stored(precision) == TRIB_BF16) value = trib_bf16_to_f32(trib_f32_to_bf16(value));
    }
}

void put(const std::vector<float> &values, int channels, Slice slice, trib_precision precision, char *memory)
{
    for (std::size_t i = 0; i < values.size(); ++i)
        store(memory, i / channels * slice.pitch + slice.offset + i % channels, stored(precision), values[i]);
}

std::vector<float> take(const char *memory, std::size_t pixels, int channels, Slice slice, trib_precision precision)
{
    std::vector<float> out(pixels * channels);
    const std::size_t size = trib_dtype_size(stored(precision));
    for (std::size_t i = 0; i < pixels; ++i)
        trib_convert_to_f32(memory + (i * slice.pitch + slice.offset) * size, stored(precision), channels,
                            &out[i * channels]);
    return out;
}

trib_conv_desc small_conv(trib_conv_direction direction, trib_precision precision, Slice x, Slice y)
{
    trib_conv_desc d = {};
    d.direction = direction;
    d.precision = precision;
    d.n = 2, d.c = 8, d.h = 6, d.w = 5;
    d.k = 16, d.p = 6, d.q = 5;
    d.r = d.s = 3;
    d.stride_h = d.stride_w = 1;
    d.pad_top = d.pad_left = 1;
    d.x_pitch = x.pitch, d.y_pitch = y.pitch;
    d.has_bias = d.relu = direction == TRIB_CONV_FORWARD;
    return d;
}

Conv::Conv(const trib_conv_desc &d, Slice xs, Slice ys)
    : desc(d), x_slice(xs), y_slice(ys), x(x_pixels() * xs.pitch * 4), w(filter_size() * 4),
      y(y_pixels() * ys.pitch * 4), bias32(std::size_t(d.k) * 4), bias16(std::size_t(d.k) * 4)
{
    std::vector<float> xv = values("x", x_pixels() * d.c), wv = values("w", filter_size()),
                       yv = values("y", y_pixels() * d.k), bv = values("bias", d.k);
    for (auto *v : { &xv, &wv, &yv, &bv }) rounded(d.precision, *v);
    if (d.direction != TRIB_CONV_DGRAD || d.add) put(xv, d.c, xs, d.precision, x.data());
    if (d.direction != TRIB_CONV_FORWARD) put(yv, d.k, ys, d.precision, y.data());
    if (d.direction != TRIB_CONV_WGRAD) pack(d.precision, d.k, d.c, d.r * d.s, wv, w.data());
    put(bv, d.k, { 0, d.k }, TRIB_PRECISION_FP32, bias32.data());
    put(bv, d.k, { 0, d.k }, d.precision, bias16.data());
    if (d.direction == TRIB_CONV_FORWARD) {
        trib_window_geometry g = {};
        g.n = d.n, g.c = d.c, g.h = d.h, g.w = d.w, g.k = d.k, g.p = d.p, g.q = d.q, g.r = d.r, g.s = d.s;
        g.stride_h = d.stride_h, g.stride_w = d.stride_w, g.pad_top = d.pad_top, g.pad_left = d.pad_left;
        g.x_pitch = d.c, g.y_pitch = d.k, g.relu = d.relu;
        expected.resize(yv.size());
        trib_ref_conv2d(&g, xv.data(), wv.data(), d.has_bias ? bv.data() : nullptr, expected.data());
        return;
    }
    const bool dgrad = d.direction == TRIB_CONV_DGRAD;
    std::vector<double> sum(dgrad ? xv.size() : wv.size());
    if (d.add) sum.assign(xv.begin(), xv.end());
    for_all(d, [&](std::size_t xi, std::size_t yi, std::size_t wi) {
        if (dgrad)
            sum[xi] += double(wv[wi]) * yv[yi];
        else
            sum[wi] += double(xv[xi]) * yv[yi];
    });
    expected.assign(sum.begin(), sum.end());
}

trib_conv_pointers Conv::pointers(trib_dtype bias)
{
    const std::size_t size = trib_dtype_size(stored(desc.precision));
    return { x.data() + x_slice.offset * size, w.data(), bias == TRIB_F32 ? bias32.data() : bias16.data(),
             y.data() + y_slice.offset * size };
}

double Conv::error()
{
    std::vector<float> got;
    if (desc.direction == TRIB_CONV_FORWARD) got = take(y.data(), y_pixels(), desc.k, y_slice, desc.precision);
    if (desc.direction == TRIB_CONV_DGRAD) got = take(x.data(), x_pixels(), desc.c, x_slice, desc.precision);
    if (desc.direction == TRIB_CONV_WGRAD) {
        // K,R,S,C: turned so that it is compared with K,C,R,S.
        const int taps = desc.r * desc.s;
        const trib_precision held = desc.wide_w ? TRIB_PRECISION_FP32 : desc.precision;
        std::vector<float> packed = take(w.data(), filter_size() / desc.c, desc.c, { 0, desc.c }, held);
        got.resize(packed.size());
        for (int k = 0; k < desc.k; ++k)
            for (int tap = 0; tap < taps; ++tap)
                for (int c = 0; c < desc.c; ++c)
                    got[(std::size_t(k) * desc.c + c) * taps + tap] =
                        packed[(std::size_t(k) * taps + tap) * desc.c + c];
    }
    return support::relative_error(got, expected);
}

bool Conv::neighbours_untouched()
{
    const bool forward = desc.direction == TRIB_CONV_FORWARD;
    if (desc.direction == TRIB_CONV_WGRAD) return true;
    const Slice slice = forward ? y_slice : x_slice;
    const std::size_t size = trib_dtype_size(stored(desc.precision)), pixels = forward ? y_pixels() : x_pixels();
    const int channels = forward ? desc.k : desc.c;
    const char *memory = forward ? y.data() : x.data();
    for (std::size_t i = 0; i < pixels * slice.pitch * size; ++i) {
        int channel = int(i / size % slice.pitch);
        bool inside = channel >= slice.offset && channel < slice.offset + channels;
        if (!inside && static_cast<unsigned char>(memory[i]) != 0xff) return false;
    }
    return true;
}

trib_status open_h200(trib_cudnn **out)
{
    return trib_cudnn_open_described(support::read_file(support::data_file("cudnn/h200.json")).c_str(), out);
}

} // namespace problems
