// SPDX-License-Identifier: Apache-2.0
// Whole runs that train on regions: squares of two colours. A narrow network, and the same bits however often a run is
// interrupted; what data and truth must have in common; and a run that can go on whatever fails.
#include <cmath>
#include <filesystem>
#include <sstream>

#include "detect/proposal_lines.h"
#include "formats/model_files.h"
#include "image/png_write.h"
#include "support/form.h"
#include "support/support.h"
#include "train/train.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"
#include "tributary/model.h"

namespace fs = std::filesystem;

namespace
{

constexpr int kWidth = 64, kHeight = 48;

struct Square {
    int category, x, y, side;
};

// On gray; 0 red, 1 blue.
std::string picture(const std::vector<Square> &squares, int shade)
{
    std::vector<uint8_t> pixels(kWidth * kHeight * 3, uint8_t(shade));
    for (const Square &s : squares)
        for (int y = std::max(s.y, 0); y < std::min(s.y + s.side, kHeight); ++y)
            for (int x = std::max(s.x, 0); x < std::min(s.x + s.side, kWidth); ++x)
                for (int c = 0; c < 3; ++c)
                    pixels[size_t(y * kWidth + x) * 3 + size_t(c)] = c == 2 * s.category ? 230 : 20;
    const trib_image image = { kWidth, kHeight, 3, pixels.data(), nullptr };
    uint8_t *bytes = nullptr;
    size_t size = 0;
    EXPECT_OK(trib_png_write(&image, "tests", &bytes, &size));
    std::string text(reinterpret_cast<char *>(bytes), size);
    trib_free(bytes);
    return text;
}

struct Listener {
    int stop = 0, asked = 0;
    int64_t prepared = 0;
    std::string said;
    static trib_train_wish wish(void *self)
    {
        auto *l = static_cast<Listener *>(self);
        return ++l->asked < l->stop || !l->stop ? TRIB_TRAIN_GO_ON : TRIB_TRAIN_STOP;
    }
    static void message(void *self, const char *text)
    {
        static_cast<Listener *>(self)->said += text + std::string("\n");
    }
    static void preparing(void *self, int64_t done, int64_t) { static_cast<Listener *>(self)->prepared = done; }
};

class Boxes : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_status can = trib_png_can_write();
        if (trib_failed(&can)) GTEST_SKIP() << can.message;
        fs::create_directories(folder.file("images"));
        for (int i = 0; i < 16; ++i) add({ { i % 2, 4 + i % 5, 6 + i % 3, 20 }, { i / 2 % 2, 38, 20 + i % 7, 22 } });
        write_truth();
        options.inputs = &input;
        options.input_count = 1;
        options.data.validation_share = 0.25;
        options.boxes = truth.c_str();
        options.strategy = TRIB_STRATEGY_FAST;
        options.context = 4;
        options.sampling = trib_sampling_find("mirror");
        options.workers = 1;
        options.net.network = support::torchvision;
        options.net.height = options.net.width = 32;
        options.net.width_multiplier = 0.1;
        options.plan = trib_plan_default_options();
        options.plan.batch = 16;
        options.epochs = 1;
        options.max_steps = 6;
        options.lr.schedule = trib_lr_schedule_find("constant");
        options.lr.lr = 0.02;
        options.lr.momentum = 0.9;
        options.seed = 5;
        options.command = &input;
        options.command_words = 1;
    }

    static std::string name_of(size_t i) { return std::to_string(1000 + i).substr(1) + ".png"; }
    void add(const std::vector<Square> &squares)
    {
        support::write_file(folder.file("images/" + name_of(pictures.size())),
                            picture(squares, 90 + int(pictures.size())));
        pictures.push_back(squares);
    }
    void write_truth(const std::string &more = "")
    {
        std::ostringstream list, boxes;
        for (size_t i = 0; i < pictures.size(); ++i) {
            list << (i ? "," : "") << "{\"id\":" << i + 1 << ",\"file_name\":\"" << name_of(i)
                 << "\",\"width\":" << kWidth << ",\"height\":" << kHeight << "}";
            for (size_t k = 0; k < pictures[i].size(); ++k) {
                const Square &s = pictures[i][k];
                boxes << "{\"id\":" << 100 * i + k << ",\"image_id\":" << i + 1 << ",\"category_id\":" << s.category + 1
                      << ",\"bbox\":[" << s.x << "," << s.y << "," << s.side << "," << s.side << "]},";
            }
        }
        std::string all = boxes.str() + more;
        if (!all.empty() && all.back() == ',') all.pop_back();
        write_text(list.str(), all);
    }
    void write_text(const std::string &list, const std::string &boxes)
    {
        support::write_file(truth, "{\"images\":[" + list + "],\"annotations\":[" + boxes +
                                       "],\"categories\":[{\"id\":1,\"name\":\"red\"},{\"id\":2,\"name\":\"blue\"}]}");
    }

    trib_status run(const std::string &path, bool resume, Listener &listener, int threads = 1)
    {
        trib_device *device = nullptr;
        trib_train *train = nullptr;
        const trib_device_options cores = { threads, 0, nullptr, nullptr };
        trib_train_events events = {};
        events.context = &listener;
        events.wish = Listener::wish;
        events.message = Listener::message;
        events.preparing = Listener::preparing;
        trib_train_options o = options;
        o.folder = path.c_str();
        o.resume = resume;
        trib_status s = trib_device_open("cpu", &cores, &device);
        if (!trib_failed(&s)) s = trib_train_open(device, &o, &events, &train);
        result = {};
        if (!trib_failed(&s)) s = trib_train_run(train, &result);
        trib_train_close(train);
        trib_device_close(device);
        return s;
    }
    std::string finished(const std::string &path, bool resume)
    {
        Listener listener;
        EXPECT_OK(run(path, resume, listener));
        EXPECT_FALSE(result.stopped);
        said = listener.said;
        return support::read_file(path + "/model.safetensors");
    }
    // The message of a run that must fail.
    std::string failure(trib_code code)
    {
        Listener listener;
        fs::remove_all(folder.file("fails"));
        trib_status s = run(folder.file("fails"), false, listener);
        EXPECT_EQ(s.code, code) << s.message;
        return s.message;
    }
    // Columns of the last row of the summary, by name.
    double last_value(const std::string &path, const std::string &column)
    {
        std::istringstream table(support::read_file(path + "/summary.csv"));
        std::string names, line, last, name, field;
        std::getline(table, names);
        while (std::getline(table, line)) last = line;
        std::istringstream in_names(names), in_fields(last);
        while (std::getline(in_names, name, ',') && std::getline(in_fields, field, ','))
            if (name == column) return std::strtod(field.c_str(), nullptr);
        ADD_FAILURE() << "no column " << column;
        return NAN;
    }

    support::TemporaryFolder folder;
    const std::string images = folder.file("images"), truth = folder.file("truth.json");
    const char *input = images.c_str();
    std::vector<std::vector<Square>> pictures;
    trib_train_options options = {};
    trib_train_result result = {};
    std::string said;
};

#define EXPECT_SAYS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

} // namespace

// With seeds 1 to 8, a loss of 0.04 to 0.15, and 91 to 100 % of the objects.
TEST_F(Boxes, TwoColoursAreLearned)
{
    options.epochs = 4;
    options.max_steps = 0;
    options.lr.schedule = trib_lr_schedule_find("cosine");
    const std::string path = folder.file("run");
    finished(path, false);
    EXPECT_SAYS(said, "truth.json is COCO JSON: 16 images, 2 classes, 32 boxes");
    EXPECT_SAYS(said, " windows of objects and ");
    EXPECT_SAYS(said, " windows of objects: top-1 ");
    EXPECT_LT(last_value(path, "train_loss"), 0.35);
    EXPECT_GT(last_value(path, "eval_top1"), 80);
    EXPECT_GT(last_value(path, "eval_top1_objects"), 60);
    EXPECT_GT(last_value(path, "eval_top1_background"), 80);

    trib_model *model = nullptr;
    ASSERT_OK(trib_model_load(path.c_str(), nullptr, &model));
    EXPECT_STREQ(trib_model_label(model, 0), "background");
    EXPECT_STREQ(trib_model_label(model, 1), "red");
    EXPECT_STREQ(trib_model_label(model, 2), "blue");
    EXPECT_SAYS(trib_model_provenance(model), "regions of ");
    EXPECT_SAYS(trib_model_provenance(model), "3 classes with background, 4 pixels of context, 25 % objects, truth "
                                              "truth.json, proposals fast (images), views mirror");
    trib_model_destroy(model);

    // A region classifier of these classes goes on with its own.
    options.init = path.c_str();
    finished(folder.file("more"), false);
    EXPECT_EQ(said.find("begin anew"), std::string::npos) << said;
}

// Every image of the beginning, every step and every batch of evaluation is a place to stop.
TEST_F(Boxes, StoppedAnywhereAndResumedHasTheSameBits)
{
    const std::string whole = folder.file("whole"), model = finished(whole, false);
    ASSERT_FALSE(model.empty());
    const int step = support::by_form(3, 1);
    for (int stop = 1;; stop += step) {
        const std::string path = folder.file("part");
        Listener listener;
        listener.stop = stop;
        options.workers = 1 + stop % 3;
        SCOPED_TRACE("stopped at question " + std::to_string(stop));
        ASSERT_OK(run(path, true, listener, 1 + stop % 2));
        if (!result.stopped) break;
        EXPECT_EQ(result.unprepared, stop <= 16);
        EXPECT_EQ(finished(path, true) == model, true);
        EXPECT_EQ(support::read_file(path + "/summary.csv"), support::read_file(whole + "/summary.csv"));
        EXPECT_EQ(support::read_file(path + "/last") == support::read_file(whole + "/last"), true);
        fs::remove_all(path);
        ASSERT_LT(stop, 60);
    }
}

TEST_F(Boxes, ProposalsAreKeptInTheFolderAndUsedAgain)
{
    const std::string whole = folder.file("whole"), model = finished(whole, false);
    const std::string file = whole + "/proposals-fast.jsonl", lines = support::read_file(file);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 16);
    // Only what is missing or torn is computed again: lines may be in any order.
    const size_t half = lines.find('\n', lines.size() / 2) + 1;
    fs::create_directories(folder.file("part"));
    support::write_file(folder.file("part") + "/proposals-fast.jsonl", lines.substr(half) + lines.substr(0, 100));
    EXPECT_EQ(finished(folder.file("part"), false) == model, true);
    const std::string again = support::read_file(folder.file("part") + "/proposals-fast.jsonl");
    EXPECT_EQ(again, lines.substr(half) + lines.substr(0, half));
    // Given as a file they make the same windows.
    options.proposals = file.c_str();
    finished(folder.file("given"), false);
    EXPECT_FALSE(fs::exists(folder.file("given") + "/proposals-fast.jsonl"));
    EXPECT_EQ(support::read_file(folder.file("given") + "/summary.csv"), support::read_file(whole + "/summary.csv"));
    // One of them is missing.
    support::write_file(folder.file("few.jsonl"), lines.substr(half));
    const std::string few = folder.file("few.jsonl");
    options.proposals = few.c_str();
    const std::string message = failure(TRIB_NOT_FOUND);
    EXPECT_SAYS(message, "000.png");
    EXPECT_SAYS(message, "there are no proposals for");
}

TEST_F(Boxes, AreNotTheSameDataWhenTheTruthOrTheProposalsChange)
{
    const std::string path = folder.file("run");
    finished(path, false);
    options.max_steps = 7;
    pictures[3][0].side = 21;
    write_truth();
    Listener listener;
    const trib_status s = run(path, true, listener);
    EXPECT_EQ(s.code, TRIB_INVALID_ARGUMENT);
    EXPECT_SAYS(s.message, "data hash");
}

TEST_F(Boxes, OfImagesThatTheTruthDoesNotHaveAreLeftOut)
{
    support::write_file(folder.file("images/unknown.png"), picture({}, 10));
    pictures.push_back({ { 0, 1, 1, 20 } }); // an image that is not there
    write_truth();
    finished(folder.file("run"), false);
    EXPECT_SAYS(said, "1 images are left out, because the truth does not have them");
    EXPECT_SAYS(said, "1 images of the truth are not among the data");
    EXPECT_EQ(result.damaged, 0);

    fs::create_directories(folder.file("images/b"));
    fs::copy(folder.file("images/003.png"), folder.file("images/b/003.png"));
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "are both image '003.png' of the truth");

    fs::remove_all(folder.file("images"));
    fs::create_directories(folder.file("images"));
    for (int i = 0; i < 9; ++i)
        support::write_file(folder.file("images/other" + std::to_string(i) + ".png"), picture({}, i));
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "no image is in the truth, which has '000.png', while the data have ");
}

TEST_F(Boxes, ForValidationMayHaveATruthOfTheirOwn)
{
    const std::string val = folder.file("val"), val_truth = folder.file("val.json");
    const char *validation = val.c_str();
    fs::create_directories(val);
    for (size_t i = 12; i < 16; ++i) fs::rename(folder.file("images/" + name_of(i)), val + "/" + name_of(i));
    options.data.validation = &validation;
    options.data.validation_count = 1;
    options.data.validation_share = 0;
    finished(folder.file("one"), false);

    // The same where each part has a truth, the second with its classes in another order.
    std::string all = support::read_file(truth);
    const std::string red = "{\"id\":1,\"name\":\"red\"}", blue = "{\"id\":2,\"name\":\"blue\"}";
    all.replace(all.find(red + "," + blue), red.size() + 1 + blue.size(), blue + "," + red);
    support::write_file(val_truth, all);
    pictures.resize(12);
    write_truth();
    options.validation_boxes = val_truth.c_str();
    finished(folder.file("two"), false);
    EXPECT_SAYS(said, "val.json is COCO JSON: 16 images, 2 classes, 32 boxes");
    EXPECT_SAYS(said, "12 images of the truth are not among the data");
    EXPECT_EQ(support::read_file(folder.file("two/summary.csv")), support::read_file(folder.file("one/summary.csv")));

    support::write_file(val_truth, all.replace(all.find("blue"), 4, "green"));
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "class 'green' is not one of the truth to train on, ");
    options.validation_boxes = nullptr;
    const std::string message = failure(TRIB_BAD_DATA);
    EXPECT_SAYS(message, "no image for validation has a window");
    EXPECT_SAYS(message, "--val-boxes");
}

TEST_F(Boxes, ThatAreDamagedAreLeftOutAndMoreThanHalfAreAFailure)
{
    support::write_file(folder.file("images/005.png"), "\x89PNG\r\n\x1a\nnot one");
    finished(folder.file("run"), false);
    EXPECT_SAYS(said, "skipped: ");
    EXPECT_SAYS(said, "005.png");
    EXPECT_EQ(result.damaged, 1);
    for (int i = 0; i < 9; ++i) support::write_file(folder.file("images/00" + std::to_string(i) + ".png"), "no image");
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "9 of 16 images cannot be read, more than half");
}

TEST_F(Boxes, GoBeyondTheImageAndMayBeDifficult)
{
    add({ { 0, 54, -6, 30 } }); // the part of it that is in the image
    write_truth("{\"id\":900,\"image_id\":2,\"category_id\":1,\"bbox\":[0,0,20,20],\"ignore\":1}"
                ",{\"id\":901,\"image_id\":3,\"category_id\":1,\"bbox\":[0,0,64,48],\"iscrowd\":1}");
    finished(folder.file("run"), false);
    EXPECT_SAYS(said, "35 boxes");
}

TEST_F(Boxes, OfABadTruthAreRefusedWithAReason)
{
    support::write_file(truth, "{\"images\":[");
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "truth.json");
    support::write_file(truth, "{\"images\":[],\"annotations\":[],\"categories\":[]}");
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "truth.json: has no boxes");
    fs::remove(truth);
    EXPECT_SAYS(failure(TRIB_NOT_FOUND), "truth.json");

    const auto all = pictures;
    write_truth();
    std::string text = support::read_file(truth);
    text.replace(text.find("\"red\""), 5, "\"background\"");
    support::write_file(truth, text);
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "boxes of class 'background'");
    write_truth();
    text = support::read_file(truth);
    text.replace(text.find("\"width\":64"), 10, "\"width\":65");
    support::write_file(truth, text);
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "has 64 x 48 pixels, and the truth's image '000.png' 65 x 48");
    for (auto &squares : pictures) squares.clear();
    write_truth("{\"id\":900,\"image_id\":2,\"category_id\":1,\"bbox\":[0,0,20,20],\"ignore\":1}");
    EXPECT_SAYS(failure(TRIB_BAD_DATA), "no image to train on has an object that counts");

    pictures = all;
    write_truth();
    options.context = 16;
    EXPECT_SAYS(failure(TRIB_INVALID_ARGUMENT), "16 pixels of context leave nothing");
    options.context = 4;
    options.class_names = truth.c_str();
    EXPECT_SAYS(failure(TRIB_INVALID_ARGUMENT), "the classes are those of the truth");
}

TEST_F(Boxes, FromAFolderOfXml)
{
    const std::string voc = folder.file("voc");
    fs::create_directories(voc);
    for (size_t i = 0; i < pictures.size(); ++i) {
        std::ostringstream xml;
        xml << "<annotation><filename>" << name_of(i) << "</filename><size><width>64</width><height>48</height></size>";
        for (const Square &s : pictures[i])
            xml << "<object><name>" << (s.category ? "blue" : "red") << "</name><bndbox><xmin>" << s.x + 1
                << "</xmin><ymin>" << s.y + 1 << "</ymin><xmax>" << s.x + s.side << "</xmax><ymax>" << s.y + s.side
                << "</ymax></bndbox></object>";
        support::write_file(voc + "/" + name_of(i).substr(0, 3) + ".xml", xml.str() + "</annotation>");
    }
    finished(folder.file("coco"), false);
    options.boxes = voc.c_str();
    finished(folder.file("run"), false);
    EXPECT_SAYS(said, "VOC");
    EXPECT_EQ(support::read_file(folder.file("run") + "/summary.csv"),
              support::read_file(folder.file("coco") + "/summary.csv"));
}

// Allocations, files and threads, more of the first than of later ones: the run fails with a message, and goes on
// afterwards to the same bits.
TEST_F(Boxes, ThatFailAreGoneOnWith)
{
    options.strategy = TRIB_STRATEGY_SINGLE;
    options.max_steps = 1;
    options.aux_weight = 0;
    const std::string model = finished(folder.file("whole"), false), path = folder.file("part");
    const double growth = support::by_form(1.5, 1.03);
    int failed = 0;
    for (int64_t k = 1;; k = 1 + int64_t(double(k) * growth)) {
        Listener listener;
        trib_fault_arm(k, false);
        trib_status s = run(path, true, listener);
        if (trib_fault_disarm() < k) break;
        if (trib_failed(&s)) {
            ++failed;
            EXPECT_STRNE(s.message, "");
        }
        if (trib_failed(&s)) {
            EXPECT_EQ(finished(path, true) == model, true) << "fault " << k;
        }
        fs::remove_all(path);
        ASSERT_LT(k, 1000000);
    }
    EXPECT_GT(failed, 5);
}
