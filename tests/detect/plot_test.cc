// SPDX-License-Identifier: Apache-2.0
// Curves of precision and recall.
#include "detect/coco_plot.h"
#include "detect/pr_plot.h"
#include "detect/sets.h"

namespace
{

int count(const std::string &text, const std::string &what)
{
    int n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

TEST(PrecisionRecallPlot, PanelPerClass)
{
    detect::Set set(1, 3);
    set.truth(0, 0, { 0, 0, 10, 10 });
    set.truth(0, 1, { 0, 0, 10, 10 });
    set.truth(0, 1, { 50, 0, 10, 10 });
    set.found(0, 0, { 0, 0, 10, 10 }, 1);
    set.found(0, 1, { 0, 0, 10, 10 }, 1);
    set.found(0, 1, { 30, 0, 10, 10 }, 0.5);
    trib_ap ap = {};
    ASSERT_OK(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &ap));
    support::TemporaryFolder folder;
    const std::string path = folder.file("curves.svg");
    ASSERT_OK(trib_precision_recall_write(path.c_str(), &set.truths, &ap, "<Garments>"));
    trib_ap_release(&ap);
    const std::string svg = support::read_file(path);
    EXPECT_EQ(svg.rfind("<svg", 0), 0u);
    EXPECT_GE(count(svg, "&lt;Garments&gt;"), 1);
    EXPECT_EQ(count(svg, ">Mean over classes: AP 0.750<"), 1);
    EXPECT_EQ(count(svg, ">class0: AP 1.000, objects: 1<"), 1);
    EXPECT_EQ(count(svg, ">class1: AP 0.500, objects: 2<"), 1);
    EXPECT_EQ(count(svg, "class2"), 0);
    EXPECT_GE(count(svg, ">recall<"), 1);
}

TEST(PrecisionRecallPlot, OfCoco)
{
    detect::Set set(1, 3);
    set.truth(0, 0, { 0, 0, 10, 10 });
    set.truth(0, 1, { 20, 0, 10, 10 });
    set.found(0, 0, { 0, 0, 10, 10 }, 1);
    set.found(0, 1, { 20, 0, 10, 8 }, 1);
    trib_coco_ap ap = {};
    ASSERT_OK(trib_coco_ap_compute(&set.truths, &set.detections, nullptr, &ap));
    support::TemporaryFolder folder;
    const std::string path = folder.file("curves.svg");
    ASSERT_OK(trib_coco_plot_write(path.c_str(), &set.truths, &ap, "<Garments>"));
    const std::string svg = support::read_file(path);
    EXPECT_GE(count(svg, "&lt;Garments&gt;"), 1);
    EXPECT_EQ(count(svg, ">Mean over classes: AP 0.850, and at IoU<"), 1);
    EXPECT_EQ(count(svg, ">class0: AP 1.000, and at IoU<"), 1);
    EXPECT_EQ(count(svg, ">class1: AP 0.700, and at IoU<"), 1);
    EXPECT_EQ(count(svg, ">0.9: 0.500<"), 1); // no last value behind it
    EXPECT_EQ(count(svg, ">0.9: 0.000<"), 1);
    EXPECT_EQ(count(svg, "class2"), 0);
    EXPECT_GE(count(svg, ">0.2<"), 3); // both axes are parts of 1
    trib_coco_ap_release(&ap);
    detect::Set nothing(0, 0);
    ASSERT_OK(trib_coco_ap_compute(&nothing.truths, &nothing.detections, nullptr, &ap));
    trib_text text = {};
    EXPECT_OK(trib_coco_svg(&nothing.truths, &ap, "Nothing", &text));
    EXPECT_GT(text.size, 0u);
    trib_text_free(&text);
    trib_coco_ap_release(&ap);
}

TEST(PrecisionRecallPlot, Nothing)
{
    detect::Set set(0, 0);
    trib_ap ap = {};
    ASSERT_OK(trib_ap_compute(&set.truths, &set.detections, TRIB_AP_VOC, 0, &ap));
    trib_text text = {};
    EXPECT_OK(trib_precision_recall_svg(&set.truths, &ap, "Nothing", &text));
    EXPECT_GT(text.size, 0u);
    trib_text_free(&text);
    trib_ap_release(&ap);
}

} // namespace
