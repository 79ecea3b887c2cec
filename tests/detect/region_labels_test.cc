// SPDX-License-Identifier: Apache-2.0
// What regions show, by hand.
#include "detect/region_labels.h"

#include "support/support.h"

namespace
{

trib_truth object(int category, trib_box box, bool difficult = false, bool crowd = false)
{
    trib_truth t = {};
    t.category = category;
    t.box = box;
    t.difficult = difficult;
    t.crowd = crowd;
    return t;
}

int label(const std::vector<trib_truth> &truths, trib_box region)
{
    return trib_region_label(truths.data(), truths.size(), &region);
}

} // namespace

TEST(RegionLabels, AnObjectFromHalfOfItsUnion)
{
    const std::vector<trib_truth> one = { object(3, { 10, 10, 20, 10 }) };
    EXPECT_EQ(label(one, { 10, 10, 20, 10 }), 3);
    EXPECT_EQ(label(one, { 10, 10, 10, 10 }), 3); // 100 of 200
    EXPECT_EQ(label(one, { 10, 10, 9, 10 }), TRIB_REGION_OF_BACKGROUND);
    EXPECT_EQ(label(one, { 10, 10, 40, 10 }), 3); // 200 of 400
    EXPECT_EQ(label(one, { 10, 10, 41, 10 }), TRIB_REGION_OF_BACKGROUND);
    EXPECT_EQ(label(one, { 100, 100, 5, 5 }), TRIB_REGION_OF_BACKGROUND);
    EXPECT_EQ(label({}, { 0, 0, 5, 5 }), TRIB_REGION_OF_BACKGROUND);
}

TEST(RegionLabels, OfSeveralTheOneThatIsOverlappedMost)
{
    const std::vector<trib_truth> two = { object(1, { 0, 0, 10, 10 }), object(2, { 0, 0, 10, 12 }) };
    EXPECT_EQ(label(two, { 0, 0, 10, 10 }), 1);
    EXPECT_EQ(label(two, { 0, 0, 10, 12 }), 2);
    EXPECT_EQ(label({ object(5, { 0, 0, 10, 10 }), object(4, { 0, 0, 10, 10 }) }, { 0, 0, 10, 10 }), 5); // the first
}

TEST(RegionLabels, DifficultObjectsAndCrowdsAreNeither)
{
    const trib_box box = { 0, 0, 10, 10 };
    EXPECT_EQ(label({ object(1, box, true) }, box), TRIB_REGION_OF_NEITHER);
    EXPECT_EQ(label({ object(1, box, true) }, { 0, 0, 4, 10 }), TRIB_REGION_OF_BACKGROUND);
    EXPECT_EQ(label({ object(1, box, true), object(2, { 0, 0, 10, 9 }) }, box), 2); // an example all the same
    // Of a crowd, half of the region is enough, however small that is.
    EXPECT_EQ(label({ object(1, { 0, 0, 100, 100 }, false, true) }, { 50, 50, 5, 5 }), TRIB_REGION_OF_NEITHER);
    EXPECT_EQ(label({ object(1, { 0, 0, 100, 100 }, false, true) }, { 98, 0, 4, 10 }), TRIB_REGION_OF_NEITHER);
    EXPECT_EQ(label({ object(1, { 0, 0, 100, 100 }, false, true) }, { 98, 0, 5, 10 }), TRIB_REGION_OF_BACKGROUND);
    EXPECT_EQ(label({ object(1, { 0, 0, 100, 100 }, false, true) }, { 5, 5, 0, 10 }), TRIB_REGION_OF_BACKGROUND);
}
