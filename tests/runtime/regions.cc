// SPDX-License-Identifier: Apache-2.0
#include "runtime/regions.h"

#include <limits>

#include "tributary/kernels.h"

namespace regions
{

constexpr std::size_t classes = 10;

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

std::int64_t add(trib_pictures *to, int number, int width, int height)
{
    std::int64_t id = 0;
    EXPECT_OK(trib_pictures_add(to, rgb(number, width, height).data(), width, height, &id));
    return id;
}

Logits run(trib_session *s, const trib_pictures *from, const std::vector<trib_region> &all, int n)
{
    Logits y(all.size() * classes, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t first = 0; first < all.size(); first += std::size_t(n)) {
        const int count = int(std::min(all.size() - first, std::size_t(n)));
        void *outputs[] = { &y[first * classes] };
        std::int64_t job = 0;
        EXPECT_OK(trib_session_submit_regions(s, from, &all[first], count, outputs, &job));
        EXPECT_OK(trib_session_wait(s, job));
    }
    return y;
}

Cut::Cut(nets::Graph graph, trib_device *device, int images)
    : graph_(std::move(graph)), device_(device), images_(images),
      size_(trib_graph_layer(graph_.get(), 0)->h), normalise_ { true,
                                                                { 1.0f / 61, 1.0f / 59, 1.0f / 67 },
                                                                { -2.0f, -1.875f, -1.75f } }
{
}

trib_session_options Cut::options(const Way &way, trib_layout layout) const
{
    trib_session_options o = trib_session_default_options();
    o.max_batch = images_;
    o.lanes = way.lanes;
    o.launch = way.launch;
    o.plan.batch = way.chunk;
    o.plan.schedule = way.schedule;
    o.plan.precision = way.precision;
    o.plan.input_layout = layout;
    o.plan.normalise = &normalise_;
    o.plan.threads = trib_device_get_info(device_)->host; // lanes are what is tested, and one thread is quick
    o.plan.regions = true;
    return o;
}

nets::Session Cut::session(const trib_session_options &options) const
{
    return nets::session(graph_.get(), device_, options);
}

std::vector<std::uint8_t> Cut::bytes() const
{
    std::vector<std::uint8_t> all;
    for (int i = 0; i < images_; ++i) {
        const std::vector<std::uint8_t> one = rgb(i, size_, size_);
        all.insert(all.end(), one.begin(), one.end());
    }
    return all;
}

std::vector<float> Cut::normalised(trib_layout layout) const
{
    const std::size_t image = std::size_t(3 * size_ * size_);
    const std::vector<std::uint8_t> all = bytes();
    std::vector<float> x(all.size());
    const trib_normalise_geometry g = { size_, size_, 3, 3 * size_, normalise_.bgr, layout == TRIB_NCHW };
    for (std::size_t first = 0; first < x.size(); first += image)
        trib_normalise_u8(&g, &all[first], normalise_.scale, normalise_.shift, &x[first]);
    return x;
}

Logits Cut::from_pixels(trib_session_options o) const
{
    const bool by_device = trib_device_get_info(device_)->normalises;
    o.plan.regions = false;
    if (by_device)
        o.plan.input_layout = TRIB_NHWC;
    else
        o.plan.normalise = nullptr;
    const nets::Session s = session(o);
    const std::vector<std::uint8_t> pixels = bytes();
    const std::vector<float> x = normalised(o.plan.input_layout);
    Logits y(std::size_t(images_) * classes);
    void *outputs[] = { y.data() };
    if (s) EXPECT_OK(trib_session_run(s.get(), by_device ? (const void *)pixels.data() : x.data(), images_, outputs));
    return y;
}

std::vector<trib_region> Cut::add_to(trib_pictures *to) const
{
    std::vector<trib_region> all(static_cast<std::size_t>(images_));
    for (int i = 0; i < images_; ++i) {
        trib_region &r = all[std::size_t(i)];
        r.width = r.height = float(size_);
        r.picture = add(to, i, size_, size_);
    }
    return all;
}

Logits Cut::from_regions(const trib_session_options &options) const
{
    const nets::Session s = session(options);
    const Pictures all = pictures(device_);
    if (!s || !all) return {};
    const std::vector<trib_region> whole = add_to(all.get());
    return run(s.get(), all.get(), whole, images_);
}

void expect_bits_of_pixels(trib_device *device, const Way &way, trib_layout layout)
{
    SCOPED_TRACE(std::string(trib_schedule_name(way.schedule)) + " " + trib_precision_name(way.precision) + " launch " +
                 std::to_string(way.launch) + " chunk " + std::to_string(way.chunk));
    const Cut cut(nets::little_googlenet(1), device, 7);
    const trib_session_options o = cut.options(way, layout);
    EXPECT_EQ(cut.from_regions(o), cut.from_pixels(o));
}

namespace
{

// Of picture `id`, which is larger than the network's input.
std::vector<trib_region> some_of(std::int64_t id, int count)
{
    std::vector<trib_region> all;
    for (int i = 0; i < count; ++i)
        all.push_back({ id, float(i) - 1.5f, 0.25f * float(i), 9.5f + float(i), 20.0f, i % 2 == 1 });
    return all;
}

struct Job {
    std::int64_t id, picture;
    Logits y, wanted;
};

} // namespace

void expect_right_in_flight(trib_device *device, const Way &way, int in_flight)
{
    const Cut cut(nets::little_googlenet(1), device, 4);
    trib_session_options o = cut.options(way, TRIB_NHWC);
    const nets::Session alone = cut.session(o);
    o.in_flight = in_flight;
    const nets::Session s = cut.session(o);
    const Pictures all = pictures(device);
    ASSERT_TRUE(alone && s && all);
    std::vector<Job> jobs(6);
    const auto finish = [&](std::size_t i) {
        EXPECT_OK(trib_session_wait(s.get(), jobs[i].id));
        EXPECT_EQ(jobs[i].y, jobs[i].wanted) << "batch " << i;
        trib_pictures_remove(all.get(), jobs[i].picture); // its memory is the next one's
    };
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        Job &job = jobs[i];
        if (i >= std::size_t(in_flight)) finish(i - std::size_t(in_flight));
        job.picture = add(all.get(), int(i), 23, 31);
        const std::vector<trib_region> some = some_of(job.picture, 4 - int(i % 3));
        job.wanted = run(alone.get(), all.get(), some, int(some.size()));
        job.y.assign(some.size() * classes, std::numeric_limits<float>::quiet_NaN());
        void *outputs[] = { job.y.data() };
        ASSERT_OK(trib_session_submit_regions(s.get(), all.get(), some.data(), int(some.size()), outputs, &job.id));
    }
    for (std::size_t i = jobs.size() - std::size_t(in_flight); i < jobs.size(); ++i) finish(i);
    EXPECT_EQ(trib_pictures_bytes(all.get()), 0);
}

} // namespace regions
