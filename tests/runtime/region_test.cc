// SPDX-License-Identifier: Apache-2.0
// Regions of pictures as a session's images, on the cpu; the simulated CUDA has the same in tests/cuda.
#include <climits>
#include <cmath>
#include <cstring>

#include "runtime/graph/kinds.h"
#include "runtime/regions.h"
#include "tributary/internal/fault.h"
#include "tributary/region_kernels.h"

namespace
{

using regions::Cut;
using regions::Pictures;
using regions::Way;

const Way ways[] = {
    { TRIB_SERIAL, TRIB_EAGER, 3, 1, TRIB_PRECISION_FP32 }, { TRIB_BRANCHES, TRIB_GRAPH, 1, 2, TRIB_PRECISION_FP32 },
    { TRIB_FUSED, TRIB_EAGER, 1, 1, TRIB_PRECISION_FP32 },  { TRIB_BRANCHES, TRIB_EAGER, 3, 2, TRIB_PRECISION_FP32 },
    { TRIB_FUSED, TRIB_GRAPH, 3, 2, TRIB_PRECISION_FP32 },  { TRIB_SERIAL, TRIB_GRAPH, 7, 1, TRIB_PRECISION_FP32 },
};

TEST(Regions, CopiesOfWholePicturesGiveTheBitsOfPixels)
{
    auto device = nets::cpu();
    int count = 0;
    for (const Way &way : ways) regions::expect_bits_of_pixels(device.get(), way, ++count % 3 ? TRIB_NCHW : TRIB_NHWC);
}

TEST(Regions, BatchesInFlightGetTheirOwn)
{
    auto device = nets::cpu();
    regions::expect_right_in_flight(device.get(), { TRIB_SERIAL, TRIB_EAGER, 4, 1, TRIB_PRECISION_FP32 }, 2);
    regions::expect_right_in_flight(device.get(), { TRIB_BRANCHES, TRIB_GRAPH, 2, 3, TRIB_PRECISION_FP32 }, 3);
}

// One session, its pictures, and a region of one of them.
class Submitted : public testing::Test
{
  protected:
    void SetUp() override { ASSERT_TRUE(session_ && pictures_); }
    trib_status submit(const trib_region &r) { return submit({ whole_, r }); }
    trib_status submit(const std::vector<trib_region> &all)
    {
        void *outputs[] = { y_ };
        return trib_session_submit_regions(session_.get(), pictures_.get(), all.data(), int(all.size()), outputs,
                                           &job_);
    }

    nets::Device device_ = nets::cpu(1);
    Cut cut_ { nets::little_googlenet(1), device_.get(), 4 };
    nets::Session session_ =
        cut_.session(cut_.options({ TRIB_SERIAL, TRIB_EAGER, 4, 1, TRIB_PRECISION_FP32 }, TRIB_NCHW));
    Pictures pictures_ = regions::pictures(device_.get());
    trib_region whole_ { regions::add(pictures_.get(), 1, 30, 20), 0, 0, 30, 20, false };
    float y_[40] = {};
    std::int64_t job_ = -1;
};

TEST_F(Submitted, UnknownPicturesAreRefusedByTheIndexOfTheRegion)
{
    trib_region r = whole_;
    r.picture = whole_.picture + 1;
    EXPECT_FAILS(submit(r), TRIB_INVALID_ARGUMENT, "region 1: there is no picture 2");
    r.picture = 0;
    EXPECT_FAILS(submit(r), TRIB_INVALID_ARGUMENT, "there is no picture 0");
    r.picture = regions::add(pictures_.get(), 2, 5, 5);
    EXPECT_OK(submit(r));
    ASSERT_OK(trib_session_wait(session_.get(), job_));
    trib_pictures_remove(pictures_.get(), r.picture);
    const std::int64_t next = regions::add(pictures_.get(), 3, 5, 5);
    EXPECT_GT(next, r.picture) << "ids are never given again";
    EXPECT_FAILS(submit(r), TRIB_INVALID_ARGUMENT, "region 1: there is no picture 2 any more");
    EXPECT_EQ(job_ & 0xffffff, 1) << "what was refused is no job";
}

TEST_F(Submitted, ImpossibleBoxesAreRefused)
{
    for (float bad : { NAN, INFINITY, -INFINITY, 2e7f, -2e7f }) {
        for (float trib_region::*field :
             { &trib_region::x, &trib_region::y, &trib_region::width, &trib_region::height }) {
            trib_region r = whole_;
            r.*field = bad;
            EXPECT_FAILS(submit(r), TRIB_INVALID_ARGUMENT, "region 1: a box of");
        }
    }
    for (float empty : { 0.0f, -1.0f })
        for (float trib_region::*field : { &trib_region::width, &trib_region::height }) {
            trib_region r = whole_;
            r.*field = empty;
            EXPECT_FAILS(submit(r), TRIB_INVALID_ARGUMENT, "sizes above 0");
        }
    trib_region r = whole_;
    r.x = r.y = -16777216, r.width = r.height = 16777216;
    EXPECT_OK(submit(r));
    EXPECT_OK(trib_session_wait(session_.get(), job_));
}

TEST_F(Submitted, CallsThatDoNotFitTheSession)
{
    void *outputs[] = { y_ };
    EXPECT_FAILS(submit(std::vector<trib_region>(5, whole_)), TRIB_INVALID_ARGUMENT, "5 images");
    EXPECT_FAILS(trib_session_submit_regions(session_.get(), nullptr, &whole_, 1, outputs, &job_),
                 TRIB_INVALID_ARGUMENT, "needs a session, pictures, regions");
    EXPECT_FAILS(trib_session_submit_regions(session_.get(), pictures_.get(), &whole_, 0, outputs, &job_),
                 TRIB_INVALID_ARGUMENT, "0 images");
    EXPECT_FAILS(trib_session_run(session_.get(), y_, 1, outputs), TRIB_INVALID_ARGUMENT, "takes regions of pictures");
    const nets::Session pixels = nets::session(cut_.graph(), device_.get(), trib_session_default_options());
    EXPECT_FAILS(trib_session_submit_regions(pixels.get(), pictures_.get(), &whole_, 1, outputs, &job_),
                 TRIB_INVALID_ARGUMENT, "this session takes pixels");
    const nets::Device other = nets::cpu(1);
    const Pictures elsewhere = regions::pictures(other.get());
    EXPECT_FAILS(trib_session_submit_regions(session_.get(), elsewhere.get(), &whole_, 1, outputs, &job_),
                 TRIB_INVALID_ARGUMENT, "on another device");
}

TEST_F(Submitted, ABatchThatIsNotFullReadsNoPictureOfTheOneBefore)
{
    std::vector<trib_region> four(4, whole_);
    for (std::size_t i = 0; i < 4; ++i) four[i].picture = regions::add(pictures_.get(), int(i), 64, 64);
    regions::run(session_.get(), pictures_.get(), four, 4);
    for (const trib_region &r : four) trib_pictures_remove(pictures_.get(), r.picture);
    const regions::Logits once = regions::run(session_.get(), pictures_.get(), { whole_ }, 1);
    regions::Logits twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    EXPECT_EQ(regions::run(session_.get(), pictures_.get(), { whole_, whole_ }, 2), twice);
}

// ---- plans ----

TEST(RegionPlans, SayWhatTheyAre)
{
    auto device = nets::cpu();
    const Cut cut(nets::little_googlenet(1), device.get(), 4);
    trib_session_options o = cut.options({ TRIB_SERIAL, TRIB_EAGER, 4, 1, TRIB_PRECISION_FP32 }, TRIB_NHWC);
    nets::Plan plan = nets::plan(cut.graph(), device.get(), o.plan);
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan->regions);
    EXPECT_EQ(plan->inputs[0].dtype, TRIB_U8);
    EXPECT_EQ(plan->inputs[0].shape.dim[1], TRIB_REGION_ROW_BYTES);
    const trib_plan_op &op = plan->ops[1];
    EXPECT_STREQ(op.name, "input/regions");
    EXPECT_EQ(op.desc.kind, TRIB_REGIONS);
    EXPECT_EQ(op.desc.outputs[0].layout, TRIB_NHWC);
    const int values = 4 * 3 * cut.size() * cut.size();
    EXPECT_EQ(op.flops, 11 * values);
    EXPECT_EQ(op.bytes, 4 * TRIB_REGION_ROW_BYTES + values + 4 * values) << "rows, pixels, results";
    EXPECT_OK(trib_plan_check_stream_order(plan.get()));
    char *text = nullptr;
    std::size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    EXPECT_OK(trib_plan_print(plan.get(), true, out));
    EXPECT_OK(trib_plan_print_json(plan.get(), out));
    std::fclose(out);
    EXPECT_NE(std::strstr(text, "input/regions"), nullptr) << text;
    EXPECT_NE(std::strstr(text, "\"kind\": \"regions\""), nullptr) << text;
    EXPECT_NE(std::strstr(text, "\"size\": [8, 8], \"channels\": \"bgr\""), nullptr) << text;
    std::free(text);
}

TEST(RegionPlans, AreRefusedWhereTheyCannotBe)
{
    auto device = nets::cpu();
    const Cut cut(nets::little_googlenet(1), device.get(), 4);
    trib_plan_options o = cut.options({ TRIB_SERIAL, TRIB_EAGER, 4, 1, TRIB_PRECISION_FP32 }, TRIB_NHWC).plan;
    trib_plan *none = nullptr;
    const trib_training training {};
    o.training = &training;
    EXPECT_FAILS(trib_plan_create(cut.graph(), device.get(), &o, &none), TRIB_INVALID_ARGUMENT, "not for training");
    o.training = nullptr;
    trib_normalise bad = *o.normalise;
    bad.scale[2] = NAN;
    o.normalise = &bad;
    EXPECT_FAILS(trib_plan_create(cut.graph(), device.get(), &o, &none), TRIB_INVALID_ARGUMENT, "not finite");
    o.normalise = nullptr;
    EXPECT_FAILS(trib_plan_create(cut.graph(), device.get(), &o, &none), TRIB_INVALID_ARGUMENT,
                 "need what normalises them");
}

// A row holds addresses: made-up ones must not be read.
TEST(RegionPlans, AreMeasuredWithoutPictures)
{
    auto device = nets::cpu(1);
    const Cut cut(nets::little_googlenet(1), device.get(), 2);
    trib_plan_options o = cut.options({ TRIB_SERIAL, TRIB_EAGER, 2, 1, TRIB_PRECISION_FP32 }, TRIB_NHWC).plan;
    o.measure = true;
    EXPECT_TRUE(nets::plan(cut.graph(), device.get(), o));
}

// Tuning makes images up, which are no regions.
TEST(RegionPlans, AreTunedAsPixels)
{
    auto device = nets::cpu(1);
    const Cut cut(nets::little_googlenet(1), device.get(), 2);
    const nets::Parameters parameters(cut.graph());
    const trib_session_options o = cut.options({ TRIB_SERIAL, TRIB_EAGER, 2, 1, TRIB_PRECISION_FP32 }, TRIB_NHWC);
    const trib_tune_options how { 1e-3, nullptr, nullptr, nullptr };
    trib_tuned *tuned = nullptr;
    ASSERT_OK(trib_tune_session(device.get(), cut.graph(), parameters.data(), &o, &how, &tuned));
    trib_tuned_destroy(tuned);
}

// ---- pictures ----

TEST(Pictures, TakeNoMoreThanTheirLimit)
{
    auto device = nets::cpu();
    const std::int64_t before = trib_device_memory(device.get()).current_bytes;
    Pictures p = regions::pictures(device.get(), 3 * 100);
    ASSERT_TRUE(p);
    const std::int64_t first = regions::add(p.get(), 1, 10, 5);
    std::int64_t id = -1;
    const std::vector<std::uint8_t> rgb = regions::rgb(2, 10, 10);
    EXPECT_FAILS(trib_pictures_add(p.get(), rgb.data(), 10, 10, &id), TRIB_OUT_OF_MEMORY,
                 "a picture of 10 x 10 pixels, 300 bytes, does not fit: 1 pictures use 150 of 300 bytes");
    EXPECT_EQ(id, -1);
    EXPECT_EQ(trib_pictures_bytes(p.get()), 150);
    trib_pictures_remove(p.get(), first);
    trib_pictures_remove(p.get(), first); // long gone
    EXPECT_OK(trib_pictures_add(p.get(), rgb.data(), 10, 10, &id));
    EXPECT_EQ(id, first + 1);
    EXPECT_EQ(trib_pictures_count(p.get()), 1);
    trib_pictures_remove(p.get(), id);
    EXPECT_EQ(trib_pictures_bytes(p.get()), 0);
    p.reset(); // waits until the stream has freed all
    EXPECT_EQ(trib_device_memory(device.get()).current_bytes, before);
}

TEST(Pictures, AreFoundAndRemovedInAnyOrder)
{
    auto device = nets::cpu(1);
    const Cut cut(nets::little_googlenet(1), device.get(), 1);
    const nets::Session s = cut.session(cut.options({ TRIB_SERIAL, TRIB_EAGER, 1, 1, TRIB_PRECISION_FP32 }, TRIB_NCHW));
    const Pictures p = regions::pictures(device.get());
    ASSERT_TRUE(s && p);
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 9; ++i) ids.push_back(regions::add(p.get(), i, 8, 8));
    for (std::size_t gone : { 4, 0, 8, 2 }) trib_pictures_remove(p.get(), ids[gone]);
    EXPECT_EQ(trib_pictures_bytes(p.get()), 5 * 192);
    for (std::size_t i : { 1, 3, 5, 6, 7 }) {
        const Pictures alone = regions::pictures(device.get());
        const std::int64_t same = regions::add(alone.get(), int(i), 8, 8);
        EXPECT_EQ(regions::run(s.get(), p.get(), { { ids[i], 0, 0, 8, 8, false } }, 1),
                  regions::run(s.get(), alone.get(), { { same, 0, 0, 8, 8, false } }, 1));
    }
}

TEST(Pictures, WhatCannotBe)
{
    auto device = nets::cpu();
    trib_pictures *none = nullptr;
    std::int64_t id = 0;
    const std::uint8_t pixel[3] = {};
    EXPECT_FAILS(trib_pictures_create(nullptr, 0, &none), TRIB_INVALID_ARGUMENT, "need a device");
    EXPECT_FAILS(trib_pictures_create(device.get(), -1, &none), TRIB_INVALID_ARGUMENT, "0 bytes or more");
    trib_pictures_destroy(nullptr);
    trib_pictures_remove(nullptr, 1);
    const Pictures p = regions::pictures(device.get());
    ASSERT_TRUE(p);
    for (const auto &size : { std::pair<int, int>(0, 1), { 1, 0 }, { -1, 1 }, { TRIB_PICTURE_MOST_SIDE + 1, 1 } })
        EXPECT_FAILS(trib_pictures_add(p.get(), pixel, size.first, size.second, &id), TRIB_INVALID_ARGUMENT,
                     "sides of 1 to 4194304");
    EXPECT_FAILS(trib_pictures_add(p.get(), nullptr, 1, 1, &id), TRIB_INVALID_ARGUMENT, "needs a place, pixels");
    EXPECT_FAILS(trib_pictures_add(p.get(), pixel, TRIB_PICTURE_MOST_SIDE, TRIB_PICTURE_MOST_SIDE, &id),
                 TRIB_OUT_OF_MEMORY, "a picture of 4194304 x 4194304 pixels");
}

TEST(Pictures, EveryFallibleOperationMayFail)
{
    for (std::int64_t k = 1, more = 1; more; ++k) {
        auto device = nets::cpu(1);
        const std::int64_t before = trib_device_memory(device.get()).current_bytes;
        trib_pictures *p = nullptr;
        trib_fault_arm(k, false);
        trib_status status = trib_pictures_create(device.get(), 0, &p);
        std::int64_t id = 0, bytes = 0;
        const std::vector<std::uint8_t> rgb = regions::rgb(1, 20, 20);
        for (int i = 0; i < 3 && !trib_failed(&status); ++i) {
            bytes = trib_pictures_bytes(p);
            status = trib_pictures_add(p, rgb.data(), 20, 20, &id);
        }
        more = trib_fault_disarm() >= k;
        EXPECT_TRUE(!more || trib_failed(&status)) << k;
        if (trib_failed(&status) && p) {
            EXPECT_EQ(trib_pictures_bytes(p), bytes) << "nothing has changed";
            EXPECT_OK(trib_pictures_add(p, rgb.data(), 20, 20, &id));
        }
        trib_pictures_destroy(p);
        EXPECT_EQ(trib_device_memory(device.get()).current_bytes, before);
    }
}

// ---- context ----

TEST(RegionWithContext, IsRCnns)
{
    // 224 - 2 * 16 = 192 pixels for the box
    trib_region r { 7, 100, 50, 192, 96, true };
    ASSERT_OK(trib_region_with_context(&r, 224, 224, 16, &r));
    EXPECT_EQ(r.picture, 7);
    EXPECT_TRUE(r.mirror);
    EXPECT_FLOAT_EQ(r.width, 224);
    EXPECT_FLOAT_EQ(r.height, 112);
    EXPECT_FLOAT_EQ(r.x, 84);
    EXPECT_FLOAT_EQ(r.y, 42);
    const trib_region box { 1, -3, 4, 10, 20, false };
    ASSERT_OK(trib_region_with_context(&box, 227, 100, 0, &r));
    EXPECT_EQ(r.x, box.x);
    EXPECT_EQ(r.height, box.height);
}

TEST(RegionWithContext, NeedsSomethingForTheBox)
{
    const trib_region box { 1, 0, 0, 10, 20, false };
    trib_region r;
    EXPECT_FAILS(trib_region_with_context(&box, 224, 32, 16, &r), TRIB_INVALID_ARGUMENT, "leave nothing of images");
    EXPECT_FAILS(trib_region_with_context(&box, 224, 224, -1, &r), TRIB_INVALID_ARGUMENT, "-1 pixels of context");
    EXPECT_FAILS(trib_region_with_context(&box, 0, 224, 0, &r), TRIB_INVALID_ARGUMENT, "0 x 224");
    EXPECT_FAILS(trib_region_with_context(&box, 224, 224, INT_MAX, &r), TRIB_INVALID_ARGUMENT, "leave nothing");
    EXPECT_FAILS(trib_region_with_context(nullptr, 224, 224, 16, &r), TRIB_INVALID_ARGUMENT, "needs a box");
    EXPECT_OK(trib_region_with_context(&box, 34, 33, 16, &r));
}

} // namespace
