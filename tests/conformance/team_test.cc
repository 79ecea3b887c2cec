// SPDX-License-Identifier: Apache-2.0
// Ops that run in chunks, on several threads of one stream: captured, and when the system gives no threads.
#include <cstring>

#include "conformance/conformance.h"
#include "tributary/internal/fault.h"

using namespace conformance;

namespace
{

const int images = 8, channels = 40;

class Teams : public DeviceTest
{
  protected:
    void SetUp() override
    {
        DeviceTest::SetUp();
        if (info().cores < 2) GTEST_SKIP() << "one core";
    }
    // max(0, x), image by image.
    Op relu()
    {
        trib_op_desc d = {};
        d.kind = TRIB_RELU;
        d.input_count = d.output_count = 1;
        d.inputs[0].layout = TRIB_NHWC;
        d.inputs[0].n = images, d.inputs[0].c = d.inputs[0].c_total = channels, d.inputs[0].h = d.inputs[0].w = 3;
        d.outputs[0] = d.inputs[0];
        d.threads = 2, d.chunk = 1;
        trib_op_handle *op = nullptr;
        EXPECT_OK(trib_op_create(device(), &d, "native", &op));
        return Op(op);
    }
    std::vector<float> values() const
    {
        std::vector<float> v(images * channels * 9);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = float(i % 17) - 8;
        return v;
    }
    static std::vector<float> positive(std::vector<float> v)
    {
        for (float &value : v) value = value < 0 ? 0 : value;
        return v;
    }
    static void run(const Op &op, const Stream &s, const Memory &x, const Memory &y)
    {
        const void *inputs[] = { x.get() };
        void *outputs[] = { y.get() };
        ASSERT_OK(trib_op_run(op.get(), s.get(), inputs, outputs, nullptr, nullptr));
    }
};

TEST_P(Teams, WorkInCapturesOnEveryLane)
{
    Stream s = stream(), t = stream();
    Event fork = event(), join = event();
    Op op = relu();
    std::vector<float> x = values(), seen[2];
    const std::size_t bytes = x.size() * sizeof(float);
    Memory from = alloc(s, bytes), a = alloc(s, bytes), b = alloc(s, bytes);
    ASSERT_OK(trib_copy_to_device(s.get(), from.get(), x.data(), bytes));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    ASSERT_OK(trib_capture_begin(s.get()));
    ASSERT_OK(trib_event_record(fork.get(), s.get()));
    ASSERT_OK(trib_stream_wait(t.get(), fork.get()));
    run(op, s, from, a);
    run(op, t, from, b);
    ASSERT_OK(trib_event_record(join.get(), t.get()));
    ASSERT_OK(trib_stream_wait(s.get(), join.get()));
    trib_capture *made = nullptr;
    ASSERT_OK(trib_capture_end(s.get(), &made));
    Capture capture(made);
    for (int launch = 0; launch < 5; ++launch) {
        const Memory *targets[] = { &a, &b };
        for (const Memory *y : targets) ASSERT_OK(trib_fill_zero(s.get(), y->get(), bytes));
        ASSERT_OK(trib_capture_launch(capture.get(), s.get()));
        for (int i = 0; i < 2; ++i) {
            seen[i].assign(x.size(), -1);
            ASSERT_OK(trib_copy_to_host(s.get(), seen[i].data(), targets[i]->get(), bytes));
        }
        ASSERT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(seen[0], positive(x));
        EXPECT_EQ(seen[1], positive(x));
    }
}

// Each failure of a team's creation is reported by the op that needed it, and the next run succeeds.
TEST_P(Teams, ThatCannotBeCreatedFailTheirOp)
{
    Stream s = stream(0, "lane 7");
    Op op = relu();
    std::vector<float> x = values(), seen(x.size());
    const std::size_t bytes = x.size() * sizeof(float);
    Memory from = alloc(s, bytes), y = alloc(s, bytes);
    ASSERT_OK(trib_copy_to_device(s.get(), from.get(), x.data(), bytes)); // leaves an item: runs allocate nothing
    ASSERT_OK(trib_stream_synchronize(s.get()));
    trib_status failure = {};
    int failures = -1;
    do {
        trib_fault_arm(++failures + 1, false);
        run(op, s, from, y);
        failure = trib_stream_synchronize(s.get());
        trib_fault_disarm();
        if (!trib_failed(&failure)) break;
        EXPECT_EQ(failure.code, TRIB_OUT_OF_MEMORY) << failure.message;
        EXPECT_NE(std::strstr(failure.message, "lane 7"), nullptr) << failure.message;
    } while (failures < 100 && !HasFailure());
    EXPECT_GE(failures, 2) << "the memory of the team and a thread";
    ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), y.get(), bytes));
    ASSERT_OK(trib_stream_synchronize(s.get()));
    EXPECT_EQ(seen, positive(x));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Teams);
INSTANTIATE_TEST_SUITE_P(Devices, Teams, testing::ValuesIn(host_devices()), test_name);

} // namespace
