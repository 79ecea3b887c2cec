// SPDX-License-Identifier: Apache-2.0
// COCO's rules one by one, and the cover of proposals. (Whole sets: expected_test.cc.)
#include "detect/coco_ap.h"
#include "detect/proposals.h"
#include "detect/sets.h"

namespace
{

using detect::Set;

class Coco
{
  public:
    explicit Coco(const Set &set, const int *most = nullptr)
    {
        EXPECT_OK(trib_coco_ap_compute(&set.truths, &set.detections, most, &ap_));
    }
    ~Coco() { trib_coco_ap_release(&ap_); }
    const trib_coco_ap *operator->() const { return &ap_; }

  private:
    trib_coco_ap ap_ = {};
};

TEST(ApOfCoco, Overlaps)
{
    EXPECT_EQ(trib_coco_iou(0), 0.5);
    EXPECT_EQ(trib_coco_iou(5), 0.75);
    EXPECT_EQ(trib_coco_iou(9), 0.95);
}

TEST(ApOfCoco, PerOverlap)
{
    Set set(1, 1);
    set.truth(0, 0, { 0, 0, 100, 100 });
    set.found(0, 0, { 0, 0, 100, 72 }, 1); // IoU 0.72: 0.5 .. 0.7
    const Coco ap(set);
    EXPECT_DOUBLE_EQ(ap->mean.ap50, 1);
    EXPECT_DOUBLE_EQ(ap->mean.ap75, 0);
    EXPECT_DOUBLE_EQ(ap->mean.ap[TRIB_COCO_ALL], 0.5);
    EXPECT_DOUBLE_EQ(ap->mean.ap[TRIB_COCO_LARGE], 0.5);
    EXPECT_DOUBLE_EQ(ap->mean.recall_of[0], 0.5);
    EXPECT_EQ(ap->mean.ap[TRIB_COCO_SMALL], -1);
    EXPECT_EQ(ap->classes[0].best_precision[4][100], 1);
    EXPECT_EQ(ap->classes[0].best_precision[5][0], 0);
}

TEST(ApOfCoco, FreeTruthIsTaken)
{
    Set set(1, 1);
    set.truth(0, 0, { 0, 0, 40, 40 });
    set.truth(0, 0, { 0, 0, 40, 38 });
    set.found(0, 0, { 0, 0, 40, 40 }, 0.9);
    set.found(0, 0, { 0, 0, 40, 40 }, 0.8);
    EXPECT_DOUBLE_EQ(Coco(set)->mean.ap[TRIB_COCO_ALL], 1);
}

TEST(ApOfCoco, CrowdTakesAnyNumber)
{
    Set set(1, 1);
    set.truth(0, 0, { 0, 0, 90, 90 }).crowd = true;
    set.truth(0, 0, { 0, 0, 20, 20 });
    set.found(0, 0, { 30, 30, 10, 10 }, 0.9); // in the crowd: overlap 1
    set.found(0, 0, { 50, 50, 10, 10 }, 0.8);
    set.found(0, 0, { 0, 0, 20, 20 }, 0.7); // in the crowd too, but the object comes first
    EXPECT_DOUBLE_EQ(Coco(set)->mean.ap[TRIB_COCO_ALL], 1);
}

TEST(ApOfCoco, MostDetections)
{
    Set set(1, 1);
    set.truth(0, 0, { 0, 0, 40, 40 });
    set.found(0, 0, { 50, 50, 40, 20 }, 0.9);
    set.found(0, 0, { 0, 0, 40, 40 }, 0.8);
    const Coco usual(set);
    EXPECT_EQ(usual->mean.recall_of[0], 0);
    EXPECT_EQ(usual->mean.recall_of[1], 1);
    EXPECT_DOUBLE_EQ(usual->mean.ap50, 0.5);
    const int one[3] = { 1, 1, 1 };
    EXPECT_EQ(Coco(set, one)->mean.ap50, 0);
}

TEST(ApOfCoco, DifficultIsAnObject)
{
    Set set(1, 1);
    set.truth(0, 0, { 0, 0, 40, 40 }).difficult = true;
    EXPECT_EQ(Coco(set)->mean.ap50, 0);
}

TEST(ApOfCoco, Nothing)
{
    const Set nothing(0, 0);
    EXPECT_EQ(Coco(nothing)->mean.ap50, -1);
    Set unwanted(1, 1);
    unwanted.found(0, 0, { 0, 0, 40, 40 }, 1);
    EXPECT_EQ(Coco(unwanted)->mean.ap50, -1);
    EXPECT_EQ(Coco(unwanted)->mean.recall_of[2], -1);
}

// ---- proposals ----

TEST(Proposals, Coverage)
{
    Set set(3, 3);
    set.truth(0, 0, { 0, 0, 10, 10 });  // best overlap 1
    set.truth(0, 0, { 20, 0, 10, 10 }); // 0.6
    set.truth(1, 1, { 0, 0, 10, 10 });  // none: the proposals are of another image
    set.truth(1, 2, { 0, 0, 10, 10 }).difficult = true;
    set.truth(1, 2, { 0, 0, 10, 10 }).crowd = true;
    set.found(0, 0, { 0, 0, 10, 10 }, 0);
    set.found(0, 0, { 0, 0, 5, 10 }, 0);
    set.found(0, 0, { 20, 0, 10, 6 }, 0);
    trib_coverage c = {};
    double abo[3];
    ASSERT_OK(trib_coverage_compute(&set.truths, &set.detections, &c, abo));
    EXPECT_EQ(c.truths, 3u);
    EXPECT_DOUBLE_EQ(c.recall50, 2.0 / 3);
    EXPECT_DOUBLE_EQ(c.recall70, 1.0 / 3);
    EXPECT_DOUBLE_EQ(c.recall_mean, (10 + 3) / 30.0); // 0.5, 0.55, and 0.6 to the last bit
    EXPECT_DOUBLE_EQ(c.best_overlap, 1.6 / 3);
    EXPECT_DOUBLE_EQ(abo[0], 0.8);
    EXPECT_EQ(abo[1], 0);
    EXPECT_EQ(abo[2], -1);
    EXPECT_DOUBLE_EQ(c.mabo, 0.4);
    EXPECT_EQ(c.per_image, 1);
}

TEST(Proposals, Nothing)
{
    const Set nothing(0, 0);
    trib_coverage c = {};
    ASSERT_OK(trib_coverage_compute(&nothing.truths, &nothing.detections, &c, nullptr));
    EXPECT_EQ(c.recall50, -1);
    EXPECT_EQ(c.mabo, -1);
    EXPECT_EQ(c.per_image, -1);
    Set bad(1, 1);
    bad.found(5, 0, { 0, 0, 1, 1 }, 0);
    EXPECT_FAILS(trib_coverage_compute(&bad.truths, &bad.detections, &c, nullptr), TRIB_BAD_DATA, "detection 1");
}

} // namespace
