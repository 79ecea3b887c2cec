// SPDX-License-Identifier: Apache-2.0
// Proposals as a whole: what any image has, the same bits always, and every failure.
#include <algorithm>
#include <set>
#include <thread>

#include "detect/pictures.h"
#include "support/heap.h"
#include "tributary/internal/fault.h"

namespace
{

using Boxes = std::vector<trib_proposal>;

TEST(Propose, OfTwoColoursAreByHand)
{
    // Left and right half, then both. Whatever the random number, the whole image's is multiplied by 1.
    Picture picture(60, 30);
    picture.fill({ 0, 0, 30, 30 }, { 200, 40, 40 }).fill({ 30, 0, 60, 30 }, { 30, 60, 220 });
    Boxes boxes = proposals_of(one_grouping(TRIB_COLOURS_LAB, 100, TRIB_BY_SIZE), picture);
    std::sort(boxes.begin(), boxes.end());
    EXPECT_EQ(boxes, (Boxes { { 0, 0, 30, 30 }, { 0, 0, 60, 30 }, { 30, 0, 60, 30 } }));
}

TEST(Propose, FindRectangles)
{
    Picture picture(200, 150);
    picture.fill({ 0, 0, 200, 150 }, { 120, 120, 120 });
    const Boxes objects = { { 20, 20, 70, 60 }, { 100, 30, 180, 70 }, { 40, 90, 120, 140 } };
    picture.fill(objects[0], { 220, 60, 50 }).fill(objects[1], { 60, 200, 70 }).fill(objects[2], { 50, 70, 210 });
    picture.add_noise(7, 5);
    for (int s = 0; s < TRIB_STRATEGIES; ++s) {
        Boxes boxes = proposals_of(trib_propose_as(trib_strategy(s)), picture);
        for (const trib_proposal &o : objects) {
            bool found = std::any_of(boxes.begin(), boxes.end(), [&](const trib_proposal &b) {
                return std::abs(b.x0 - o.x0) <= 1 && std::abs(b.y0 - o.y0) <= 1 && std::abs(b.x1 - o.x1) <= 1 &&
                       std::abs(b.y1 - o.y1) <= 1;
            });
            EXPECT_TRUE(found) << trib_strategy_name(trib_strategy(s)) << ": " << o;
        }
    }
}

void expect_sound(const Boxes &boxes, int width, int height, int min_side)
{
    for (const trib_proposal &b : boxes) {
        EXPECT_TRUE(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= width && b.y1 <= height) << b;
        EXPECT_TRUE(b.x1 - b.x0 >= std::max(min_side, 1) && b.y1 - b.y0 >= std::max(min_side, 1)) << b;
    }
    EXPECT_EQ(std::set<trib_proposal>(boxes.begin(), boxes.end()).size(), boxes.size());
}

TEST(Propose, LieInTheImageAndAreNotRepeated)
{
    for (uint32_t seed = 1; seed <= 6; ++seed)
        for (int min_side : { 0, 20 }) {
            Picture picture = scene(seed, 70 + 9 * int(seed), 120 - 9 * int(seed), seed % 2 ? 3 : 1);
            trib_propose_options options = trib_propose_as(trib_strategy(seed % TRIB_STRATEGIES));
            options.min_side = min_side;
            Boxes boxes = proposals_of(options, picture);
            expect_sound(boxes, picture.width(), picture.height(), min_side);
            EXPECT_GE(boxes.size(), 3u);
            trib_proposal whole = { 0, 0, picture.width(), picture.height() };
            EXPECT_EQ(std::count(boxes.begin(), boxes.end(), whole), 1);
        }
}

// What a strategy finds is what its groupings find, one by one.
TEST(Propose, OfAStrategyAreThoseOfItsGroupings)
{
    Picture picture = scene(4, 90, 60);
    trib_propose_options all = trib_propose_as(TRIB_STRATEGY_QUALITY);
    all.min_side = 0;
    std::set<trib_proposal> wanted;
    for (int space = 0; space < all.space_count; ++space)
        for (int k = 0; k < all.k_count; ++k)
            for (int set = 0; set < all.set_count; ++set)
                for (const trib_proposal &b :
                     proposals_of(one_grouping(all.spaces[space], all.ks[k], all.sets[set]), picture))
                    wanted.insert(b);
    Boxes boxes = proposals_of(all, picture);
    EXPECT_EQ(std::set<trib_proposal>(boxes.begin(), boxes.end()), wanted);
}

TEST(Propose, OfLargeRegionsComeEarly)
{
    // Ranks are random numbers times positions, which begin at the whole image: over many pictures, it is among the
    // first half more often than by chance.
    int early = 0, pictures = 40;
    for (uint32_t seed = 1; seed <= uint32_t(pictures); ++seed) {
        Boxes boxes = proposals_of(one_grouping(TRIB_COLOURS_HSV, 20, 15), scene(seed, 60, 60));
        auto whole = std::find(boxes.begin(), boxes.end(), trib_proposal { 0, 0, 60, 60 });
        early += std::size_t(whole - boxes.begin()) < boxes.size() / 2;
    }
    EXPECT_GE(early, 36);
}

TEST(Propose, AreTheSameInAnyNumberOfThreads)
{
    Picture picture = scene(8, 120, 90);
    const trib_propose_options options = trib_propose_as(TRIB_STRATEGY_FAST);
    const Boxes wanted = proposals_of(options, picture);
    for (int threads : { 1, 2, 5 }) {
        std::vector<Boxes> found;
        found.resize(std::size_t(threads));
        std::vector<std::thread> running;
        for (Boxes &f : found) running.emplace_back([&] { f = proposals_of(options, picture); });
        for (std::thread &t : running) t.join();
        for (const Boxes &f : found) EXPECT_EQ(f, wanted);
    }
}

// A sum over all boxes and their order, so that a change of any of them is noticed, on any machine.
uint64_t digest(const Boxes &boxes)
{
    uint64_t sum = 14695981039346656037u;
    for (const trib_proposal &b : boxes)
        for (int v : { b.x0, b.y0, b.x1, b.y1 }) sum = (sum ^ uint64_t(v)) * 1099511628211u;
    return sum;
}

TEST(Propose, AreTheSameOnAnyMachine)
{
    Picture picture = scene(11, 160, 120);
    EXPECT_EQ(digest(proposals_of(trib_propose_as(TRIB_STRATEGY_SINGLE), picture)), 9839746712320132966u);
    EXPECT_EQ(digest(proposals_of(trib_propose_as(TRIB_STRATEGY_QUALITY), picture)), 8708908431191402735u);
}

TEST(Propose, OfDegenerateImages)
{
    const int sizes[][2] = { { 1, 1 },    { 2, 1 },    { 1, 2 },    { 2, 2 },    { 3, 3 },
                             { 2000, 2 }, { 2, 2000 }, { 3000, 1 }, { 1, 3000 }, { 7, 5 } };
    for (auto &size : sizes)
        for (int strategy = 0; strategy < TRIB_STRATEGIES; ++strategy)
            for (bool flat : { true, false }) {
                Picture picture = flat ? Picture(size[0], size[1]) : scene(9, size[0], size[1]);
                trib_propose_options options = trib_propose_as(trib_strategy(strategy));
                options.min_side = 0;
                Boxes boxes = proposals_of(options, picture);
                expect_sound(boxes, size[0], size[1], 0);
                trib_proposal whole = { 0, 0, size[0], size[1] };
                EXPECT_EQ(std::count(boxes.begin(), boxes.end(), whole), 1);
                EXPECT_TRUE(!flat || boxes.size() == 1) << size[0] << "x" << size[1];
            }
}

TEST(Propose, OfSmallOrNarrowImagesMayBeNone)
{
    trib_propose_options options = trib_propose_as(TRIB_STRATEGY_FAST);
    EXPECT_TRUE(proposals_of(options, scene(2, 19, 300)).empty());
    EXPECT_EQ(proposals_of(options, Picture(20, 20)), Boxes({ { 0, 0, 20, 20 } }));
}

TEST(Propose, OfReducedImagesAreScaledBack)
{
    Picture picture(600, 400);
    picture.fill({ 200, 100, 500, 300 }, { 250, 200, 20 });
    trib_propose_options options = trib_propose_as(TRIB_STRATEGY_SINGLE);
    options.pixels = 150 * 100;
    Boxes boxes = proposals_of(options, picture);
    expect_sound(boxes, 600, 400, 20);
    EXPECT_EQ(std::count(boxes.begin(), boxes.end(), trib_proposal { 200, 100, 500, 300 }), 1);
    for (const trib_proposal &b : boxes) EXPECT_TRUE(b.x0 % 4 == 0 && b.y1 % 4 == 0);
}

TEST(Propose, OfStripsAreReducedToo)
{
    trib_propose_options options = trib_propose_as(TRIB_STRATEGY_SINGLE);
    options.min_side = 0;
    options.pixels = 100;
    for (auto [width, height] : { std::pair(5000, 1), std::pair(1, 5000), std::pair(4000, 2), std::pair(37, 41) }) {
        Boxes boxes = proposals_of(options, scene(3, width, height));
        expect_sound(boxes, width, height, 0);
        EXPECT_GE(boxes.size(), 1u);
    }
}

TEST(Propose, NeedNoMoreMemoryThanTheySay)
{
    for (int strategy = 0; strategy < TRIB_STRATEGIES; ++strategy)
        for (int noise : { 0, 120 }) {
            Picture picture = scene(2, 200, 150).add_noise(5, noise);
            trib_propose_options options = trib_propose_as(trib_strategy(strategy));
            options.min_side = 0;
            for (int pixels : { 0, 10000 }) {
                options.pixels = pixels;
                trib_image image = picture.image();
                trib_proposals found = {};
                int64_t bound = trib_propose_bytes(&options, 200, 150);
                support::Heap heap;
                ASSERT_OK(trib_propose(&options, &image, &found));
                EXPECT_LE(heap.peak(), bound);
                EXPECT_GE(heap.peak() * 6, bound);
                trib_proposals_release(&found);
                EXPECT_EQ(heap.current(), 0);
            }
        }
}

TEST(Propose, NeedBoundedMemoryForLargeImages)
{
    trib_propose_options options = trib_propose_as(TRIB_STRATEGY_FAST);
    int64_t most = trib_propose_bytes(&options, 500, 500);
    EXPECT_LT(most, 50 << 20);
    EXPECT_LT(trib_propose_bytes(&options, 10000, 10000), most + (2 << 20));
    EXPECT_EQ(trib_propose_bytes(&options, 0, 5), 0);
    options.k_count = 0;
    EXPECT_EQ(trib_propose_bytes(&options, 5, 5), 0);
}

TEST(Propose, EveryAllocationMayFail)
{
    Picture picture = scene(5, 60, 40);
    trib_propose_options options = trib_propose_as(TRIB_STRATEGY_FAST);
    options.pixels = 1000;
    Boxes boxes;
    trib_fault_arm(0, false);
    EXPECT_OK(propose(options, picture, &boxes));
    int64_t allocations = trib_fault_disarm();
    EXPECT_GE(allocations, 60);
    support::Heap heap;
    for (int64_t k = 1; k <= allocations; ++k) {
        trib_image image = picture.image();
        trib_proposals found = {};
        trib_fault_arm(k, false);
        trib_status s = trib_propose(&options, &image, &found);
        trib_fault_disarm();
        EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << s.message;
        EXPECT_EQ(found.boxes, nullptr);
    }
    EXPECT_EQ(heap.current(), 0);
}

TEST(Propose, RefuseWhatMakesNoSense)
{
    const trib_propose_options good = trib_propose_as(TRIB_STRATEGY_FAST);
    Picture picture(8, 8);
    Boxes boxes;
    auto refused = [&](auto change, const char *text) {
        trib_propose_options options = good;
        change(options);
        EXPECT_FAILS(propose(options, picture, &boxes), TRIB_INVALID_ARGUMENT, text);
    };
    refused([](auto &o) { o.space_count = 0; }, "space_count");
    refused([](auto &o) { o.set_count = TRIB_PROPOSE_SETS + 1; }, "set_count");
    refused([](auto &o) { o.k_count = -1; }, "k_count");
    refused([](auto &o) { o.spaces[1] = TRIB_COLOUR_SPACES; }, "spaces[1]");
    refused([](auto &o) { o.sets[0] = 0; }, "sets[0]");
    refused([](auto &o) { o.sets[1] = 16; }, "sets[1]");
    refused([](auto &o) { o.ks[0] = 0; }, "ks[0]");
    refused([](auto &o) { o.ks[1] = (1 << 24) + 1; }, "ks[1]");
    refused([](auto &o) { o.pixels = -1; }, "pixels");
    refused([](auto &o) { o.min_side = -1; }, "min_side");
    trib_image empty = {}, image = picture.image(), huge = { 30000, 30000, 1, image.pixels, nullptr };
    trib_proposals found = {};
    EXPECT_FAILS(trib_propose(nullptr, &image, &found), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_propose(&good, &empty, &found), TRIB_INVALID_ARGUMENT, "empty");
    EXPECT_FAILS(trib_propose(&good, &image, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    trib_propose_options as_it_is = good;
    as_it_is.pixels = 0;
    EXPECT_FAILS(trib_propose(&as_it_is, &huge, &found), TRIB_INVALID_ARGUMENT, "30000 x 30000");
    trib_proposals_release(nullptr);
    EXPECT_EQ(trib_strategy_name(TRIB_STRATEGIES), nullptr);
    EXPECT_STREQ(trib_strategy_name(TRIB_STRATEGY_PAPER), "paper");
}

TEST(Propose, OfTheLargestK)
{
    trib_propose_options options = one_grouping(TRIB_COLOURS_RGI, 1 << 24, 15);
    EXPECT_EQ(proposals_of(options, scene(3, 30, 20)), Boxes({ { 0, 0, 30, 20 } }));
}

} // namespace
