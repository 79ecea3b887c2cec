// SPDX-License-Identifier: Apache-2.0
// Every allocation and call that can fail fails once: the panel says so, or has the right results; nothing leaks (the
// sanitizers look), and what failed stays failed.
#include "panel/ask.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

namespace
{

class Faults : public testing::Test
{
  protected:
    ask::Device device_ = ask::open("cpu");
    std::vector<ask::Model> models_ = ask::models(2);
    std::vector<ask::Item> items_ = ask::items(5, 2);
    const ask::Way way_ = { 4, 1, { 30000, 2 }, false };
    std::vector<ask::Result> wanted_;

    void SetUp() override
    {
        ask::Panel panel;
        ASSERT_OK(ask::create(device_.get(), models_, way_, &panel));
        ASSERT_OK(ask::run(panel.get(), items_, &wanted_));
        ASSERT_EQ(wanted_.size(), items_.size());
    }

    void expect_wanted(const std::vector<ask::Result> &got, std::int64_t k)
    {
        ASSERT_EQ(got.size(), wanted_.size()) << "fault " << k;
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].joint, wanted_[i].joint) << "fault " << k;
    }
};

TEST_F(Faults, WhileItIsCreated)
{
    bool all = false;
    for (std::int64_t k = 1; !all; k += support::by_form(17, 1)) {
        ask::Panel panel;
        trib_fault_arm(k, false);
        const trib_status status = ask::create(device_.get(), models_, way_, &panel);
        all = trib_fault_disarm() < k;
        if (trib_failed(&status)) {
            EXPECT_STRNE(status.message, "");
            EXPECT_EQ(panel, nullptr);
            EXPECT_FALSE(all);
            continue;
        }
        std::vector<ask::Result> got;
        ASSERT_OK(ask::run(panel.get(), items_, &got));
        expect_wanted(got, k);
    }
}

TEST_F(Faults, WhileItWorks)
{
    int failures = 0;
    bool all = false;
    for (std::int64_t k = 1; !all; k += k < 40 ? 1 : support::by_form(211, 7)) { // later ones are ops' own
        ask::Panel panel;
        std::vector<ask::Result> got;
        ASSERT_OK(ask::create(device_.get(), models_, way_, &panel));
        trib_fault_arm(k, false);
        const trib_status status = ask::run(panel.get(), items_, &got);
        all = trib_fault_disarm() < k;
        if (!trib_failed(&status)) {
            expect_wanted(got, k);
            continue;
        }
        ++failures;
        EXPECT_STRNE(status.message, "");
        EXPECT_LT(got.size(), wanted_.size());
        const trib_panel_result *none = nullptr;
        EXPECT_FAILS(trib_panel_next(panel.get(), &none), status.code, status.message);
        EXPECT_FAILS(trib_panel_flush(panel.get()), status.code, status.message);
    }
    EXPECT_GE(failures, 10); // at least an item's and its sums'
}

} // namespace
