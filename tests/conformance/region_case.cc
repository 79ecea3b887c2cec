// SPDX-License-Identifier: Apache-2.0
#include "conformance/region_case.h"

#include <cstring>
#include <random>

namespace conformance
{

RegionCases::RegionCases(trib_device *device)
{
    const int sizes[][2] = { { 20, 13 }, { 1, 1 }, { 37, 1 }, { 2, 50 }, { 61, 47 } };
    std::mt19937 random(11);
    for (const auto &size : sizes) {
        pictures_.push_back({ size[0], size[1], bytes_.size() });
        for (int i = 0; i < 3 * size[0] * size[1]; ++i) bytes_.push_back(std::uint8_t(random()));
    }
    trib_stream *made = nullptr;
    EXPECT_OK(trib_stream_create(device, nullptr, &made));
    stream_.reset(made);
    memory_ = Memory(device, made, bytes_.size());
    EXPECT_OK(trib_copy_to_device(made, memory_.get(), bytes_.data(), bytes_.size()));
    EXPECT_OK(trib_stream_synchronize(made));
}

namespace
{

trib_op_desc desc_of(int n, int h, int w, trib_layout layout, trib_dtype dtype, int channels)
{
    trib_op_desc d = {};
    d.kind = TRIB_REGIONS;
    d.attributes.regions.normalise = { w % 2 == 1, { 1 / 64.0f, 1 / 70.0f, 1 / 80.0f }, { -2, -1.5f, -1 } };
    d.attributes.regions.h = h;
    d.attributes.regions.w = w;
    d.input_count = d.output_count = 1;
    d.inputs[0] = dense_view(TRIB_NHWC, n, TRIB_REGION_ROW_BYTES, 1, 1);
    d.inputs[0].dtype = TRIB_U8;
    d.outputs[0] = dense_view(layout, n, channels, h, w);
    d.outputs[0].dtype = dtype;
    return d;
}

} // namespace

OpCase RegionCases::with(trib_op_desc desc, std::vector<trib_region_row> rows) const
{
    const trib_normalise &a = desc.attributes.regions.normalise;
    const trib_view &y = desc.outputs[0];
    const int area = y.h * y.w;
    trib_regions_geometry g = { y.n, y.h, y.w, y.c, y.c * area, y.c, 1, a.bgr, {}, {} };
    std::memcpy(g.scale, a.scale, sizeof g.scale);
    std::memcpy(g.shift, a.shift, sizeof g.shift);
    OpCase op;
    op.desc = desc;
    op.expected.resize(1);
    op.expected[0].resize(std::size_t(g.image * g.n));
    trib_ref_regions(&g, rows.data(), bytes_.data(), op.expected[0].data());
    for (trib_region_row &row : rows)
        if (row.picture_width) row.pixels += reinterpret_cast<std::uintptr_t>(memory_.get());
    const auto *first = reinterpret_cast<const std::uint8_t *>(rows.data());
    op.inputs.emplace_back(first, first + rows.size() * sizeof rows[0]);
    return op;
}

OpCase RegionCases::make(unsigned seed, trib_layout layout, trib_dtype dtype, int channels) const
{
    std::mt19937 random(seed);
    const auto upto = [&](int most) { return int(random() % unsigned(most + 1)); };
    const auto part = [&] { return float(upto(1000)) / 1000; };
    const int n = 1 + upto(5), h = 1 + upto(20), w = 1 + upto(70);
    std::vector<trib_region_row> rows;
    for (int i = 0; i < n; ++i) {
        const Picture &p = pictures_[random() % pictures_.size()];
        const float width = float(p.width), height = float(p.height);
        trib_region_row r = { p.first, p.width, p.height, 0, 0, width, height, upto(1), 0 };
        switch (upto(7)) {
        case 0:
            r.x = float(upto(p.width)), r.y = float(-upto(p.height)), r.width = float(w), r.height = float(h);
            break;
        case 1: r.x = -width * part(), r.y = height * part(); break;
        case 2: r.x = width + 1, r.y = -3 * height; break;
        case 3: r.x = width * part(), r.width = 1e-3f; break;
        case 4: r.x = -1e6f, r.y = -1e5f, r.width = 2.5e6f, r.height = 16777216; break;
        case 5:
            r.x = width * part(), r.y = height * part(), r.width = part() + 0.1f, r.height = 3 * part() + 0.1f;
            break;
        case 6: r = {}; break;
        default: break; // the whole
        }
        rows.push_back(r);
    }
    return with(desc_of(n, h, w, layout, dtype, channels), rows);
}

OpCase RegionCases::copies(int n, trib_layout layout, trib_dtype dtype, int channels) const
{
    const Picture &p = pictures_[0];
    const trib_region_row row = { p.first, p.width, p.height, 0, 0, float(p.width), float(p.height), 0, 0 };
    return with(desc_of(n, p.height, p.width, layout, dtype, channels),
                std::vector<trib_region_row>(std::size_t(n), row));
}

std::vector<std::uint8_t> RegionCases::whole(int n) const
{
    std::vector<std::uint8_t> all;
    const auto first = bytes_.begin(), end = first + 3 * pictures_[0].width * pictures_[0].height;
    for (int i = 0; i < n; ++i) all.insert(all.end(), first, end);
    return all;
}

} // namespace conformance
