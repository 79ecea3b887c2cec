// SPDX-License-Identifier: Apache-2.0
#include "image/images.h"

#include <cstring>

#include "tributary/internal/alloc.h"
#include "tributary/safetensors.h"

Image::Image(int width, int height, int channels, const std::vector<uint8_t> &pixels)
{
    image_ = { width, height, channels, static_cast<uint8_t *>(trib_alloc(pixels.size())), nullptr };
    if (pixels.size() != std::size_t(width) * height * channels || !image_.pixels) abort();
    memcpy(image_.pixels, pixels.data(), pixels.size());
}

std::vector<uint8_t> Image::bytes() const
{
    return { image_.pixels, image_.pixels + std::size_t(image_.width) * image_.height * image_.channels };
}

std::vector<uint8_t> Image::rgb() const
{
    std::vector<uint8_t> out;
    for (uint8_t value : bytes()) out.insert(out.end(), image_.channels == 1 ? 3 : 1, value);
    return out;
}

std::vector<uint8_t> Noise::bytes(std::size_t count)
{
    std::vector<uint8_t> out(count);
    for (auto &b : out) b = uint8_t(next() >> 11);
    return out;
}

std::string image_file(const std::string &name) { return support::read_file(support::data_file("images/" + name)); }

std::vector<Golden> read_goldens(const std::string &name)
{
    std::vector<Golden> out;
    trib_safetensors *file = nullptr;
    EXPECT_OK(trib_safetensors_open(support::data_file("images/" + name).c_str(), &file));
    for (int i = 0; file && i < trib_safetensors_count(file); ++i) {
        const trib_tensor &t = trib_safetensors_tensors(file)[i];
        auto *data = static_cast<const uint8_t *>(t.data);
        int64_t count = 0;
        EXPECT_OK(trib_shape_count(&t.shape, &count));
        EXPECT_EQ(t.dtype, TRIB_U8);
        out.push_back({ t.name, { t.shape.dim, t.shape.dim + t.shape.rank }, { data, data + count } });
    }
    trib_safetensors_close(file);
    EXPECT_FALSE(out.empty()) << name;
    return out;
}

bool can_decode(const std::string &name)
{
    Image ignored;
    std::string bytes = image_file(name);
    trib_status s = trib_image_decode(bytes.data(), bytes.size(), nullptr, ignored.put());
    return s.code != TRIB_UNSUPPORTED || !strstr(s.message, "this build cannot read");
}
