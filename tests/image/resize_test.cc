// SPDX-License-Identifier: Apache-2.0
// Resizing gives PIL's bytes; its fast loops give the portable ones' bytes; windows give the whole's.
#include <cstdlib>

#include "host/image/resample.h"
#include "image/images.h"
#include "image/small_examples.h"
#include "tributary/internal/fault.h"

namespace
{

std::vector<uint8_t> pixels_of(const trib_preprocess &p, const trib_image *image)
{
    Image out;
    EXPECT_OK(trib_preprocess_pixels(&p, image, out.put()));
    return out.bytes();
}

void expect_golden(const std::vector<Golden> &goldens, const std::string &name, const std::vector<uint8_t> &bytes)
{
    for (const Golden &g : goldens) {
        if (g.name != name) continue;
        ASSERT_EQ(bytes.size(), g.bytes.size());
        int64_t difference = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) difference += std::abs(int(bytes[i]) - g.bytes[i]);
        EXPECT_EQ(difference, 0) << name;
        return;
    }
    FAIL() << "no golden " << name;
}

class ResizeGolden : public testing::TestWithParam<const char *>
{
};

TEST_P(ResizeGolden, EqualsPil)
{
    std::string name = std::string("resize-") + GetParam();
    if (!can_decode(name + ".png")) return;
    std::string bytes = image_file(name + ".png");
    Image image, squashed;
    ASSERT_OK(trib_image_decode(bytes.data(), bytes.size(), nullptr, image.put()));
    auto goldens = read_goldens(name + ".safetensors");
    trib_preprocess p = trib_preprocess_torchvision();
    expect_golden(goldens, "bilinear_256_224", pixels_of(p, image.get()));
    p.interpolation = TRIB_BICUBIC;
    expect_golden(goldens, "bicubic_256_224", pixels_of(p, image.get()));
    ASSERT_OK(trib_image_resize(image.get(), 256, 256, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, squashed.put()));
    expect_golden(goldens, "squash_256", squashed.bytes());
}
INSTANTIATE_TEST_SUITE_P(Sizes, ResizeGolden, testing::Values("500x375", "100x61", "1200x90", "257x640", "28x28"),
                         [](const auto &test) { return std::string("s") + test.param; });

// Goldens are named kind_WxH.
void expect_order(const char *goldens, trib_resample_order order)
{
    const std::string bytes = image_file("tall-45x150.png");
    Image colour, out;
    ASSERT_OK(trib_image_decode(bytes.data(), bytes.size(), nullptr, colour.put()));
    int compared = 0;
    for (const Golden &g : read_goldens(goldens)) {
        SCOPED_TRACE(g.name);
        if (g.name.rfind("crop", 0) == 0) continue;
        auto interpolation = g.name.rfind("bicubic", 0) == 0 ? TRIB_BICUBIC : TRIB_BILINEAR;
        ASSERT_OK(trib_image_resize(colour.get(), g.shape[1], g.shape[0], interpolation, order, out.put()));
        EXPECT_TRUE(out.bytes() == g.bytes);
        ++compared;
    }
    EXPECT_EQ(compared, 18);
    trib_preprocess p = trib_preprocess_torchvision();
    p.resize = 32, p.crop_height = p.crop_width = 24, p.resample_order = order;
    expect_golden(read_goldens(goldens), "crop_32_24", pixels_of(p, colour.get()));
}

TEST(Resize, HorizontalFirstIsPillow12)
{
    if (can_decode("tall-45x150.png")) expect_order("orders-12.safetensors", TRIB_HORIZONTAL_FIRST);
}

TEST(Resize, CheaperFirstIsPillow13)
{
    if (can_decode("tall-45x150.png")) expect_order("orders-13.safetensors", TRIB_CHEAPER_FIRST);
}

TEST(Resize, SmallExamplesByPil)
{
    std::vector<uint8_t> pixels;
    for (int i = 0; i < 240; i += 16) pixels.push_back(uint8_t(i));
    Image image(5, 3, 1, pixels), out;
    for (const SmallExample &e : small_examples) {
        ASSERT_OK(trib_image_resize(image.get(), e.width, e.height, e.interpolation, TRIB_HORIZONTAL_FIRST, out.put()));
        EXPECT_EQ(out.bytes(), e.pixels) << e.width << "x" << e.height << " "
                                         << trib_interpolation_name(e.interpolation);
    }
}

TEST(Resize, ConstantStaysConstantAndSameSizeIsACopy)
{
    Noise noise(4);
    for (auto interpolation : { TRIB_BILINEAR, TRIB_BICUBIC, TRIB_NEAREST, TRIB_AREA }) {
        Image flat(31, 17, 3, std::vector<uint8_t>(31 * 17 * 3, 200)), out;
        ASSERT_OK(trib_image_resize(flat.get(), 50, 9, interpolation, TRIB_HORIZONTAL_FIRST, out.put()));
        EXPECT_EQ(out.bytes(), std::vector<uint8_t>(50 * 9 * 3, 200));
        Image any(31, 17, 3, noise.bytes(31 * 17 * 3));
        ASSERT_OK(trib_image_resize(any.get(), 31, 17, interpolation, TRIB_HORIZONTAL_FIRST, out.put()));
        EXPECT_EQ(out.bytes(), any.bytes());
    }
}

TEST(Resize, GrayEqualsItsColourTwin)
{
    Noise noise(5);
    for (int round = 0; round < 60; ++round) {
        int w = 1 + noise.below(40), h = 1 + noise.below(40);
        auto interpolation = trib_interpolation(noise.below(4));
        auto order = trib_resample_order(round % 2);
        Image gray(w, h, 1, noise.bytes(std::size_t(w) * h)), colour(w, h, 3, gray.rgb()), a, b;
        int width = 1 + noise.below(60), height = 1 + noise.below(60);
        ASSERT_OK(trib_image_resize(gray.get(), width, height, interpolation, order, a.put()));
        ASSERT_OK(trib_image_resize(colour.get(), width, height, interpolation, order, b.put()));
        EXPECT_EQ(a.rgb(), b.bytes());
    }
}

TEST(Resize, WindowsEqualThePartOfTheWhole)
{
    Noise noise(6);
    for (int round = 0; round < 200; ++round) {
        int w = 1 + noise.below(60), h = 1 + noise.below(60), channels = noise.below(2) ? 3 : 1;
        trib_axis x = { w, noise.below(4) ? 1 + noise.below(90) : w, 0, 0 };
        trib_axis y = { h, noise.below(4) ? 1 + noise.below(90) : h, 0, 0 };
        for (trib_axis *axis : { &x, &y }) {
            axis->first = noise.below(axis->out);
            axis->count = 1 + noise.below(axis->out - axis->first);
        }
        auto interpolation = trib_interpolation(noise.below(4));
        auto order = trib_resample_order(noise.below(2));
        Image in(w, h, channels, noise.bytes(std::size_t(w) * h * channels)), whole, window;
        ASSERT_OK(trib_image_resize(in.get(), x.out, y.out, interpolation, order, whole.put()));
        ASSERT_OK(trib_resample(in.get(), x, y, interpolation, order, window.put()));
        std::vector<uint8_t> part;
        for (int row = y.first; row < y.first + y.count; ++row) {
            const uint8_t *from = whole->pixels + (std::size_t(row) * x.out + x.first) * channels;
            part.insert(part.end(), from, from + std::size_t(x.count) * channels);
        }
        ASSERT_EQ(window.bytes(), part) << w << "x" << h << " to " << x.out << "x" << y.out;
    }
}

TEST(Resize, ABoxIsAnImageOfItsOwn)
{
    Noise noise(8);
    for (int round = 0; round < 200; ++round) {
        int w = 1 + noise.below(60), h = 1 + noise.below(60), channels = noise.below(2) ? 3 : 1;
        trib_image_part box = { noise.below(w), noise.below(h), 0, 0 };
        box.width = 1 + noise.below(w - box.left);
        box.height = 1 + noise.below(h - box.top);
        int width = noise.below(4) ? 1 + noise.below(70) : box.width,
            height = noise.below(4) ? 1 + noise.below(70) : box.height;
        auto interpolation = trib_interpolation(round % 4);
        auto order = trib_resample_order(noise.below(2));
        Image in(w, h, channels, noise.bytes(std::size_t(w) * h * channels)), wanted, got;
        std::vector<uint8_t> part;
        for (int row = box.top; row < box.top + box.height; ++row) {
            const uint8_t *from = in->pixels + (std::size_t(row) * w + box.left) * channels;
            part.insert(part.end(), from, from + std::size_t(box.width) * channels);
        }
        Image alone(box.width, box.height, channels, part);
        ASSERT_OK(trib_image_resize(alone.get(), width, height, interpolation, order, wanted.put()));
        ASSERT_OK(trib_resample_box(in.get(), box, { box.width, width, 0, width }, { box.height, height, 0, height },
                                    interpolation, order, got.put()));
        ASSERT_EQ(got.bytes(), wanted.bytes()) << round;
    }
}

// On a machine without a faster variant both are the same, and this test is trivial.
TEST(Resize, FastLoopsEqualPortable)
{
    Noise noise(7);
    const trib_interpolation filters[] = { TRIB_BICUBIC, TRIB_BILINEAR, TRIB_AREA };
    trib_resample_kernels plain = trib_resample_portable(), fast = trib_resample_best();
    for (int round = 0; round < 300; ++round) {
        int w = 1 + noise.below(70), rows = 1 + noise.below(6), channels = noise.below(3) ? 3 : 1;
        trib_axis axis = { w, 1 + noise.below(100), 0, 0 };
        axis.first = noise.below(axis.out);
        axis.count = axis.out - axis.first;
        trib_weights weights = {};
        ASSERT_OK(trib_weights_make(axis, filters[round % 3], &weights));
        // Extremes make sums leave 0..255 on both sides.
        auto in = noise.bytes(std::size_t(w) * rows * channels);
        if (round % 2)
            for (auto &b : in) b = b & 1 ? 255 : 0;
        std::size_t out_bytes = std::size_t(axis.count) * channels;
        std::vector<uint8_t> a(out_bytes * rows, 1), b(out_bytes * rows, 2);
        auto run = [&](const trib_resample_kernels &k, uint8_t *out) {
            k.horizontal(in.data(), std::size_t(w) * channels, in.data() + in.size(), rows, channels, &weights, out,
                         out_bytes);
        };
        run(plain, a.data());
        run(fast, b.data());
        ASSERT_EQ(a, b) << w << " to " << axis.out;
        std::vector<const uint8_t *> pointers;
        for (int r = 0; r < rows; ++r) pointers.push_back(in.data() + std::size_t(r) * w * channels);
        std::vector<int32_t> weight;
        for (int r = 0; r < rows; ++r) weight.push_back((noise.below(1 << 23) - (1 << 21)) / rows);
        std::size_t bytes = std::size_t(w) * channels;
        a.assign(bytes, 1), b.assign(bytes, 2);
        plain.vertical(pointers.data(), weight.data(), rows, bytes, a.data());
        fast.vertical(pointers.data(), weight.data(), rows, bytes, b.data());
        ASSERT_EQ(a, b);
        trib_weights_release(&weights);
    }
}

TEST(Resize, WeightsSumToOne)
{
    for (int out : { 1, 2, 3, 7, 100, 1000 })
        for (auto interpolation : { TRIB_BILINEAR, TRIB_BICUBIC, TRIB_AREA }) {
            trib_weights w = {};
            ASSERT_OK(trib_weights_make({ 100, out, 0, out }, interpolation, &w));
            for (int i = 0; i < out; ++i) {
                int64_t sum = 0;
                for (int t = 0; t < w.taps; ++t) sum += w.weight[std::size_t(i) * w.taps + t];
                EXPECT_NEAR(double(sum), 1 << TRIB_WEIGHT_BITS, w.length[i] * 0.5);
                EXPECT_GE(w.begin[i], 0);
                EXPECT_LE(w.begin[i] + w.length[i], 100);
                EXPECT_LE(w.length[i], w.taps);
            }
            trib_weights_release(&w);
        }
}

TEST(Resize, ArgumentsAreChecked)
{
    Image image(2, 2, 1, { 1, 2, 3, 4 }), out;
    EXPECT_FAILS(trib_image_resize(nullptr, 1, 1, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, out.put()),
                 TRIB_INVALID_ARGUMENT, "empty");
    EXPECT_FAILS(trib_image_resize(image.get(), 0, 1, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, out.put()),
                 TRIB_INVALID_ARGUMENT, "0 x 1");
    EXPECT_FAILS(trib_image_resize(image.get(), 1, -1, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, out.put()),
                 TRIB_INVALID_ARGUMENT, "1 x -1");
    EXPECT_FAILS(trib_image_resize(image.get(), 1 << 20, 1 << 20, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, out.put()),
                 TRIB_INVALID_ARGUMENT, "possible");
    EXPECT_FAILS(trib_image_resize(image.get(), 1, 1, trib_interpolation(9), TRIB_HORIZONTAL_FIRST, out.put()),
                 TRIB_INVALID_ARGUMENT, "9");
    EXPECT_FAILS(trib_image_resize(image.get(), 1, 1, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, nullptr),
                 TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_image_resize(image.get(), 1, 1, TRIB_BILINEAR, trib_resample_order(2), out.put()),
                 TRIB_INVALID_ARGUMENT, "order 2");
    trib_image two = { 2, 1, 2, image->pixels, nullptr };
    EXPECT_FAILS(trib_image_resize(&two, 1, 1, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, out.put()), TRIB_INVALID_ARGUMENT,
                 "2 channels");
    Image strip(1, 1 << 20, 1, std::vector<uint8_t>(1 << 20, 7));
    EXPECT_FAILS(trib_image_resize(strip.get(), 1, 1, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, out.put()), TRIB_BAD_DATA,
                 "reduced");
    EXPECT_OK(trib_image_resize(strip.get(), 1, 1, TRIB_NEAREST, TRIB_HORIZONTAL_FIRST, out.put()));
    EXPECT_EQ(out.bytes(), std::vector<uint8_t>({ 7 }));
}

TEST(Resize, EveryAllocationMayFail)
{
    Noise noise(8);
    Image image(20, 40, 3, noise.bytes(2400)), out;
    for (int round = 0; round < 4; ++round) {
        auto interpolation = round % 2 ? TRIB_NEAREST : TRIB_BILINEAR;
        auto order = trib_resample_order(round / 2);
        trib_fault_arm(0, false);
        EXPECT_OK(trib_image_resize(image.get(), 9, 9, interpolation, order, out.put()));
        int64_t allocations = trib_fault_disarm();
        EXPECT_GE(allocations, 3);
        for (int64_t k = 1; k <= allocations; ++k) {
            trib_fault_arm(k, false);
            trib_status s = trib_image_resize(image.get(), 9, 9, interpolation, order, out.put());
            trib_fault_disarm();
            EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << s.message;
        }
    }
}

} // namespace
