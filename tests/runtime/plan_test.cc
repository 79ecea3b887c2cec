// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "runtime/nets.h"
#include "tributary/internal/fault.h"

namespace
{

using nets::Plan;

trib_plan_options options(trib_schedule schedule, int batch = 1)
{
    trib_plan_options o = trib_plan_default_options();
    o.schedule = schedule;
    o.batch = batch;
    return o;
}

const trib_plan_op *find(const trib_plan *p, const std::string &name)
{
    for (int i = 0; i < p->op_count; ++i)
        if (name == p->ops[i].name) return &p->ops[i];
    return nullptr;
}

int count_kind(const trib_plan *p, trib_kind kind)
{
    int n = 0;
    for (int i = 0; i < p->op_count; ++i) n += p->ops[i].implementation && p->ops[i].desc.kind == kind;
    return n;
}

TEST(Plan, BatchNormAndReluDisappearIntoConvolutions)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::torchvision);
    Plan p = nets::plan(graph.get(), device.get(), options(TRIB_SERIAL));
    ASSERT_TRUE(p);
    EXPECT_EQ(count_kind(p.get(), TRIB_BATCH_NORM), 0);
    EXPECT_EQ(count_kind(p.get(), TRIB_RELU), 0);
    EXPECT_EQ(count_kind(p.get(), TRIB_CONV2D), 57);
    const trib_plan_op *op = find(p.get(), "inception_3a/3x3");
    ASSERT_TRUE(op);
    EXPECT_TRUE(op->desc.relu);
    EXPECT_TRUE(op->desc.has_bias);
    EXPECT_GT(op->parts[0].bn_eps, 0);
}

// Batch norm's four and the weight go into what is packed, op by op, in memory that is used again.
TEST(Plan, ParametersArePreparedByOpsOfTheirOwn)
{
    auto device = nets::cpu();
    for (bool torchvision : { true, false }) {
        auto graph = nets::googlenet(torchvision ? support::torchvision : support::bvlc);
        Plan p = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
        ASSERT_TRUE(p);
        int folds = 0, packs = 0;
        std::int64_t packed = 0, most = 0;
        for (int i = 0; i < p->prepare_count; ++i) {
            const trib_plan_op &op = p->prepare[i];
            EXPECT_EQ(op.stream, 0);
            EXPECT_EQ(op.wait_count, 0);
            ASSERT_GE(op.consumer, 0);
            folds += op.desc.kind == TRIB_FOLD;
            packs += op.desc.kind == TRIB_PACK;
            if (op.desc.kind != TRIB_PACK) continue;
            const trib_plan_op &consumer = p->ops[op.consumer];
            EXPECT_EQ(op.desc.outputs[0].buffer, consumer.parameters);
            EXPECT_STREQ(op.implementation, consumer.implementation);
            EXPECT_EQ(std::string(op.name), std::string(consumer.name) + "/pack");
        }
        EXPECT_EQ(folds, torchvision ? 57 : 0);
        EXPECT_EQ(packs, 58); // the linear layer, too
        EXPECT_EQ(p->load_count, torchvision ? 57 * 5 + 2 : 58 * 2);
        for (int i = 0; i < p->buffer_count; ++i) {
            const trib_plan_buffer &b = p->buffers[i];
            if (b.kind == TRIB_BUFFER_PACKED) packed += b.bytes;
            if (trib_buffer_area(b.kind) == TRIB_AREA_LOADING) most = std::max(most, b.bytes);
        }
        EXPECT_EQ(packed, p->parameter_bytes);
        EXPECT_GT(packed, trib_graph_parameter_count(graph.get()) ? 6 * 4000000 : 0) << "6.6 million weights";
        EXPECT_LT(p->loading_bytes, 4 * most) << "what one op needs, not what all do";
    }
}

TEST(Plan, BufferKindsHaveNamesAndAreas)
{
    std::set<std::string> names;
    for (int kind = 0; kind < TRIB_BUFFER_KIND_COUNT; ++kind)
        EXPECT_TRUE(names.insert(trib_buffer_kind_name(trib_buffer_kind(kind))).second);
    EXPECT_STREQ(trib_buffer_kind_name(TRIB_BUFFER_KIND_COUNT), "unknown");
    EXPECT_EQ(trib_buffer_area(TRIB_BUFFER_ACTIVATION), TRIB_AREA_ARENA);
    EXPECT_EQ(trib_buffer_area(TRIB_BUFFER_OUTPUT), TRIB_AREA_CALLER);
    EXPECT_EQ(trib_buffer_area(TRIB_BUFFER_STATE), TRIB_AREA_PARAMETERS);
}

TEST(Plan, PassesCanBeSwitchedOff)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::torchvision);
    trib_plan_options o = options(TRIB_BRANCHES);
    o.disabled_passes = 1u << TRIB_PASS_FOLD_BATCH_NORM | 1u << TRIB_PASS_ELIDE_CONCAT | 1u << TRIB_PASS_PLAN_MEMORY;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    EXPECT_EQ(count_kind(p.get(), TRIB_BATCH_NORM), 57);
    EXPECT_EQ(count_kind(p.get(), TRIB_CONCAT), 36);
    EXPECT_EQ(p->arena_bytes, p->activation_bytes);
    EXPECT_OK(trib_plan_check_stream_order(p.get()));
    for (int i = 0; i < TRIB_PASS_COUNT; ++i) EXPECT_EQ(trib_pass_find(trib_pass_name(trib_pass(i))), i);
    EXPECT_EQ(trib_pass_find("no_such_pass"), -1);
}

TEST(Plan, RequiredPassesStay)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    for (trib_pass pass :
         { TRIB_PASS_PRUNE, TRIB_PASS_CHOOSE_IMPLEMENTATION, TRIB_PASS_PREPARE_PARAMETERS, TRIB_PASS_ASSIGN_STREAMS }) {
        trib_plan_options o = options(TRIB_SERIAL);
        o.disabled_passes = 1u << pass;
        trib_plan *made = nullptr;
        EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &made), TRIB_INVALID_ARGUMENT,
                     std::string("the pass ") + trib_pass_name(pass) + " cannot be left out");
    }
    for (int i = 0; i < TRIB_PASS_COUNT; ++i) EXPECT_EQ(trib_pass_find(trib_pass_name(trib_pass(i))), i);
    EXPECT_EQ(trib_pass_find("no such pass"), -1);
}

// Two thousand ops in 250 forks: memory is reused, and what runs side by side shares none (every plan is checked).
TEST(Plan, LargeOnesAreLaidOutAsWell)
{
    auto device = nets::cpu();
    trib_graph_builder *b = trib_graph_begin("large");
    int x = trib_add_input(b, "input", 8, 6, 6);
    for (int i = 0; i < 250; ++i) {
        const std::string name = "m" + std::to_string(i);
        trib_fork fork = trib_fork_open(b, name.c_str(), x);
        int ends[2];
        for (int branch = 0; branch < 2; ++branch) {
            trib_fork_branch(&fork);
            ends[branch] = x;
            for (int k = 0; k < 3; ++k) {
                trib_conv2d c {};
                c.k = k == 2 ? 4 : 8, c.r = c.s = 1;
                const std::string conv = name + "/" + std::to_string(branch) + std::to_string(k);
                ends[branch] = trib_add_conv2d(b, conv.c_str(), ends[branch], &c);
            }
        }
        x = trib_fork_join_concat(&fork, (name + "/output").c_str(), ends, 2);
        trib_lrn lrn { 5, 1e-4f, 0.75f, 1 };
        x = trib_add_lrn(b, (name + "/norm").c_str(), x, &lrn);
    }
    trib_graph_mark_output(b, "y", x);
    trib_graph *made = nullptr;
    ASSERT_OK(trib_graph_finish(b, &made));
    nets::Graph graph(made);
    for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES }) {
        Plan p = nets::plan(graph.get(), device.get(), options(schedule));
        ASSERT_TRUE(p);
        EXPECT_GT(p->op_count, 1900);
        EXPECT_LT(p->arena_bytes, p->activation_bytes / 50) << trib_schedule_name(schedule);
    }
}

TEST(Plan, BranchesWriteTheirSliceWithoutACopy)
{
    auto device = nets::cpu();
    if (trib_layout_block(trib_device_get_info(device.get())->layouts[0]) == 1)
        GTEST_SKIP() << "no blocked layout here";
    for (int batch : { 1, 3 }) {
        auto graph = nets::googlenet(support::bvlc);
        Plan p = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES, batch));
        ASSERT_TRUE(p);
        EXPECT_EQ(count_kind(p.get(), TRIB_CONCAT), 0);
        const trib_plan_op *op = find(p.get(), "inception_4a/5x5");
        ASSERT_TRUE(op);
        EXPECT_EQ(op->desc.outputs[0].c_offset, 192 + 208);
        EXPECT_EQ(op->desc.outputs[0].c_total, 512);
    }
}

TEST(Plan, NoReferenceUnlessAskedFor)
{
    auto device = nets::cpu();
    for (const trib_network *variant : { support::bvlc, support::torchvision }) {
        auto graph = nets::googlenet(variant, 224, 1000, true);
        const char *outputs[] = { "logits", "probabilities", "aux1", "aux2" };
        trib_plan_options o = options(TRIB_BRANCHES, 2);
        o.outputs = outputs;
        o.output_count = 4;
        Plan p = nets::plan(graph.get(), device.get(), o);
        ASSERT_TRUE(p);
        for (int i = 0; i < p->op_count; ++i)
            if (p->ops[i].implementation) {
                EXPECT_EQ(std::strstr(p->ops[i].implementation, "ref"), nullptr) << p->ops[i].name;
            }
        o.reference = true;
        Plan r = nets::plan(graph.get(), device.get(), o);
        ASSERT_TRUE(r);
        EXPECT_STREQ(find(r.get(), "conv2/3x3")->implementation, "reference");
    }
}

// What `classify --reference` plans.
TEST(Plan, TheReferenceHasTheMostLikelyClassesToo)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc);
    trib_plan_options o = options(TRIB_SERIAL);
    o.reference = true;
    o.top_k = 5;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    const trib_plan_op &last = p->ops[p->op_count - 1];
    EXPECT_EQ(last.desc.kind, TRIB_TOP_K);
    EXPECT_STREQ(last.implementation, "reference");
}

TEST(Plan, StreamsFollowTheFigure)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc);
    Plan serial = nets::plan(graph.get(), device.get(), options(TRIB_SERIAL));
    Plan p = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
    ASSERT_TRUE(serial && p);
    EXPECT_EQ(serial->stream_count, 1);
    EXPECT_EQ(serial->event_count, 0);
    EXPECT_EQ(p->stream_count, 4);
    EXPECT_EQ(find(p.get(), "inception_5b/1x1")->stream, 0);
    EXPECT_EQ(find(p.get(), "inception_5b/3x3")->stream, 1);
    EXPECT_EQ(find(p.get(), "inception_5b/5x5_reduce")->stream, 2);
    EXPECT_EQ(find(p.get(), "inception_5b/pool_proj")->stream, 3);
    EXPECT_EQ(find(p.get(), "inception_5b/output")->wait_count, 3);
    EXPECT_EQ(find(p.get(), "pool5/7x7_s1")->stream, 0);
    // Nine modules: one record before the fork and three before the join each; a join may serve as the next fork.
    EXPECT_GE(p->event_count, 9 * 4);
    EXPECT_LE(p->event_count, 9 * 4 + 1);
}

TEST(Plan, MemoryIsReusedAndMoreBranchesNeedMore)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::bvlc);
    Plan serial = nets::plan(graph.get(), device.get(), options(TRIB_SERIAL));
    Plan branches = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
    ASSERT_TRUE(serial && branches);
    EXPECT_LT(serial->arena_bytes, serial->activation_bytes / 2);
    EXPECT_LE(serial->arena_bytes, branches->arena_bytes);
}

TEST(Plan, IsDeterministicAndComparable)
{
    auto device = nets::cpu();
    auto graph = nets::googlenet(support::torchvision);
    Plan a = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
    Plan b = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
    Plan c = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES, 2));
    ASSERT_TRUE(a && b && c);
    EXPECT_TRUE(trib_plan_equal(a.get(), b.get()));
    EXPECT_FALSE(trib_plan_equal(a.get(), c.get()));
}

TEST(Plan, PrintsForPeopleAndPrograms)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    Plan p = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
    ASSERT_TRUE(p);
    char *text = nullptr;
    std::size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    EXPECT_OK(trib_plan_print(p.get(), true, out));
    EXPECT_OK(trib_plan_print_json(p.get(), out));
    std::fclose(out);
    std::string all(text, size);
    std::free(text);
    for (const char *wanted :
         { "module/3x3_reduce", "fold_batch_norm: 7", "ranked:", "\"c_offset\": 48", "\"schedule\": \"branches\"" })
        EXPECT_NE(all.find(wanted), std::string::npos) << wanted;
}

// A parser keeps one of two fields of the same name: the pool's window would hide the convolution's.
TEST(Plan, JsonKeepsThePrologueApart)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    Plan p = nets::plan(graph.get(), device.get(), options(TRIB_BRANCHES));
    ASSERT_TRUE(p);
    trib_op_desc *conv = nullptr;
    for (int i = 0; i < p->op_count && !conv; ++i)
        if (p->ops[i].desc.kind == TRIB_CONV2D) conv = &p->ops[i].desc;
    ASSERT_NE(conv, nullptr);
    conv->attributes.conv2d = { conv->attributes.conv2d.k, 1, 7, 1, 1, { 0, 3, 0, 3 }, false };
    conv->before.kind = TRIB_AVG_POOL2D; // no device here runs it: only printed
    conv->before.attributes.pool2d = { 3, 3, 1, 1, { 1, 1, 1, 1 }, true };
    char *text = nullptr;
    std::size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    EXPECT_OK(trib_plan_print_json(p.get(), out));
    std::fclose(out);
    std::string all(text, size);
    std::free(text);
    EXPECT_NE(all.find("\"window\": [1, 7], \"stride\": [1, 1], \"pad\": [0, 3, 0, 3], \"before\": {\"kind\": "
                       "\"avg_pool2d\", \"window\": [3, 3], \"stride\": [1, 1], \"pad\": [1, 1, 1, 1], "
                       "\"rounding\": \"ceil\"}, \"relu\""),
              std::string::npos)
        << all;
}

TEST(Plan, OutputsMayBeAnyLayer)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    const char *outputs[] = { "module/3x3", "module/output", "logits", "module/3x3/bn", "input" };
    trib_plan_options o = options(TRIB_BRANCHES);
    o.outputs = outputs;
    o.output_count = 5;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    EXPECT_OK(trib_plan_check_stream_order(p.get()));
    EXPECT_EQ(p->output_count, 5);
    EXPECT_EQ(p->outputs[1].shape.dim[1], 80);
    const char *unknown[] = { "nowhere" };
    o.outputs = unknown;
    o.output_count = 1;
    trib_plan *none = nullptr;
    EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &none), TRIB_NOT_FOUND, "nowhere");
}

TEST(Plan, OutputInsideABranchIsJoinedAtTheEnd)
{
    auto device = nets::cpu();
    auto graph = nets::inception(false);
    const char *outputs[] = { "module/5x5_reduce" };
    trib_plan_options o = options(TRIB_BRANCHES);
    o.outputs = outputs;
    o.output_count = 1;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    EXPECT_OK(trib_plan_check_stream_order(p.get()));
    EXPECT_STREQ(p->ops[p->op_count - 1].name, "end");
}

TEST(Plan, ImpossibleOptionsAreRefused)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    trib_plan *p = nullptr;
    trib_plan_options o = options(TRIB_SERIAL);
    o.batch = -1;
    EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &p), TRIB_INVALID_ARGUMENT, "batch");
    o = options(TRIB_SERIAL);
    const int no_schedule = 7;
    std::memcpy(&o.schedule, &no_schedule, sizeof o.schedule);
    EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &p), TRIB_INVALID_ARGUMENT, "schedule");
    o = options(TRIB_SERIAL);
    o.input_layout = TRIB_NCHW16C;
    EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &p), TRIB_INVALID_ARGUMENT, "nchw or nhwc");
    o = options(TRIB_SERIAL);
    o.layout = TRIB_NCHW;
    EXPECT_FAILS(trib_plan_create(graph.get(), device.get(), &o, &p), TRIB_UNSUPPORTED, "nchw");
    EXPECT_FAILS(trib_plan_create(nullptr, device.get(), &o, &p), TRIB_INVALID_ARGUMENT, "graph");
    EXPECT_EQ(p, nullptr);
}

TEST(Plan, MeasuredChoicesRunAndAreExplained)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    trib_plan_options o = options(TRIB_BRANCHES);
    o.measure = true;
    Plan p = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(p);
    EXPECT_OK(trib_plan_check_stream_order(p.get()));
    EXPECT_NE(std::string(find(p.get(), "module/3x3")->reason).find(" ms"), std::string::npos);
}

TEST(Plan, EveryFallibleOperationMayFail)
{
    auto device = nets::cpu(1);
    auto graph = nets::inception(true, 9);
    trib_plan_options o = options(TRIB_BRANCHES);
    const trib_fork_schedule forks[] = { { "mod*", TRIB_FUSED, nullptr }, { "module", TRIB_BRANCHES, "1110/0112" } };
    o.fork_schedules = forks;
    o.fork_schedule_count = 2;
    std::int64_t failures = 0;
    for (std::int64_t k = 1;; ++k) {
        trib_plan *p = nullptr;
        trib_fault_arm(k, false);
        trib_status s = trib_plan_create(graph.get(), device.get(), &o, &p);
        bool reached = trib_fault_disarm() >= k;
        trib_plan_destroy(p);
        if (!reached) {
            EXPECT_OK(s);
            break;
        }
        EXPECT_TRUE(trib_failed(&s)) << "operation " << k;
        ++failures;
    }
    EXPECT_GT(failures, 50);
}

} // namespace
