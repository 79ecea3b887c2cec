// SPDX-License-Identifier: Apache-2.0
#include "runtime/regions.h"

#include <limits>

#include "tributary/kernels.h"

namespace regions
{

Pictures pictures(trib_device *device, std::int64_t most_bytes)
{
    trib_pictures *made = nullptr;
    EXPECT_OK(trib_pictures_create(device, most_bytes, &made));
    return Pictures(made);
}

std::vector<std::uint8_t> rgb(int number, int width, int height)
{
    std::vector<std::uint8_t> bytes(std::size_t(3 * width * height));
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = std::uint8_t(256 * trib_uniform("picture", std::uint64_t(number), i));
    return bytes;
}

Cut::Cut(nets::Graph graph, trib_device *device, int images)
    : graph_(std::move(graph)), device_(device), images_(images),
      size_(trib_graph_layer(graph_.get(), 0)->h), normalise_ { true,
                                                                { 1.0f / 61, 1.0f / 59, 1.0f / 67 },
                                                                { -2.0f, -1.875f, -1.75f } }
{
}

trib_session_options Cut::options(trib_layout layout) const
{
    trib_session_options o = trib_session_default_options();
    o.max_batch = images_;
    o.plan.input_layout = layout;
    o.plan.normalise = &normalise_;
    o.plan.regions = true;
    return o;
}

nets::Session Cut::session(const trib_session_options &options) const
{
    return nets::session(graph_.get(), device_, options);
}

std::vector<float> Cut::from_pixels(trib_session_options o) const
{
    const trib_layout layout = o.plan.input_layout;
    o.plan.regions = false;
    o.plan.normalise = nullptr;
    const nets::Session s = session(o);
    if (!s) return {};
    const std::size_t image = std::size_t(3 * size_ * size_);
    std::vector<float> x(image * std::size_t(images_)), y(std::size_t(images_) * 10);
    const trib_normalise_geometry g = { size_, size_, 3, 3 * size_, normalise_.bgr, layout == TRIB_NCHW };
    for (int i = 0; i < images_; ++i)
        trib_normalise_u8(&g, rgb(i, size_, size_).data(), normalise_.scale, normalise_.shift,
                          &x[image * std::size_t(i)]);
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(s.get(), x.data(), images_, outputs));
    return y;
}

std::vector<trib_region> Cut::add_to(trib_pictures *to) const
{
    std::vector<trib_region> all(static_cast<std::size_t>(images_));
    for (int i = 0; i < images_; ++i) {
        trib_region &r = all[std::size_t(i)];
        r.width = r.height = float(size_);
        EXPECT_OK(trib_pictures_add(to, rgb(i, size_, size_).data(), size_, size_, &r.picture));
    }
    return all;
}

std::vector<float> Cut::from_regions(const trib_session_options &options) const
{
    const nets::Session s = session(options);
    const Pictures all = pictures(device_);
    if (!s || !all) return {};
    const std::vector<trib_region> whole = add_to(all.get());
    std::vector<float> y(std::size_t(images_) * 10, std::numeric_limits<float>::quiet_NaN());
    void *outputs[] = { y.data() };
    std::int64_t job = 0;
    EXPECT_OK(trib_session_submit_regions(s.get(), all.get(), whole.data(), images_, outputs, &job));
    EXPECT_OK(trib_session_wait(s.get(), job));
    return y;
}

} // namespace regions
