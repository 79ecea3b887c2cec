// SPDX-License-Identifier: Apache-2.0
#include "train/run_folder.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "support/child.h"
#include "train/runs.h"
extern "C" {
#include "formats/json.h"
}

namespace fs = std::filesystem;

namespace
{

std::set<std::string> names(const std::string &folder)
{
    std::set<std::string> all;
    for (auto &entry : fs::directory_iterator(folder)) all.insert(entry.path().filename());
    all.erase(".lock");
    return all;
}

std::string step_in(const std::string &path) { return checkpoints::step_of(checkpoints::opened(path).get()); }

class Folder : public testing::Test
{
  protected:
    std::string file(const std::string &name) const { return run + "/" + name; }
    void damage(const std::string &name)
    {
        std::string bytes = support::read_file(file(name));
        bytes.back() = char(bytes.back() ^ 1);
        support::write_file(file(name), bytes);
    }

    support::TemporaryFolder folder;
    const std::string run = folder.file("some/where/run");
};

} // namespace

// ---- whose folder it is ----

using RunFolder = Folder;

TEST_F(RunFolder, IsCreatedWithTheFoldersAboveIt)
{
    auto r = runs::opened(run, false);
    ASSERT_TRUE(r);
    EXPECT_TRUE(trib_run_folder_is_new(r.get()));
    EXPECT_TRUE(trib_run_folder_is_locked(r.get()));
    EXPECT_EQ(trib_run_folder_path(r.get()), run);
    EXPECT_EQ(names(run), std::set<std::string> {});
    EXPECT_OK(runs::write_args(r.get()));
    EXPECT_FALSE(trib_run_folder_is_new(r.get()));
}

TEST_F(RunFolder, AnEmptyOneIsTakenAndOneThatACrashLeftToo)
{
    fs::create_directories(run);
    runs::opened(run, false).reset(); // ended before args.json
    support::write_file(file(".tributary-4000000-0.tmp"), "half of args.json");
    auto r = runs::opened(run, false);
    EXPECT_TRUE(trib_run_folder_is_new(r.get()));
    EXPECT_EQ(names(run), std::set<std::string> {});
}

TEST_F(RunFolder, ARunIsContinuedOnlyWhenThatIsAsked)
{
    runs::begun(run).reset();
    runs::Run r(nullptr, trib_run_folder_close);
    EXPECT_FAILS(runs::open(run, false, r), TRIB_INVALID_ARGUMENT,
                 "holds a training run already; give another folder, or resume the run");
    EXPECT_OK(runs::open(run, true, r));
    EXPECT_FALSE(trib_run_folder_is_new(r.get()));
}

TEST_F(RunFolder, OneLineServesTheStartAndEveryContinuation)
{
    auto r = runs::opened(run, true);
    EXPECT_TRUE(trib_run_folder_is_new(r.get()));
    EXPECT_EQ(runs::newest(r.get()), -1);
}

TEST_F(RunFolder, OthersFilesAreRefusedAndLeftAlone)
{
    fs::create_directories(run);
    support::write_file(file("thesis.tex"), "x");
    runs::Run r(nullptr, trib_run_folder_close);
    for (bool resume : { false, true })
        EXPECT_FAILS(runs::open(run, resume, r), TRIB_INVALID_ARGUMENT,
                     "holds other files than a training run ('thesis.tex')");
    support::write_file(file("args.json"), "{\"lr\": 0.1}");
    EXPECT_FAILS(runs::open(run, true, r), TRIB_BAD_DATA, "args.json: is not Tributary's");
    support::write_file(file("args.json"), "lr: 0.1");
    EXPECT_FAILS(runs::open(run, true, r), TRIB_BAD_DATA, "args.json: is not Tributary's");
    EXPECT_EQ(names(run), (std::set<std::string> { "args.json", "thesis.tex" }));
    EXPECT_FALSE(fs::exists(file(".lock")));
}

TEST_F(RunFolder, NamesThatCannotBeFolders)
{
    runs::Run r(nullptr, trib_run_folder_close);
    support::write_file(folder.file("file"), "x");
    EXPECT_FAILS(runs::open(folder.file("file"), true, r), TRIB_NOT_FOUND, "file");
    EXPECT_FAILS(runs::open(folder.file("file/run"), true, r), TRIB_NOT_FOUND, "file");
    EXPECT_FAILS(runs::open("", true, r), TRIB_INVALID_ARGUMENT, "empty");
    EXPECT_FAILS(runs::open(std::string(5000, 'x'), true, r), TRIB_INVALID_ARGUMENT, "too long");
}

TEST_F(RunFolder, UnfinishedFilesOfDeadProcessesAreRemoved)
{
    runs::begun(run).reset();
    const pid_t dead = fork();
    if (dead == 0) _exit(0);
    ASSERT_EQ(waitpid(dead, nullptr, 0), dead);
    auto temporary = [](pid_t pid) { return ".tributary-" + std::to_string(pid) + "-0.tmp"; };
    const std::string kept[] = { temporary(getppid()), ".tributary-x.tmp", "notes.tmp", ".tributary-1.txt" };
    for (const std::string &name : kept) support::write_file(file(name), "x");
    support::write_file(file(temporary(dead)), "x");
    support::write_file(file(temporary(getpid())), "x"); // of a process that had the same id
    runs::opened(run, true).reset();
    EXPECT_EQ(names(run), (std::set<std::string> { "args.json", kept[0], kept[1], kept[2], kept[3] }));
}

// ---- one process at a time ----

TEST_F(RunFolder, ASecondProcessIsToldTheFirst)
{
    auto first = runs::begun(run);
    const std::string wanted = "process " + std::to_string(getpid()) + " on ";
    support::expect_in_child([&] {
        runs::Run r(nullptr, trib_run_folder_close);
        EXPECT_FAILS(runs::open(run, true, r), TRIB_INVALID_ARGUMENT, wanted);
    });
    first.reset();
    support::expect_in_child([&] { EXPECT_TRUE(runs::opened(run, true)); });
}

TEST_F(RunFolder, TheLockOfAKilledProcessIsTakenOver)
{
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = fork();
    if (child == 0) {
        auto r = runs::begun(run);
        if (write(pipe[1], "x", 1) == 1) pause();
        _exit(0);
    }
    char byte;
    ASSERT_EQ(read(pipe[0], &byte, 1), 1);
    runs::Run r(nullptr, trib_run_folder_close);
    EXPECT_FAILS(runs::open(run, true, r), TRIB_INVALID_ARGUMENT, "process " + std::to_string(child));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_OK(runs::open(run, true, r));
    close(pipe[0]);
    close(pipe[1]);
}

TEST_F(RunFolder, ALockWithoutAnIdIsALockToo)
{
    auto first = runs::begun(run);
    for (const char *text : { "", "x", "\x1B[2J 1", "12" }) {
        support::write_file(file(".lock"), text); // as on a full disk
        runs::Run r(nullptr, trib_run_folder_close);
        EXPECT_FAILS(runs::open(run, true, r), TRIB_INVALID_ARGUMENT, "another process trains into this folder");
    }
}

// ---- what was asked ----

TEST_F(RunFolder, ArgsAreJsonWithTheCommandAndTheSettings)
{
    runs::begun(run).reset();
    const std::string text = support::read_file(file("args.json"));
    cJSON *json = nullptr;
    ASSERT_OK(trib_json_parse(text.data(), text.size(), &json));
    const cJSON *command = cJSON_GetObjectItem(json, "command"), *settings = cJSON_GetObjectItem(json, "settings");
    EXPECT_STREQ(cJSON_GetObjectItem(json, "tributary")->valuestring, trib_version());
    EXPECT_EQ(cJSON_GetArraySize(command), 5);
    EXPECT_STREQ(cJSON_GetArrayItem(command, 2)->valuestring, "caf\xC3\xA9/\xEF\xBF\xBD\"");
    EXPECT_STREQ(cJSON_GetObjectItem(settings, "model")->valuestring, "googlenet");
    EXPECT_EQ(cJSON_GetObjectItem(settings, "batch_size")->valuedouble, 32);
    trib_json_free(json);
}

TEST_F(RunFolder, DifferencesToWhatWasAskedAreNamed)
{
    auto r = runs::begun(run);
    auto differences = [&](std::vector<trib_run_setting> now) {
        trib_text text = {};
        EXPECT_OK(trib_run_folder_compare_args(r.get(), now.data(), int(now.size()), &text));
        std::string copy = text.bytes ? text.bytes : "";
        trib_text_free(&text);
        return copy;
    };
    const trib_run_setting model = runs::settings[0], batch = runs::settings[1];
    EXPECT_EQ(differences({ model, batch }), "");
    EXPECT_EQ(differences({ batch, model }), "");
    EXPECT_EQ(differences({ model, { "batch_size", nullptr, 64 } }), "batch_size: was 32, is 64\n");
    EXPECT_EQ(differences({ model, { "batch_size", "32", 0 } }), "batch_size: was 32, is '32'\n");
    EXPECT_EQ(differences({ model, batch, { "lr", nullptr, 0.1 } }), "lr: was nothing, is 0.1\n");
    EXPECT_EQ(differences({ batch }), "model: was 'googlenet', is nothing\n");
    EXPECT_EQ(differences({ model, { "batch_size", nullptr, NAN } }), "batch_size: was 32, is nothing\n");
    ASSERT_OK(trib_run_folder_write_args(r.get(), nullptr, 0,
                                         std::vector<trib_run_setting> { { "x", nullptr, NAN } }.data(), 1));
    EXPECT_EQ(differences({ { "x", nullptr, INFINITY } }), "");
}

// ---- checkpoints ----

TEST_F(RunFolder, KeepsTheBestAndTheLastOnes)
{
    auto r = runs::begun(run, 2);
    for (int step = 100; step <= 500; step += 100) ASSERT_OK(runs::save(r.get(), step, step == 200));
    EXPECT_EQ(names(run),
              (std::set<std::string> { "args.json", "checkpoint-400", "checkpoint-500", "last", "model_best" }));
    EXPECT_EQ(step_in(file("last")), "500");
    EXPECT_EQ(step_in(file("model_best")), "200");
    EXPECT_EQ(step_in(file("checkpoint-400")), "400");
    EXPECT_EQ(runs::newest(r.get()), 500);
}

TEST_F(RunFolder, TheSameStepMayBeSavedAgain)
{
    auto r = runs::begun(run);
    ASSERT_OK(runs::save(r.get(), 100, true));
    ASSERT_OK(runs::save(r.get(), 100, true));
    EXPECT_EQ(names(run), (std::set<std::string> { "args.json", "checkpoint-100", "last", "model_best" }));
    EXPECT_EQ(fs::hard_link_count(file("last")), 3u);
}

TEST_F(RunFolder, ACopyOfTheFolderGoesOn)
{
    auto r = runs::begun(run);
    for (int step : { 100, 200, 300 }) ASSERT_OK(runs::save(r.get(), step, step == 100));
    fs::copy(run, folder.file("copy"), fs::copy_options::recursive); // while the first goes on
    auto copy = runs::opened(folder.file("copy"), true);
    EXPECT_EQ(runs::newest(copy.get()), 300);
    ASSERT_OK(runs::save(copy.get(), 400, false));
    EXPECT_EQ(step_in(folder.file("copy/last")), "400");
    EXPECT_EQ(step_in(folder.file("copy/model_best")), "100");
    EXPECT_EQ(step_in(file("last")), "300");
}

TEST_F(RunFolder, TheNewestWholeCheckpointIsFoundAndOthersAreSaid)
{
    auto r = runs::begun(run, 3);
    std::string passed_over;
    for (int step : { 100, 200, 300 }) ASSERT_OK(runs::save(r.get(), step));
    damage("checkpoint-300"); // `last` is the same file
    EXPECT_EQ(runs::newest(r.get(), &passed_over), 200);
    EXPECT_EQ(passed_over.find(file("checkpoint-300") + ": section 'training/mask' (bytes "), 0u) << passed_over;
    EXPECT_EQ(std::count(passed_over.begin(), passed_over.end(), '\n'), 1) << passed_over;
    fs::resize_file(file("checkpoint-200"), 100);
    EXPECT_EQ(runs::newest(r.get(), &passed_over), 100);
    EXPECT_EQ(std::count(passed_over.begin(), passed_over.end(), '\n'), 2) << passed_over;
    fs::resize_file(file("checkpoint-100"), 0);
    trib_status s;
    EXPECT_EQ(runs::newest(r.get(), &passed_over, &s), -2);
    EXPECT_EQ(s.code, TRIB_BAD_DATA);
    EXPECT_NE(std::string(s.message).find("no checkpoint of the run can be loaded: " + file("checkpoint-300")),
              std::string::npos)
        << s.message;
}

TEST_F(RunFolder, LastAloneIsEnough)
{
    auto r = runs::begun(run);
    ASSERT_OK(runs::save(r.get(), 100, true));
    ASSERT_OK(runs::save(r.get(), 200));
    fs::remove(file("checkpoint-200"));
    fs::remove(file("checkpoint-100"));
    EXPECT_EQ(runs::newest(r.get()), 200);
    damage("last");
    EXPECT_EQ(runs::newest(r.get()), 100);
    fs::resize_file(file("last"), 20);
    EXPECT_EQ(runs::newest(r.get()), 100);
}

TEST_F(RunFolder, DamagedCheckpointsAheadDoNotPushOutNewOnes)
{
    auto r = runs::begun(run, 1);
    ASSERT_OK(runs::save(r.get(), 100));
    fs::copy_file(file("checkpoint-100"), file("checkpoint-900"));
    damage("checkpoint-900");
    support::write_file(file("checkpoint-0900"), "not ours");
    support::write_file(file("checkpoint-99999999999999999999"), "not ours");
    ASSERT_OK(runs::save(r.get(), 200));
    EXPECT_EQ(names(run), (std::set<std::string> { "args.json", "checkpoint-200", "checkpoint-900", "checkpoint-0900",
                                                   "checkpoint-99999999999999999999", "last" }));
    EXPECT_EQ(runs::newest(r.get()), 200);
}

TEST_F(RunFolder, NumbersBelowZeroAreNoSteps)
{
    auto r = runs::begun(run);
    EXPECT_FAILS(runs::save(r.get(), -1), TRIB_INVALID_ARGUMENT, "negative");
}

TEST_F(RunFolder, ACheckpointWithoutAStepIsNoneOfARun)
{
    auto r = runs::begun(run);
    std::string passed_over;
    ASSERT_OK(runs::save(r.get(), 100));
    ASSERT_OK(trib_checkpoint_write(file("checkpoint-200").c_str(), nullptr, 0, nullptr, 0));
    EXPECT_EQ(runs::newest(r.get(), &passed_over), 100);
    EXPECT_NE(passed_over.find("'training.step' is missing"), std::string::npos);
}
