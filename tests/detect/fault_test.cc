// SPDX-License-Identifier: Apache-2.0
// Every allocation fails once, in turn. The address sanitizer looks for leaks.
#include "detect/ap.h"
#include "detect/coco_ap.h"
#include "detect/proposals.h"
#include "detect/sets.h"
#include "formats/fail_each.h"

namespace
{

using files::fail_each;

class DetectFault : public testing::TestWithParam<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, DetectFault, testing::Bool(),
                         [](const auto &info) { return info.param ? "FromThenOn" : "Once"; });

TEST_P(DetectFault, AveragePrecision)
{
    detect::RandomSet set(20);
    const int faults = fail_each(
        [&](int) {
            trib_ap ap = {};
            const trib_status s = trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &ap);
            EXPECT_EQ(ap.classes == nullptr, trib_failed(&s));
            trib_ap_release(&ap);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 4 + 2);
}

TEST_P(DetectFault, AveragePrecisionOfCoco)
{
    detect::RandomSet set(20);
    const int faults = fail_each(
        [&](int) {
            trib_coco_ap ap = {};
            const trib_status s = trib_coco_ap_compute(&set.truths, &set.detections, nullptr, &ap);
            EXPECT_EQ(ap.classes == nullptr, trib_failed(&s));
            trib_coco_ap_release(&ap);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 9);
}

TEST_P(DetectFault, Coverage)
{
    detect::RandomSet set(20);
    const int faults = fail_each(
        [&](int) {
            trib_coverage coverage = {};
            return trib_coverage_compute(&set.truths, &set.detections, &coverage, nullptr);
        },
        GetParam());
    EXPECT_EQ(faults, 3);
}

} // namespace
