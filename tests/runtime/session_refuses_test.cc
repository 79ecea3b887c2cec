// SPDX-License-Identifier: Apache-2.0
// What a session cannot be made of, and what it cannot do: refused, with the reason.
#include "runtime/nets.h"

extern "C" {
#include "device/driver.h"
}

namespace
{

using nets::Session;

class Refused : public testing::Test
{
  protected:
    trib_status create(const trib_session_options &o)
    {
        trib_session *none = nullptr;
        trib_status status = trib_session_create(device_.get(), graph_.get(), parameters_.data(), &o, &none);
        EXPECT_EQ(none, nullptr);
        return status;
    }
    // With default options but for what `change` does to them.
    template <class Change>
    trib_status with(Change change)
    {
        trib_session_options o = trib_session_default_options();
        change(o);
        return create(o);
    }
    trib_status create() { return create(trib_session_default_options()); }

    nets::Device device_ = nets::cpu();
    nets::Graph graph_ = nets::inception(true);
    nets::Parameters parameters_ { graph_.get() };
};

TEST_F(Refused, NumbersThatCannotBe)
{
    using O = trib_session_options;
    EXPECT_FAILS(with([](O &o) { o.max_batch = -1; }), TRIB_INVALID_ARGUMENT, "batch -1");
    EXPECT_FAILS(with([](O &o) { o.plan.batch = -2; }), TRIB_INVALID_ARGUMENT, "chunk -2");
    EXPECT_FAILS(with([](O &o) { o.lanes = -3; }), TRIB_INVALID_ARGUMENT, "-3 lanes");
    EXPECT_FAILS(with([](O &o) { o.lanes = 1025; }), TRIB_INVALID_ARGUMENT, "1025 lanes");
    EXPECT_FAILS(with([](O &o) { o.plan.threads = -4; }), TRIB_INVALID_ARGUMENT, "-4 threads");
    EXPECT_FAILS(with([](O &o) { o.in_flight = -5; }), TRIB_INVALID_ARGUMENT, "-5 batches in flight");
    EXPECT_FAILS(with([](O &o) { o.in_flight = 1025; }), TRIB_INVALID_ARGUMENT, "1025 batches in flight");
    EXPECT_FAILS(with([](O &o) { o.max_batch = 1 << 24; }), TRIB_INVALID_ARGUMENT, "16777216 images at once");
}

TEST_F(Refused, AChunkIsNoLargerThanTheBatch)
{
    trib_session_options o = trib_session_default_options();
    o.max_batch = 2;
    o.plan.batch = 8;
    Session s = nets::session(graph_.get(), device_.get(), o);
    ASSERT_TRUE(s);
    EXPECT_EQ(trib_session_plan(s.get())->batch, 2);
}

TEST_F(Refused, ThingsThatAreMissing)
{
    trib_session *none = nullptr;
    EXPECT_FAILS(trib_session_create(nullptr, graph_.get(), parameters_.data(), nullptr, &none), TRIB_INVALID_ARGUMENT,
                 "needs a device and a graph");
    EXPECT_FAILS(trib_session_create(device_.get(), nullptr, parameters_.data(), nullptr, &none), TRIB_INVALID_ARGUMENT,
                 "needs a device and a graph");
    EXPECT_FAILS(trib_session_create(device_.get(), graph_.get(), nullptr, nullptr, &none), TRIB_INVALID_ARGUMENT,
                 "parameter stem.weight is not given");
    parameters_[0].data = nullptr;
    EXPECT_FAILS(create(), TRIB_INVALID_ARGUMENT, "parameter stem.weight is not given");
}

TEST_F(Refused, ParametersOfAnotherShapeOrType)
{
    const trib_shape right = parameters_[0].shape;
    parameters_[0].shape.dim[1] = 4;
    EXPECT_FAILS(create(), TRIB_INVALID_ARGUMENT, "parameter stem.weight is [32, 4, 3, 3]; [32, 3, 3, 3] is needed");
    parameters_[0].shape = right;
    parameters_[0].dtype = TRIB_I64;
    EXPECT_FAILS(create(), TRIB_INVALID_ARGUMENT, "parameter stem.weight is i64; f32, f16 or bf16 is needed");
}

// No driver is without, but the contract allows it.
TEST_F(Refused, AGraphOnADeviceThatCannotCapture)
{
    device_->info.has_capture = false;
    EXPECT_FAILS(with([](trib_session_options &o) { o.launch = TRIB_GRAPH; }), TRIB_UNSUPPORTED,
                 "device cpu cannot capture graphs; use launch eager");
    EXPECT_EQ(trib_device_memory(device_.get()).current_bytes, 0);
}

TEST_F(Refused, RunsOfTooManyImagesOrOfNothing)
{
    Session s = nets::session(graph_.get(), device_.get(), trib_session_default_options());
    auto input = nets::input_for(graph_.get(), 2);
    std::vector<float> y(20);
    void *outputs[] = { y.data() };
    std::int64_t job = 0;
    EXPECT_FAILS(trib_session_run(s.get(), input.data(), 2, outputs), TRIB_INVALID_ARGUMENT,
                 "2 images; this session takes 1 to 1");
    EXPECT_FAILS(trib_session_run(s.get(), input.data(), 0, outputs), TRIB_INVALID_ARGUMENT, "0 images");
    for (const trib_status &status : { trib_session_submit(nullptr, input.data(), 1, outputs, &job),
                                       trib_session_submit(s.get(), nullptr, 1, outputs, &job),
                                       trib_session_submit(s.get(), input.data(), 1, nullptr, &job),
                                       trib_session_submit(s.get(), input.data(), 1, outputs, nullptr) })
        EXPECT_FAILS(status, TRIB_INVALID_ARGUMENT, "a run needs a session, an input and outputs");
    EXPECT_FAILS(trib_session_wait(nullptr, 0), TRIB_INVALID_ARGUMENT, "no such job");
}

TEST_F(Refused, InputThatShallStayOnAHost)
{
    Session s = nets::session(graph_.get(), device_.get(), trib_session_default_options());
    std::int64_t job = 0;
    EXPECT_FAILS(trib_session_submit_resident(nullptr, 1, &job), TRIB_INVALID_ARGUMENT, "needs a session");
    EXPECT_FAILS(trib_session_submit_resident(s.get(), 1, nullptr), TRIB_INVALID_ARGUMENT, "needs a session");
    EXPECT_FAILS(trib_session_submit_resident(s.get(), 1, &job), TRIB_UNSUPPORTED,
                 "device cpu computes in the caller's memory: nothing is resident on it");
}

// Values that are of no use are found before they reach a device, which would compute NaN from them.
TEST_F(Refused, BatchNormThatCannotBeFolded)
{
    const int variance = trib_graph_find_parameter(graph_.get(), "module/3x3/bn.running_var");
    const int mean = trib_graph_find_parameter(graph_.get(), "module/3x3/bn.running_mean");
    ASSERT_GE(variance, 0);
    ASSERT_GE(mean, 0);
    const void *right = parameters_[variance].data;
    std::vector<float> negative(32, -1.0f), infinite(32, std::numeric_limits<float>::infinity());
    parameters_[variance].data = negative.data();
    EXPECT_FAILS(create(), TRIB_BAD_DATA, "layer module/3x3: batch norm of channel 0 divides by the root of -0.99");
    parameters_[variance].data = right;
    parameters_[mean].data = infinite.data();
    EXPECT_FAILS(create(), TRIB_BAD_DATA, "layer module/3x3: batch norm of channel 0");
}

} // namespace
