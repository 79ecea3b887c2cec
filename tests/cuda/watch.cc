// SPDX-License-Identifier: Apache-2.0
// main() of programs on the simulated CUDA: each test begins with a new machine, and ends with nothing left on it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cuda/launch_hook.h"
#include "cuda/watch.h"
#include "fakecuda/library.h"
#include "support/support.h"

namespace watch
{

static bool expecting = false;

void expect_violations() { expecting = true; }

namespace
{

class Watch : public testing::EmptyTestEventListener
{
    void OnTestIterationStart(const testing::UnitTest &, int iteration) override { iteration_ = iteration; }
    void OnTestStart(const testing::TestInfo &) override
    {
        const char *seed = std::getenv("FAKECUDA_SEED");
        fakecuda::Options options;
        options.seed = seed ? std::strtoull(seed, nullptr, 10) : std::uint64_t(iteration_) + 1;
        options.real_clock = std::getenv("FAKECUDA_CLOCK"); // set to "real"
        fakecuda::reset(options);
        expecting = false;
    }
    void OnTestEnd(const testing::TestInfo &) override
    {
        if (expecting) return;
        EXPECT_EQ(fakecuda::leaks(), "");
        EXPECT_EQ(fakecuda::library::leaks(), "");
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
        EXPECT_EQ(fakecuda::counts().pageable_copies, 0);
    }
    int iteration_ = 0;
};

} // namespace

} // namespace watch

const char *support::kind_under_test() { return "cuda"; }

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    emulation::set_stream_hook(watch::on_simulated_stream);
    emulation::keep_account_of_shared_memory(false);
    testing::UnitTest::GetInstance()->listeners().Append(new watch::Watch);
    return RUN_ALL_TESTS();
}
