// SPDX-License-Identifier: Apache-2.0
// A convolution that cuDNN compiled to say what it offers is the one that is run: none is compiled twice.
#include "fakecuda/library.h"
#include "runtime/nets.h"
#include "support/support.h"

extern "C" {
#include "cuda/ops/compiled_kept.h"
}

namespace
{

class CompileOnce : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_device *opened = nullptr;
        ASSERT_OK(trib_device_open("cuda", nullptr, &opened));
        device.reset(opened);
        desc.kind = TRIB_CONV2D;
        desc.attributes.conv2d = { 8, 3, 3, 1, 1, { 1, 1, 1, 1 }, true };
        desc.input_count = desc.output_count = 1;
        trib_view &x = desc.inputs[0];
        x.layout = TRIB_NHWC;
        x.n = 1, x.h = x.w = 4, x.c = x.c_total = 8;
        desc.outputs[0] = x;
    }
    trib_implementation ask()
    {
        trib_implementation best[16] = {};
        int count = 0;
        char reason[TRIB_MESSAGE_SIZE] = "";
        EXPECT_OK(trib_op_implementations(device.get(), &desc, false, best, 16, &count, reason));
        EXPECT_GT(count, 0) << reason;
        return best[0];
    }
    // How many plans were compiled meanwhile.
    static std::int64_t compiled()
    {
        static std::int64_t before = 0;
        std::int64_t now = fakecuda::library::plans_compiled(), since = now - before;
        before = now;
        return since;
    }
    trib_op_handle *create(const char *name)
    {
        trib_op_handle *op = nullptr;
        EXPECT_OK(trib_op_create(device.get(), &desc, name, &op));
        return op;
    }

    nets::Device device;
    trib_op_desc desc = {};
};

TEST_F(CompileOnce, WhatWasCompiledWhileAskingIsCreated)
{
    compiled();
    trib_implementation best = ask();
    ASSERT_EQ(std::string(best.name).rfind("cudnn:", 0), 0u) << best.name;
    EXPECT_EQ(compiled(), 1);
    EXPECT_STREQ(ask().name, best.name);
    EXPECT_EQ(compiled(), 0); // asked again, it is still there
    trib_op_handle *first = create(best.name);
    EXPECT_EQ(compiled(), 0);
    trib_op_handle *second = create(best.name);
    EXPECT_EQ(compiled(), 1); // the first op took it
    trib_op_destroy(first);
    trib_op_destroy(second);
    trib_op_destroy(create(best.name));
    first = create(best.name);
    second = create(best.name);
    EXPECT_EQ(compiled(), 0); // both have come back
    trib_op_destroy(first);
    trib_op_destroy(second);
}

// Over an image cuDNN computes another convolution than the op's, and under that one's key it is kept.
TEST_F(CompileOnce, WhatReadsAnImageComesBackAsWhatItIs)
{
    desc.precision = TRIB_PRECISION_BF16;
    desc.attributes.conv2d = { 16, 3, 3, 2, 2, { 1, 1, 1, 1 }, true };
    desc.inputs[0].dtype = TRIB_BF16;
    desc.inputs[0].h = desc.inputs[0].w = 16;
    desc.outputs[0] = desc.inputs[0];
    desc.outputs[0].h = desc.outputs[0].w = 8;
    desc.outputs[0].c = desc.outputs[0].c_total = 16;
    const trib_implementation best = ask();
    EXPECT_NE(std::string(best.note ? best.note : "").find("two columns side by side"), std::string::npos);
    trib_op_destroy(create(best.name));
    compiled();
    trib_op_destroy(create(best.name));
    EXPECT_EQ(compiled(), 0);
}

TEST_F(CompileOnce, MoreThanAreKeptAreCompiledAgain)
{
    constexpr int more = TRIB_MOST_COMPILED_KEPT + 6;
    std::vector<std::string> names;
    compiled();
    for (int size = 4; size < 4 + more; ++size) {
        desc.inputs[0].h = desc.outputs[0].h = size;
        names.emplace_back(ask().name);
    }
    EXPECT_EQ(compiled(), more);
    for (int size = 4; size < 4 + more; ++size) {
        desc.inputs[0].h = desc.outputs[0].h = size;
        trib_op_destroy(create(names[std::size_t(size - 4)].c_str()));
    }
    EXPECT_EQ(compiled(), 6);
}

TEST_F(CompileOnce, ASessionCompilesEachConvolutionOnce)
{
    nets::Graph graph = nets::inception(true);
    nets::Parameters parameters(graph.get());
    trib_session_options options = trib_session_default_options();
    trib_session *session = nullptr;
    compiled();
    nets::Plan plan = nets::plan(graph.get(), device.get(), options.plan);
    EXPECT_GT(compiled(), 0);
    ASSERT_OK(trib_session_create(device.get(), graph.get(), parameters.data(), &options, &session));
    EXPECT_EQ(compiled(), 0); // planning had them all
    trib_session_destroy(session);
    ASSERT_OK(trib_session_create(device.get(), graph.get(), parameters.data(), &options, &session));
    EXPECT_EQ(compiled(), 0); // the first session's are kept
    trib_session_destroy(session);
}

} // namespace
