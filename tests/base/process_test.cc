// SPDX-License-Identifier: Apache-2.0
#include <sys/syscall.h>

#include <set>
#include <thread>
#include <vector>

#include "support/child.h"
#include "support/support.h"
#include "tributary/internal/process.h"

namespace
{

TEST(Process, KeepsItsNumberInAllThreads)
{
    const uint64_t here = trib_process();
    EXPECT_NE(here, 0u);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(trib_process(), here); });
    for (std::thread &t : threads) t.join();
    EXPECT_OK(trib_made_here(here, "thing"));
}

// Threads of a child that ask at the same time get the same new number.
TEST(Process, ChildAndGrandchildHaveNumbersOfTheirOwn)
{
    const uint64_t parent = trib_process();
    support::expect_in_child([&] {
        std::vector<uint64_t> seen(8);
        std::vector<std::thread> threads;
        for (uint64_t &number : seen) threads.emplace_back([&number] { number = trib_process(); });
        for (std::thread &t : threads) t.join();
        EXPECT_EQ(std::set<uint64_t>(seen.begin(), seen.end()).size(), 1u);
        const uint64_t child = trib_process();
        EXPECT_NE(child, parent);
        EXPECT_FAILS(trib_made_here(parent, "thing"), TRIB_INVALID_ARGUMENT, "thing: created before fork()");
        support::expect_in_child([&] { EXPECT_TRUE(trib_process() != parent && trib_process() != child); });
        EXPECT_EQ(trib_process(), child);
    });
    EXPECT_EQ(trib_process(), parent);
}

// No handler of pthread_atfork sees this one.
TEST(Process, ABareCloneIsAChildToo)
{
    const uint64_t parent = trib_process();
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(trib_process() != parent ? 0 : 1);
    ASSERT_GT(child, 0);
    int status = -1;
    ASSERT_EQ(waitpid(pid_t(child), &status, 0), pid_t(child));
    EXPECT_EQ(status, 0);
}

} // namespace
