// SPDX-License-Identifier: Apache-2.0
// Small sets of boxes written down by hand.
#pragma once

#include <string>

#include "detect/random_set.h"

namespace detect
{

struct Set {
    Truths truths;
    Detections detections;

    Set(int images, int categories)
    {
        for (int i = 0; i < images; ++i)
            EXPECT_OK(trib_truths_add_image(&truths, ("image" + std::to_string(i) + ".jpg").c_str(), i + 1, 100, 80));
        for (int c = 0; c < categories; ++c)
            EXPECT_OK(trib_truths_add_category(&truths, ("class" + std::to_string(c)).c_str(), c + 1));
    }
    trib_truth &truth(int image, int category, trib_box box)
    {
        trib_truth t = {};
        t.image = image;
        t.category = category;
        t.box = box;
        t.area = trib_box_area(&box);
        EXPECT_OK(trib_truths_add(&truths, &t));
        return truths.items[truths.count - 1];
    }
    trib_detection &found(int image, int category, trib_box box, double score)
    {
        const trib_detection d = { image, category, box, score };
        EXPECT_OK(trib_detections_add(&detections, &d));
        return detections.items[detections.count - 1];
    }
};

} // namespace detect
