// SPDX-License-Identifier: Apache-2.0
#include "runtime/nets.h"

extern "C" {
#include "runtime/graph/graph.h"
#include "runtime/graph/windows.h"
}
#include "tributary/internal/fault.h"

namespace
{

// Builds with `add` after an input of 8 channels, 10x10, and returns the status of finishing.
template <typename Add>
trib_status build(Add add)
{
    trib_graph_builder *b = trib_graph_begin("g");
    int x = trib_add_input(b, "input", 8, 10, 10);
    add(b, x);
    trib_graph_mark_output(b, "y", x);
    trib_graph *g = nullptr;
    trib_status s = trib_graph_finish(b, &g);
    trib_graph_destroy(g);
    return s;
}

TEST(Graph, WindowsRoundAsCaffeAndPyTorchDo)
{
    EXPECT_EQ(trib_window_extent(112, 3, 2, 0, 0, true), 56);
    EXPECT_EQ(trib_window_extent(112, 3, 2, 0, 0, false), 55);
    EXPECT_EQ(trib_window_extent(14, 5, 3, 0, 0, true), 4);
    EXPECT_EQ(trib_window_extent(224, 7, 2, 3, 3, false), 112);
    // The last window must start inside the image or its left padding.
    EXPECT_EQ(trib_window_extent(5, 2, 4, 1, 1, true), 2);
    EXPECT_EQ(trib_window_extent(3, 1, 4, 0, 2, true), 1);
    EXPECT_EQ(trib_window_extent(2, 3, 1, 0, 0, true), 0);
    EXPECT_EQ(trib_window_extent(2, 3, 2, 0, 0, true), 1); // a window may hang over the end
    EXPECT_EQ(trib_window_extent(2, 3, 2, 0, 0, false), 0);
}

TEST(Graph, FirstFailureIsKeptAndNamesTheLayer)
{
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_conv2d c {};
                     c.k = 4;
                     c.r = c.s = 11;
                     int y = trib_add_conv2d(b, "too_big", x, &c);
                     EXPECT_EQ(y, -1);
                     EXPECT_EQ(trib_add_relu(b, "after", y), -1);
                 }),
                 TRIB_INVALID_ARGUMENT, "too_big");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_add_relu(b, "twice", x);
                     trib_add_relu(b, "twice", x);
                 }),
                 TRIB_INVALID_ARGUMENT, "twice");
    EXPECT_FAILS(build([](trib_graph_builder *b, int) { trib_add_relu(b, "r", 99); }), TRIB_INVALID_ARGUMENT, "99");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) { trib_add_softmax(b, "s", x); }), TRIB_INVALID_ARGUMENT,
                 "10x10");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_lrn none { 0, 1e-4f, 0.75f, 1 };
                     trib_add_lrn(b, "norm", x, &none);
                 }),
                 TRIB_INVALID_ARGUMENT, "norm");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) { trib_add_dropout(b, "drop", x, 1.5f); }),
                 TRIB_INVALID_ARGUMENT, "drop");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) { trib_add_batch_norm(b, "bn", x, 0); }), TRIB_INVALID_ARGUMENT,
                 "eps");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_fork_open(b, "f", x);
                     trib_add_input(b, "second", 1, 1, 1);
                 }),
                 TRIB_INVALID_ARGUMENT, "second: an input belongs before the fork");
}

// The functions for single kinds call this one, and kinds that are not layers are refused.
TEST(Graph, LayersOfAnyKindThatANetworkHas)
{
    const int both[] = { 0, 0 };
    trib_graph_builder *b = trib_graph_begin("any");
    trib_add_input(b, "input", 4, 5, 6);
    trib_attributes conv = {};
    conv.conv2d = { 8, 3, 3, 0, 0, {}, false };
    const int x = trib_add_layer(b, "conv", TRIB_CONV2D, both, 1, &conv);
    trib_graph_mark_output(b, "out", trib_add_layer(b, "relu", TRIB_RELU, &x, 1, nullptr));
    trib_graph *made = nullptr;
    ASSERT_OK(trib_graph_finish(b, &made));
    EXPECT_EQ(trib_graph_layer(made, x)->h, 3);
    EXPECT_EQ(trib_graph_layer(made, x)->attributes.conv2d.stride_h, 1);
    EXPECT_EQ(trib_graph_parameter_count(made), 2);
    trib_graph_destroy(made);
    for (trib_kind kind : { TRIB_INPUT, TRIB_REORDER, TRIB_TOP_K, TRIB_KIND_COUNT })
        EXPECT_FAILS(build([kind](trib_graph_builder *g, int input) {
                         EXPECT_EQ(trib_add_layer(g, "odd", kind, &input, 1, nullptr), -1);
                     }),
                     TRIB_INVALID_ARGUMENT, "layer odd: a layer of kind ");
    EXPECT_FAILS(build([&](trib_graph_builder *g, int) { trib_add_layer(g, "two", TRIB_RELU, both, 2, nullptr); }),
                 TRIB_INVALID_ARGUMENT, "2 inputs; 1 to 1 are possible");
}

TEST(Graph, ForksMustBeWellFormed)
{
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) { trib_fork_open(b, "left_open", x); }), TRIB_INVALID_ARGUMENT,
                 "left_open");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_fork f = trib_fork_open(b, "f", x);
                     trib_add_relu(b, "outside", x);
                     trib_fork_branch(&f);
                 }),
                 TRIB_INVALID_ARGUMENT, "no branch");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_fork f = trib_fork_open(b, "f", x);
                     trib_fork_branch(&f);
                     int a = trib_add_relu(b, "a", x);
                     trib_fork_branch(&f);
                     trib_add_relu(b, "b", x);
                     trib_fork_join_concat(&f, "join", &a, 1);
                 }),
                 TRIB_INVALID_ARGUMENT, "2 branches");
    EXPECT_FAILS(build([](trib_graph_builder *b, int x) {
                     trib_fork f = trib_fork_open(b, "f", x);
                     trib_fork_branch(&f);
                     int ends[2] = { trib_add_relu(b, "a", x), 0 };
                     trib_fork_branch(&f);
                     ends[1] = ends[0];
                     trib_fork_join_concat(&f, "join", ends, 2);
                 }),
                 TRIB_INVALID_ARGUMENT, "not the end of branch 1");
}

TEST(Graph, EmptyAndMissingPartsAreRefused)
{
    trib_graph *g = nullptr;
    EXPECT_FAILS(trib_graph_finish(nullptr, &g), TRIB_OUT_OF_MEMORY, "memory");
    trib_graph_builder *b = trib_graph_begin("empty");
    trib_add_input(b, "input", 1, 1, 1);
    EXPECT_FAILS(trib_graph_finish(b, &g), TRIB_INVALID_ARGUMENT, "no output");
}

TEST(Graph, CloneIsEqualAndIndependent)
{
    nets::Graph g = nets::inception(true);
    trib_graph *copy = nullptr;
    ASSERT_OK(trib_graph_clone(g.get(), &copy));
    nets::Graph owned(copy);
    ASSERT_EQ(trib_graph_layer_count(copy), trib_graph_layer_count(g.get()));
    for (int i = 0; i < trib_graph_layer_count(copy); ++i) {
        EXPECT_STREQ(trib_graph_layer(copy, i)->name, trib_graph_layer(g.get(), i)->name);
        EXPECT_NE(trib_graph_layer(copy, i)->name, trib_graph_layer(g.get(), i)->name);
    }
    EXPECT_EQ(trib_graph_find_layer(copy, "module/3x3"), trib_graph_find_layer(g.get(), "module/3x3"));
    EXPECT_EQ(trib_graph_find_layer(copy, "nowhere"), -1);
    EXPECT_EQ(trib_graph_layer(copy, -1), nullptr);
    EXPECT_EQ(trib_graph_fork(copy, 1), nullptr);
}

TEST(Graph, EveryAllocationMayFail)
{
    for (std::int64_t k = 1;; ++k) {
        trib_fault_arm(k, false);
        trib_graph_builder *b = trib_graph_begin("tiny");
        int x = trib_add_input(b, "input", 3, 8, 8);
        trib_conv2d c {};
        c.k = 8;
        c.r = c.s = 1;
        trib_fork f = trib_fork_open(b, "f", x);
        trib_fork_branch(&f);
        int y = trib_add_conv2d(b, "conv", x, &c);
        y = trib_fork_join_concat(&f, "join", &y, 1);
        trib_graph_mark_output(b, "y", y);
        trib_graph *g = nullptr, *copy = nullptr;
        trib_status s = trib_graph_finish(b, &g);
        if (!trib_failed(&s)) s = trib_graph_clone(g, &copy);
        bool reached = trib_fault_disarm() >= k;
        trib_graph_destroy(g);
        trib_graph_destroy(copy);
        if (!reached) {
            EXPECT_OK(s);
            break;
        }
        EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << "allocation " << k << ": " << s.message;
    }
}

} // namespace
