// SPDX-License-Identifier: Apache-2.0
// Any bytes as COCO's truth, and as results of a small set: what is accepted is sound, computes, and comes back when it
// is written and read again.
#include <cstdint>
#include <cstdlib>

#include "detect/coco.h"
#include "detect/coco_ap.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

void check_truth(const char *bytes, std::size_t size)
{
    trib_truths truths = {}, back = {};
    trib_status s = trib_coco_read(bytes, size, "fuzz", &truths);
    check(!trib_failed(&s) || s.message[0]);
    if (!trib_failed(&s)) {
        trib_text json = {};
        trib_coco_write(&truths, &json);
        s = trib_coco_read(json.bytes, json.size, "written", &back);
        check(!trib_failed(&s) && back.count == truths.count && back.image_count == truths.image_count);
        trib_text_free(&json);
    }
    trib_truths_release(&truths);
    trib_truths_release(&back);
}

const trib_truths &small_set()
{
    static trib_truths truths = {};
    static const char json[] = R"({"images": [{"id": 1}], "categories": [{"id": 1, "name": "a"}], "annotations":
        [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}]})";
    if (!truths.count) {
        const trib_status s = trib_coco_read(json, sizeof json - 1, "small set", &truths);
        check(!trib_failed(&s));
    }
    return truths;
}

void check_results(const char *bytes, std::size_t size)
{
    trib_detections detections = {};
    trib_coco_ap ap = {};
    trib_status s = trib_coco_read_results(bytes, size, "fuzz", &small_set(), &detections);
    check(!trib_failed(&s) || s.message[0]);
    if (!trib_failed(&s)) {
        s = trib_coco_ap_compute(&small_set(), &detections, nullptr, &ap);
        check(!trib_failed(&s) && ap.mean.ap50 >= 0 && ap.mean.ap50 <= 1);
    }
    trib_coco_ap_release(&ap);
    trib_detections_release(&detections);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const char *bytes = reinterpret_cast<const char *>(data);
    check_truth(bytes, size);
    check_results(bytes, size);
    return 0;
}
