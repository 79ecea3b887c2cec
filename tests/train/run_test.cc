// SPDX-License-Identifier: Apache-2.0
// Whole runs of a narrow network: the same bits however often a run is interrupted, and a run that can go on whatever
// fails.
#include <cmath>
#include <filesystem>
#include <sstream>

#include "formats/model_files.h"
#include "support/support.h"
#include "train/train.h"
#include "tributary/internal/fault.h"

namespace fs = std::filesystem;

namespace
{

// What the events of a run say, and when it is to stop: at the `stop`-th question, or after its first step.
struct Listener {
    int stop = 0, asked = 0, steps = 0;
    bool save_instead = false, single_steps = false;
    std::string said;

    static trib_train_wish wish(void *self)
    {
        auto *l = static_cast<Listener *>(self);
        if (l->single_steps && l->steps) return TRIB_TRAIN_STOP;
        if (++l->asked < l->stop || !l->stop) return TRIB_TRAIN_GO_ON;
        return l->save_instead ? TRIB_TRAIN_SAVE : TRIB_TRAIN_STOP;
    }
    static void progress(void *self, const trib_progress_report *) { ++static_cast<Listener *>(self)->steps; }
    static void message(void *self, const char *text)
    {
        static_cast<Listener *>(self)->said += text + std::string("\n");
    }
};

class WholeRun : public testing::Test
{
  protected:
    void SetUp() override
    {
        options.inputs = &input;
        options.input_count = 1;
        options.data.validation_share = 0.2;
        options.sampling = trib_sampling_find("mirror");
        options.workers = 1;
        options.net.network = support::torchvision;
        options.net.height = options.net.width = 32;
        options.net.width_multiplier = 0.1;
        options.plan = trib_plan_default_options();
        options.plan.batch = 16;
        options.epochs = 2;
        options.lr.schedule = trib_lr_schedule_find("cosine");
        options.lr.lr = 0.01;
        options.lr.momentum = 0.9;
        options.aux_weight = 0.3;
        options.clip_norm = 1;
        options.adapt_loss_scale = true;
        options.average.kind = TRIB_AVERAGE_MEAN;
        options.seed = 5;
        options.command = &input;
        options.command_words = 1;
        options.log_every = 1;
    }

    trib_status run(const std::string &path, bool resume, Listener &listener, int threads = 1)
    {
        trib_device *device = nullptr;
        trib_train *train = nullptr;
        const trib_device_options cores = { threads, 0, nullptr, nullptr };
        const trib_train_events events = { &listener,          Listener::wish, Listener::message,
                                           Listener::progress, nullptr,        nullptr };
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
        return support::read_file(path + "/model.safetensors");
    }

    static constexpr std::int64_t images = 64;

    // What stands behind each `key`.
    static std::vector<double> numbers_after(const std::string &text, const std::string &key)
    {
        std::vector<double> numbers;
        for (std::size_t at = 0; (at = text.find(key, at)) != std::string::npos;)
            numbers.push_back(std::strtod(text.c_str() + (at += key.size()), nullptr));
        return numbers;
    }
    // The column after epoch, losses, top-1 and learning rate.
    static std::vector<std::int64_t> steps_of_epochs(const std::string &path)
    {
        std::vector<std::int64_t> steps;
        std::istringstream table(support::read_file(path + "/summary.csv"));
        std::string line, field;
        for (std::getline(table, line); std::getline(table, line);) {
            std::istringstream fields(line);
            for (int i = 0; i < 6; ++i) std::getline(fields, field, ',');
            steps.push_back(std::stoll(field));
        }
        return steps;
    }

    const std::string data = support::data_file("fashion-64-images-idx3-ubyte.gz");
    const char *input = data.c_str();
    trib_train_options options = {};
    trib_train_result result = {};
    support::TemporaryFolder folder;
};

// Every step and every batch of evaluation is a place to stop.
TEST_F(WholeRun, StoppedAnywhereAndResumedHasTheSameBits)
{
    const std::string whole = folder.file("whole"), model = finished(whole, false);
    ASSERT_FALSE(model.empty());
    const std::string table = support::read_file(whole + "/summary.csv");
    for (int stop = 1;; ++stop) {
        const std::string path = folder.file("part");
        Listener listener;
        listener.stop = stop;
        options.workers = 1 + stop % 3;
        SCOPED_TRACE("stopped at question " + std::to_string(stop));
        ASSERT_OK(run(path, true, listener, 1 + stop % 2));
        if (!result.stopped) break;
        EXPECT_EQ(result.saved, result.step);
        EXPECT_FALSE(fs::exists(path + "/model.safetensors"));
        EXPECT_EQ(finished(path, true) == model, true);
        EXPECT_EQ(support::read_file(path + "/summary.csv"), table);
        EXPECT_EQ(support::read_file(path + "/last") == support::read_file(whole + "/last"), true);
        EXPECT_EQ(support::read_file(path + "/model_best") == support::read_file(whole + "/model_best"), true);
        fs::remove_all(path);
        ASSERT_LT(stop, 60);
    }
}

// A run for each step, each with other threads, workers, launch and schedule.
TEST_F(WholeRun, ThirtyRunsOfOneStepHaveTheBitsOfOne)
{
    options.plan.batch = 4;
    options.max_steps = 30;
    options.epochs = 100;
    const std::string whole = folder.file("whole"), path = folder.file("part"), model = finished(whole, false);
    const trib_schedule schedules[] = { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED };
    int runs = 0;
    do {
        Listener listener;
        listener.single_steps = true;
        options.workers = 1 + runs % 4;
        options.launch = runs % 2 ? TRIB_GRAPH : TRIB_EAGER;
        options.plan.schedule = schedules[runs % 3];
        ASSERT_OK(run(path, true, listener, 1 + runs / 2 % 2));
        ASSERT_LE(++runs, 31);
    } while (result.stopped);
    EXPECT_EQ(runs, 31); // the last one evaluates
    EXPECT_EQ(support::read_file(path + "/model.safetensors") == model, true);
    EXPECT_EQ(support::read_file(path + "/last") == support::read_file(whole + "/last"), true);
    EXPECT_EQ(support::read_file(path + "/summary.csv"), support::read_file(whole + "/summary.csv"));
}

// An evaluation that is stopped at its first batch each time would never end: it asks twice.
TEST_F(WholeRun, StoppedAgainAndAgain)
{
    options.accumulate = 2;
    const std::string model = finished(folder.file("whole"), false), path = folder.file("part");
    do {
        Listener listener;
        listener.stop = 3;
        ASSERT_OK(run(path, true, listener));
    } while (result.stopped);
    EXPECT_EQ(finished(path, true) == model, true);
}

// ---- steps of several batches ----

// Stopped after each step: of 12 images, so that they span the epochs, of 64.
TEST_F(WholeRun, OfSummedGradientsIsStoppedBetweenStepsOnly)
{
    options.plan.batch = 4;
    options.accumulate = 3;
    options.checkpoint_every = 1;
    options.keep = 20;
    options.data.validation_share = -1;
    const std::string whole = folder.file("whole"), model = finished(whole, false);
    const std::int64_t steps = result.step;
    EXPECT_EQ(steps, (2 * images + 11) / 12);
    EXPECT_EQ(steps_of_epochs(whole), (std::vector<std::int64_t> { (images + 11) / 12, steps }));
    for (int stop = 1; stop < steps; stop += 3) {
        const std::string path = folder.file("part"), name = "/checkpoint-" + std::to_string(stop);
        Listener listener;
        listener.stop = stop;
        SCOPED_TRACE("stopped after step " + std::to_string(stop));
        ASSERT_OK(run(path, false, listener, 2));
        EXPECT_TRUE(result.stopped);
        EXPECT_EQ(result.saved, stop);
        EXPECT_EQ(support::read_file(path + name) == support::read_file(whole + name), true);
        EXPECT_EQ(finished(path, true) == model, true);
        fs::remove_all(path);
    }
}

// In a network without batch norm and dropout; the losses of later steps show images and updates of earlier ones.
TEST_F(WholeRun, OfSummedGradientsTrainsAsOneOfLargeBatches)
{
    options.net.network = support::bvlc;
    options.aux_weight = 0;
    options.no_dropout = true;
    options.max_steps = 4;
    options.lr.lr = 0.05;
    const auto losses = [&](int batch, int batches) {
        options.plan.batch = batch;
        options.accumulate = batches;
        const std::string path = folder.file(std::to_string(batch));
        finished(path, false);
        return numbers_after(support::read_file(path + "/metrics.jsonl"), "\"loss\":");
    };
    const std::vector<double> large = losses(16, 1), small = losses(4, 4);
    ASSERT_EQ(large.size(), 4u);
    ASSERT_EQ(small.size(), 4u);
    EXPECT_GT(std::fabs(large[3] - large[0]), 1e-3);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(small[i], large[i], 1e-5) << i;
}

TEST_F(WholeRun, HasAtLeastTheImagesOfAStep)
{
    options.accumulate = 20;
    Listener listener;
    EXPECT_FAILS(run(folder.file("run"), false, listener), TRIB_INVALID_ARGUMENT,
                 "fewer than a step of 20 batches of 16");
}

// ----

TEST_F(WholeRun, AWishToSaveIsGrantedAtTheNextStep)
{
    const std::string path = folder.file("run");
    options.max_steps = 3;
    options.keep = 5;
    Listener listener;
    listener.stop = 1;
    listener.save_instead = true;
    ASSERT_OK(run(path, false, listener));
    for (const char *name : { "/checkpoint-1", "/checkpoint-2", "/checkpoint-3" }) EXPECT_TRUE(fs::exists(path + name));
    EXPECT_EQ(result.step, 3);
    EXPECT_NE(support::read_file(path + "/metrics.jsonl").find("\"loss_scale\":65536,\"skipped_steps\":0"),
              std::string::npos);
}

TEST_F(WholeRun, WhatWouldChangeTheBitsIsRefused)
{
    const std::string path = folder.file("run");
    Listener listener;
    listener.stop = 2;
    const trib_run_setting lr[] = { { "lr", nullptr, 0.01 }, { "workers", nullptr, 1 } };
    const trib_run_setting other[] = { { "lr", nullptr, 0.02 }, { "workers", nullptr, 2 } };
    const char *const harmless[] = { "workers", nullptr };
    options.harmless = harmless;
    options.settings = lr;
    options.setting_count = 2;
    ASSERT_OK(run(path, false, listener));
    EXPECT_FAILS(run(path, false, listener), TRIB_INVALID_ARGUMENT, "resume the run");
    options.settings = other;
    EXPECT_FAILS(run(path, true, listener), TRIB_INVALID_ARGUMENT, "lr: was 0.01, is 0.02");
    options.resume_anyway = true;
    Listener second;
    EXPECT_OK(run(path, true, second));
    EXPECT_NE(second.said.find("resumed with changes, so from here on results differ: lr: was 0.01, is 0.02"),
              std::string::npos)
        << second.said;
    EXPECT_EQ(second.said.find("workers"), std::string::npos) << second.said;
}

TEST_F(WholeRun, OtherDataAreRefused)
{
    const std::string path = folder.file("run");
    Listener listener;
    listener.stop = 2;
    ASSERT_OK(run(path, false, listener));
    options.data.validation_share = 0.3;
    EXPECT_FAILS(run(path, true, listener), TRIB_INVALID_ARGUMENT, "data hash: was");
}

const char ten_names[] =
    "\xEF\xBB\xBFtop\r\ntrousers\npullover\ndress\ncoat\nsandal\nshirt\nsneaker\nbag\nankle \"boot\"";

TEST_F(WholeRun, NamesOfClassesComeFromAFile)
{
    const std::string path = folder.file("run"), names = folder.file("names");
    support::write_file(names, ten_names);
    options.class_names = names.c_str();
    options.max_steps = 1;
    finished(path, false);
    files::Model model;
    ASSERT_OK(files::load(path, model));
    EXPECT_STREQ(trib_model_label(model.get(), 0), "top");
    EXPECT_STREQ(trib_model_label(model.get(), 9), "ankle \"boot\"");

    // With that model to begin with, its names are the data's, and names in another order are kept as they are.
    const std::string second = folder.file("second");
    options.init = path.c_str();
    options.class_names = nullptr;
    finished(second, false);
    ASSERT_OK(files::load(second, model));
    EXPECT_STREQ(trib_model_label(model.get(), 1), "trousers");
    support::write_file(names, "trousers\ntop\npullover\ndress\ncoat\nsandal\nshirt\nsneaker\nbag\nankle \"boot\"\n");
    options.class_names = names.c_str();
    finished(folder.file("third"), false);
    ASSERT_OK(files::load(folder.file("third"), model));
    EXPECT_STREQ(trib_model_label(model.get(), 0), "trousers");
}

TEST_F(WholeRun, FilesThatNameNoClassesAreRefused)
{
    struct Case {
        std::string text, message;
    };
    const Case cases[] = {
        { "top\n\nshirt\n", "line 2 is empty" },
        { "top\nshi\nrt\n\r\n", "line 4 is empty" },
        { std::string("top\n\0\n", 6), "line 2 has a zero byte" },
        { "\xEF\xBB\xBF", "has one per line, that of class 0 first: is empty" },
        { "", "empty" },
        { "top\nshirt\n", "9" }, // a label
        { "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "class '10' has no images" },
        { "0\n1\n2\n3\n4\n5\n6\n7\n8\n\x01\n", "control characters" },
    };
    const std::string names = folder.file("names");
    options.class_names = names.c_str();
    Listener listener;
    EXPECT_FAILS(run(folder.file("run"), false, listener), TRIB_NOT_FOUND, "names");
    for (auto &c : cases) {
        support::write_file(names, c.text);
        trib_status s = run(folder.file("run"), false, listener);
        EXPECT_TRUE(trib_failed(&s));
        EXPECT_NE(std::string(s.message).find(c.message), std::string::npos) << s.message;
    }
    EXPECT_FALSE(fs::exists(folder.file("run")));
}

TEST_F(WholeRun, EveryFailureBeforeItBeginsHasAReason)
{
    const std::string names = folder.file("names");
    support::write_file(names, ten_names);
    options.class_names = names.c_str();
    const int most = support::sanitized ? 60 : 200;
    for (int k = 1; k <= most; ++k) {
        Listener listener;
        trib_device *device = nullptr;
        trib_train *train = nullptr;
        ASSERT_OK(trib_device_open("cpu", nullptr, &device));
        trib_fault_arm(k, false);
        trib_status s = trib_train_open(device, &options, nullptr, &train);
        trib_fault_disarm();
        EXPECT_TRUE(!trib_failed(&s) || s.message[0]) << k;
        trib_train_close(train);
        trib_device_close(device);
    }
}

// What IDX files hold was cut to its edges; a folder's photos are seen without theirs.
TEST_F(WholeRun, ImagesOfOneSizeAreUsedWhole)
{
    trib_device *device = nullptr;
    trib_train *train = nullptr;
    ASSERT_OK(trib_device_open("cpu", nullptr, &device));
    ASSERT_OK(trib_train_open(device, &options, nullptr, &train));
    EXPECT_EQ(trib_train_preprocess(train)->resize_mode, TRIB_RESIZE_SQUASH);
    EXPECT_EQ(trib_train_preprocess(train)->resize, 32);
    EXPECT_EQ(trib_train_preprocess(train)->crop_width, 32);
    trib_train_close(train);
    train = nullptr;

    const std::string photos = folder.file("photos"), sample = support::model_file("samples/18-bag.png");
    for (const char *name : { "bag", "shirt" }) {
        fs::create_directories(photos + "/" + name);
        fs::copy_file(sample, photos + "/" + name + "/1.png");
    }
    const char *inputs[] = { photos.c_str() };
    options.inputs = inputs;
    options.data.validation_share = -1;
    options.plan.batch = 2;
    ASSERT_OK(trib_train_open(device, &options, nullptr, &train));
    EXPECT_EQ(trib_train_preprocess(train)->resize_mode, TRIB_RESIZE_SHORT_SIDE);
    EXPECT_EQ(trib_train_preprocess(train)->resize, 37);
    trib_train_close(train);
    trib_device_close(device);
}

TEST_F(WholeRun, ALossThatIsNotFiniteStopsIt)
{
    const std::string path = folder.file("run");
    options.adapt_loss_scale = false; // which would skip such steps
    options.clip_norm = 0;
    options.lr.lr = 1e6;
    options.lr.schedule = nullptr;
    options.checkpoint_every = 1;
    Listener listener;
    trib_status s = run(path, false, listener);
    EXPECT_EQ(s.code, TRIB_BAD_DATA) << s.message;
    EXPECT_NE(std::string(s.message).find("not finite"), std::string::npos) << s.message;
    EXPECT_FALSE(fs::exists(path + "/model.safetensors"));
    EXPECT_GE(result.saved, 1);
    EXPECT_TRUE(fs::exists(path + "/last"));
}

TEST_F(WholeRun, WhereItBeginsNotToBeFiniteIsNamed)
{
    const std::string path = folder.file("run");
    options.lr.lr = 1e30;
    options.lr.schedule = nullptr;
    Listener listener;
    EXPECT_FAILS(run(path, false, listener), TRIB_BAD_DATA,
                 "is not finite (nan); in the network it begins with 'conv1/7x7_s2/bn.running_");
    EXPECT_EQ(result.bad_step, 2);
    EXPECT_FALSE(fs::exists(path + "/last"));
}

// After any failure, the run goes on where its newest checkpoint is, to the same bits.
TEST_F(WholeRun, GoesOnAfterAnyFailure)
{
    options.accumulate = 2;
    const std::string model = finished(folder.file("whole"), false);
    std::int64_t all = 0;
    {
        trib_fault_arm(0, false);
        finished(folder.file("counted"), false);
        all = trib_fault_disarm();
    }
    const int tries = support::sanitized ? 4 : 12;
    for (int i = 0; i < tries; ++i) {
        const std::string path = folder.file("part");
        Listener listener;
        trib_fault_arm(all * (2 * i + 1) / (2 * tries) + 1, i % 2 == 1);
        trib_status s = run(path, true, listener);
        trib_fault_disarm();
        SCOPED_TRACE("failure " + std::to_string(i) + ": " + s.message);
        EXPECT_TRUE(!trib_failed(&s) || s.message[0]);
        EXPECT_EQ(finished(path, true) == model, true);
        fs::remove_all(path);
    }
}

} // namespace
