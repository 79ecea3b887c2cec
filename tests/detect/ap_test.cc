// SPDX-License-Identifier: Apache-2.0
// Rules of average precision on cases small enough to work out by hand.
#include <cmath>
#include <limits>

#include "detect/ap.h"
#include "detect/coco_ap.h"
#include "detect/sets.h"

namespace
{

using detect::Set;

class Ap
{
  public:
    Ap(const Set &set, trib_ap_rule rule, double iou = 0)
    {
        EXPECT_OK(trib_ap_compute(&set.truths, &set.detections, rule, iou, &ap_));
    }
    ~Ap() { trib_ap_release(&ap_); }
    double mean() const { return ap_.mean; }
    double of(std::size_t c) const { return ap_.classes[c].ap; }
    const trib_precision_recall &curve(std::size_t c) const { return ap_.classes[c].curve; }

  private:
    trib_ap ap_ = {};
};

const trib_box square = { 10, 10, 40, 40 };
const trib_box elsewhere = { 60, 40, 40, 40 };

// ---- overlap ----

TEST(Boxes, Overlap)
{
    const trib_box a = { 0, 0, 4, 2 }, b = { 2, 1, 4, 2 }, beside = { 4, 0, 4, 2 }, point = { 1, 1, 0, 0 };
    EXPECT_EQ(trib_box_intersection(&a, &b), 2);
    EXPECT_EQ(trib_box_iou(&a, &b), 2.0 / 14);
    EXPECT_EQ(trib_box_iou(&a, &a), 1);
    EXPECT_EQ(trib_box_iou(&a, &beside), 0);
    EXPECT_EQ(trib_box_iou(&a, &point), 0);
    EXPECT_EQ(trib_box_iou(&point, &point), 0);
}

// ---- VOC ----

TEST(ApOfVoc, HitsAndMisses)
{
    Set set(2, 1);
    set.truth(0, 0, square);
    set.truth(1, 0, square);
    set.found(0, 0, square, 0.9);    // hit
    set.found(0, 0, elsewhere, 0.8); // miss
    set.found(1, 0, square, 0.7);    // hit
    set.found(1, 0, square, 0.6);    // used: miss
    const Ap ap(set, TRIB_AP_VOC);
    EXPECT_DOUBLE_EQ(ap.mean(), 0.5 * 1 + 0.5 * 2 / 3);
    ASSERT_EQ(ap.curve(0).count, 4u);
    EXPECT_DOUBLE_EQ(trib_precision_at(&ap.curve(0), 2), 2.0 / 3);
    EXPECT_DOUBLE_EQ(trib_recall_at(&ap.curve(0), 3), 1);
    EXPECT_EQ(ap.curve(0).scores[3], 0.6);
    // 11 points: 0 .. 0.5 have 1, 0.6 .. 1 have 2/3.
    EXPECT_DOUBLE_EQ(Ap(set, TRIB_AP_VOC2007).mean(), (6 + 5 * 2.0 / 3) / 11);
}

TEST(ApOfVoc, ExactlyHalfIsEnough)
{
    Set set(1, 1);
    set.truth(0, 0, square);
    set.found(0, 0, { 10, 10, 20, 40 }, 1);
    EXPECT_EQ(Ap(set, TRIB_AP_VOC).mean(), 1);
    EXPECT_EQ(Ap(set, TRIB_AP_VOC, 0.51).mean(), 0);
}

TEST(ApOfVoc, DifficultIsNeitherRightNorWrong)
{
    Set set(1, 1);
    set.truth(0, 0, square).difficult = true;
    set.truth(0, 0, elsewhere);
    set.found(0, 0, square, 0.9);
    set.found(0, 0, square, 0.8);
    set.found(0, 0, elsewhere, 0.7);
    const Ap ap(set, TRIB_AP_VOC);
    EXPECT_EQ(ap.mean(), 1);
    EXPECT_EQ(ap.curve(0).count, 1u);
    EXPECT_EQ(ap.curve(0).truths, 1u);
}

// The truth that overlaps most counts, though another one is free.
TEST(ApOfVoc, UsedTruthIsAMiss)
{
    Set set(1, 1);
    set.truth(0, 0, { 0, 0, 40, 40 });
    set.truth(0, 0, { 0, 0, 40, 30 });
    set.found(0, 0, { 0, 0, 40, 40 }, 0.9);
    set.found(0, 0, { 0, 0, 40, 38 }, 0.8);
    EXPECT_EQ(Ap(set, TRIB_AP_VOC).mean(), 0.5);
    EXPECT_EQ(Ap(set, TRIB_AP_ILSVRC).mean(), 1); // here it takes the free one
}

TEST(ApOfVoc, ClassesWithoutTruthAreNoClasses)
{
    Set set(1, 3);
    set.truth(0, 0, square);
    set.truth(0, 1, square).difficult = true;
    set.found(0, 0, square, 1);
    set.found(0, 2, square, 1);
    const Ap ap(set, TRIB_AP_VOC);
    EXPECT_EQ(ap.of(0), 1);
    EXPECT_EQ(ap.of(1), -1);
    EXPECT_EQ(ap.of(2), -1);
    EXPECT_EQ(ap.mean(), 1);
}

TEST(ApOfVoc, Nothing)
{
    const Set nothing(0, 0), unfound(1, 1);
    EXPECT_EQ(Ap(nothing, TRIB_AP_VOC).mean(), -1);
    EXPECT_EQ(Ap(unfound, TRIB_AP_VOC).mean(), -1);
    Set missed(1, 1);
    missed.truth(0, 0, square);
    EXPECT_EQ(Ap(missed, TRIB_AP_VOC).mean(), 0);
    EXPECT_EQ(Ap(missed, TRIB_AP_VOC2007).mean(), 0);
}

TEST(ApOfVoc, ThreeTenthsReachTheirPoint)
{
    Set set(1, 1);
    for (int i = 0; i < 10; ++i) set.truth(0, 0, { i * 50.0, 0, 40, 40 });
    for (int i = 0; i < 3; ++i) set.found(0, 0, { i * 50.0, 0, 40, 40 }, 1);
    EXPECT_DOUBLE_EQ(Ap(set, TRIB_AP_VOC2007).mean(), 4.0 / 11); // 0, 0.1, 0.2, 0.3
}

// ---- ILSVRC ----

TEST(ApOfIlsvrc, ThresholdOfSmallObjects)
{
    const trib_box ten = { 0, 0, 10, 10 }, large = { 0, 0, 100, 100 }, none = { 5, 5, 0, 0 };
    EXPECT_DOUBLE_EQ(trib_ilsvrc_threshold(&ten, 0.5), 100.0 / 400);
    EXPECT_EQ(trib_ilsvrc_threshold(&large, 0.5), 0.5);
    EXPECT_EQ(trib_ilsvrc_threshold(&none, 0.5), 0);
    // Squares of 24 pixels are below 0.5, 25 are above.
    const trib_box below = { 0, 0, 24, 24 }, above = { 0, 0, 25, 25 };
    EXPECT_LT(trib_ilsvrc_threshold(&below, 0.5), 0.5);
    EXPECT_EQ(trib_ilsvrc_threshold(&above, 0.5), 0.5);
}

TEST(ApOfIlsvrc, SmallObjectIsFoundFivePixelsOff)
{
    Set set(1, 1);
    set.truth(0, 0, { 20, 20, 10, 10 });
    set.found(0, 0, { 15, 15, 20, 20 }, 1); // five pixels larger on every side: 100 / 400, exactly the threshold
    EXPECT_EQ(Ap(set, TRIB_AP_ILSVRC).mean(), 1);
    EXPECT_EQ(Ap(set, TRIB_AP_ILSVRC_PLAIN).mean(), 0);
    EXPECT_EQ(Ap(set, TRIB_AP_VOC).mean(), 0);
    Set further(1, 1);
    further.truth(0, 0, { 20, 20, 10, 10 });
    further.found(0, 0, { 15, 15, 20, 20.5 }, 1);
    EXPECT_EQ(Ap(further, TRIB_AP_ILSVRC).mean(), 0);
}

TEST(ApOfIlsvrc, EmptyObjectIsNeverFound)
{
    Set set(1, 1);
    set.truth(0, 0, { 20, 20, 0, 0 });
    set.found(0, 0, { 15, 15, 20, 20 }, 1);
    EXPECT_EQ(Ap(set, TRIB_AP_ILSVRC).mean(), 0);
}

TEST(ApOfIlsvrc, DifficultAndCrowdAreObjects)
{
    Set set(1, 1);
    set.truth(0, 0, square).difficult = true;
    set.truth(0, 0, elsewhere).crowd = true;
    set.found(0, 0, square, 1);
    EXPECT_EQ(Ap(set, TRIB_AP_ILSVRC).mean(), 0.5);
}

// Two hits of three detections, in the order hit, miss, hit, for three objects: areas 1/3 * 1 + 1/3 * 2/3.
TEST(ApOfIlsvrc, Area)
{
    Set set(2, 1);
    for (int i = 0; i < 2; ++i) set.truth(i, 0, square);
    set.truth(0, 0, elsewhere);
    set.found(0, 0, square, 3);
    set.found(0, 0, square, 2);
    set.found(1, 0, square, 1);
    EXPECT_DOUBLE_EQ(Ap(set, TRIB_AP_ILSVRC).mean(), 1.0 / 3 + 2.0 / 9);
}

// ---- what is refused ----

TEST(ApOfBadData, IsRefused)
{
    const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
    const struct {
        trib_detection item;
        const char *message;
    } cases[] = {
        { { 1, 0, square, 1 }, "detection 1: it is of no image" },
        { { -1, 0, square, 1 }, "of no image" },
        { { 0, 1, square, 1 }, "of no category" },
        { { 0, 0, square, nan }, "score" },
        { { 0, 0, square, infinity }, "score" },
        { { 0, 0, { nan, 0, 1, 1 }, 1 }, "not a number" },
        { { 0, 0, { 0, -infinity, 1, 1 }, 1 }, "not a number" },
        { { 0, 0, { 0, 0, nan, 1 }, 1 }, "not a number" },
        { { 0, 0, { 0, 0, 1, 2e9 }, 1 }, "beyond 1e9" },
        { { 0, 0, { 0, 0, -1, 1 }, 1 }, "before the other" },
        { { 0, 0, { 0, 0, 1, -0.5 }, 1 }, "before the other" },
    };
    for (const auto &c : cases) {
        Set set(1, 1);
        set.found(c.item.image, c.item.category, c.item.box, c.item.score);
        trib_ap ap = {};
        trib_coco_ap coco = {};
        EXPECT_FAILS(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &ap), TRIB_BAD_DATA, c.message);
        EXPECT_FAILS(trib_coco_ap_compute(&set.truths, &set.detections, nullptr, &coco), TRIB_BAD_DATA, c.message);
        EXPECT_EQ(ap.classes, nullptr);
        EXPECT_EQ(coco.classes, nullptr);
    }
    Set set(1, 1);
    trib_truth &truth = set.truth(0, 0, square);
    trib_ap ap = {};
    for (double area : { -1.0, nan, infinity }) {
        truth.area = area;
        EXPECT_FAILS(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &ap), TRIB_BAD_DATA, "box 1");
    }
    for (double iou : { -0.1, 1.1, nan })
        EXPECT_FAILS(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, iou, &ap), TRIB_INVALID_ARGUMENT,
                     "overlap");
    trib_coco_ap coco = {};
    for (const auto &most : { std::vector<int> { 0, 1, 2 }, { 1, 3, 2 }, { 3, 2, 4 } })
        EXPECT_FAILS(trib_coco_ap_compute(&set.truths, &set.detections, most.data(), &coco), TRIB_INVALID_ARGUMENT,
                     "rising");
}

} // namespace
