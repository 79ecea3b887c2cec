// SPDX-License-Identifier: Apache-2.0
// Average precision against numbers that pycocotools and mean-average-precision computed from the same sets.
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "detect/ap.h"
#include "detect/coco_ap.h"
#include "detect/random_set.h"

namespace
{

using detect::Numbers, detect::numbers_of;

void expect_near(const Numbers &got, const Numbers &wanted, const std::string &what)
{
    ASSERT_EQ(got.size(), wanted.size()) << what;
    for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_TRUE(std::fabs(got[i] - wanted[i]) <= 1e-9)
            << what << ", number " << i << ": " << got[i] << ", wanted: " << wanted[i];
}

Numbers twelve(const trib_coco_numbers &n)
{
    return { n.ap[0],        n.ap50,         n.ap75,         n.ap[1],     n.ap[2],     n.ap[3],
             n.recall_of[0], n.recall_of[1], n.recall_of[2], n.recall[1], n.recall[2], n.recall[3] };
}

TEST(AveragePrecision, IsThatOfOtherTools)
{
    std::ifstream in(support::data_file("detect/expected.txt"));
    for (int seed = 0; seed < 200; ++seed) {
        const std::string what = "set " + std::to_string(seed);
        detect::RandomSet set(seed);
        trib_ap later = {}, earlier = {};
        trib_coco_ap coco = {};
        ASSERT_OK(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &later));
        ASSERT_OK(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC2007, 0, &earlier));
        ASSERT_OK(trib_coco_ap_compute(&set.truths, &set.detections, nullptr, &coco));
        expect_near(twelve(coco.mean), numbers_of(in, 2), what);
        for (std::size_t c = 0; c < coco.count; ++c) {
            const trib_coco_numbers &n = coco.classes[c].numbers;
            expect_near({ n.ap[0], n.ap50, later.classes[c].ap, earlier.classes[c].ap }, numbers_of(in, 0),
                        what + ", class " + std::to_string(c));
        }
        trib_ap_release(&later);
        trib_ap_release(&earlier);
        trib_coco_ap_release(&coco);
        if (HasFailure()) return;
    }
}

} // namespace
