// SPDX-License-Identifier: Apache-2.0
// Regions of pictures on the simulated CUDA: the bits of pixels in every precision, whatever runs when; and whatever
// call fails, an error that says so, with nothing left behind.
#include <cstring>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"
#include "runtime/regions.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

using fakecuda::Failure;
using regions::Cut;
using regions::Pictures;
using regions::Way;

namespace
{

TEST(NetworkRegions, CopiesOfWholePicturesGiveTheBitsOfPixels)
{
    const Way ways[] = {
        { TRIB_SERIAL, TRIB_EAGER, 3, 1, TRIB_PRECISION_FP32 },
        { TRIB_BRANCHES, TRIB_GRAPH, 2, 2, TRIB_PRECISION_TF32 },
        { TRIB_FUSED, TRIB_GRAPH, 7, 1, TRIB_PRECISION_FP16 },
        { TRIB_BRANCHES, TRIB_EAGER, 4, 2, TRIB_PRECISION_BF16 },
        { TRIB_FUSED, TRIB_EAGER, 7, 1, TRIB_PRECISION_FP32 },
        { TRIB_SERIAL, TRIB_GRAPH, 3, 1, TRIB_PRECISION_FP16 },
    };
    nets::Device device = network::open();
    int count = 0;
    for (const Way &way : ways) regions::expect_bits_of_pixels(device.get(), way, ++count % 2 ? TRIB_NHWC : TRIB_NCHW);
}

TEST(NetworkRegions, BatchesInFlightGetTheirOwn)
{
    const Way ways[] = { { TRIB_SERIAL, TRIB_EAGER, 4, 1, TRIB_PRECISION_FP32 },
                         { TRIB_FUSED, TRIB_GRAPH, 2, 2, TRIB_PRECISION_FP16 } };
    for (int seed = 0; seed < support::by_form(2, 20); ++seed)
        for (const Way &way : ways) {
            fakecuda::reset();
            fakecuda::reseed(std::uint64_t(seed));
            nets::Device device = network::open();
            regions::expect_right_in_flight(device.get(), way, 2);
            device.reset();
            EXPECT_EQ(fakecuda::leaks(), "");
            for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
        }
}

TEST(NetworkRegions, AreNotResident)
{
    nets::Device device = network::open();
    const Cut cut(nets::little_googlenet(1), device.get(), 1);
    const nets::Session s = cut.session(cut.options({ TRIB_SERIAL, TRIB_EAGER, 1, 1, TRIB_PRECISION_FP32 }, TRIB_NHWC));
    std::int64_t job = 0;
    EXPECT_FAILS(trib_session_submit_resident(s.get(), 1, &job), TRIB_UNSUPPORTED, "pictures that are gone");
}

// The last that a device's limit allows, and one more.
TEST(NetworkRegions, PicturesBeyondTheDevicesMemory)
{
    nets::Device device = network::open();
    const Pictures p = regions::pictures(device.get());
    trib_device_set_memory_limit(device.get(), trib_device_memory(device.get()).current_bytes + 3000);
    const std::vector<std::uint8_t> rgb = regions::rgb(1, 30, 30);
    std::int64_t id = 0;
    EXPECT_OK(trib_pictures_add(p.get(), rgb.data(), 30, 30, &id));
    const trib_status status = trib_pictures_add(p.get(), rgb.data(), 30, 30, &id);
    EXPECT_FAILS(status, TRIB_OUT_OF_MEMORY, "a picture of 30 x 30 pixels, beside 1 of 2700 bytes");
    EXPECT_FAILS(status, TRIB_OUT_OF_MEMORY, "bytes asked for");
    trib_pictures_remove(p.get(), id);
    EXPECT_OK(trib_pictures_add(p.get(), rgb.data(), 30, 30, &id));
}

// A batch of regions of two pictures, one of which goes and makes room for a third.
class Scenario
{
  public:
    // Call k from the session's creation on fails; 0: none.
    trib_status run(std::int64_t k, Failure how)
    {
        k_ = k;
        how_ = how;
        trib_device *opened = nullptr;
        TRIB_TRY(trib_device_open("cuda", nullptr, &opened));
        nets::Device device(opened);
        trib_status status = use(opened);
        left_ = trib_device_memory(opened).current_bytes + trib_host_memory(opened).current_bytes;
        return status;
    }
    std::int64_t left() const { return left_; }
    const regions::Logits &logits() const { return y_; }

  private:
    trib_status use(trib_device *device)
    {
        static const trib_normalise normalise { false, { 1, 1, 1 }, { 0, 0, 0 } };
        trib_session_options o = trib_session_default_options();
        o.max_batch = 3;
        o.plan.batch = 2;
        o.plan.normalise = &normalise;
        o.plan.regions = true;
        trib_session *s = nullptr;
        y_.assign(30, 0);
        TRIB_TRY(trib_session_create(device, graph_.get(), parameters_.data(), &o, &s));
        nets::Session session(s);
        fakecuda::fail(k_, how_);
        trib_pictures *p = nullptr;
        TRIB_TRY(trib_pictures_create(device, 3000, &p));
        Pictures pictures(p);
        trib_status status = submit(s, p);
        session.reset(); // first: a batch that failed half-way may still read pictures
        return status;
    }
    trib_status submit(trib_session *s, trib_pictures *p)
    {
        const std::vector<std::uint8_t> rgb = regions::rgb(1, 20, 30);
        std::int64_t a = 0, b = 0, job = 0;
        TRIB_TRY(trib_pictures_add(p, rgb.data(), 20, 20, &a));
        trib_pictures_remove(p, a);
        TRIB_TRY(trib_pictures_add(p, rgb.data(), 10, 10, &a));
        TRIB_TRY(trib_pictures_add(p, rgb.data(), 20, 30, &b));
        const trib_region all[] = { { a, 1, 2, 5, 6, false }, { b, 0, 0, 20, 30, true }, { a, -3, 0, 8, 8, false } };
        void *outputs[] = { y_.data() };
        TRIB_TRY(trib_session_submit_regions(s, p, all, 3, outputs, &job));
        return trib_session_wait(s, job);
    }

    nets::Graph graph_ = nets::little_googlenet(1);
    nets::Parameters parameters_ { graph_.get() };
    regions::Logits y_;
    std::int64_t k_ = 0, left_ = 0;
    Failure how_ = Failure::once;
};

void expect_nothing_left(const Scenario &scenario)
{
    EXPECT_EQ(fakecuda::leaks(), "");
    EXPECT_EQ(scenario.left(), 0);
    for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
}

void torture(Failure how)
{
    Scenario scenario;
    fakecuda::reset();
    ASSERT_OK(scenario.run(0, how));
    const std::int64_t calls = fakecuda::stop_failing();
    const regions::Logits right = scenario.logits();
    ASSERT_GT(calls, 30);
    std::int64_t reported = 0;
    const std::int64_t step = how == Failure::once ? support::by_form(13, 3, 1) : support::by_form(29, 11, 1);
    for (std::int64_t k = 1; k <= calls; k += step) {
        fakecuda::Options options;
        options.seed = std::uint64_t(k);
        fakecuda::reset(options);
        const trib_status status = scenario.run(k, how);
        fakecuda::stop_failing();
        SCOPED_TRACE("call " + std::to_string(k) + ", " + fakecuda::failed_function() + ": " + status.message);
        expect_nothing_left(scenario);
        reported += trib_failed(&status);
        EXPECT_TRUE(trib_failed(&status) || scenario.logits() == right);
        EXPECT_TRUE(!trib_failed(&status) || std::strstr(status.message, "cuda"));
    }
    EXPECT_GT(reported, 1);
    fakecuda::reset();
}

TEST(NetworkRegions, EachCallFailsOnce) { torture(Failure::once); }
TEST(NetworkRegions, EachCallFailsAndEveryLaterOne) { torture(Failure::forever); }
TEST(NetworkRegions, TheDeviceFaultsAtEachCall) { torture(Failure::sticky); }

} // namespace
