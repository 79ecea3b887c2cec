// SPDX-License-Identifier: Apache-2.0
// Every allocation fails once, in turn. The address sanitizer looks for leaks.
#include "detect/ap.h"
#include "detect/coco.h"
#include "detect/coco_ap.h"
#include "detect/coco_plot.h"
#include "detect/ilsvrc.h"
#include "detect/pr_plot.h"
#include "detect/proposals.h"
#include "detect/sets.h"
#include "detect/voc.h"
#include "detect/yolo.h"
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

TEST_P(DetectFault, Coco)
{
    detect::RandomSet set(1);
    trib_text truth = {}, results = {};
    trib_coco_write(&set.truths, &truth);
    trib_coco_write_results(&set.truths, &set.detections, &results);
    support::TemporaryFolder folder;
    const std::string path = folder.file("truth.json");
    support::write_file(path, truth.bytes);
    const int faults = fail_each(
        [&](int) {
            detect::Truths t;
            detect::Detections d;
            trib_status s = trib_coco_read_file(path.c_str(), &t);
            if (!trib_failed(&s)) s = trib_coco_read_results(results.bytes, results.size, "r.json", &t, &d);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 100);
    trib_text_free(&truth);
    trib_text_free(&results);
}

TEST_P(DetectFault, Voc)
{
    detect::Set set(2, 2);
    set.truth(0, 1, { 1, 2, 3, 4 });
    support::TemporaryFolder folder;
    const trib_voc_options options = { 1, false };
    const std::string results = "image0 1 1 1 1 1\n";
    int faults =
        fail_each([&](int) { return trib_voc_write_folder(&set.truths, 1, folder.path().c_str()); }, GetParam());
    EXPECT_GE(faults, 20);
    faults = fail_each(
        [&](int) {
            detect::Truths t;
            detect::Detections d;
            trib_status s = trib_voc_read_folder(folder.path().c_str(), nullptr, &options, &t);
            if (!trib_failed(&s)) s = trib_voc_read_results(results.data(), results.size(), "r.txt", 0, 1, &t, &d);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 20);
    const std::string list = folder.file("list.txt");
    support::write_file(list, "image0\nimage1\n");
    faults = fail_each(
        [&](int) {
            detect::Truths t;
            return trib_voc_read_folder(folder.path().c_str(), list.c_str(), &options, &t);
        },
        GetParam());
    EXPECT_GE(faults, 20);
}

TEST_P(DetectFault, YoloAndIlsvrc)
{
    detect::Set set(2, 2);
    set.truth(0, 1, { 1, 2, 3, 4 });
    set.found(0, 1, { 1, 2, 3, 4 }, 1);
    support::TemporaryFolder folder;
    const std::string lines = "1 7 1 1 1 1 1\n", classes = "n1 7 a\n", names = "a b\n";
    int faults = fail_each(
        [&](int) { return trib_yolo_write_folder(&set.truths, nullptr, folder.path().c_str(), nullptr); }, GetParam());
    EXPECT_GE(faults, 20);
    faults = fail_each(
        [&](int) {
            detect::Set back(0, 0);
            detect::Detections d;
            trib_status s = trib_truths_add_image(&back.truths, "image0.jpg", 1, 9, 9);
            if (!trib_failed(&s)) s = trib_ilsvrc_read_classes(classes.data(), classes.size(), "c", &back.truths);
            if (!trib_failed(&s)) s = trib_yolo_read_names(names.data(), names.size(), "n", &back.truths);
            if (!trib_failed(&s)) s = trib_yolo_read_folder(folder.path().c_str(), &back.truths, nullptr);
            if (!trib_failed(&s)) s = trib_ilsvrc_read_results(lines.data(), lines.size(), "r", &back.truths, &d);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 10);
}

TEST_P(DetectFault, Plot)
{
    detect::RandomSet set(3);
    trib_ap ap = {};
    ASSERT_OK(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &ap));
    support::TemporaryFolder folder;
    const std::string path = folder.file("curves.svg");
    const int faults = fail_each(
        [&](int) { return trib_precision_recall_write(path.c_str(), &set.truths, &ap, "title"); }, GetParam());
    EXPECT_GE(faults, 10);
    trib_ap_release(&ap);
    trib_coco_ap coco = {};
    ASSERT_OK(trib_coco_ap_compute(&set.truths, &set.detections, nullptr, &coco));
    EXPECT_GE(
        fail_each([&](int) { return trib_coco_plot_write(path.c_str(), &set.truths, &coco, "title"); }, GetParam()),
        10);
    trib_coco_ap_release(&coco);
}

} // namespace
