// SPDX-License-Identifier: Apache-2.0
// A team of threads: every piece once, in order of index, the first failure, and threads that are not there.
#include <atomic>
#include <set>
#include <thread>

#include <sys/prctl.h>

extern "C" {
#include "cpu/streams/team.h"
}
#include "support/support.h"
#include "tributary/internal/fault.h"

namespace
{

class Team
{
  public:
    explicit Team(int helpers)
    {
        EXPECT_OK(trib_cpu_team_create("crew", helpers, nullptr, &team_));
        caller_.team = team_;
    }
    ~Team() { trib_cpu_team_destroy(team_); }
    Team(const Team &) = delete;
    template <typename F>
    trib_status run(int threads, int count, F &&task)
    {
        return trib_cpu_team_run(
            &caller_, threads, count,
            [](void *context, const trib_cpu_worker *worker, int i) {
                return (*static_cast<std::remove_reference_t<F> *>(context))(worker, i);
            },
            &task);
    }

  private:
    trib_cpu_team *team_ = nullptr;
    trib_cpu_worker caller_ = {};
};

TEST(Team, EveryPieceRunsOnceAndItsWritesAreSeen)
{
    Team team(3);
    for (int count = 0; count < 200; ++count) {
        std::vector<int> runs(std::size_t(count), 0);
        EXPECT_OK(team.run(4, count, [&](const trib_cpu_worker *, int i) {
            runs[std::size_t(i)]++;
            return trib_success();
        }));
        ASSERT_EQ(runs, std::vector<int>(std::size_t(count), 1));
    }
}

TEST(Team, NoTwoPiecesHaveTheSameWorkerAtOnceAndTheirNumberIsLimited)
{
    Team team(3);
    for (int threads = 1; threads <= 4; ++threads) {
        std::vector<std::atomic<int>> busy(std::size_t(threads) + 1);
        std::atomic<int> wrong { 0 };
        EXPECT_OK(team.run(threads, 100, [&](const trib_cpu_worker *worker, int) {
            if (worker->index < 0 || worker->index >= threads || worker->team) {
                wrong++;
            } else {
                if (busy[std::size_t(worker->index)]++) wrong++;
                std::this_thread::yield();
                busy[std::size_t(worker->index)]--;
            }
            return trib_success();
        }));
        EXPECT_EQ(wrong.load(), 0) << threads << " threads";
    }
}

// Pieces that wait for each other end only if as many threads run them.
TEST(Team, HelpersAwakeAndAsleepJoin)
{
    Team team(3);
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> arrived { 0 };
        if (round % 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        EXPECT_OK(team.run(4, 4, [&](const trib_cpu_worker *, int) {
            arrived++;
            while (arrived < 4) std::this_thread::yield();
            return trib_success();
        }));
    }
}

TEST(Team, HelpersAreNamedLikeTheStream)
{
    Team team(1);
    std::atomic<int> arrived { 0 };
    std::string names[2];
    EXPECT_OK(team.run(2, 2, [&](const trib_cpu_worker *worker, int) {
        char name[16] = "";
        prctl(PR_GET_NAME, name, 0, 0, 0);
        names[worker->index] = name;
        arrived++;
        while (arrived < 2) std::this_thread::yield();
        return trib_success();
    }));
    EXPECT_EQ(names[1], "crew");
}

TEST(Team, TheFailureIsThatOfTheLowestIndex)
{
    Team team(3);
    for (int threads = 1; threads <= 4; ++threads)
        for (int round = 0; round < 50; ++round) {
            trib_status status = team.run(threads, 64, [](const trib_cpu_worker *, int i) {
                if (i < 20 || i % 3) return trib_success();
                return TRIB_ERROR(TRIB_BAD_DATA, "piece %d", i);
            });
            ASSERT_EQ(status.code, TRIB_BAD_DATA);
            ASSERT_STREQ(status.message, "piece 21");
        }
    EXPECT_OK(team.run(4, 8, [](const trib_cpu_worker *, int) { return trib_success(); }));
}

TEST(Team, WithoutHelpersTheCallerDoesItAll)
{
    const trib_cpu_worker alone = {};
    std::vector<int> order;
    EXPECT_OK(trib_cpu_team_run(
        &alone, 8, 5,
        [](void *context, const trib_cpu_worker *, int i) {
            static_cast<std::vector<int> *>(context)->push_back(i);
            return trib_success();
        },
        &order));
    EXPECT_EQ(order, (std::vector<int> { 0, 1, 2, 3, 4 }));
}

TEST(Team, EveryFailureOfItsCreationIsReported)
{
    trib_fault_arm(0, false);
    {
        Team team(3);
    }
    const std::int64_t operations = trib_fault_disarm();
    EXPECT_GE(operations, 4);
    for (std::int64_t k = 1; k <= operations; ++k) {
        trib_cpu_team *team = nullptr;
        trib_fault_arm(k, false);
        trib_status status = trib_cpu_team_create("crew", 3, nullptr, &team);
        trib_fault_disarm();
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << status.message;
        EXPECT_NE(std::string(status.message).find("crew"), std::string::npos) << status.message;
        EXPECT_EQ(team, nullptr);
    }
}

} // namespace
