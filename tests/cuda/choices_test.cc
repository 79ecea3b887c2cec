// SPDX-License-Identifier: Apache-2.0
// What was measured is remembered in a file, and used by the next program: without measuring, and with the same result.
#include <cstring>

#include "fakecuda/fakecuda.h"
#include "runtime/nets.h"
#include "support/support.h"

namespace
{

class Choices : public testing::Test
{
  protected:
    Choices() : file(folder.file("choices.txt")), graph(nets::inception(true)) {}
    nets::Device open()
    {
        trib_device_options options = {};
        options.choices_path = file.c_str();
        trib_device *opened = nullptr;
        EXPECT_OK(trib_device_open("cuda", &options, &opened));
        return nets::Device(opened);
    }
    nets::Plan plan(const nets::Device &device, bool measure)
    {
        trib_plan_options o = trib_plan_default_options();
        o.precision = TRIB_PRECISION_BF16;
        o.schedule = TRIB_FUSED;
        o.measure = measure;
        return nets::plan(graph.get(), device.get(), o);
    }
    static int count(const nets::Plan &plan, const char *how)
    {
        int found = 0;
        for (int i = 0; i < plan->op_count; ++i)
            found += plan->ops[i].reason && !std::strncmp(plan->ops[i].reason, how, std::strlen(how));
        return found;
    }

    support::TemporaryFolder folder;
    std::string file;
    nets::Graph graph;
};

TEST_F(Choices, AreMeasuredOnceAndRememberedByTheNextProgram)
{
    int ops = 0;
    {
        nets::Device device = open();
        nets::Plan ranked = plan(device, false), measured = plan(device, true), again = plan(device, true);
        ASSERT_TRUE(ranked && measured && again);
        ops = count(ranked, "ranked: ");
        EXPECT_GT(ops, 8);
        EXPECT_GT(count(measured, "measured: "), ops / 2); // ops that are alike are measured once
        EXPECT_EQ(count(measured, "measured: ") + count(measured, "remembered: "), ops);
        EXPECT_EQ(count(again, "remembered: "), ops);
        EXPECT_TRUE(trib_plan_equal(measured.get(), again.get()));
        ASSERT_OK(trib_device_save_choices(device.get()));
    }
    nets::Device device = open();
    nets::Plan remembered = plan(device, false);
    ASSERT_TRUE(remembered);
    EXPECT_EQ(count(remembered, "remembered: "), ops) << "without asking for measurements";
}

// Of another card or version, or damaged: left aside.
TEST_F(Choices, AUselessFileIsReplaced)
{
    support::write_file(file, "tributary choice cache 1\nlibrary: something else\n");
    {
        nets::Device device = open();
        nets::Plan measured = plan(device, true);
        ASSERT_TRUE(measured);
        EXPECT_GT(count(measured, "measured: "), 0);
    }
    nets::Device device = open(); // closing saves
    nets::Plan remembered = plan(device, false);
    EXPECT_GT(count(remembered, "remembered: "), 0);
}

TEST_F(Choices, AFileThatCannotBeWrittenIsSaidOnlyWhenAsked)
{
    file = folder.file("no/such/folder/choices.txt");
    nets::Device device = open();
    nets::Plan measured = plan(device, true);
    ASSERT_TRUE(measured);
    trib_status status = trib_device_save_choices(device.get());
    EXPECT_EQ(status.code, TRIB_IO_ERROR) << status.message;
    EXPECT_NE(std::strstr(status.message, "choices.txt"), nullptr) << status.message;
}

} // namespace
