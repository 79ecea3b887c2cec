// SPDX-License-Identifier: Apache-2.0
// Files that lie: each is refused, and the message says where and what.
#include <cstring>

#include "detect/coco.h"
#include "detect/ilsvrc.h"
#include "detect/sets.h"
#include "detect/voc.h"
#include "detect/yolo.h"

namespace
{

using detect::Detections;
using detect::Set;
using detect::Truths;

// ---- VOC ----

std::string object(const std::string &name, const std::string &xmin, const std::string &ymin, const std::string &xmax,
                   const std::string &ymax)
{
    return "<object><name>" + name + "</name><bndbox><xmin>" + xmin + "</xmin><ymin>" + ymin + "</ymin><xmax>" + xmax +
           "</xmax><ymax>" + ymax + "</ymax></bndbox></object>";
}

void expect_bad_voc(const std::string &inside, const std::string &message, trib_voc_options options = { 1, false })
{
    const std::string xml =
        "<annotation><size><width>50</width><height>40</height></size>\n" + inside + "</annotation>";
    Truths t, again;
    EXPECT_FAILS(trib_voc_read(xml.data(), xml.size(), "a.xml", &options, &t), TRIB_BAD_DATA, message);
    EXPECT_FAILS(trib_voc_read(xml.data(), xml.size(), "a.xml", &options, &again), TRIB_BAD_DATA, "a.xml");
}

TEST(BadFilesOfVoc, AreRefused)
{
    expect_bad_voc(object("cat", "nan", "1", "2", "2"), "line 2: <xmin> is 'nan', not a number");
    expect_bad_voc(object("cat", "0x1", "1", "2", "2"), "not a number");
    expect_bad_voc(object("cat", "1", "inf", "2", "2"), "not a number");
    expect_bad_voc(object("cat", "1", "1", "", "2"), "not a number");
    expect_bad_voc(object("cat", "1", "1", "2 3", "2"), "not a number");
    expect_bad_voc(object("cat", "1", "1", "1e10", "2"), "beyond 1e9");
    expect_bad_voc(object("cat", "9", "1", "2", "2"), "edge is before the other");
    expect_bad_voc(object("cat", "1", "9", "2", "2"), "edge is before the other");
    expect_bad_voc(object("cat", "61", "1", "70", "2"), "box 1 is outside of its image of 50 x 40");
    expect_bad_voc(object("cat", "1", "1", "2", "2") + object("cat", "-9", "1", "-5", "2"), "box 2 is outside");
    expect_bad_voc(object("", "1", "1", "2", "2"), "a name that is empty");
    expect_bad_voc(object(std::string(2000, 'x'), "1", "1", "2", "2"), "a name that is empty or too long");
    expect_bad_voc(object("c\nat", "1", "1", "2", "2"), "control characters");
    expect_bad_voc("<filename>a&#10;b</filename>", "control characters");
    expect_bad_voc(object("cat", "1", "1", "2", "2"), "'cat' is not in the list of classes", { 1, true });
    expect_bad_voc("<object><name>cat</name></object>", "an object without <name>, or without four edges");
    expect_bad_voc(object("cat", "1", "1", "2", "2") + "<object><name>cat</name></object>", "an object without <name>");
    expect_bad_voc("<object><bndbox><xmin>1</xmin></bndbox></object>", "an object without <name>");
    expect_bad_voc("<object><bndbox><xmin>1</xmin><xmin>1</xmin></bndbox></object>", "two boxes");
    expect_bad_voc("<size><width>-5</width></size>", "<size> is no size");
    expect_bad_voc("<size><width>1e9</width></size>", "<size> is no size");
    expect_bad_voc("<object>", "a closing tag of an element that is not the open one");
    Truths t;
    const trib_voc_options options = { 1, false };
    const std::string other = "<labels/>", doctype = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><annotation>&a;</annotation>";
    EXPECT_FAILS(trib_voc_read(other.data(), other.size(), "a.xml", &options, &t), TRIB_BAD_DATA, "no <annotation>");
    EXPECT_FAILS(trib_voc_read(doctype.data(), doctype.size(), "a.xml", &options, &t), TRIB_BAD_DATA, "DOCTYPE");
    EXPECT_FAILS(trib_voc_read("", 0, "a.xml", &options, &t), TRIB_BAD_DATA, "no element");
}

TEST(BadFilesOfVoc, Results)
{
    const struct {
        const char *line, *message;
    } cases[] = {
        { "image0 0.5 1 1 2", "line 1: not the six words" }, { "\nimage0 0.5 1 1 2 2 3", "line 2: not the six words" },
        { "image9 0.5 1 1 2 2", "not one of the truth's" },  { "image0 high 1 1 2 2", "not a number" },
        { "image0 0.5 1 1 2 1e999", "not a number" },        { "image0 0.5 9 1 2 2", "before the other" },
    };
    for (const auto &c : cases) {
        Set set(1, 1);
        EXPECT_FAILS(trib_voc_read_results(c.line, strlen(c.line), "r.txt", 0, 1, &set.truths, &set.detections),
                     TRIB_BAD_DATA, c.message);
    }
    Set set(1, 1);
    const std::string zero("image0 \0", 8), length(3000, 'x');
    EXPECT_FAILS(trib_voc_read_results(zero.data(), zero.size(), "r.txt", 0, 1, &set.truths, &set.detections),
                 TRIB_BAD_DATA, "a byte of 0");
    EXPECT_FAILS(trib_voc_read_results(length.data(), length.size(), "r.txt", 0, 1, &set.truths, &set.detections),
                 TRIB_BAD_DATA, "too long");
}

// ---- COCO ----

TEST(BadFilesOfCoco, Truth)
{
    const std::string images = R"("images": [{"id": 1, "width": 50, "height": 40}])";
    const std::string categories = R"("categories": [{"id": 1, "name": "cat"}])";
    const auto box = [&](const std::string &item) {
        return "{" + images + ", " + categories + R"(, "annotations": [)" + item + "]}";
    };
    const auto of = [&](const std::string &bbox) {
        return box(R"({"image_id": 1, "category_id": 1, "bbox": )" + bbox + "}");
    };
    const struct {
        std::string json, message;
    } cases[] = {
        { "", "no object with" },
        { "[]", "no object with" },
        { "{}", "has no \"images\"" },
        { "{" + images + "}", "has no \"categories\"" },
        { "{" + images + ", " + categories + "}", "has no \"annotations\"" },
        { "{" + images + ", " + images + ", " + categories + "}", "twice" },
        { "{\"images\": {}}", "not a list" },
        { "{\"images\": [5]}", "image 1: this is not an object" },
        { "{\"images\": [{\"id\": 1} {\"id\": 2}]}", "no comma" },
        { "{\"images\": [{\"id\": 1},]}", "" },
        { "{\"images\": [{\"id\": 1}", "ends" },
        { "{\"images\": [{\"id\": \"1", "ends in a text" },
        { "{\"images\": [}", "closes nothing" },
        { "{images: []}", "without a name" },
        { "{\"images\" []}", "without a colon" },
        { "{\"images\": [{\"id\": -1}]}", "image 1: \"id\"" },
        { "{\"images\": [{\"id\": 1.5}]}", "image 1: \"id\"" },
        { "{\"images\": [{\"id\": \"1\"}]}", "image 1: \"id\"" },
        { "{\"images\": [{\"id\": 1, \"width\": -3}]}", "no size" },
        { "{\"images\": [{\"id\": 1, \"id\": 1}]}", "appears twice" },
        { "{\"images\": [{\"id\": 1}, {\"id\": 1}], " + categories + "}", "two images have the number 1" },
        { "{" + images + R"(, "categories": [{"id": 1}]})", "category 1: \"name\"" },
        { "{" + images + R"(, "categories": [{"id": 1, "name": ""}]})", "is empty" },
        { "{" + images + R"(, "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]})", "two categories" },
        { box(R"({"category_id": 1, "bbox": [1, 2, 3, 4]})"), "annotation 1: \"image_id\"" },
        { box(R"({"image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4]})"), "there is no image with number 2" },
        { box(R"({"image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4]})"), "there is no category with number 5" },
        { box(R"({"image_id": 1, "category_id": 1})"), "\"bbox\" is not" },
        { of("[1, 2, 3]"), "\"bbox\" is not" },
        { of("[1, 2, 3, 4, 5]"), "\"bbox\" is not" },
        { of("[1, 2, 3, \"4\"]"), "\"bbox\" is not" },
        { of("{}"), "\"bbox\" is not" },
        { of("[1, 2, NaN, 4]"), "value from byte" },
        { of("[1, 2, -3, 4]"), "annotation 1: its right or lower edge" },
        { of("[1, 2, 3, 1e999]"), "beyond 1e9" },
        { of("[51, 2, 3, 4]"), "outside of its image" },
        { of("[1, -20, 3, 4]"), "outside of its image" },
        { of("[1, 2, 3, 4], \"area\": -1"), "\"area\" is negative" },
        { of("[1, 2, 3, 4], \"area\": \"x\""), "\"area\" is not a number" },
        { of("[1, 2, 3, 4], \"iscrowd\": []"), "\"iscrowd\" is not a number" },
        { of("[1, 2, 3, 4], \"x\": " + std::string(20, '[') + std::string(20, ']')), "too deep" },
        { of("[1, 2, 3, 4]") + "x", "more text" },
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.json);
        Truths t, again;
        EXPECT_FAILS(trib_coco_read(c.json.data(), c.json.size(), "t.json", &t), TRIB_BAD_DATA, c.message);
        EXPECT_FAILS(trib_coco_read(c.json.data(), c.json.size(), "t.json", &again), TRIB_BAD_DATA, "t.json");
    }
}

TEST(BadFilesOfCoco, Results)
{
    const struct {
        const char *json, *message;
    } cases[] = {
        { "{}", "not a list" },
        { "[1]", "result 1: this is not an object" },
        { R"([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}])", "\"score\" is missing" },
        { R"([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1e999}])", "\"score\" is not a number" },
        { R"([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1},
             {"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}])",
          "result 2: there is no image with number 9" },
        { "[] []", "more text" },
    };
    for (const auto &c : cases) {
        Set set(1, 1);
        EXPECT_FAILS(trib_coco_read_results(c.json, strlen(c.json), "r.json", &set.truths, &set.detections),
                     TRIB_BAD_DATA, c.message);
    }
}

// ---- YOLO and ILSVRC ----

TEST(BadFilesOfYolo, AreRefused)
{
    const struct {
        const char *line, *message;
    } cases[] = {
        { "0 0.5 0.5 0.1", "line 1: not the five words" },
        { "0 0.5 0.5 0.1 0.1 0.9", "not the five words" },
        { "7 0.5 0.5 0.1 0.1", "no name" },
        { "-1 0.5 0.5 0.1 0.1", "not a whole number" },
        { "0.0 0.5 0.5 0.1 0.1", "not a whole number" },
        { "0 0.5 0.5 0.1 nan", "not a number" },
        { "0 0.5 0.5 -0.1 0.1", "not in 0 .. 1" },
        { "0 0.5 0.5 0.1 1.5", "not in 0 .. 1" },
        { "0 320 240 100 100", "not in 0 .. 1" },
    };
    for (const auto &c : cases) {
        Set set(1, 2);
        EXPECT_FAILS(trib_yolo_read(c.line, strlen(c.line), "b.txt", 0, &set.truths), TRIB_BAD_DATA, c.message);
    }
    Set set(1, 1);
    const auto results = [&](const std::string &line) {
        return trib_yolo_read_results(line.data(), line.size(), "b.txt", 0, &set.truths, &set.detections);
    };
    EXPECT_FAILS(results("0 0.5 0.5 0.1 0.1"), TRIB_BAD_DATA, "not the six words");
    EXPECT_FAILS(results("0 0.5 0.5 0.1 0.1 x"), TRIB_BAD_DATA, "the score is not a number");
    set.truths.images[0].height = 0;
    EXPECT_FAILS(results("0 0.5 0.5 0.1 0.1 1"), TRIB_BAD_DATA, "size of this file's image is not known");
    EXPECT_FAILS(trib_yolo_read_names("a\n\n \nb\n", 7, "names", &set.truths), TRIB_BAD_DATA,
                 "names, line 2: a blank line among the names");
}

TEST(BadFilesOfIlsvrc, AreRefused)
{
    const struct {
        const char *line, *message;
    } cases[] = {
        { "1 1 0.5 1 1 2", "line 1: not the seven words" },
        { "a 1 0.5 1 1 2 2", "not a whole number" },
        { "1 1.5 0.5 1 1 2 2", "not a whole number" },
        { "9 1 0.5 1 1 2 2", "no image" },
        { "1 9 0.5 1 1 2 2", "no class" },
        { "1 1 x 1 1 2 2", "not a number" },
        { "1 1 0.5 5 1 2 2", "before the other" },
        { "1234567890123456 1 0.5 1 1 2 2", "not a whole number" },
    };
    for (const auto &c : cases) {
        Set set(1, 1);
        EXPECT_FAILS(trib_ilsvrc_read_results(c.line, strlen(c.line), "r.txt", &set.truths, &set.detections),
                     TRIB_BAD_DATA, c.message);
    }
    Truths t;
    EXPECT_FAILS(trib_ilsvrc_read_classes("n01 one", 7, "map_det.txt", &t), TRIB_BAD_DATA, "not WORDNET-ID NUMBER");
}

TEST(BadSets, TooManyCategories)
{
    Truths t;
    for (int i = 0; i < TRIB_MAX_CATEGORIES; ++i) ASSERT_OK(trib_truths_add_category(&t, "x", i));
    EXPECT_FAILS(trib_truths_add_category(&t, "x", 0), TRIB_BAD_DATA, "more than 10000 categories");
}

} // namespace
