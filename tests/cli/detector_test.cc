// SPDX-License-Identifier: Apache-2.0
// The engine of detect, in this process: the same boxes for any size of batch and number of threads, and every
// operation failing once.
#include <cmath>
#include <map>
#include <regex>

#include "formats/fail_each.h"
#include "formats/model_files.h"
#include "image/png_write.h"
#include "support/form.h"
#include "support/support.h"
#include "tributary/internal/alloc.h"

extern "C" {
#include "formats/sha256.h"
#include "host/cli/detector.h"
}

namespace
{

std::string picture(int seed, int width = 60, int height = 44, bool mirrored = false)
{
    std::vector<std::uint8_t> pixels((std::size_t)(width * height * 3));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c)
                pixels[(std::size_t)(3 * (y * width + (mirrored ? width - 1 - x : x)) + c)] =
                    (std::uint8_t)(60 * (x / 20) + 40 * (y / 22) * c + seed);
    trib_image image = {};
    image.width = width;
    image.height = height;
    image.channels = 3;
    image.pixels = pixels.data();
    std::uint8_t *bytes = nullptr;
    std::size_t size = 0;
    EXPECT_OK(trib_png_write(&image, "a test", &bytes, &size));
    std::string all((const char *)bytes, size);
    trib_free(bytes);
    return all;
}

struct Detector : testing::Test {
    support::TemporaryFolder folder;
    std::vector<std::string> arguments;
    std::string result;
    std::vector<double> scores; /* of all boxes, by image and class */
    cli_settings settings = cli_default_settings();
    cli_detector_options options = cli_default_detector_options();

    void SetUp() override
    {
        trib_status can = trib_png_can_write();
        if (trib_failed(&can)) GTEST_SKIP() << can.message;
        settings.device = "cpu";
        settings.reference = true;
        settings.choice_cache = "none";
        options.threshold = 0.01;
        options.batch = 4;
        options.workers = 1;
        add_model();
        for (int i = 0; i < 3; ++i) add_input(std::to_string(i) + ".png", picture(i));
        add_input("broken.png", "broken");
    }
    /* A narrow network with random weights, and background as its class 2. */
    void add_model()
    {
        files::ModelFile file(support::bvlc, false, 5);
        std::mt19937 random(3);
        for (const trib_tensor &t : file.weights.tensors) {
            const std::int64_t count = models::count(t.shape);
            const float scale = 2 / std::sqrt((float)(count / t.shape.dim[0]));
            float *values = (float *)t.data;
            for (std::int64_t i = 0; i < count; ++i) values[i] = scale * ((float)(random() % 2001) / 1000.f - 1);
        }
        file.metadata["tributary.variant"] = "bvlc";
        file.metadata["tributary.labels"] = R"(["a","b","background","c","d"])";
        file.metadata["tributary.preprocessing"] =
            R"({"resize_mode":"squash","resize":32,"interpolation":"bilinear","crop":[32,32],"channels":"rgb",)"
            R"("scale":1,"mean":[90,90,90],"std":[60,60,60]})";
        file.path = folder.file("net.safetensors");
        file.write();
        arguments.push_back(file.path);
    }
    void add_input(const std::string &name, const std::string &bytes)
    {
        arguments.push_back(folder.file(name));
        support::write_file(arguments.back(), bytes);
    }

    static trib_status note(void *context, const cli_found *found)
    {
        std::string &result = static_cast<Detector *>(context)->result;
        std::map<int, double> by_class;
        result += std::to_string(found->index) + (trib_failed(found->status) ? " failed" : "");
        for (std::size_t i = 0; i < found->count; ++i) {
            const trib_scored_box &b = found->boxes[i];
            char text[200];
            std::snprintf(text, sizeof text, " %d:%a@%g,%g,%g,%g", b.klass, b.score, b.box.x, b.box.y, b.box.width,
                          b.box.height);
            result += text;
            by_class[b.klass] = b.score;
        }
        for (const auto &score : by_class) static_cast<Detector *>(context)->scores.push_back(score.second);
        result += "\n";
        return trib_success();
    }

    trib_status run(std::int64_t fail_at = 0, bool forever = false)
    {
        std::vector<char *> items;
        for (std::string &a : arguments) items.push_back(&a[0]);
        const cli_texts texts = { items.data(), (int)items.size() };
        cli_detector d = {};
        d.handle = note;
        d.context = this;
        result.clear();
        scores.clear();
        trib_status s = cli_detector_open(&settings, &options, &texts, 1, nullptr, &d);
        EXPECT_OK(s);
        if (fail_at) trib_fault_arm(fail_at, forever);
        if (!trib_failed(&s)) s = cli_detector_run(&d);
        EXPECT_TRUE(trib_failed(&s) || d.good + d.skipped == texts.count - 1);
        cli_detector_close(&d);
        return s;
    }
};

TEST_F(Detector, GivesTheSameBoxesForAnyBatchAndNumberOfThreads)
{
    ASSERT_OK(run());
    const std::string first = result;
    EXPECT_NE(first.find("3 failed"), std::string::npos) << first;
    EXPECT_NE(first.find(" 1:"), std::string::npos) << first;
    EXPECT_EQ(first.find(" 2:"), std::string::npos) << "background is no object: " << first;
    for (int batch : { 1, 3, 64 }) {
        options.batch = batch;
        options.workers = batch;
        ASSERT_OK(run());
        EXPECT_EQ(result, first) << batch;
    }
}

/* A line as `propose` writes it. */
std::string proposals_of(const std::string &name, const std::string &bytes, const std::string &boxes)
{
    char sum[TRIB_SHA256_TEXT];
    trib_sha256_of_bytes(bytes.data(), bytes.size(), sum);
    return R"({"image":")" + name + R"(","sha256":")" + std::string(sum) +
           R"(","width":60,"height":44,"by":"test","boxes":[)" + boxes + "]}\n";
}

/* With --mirror, a box and its mirror image in the mirrored picture have the same scores; without, they do not. */
TEST_F(Detector, WithBothViewsAMirroredPictureHasTheSameScores)
{
    const std::string plain = picture(7), mirrored = picture(7, 60, 44, true), file = folder.file("p.jsonl");
    support::write_file(file, proposals_of("plain", plain, "[3,4,31,40]") +
                                  proposals_of("mirrored", mirrored, "[29,4,57,40]"));
    options.proposals = file.c_str();
    options.threshold = 0;
    arguments.resize(1);
    add_input("plain.png", plain);
    add_input("mirrored.png", mirrored);
    for (bool both : { true, false }) {
        options.mirror = both;
        ASSERT_OK(run());
        ASSERT_EQ(scores.size(), 8u) << "two images, four classes that are not background: " << result;
        double most = 0;
        for (int c = 0; c < 4; ++c)
            most = std::max(most, std::fabs(scores[(std::size_t)c] - scores[(std::size_t)c + 4]));
        EXPECT_EQ(most < 1e-5, both) << most << ": " << result;
    }
}

/* Regions without neighbours have half their probability, and their own boxes. */
TEST_F(Detector, WithVotesALonelyRegionCountsHalf)
{
    const std::string plain = picture(7), file = folder.file("p.jsonl");
    support::write_file(file, proposals_of("plain", plain, "[3,4,31,40],[33,2,60,30]"));
    options.proposals = file.c_str();
    options.threshold = 0;
    arguments.resize(1);
    add_input("plain.png", plain);
    ASSERT_OK(run());
    std::vector<double> half = scores;
    for (double &score : half) score /= 2;
    const std::string boxes = std::regex_replace(result, std::regex(":[^@]*@"), "@");
    options.vote = true;
    ASSERT_OK(run());
    EXPECT_EQ(scores, half);
    EXPECT_EQ(std::regex_replace(result, std::regex(":[^@]*@"), "@"), boxes);
}

TEST_F(Detector, ImagesWithoutRegionsHaveNoBoxes)
{
    arguments.resize(1);
    add_input("one pixel.png", picture(0, 1, 1));
    add_input("a line.png", picture(0, 300, 1));
    add_input("small.png", picture(0, 19, 19));
    add_input("whole.png", picture(0, 20, 20));
    ASSERT_OK(run());
    EXPECT_EQ(result.substr(0, 8), "0\n1\n2\n3 ") << result;
}

TEST_F(Detector, RegionsThatAreNotSureEnoughAreNoBoxes)
{
    options.threshold = 1;
    ASSERT_OK(run());
    EXPECT_EQ(result, "0\n1\n2\n3 failed\n");
}

std::vector<std::string> lines(const std::string &text)
{
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
}

TEST_F(Detector, EveryOperationCanFail)
{
    const std::int64_t step = support::by_form(23, 1);
    options.vote = true;
    ASSERT_OK(run());
    const std::string whole = result;
    for (bool forever : { false, true })
        for (std::int64_t k = 1; k < 100000; k += step) {
            const trib_status s = run(k, forever);
            const std::int64_t seen = trib_fault_disarm();
            if (seen < k) break;
            if (trib_failed(&s)) {
                EXPECT_GT(std::string(s.message).size(), 10u) << k;
                continue;
            }
            /* Where reading an image fails, it is skipped; the others are what they were. */
            const std::vector<std::string> now = lines(result), before = lines(whole);
            ASSERT_EQ(now.size(), before.size()) << k;
            for (std::size_t i = 0; i < now.size(); ++i)
                EXPECT_TRUE(now[i] == before[i] || now[i] == std::to_string(i) + " failed") << k << ": " << now[i];
        }
}

} // namespace
