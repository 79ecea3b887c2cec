// SPDX-License-Identifier: Apache-2.0
// Files of boxes: what they mean, and that what is written comes back.
#include <cmath>
#include <functional>

#include <sys/stat.h>

#include "detect/coco.h"
#include "detect/ilsvrc.h"
#include "detect/sets.h"
#include "detect/voc.h"
#include "detect/yolo.h"

namespace
{

using detect::Detections;
using detect::RandomSet;
using detect::Set;
using detect::Truths;

const trib_voc_options voc = { 1, false }, ilsvrc = { 0, true };

// What a writer has written.
std::string written(const std::function<void(trib_text *)> &write)
{
    trib_text text = {};
    trib_text_add(&text, "");
    write(&text);
    EXPECT_FALSE(text.failed);
    const std::string bytes = text.failed ? "" : text.bytes;
    trib_text_free(&text);
    return bytes;
}

std::string coco_of(const trib_truths &t)
{
    return written([&](trib_text *text) { trib_coco_write(&t, text); });
}

void expect_box(const trib_box &got, const trib_box &wanted, double most = 0)
{
    EXPECT_TRUE(std::fabs(got.x - wanted.x) <= most && std::fabs(got.y - wanted.y) <= most &&
                std::fabs(got.width - wanted.width) <= most && std::fabs(got.height - wanted.height) <= most)
        << got.x << " " << got.y << " " << got.width << " " << got.height << ", wanted " << wanted.x << " " << wanted.y
        << " " << wanted.width << " " << wanted.height;
}

void expect_same(const trib_detections &got, const trib_detections &wanted, double most = 0)
{
    ASSERT_EQ(got.count, wanted.count);
    for (std::size_t i = 0; i < got.count; ++i) {
        EXPECT_EQ(got.items[i].image, wanted.items[i].image);
        EXPECT_EQ(got.items[i].category, wanted.items[i].category);
        EXPECT_EQ(got.items[i].score, wanted.items[i].score);
        expect_box(got.items[i].box, wanted.items[i].box, most);
    }
}

// ---- VOC ----

const char annotation[] =
    "<annotation verified='yes'><folder>VOC2007</folder><filename>000005.jpg</filename>\n"
    "<size><width>500</width><height>375</height><depth>3</depth></size>\n"
    "<object><name>chair</name><pose>Rear</pose><truncated>1</truncated><difficult>0</difficult>\n"
    "  <bndbox><xmin>263</xmin><ymin>211</ymin><xmax>324</xmax><ymax>339</ymax></bndbox>\n"
    "  <part><name>leg</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part>\n"
    "</object><object><bndbox><xmax>10.5</xmax><xmin>1</xmin><ymin>1</ymin><ymax>20</ymax></bndbox>\n"
    "<difficult>1</difficult><name>dining table</name></object></annotation>\n";

TEST(FilesOfVoc, Read)
{
    Truths t;
    ASSERT_OK(trib_voc_read(annotation, sizeof annotation - 1, "x/5.xml", &voc, &t));
    ASSERT_EQ(t.image_count, 1u);
    EXPECT_STREQ(t.images[0].name, "000005.jpg");
    EXPECT_EQ(t.images[0].width, 500);
    EXPECT_EQ(t.images[0].height, 375);
    ASSERT_EQ(t.category_count, 2u);
    EXPECT_STREQ(t.categories[0].name, "chair");
    EXPECT_STREQ(t.categories[1].name, "dining table");
    ASSERT_EQ(t.count, 2u);
    expect_box(t.items[0].box, { 262, 210, 62, 129 });
    EXPECT_TRUE(t.items[0].truncated && !t.items[0].difficult);
    EXPECT_EQ(t.items[0].area, 62 * 129);
    expect_box(t.items[1].box, { 0, 0, 10.5, 20 });
    EXPECT_TRUE(t.items[1].difficult && !t.items[1].truncated);
}

TEST(FilesOfVoc, NameOfTheFileWithoutFilename)
{
    const std::string empty = "<annotation></annotation>";
    Truths t;
    ASSERT_OK(trib_voc_read(empty.data(), empty.size(), "folder/2008_000001.XML", &voc, &t));
    EXPECT_STREQ(t.images[0].name, "2008_000001");
    EXPECT_EQ(t.images[0].width, 0);
}

// As tools for drawing boxes write them where nobody has looked.
TEST(FilesOfVoc, FlagsThatSayNothing)
{
    const std::string box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>";
    const std::string begin = "<annotation><object><name>cat</name>";
    const std::string xml = begin + "<truncated></truncated><difficult>Unspecified</difficult>" + box +
                            "<object><name>cat</name><truncated>Unspecified</truncated><difficult/>" + box +
                            "</annotation>";
    Truths t, other;
    ASSERT_OK(trib_voc_read(xml.data(), xml.size(), "a.xml", &voc, &t));
    ASSERT_EQ(t.count, 2u);
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(!t.items[i].difficult && !t.items[i].truncated);
    const std::string bad = begin + "<difficult>maybe</difficult>" + box + "</annotation>";
    EXPECT_FAILS(trib_voc_read(bad.data(), bad.size(), "a.xml", &voc, &other), TRIB_BAD_DATA, "'maybe', not a number");
}

// VOC has no crowds and no areas.
void forget_what_is_not_of_voc(trib_truths *truths)
{
    for (std::size_t i = 0; i < truths->count; ++i) {
        trib_truth &t = truths->items[i];
        t.difficult = t.difficult || t.crowd;
        t.crowd = false;
        t.area = trib_box_area(&t.box);
    }
}

void add_categories(const trib_truths &from, trib_truths *to)
{
    for (std::size_t c = 0; c < from.category_count; ++c)
        ASSERT_OK(trib_truths_add_category(to, from.categories[c].name, from.categories[c].id));
}

TEST(FilesOfVoc, ComeBack)
{
    for (int seed = 0; seed < 20; ++seed) {
        RandomSet set(seed);
        const trib_voc_options options = { seed % 2, false };
        Truths t;
        trib_by_image places = {};
        add_categories(set.truths, &t);
        ASSERT_OK(trib_truths_by_image(&set.truths, &places));
        for (std::size_t i = 0; i < set.truths.image_count; ++i) {
            const std::string xml = written(
                [&](trib_text *text) { trib_voc_write(&set.truths, &places, int(i), options.first_pixel, text); });
            ASSERT_OK(trib_voc_read(xml.data(), xml.size(), "a.xml", &options, &t));
        }
        trib_by_image_release(&places);
        forget_what_is_not_of_voc(&set.truths);
        EXPECT_EQ(coco_of(t), coco_of(set.truths));
    }
}

TEST(FilesOfVoc, ComeBackFromAFolder)
{
    RandomSet set(3);
    support::TemporaryFolder folder;
    Truths t;
    add_categories(set.truths, &t);
    ASSERT_OK(trib_voc_write_folder(&set.truths, 1, folder.path().c_str()));
    ASSERT_OK(trib_voc_read_folder(folder.path().c_str(), nullptr, &voc, &t));
    forget_what_is_not_of_voc(&set.truths);
    EXPECT_GT(t.image_count, 1u);
    EXPECT_EQ(coco_of(t), coco_of(set.truths));
}

TEST(FilesOfVoc, List)
{
    Set set(3, 1);
    support::TemporaryFolder folder;
    ASSERT_OK(trib_voc_write_folder(&set.truths, 1, folder.path().c_str()));
    const std::string list = folder.file("list.txt");
    support::write_file(list, "image2  1\r\n\nimage0 -1");
    Truths t;
    ASSERT_OK(trib_voc_read_folder(folder.path().c_str(), list.c_str(), &voc, &t));
    ASSERT_EQ(t.image_count, 2u);
    EXPECT_STREQ(t.images[0].name, "image2.jpg");
    EXPECT_EQ(t.images[1].id, 2);
    support::write_file(list, "image7");
    EXPECT_FAILS(trib_voc_read_folder(folder.path().c_str(), list.c_str(), &voc, &t), TRIB_NOT_FOUND, "image7.xml");
    EXPECT_FAILS(trib_voc_read_folder(list.c_str(), nullptr, &voc, &t), TRIB_NOT_FOUND,
                 "list.txt: cannot open the folder");
    support::TemporaryFolder empty;
    EXPECT_FAILS(trib_voc_read_folder(empty.path().c_str(), nullptr, &voc, &t), TRIB_NOT_FOUND, "no annotations");
}

TEST(FilesOfVoc, Results)
{
    Set set(2, 2);
    const std::string lines = "image1 0.5 1 1 10 20\nimage0.jpg -1e-3 3 4 3 4\n";
    ASSERT_OK(trib_voc_read_results(lines.data(), lines.size(), "r.txt", 1, 1, &set.truths, &set.detections));
    ASSERT_EQ(set.detections.count, 2u);
    expect_box(set.detections.items[0].box, { 0, 0, 10, 20 });
    expect_box(set.detections.items[1].box, { 2, 3, 1, 1 });
    EXPECT_EQ(set.detections.items[0].image, 1);
    EXPECT_EQ(set.detections.items[1].score, -1e-3);
    EXPECT_EQ(written([&](trib_text *t) { trib_voc_write_results(&set.truths, &set.detections, 1, 1, t); }),
              "image1 0.5 1 1 10 20\nimage0 -0.001 3 4 3 4\n");
    EXPECT_EQ(written([&](trib_text *t) { trib_voc_write_results(&set.truths, &set.detections, 0, 1, t); }), "");
}

// Names that begin like others, and dots that begin no extension.
TEST(FilesOfVoc, Stems)
{
    Truths t;
    Detections d;
    for (const char *name : { "b.jpg", "a/ab.png", "a.jpg", "a.b", "abc" })
        ASSERT_OK(trib_truths_add_image(&t, name, 1, 9, 9));
    const std::string lines = "a 1 1 1 1 1\nab 1 1 1 1 1\nabc 1 1 1 1 1\na.b 1 1 1 1 1\nb 1 1 1 1 1\n";
    ASSERT_OK(trib_voc_read_results(lines.data(), lines.size(), "r.txt", 0, 1, &t, &d));
    const int images[] = { 2, 1, 4, 3, 0 };
    ASSERT_EQ(d.count, 5u);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(d.items[i].image, images[i]);
    for (const std::string unknown : { "c 1 1 1 1 1", "abcd 1 1 1 1 1", "a.c 1 1 1 1 1" })
        EXPECT_FAILS(trib_voc_read_results(unknown.data(), unknown.size(), "r.txt", 0, 1, &t, &d), TRIB_BAD_DATA,
                     "not one of the truth's");
}

TEST(FilesOfVoc, SameStemIsRefused)
{
    Truths t;
    ASSERT_OK(trib_truths_add_image(&t, "a/x.jpg", 1, 9, 9));
    ASSERT_OK(trib_truths_add_image(&t, "b/x.png", 2, 9, 9));
    support::TemporaryFolder folder;
    EXPECT_FAILS(trib_voc_write_folder(&t, 1, folder.path().c_str()), TRIB_BAD_DATA, "two images are called");
    EXPECT_FAILS(trib_yolo_write_folder(&t, nullptr, folder.path().c_str(), nullptr), TRIB_BAD_DATA,
                 "two images are called");
    Detections d;
    support::write_file(folder.file("x.txt"), "0 0.5 0.5 1 1 0.75\n");
    EXPECT_FAILS(trib_yolo_read_folder(folder.path().c_str(), &t, &d), TRIB_BAD_DATA, "two images are called");
    EXPECT_EQ(d.count, 0u);
}

// ---- COCO ----

TEST(FilesOfCoco, Read)
{
    const std::string json = R"({"info": {"year": 2017}, "annotations": [
        {"id": 1, "image_id": 30, "category_id": 7, "bbox": [1.5, 2, 10, 0.25], "area": 2, "iscrowd": true, "segmentation": [[1, 2]]},
        {"image_id": 4, "category_id": 3, "bbox": [0, 0, 4, 5], "ignore": 1}],
        "images": [{"id": 30, "file_name": "b/\u00e4.jpg", "width": 640, "height": 480}, {"id": 4}],
        "categories": [{"id": 7, "name": "cat"}, {"id": 3, "name": "a dog"}]})";
    Truths t;
    ASSERT_OK(trib_coco_read(json.data(), json.size(), "t.json", &t));
    ASSERT_EQ(t.image_count, 2u);
    EXPECT_STREQ(t.images[0].name, "4");
    EXPECT_STREQ(t.images[1].name, "b/\xC3\xA4.jpg");
    EXPECT_EQ(t.images[1].width, 640);
    EXPECT_STREQ(t.categories[0].name, "a dog");
    ASSERT_EQ(t.count, 2u);
    EXPECT_EQ(t.items[0].image, 1);
    EXPECT_EQ(t.items[0].category, 1);
    EXPECT_TRUE(t.items[0].crowd && !t.items[0].difficult);
    EXPECT_EQ(t.items[0].area, 2);
    expect_box(t.items[0].box, { 1.5, 2, 10, 0.25 });
    EXPECT_EQ(t.items[1].area, 20);
    EXPECT_TRUE(t.items[1].difficult && !t.items[1].crowd);
}

TEST(FilesOfCoco, ComeBack)
{
    for (int seed = 0; seed < 20; ++seed) {
        RandomSet set(seed);
        for (std::size_t i = 0; i < set.truths.count; ++i) set.truths.items[i].box.x += 0.1; // not exact in binary
        const std::string json = coco_of(set.truths);
        Truths t;
        ASSERT_OK(trib_coco_read(json.data(), json.size(), "t.json", &t));
        EXPECT_EQ(coco_of(t), json);
        const std::string results =
            written([&](trib_text *text) { trib_coco_write_results(&set.truths, &set.detections, text); });
        Detections d;
        ASSERT_OK(trib_coco_read_results(results.data(), results.size(), "r.json", &t, &d));
        expect_same(d, set.detections);
    }
}

TEST(FilesOfCoco, FromFiles)
{
    RandomSet set(1);
    support::TemporaryFolder folder;
    support::write_file(folder.file("t.json"), coco_of(set.truths));
    support::write_file(folder.file("r.json"), " [ ] ");
    Truths t;
    Detections d;
    ASSERT_OK(trib_coco_read_file(folder.file("t.json").c_str(), &t));
    EXPECT_EQ(t.count, set.truths.count);
    ASSERT_OK(trib_coco_read_results_file(folder.file("r.json").c_str(), &t, &d));
    EXPECT_EQ(d.count, 0u);
    EXPECT_FAILS(trib_coco_read_file(folder.file("none.json").c_str(), &t), TRIB_NOT_FOUND, "none.json");
}

// Numbers of a detector that did not know the truth's are not looked at where it has names.
TEST(FilesOfCoco, ResultsWithNames)
{
    Set set(2, 2);
    const std::string item = R"("bbox": [1, 2, 3, 4], "score": 0.5})";
    const std::string json =
        R"([{"image_id": 1, "category_id": 1, "file_name": "x/image1.jpg", "category": "class1", )" + item +
        R"(, {"image_id": 2, "category_id": 1, "file_name": "image0", )" + item + "]";
    Detections d, none;
    ASSERT_OK(trib_coco_read_results(json.data(), json.size(), "r.json", &set.truths, &d));
    ASSERT_EQ(d.count, 2u);
    EXPECT_EQ(d.items[0].image, 1);
    EXPECT_EQ(d.items[0].category, 1);
    EXPECT_EQ(d.items[1].image, 1);
    EXPECT_EQ(d.items[1].category, 0);
    for (const auto &[names, message] : { std::pair(R"("file_name": "image0", "category": "dog")", "no class 'dog'"),
                                          std::pair(R"("file_name": "q", "category": "class0")", "no image 'q'") }) {
        const std::string unknown = std::string("[{") + names + ", " + item + "]";
        EXPECT_FAILS(trib_coco_read_results(unknown.data(), unknown.size(), "r.json", &set.truths, &none),
                     TRIB_BAD_DATA, message);
    }
}

// ---- YOLO ----

TEST(FilesOfYolo, Read)
{
    const std::string names = "person\r\n traffic  light of a b c d e f g\n\n",
                      boxes = "1 0.5 0.5 0.2 0.5\r\n0 0.05 0.05 0.1 0.1\n";
    Set set(1, 0); // 100 x 80
    ASSERT_OK(trib_yolo_read_names(names.data(), names.size(), "names", &set.truths));
    EXPECT_STREQ(set.truths.categories[1].name, "traffic  light of a b c d e f g");
    ASSERT_OK(trib_yolo_read(boxes.data(), boxes.size(), "b.txt", 0, &set.truths));
    ASSERT_EQ(set.truths.count, 2u);
    expect_box(set.truths.items[0].box, { 40, 20, 20, 40 });
    EXPECT_EQ(set.truths.items[0].category, 1);
    expect_box(set.truths.items[1].box, { 0, 0, 10, 8 });
    const std::string found = "0 0.5 0.5 1 1 0.75\n";
    ASSERT_OK(trib_yolo_read_results(found.data(), found.size(), "b.txt", 0, &set.truths, &set.detections));
    expect_box(set.detections.items[0].box, { 0, 0, 100, 80 });
    EXPECT_EQ(set.detections.items[0].score, 0.75);
}

TEST(FilesOfYolo, ComeBack)
{
    Set set(3, 2);
    set.truth(0, 1, { 3, 5, 17, 29 });
    set.truth(2, 0, { 0, 0, 100, 80 });
    set.found(1, 1, { 33, 1, 7, 0 }, 0.1);
    support::TemporaryFolder folder, results;
    ASSERT_OK(trib_yolo_write_folder(&set.truths, nullptr, folder.path().c_str(), nullptr));
    ASSERT_OK(trib_yolo_write_folder(&set.truths, &set.detections, results.path().c_str(), nullptr));
    EXPECT_EQ(support::read_file(folder.file("image1.txt")), ""); // a file without boxes
    ASSERT_EQ(unlink(folder.file("image1.txt").c_str()), 0);      // is as good as none
    Set back(3, 2);
    ASSERT_OK(trib_yolo_read_folder(folder.path().c_str(), &back.truths, nullptr));
    ASSERT_OK(trib_yolo_read_folder(results.path().c_str(), &back.truths, &back.detections));
    ASSERT_EQ(back.truths.count, 2u);
    for (int i = 0; i < 2; ++i) expect_box(back.truths.items[i].box, set.truths.items[i].box, 1e-7);
    expect_same(back.detections, set.detections, 1e-7);
    set.truths.images[2].width = 0;
    EXPECT_FAILS(trib_yolo_write_folder(&set.truths, nullptr, folder.path().c_str(), nullptr), TRIB_INVALID_ARGUMENT,
                 "image2.jpg");
}

// Tools round their numbers; boxes beyond the image have no numbers that can be read.
TEST(FilesOfYolo, BoxesBeyondTheImage)
{
    Set set(1, 1), back(1, 1);
    set.truth(0, 0, { 90, 10, 40, 20 });
    set.truth(0, 0, { -30, -20, 10, 10 });
    set.truth(0, 0, { 90, 10, 20, 20 }); // has numbers
    support::TemporaryFolder folder;
    std::size_t clipped = 0;
    ASSERT_OK(trib_yolo_write_folder(&set.truths, nullptr, folder.path().c_str(), &clipped));
    EXPECT_EQ(clipped, 2u);
    ASSERT_OK(trib_yolo_read_folder(folder.path().c_str(), &back.truths, nullptr));
    ASSERT_EQ(back.truths.count, 3u);
    expect_box(back.truths.items[0].box, { 90, 10, 10, 20 }, 1e-7);
    expect_box(back.truths.items[1].box, { 0, 0, 0, 0 }, 1e-7);
    expect_box(back.truths.items[2].box, { 90, 10, 20, 20 }, 1e-7);
    const std::string rounded = "0 0.5 0.5 1.0000001 1\n", beyond = "0 0.5 0.5 1.00001 1\n";
    ASSERT_OK(trib_yolo_read(rounded.data(), rounded.size(), "b.txt", 0, &back.truths));
    expect_box(back.truths.items[3].box, { 0, 0, 100, 80 });
    EXPECT_FAILS(trib_yolo_read(beyond.data(), beyond.size(), "b.txt", 0, &back.truths), TRIB_BAD_DATA, "0 .. 1");
}

TEST(FilesOfYolo, NamesThatCannotBeReadAgain)
{
    support::TemporaryFolder folder;
    const std::string at = folder.path();
    Truths hidden, list;
    Detections none;
    ASSERT_OK(trib_truths_add_image(&hidden, "a/.b.jpg", 1, 9, 9));
    ASSERT_OK(trib_truths_add_image(&list, "classes.jpg", 1, 9, 9));
    EXPECT_FAILS(trib_voc_write_folder(&hidden, 1, at.c_str()), TRIB_BAD_DATA, "'a/.b.jpg' has a name that begins");
    EXPECT_FAILS(trib_yolo_write_folder(&hidden, &none, at.c_str(), nullptr), TRIB_BAD_DATA, "begins with a dot");
    EXPECT_FAILS(trib_yolo_write_folder(&list, nullptr, at.c_str(), nullptr), TRIB_BAD_DATA,
                 "'classes.jpg' has the name of the list");
    EXPECT_OK(trib_yolo_write_folder(&list, &none, at.c_str(), nullptr));
}

// ---- ILSVRC ----

TEST(FilesOfIlsvrc, ClassesAnnotationsAndResults)
{
    const std::string classes = "n02672831 1 accordion\nn02691156 12 airplane, aeroplane, plane\n";
    const std::string xml =
        "<annotation><filename>ILSVRC2012_val_00000001</filename><object><name>n02691156</name><bndbox>"
        "<xmin>0</xmin><xmax>499</xmax><ymin>10</ymin><ymax>10</ymax></bndbox></object></annotation>";
    Truths t;
    Detections d;
    ASSERT_OK(trib_ilsvrc_read_classes(classes.data(), classes.size(), "map_det.txt", &t));
    ASSERT_OK(trib_voc_read(xml.data(), xml.size(), "a.xml", &ilsvrc, &t));
    ASSERT_EQ(t.count, 1u);
    EXPECT_EQ(t.items[0].category, 1);
    expect_box(t.items[0].box, { 0, 10, 500, 1 });
    const std::string results = "1 12 0.75 0 10 499 10\n1 1 -2 1.5 1 2.5 2\n";
    ASSERT_OK(trib_ilsvrc_read_results(results.data(), results.size(), "r.txt", &t, &d));
    ASSERT_EQ(d.count, 2u);
    expect_box(d.items[0].box, t.items[0].box);
    EXPECT_EQ(d.items[1].category, 0);
    EXPECT_EQ(written([&](trib_text *text) { trib_ilsvrc_write_results(&t, &d, text); }), results);
}

} // namespace
