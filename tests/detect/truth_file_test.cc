// SPDX-License-Identifier: Apache-2.0
// Truth and detections of every format, recognised by what is in the files.
#include <functional>

#include <sys/stat.h>

#include "detect/coco.h"
#include "detect/ilsvrc.h"
#include "detect/image_names.h"
#include "detect/sets.h"
#include "detect/truth_file.h"
#include "detect/voc.h"
#include "detect/yolo.h"
#include "formats/fail_each.h"

namespace
{

using detect::Set;
using files::fail_each;

struct TruthFile : trib_truth_file {
    TruthFile() : trib_truth_file() {}
    ~TruthFile() { trib_truth_close(this); }
};
struct DetectionFile : trib_detection_file {
    DetectionFile() : trib_detection_file() {}
    ~DetectionFile() { trib_detections_close(this); }
};

std::string written(const std::function<void(trib_text *)> &write)
{
    trib_text text = {};
    write(&text);
    const std::string bytes = text.bytes ? text.bytes : "";
    trib_text_free(&text);
    return bytes;
}

// Two images and classes, three boxes, two detections; and files of them.
class TruthFiles : public testing::Test
{
  protected:
    TruthFiles() : set(2, 2)
    {
        set.truth(0, 0, { 10, 20, 30, 40 });
        set.truth(0, 1, { 0, 0, 8, 8 });
        set.truth(1, 1, { 50, 10, 20, 20 }).difficult = true;
        set.found(0, 0, { 10, 20, 30, 40 }, 0.75);
        set.found(1, 1, { 50, 10, 20, 10 }, 0.5);
    }
    std::string path(const std::string &name) const { return folder.file(name); }
    std::string file(const std::string &name, const std::string &text) const
    {
        support::write_file(path(name), text);
        return path(name);
    }
    std::string make_folder(const std::string &name) const
    {
        mkdir(path(name).c_str(), 0777);
        return path(name);
    }
    std::string coco() const
    {
        return file("truth.json", written([&](trib_text *text) { trib_coco_write(&set.truths, text); }));
    }
    std::string voc() const
    {
        const std::string made = make_folder("voc");
        EXPECT_OK(trib_voc_write_folder(&set.truths, 1, made.c_str()));
        return made;
    }
    // The shipped samples are images of 28 x 28 pixels.
    void image(const std::string &name) const
    {
        file(name, support::read_file(support::data_file("../../models/pretrained/samples/" + sample())));
    }
    static std::string sample() { return "00-ankle-boot.png"; }

    void expect_truth(const std::string &at, trib_box_format format, const trib_truth_options *options = nullptr)
    {
        TruthFile truth;
        ASSERT_OK(trib_truth_open(at.c_str(), options, &truth));
        EXPECT_EQ(truth.format, format) << truth.taken;
        EXPECT_EQ(truth.truths.image_count, 2u);
        EXPECT_EQ(truth.truths.category_count, 2u);
        ASSERT_EQ(truth.truths.count, 3u);
        EXPECT_EQ(truth.truths.items[0].box.width, 30);
    }
    void expect_detections(const std::string &at, const trib_truth_file &truth, trib_box_format format)
    {
        DetectionFile found;
        ASSERT_OK(trib_detections_open(at.c_str(), &truth, &found));
        EXPECT_EQ(found.format, format) << found.taken;
        ASSERT_EQ(found.detections.count, 2u);
        for (int i = 0; i < 2; ++i) {
            const trib_detection &got = found.detections.items[i], &wanted = set.detections.items[i];
            EXPECT_EQ(got.image, wanted.image);
            EXPECT_EQ(got.category, wanted.category);
            EXPECT_EQ(got.score, wanted.score);
            EXPECT_NEAR(got.box.x, wanted.box.x, 1e-9);
            EXPECT_NEAR(got.box.y, wanted.box.y, 1e-9);
            EXPECT_NEAR(got.box.width, wanted.box.width, 1e-9);
            EXPECT_NEAR(got.box.height, wanted.box.height, 1e-9);
        }
    }
    void expect_refused(const std::string &at, const trib_truth_file &truth, const std::string &message)
    {
        DetectionFile found;
        EXPECT_FAILS(trib_detections_open(at.c_str(), &truth, &found), TRIB_BAD_DATA, message);
    }

    Set set;
    support::TemporaryFolder folder;
};

// ---- truth ----

TEST_F(TruthFiles, Coco)
{
    expect_truth(coco(), TRIB_BOXES_COCO);
    TruthFile truth;
    ASSERT_OK(trib_truth_open(coco().c_str(), nullptr, &truth));
    EXPECT_STREQ(truth.taken, "COCO JSON: 2 images, 2 classes, 3 boxes (1 difficult or crowds)");
    EXPECT_TRUE(truth.has_numbers);
    const trib_truth_options options = { "list", nullptr, nullptr };
    EXPECT_FAILS(trib_truth_open(coco().c_str(), &options, &truth), TRIB_INVALID_ARGUMENT, "has its own classes");
}

TEST_F(TruthFiles, Voc)
{
    expect_truth(voc(), TRIB_BOXES_VOC);
    const std::string list = file("classes", "class1\nclass0\n"), images = file("list", "image1\n");
    const trib_truth_options options = { list.c_str(), nullptr, images.c_str() };
    TruthFile truth, one;
    ASSERT_OK(trib_truth_open(path("voc").c_str(), &options, &truth));
    EXPECT_STREQ(truth.truths.categories[0].name, "class1");
    EXPECT_EQ(truth.truths.categories[1].id, 2);
    EXPECT_EQ(truth.truths.image_count, 1u);
    ASSERT_OK(trib_truth_open(path("voc/image1.xml").c_str(), nullptr, &one));
    EXPECT_STREQ(one.taken, "VOC: 1 image, 1 class, 1 box (1 difficult or crowds)");
    EXPECT_FALSE(one.has_numbers);
}

TEST_F(TruthFiles, AnnotationsOfAWholeSet)
{
    const std::string made = make_folder("VOC2007");
    make_folder("VOC2007/Annotations");
    ASSERT_OK(trib_voc_write_folder(&set.truths, 1, path("VOC2007/Annotations").c_str()));
    expect_truth(made, TRIB_BOXES_VOC);
}

std::string annotation(const std::string &inside) { return "<annotation>" + inside + "</annotation>"; }
const char empty_object[] = "<object><name>n02691156</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>9</xmax>"
                            "<ymax>4</ymax></bndbox></object>";

TEST_F(TruthFiles, Ilsvrc)
{
    const std::string made = make_folder("ilsvrc");
    file("ilsvrc/a.xml", annotation("<source><database>Unknown</database></source>"));
    file("ilsvrc/b.xml", annotation(empty_object));
    TruthFile truth, with_numbers, named;
    ASSERT_OK(trib_truth_open(made.c_str(), nullptr, &truth));
    EXPECT_EQ(truth.format, TRIB_BOXES_ILSVRC);
    EXPECT_FALSE(truth.has_numbers);
    ASSERT_EQ(truth.truths.count, 1u);
    EXPECT_EQ(truth.truths.items[0].box.width, 10);
    file("map_det.txt", "n02672831 1 accordion\nn02691156 12 airplane\n");
    ASSERT_OK(trib_truth_open(made.c_str(), nullptr, &with_numbers));
    EXPECT_TRUE(with_numbers.has_numbers);
    EXPECT_EQ(with_numbers.truths.items[0].category, 1);
    const std::string one = file("c.xml", annotation("<source><database>ILSVRC_2013</database></source>"));
    ASSERT_OK(trib_truth_open(one.c_str(), nullptr, &named));
    EXPECT_EQ(named.format, TRIB_BOXES_ILSVRC);
}

TEST_F(TruthFiles, WordNetIdsOfVoc)
{
    const std::string one = file(
        "c.xml", annotation("<source><database>The VOC2007 Database</database></source>" + std::string(empty_object)));
    TruthFile truth;
    ASSERT_OK(trib_truth_open(one.c_str(), nullptr, &truth));
    EXPECT_EQ(truth.format, TRIB_BOXES_VOC);
}

TEST_F(TruthFiles, YoloBesideItsImages)
{
    const std::string made = make_folder("yolo");
    image("yolo/b.png");
    image("yolo/a.png");
    file("yolo/a.txt", "1 0.5 0.5 0.5 0.25\n");
    TruthFile truth;
    EXPECT_FAILS(trib_truth_open(made.c_str(), nullptr, &truth), TRIB_NOT_FOUND, "a list of their names");
    file("classes.txt", "cat\ndog\n");
    ASSERT_OK(trib_truth_open(made.c_str(), nullptr, &truth));
    EXPECT_STREQ(truth.taken, "YOLO: 2 images, 2 classes, 1 box");
    EXPECT_EQ(truth.truths.items[0].box.width, 14);
    EXPECT_EQ(truth.truths.items[0].box.height, 7);
    file("yolo/c.txt", "");
    TruthFile other;
    EXPECT_FAILS(trib_truth_open(made.c_str(), nullptr, &other), TRIB_BAD_DATA, "there is no image for c.txt");
}

TEST_F(TruthFiles, YoloOfAWholeSet)
{
    const std::string made = make_folder("set");
    make_folder("set/labels");
    file("set/labels/a.txt", "0 0.5 0.5 0.5 0.25\n");
    file("set/labels/classes.txt", "cat\n");
    TruthFile truth;
    EXPECT_FAILS(trib_truth_open(made.c_str(), nullptr, &truth), TRIB_NOT_FOUND, "and neither has");
    make_folder("set/images");
    image("set/images/a.png");
    ASSERT_OK(trib_truth_open(made.c_str(), nullptr, &truth));
    EXPECT_EQ(truth.truths.count, 1u);
    file("set/images/b.png", "no image");
    TruthFile other;
    EXPECT_FAILS(trib_truth_open(made.c_str(), nullptr, &other), TRIB_BAD_DATA, "b.png: not an image");
    const std::string elsewhere = make_folder("elsewhere"), list = file("names", "cat\n");
    trib_truth_options options = { list.c_str(), elsewhere.c_str(), nullptr };
    EXPECT_FAILS(trib_truth_open(made.c_str(), &options, &other), TRIB_NOT_FOUND, "elsewhere: has no images");
    image("elsewhere/a.png");
    ASSERT_OK(trib_truth_open(made.c_str(), &options, &other));
    EXPECT_EQ(other.truths.image_count, 1u);
}

TEST_F(TruthFiles, YoloInParts)
{
    const std::string made = make_folder("set");
    for (const char *inner : { "set/labels", "set/images", "set/labels/train", "set/images/train", "set/labels/val" })
        make_folder(inner);
    file("set/labels/train/a.txt", "0 0.5 0.5 0.5 0.25\n");
    file("set/classes.txt", "cat\n");
    image("set/images/train/a.png");
    TruthFile truth, none;
    ASSERT_OK(trib_truth_open(path("set/labels/train").c_str(), nullptr, &truth));
    EXPECT_STREQ(truth.taken, "YOLO: 1 image, 1 class, 1 box");
    EXPECT_FAILS(trib_truth_open(made.c_str(), nullptr, &none), TRIB_NOT_FOUND, "name one of the folders in it: ");
    EXPECT_FAILS(trib_truth_open(made.c_str(), nullptr, &none), TRIB_NOT_FOUND, "set/labels/val");
}

// Numbers of results mean what they mean where the files come from.
TEST_F(TruthFiles, NumbersOfIlsvrc)
{
    make_folder("ilsvrc");
    for (const char *name : { "a", "b" }) file("ilsvrc/" + std::string(name) + ".xml", annotation(empty_object));
    const std::string at = path("ilsvrc"), list = file("ilsvrc/list.txt", "b 7\na 5\n");
    TruthFile truth, by_place, part;
    ASSERT_OK(trib_truth_open(at.c_str(), nullptr, &truth));
    EXPECT_TRUE(truth.has_numbers);
    EXPECT_STREQ(truth.truths.images[0].name, "b");
    EXPECT_EQ(truth.truths.images[0].id, 7);
    EXPECT_EQ(truth.truths.images[1].id, 5);
    const std::string labels = file("labels", "b 1\na 1\n");
    const trib_truth_options options = { nullptr, nullptr, labels.c_str() };
    ASSERT_OK(trib_truth_open(at.c_str(), &options, &by_place));
    EXPECT_EQ(by_place.truths.images[1].id, 2);
    file("ilsvrc/list.txt", "b 7\n");
    EXPECT_FAILS(trib_truth_open(at.c_str(), nullptr, &part), TRIB_BAD_DATA, "names 1 of the 2 annotations beside it");
    const trib_truth_options given = { nullptr, nullptr, list.c_str() };
    ASSERT_OK(trib_truth_open(at.c_str(), &given, &part));
    EXPECT_EQ(part.truths.images[0].id, 7);
}

TEST_F(TruthFiles, WhatIsNoTruth)
{
    TruthFile t;
    const std::string empty = make_folder("empty");
    EXPECT_FAILS(trib_truth_open(path("none").c_str(), nullptr, &t), TRIB_NOT_FOUND, "none");
    EXPECT_FAILS(trib_truth_open(empty.c_str(), nullptr, &t), TRIB_NOT_FOUND, "a folder without .xml files");
    file("empty/a.json", "{}");
    EXPECT_FAILS(trib_truth_open(empty.c_str(), nullptr, &t), TRIB_NOT_FOUND, "of COCO's truth name the .json file");
    EXPECT_FAILS(trib_truth_open(path("empty/a.json").c_str(), nullptr, &t), TRIB_BAD_DATA, "this is not COCO's truth");
    EXPECT_FAILS(trib_truth_open(file("a", " \n").c_str(), nullptr, &t), TRIB_BAD_DATA, "is empty");
    EXPECT_FAILS(trib_truth_open(file("a", "[]").c_str(), nullptr, &t), TRIB_BAD_DATA, "what COCO's results are");
    EXPECT_FAILS(trib_truth_open(file("a", "0 1 1 1 1").c_str(), nullptr, &t), TRIB_BAD_DATA, "neither COCO's JSON");
    EXPECT_FAILS(trib_truth_open(file("a", "<html/>").c_str(), nullptr, &t), TRIB_BAD_DATA, "this is not VOC's XML");
    EXPECT_FAILS(trib_truth_open(file("a", "<a").c_str(), nullptr, &t), TRIB_BAD_DATA, "a, line 1");
    EXPECT_EQ(t.truths.count, 0u);
}

// ---- detections ----

TEST_F(TruthFiles, Detections)
{
    TruthFile truth;
    ASSERT_OK(trib_truth_open(coco().c_str(), nullptr, &truth));
    const trib_truths *t = &set.truths;
    const trib_detections *d = &set.detections;
    expect_detections(file("r", written([&](trib_text *text) { trib_coco_write_results(t, d, text); })), truth,
                      TRIB_BOXES_COCO);
    expect_detections(file("r", written([&](trib_text *text) { trib_ilsvrc_write_results(t, d, text); })), truth,
                      TRIB_BOXES_ILSVRC);
    expect_detections(file("r", "filename,label,score,xmin,ymin,xmax,ymax,other\r\n"
                                "\"a, b/image0.jpg\",class0,0.75,10,20,40,60,\"x\"\"y\"\r\n\r\n"
                                "image1,class1,0.5,50,10,70,20,"),
                      truth, TRIB_BOXES_CSV);
    expect_detections(file("r", "\xEF\xBB\xBFlabel,score,x,y,width,height,image\nclass0,0.75,10,20,30,40,image0\n"
                                "class1,0.5,50,10,20,10,\"image1\"\n"),
                      truth, TRIB_BOXES_CSV);
    expect_detections(
        file("r", R"({"filename":"image0.jpg","detections":[{"label":"class0","score":0.75,"bbox":[10,20,30,40]}]}
                     {"image":"image1.jpg","detections":[{"label":"class1","score":0.5,"bbox":[50,10,20,10]}]}

                     {"filename":"image0.jpg","error":"x"})"),
        truth, TRIB_BOXES_JSONL);
    const std::string yolo = make_folder("yolo"), results = make_folder("results");
    ASSERT_OK(trib_yolo_write_folder(t, d, yolo.c_str(), nullptr));
    expect_detections(yolo, truth, TRIB_BOXES_YOLO);
    file("results/as_class0.txt", "image0 0.75 11 21 40 60\n");
    file("results/class1.txt", "image1 0.5 51 11 70 20\n");
    expect_detections(results, truth, TRIB_BOXES_VOC);
    DetectionFile one, none;
    ASSERT_OK(trib_detections_open(path("results/class1.txt").c_str(), &truth, &one));
    EXPECT_STREQ(one.taken, "VOC: 1 detection");
    ASSERT_OK(trib_detections_open(file("r", "filename,label,score,x,y,width,height\n").c_str(), &truth, &none));
    EXPECT_EQ(none.detections.count, 0u);
}

// As editors of Windows begin files.
TEST_F(TruthFiles, MarkOfUtf8)
{
    const std::string mark = "\xEF\xBB\xBF";
    const trib_truths *t = &set.truths;
    const trib_detections *d = &set.detections;
    expect_truth(file("marked", mark + written([&](trib_text *text) { trib_coco_write(t, text); })), TRIB_BOXES_COCO);
    const std::string names = file("names", mark + "class1\nclass0\n");
    const trib_truth_options options = { names.c_str(), nullptr, nullptr };
    expect_truth(voc(), TRIB_BOXES_VOC, &options);
    TruthFile truth;
    ASSERT_OK(trib_truth_open(coco().c_str(), nullptr, &truth));
    expect_detections(file("r", mark + written([&](trib_text *text) { trib_coco_write_results(t, d, text); })), truth,
                      TRIB_BOXES_COCO);
    expect_detections(file("r", mark + written([&](trib_text *text) { trib_ilsvrc_write_results(t, d, text); })), truth,
                      TRIB_BOXES_ILSVRC);
    expect_detections(
        file("r", mark + R"({"image":"image0.jpg","detections":[{"label":"class0","score":0.75,"bbox":[10,20,30,40]}]}
                            {"image":"image1.jpg","detections":[{"label":"class1","score":0.5,"bbox":[50,10,20,10]}]})"),
        truth, TRIB_BOXES_JSONL);
    expect_refused(file("r", mark + "{}"), truth, "line 1: \"filename\" is missing");
}

TEST_F(TruthFiles, WhatAreNoDetections)
{
    TruthFile truth;
    ASSERT_OK(trib_truth_open(coco().c_str(), nullptr, &truth));
    expect_refused(file("r", ""), truth, "is empty");
    expect_refused(file("r", "<annotation/>"), truth, "detections have scores");
    expect_refused(file("r", "1 2 3\n"), truth, "not a file of detections");
    expect_refused(file("r", "image0 0.5 1 1 2 2\n"), truth, "not called after one of the truth's classes");
    expect_refused(file("r", "filename,score\n"), truth, "the header has to name");
    expect_refused(file("r", "filename,image\n"), truth, "two columns of the same meaning");
    const std::string header = "filename,label,score,x,y,width,height\n";
    expect_refused(file("r", header + "image0,class0,0.5,1,1,2\n"), truth, "line 2: 6 fields, but the header has 7");
    expect_refused(file("r", header + "image0,class0,nan,1,1,2,2\n"), truth, "line 2: 'nan' is not a number");
    expect_refused(file("r", header + "image0,class0,1,1,1,-2,2\n"), truth, "line 2:");
    expect_refused(file("r", header + "image7,class0,1,1,1,2,2\n"), truth, "line 2: the truth has no image 'image7'");
    expect_refused(file("r", header + "image0,Class0,1,1,1,2,2\n"), truth,
                   "line 2: the truth has no class 'Class0', but it has 'class0'");
    expect_refused(file("r", header + "image0,cat,1,1,1,2,2\n"), truth, "line 2: the truth has no class 'cat'");
    expect_refused(file("r", header + "\"image0,cat,1,1,1,2,2\n"), truth, "a quote is not closed");
    expect_refused(file("r", header + std::string("ima\0ge", 6)), truth, "a byte of 0");
    std::string wide = "filename";
    for (int i = 0; i < 64; ++i) wide += ",x" + std::to_string(i);
    expect_refused(file("r", wide), truth, "more than 64 columns");
    expect_refused(file("r", R"({"detections":[]})"), truth, "line 1: \"filename\" is missing");
    expect_refused(file("r", R"({"filename":"image0"})"), truth, "line 1: \"detections\" is not a list");
    expect_refused(file("r", "{"), truth, "line 1");
    expect_refused(file("r", "{}"), truth, "line 1: \"filename\" is missing");
    expect_refused(coco(), truth, "this looks like COCO's truth");
    const std::string begin = R"({"filename":"image0","detections":[{)";
    expect_refused(file("r", begin + "}]}"), truth, "without \"label\"");
    expect_refused(file("r", begin + R"("label":"class0"}]})"), truth, "without \"score\"");
    expect_refused(file("r", begin + R"("label":"class0","score":1,"bbox":[1,2,3]}]})"), truth, "four numbers");
    expect_refused(file("r", begin + R"("label":"class0","score":1,"bbox":[1,2,3,"4"]}]})"), truth, "four numbers");
    expect_refused(file("r", begin + R"("label":"class0","score":1,"bbox":[1,2,-3,4]}]})"), truth, "line 1:");
    expect_refused(file("r", begin + R"("label":"class9","score":1,"bbox":[1,2,3,4]}]})"), truth, "no class 'class9'");
    const std::string other = make_folder("other");
    DetectionFile found;
    EXPECT_FAILS(trib_detections_open(other.c_str(), &truth, &found), TRIB_NOT_FOUND, "a folder without .txt files");
    file("other/image0.txt", "");
    file("other/cat.txt", "");
    expect_refused(other, truth, "neither all after images of the truth, such as image0.jpg");
}

// ---- names ----

TEST(ImageNames, FindTheOneThatIsMeant)
{
    detect::Truths t;
    trib_image_names names = {};
    for (const char *name :
         { "a/1.jpg", "b/1.jpg", "b/1.png", "c/2.jpg", "3.jpg", "d/4.jpg", "d/4.jpg", "5.webp", "x/5.webp" })
        ASSERT_OK(trib_truths_add_image(&t, name, 1, 9, 9));
    ASSERT_OK(trib_image_names_of(&t, &names));
    const struct {
        const char *name;
        int wanted;
    } rows[] = {
        { "a/1.jpg", 0 },   { "/data/a/1.jpg", 0 },
        { "a/1", 0 },       { "b/1.png", 2 },
        { "x/b/1.jpg", 1 }, { "1.png", 2 },
        { "2", 3 },         { "q/2.png", 3 },
        { "3.png", 4 },     { "5.webp", 7 },
        { "y/x/5", 8 },     { "b/1", -2 },
        { "1.jpg", -2 },    { "4", -2 },
        { "d/4.jpg", -2 },  { "6.jpg", -1 },
        { "", -1 },         { "b", -1 },
        { "33", -1 },
    };
    for (const auto &row : rows) EXPECT_EQ(trib_find_image(&names, row.name), row.wanted) << row.name;
    char text[TRIB_IMAGE_FAULT_TEXT];
    EXPECT_STREQ(trib_image_fault(-1, "6.jpg", text), "the truth has no image '6.jpg'");
    EXPECT_STREQ(trib_image_fault(-2, "4", text), "'4' could be several images of the truth; name its folder as well");
    trib_image_names_release(&names);
}

// ---- faults ----

class TruthFileFault : public TruthFiles, public testing::WithParamInterface<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, TruthFileFault, testing::Bool(),
                         [](const auto &info) { return info.param ? "FromThenOn" : "Once"; });

TEST_P(TruthFileFault, Truth)
{
    const std::string list = file("list", "class0\nclass1\n"), made = make_folder("labels");
    make_folder("images");
    image("images/a.png");
    file("labels/a.txt", "1 0.5 0.5 0.5 0.25\n");
    file("classes.txt", "cat\ndog\n");
    const trib_truth_options with_list = { list.c_str(), nullptr, nullptr };
    const std::string ilsvrc = make_folder("ilsvrc");
    file("ilsvrc/a.xml", annotation(empty_object));
    file("ilsvrc/map_det.txt", "n02691156 12 airplane\n");
    file("ilsvrc/list.txt", "a 7\n");
    for (const auto &at : { coco(), voc(), path("voc/image0.xml"), made, ilsvrc, voc() + "/" }) {
        const bool listed = at.back() == '/';
        const int faults = fail_each(
            [&](int) {
                TruthFile truth;
                return trib_truth_open(at.c_str(), listed ? &with_list : nullptr, &truth);
            },
            GetParam());
        EXPECT_GE(faults, 8) << at;
    }
}

// Of a/image0 and b/image0, which the truth cannot tell apart, boxes would be mixed.
TEST_F(TruthFiles, DetectionsOfTwoImagesAreNotOfOneOfTheTruth)
{
    TruthFile truth;
    ASSERT_OK(trib_truth_open(coco().c_str(), nullptr, &truth));
    auto files = [&](const std::string &first, const std::string &second) {
        auto json = [](const std::string &name) {
            return R"({"file_name": ")" + name + R"(", "category": "class0", "bbox": [1, 2, 3, 4], "score": 0.5})";
        };
        auto line = [](const std::string &name) {
            return R"({"filename":")" + name + R"(","detections":[{"label":"class0","bbox":[1,2,3,4],"score":0.5}]})" +
                   "\n";
        };
        return std::vector<std::string> {
            file("csv", "filename,label,score,x,y,width,height\n" + first +
                            ",class0,1,1,1,2,2\nimage1,class0,1,1,1,2,2\n" + second + ",class0,1,1,1,2,2\n"),
            file("lines", line(first) + line("image1") + line(second)),
            file("named", "[" + json(first) + "," + json("image1") + "," + json(second) + "]")
        };
    };
    for (const std::string &path : files("a/image0.png", "b/image0.png")) {
        DetectionFile found;
        EXPECT_FAILS(trib_detections_open(path.c_str(), &truth, &found), TRIB_BAD_DATA,
                     "'a/image0.png' and 'b/image0.png' are both the truth's image 'image0");
    }
    for (const std::string &path : files("a/image0.png", "a/image0.png")) {
        DetectionFile found;
        ASSERT_OK(trib_detections_open(path.c_str(), &truth, &found));
        EXPECT_EQ(found.detections.count, 3u);
    }
}

TEST_P(TruthFileFault, Detections)
{
    TruthFile truth;
    ASSERT_OK(trib_truth_open(coco().c_str(), nullptr, &truth));
    make_folder("results");
    file("results/class1.txt", "image1 0.5 51 11 70 20\n");
    const std::string csv = file("csv", "filename,label,score,x,y,width,height\nimage0,class0,1,1,1,2,2\n");
    const std::string lines = file("lines", R"({"filename":"image0","detections":[]})");
    const std::string yolo = make_folder("yolo");
    ASSERT_OK(trib_yolo_write_folder(&set.truths, &set.detections, yolo.c_str(), nullptr));
    const std::string named =
        file("named", R"([{"file_name": "image0", "category": "class0", "bbox": [1, 2, 3, 4], "score": 0.5}])");
    for (const auto &at : { csv, lines, named, yolo, path("results") }) {
        const int faults = fail_each(
            [&](int) {
                DetectionFile found;
                return trib_detections_open(at.c_str(), &truth, &found);
            },
            GetParam());
        EXPECT_GE(faults, 5) << at;
    }
}

} // namespace
