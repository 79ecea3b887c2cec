// SPDX-License-Identifier: Apache-2.0
#include "tributary/dtype.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "support/support.h"

namespace
{

const float infinity = std::numeric_limits<float>::infinity();

// The two 16-bit formats, distinguished only by their exponent bits.
struct Format {
    const char *name;
    int mantissa_bits, exponent_bits;
    float (*decode)(std::uint16_t);
    std::uint16_t (*encode)(float);

    // By the definition of the format.
    double value(unsigned bits) const
    {
        const int bias = (1 << (exponent_bits - 1)) - 1;
        const unsigned mantissa = bits & ((1u << mantissa_bits) - 1);
        const int exponent = int(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
        const double sign = bits & 0x8000u ? -1 : 1;
        if (exponent == (1 << exponent_bits) - 1) return mantissa ? std::nan("") : sign * double(infinity);
        const double fraction = std::ldexp(double(mantissa), -mantissa_bits);
        return sign * (exponent ? std::ldexp(1 + fraction, exponent - bias) : std::ldexp(fraction, 1 - bias));
    }
    unsigned infinity_bits() const { return ((1u << exponent_bits) - 1) << mantissa_bits; }
};

const Format formats[] = { { "f16", 10, 5, trib_f16_to_f32, trib_f32_to_f16 },
                           { "bf16", 7, 8, trib_bf16_to_f32, trib_f32_to_bf16 } };

TEST(Dtype, ThreeAreFloats)
{
    for (trib_dtype dtype : { TRIB_F32, TRIB_F16, TRIB_BF16 }) EXPECT_TRUE(trib_dtype_is_float(dtype));
    for (trib_dtype dtype : { TRIB_I64, TRIB_U8, TRIB_I32, TRIB_F64, TRIB_U64, TRIB_DTYPE_COUNT })
        EXPECT_FALSE(trib_dtype_is_float(dtype));
}

TEST(HalfFormats, All65536ValuesRoundTrip)
{
    for (const Format &f : formats)
        for (unsigned bits = 0; bits < 65536; ++bits) {
            const float got = f.decode(std::uint16_t(bits));
            const double wanted = f.value(bits);
            if (std::isnan(wanted)) {
                ASSERT_TRUE(std::isnan(got)) << f.name << " " << bits;
                ASSERT_TRUE(std::isnan(f.value(f.encode(got)))) << f.name << " " << bits;
                ASSERT_EQ(f.encode(got) & 0x8000u, bits & 0x8000u);
                continue;
            }
            ASSERT_EQ(double(got), wanted) << f.name << " " << bits;
            ASSERT_EQ(std::signbit(got), std::signbit(wanted)) << f.name << " " << bits;
            ASSERT_EQ(f.encode(got), bits) << f.name;
        }
}

TEST(HalfFormats, RoundToNearestTiesToEven)
{
    for (const Format &f : formats)
        for (unsigned bits = 0; bits + 1 < f.infinity_bits(); ++bits)
            for (unsigned sign : { 0u, 0x8000u }) {
                const double low = f.value(bits | sign), high = f.value((bits + 1) | sign);
                const float middle = float((low + high) / 2); // exact: one more bit is enough
                const unsigned even = bits & 1 ? bits + 1 : bits;
                ASSERT_EQ(f.encode(middle), even | sign) << f.name << " " << middle;
                ASSERT_EQ(f.encode(std::nextafter(middle, float(low))), bits | sign) << f.name << " " << middle;
                ASSERT_EQ(f.encode(std::nextafter(middle, float(high))), (bits + 1) | sign) << f.name << " " << middle;
            }
}

TEST(HalfFormats, OverflowIsInfinity)
{
    EXPECT_EQ(trib_f32_to_f16(65504), 0x7BFF);
    EXPECT_EQ(trib_f32_to_f16(std::nextafter(65520.0f, 0.0f)), 0x7BFF);
    EXPECT_EQ(trib_f32_to_f16(65520), 0x7C00);
    EXPECT_EQ(trib_f32_to_f16(-1e30f), 0xFC00);
    EXPECT_EQ(trib_f32_to_bf16(std::numeric_limits<float>::max()), 0x7F80);
    EXPECT_EQ(trib_f32_to_bf16(-std::numeric_limits<float>::max()), 0xFF80);
    for (const Format &f : formats) {
        EXPECT_EQ(f.encode(infinity), f.infinity_bits());
        EXPECT_EQ(f.encode(-infinity), f.infinity_bits() | 0x8000u);
    }
}

TEST(HalfFormats, UnderflowIsSignedZero)
{
    EXPECT_EQ(trib_f32_to_f16(0x1p-25f), 0); // a tie with zero
    EXPECT_EQ(trib_f32_to_f16(std::nextafter(0x1p-25f, 1.0f)), 1);
    EXPECT_EQ(trib_f32_to_f16(-std::numeric_limits<float>::denorm_min()), 0x8000);
    EXPECT_EQ(trib_f32_to_bf16(-std::numeric_limits<float>::denorm_min()), 0x8000);
}

TEST(HalfFormats, NaNWithLowBitsOnlyStaysNaN)
{
    const std::uint32_t bits = 0x7F800001u;
    float nan;
    std::memcpy(&nan, &bits, sizeof nan);
    for (const Format &f : formats) EXPECT_TRUE(std::isnan(f.decode(f.encode(nan)))) << f.name;
}

TEST(Dtype, SizesAndNames)
{
    const char *names[] = { "f32", "f16", "bf16", "i64", "u8", "i32", "f64", "u64" };
    const std::size_t sizes[] = { 4, 2, 2, 8, 1, 4, 8, 8 };
    for (int i = 0; i < TRIB_DTYPE_COUNT; ++i) {
        EXPECT_STREQ(trib_dtype_name(trib_dtype(i)), names[i]);
        EXPECT_EQ(trib_dtype_size(trib_dtype(i)), sizes[i]);
    }
    EXPECT_STREQ(trib_dtype_name(TRIB_DTYPE_COUNT), "unknown");
    EXPECT_EQ(trib_dtype_size(TRIB_DTYPE_COUNT), 0u);
}

template <class T>
std::vector<float> converted(trib_dtype dtype, const std::vector<T> &values)
{
    // One byte off, so that nothing is aligned.
    std::vector<unsigned char> bytes(values.size() * sizeof(T) + 1);
    std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
    std::vector<float> out(values.size(), -1);
    trib_convert_to_f32(bytes.data() + 1, dtype, values.size(), out.data());
    return out;
}

TEST(Dtype, ConvertsEveryTypeUnaligned)
{
    EXPECT_EQ(converted<float>(TRIB_F32, { 1.5f, -infinity }), (std::vector<float> { 1.5f, -infinity }));
    EXPECT_EQ(converted<std::uint16_t>(TRIB_F16, { 0x3C00, 0xC000 }), (std::vector<float> { 1, -2 }));
    EXPECT_EQ(converted<std::uint16_t>(TRIB_BF16, { 0x3F80, 0xC000 }), (std::vector<float> { 1, -2 }));
    EXPECT_EQ(converted<std::uint8_t>(TRIB_U8, { 0, 200, 255 }), (std::vector<float> { 0, 200, 255 }));
    EXPECT_EQ(converted<std::int32_t>(TRIB_I32, { -7, 0, 1000000 }), (std::vector<float> { -7, 0, 1000000 }));
    EXPECT_EQ(converted<std::int64_t>(TRIB_I64, { -3, 16777217, 16777219, INT64_MIN }),
              (std::vector<float> { -3, 16777216, 16777220, -0x1p63f }));
    EXPECT_EQ(converted<std::uint64_t>(TRIB_U64, { 3, 16777219, UINT64_MAX }),
              (std::vector<float> { 3, 16777220, 0x1p64f }));
    EXPECT_EQ(converted<double>(TRIB_F64, { 0.1, -1e300, 0x1.fffffep127, 0x1.ffffffp127 }),
              (std::vector<float> { 0.1f, -infinity, 0x1.fffffep127f, infinity }));
    EXPECT_TRUE(std::isnan(converted<double>(TRIB_F64, { std::nan("") })[0]));
    trib_convert_to_f32(nullptr, TRIB_F32, 0, nullptr);
}

template <class T>
std::int64_t non_finite(trib_dtype dtype, const std::vector<T> &values)
{
    std::vector<unsigned char> bytes(values.size() * sizeof(T) + 1);
    std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
    return trib_find_non_finite(bytes.data() + 1, dtype, values.size());
}

TEST(Dtype, FindsTheFirstNonFinite)
{
    EXPECT_EQ(non_finite<float>(TRIB_F32, { 1, 2, std::nanf(""), infinity }), 2);
    EXPECT_EQ(non_finite<float>(TRIB_F32, { -infinity }), 0);
    for (std::size_t at : { 1023, 1024, 2047, 2500 }) { // blocks of 1024, and what is left
        std::vector<float> many(2501, -1.5f);
        EXPECT_EQ(non_finite(TRIB_F32, many), -1);
        many[at] = infinity;
        EXPECT_EQ(non_finite(TRIB_F32, many), std::int64_t(at));
    }
    EXPECT_EQ(non_finite<float>(TRIB_F32, { 1, std::numeric_limits<float>::max() }), -1);
    EXPECT_EQ(non_finite<std::uint16_t>(TRIB_F16, { 0x7BFF, 0x7C00 }), 1);
    EXPECT_EQ(non_finite<std::uint16_t>(TRIB_F16, { 0x7BFF, 0xFE01 }), 1);
    EXPECT_EQ(non_finite<std::uint16_t>(TRIB_BF16, { 0x7F7F, 0xFF80 }), 1);
    EXPECT_EQ(non_finite<std::int64_t>(TRIB_I64, { INT64_MAX, -1 }), -1);
    EXPECT_EQ(non_finite<std::uint8_t>(TRIB_U8, { 255 }), -1);
    EXPECT_EQ(non_finite<std::int32_t>(TRIB_I32, { INT32_MIN }), -1);
    EXPECT_EQ(non_finite<double>(TRIB_F64, { 1e300, -infinity }), 1);
    EXPECT_EQ(non_finite<std::uint64_t>(TRIB_U64, { UINT64_MAX }), -1);
    EXPECT_EQ(trib_find_non_finite(nullptr, TRIB_F32, 0), -1);
}

// The two neighbours with 10 bits of fraction, and which of them is nearer, in double.
TEST(Tf32, RoundsToNearestTiesAwayFromZero)
{
    for (double exponent : { -126.0, -20.0, 0.0, 100.0 })
        for (double sign : { 1.0, -1.0 })
            for (int i = 0; i < 4096; ++i) {
                const double scale = std::exp2(exponent), fraction = i / 4.0 / 1024; // quarters of the last bit
                const float value = float(sign * scale * (1 + fraction));
                const double wanted = sign * scale * (1 + std::floor(fraction * 1024 + 0.5) / 1024);
                ASSERT_EQ(double(trib_f32_to_tf32(value)), wanted) << value;
            }
    EXPECT_EQ(trib_f32_to_tf32(0.0f), 0.0f);
    EXPECT_EQ(trib_f32_to_tf32(infinity), infinity);
    EXPECT_EQ(trib_f32_to_tf32(std::numeric_limits<float>::max()), infinity);
    EXPECT_TRUE(std::isnan(trib_f32_to_tf32(std::nanf("1"))));
}

} // namespace
