// SPDX-License-Identifier: Apache-2.0
// What remains of overlapping boxes, by hand and against the definition; which class is background.
#include "detect/nms.h"

#include <algorithm>
#include <random>

#include "detect/region_classes.h"
#include "formats/fail_each.h"
#include "support/support.h"

namespace
{

using Boxes = std::vector<trib_scored_box>;

Boxes nms(Boxes boxes, double overlap = 0.3, int most = 100)
{
    const trib_nms_options options = { overlap, most };
    size_t kept = 77;
    EXPECT_OK(trib_nms(&options, boxes.data(), boxes.size(), &kept));
    EXPECT_LE(kept, boxes.size());
    boxes.resize(kept);
    return boxes;
}

std::string text(const Boxes &boxes)
{
    std::string all;
    for (const trib_scored_box &b : boxes)
        all += std::to_string(b.klass) + "@" + std::to_string((int)b.box.x) + ":" +
               std::to_string((int)std::lround(100 * b.score)) + " ";
    return all;
}

TEST(Nms, NothingRemainsOfNothing) { EXPECT_EQ(text(nms({})), ""); }

TEST(Nms, ASurerBoxOfTheSameClassSuppresses)
{
    // 5 of 10 columns are shared: IoU 1/3.
    const Boxes boxes = { { { 0, 0, 10, 10 }, 1, .5f }, { { 5, 0, 10, 10 }, 1, .9f }, { { 5, 0, 10, 10 }, 2, .2f } };
    EXPECT_EQ(text(nms(boxes)), "1@5:90 2@5:20 ");
    EXPECT_EQ(text(nms(boxes, 0.34)), "1@5:90 1@0:50 2@5:20 ");
    EXPECT_EQ(text(nms(boxes, 1)), "1@5:90 1@0:50 2@5:20 ");
}

TEST(Nms, AnOverlapOfExactlyTheLimitIsKept)
{
    // 10 columns of 20: IoU exactly 0.5.
    const Boxes boxes = { { { 0, 0, 20, 1 }, 1, .9f }, { { 0, 0, 10, 1 }, 1, .8f } };
    EXPECT_EQ(nms(boxes, 0.5).size(), 2u);
    EXPECT_EQ(nms(boxes, std::nextafter(0.5, 0)).size(), 1u);
    EXPECT_EQ(nms(boxes, 0).size(), 1u);
}

TEST(Nms, ASuppressedBoxSuppressesNone)
{
    const Boxes boxes = { { { 0, 0, 10, 10 }, 1, .9f }, { { 5, 0, 10, 10 }, 1, .8f }, { { 10, 0, 10, 10 }, 1, .7f } };
    EXPECT_EQ(text(nms(boxes)), "1@0:90 1@10:70 ");
}

TEST(Nms, OfEqualScoresTheFirstIsTaken)
{
    const Boxes boxes = { { { 0, 0, 10, 10 }, 1, .5f }, { { 1, 0, 10, 10 }, 1, .5f }, { { 30, 0, 10, 10 }, 0, .5f } };
    EXPECT_EQ(text(nms(boxes)), "1@0:50 0@30:50 ");
}

TEST(Nms, TheSurestOfAllClassesRemain)
{
    Boxes boxes;
    for (int i = 0; i < 10; ++i) boxes.push_back({ { 100. * i, 0, 10, 10 }, i % 3, .1 * i });
    EXPECT_EQ(text(nms(boxes, 0.3, 3)), "0@900:90 2@800:80 1@700:70 ");
    EXPECT_EQ(nms(boxes, 0.3, 0).size(), 0u);
}

TEST(Nms, BoxesWithoutAreaOverlapNothing)
{
    const Boxes boxes = { { { 3, 3, 0, 0 }, 1, .9f }, { { 3, 3, 0, 0 }, 1, .8f } };
    EXPECT_EQ(nms(boxes, 0).size(), 2u);
}

/* Class by class, then all classes together: the definition, with every pair looked at. */
Boxes by_definition(const Boxes &boxes, double overlap, size_t most)
{
    Boxes all;
    for (int klass = 0; klass < 4; ++klass) {
        std::vector<size_t> left;
        for (size_t i = 0; i < boxes.size(); ++i)
            if (boxes[i].klass == klass) left.push_back(i);
        while (!left.empty()) {
            size_t best = left[0];
            for (size_t i : left)
                if (boxes[i].score > boxes[best].score) best = i;
            std::vector<size_t> rest;
            for (size_t i : left)
                if (i != best && trib_box_iou(&boxes[i].box, &boxes[best].box) <= overlap) rest.push_back(i);
            all.push_back(boxes[best]);
            left = rest;
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto &a, const auto &b) { return a.score > b.score; });
    if (all.size() > most) all.resize(most);
    return all;
}

TEST(Nms, RandomListsAreThoseOfTheDefinition)
{
    std::mt19937 random(5);
    auto below = [&](int limit) { return (int)(random() % (unsigned)limit); };
    for (int turn = 0; turn < 200; ++turn) {
        Boxes boxes;
        const int count = below(60);
        /* all scores differ, so the order of classes at equal scores does not matter */
        for (int i = 0; i < count; ++i)
            boxes.push_back({ { (double)below(50), (double)below(50), (double)below(30), (double)below(30) },
                              below(4),
                              (double)(below(1000) * 64 + i) });
        const double overlap = below(11) / 10.;
        const int most = below(30);
        const Boxes mine = nms(boxes, overlap, most), theirs = by_definition(boxes, overlap, (size_t)most);
        ASSERT_EQ(text(mine), text(theirs)) << turn;
    }
}

TEST(Nms, MemoryCanRunOut)
{
    for (bool from_then_on : { false, true }) {
        const int faults = files::fail_each(
            [&](int) {
                Boxes boxes = { { { 0, 0, 10, 10 }, 1, .5f } };
                const trib_nms_options options = { 0.3, 100 };
                size_t kept = 77;
                const trib_status s = trib_nms(&options, boxes.data(), boxes.size(), &kept);
                EXPECT_EQ(kept, trib_failed(&s) ? 0u : 1u);
                return s;
            },
            from_then_on);
        EXPECT_EQ(faults, 1);
    }
}

TEST(RegionClasses, BackgroundIsKnownByItsLabel)
{
    EXPECT_TRUE(trib_is_background("background"));
    EXPECT_TRUE(trib_is_background("__background__"));
    for (const char *other : { "", "Background", "backgrounds", "person" }) EXPECT_FALSE(trib_is_background(other));
    EXPECT_FALSE(trib_is_background(nullptr));
}

TEST(RegionClasses, ContextIsInProportionToTheInput)
{
    EXPECT_EQ(trib_region_context(224, 224), 16);
    EXPECT_EQ(trib_region_context(64, 64), 5);
    EXPECT_EQ(trib_region_context(448, 224), 16);
    EXPECT_EQ(trib_region_context(1, 1), 0);
    EXPECT_EQ(trib_region_context(14 << 24, 14 << 24), 1 << 24);
}

TEST(RegionClasses, AModelWithoutLabelsHasNoBackground)
{
    trib_network_spec net = {};
    net.network = trib_network_find("bvlc");
    net.classes = 3;
    net.width_multiplier = 0.125;
    trib_model *model = nullptr;
    ASSERT_OK(trib_model_random(&net, 1, &model));
    EXPECT_EQ(trib_background_class(model), TRIB_NO_BACKGROUND);
    trib_model_destroy(model);
}

} // namespace
