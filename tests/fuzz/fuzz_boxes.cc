// SPDX-License-Identifier: Apache-2.0
// Any bytes as each of the text files of boxes: YOLO's names, truth and results, ILSVRC's classes and results, VOC's
// results; and as a file whose format is to be recognised, csv and lines of JSON included.
#include <cstdint>
#include <cstdlib>

#include "detect/ilsvrc.h"
#include "detect/truth_private.h"
#include "detect/voc.h"
#include "detect/yolo.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

void check(const trib_status &s) { check(!trib_failed(&s) || s.message[0]); }

void start(trib_truths *truths)
{
    const trib_status image = trib_truths_add_image(truths, "a.jpg", 1, 100, 80);
    const trib_status category = trib_truths_add_category(truths, "cat", 1);
    check(!trib_failed(&image) && !trib_failed(&category));
}

void expect_sound(const trib_truths &truths, const trib_detections &detections)
{
    const trib_status s = trib_boxes_check(&truths, &detections);
    check(!trib_failed(&s));
}

void check_recognised(const char *bytes, std::size_t size)
{
    trib_truth_file truth = {}, read = {};
    trib_detection_file found = {};
    start(&truth.truths);
    trib_status s = trib_detections_read(bytes, size, "cat.txt", &truth, &found);
    check(s);
    if (!trib_failed(&s)) check(found.taken[0]);
    expect_sound(truth.truths, found.detections);
    s = trib_truth_read(bytes, size, "fuzz", nullptr, &read);
    check(s);
    const trib_detections none = {};
    if (!trib_failed(&s)) expect_sound(read.truths, none);
    trib_truth_close(&truth);
    trib_truth_close(&read);
    trib_detections_close(&found);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const char *bytes = reinterpret_cast<const char *>(data);
    trib_truths truths = {}, names = {};
    trib_detections detections = {};
    start(&truths);
    check(trib_yolo_read_names(bytes, size, "fuzz", &names));
    check(trib_ilsvrc_read_classes(bytes, size, "fuzz", &names));
    check(trib_yolo_read(bytes, size, "fuzz", 0, &truths));
    check(trib_yolo_read_results(bytes, size, "fuzz", 0, &truths, &detections));
    check(trib_ilsvrc_read_results(bytes, size, "fuzz", &truths, &detections));
    check(trib_voc_read_results(bytes, size, "fuzz", 0, 1, &truths, &detections));
    expect_sound(truths, detections);
    trib_truths_release(&truths);
    trib_truths_release(&names);
    trib_detections_release(&detections);
    check_recognised(bytes, size);
    return 0;
}
