// SPDX-License-Identifier: Apache-2.0
// What detect writes: read back by the readers of boxes, continued after a cut at any byte, and drawn.
#include <sys/stat.h>

#include "detect/coco.h"
#include "detect/draw_boxes.h"
#include "detect/ilsvrc.h"
#include "detect/truth_file.h"
#include "formats/fail_each.h"
#include "image/png_write.h"
#include "support/form.h"
#include "support/support.h"
#include "tributary/internal/alloc.h"

extern "C" {
#include "host/cli/box_rows.h"
#include "host/cli/detect_pictures.h"

/* rows.c is linked for names of images; its way of trying an image again would need all of classify. */
trib_status cli_feed_try(struct cli_feed *, trib_item *) { return TRIB_ERROR(TRIB_INTERNAL, "nobody calls it"); }
}

namespace
{

namespace fs = std::filesystem;

const char *const labels[] = { "background", "T-shirt, \"top\"", "g\xC3\xBCrtel", "bag" };

std::string png(int side)
{
    std::vector<std::uint8_t> pixels((std::size_t)(side * side * 3), 90);
    trib_image image = {};
    image.width = image.height = side;
    image.channels = 3;
    image.pixels = pixels.data();
    std::uint8_t *bytes = nullptr;
    std::size_t size = 0;
    EXPECT_OK(trib_png_write(&image, "a test", &bytes, &size));
    std::string all((const char *)bytes, size);
    trib_free(bytes);
    return all;
}

std::string take(cli_buffer &buffer)
{
    EXPECT_FALSE(buffer.failed);
    std::string text(buffer.data ? buffer.data : "", buffer.size);
    cli_buffer_release(&buffer);
    return text;
}

struct Rows {
    trib_decode_options decode = {};
    trib_truth_file truth = {};
    trib_image_names names = {};
    cli_box_rows rows = {};

    explicit Rows(cli_box_format format, const std::string &truth_path = "")
    {
        rows.format = format;
        rows.labels = labels;
        rows.classes = 4;
        rows.decode = &decode;
        if (!truth_path.empty()) {
            EXPECT_OK(trib_truth_open(truth_path.c_str(), nullptr, &truth));
            EXPECT_OK(trib_image_names_of(&truth.truths, &names));
            rows.truths = &truth.truths;
            rows.names = &names;
        }
        EXPECT_OK(cli_box_rows_open(&rows));
    }
    ~Rows()
    {
        cli_box_rows_close(&rows);
        trib_image_names_release(&names);
        trib_truth_close(&truth);
    }
    Rows(const Rows &) = delete;

    void good(const std::string &name, std::int64_t index, const std::vector<trib_scored_box> &boxes, cli_buffer *out)
    {
        cli_boxed_image image = { name.c_str(), index, 50, 40, boxes.data(), boxes.size() };
        cli_box_rows_good(&rows, &image, out);
    }
};

/* Images of all kinds: with several boxes, one and none, unreadable ones, and a name that comes three times. */
struct Images {
    support::TemporaryFolder folder;
    std::vector<std::string> inputs;
    std::vector<std::vector<trib_scored_box>> boxes;

    Images()
    {
        const std::string picture = png(4);
        const std::vector<trib_scored_box> one = { { { 1, 2, 3, 4 }, 1, .75 } };
        const std::vector<trib_scored_box> three = { { { 0, 0, 50, 40 }, 3, .9 },
                                                     { { 1, 2, 3, 4 }, 1, .75 },
                                                     { { 10, 0, 7, 9 }, 2, .1 } };
        add("a.png", picture, three);
        add("broken.png", "broken", {});
        add("none.png", picture, {});
        add("with, \"quotes\".png", picture, one);
        add("line\nbreak.png", picture, three);
        add("a.png", picture, three);
        add("a.png", picture, three);
        add("bytes\xFF.png", picture, one);
        add("last none.png", picture, {});
        add("last broken.png", "broken", {});
    }
    void add(const std::string &name, const std::string &bytes, const std::vector<trib_scored_box> &found)
    {
        inputs.push_back(folder.file(name));
        support::write_file(inputs.back(), bytes);
        boxes.push_back(found);
    }
    bool is_broken(std::size_t i) const { return inputs[i].find("broken") != std::string::npos; }

    trib_source *source(std::size_t count) const
    {
        std::vector<const char *> paths;
        for (std::size_t i = 0; i < count; ++i) paths.push_back(inputs[i].c_str());
        trib_source *source = nullptr;
        EXPECT_OK(trib_source_open(paths.data(), (int)count, nullptr, &source));
        return source;
    }

    /* From image `first` on. */
    std::string write(Rows &r, std::size_t first, bool header) const
    {
        cli_buffer out = {};
        if (header) cli_box_rows_header(&r.rows, &out);
        for (std::size_t i = first; i < inputs.size(); ++i)
            if (is_broken(i))
                cli_box_rows_failed(&r.rows, inputs[i].c_str(), "a reason", &out);
            else
                r.good(inputs[i], (std::int64_t)i, boxes[i], &out);
        cli_box_rows_end(&r.rows, &out);
        return take(out);
    }

    std::vector<std::string> failed;
    static void note(void *context, const char *name, const char *reason)
    {
        EXPECT_NE(std::string(reason), "");
        static_cast<Images *>(context)->failed.push_back(name);
    }

    /* What becomes of a file that holds `part`, continued with the first `count` inputs. */
    trib_status resume(Rows &r, const std::string &part, std::string *result, std::size_t count)
    {
        const std::string path = folder.file("part");
        support::write_file(path, part);
        const cli_records records = cli_box_rows_records(&r.rows);
        cli_output output = {};
        EXPECT_OK(cli_output_open(path.c_str(), CLI_OUTPUT_RESUME, &output));
        cli_resume resume = {};
        resume.records = &records;
        resume.source = source(count);
        resume.failed = note;
        resume.context = this;
        failed.clear();
        trib_status s = cli_resume_output(&resume, &output);
        r.rows.some = resume.kept > 0;
        if (!trib_failed(&s)) {
            cli_buffer out = {};
            const std::string rest = write(r, (std::size_t)resume.items, resume.empty);
            cli_append(&out, rest.data(), rest.size());
            EXPECT_OK(cli_output_write(&output, &out));
            cli_buffer_release(&out);
            EXPECT_EQ((std::int64_t)failed.size(), resume.failures);
            for (std::size_t i = (std::size_t)resume.items; i < inputs.size(); ++i)
                if (is_broken(i)) failed.push_back(inputs[i]);
        }
        trib_source_close(resume.source);
        EXPECT_OK(cli_output_close(&output));
        *result = support::read_file(path);
        return s;
    }
};

class BoxRows : public testing::TestWithParam<cli_box_format>
{
  protected:
    void SetUp() override
    {
        trib_status can = trib_png_can_write();
        if (trib_failed(&can)) GTEST_SKIP() << can.message;
    }
};
const char *const format_names[] = { "Csv", "Jsonl", "Coco", "Ilsvrc" };
INSTANTIATE_TEST_SUITE_P(, BoxRows, testing::Values(CLI_BOXES_CSV, CLI_BOXES_JSONL, CLI_BOXES_COCO, CLI_BOXES_ILSVRC),
                         [](const auto &info) { return format_names[info.param]; });

TEST_P(BoxRows, AreContinuedAfterACutAtAnyByte)
{
    Images run;
    Rows r(GetParam());
    const std::string whole = run.write(r, 0, true);
    const std::size_t step = support::by_form(13, 1); /* the kinds of places are hit in every image */
    for (std::size_t cut = 0; cut <= whole.size(); cut += step) {
        std::string result;
        ASSERT_OK(run.resume(r, whole.substr(0, cut), &result, run.inputs.size()));
        ASSERT_EQ(result, whole) << "at " << cut;
        ASSERT_EQ(run.failed, (std::vector<std::string> { run.inputs[1], run.inputs[9] })) << "at " << cut;
    }
}

TEST_P(BoxRows, OtherFilesAreRefusedAndKept)
{
    Images run;
    Rows r(GetParam());
    std::string result;
    for (const std::string &foreign :
         { std::string("my shopping list"), std::string("my shopping list\n"), std::string("{}\n"),
           std::string("[\n1,\n2\n]\n"), std::string("[{\"image_id\": 1}]\n"), std::string("1 2 3\n1 2 3\n"),
           std::string("filename,label\na,b\n"), std::string(1, '\0') }) {
        EXPECT_FAILS(run.resume(r, foreign, &result, run.inputs.size()), TRIB_BAD_DATA, "cannot resume");
        EXPECT_EQ(result, foreign);
    }
}

TEST_P(BoxRows, RowsOfOtherInputsAreRefusedAndKept)
{
    Images run;
    Rows r(GetParam());
    const std::string whole = run.write(r, 0, true);
    std::string result;
    EXPECT_FAILS(run.resume(r, whole, &result, 3), TRIB_BAD_DATA, "cannot resume");
    EXPECT_EQ(result, whole);
}

TEST_P(BoxRows, AFileThatGoesOnAfterItsEndIsRefused)
{
    if (GetParam() != CLI_BOXES_COCO) return;
    Images run;
    Rows r(GetParam());
    std::string result, whole = run.write(r, 0, true) + "[]\n";
    EXPECT_FAILS(run.resume(r, whole, &result, run.inputs.size()), TRIB_BAD_DATA, "goes on after its end");
    EXPECT_EQ(result, whole);
}

/* A truth of the run's readable images and of all classes, with numbers of its own. */
std::string write_truth(const Images &run, bool all_classes = true)
{
    trib_truths truths = {};
    for (std::size_t i = 0; i < run.inputs.size(); ++i)
        if (!run.is_broken(i) && i != 5 && i != 6)
            EXPECT_OK(trib_truths_add_image(&truths,
                                            i == 4   ? "line.png"
                                            : i == 7 ? "bytes.png"
                                                     : fs::path(run.inputs[i]).filename().c_str(),
                                            100 + (std::int64_t)i, 50, 40));
    for (int c = 1; c < (all_classes ? 4 : 3); ++c) EXPECT_OK(trib_truths_add_category(&truths, labels[c], 70 - c));
    trib_text text = {};
    trib_coco_write(&truths, &text);
    const std::string path = run.folder.file("truth.json");
    support::write_file(path, text.bytes);
    trib_text_free(&text);
    trib_truths_release(&truths);
    return path;
}

TEST_P(BoxRows, AreReadBackByTheReadersOfBoxes)
{
    Images run;
    const std::string truth_path = write_truth(run);
    const bool numbers = GetParam() == CLI_BOXES_COCO || GetParam() == CLI_BOXES_ILSVRC;
    Rows r(GetParam(), numbers ? truth_path : "");
    Rows truth(CLI_BOXES_COCO, truth_path);
    cli_buffer out = {};
    cli_box_rows_header(&r.rows, &out);
    std::vector<std::pair<int, trib_scored_box>> wanted;
    for (std::size_t i : { 0u, 2u, 3u, 8u }) {
        const int image = trib_find_image(&truth.names, run.inputs[i].c_str());
        ASSERT_GE(image, 0);
        r.good(run.inputs[i], (std::int64_t)i, run.boxes[i], &out);
        for (const trib_scored_box &b : run.boxes[i]) wanted.push_back({ image, b });
    }
    cli_box_rows_end(&r.rows, &out);
    const std::string path = run.folder.file("found");
    support::write_file(path, take(out));

    trib_detection_file found = {};
    ASSERT_OK(trib_detections_open(path.c_str(), &truth.truth, &found));
    ASSERT_EQ(found.detections.count, wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const trib_detection &d = found.detections.items[i];
        const trib_scored_box &b = wanted[i].second;
        EXPECT_EQ(d.image, wanted[i].first);
        EXPECT_STREQ(truth.truth.truths.categories[d.category].name, labels[b.klass]);
        EXPECT_EQ(d.box.x, b.box.x);
        EXPECT_EQ(d.box.y, b.box.y);
        EXPECT_EQ(d.box.width, b.box.width);
        EXPECT_EQ(d.box.height, b.box.height);
        EXPECT_DOUBLE_EQ(d.score, b.score);
    }
    trib_detections_close(&found);
}

TEST_P(BoxRows, TwoInputsAreNotOneImageOfTheTruth)
{
    Images run;
    Rows r(GetParam(), write_truth(run)), without(GetParam());
    for (int again = 0; again < 2; ++again) {
        ASSERT_OK(cli_box_rows_take(&r.rows, "x/a.png", 3));
        ASSERT_OK(cli_box_rows_take(&r.rows, "y/none.png", 4));
        ASSERT_OK(cli_box_rows_take(&r.rows, "unknown.png", 4 + again));
        EXPECT_FAILS(cli_box_rows_take(&r.rows, "y/a.png", 5), TRIB_BAD_DATA, "y/a.png: another input is the truth's");
    }
    for (int i = 0; i < 2; ++i) ASSERT_OK(cli_box_rows_take(&without.rows, "a.png", i));
}

TEST_P(BoxRows, HaveThePlaceAsNumberWithoutATruth)
{
    Rows r(GetParam());
    cli_buffer out = {};
    const std::vector<trib_scored_box> boxes = { { { 1, 2, 3, 4 }, 1, .75 }, { { 5, 6, 7, 8 }, 3, .5 } };
    cli_box_rows_header(&r.rows, &out);
    r.good("a.png", 4, boxes, &out);
    cli_box_rows_end(&r.rows, &out);
    const std::string wanted[] = {
        "filename,label,score,x,y,width,height\n"
        "a.png,\"T-shirt, \"\"top\"\"\",0.750000,1,2,3,4\na.png,bag,0.500000,5,6,7,8\n",
        "{\"filename\":\"a.png\",\"width\":50,\"height\":40,\"detections\":[{\"label\":\"T-shirt, "
        "\\\"top\\\"\",\"bbox\":[1,2,3,"
        "4],\"score\":0.75},{\"label\":\"bag\",\"bbox\":[5,6,7,8],\"score\":0.5}]}\n",
        "[\n {\"image_id\": 5, \"category_id\": 1, \"bbox\": [1, 2, 3, 4], \"score\": 0.75, \"file_name\": \"a.png\", "
        "\"category\": \"T-shirt, \\\"top\\\"\"}\n,{\"image_id\": 5, \"category_id\": 3, \"bbox\": [5, 6, 7, 8], "
        "\"score\": 0.5, "
        "\"file_name\": \"a.png\", \"category\": \"bag\"}\n]\n",
        "5 1 0.75 1 2 3 5\n5 3 0.5 5 6 11 13\n"
    };
    EXPECT_EQ(take(out), wanted[GetParam()]);
}

TEST_P(BoxRows, AClassThatTheTruthLacksIsRefused)
{
    Images run;
    const std::string path = write_truth(run, false);
    trib_truth_file truth = {};
    ASSERT_OK(trib_truth_open(path.c_str(), nullptr, &truth));
    cli_box_rows rows = {};
    rows.labels = labels;
    rows.classes = 4;
    rows.truths = &truth.truths;
    EXPECT_FAILS(cli_box_rows_open(&rows), TRIB_INVALID_ARGUMENT, "bag");
    cli_box_rows_close(&rows);
    trib_truth_close(&truth);
}

/* ---- pictures ---- */

std::string name_of(const std::string &image)
{
    cli_buffer out = {};
    cli_picture_name(image.c_str(), &out);
    return take(out);
}

TEST(PictureNames, StayInTheFolderAndDiffer)
{
    EXPECT_EQ(name_of("a.jpg"), "a.jpg");
    EXPECT_EQ(name_of("photos/b/a 1.jpg"), "photos+b+a 1.jpg");
    EXPECT_EQ(name_of("/etc/passwd"), "+etc+passwd");
    EXPECT_EQ(name_of("../../x"), "%2E.+..+x");
    EXPECT_EQ(name_of("."), "%2E");
    EXPECT_EQ(name_of("a+b%2F~1\n\x7F"), "a%2Bb%252F%7E1%0A%7F");
    EXPECT_EQ(name_of("shard.tar/\xC3\xA4.jpg"), "shard.tar+\xC3\xA4.jpg");
    std::set<std::string> names;
    for (const char *image : { "a/b", "a+b", "a%2Bb", "a%2b", "a/./b", "a//b" }) names.insert(name_of(image));
    EXPECT_EQ(names.size(), 6u);
}

TEST(PictureNames, OfLongNamesTheEndIsKept)
{
    const std::string a = name_of(std::string(5000, 'x') + "/1.jpg"), b = name_of(std::string(5001, 'x') + "/1.jpg");
    EXPECT_EQ(a.size(), 200u);
    EXPECT_EQ(b.size(), 200u);
    EXPECT_NE(a, b);
    EXPECT_EQ(a.substr(200 - 7), "x+1.jpg");
}

struct Pictures : testing::Test {
    support::TemporaryFolder folder;
    const std::string out = folder.file("out");
    cli_pictures pictures = {};
    std::vector<trib_scored_box> boxes = { { { 10, 20, 30, 10 }, 1, .9 }, { { 2, 2, 5, 5 }, 2, .4 } };

    void SetUp() override
    {
        trib_status can = trib_png_can_write();
        if (trib_failed(&can)) GTEST_SKIP() << can.message;
    }
    ~Pictures() override { cli_pictures_close(&pictures); }

    trib_status open(bool resumes = false, bool overwrite = false, const std::string &input = "no input")
    {
        cli_pictures_close(&pictures);
        pictures = {};
        pictures.folder = out.c_str();
        pictures.threshold = .5;
        pictures.overwrite = overwrite;
        char *items[] = { const_cast<char *>(input.c_str()) };
        const cli_texts inputs = { items, 1 };
        return cli_pictures_open(&pictures, resumes, &inputs, 0);
    }
    trib_status draw(const std::string &name, std::int64_t index, std::uint8_t gray = 90)
    {
        std::vector<std::uint8_t> pixels(60 * 50 * 3, gray);
        trib_image picture = {};
        picture.width = 60;
        picture.height = 50;
        picture.channels = 3;
        picture.pixels = pixels.data();
        const cli_boxed_image image = { name.c_str(), index, 60, 50, boxes.data(), boxes.size() };
        return cli_pictures_draw(&pictures, &picture, &image, labels);
    }
    std::set<std::string> files() const
    {
        std::set<std::string> names;
        for (const auto &entry : fs::directory_iterator(out)) names.insert(entry.path().filename().string());
        return names;
    }
};

TEST_F(Pictures, HaveTheBoxesThatAreSureEnough)
{
    ASSERT_OK(open());
    ASSERT_OK(draw("a/b.jpg", 0));
    const std::string bytes = support::read_file(out + "/a+b.jpg.png");
    trib_image image = {};
    ASSERT_OK(trib_image_decode(bytes.data(), bytes.size(), nullptr, &image));
    const trib_colour colour = trib_class_colour(1);
    auto at = [&](int x, int y) { return image.pixels + 3 * (y * 60 + x); };
    EXPECT_EQ(at(10, 29)[0], colour.r);
    EXPECT_EQ(at(39, 25)[1], colour.g);
    EXPECT_EQ(at(2, 2)[0], 90); /* below the threshold */
    trib_image_release(&image);
}

TEST_F(Pictures, TwoImagesOfOneNameAreTwoFiles)
{
    ASSERT_OK(open());
    for (int i = 0; i < 3; ++i) ASSERT_OK(draw("t.tar/a.jpg", 7 + i));
    EXPECT_EQ(files(), (std::set<std::string> { "t.tar+a.jpg.png", "t.tar+a.jpg~9.png", "t.tar+a.jpg~10.png" }));
    for (int i = 0; i < 40; ++i) ASSERT_OK(draw("b" + std::to_string(i), i)); /* more than there is room for at first */
    EXPECT_EQ(files().size(), 43u);
}

TEST_F(Pictures, FilesOfOthersAreKept)
{
    fs::create_directory(out);
    support::write_file(out + "/a.jpg.png", "precious");
    EXPECT_FAILS(open(), TRIB_INVALID_ARGUMENT, "has files in it");
    ASSERT_OK(open(true));
    EXPECT_FAILS(draw("a.jpg", 0), TRIB_INVALID_ARGUMENT, "did not draw it");
    EXPECT_EQ(support::read_file(out + "/a.jpg.png"), "precious");
    ASSERT_OK(open(false, true));
    ASSERT_OK(draw("a.jpg", 0));
    const std::string first = support::read_file(out + "/a.jpg.png");
    ASSERT_OK(open(true));
    ASSERT_OK(draw("a.jpg", 0, 91)); /* its own */
    EXPECT_NE(support::read_file(out + "/a.jpg.png"), first);
    EXPECT_EQ(files().size(), 1u);
}

TEST_F(Pictures, ImpossibleFoldersAreRefused)
{
    support::write_file(out, "a file");
    EXPECT_FAILS(open(), TRIB_NOT_FOUND, "out: cannot");
    fs::remove(out);
    pictures.folder = nullptr;
    ASSERT_OK(open());
    EXPECT_FAILS(open(false, true, out), TRIB_INVALID_ARGUMENT, "also an input");
    fs::remove_all(out);
    fs::create_directory_symlink(folder.path(), folder.path() + "/link");
    for (const std::string &input : { folder.path(), folder.path() + "/link", std::string("/") }) {
        EXPECT_FAILS(open(false, true, input), TRIB_INVALID_ARGUMENT, "lies in the input");
        EXPECT_FALSE(fs::exists(out)); /* not even empty */
    }
    fs::create_directory(folder.path() + "/ou"); /* begins like it */
    ASSERT_OK(open(false, true, folder.path() + "/ou"));
    fs::remove_all(out);
    EXPECT_FAILS(draw("a.jpg", 0), TRIB_NOT_FOUND, "a.jpg.png");
}

TEST_F(Pictures, EveryFailureOfMemoryAndFilesIsReported)
{
    for (bool from_then_on : { false, true })
        files::fail_each(
            [&](int) {
                TRIB_TRY(open(true));
                return draw("a.jpg", 0);
            },
            from_then_on);
    EXPECT_EQ(files(), std::set<std::string> { "a.jpg.png" });
}

} // namespace
