// SPDX-License-Identifier: Apache-2.0
// A run is whole at every moment: every call to the system and every allocation fails in turn, and the process ends at
// every call, or at any time.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>

#include "support/form.h"
#include "train/calls.h"
#include "train/runs.h"
#include "tributary/internal/fault.h"

using calls::Trouble;
namespace fs = std::filesystem;

namespace
{

trib_status row(trib_run_folder *run, int step)
{
    const trib_run_number loss = { "loss", 1.0 / step };
    trib_status s = trib_run_folder_add_step(run, step, &loss, 1);
    const trib_run_epoch epoch = { step, step, 1, 1, 1, 1, nullptr };
    return trib_failed(&s) ? s : trib_run_folder_add_epoch(run, &epoch);
}

// Continues the run, or starts it, and does one more step: a row in each table and a checkpoint.
trib_status one_more(const std::string &path, int *saved)
{
    trib_run_folder *run = nullptr;
    trib_checkpoint *c = nullptr;
    trib_text passed_over = {};
    const trib_run_options options = { true, 1 };
    trib_status s = trib_run_folder_open(path.c_str(), &options, &run);
    if (!trib_failed(&s) && trib_run_folder_is_new(run)) s = runs::write_args(run);
    if (!trib_failed(&s)) s = trib_run_folder_newest(run, &passed_over, &c);
    const int step = c ? int(trib_run_step(c)) : 0;
    if (!trib_failed(&s)) s = trib_run_folder_begin(run, step, nullptr, 0);
    if (!trib_failed(&s)) s = row(run, step + 1);
    if (!trib_failed(&s)) s = runs::save(run, step + 1, step % 2);
    if (!trib_failed(&s)) *saved = step + 1;
    trib_checkpoint_close(c);
    trib_text_free(&passed_over);
    trib_run_folder_close(run);
    return s;
}

// The newest checkpoint is that of `step` or one later, its rows are there, and no unfinished file is left after the
// start. *newest is set to its step, if not NULL.
void expect_whole(const std::string &path, int step, int *newest = nullptr)
{
    auto run = runs::opened(path, true);
    ASSERT_TRUE(run);
    std::string passed_over;
    const std::int64_t found = runs::newest(run.get(), &passed_over);
    EXPECT_GE(found, step ? step : -1);
    EXPECT_LE(found, step + 1);
    EXPECT_EQ(passed_over, "");
    if (newest) *newest = found < 0 ? 0 : int(found);
    if (trib_run_folder_is_new(run.get())) return;
    ASSERT_OK(trib_run_folder_begin(run.get(), found < 0 ? 0 : found, nullptr, 0));
    const double *values;
    EXPECT_EQ(trib_run_folder_history(run.get(), &values), found < 0 ? 0 : found);
    for (auto &entry : fs::directory_iterator(path)) EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
}

class RunCalls : public testing::TestWithParam<Trouble>
{
};
std::string named(const testing::TestParamInfo<Trouble> &info)
{
    const char *names[] = { "None", "NoSpace", "Broken", "Interrupted", "Half", "Dies" };
    return names[int(info.param)];
}
INSTANTIATE_TEST_SUITE_P(, RunCalls,
                         testing::Values(Trouble::no_space, Trouble::broken, Trouble::interrupted, Trouble::half),
                         named);

TEST_P(RunCalls, FailInTurn)
{
    support::TemporaryFolder folder;
    int failures = 0;
    for (int start : { 0, 2 }) { // a new run, and one with all kinds of files
        for (int k = 1;; ++k) {
            const std::string path = folder.file(std::to_string(start) + "-" + std::to_string(k));
            int saved = 0;
            for (int i = 0; i < start; ++i) ASSERT_OK(one_more(path, &saved));
            calls::arm(k, GetParam());
            trib_status s = one_more(path, &saved);
            const std::int64_t seen = calls::disarm();
            SCOPED_TRACE("call " + std::to_string(k) + ", " + calls::last() + ": " + s.message);
            EXPECT_EQ(saved, trib_failed(&s) ? start : start + 1);
            expect_whole(path, saved);
            failures += trib_failed(&s);
            fs::remove_all(path);
            if (seen < k) break;
        }
    }
    RecordProperty("failures", failures);
    if (GetParam() == Trouble::interrupted || GetParam() == Trouble::half) {
        EXPECT_EQ(failures, 0);
    } else {
        EXPECT_GE(failures, 40);
    }
}

TEST(RunKilled, BeforeEveryCall)
{
    support::TemporaryFolder folder;
    for (int start : { 0, 2 }) {
        for (int k = 1;; ++k) {
            const std::string path = folder.file(std::to_string(start) + "-" + std::to_string(k));
            int saved = 0;
            for (int i = 0; i < start; ++i) ASSERT_OK(one_more(path, &saved));
            const pid_t child = fork();
            if (child == 0) {
                calls::arm(k, Trouble::dies);
                one_more(path, &saved);
                _exit(0);
            }
            int status = 0;
            ASSERT_EQ(waitpid(child, &status, 0), child);
            SCOPED_TRACE("killed before call " + std::to_string(k));
            if (fs::exists(path)) expect_whole(path, WIFSIGNALED(status) ? start : start + 1);
            ASSERT_OK(one_more(path, &saved));
            fs::remove_all(path);
            if (!WIFSIGNALED(status)) break;
        }
    }
}

class RunFault : public testing::TestWithParam<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, RunFault, testing::Bool(), [](const auto &i) { return i.param ? "FromThenOn" : "Once"; });

TEST_P(RunFault, EveryAllocation)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("run");
    for (int k = 1;; ++k) {
        int saved = 0;
        for (int i = 0; i < 2; ++i) ASSERT_OK(one_more(path, &saved));
        trib_fault_arm(k, GetParam());
        trib_status s = one_more(path, &saved);
        const std::int64_t seen = trib_fault_disarm();
        SCOPED_TRACE("operation " + std::to_string(k) + ": " + s.message);
        EXPECT_EQ(saved, trib_failed(&s) ? 2 : 3);
        EXPECT_TRUE(!trib_failed(&s) || s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR);
        expect_whole(path, saved);
        fs::remove_all(path);
        if (seen < k) break;
    }
}

// Where there are no hard links, `last` and `model_best` are copies.
TEST(RunFolderWithoutLinks, HasCopies)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("run");
    auto run = runs::begun(path);
    calls::arm(1, Trouble::no_links, true);
    trib_status s = runs::save(run.get(), 100, true);
    calls::disarm();
    EXPECT_OK(s);
    EXPECT_EQ(fs::hard_link_count(path + "/last"), 1u);
    EXPECT_EQ(support::read_file(path + "/last"), support::read_file(path + "/checkpoint-100"));
    EXPECT_EQ(support::read_file(path + "/model_best"), support::read_file(path + "/checkpoint-100"));
    EXPECT_EQ(runs::newest(run.get()), 100);
}

TEST_P(RunFault, CopiesInPlaceOfLinks)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("run");
    for (int k = 1;; ++k) {
        auto run = runs::begun(path);
        ASSERT_OK(runs::save(run.get(), 100, true));
        calls::arm(1, Trouble::no_links, true);
        trib_fault_arm(k, GetParam());
        trib_status s = runs::save(run.get(), 200, true);
        const std::int64_t seen = trib_fault_disarm();
        calls::disarm();
        SCOPED_TRACE("operation " + std::to_string(k) + ": " + s.message);
        EXPECT_EQ(trib_failed(&s), seen >= k);
        const bool said = !trib_failed(&s) || std::string(s.message).find("saved, but") == 0;
        EXPECT_GE(runs::newest(run.get()), said ? 200 : 100);
        for (const char *name : { "/last", "/model_best" }) EXPECT_TRUE(checkpoints::opened(path + name)) << name;
        run.reset();
        fs::remove_all(path);
        if (seen < k) break;
    }
}

TEST(RunFolderWithoutLocks, SaysSoAndGoesOn)
{
    support::TemporaryFolder folder;
    calls::arm(1, Trouble::no_locks, true);
    auto run = runs::begun(folder.file("run"));
    calls::disarm();
    EXPECT_FALSE(trib_run_folder_is_locked(run.get()));
    ASSERT_OK(runs::save(run.get(), 100));
    EXPECT_EQ(runs::newest(run.get()), 100);
}

TEST(RunFolderWithoutFlushedNames, Saves)
{
    support::TemporaryFolder folder;
    auto run = runs::begun(folder.file("run"));
    calls::arm(1, Trouble::no_folders, true);
    EXPECT_OK(runs::save(run.get(), 100, true));
    calls::disarm();
    EXPECT_EQ(runs::newest(run.get()), 100);
}

// Trains for ever, and says each step that is saved on `pipe`.
[[noreturn]] void train_for_ever(const std::string &path, int pipe)
{
    alarm(60);
    for (int saved = 0;;) {
        trib_status s = one_more(path, &saved);
        if (trib_failed(&s) || write(pipe, &saved, sizeof saved) != sizeof saved) _exit(1);
    }
}

TEST(RunKilled, AtAnyInstant)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("run");
    std::mt19937 random(2);
    int announced = 0;
    for (int i = support::by_form(40, 200); i-- > 0 && !testing::Test::HasFailure();) {
        int pipe[2], step;
        ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
        const pid_t child = fork();
        if (child == 0) train_for_ever(path, pipe[1]);
        close(pipe[1]);
        usleep(random() % 20000);
        kill(child, SIGKILL);
        while (read(pipe[0], &step, sizeof step) == sizeof step) announced = step;
        close(pipe[0]);
        ASSERT_EQ(waitpid(child, nullptr, 0), child);
        if (fs::exists(path)) expect_whole(path, announced, &announced);
    }
    EXPECT_GT(announced, 0);
}

} // namespace
