// SPDX-License-Identifier: Apache-2.0
// A panel whose device fails in the middle of its items: the call is named, and nothing is left when all is closed.
#include "fakecuda/fakecuda.h"
#include "panel/ask.h"
#include "support/form.h"

using fakecuda::Failure;

namespace
{

class PanelFaults : public testing::Test
{
  protected:
    std::vector<ask::Model> models_ = ask::models(1);
    std::vector<ask::Item> items_ = ask::items(3, 1);
    std::vector<ask::Result> wanted_;

    // Calls that the items made; k of them, from 1, fails.
    std::int64_t run(std::int64_t k, Failure how, trib_status *status, std::vector<ask::Result> *got)
    {
        ask::Device device = ask::open("cuda");
        ask::Panel panel;
        EXPECT_OK(ask::create(device.get(), models_, { 3, 2, {}, false }, &panel));
        fakecuda::fail(k, how);
        *status = ask::run(panel.get(), items_, got);
        const std::int64_t calls = fakecuda::stop_failing();
        const trib_panel_result *none = nullptr;
        EXPECT_EQ(trib_panel_next(panel.get(), &none).code, status->code); // what failed stays failed
        return calls;
    }
};

TEST_F(PanelFaults, AreReportedAndLeaveNothing)
{
    trib_status status;
    const std::int64_t calls = run(0, Failure::once, &status, &wanted_);
    ASSERT_OK(status);
    ASSERT_GT(calls, 100);
    int reported = 0;
    for (Failure how : { Failure::once, Failure::sticky })
        for (std::int64_t k = 2; k <= calls; k += support::by_form(calls / 5, std::int64_t(7))) {
            fakecuda::reset();
            std::vector<ask::Result> got;
            run(k, how, &status, &got);
            SCOPED_TRACE("call " + std::to_string(k) + ", " + fakecuda::failed_function() + ": " + status.message);
            EXPECT_EQ(fakecuda::leaks(), "");
            reported += trib_failed(&status);
            for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].joint, wanted_[i].joint);
            const bool by_device = status.code == TRIB_DEVICE_ERROR || status.code == TRIB_OUT_OF_MEMORY;
            EXPECT_TRUE(by_device || (!trib_failed(&status) && got.size() == items_.size()));
        }
    EXPECT_GT(reported, 5);
    fakecuda::reset();
}

} // namespace
