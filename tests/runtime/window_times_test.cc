// SPDX-License-Identifier: Apache-2.0
// Windows and stages from the times of ops, by hand.
#include <cmath>
#include <vector>

#include "support/support.h"

extern "C" {
#include "tune/window_times.h"
}

namespace
{

// Ops 0 and 1 lie before the only window; 2 and 3 are its stages 0 and 1.
class WindowTimes : public testing::Test
{
  protected:
    // In nanoseconds; the window, then its stages.
    std::vector<double> of(const std::vector<trib_op_time> &times)
    {
        std::vector<int> window = { -1, -1, 0, 0 }, stage = { -1, -1, 0, 1 };
        const trib_op_places places = { window.data(), stage.data() };
        const trib_timeline_run run = { 0, 0, times.data(), 1 };
        trib_plan plan = {};
        plan.op_count = int(times.size());
        double sum = 0, stages[1][TRIB_SPACE_LAYERS] = {};
        trib_tune_times out = { 0, &sum, stages };
        trib_add_window_times(&plan, &places, &run, 1, &out);
        return { 1e9 * sum, 1e9 * stages[0][0], 1e9 * stages[0][1] };
    }
    static void expect_near(const std::vector<double> &a, const std::vector<double> &b)
    {
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3) << i;
    }
};

TEST_F(WindowTimes, BeginWhereTheOpsBeforeEnd)
{
    expect_near(of({ { 0, 10, 100 }, { 0, 100, 200 }, { 0, 210, 300 }, { 0, 300, 450 } }), { 250, 100, 150 });
}

// Op 1 is an auxiliary classifier's.
TEST_F(WindowTimes, BeginWithTheirFirstOpWhereOthersStillRun)
{
    expect_near(of({ { 0, 10, 100 }, { 0, 100, 440 }, { 0, 110, 300 }, { 0, 300, 450 } }), { 340, 190, 150 });
}

TEST_F(WindowTimes, AreNoneWhereNothingBeforeWasTimed)
{
    EXPECT_TRUE(std::isnan(of({ {}, {}, { 0, 110, 300 }, { 0, 300, 450 } })[0]));
    EXPECT_TRUE(std::isnan(of({ { 0, 10, 100 }, {}, {}, {} })[0]));
}

} // namespace
