// SPDX-License-Identifier: Apache-2.0
// Bugs planted in what runs a network, one at a time: each is refused or seen. Otherwise the other tests' silence would
// mean nothing.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "cuda/network.h"
#include "cuda/watch.h"
#include "fakecuda/fakecuda.h"
#include "support/form.h"

extern "C" {
#include "session/lane.h"
#include "session/parameters.h"
}

using network::Bytes;
using network::Net;
using network::Outputs;
using network::Way;

namespace
{

Way way_of(trib_schedule schedule)
{
    Way way;
    way.schedule = schedule;
    return way;
}

// What a session does with one lane, of a plan that can be tampered with.
class Planted : public testing::TestWithParam<trib_schedule>
{
  protected:
    void SetUp() override
    {
        Way way = way_of(GetParam());
        for (int i = 0; i < Net::images; ++i) wanted_.push_back(net_.result(way, i));
        device_ = network::open();
        plan_ = nets::plan(net_.graph(), device_.get(), net_.options(way).plan);
        ASSERT_TRUE(plan_);
        EXPECT_OK(trib_stream_create(device_.get(), nullptr, &loading_));
        for (int i = 0; i < plan_->op_count; ++i) ops_.push_back(create(plan_->ops[i]));
        EXPECT_OK(
            trib_load_parameters(plan_.get(), ops_.data(), net_.parameters(), device_.get(), loading_, &parameters_));
        lane_.device = device_.get();
        lane_.plan = plan_.get();
        lane_.ops = ops_.data();
        lane_.parameters = static_cast<unsigned char *>(parameters_);
    }

    void TearDown() override
    {
        for (trib_op_handle *op : ops_) trib_op_destroy(op);
        trib_device_free(device_.get(), loading_, parameters_);
        trib_stream_destroy(loading_);
    }

    trib_op_handle *create(const trib_plan_op &op)
    {
        trib_op_handle *made = nullptr;
        if (op.implementation) EXPECT_OK(trib_op_create(device_.get(), &op.desc, op.implementation, &made));
        return made;
    }

    trib_status open(trib_launch launch, int slots = 1)
    {
        trib_lane lane {};
        lane.device = device_.get();
        lane.plan = plan_.get();
        lane.ops = ops_.data();
        lane.parameters = static_cast<unsigned char *>(parameters_);
        lane_ = lane;
        return trib_lane_open(&lane_, launch, slots);
    }

    // Another image each time: what an op finds of the run before is wrong. True when something is.
    bool goes_wrong(std::uint64_t seed)
    {
        const int image = int(seed) % Net::images;
        Outputs outputs(plan_.get(), 1);
        fakecuda::reseed(seed);
        const void *input = net_.image(image, false);
        trib_status status = trib_lane_submit(&lane_, &input, 1, outputs.rows.data());
        trib_status end = trib_lane_drain(&lane_);
        EXPECT_FALSE(trib_failed(&status)) << status.message;
        EXPECT_FALSE(trib_failed(&end)) << end.message;
        return outputs.bytes != wanted_[std::size_t(image)];
    }

    // The first seed whose order shows that something is wrong; 0: none does.
    int seed_that_shows(int seeds)
    {
        int shown = 0;
        EXPECT_OK(open(TRIB_EAGER));
        for (int seed = 1; seed <= seeds && !shown; ++seed) shown = goes_wrong(std::uint64_t(seed)) ? seed : 0;
        trib_lane_close(&lane_);
        return shown;
    }

    // Several different chunks in flight, copied directly. True if one gets another's results.
    bool chunks_go_wrong(std::uint64_t seed)
    {
        bool wrong = false;
        fakecuda::reseed(seed);
        for (std::size_t i = 0; i < batches_.size(); ++i) {
            batches_[i]->load(net_, int((seed + i) % Net::images));
            const void *input = batches_[i]->input();
            EXPECT_OK(trib_lane_submit(&lane_, &input, 1, batches_[i]->rows()));
        }
        EXPECT_OK(trib_lane_drain(&lane_));
        for (std::size_t i = 0; i < batches_.size(); ++i)
            wrong |= batches_[i]->outputs() != wanted_[(seed + i) % Net::images];
        return wrong;
    }

    int seed_that_shows_chunks(int seeds)
    {
        for (int seed = 1; seed <= seeds; ++seed)
            if (chunks_go_wrong(std::uint64_t(seed))) return seed;
        return 0;
    }

    int find_buffer(const std::string &name) const
    {
        for (int i = 0; i < plan_->buffer_count; ++i)
            if (name == plan_->buffers[i].name) return i;
        ADD_FAILURE() << name;
        return 0;
    }

    trib_view *output_of(const std::string &name) const
    {
        for (int i = 0; i < plan_->op_count; ++i)
            if (name == plan_->ops[i].name) return &plan_->ops[i].desc.outputs[0];
        return nullptr;
    }

    Net net_;
    std::vector<Bytes> wanted_;
    nets::Device device_;
    nets::Plan plan_;
    trib_stream *loading_ = nullptr;
    std::vector<trib_op_handle *> ops_;
    void *parameters_ = nullptr;
    trib_lane lane_ {};
    std::vector<std::unique_ptr<network::Batch>> batches_;
};

constexpr int many = 2000; // seeds; an order that shows a missing wait may be one in hundreds

void drop_wait(trib_plan_op *op, int wait)
{
    std::copy(op->waits + wait + 1, op->waits + op->wait_count, op->waits + wait);
    --op->wait_count;
}

TEST_P(Planted, NothingShowsWhereThereIsNothing) { EXPECT_EQ(seed_that_shows(support::by_form(40, 400)), 0); }

TEST_P(Planted, EachMissingWaitIsRefusedAndShows)
{
    int waits = 0;
    for (int i = 0; i < plan_->op_count; ++i)
        for (int k = 0; k < plan_->ops[i].wait_count; ++k) {
            const trib_plan_op whole = plan_->ops[i];
            drop_wait(&plan_->ops[i], k);
            EXPECT_FAILS(trib_plan_check_stream_order(plan_.get()), TRIB_INTERNAL, "stream order of little");
            int seed = seed_that_shows(many);
            std::printf("%s without its wait %d: the order of seed %d shows it\n", whole.name, k, seed);
            EXPECT_GT(seed, 0);
            plan_->ops[i] = whole;
            ++waits;
        }
    EXPECT_GE(waits, 8);
    EXPECT_EQ(seed_that_shows(20), 0); // repaired
}

// Of copies and computing: between the stages of a chunk, and where a chunk takes the place of an earlier one.
TEST_P(Planted, EachMissingWaitOfACopyIsRefusedAndShows)
{
    for (int i = 0; i < TRIB_CHUNKS_IN_FLIGHT; ++i)
        batches_.push_back(std::make_unique<network::Batch>(device_.get(), plan_.get(), 1));
    for (int slots = 1; slots <= TRIB_MAX_SLOTS; ++slots) {
        int waits = 0;
        ASSERT_OK(open(TRIB_GRAPH, slots)); // few calls: the host is chunks ahead before much has run
        const trib_chunk_order whole = lane_.order;
        EXPECT_EQ(seed_that_shows_chunks(support::by_form(40, 400)), 0);
        for (int stage = 0; stage < TRIB_STAGE_COUNT; ++stage)
            for (int k = 0; k < whole.stages[stage].wait_count; ++k) {
                trib_stage_order *s = &lane_.order.stages[stage];
                std::copy(s->waits + k + 1, s->waits + s->wait_count, s->waits + k);
                --s->wait_count;
                EXPECT_FAILS(trib_chunk_order_check(&lane_.order), TRIB_INTERNAL, "must wait for");
                int seed = seed_that_shows_chunks(many);
                std::printf("%d slots, %s without its wait %d: the order of seed %d shows it\n", slots,
                            trib_stage_name(trib_stage(stage)), k, seed);
                EXPECT_GT(seed, 0);
                lane_.order = whole;
                ++waits;
            }
        EXPECT_EQ(waits, 4);
        EXPECT_EQ(seed_that_shows_chunks(20), 0); // repaired
        trib_lane_close(&lane_);
    }
    batches_.clear();
}

TEST_P(Planted, MemoryGivenToTwoBranchesIsRefusedAndShows)
{
    if (GetParam() == TRIB_FUSED) { // both are slices of one tensor
        trib_view *a = output_of("inception_a/3x3"), *b = output_of("inception_a/5x5");
        ASSERT_TRUE(a && b);
        ASSERT_NE(a->c_offset, b->c_offset);
        b->c_offset = a->c_offset;
    } else {
        trib_plan_buffer *a = &plan_->buffers[find_buffer("inception_a/3x3_reduce")];
        trib_plan_buffer *b = &plan_->buffers[find_buffer("inception_a/5x5_reduce")];
        ASSERT_NE(a->offset, b->offset);
        b->offset = a->offset;
    }
    EXPECT_FAILS(trib_plan_check_stream_order(plan_.get()), TRIB_INTERNAL, "inception_a/");
    EXPECT_GT(seed_that_shows(many), 0);
}

// The arena is freed on a stream that ends before the others do, and another owner gets it.
TEST_P(Planted, AnArenaFreedTooEarlyShows)
{
    watch::expect_violations();
    int wrong = 0, violated = 0;
    for (int seed = 1; seed <= 100; ++seed) {
        Outputs outputs(plan_.get(), 1);
        void *other = nullptr;
        ASSERT_OK(open(TRIB_EAGER));
        fakecuda::reseed(std::uint64_t(seed));
        const void *input = net_.image(0, false);
        ASSERT_OK(trib_lane_submit(&lane_, &input, 1, outputs.rows.data()));
        trib_stream *early = lane_.streams[1];
        trib_device_free(device_.get(), early, lane_.arena);
        lane_.arena = nullptr;
        trib_status status = trib_device_alloc(device_.get(), early, std::size_t(plan_->arena_bytes), &other);
        if (!trib_failed(&status)) status = trib_fill_zero(early, other, std::size_t(plan_->arena_bytes));
        trib_status end = trib_lane_drain(&lane_);
        wrong += outputs.bytes != wanted_[0];
        violated += !fakecuda::violations().empty();
        trib_device_free(device_.get(), early, other);
        trib_lane_close(&lane_);
        if (trib_failed(&status) || trib_failed(&end)) break; // a convolution touched what was freed: the device faults
    }
    std::printf("%d wrong results, %d violations\n", wrong, violated);
    EXPECT_GT(wrong, 0);
    EXPECT_GT(violated, 0);
}

// Each stream of the last module, when nothing waits for it any more: the error names the candidates and the trunk.
TEST_P(Planted, AStreamThatIsNotJoinedFailsTheCapture)
{
    int joins = 0;
    for (int i = 0; i < plan_->op_count; ++i) {
        if (plan_->ops[i].name != std::string("inception_b/output")) continue;
        const trib_plan_op whole = plan_->ops[i];
        for (int k = 0; k < whole.wait_count; ++k) {
            drop_wait(&plan_->ops[i], k);
            trib_status status = open(TRIB_GRAPH);
            EXPECT_EQ(status.code, TRIB_INVALID_ARGUMENT) << status.message;
            for (int other = 1; other < plan_->stream_count; ++other)
                EXPECT_NE(std::string(status.message).find("\"lane 0 stream " + std::to_string(other) + "\""),
                          std::string::npos)
                    << status.message;
            EXPECT_NE(std::string(status.message).find("not joined back into \"lane 0 stream 0\""), std::string::npos)
                << status.message;
            trib_lane_close(&lane_);
            plan_->ops[i] = whole;
            ++joins;
        }
    }
    EXPECT_EQ(joins, plan_->stream_count - 1);
    ASSERT_OK(open(TRIB_GRAPH)); // repaired
    EXPECT_FALSE(goes_wrong(1));
    trib_lane_close(&lane_);
}

INSTANTIATE_TEST_SUITE_P(Network, Planted, testing::Values(TRIB_BRANCHES, TRIB_FUSED),
                         [](const auto &info) { return std::string(trib_schedule_name(info.param)); });

} // namespace
