// SPDX-License-Identifier: Apache-2.0
// Networks of several inputs: what their plans say of them. Nothing runs them yet.
#include <cstdio>

#include "runtime/nets.h"

namespace
{

// An image, and further channels that join what is made of it.
nets::Graph two_inputs()
{
    trib_graph_builder *b = trib_graph_begin("two");
    const int image = trib_add_input(b, "image", 3, 8, 8);
    trib_conv2d conv {};
    conv.k = 8, conv.r = conv.s = 3, conv.pad = { 1, 1, 1, 1 };
    const int x = trib_add_conv2d(b, "conv", image, &conv);
    const int more = trib_add_input(b, "more", 16, 8, 8);
    const int parts[] = { x, more };
    trib_graph_mark_output(b, "y", trib_add_concat(b, "joined", parts, 2));
    trib_graph *graph = nullptr;
    EXPECT_OK(trib_graph_finish(b, &graph));
    return nets::Graph(graph);
}

TEST(Inputs, ArePlannedInTheirOrder)
{
    auto device = nets::cpu();
    auto graph = two_inputs();
    trib_plan_options o = trib_plan_default_options();
    o.batch = 2;
    nets::Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    ASSERT_EQ(p->input_count, 2);
    EXPECT_STREQ(p->inputs[0].name, "image");
    EXPECT_STREQ(p->inputs[1].name, "more");
    for (int i = 0; i < 2; ++i) {
        const trib_plan_input &input = p->inputs[i];
        EXPECT_EQ(p->buffers[input.buffer].kind, TRIB_BUFFER_INPUT);
        EXPECT_EQ(p->buffers[input.buffer].bytes, 2 * (i ? 16 : 3) * 8 * 8 * 4);
        EXPECT_EQ(input.shape.dim[0], 2);
        EXPECT_EQ(input.shape.dim[1], i ? 16 : 3);
        EXPECT_EQ(input.dtype, TRIB_F32);
        EXPECT_EQ(input.layout, TRIB_NCHW);
    }
    EXPECT_NE(p->inputs[0].buffer, p->inputs[1].buffer);
    char *text = nullptr;
    std::size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    EXPECT_OK(trib_plan_print_json(p.get(), out));
    std::fclose(out);
    const std::string json(text, size);
    std::free(text);
    EXPECT_NE(
        json.find("\"inputs\": [{\"name\": \"image\", \"buffer\": 0, \"shape\": [2, 3, 8, 8], \"dtype\": \"f32\", "
                  "\"layout\": \"nchw\"}, {\"name\": \"more\", \"buffer\": "),
        std::string::npos)
        << json;
}

TEST(Inputs, OneIsWhatASessionHandsIn)
{
    auto device = nets::cpu();
    auto graph = two_inputs();
    nets::Parameters parameters(graph.get());
    trib_session *session = nullptr;
    EXPECT_FAILS(trib_session_create(device.get(), graph.get(), parameters.data(), nullptr, &session), TRIB_UNSUPPORTED,
                 "2 inputs, 'image' and 'more' first");
    EXPECT_EQ(session, nullptr);
}

} // namespace
