// SPDX-License-Identifier: Apache-2.0
// Code that runs in a child of fork().
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "support/sanitized.h"

// For a test that forks while other threads allocate: the locks of the sanitizers' allocators (before LLVM 18) may then
// stay locked in the child for ever.
#define NEEDS_ALLOCATOR_THAT_FORKS() \
    if (support::sanitized) GTEST_SKIP() << "the sanitizer's allocator may stay locked in the child"

namespace support
{

// Runs `body` in a child, which is killed after a while: expects that it comes back, and that its expectations hold.
template <typename Body>
void expect_in_child(Body body, unsigned seconds = 60)
{
    std::fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
        alarm(seconds);
        body();
        std::fflush(nullptr);
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_FALSE(WIFSIGNALED(status)) << "the child was killed by signal " << WTERMSIG(status) << " (" << SIGALRM
                                      << ": it hung)";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "what failed in the child is said above";
}

} // namespace support
