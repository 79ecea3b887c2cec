// SPDX-License-Identifier: Apache-2.0
// A complete checkpoint is there at every moment, and none is said to be that is not: every call to the system and
// every allocation fails in turn, and the process is killed at any time.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "support/form.h"
#include "train/calls.h"
#include "train/checkpoints.h"
#include "tributary/internal/fault.h"

using calls::Trouble;
using checkpoints::State;

namespace
{

std::size_t files_in(const std::string &folder)
{
    auto all = std::filesystem::directory_iterator(folder);
    return std::size_t(std::distance(begin(all), end(all)));
}

// The file holds step 1 or step 2, whole; after a success it is step 2.
void expect_whole(const std::string &path, const trib_status &s)
{
    auto c = checkpoints::opened(path);
    ASSERT_TRUE(c);
    const std::string step = checkpoints::step_of(c.get());
    if (!trib_failed(&s)) {
        EXPECT_EQ(step, "2");
    }
    ASSERT_TRUE(step == "1" || step == "2") << step;
    State(step == "1" ? 1 : 2).expect_in(c.get());
}

class CheckpointCalls : public testing::TestWithParam<std::pair<Trouble, bool>>
{
};

std::string named(const testing::TestParamInfo<std::pair<Trouble, bool>> &info)
{
    const char *names[] = { "None", "NoSpace", "Broken", "Interrupted", "Half", "Dies" };
    return std::string(names[int(info.param.first)]) + (info.param.second ? "FromThenOn" : "Once");
}
INSTANTIATE_TEST_SUITE_P(, CheckpointCalls,
                         testing::Values(std::pair(Trouble::no_space, false), std::pair(Trouble::no_space, true),
                                         std::pair(Trouble::broken, false), std::pair(Trouble::broken, true),
                                         std::pair(Trouble::interrupted, false), std::pair(Trouble::half, false),
                                         std::pair(Trouble::half, true)),
                         named);

TEST_P(CheckpointCalls, FailInTurn)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("last");
    const auto [trouble, forever] = GetParam();
    int failures = 0, k = 1;
    for (;; ++k) {
        ASSERT_OK(State(1).write(path));
        State next(2);
        calls::arm(k, trouble, forever);
        trib_status s = next.write(path);
        const std::int64_t seen = calls::disarm();
        SCOPED_TRACE("call " + std::to_string(k) + ", " + calls::last());
        expect_whole(path, s);
        failures += trib_failed(&s);
        if (trib_failed(&s)) {
            EXPECT_EQ(s.code, TRIB_IO_ERROR) << s.message;
            EXPECT_NE(std::string(s.message).find(path), std::string::npos) << s.message;
        }
        if (!forever) { // otherwise not even the temporary file can be removed
            EXPECT_EQ(files_in(folder.path()), 1u);
        }
        std::filesystem::remove_all(folder.path());
        std::filesystem::create_directory(folder.path());
        if (seen < k) break;
    }
    EXPECT_GT(k, 10); // open, write x 8, fsync, close, rename, open, fsync, close
    if (trouble == Trouble::interrupted || trouble == Trouble::half) {
        EXPECT_EQ(failures, 0);
    } else {
        EXPECT_GE(failures, 8);
    }
}

class CheckpointFault : public testing::TestWithParam<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, CheckpointFault, testing::Bool(),
                         [](const auto &info) { return info.param ? "FromThenOn" : "Once"; });

TEST_P(CheckpointFault, Write)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("last");
    for (int k = 1;; ++k) {
        ASSERT_OK(State(1).write(path));
        State next(2);
        trib_fault_arm(k, GetParam());
        trib_status s = next.write(path);
        const std::int64_t seen = trib_fault_disarm();
        SCOPED_TRACE("operation " + std::to_string(k));
        expect_whole(path, s);
        EXPECT_EQ(files_in(folder.path()), 1u);
        EXPECT_EQ(trib_failed(&s), seen >= k) << s.message;
        if (seen < k) break;
        EXPECT_TRUE(s.code == TRIB_IO_ERROR || s.code == TRIB_OUT_OF_MEMORY) << s.message;
    }
}

TEST_P(CheckpointFault, Read)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("last");
    ASSERT_OK(State(1).write(path));
    for (int k = 1;; ++k) {
        trib_fault_arm(k, GetParam());
        checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
        trib_status s = checkpoints::open(path, c);
        const std::int64_t seen = trib_fault_disarm();
        EXPECT_EQ(trib_failed(&s), seen >= k) << s.message;
        if (seen < k) break;
        EXPECT_TRUE(s.code == TRIB_IO_ERROR || s.code == TRIB_OUT_OF_MEMORY) << s.message;
    }
}

// Writes checkpoints for ever, and says each one's number on `pipe` once it was written.
[[noreturn]] void write_for_ever(const std::string &path, int pipe)
{
    alarm(60);
    for (int step = 1;; ++step) {
        trib_status s = State(step, 20000).write(path);
        if (trib_failed(&s) || write(pipe, &step, sizeof step) != sizeof step) _exit(1);
    }
}

TEST(CheckpointKilled, AtAnyInstantTheNewestAnnouncedIsThere)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("last");
    std::mt19937 random(1);
    int kills = support::by_form(40, 200), halfway = 0;
    for (int i = 0; i < kills && !testing::Test::HasFailure(); ++i) {
        int pipe[2];
        ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
        const pid_t child = fork();
        if (child == 0) write_for_ever(path, pipe[1]);
        close(pipe[1]);
        int announced = 0, step;
        while (announced < 1 && read(pipe[0], &step, sizeof step) == sizeof step) announced = step;
        usleep(random() % 8000);
        kill(child, SIGKILL);
        while (read(pipe[0], &step, sizeof step) == sizeof step) announced = step;
        close(pipe[0]);
        ASSERT_EQ(waitpid(child, nullptr, 0), child);
        auto c = checkpoints::opened(path);
        ASSERT_TRUE(c);
        const int found = std::stoi(checkpoints::step_of(c.get()));
        EXPECT_TRUE(found == announced || found == announced + 1) << found << ", announced " << announced;
        State(found, 20000).expect_in(c.get());
        halfway += files_in(folder.path()) > 1;
        std::filesystem::remove_all(folder.path());
        std::filesystem::create_directory(folder.path());
    }
    RecordProperty("killed_with_an_unfinished_file", halfway);
}

} // namespace
