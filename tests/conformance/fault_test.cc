// SPDX-License-Identifier: Apache-2.0
// Whatever fails first, and whatever fails after it: a device reports it, keeps nothing, and never crashes or hangs.
// (That nothing leaks is seen by LeakSanitizer.)
#include <cmath>
#include <cstring>

#include "conformance/conformance.h"
#include "tributary/internal/fault.h"

using namespace conformance;

namespace
{

class Faults : public testing::TestWithParam<std::string>
{
};

// Everything a session does, once: the first failure, and in any case the statistics at the end.
class Scenario
{
  public:
    explicit Scenario(const std::string &spec) : spec_(spec)
    {
        x_.assign(8 * 8 * 16, 0.5f);
        weight_.assign(16 * 16 * 9, 0.25f);
        bias_.assign(16, 1.0f);
    }

    trib_status run()
    {
        trib_device *opened = nullptr;
        TRIB_TRY(trib_device_open(spec_.c_str(), nullptr, &opened));
        Device device(opened);
        trib_status status = compute(opened);
        left_ = trib_device_memory(opened).current_bytes;
        return status;
    }

    std::int64_t left() const { return left_; }
    float result() const { return result_; }

  private:
    trib_status compute(trib_device *device)
    {
        trib_stream *s = nullptr, *t = nullptr;
        trib_event *fork = nullptr, *join = nullptr;
        TRIB_TRY(trib_stream_create(device, nullptr, &s));
        Stream own_s(s);
        TRIB_TRY(trib_stream_create(device, nullptr, &t));
        Stream own_t(t);
        TRIB_TRY(trib_event_create(device, &fork));
        Event own_fork(fork);
        TRIB_TRY(trib_event_create(device, &join));
        Event own_join(join);
        void *x = nullptr, *y = nullptr;
        trib_status status = trib_device_alloc(device, s, x_.size() * sizeof(float), &x);
        if (!trib_failed(&status)) status = trib_device_alloc(device, s, x_.size() * sizeof(float), &y);
        if (!trib_failed(&status)) status = work(device, s, t, fork, join, x, y);
        trib_status done = trib_stream_synchronize(s);
        trib_status other = trib_stream_synchronize(t);
        trib_device_free(device, s, x);
        trib_device_free(device, s, y);
        trib_status freed = trib_stream_synchronize(s);
        for (const trib_status *next : { &done, &other, &freed })
            if (!trib_failed(&status)) status = *next;
        return status;
    }

    trib_status work(trib_device *device, trib_stream *s, trib_stream *t, trib_event *fork, trib_event *join, void *x,
                     void *y)
    {
        trib_op_desc d = conv(device);
        trib_implementation all[8];
        int count = 0;
        TRIB_TRY(trib_op_implementations(device, &d, true, all, 8, &count, nullptr));
        trib_op_handle *op = nullptr;
        TRIB_TRY(trib_op_create(device, &d, all[0].name, &op));
        Op own_op(op);
        workspace_ = packed_ = nullptr;
        trib_status status = trib_device_alloc(device, s, std::size_t(all[0].workspace_bytes), &workspace_);
        if (!trib_failed(&status)) status = pack(device, op, s, all[0]);
        if (!trib_failed(&status)) status = trib_copy_to_device(s, x, x_.data(), x_.size() * sizeof(float));
        if (!trib_failed(&status)) status = run_op(op, s, t, fork, join, x, y);
        if (!trib_failed(&status)) status = capture_op(op, s, t, fork, join, x, y);
        trib_device_free(device, s, workspace_);
        trib_device_free(device, s, packed_);
        TRIB_TRY(status);
        return trib_copy_to_host(s, &result_, y, sizeof result_);
    }

    trib_status pack(trib_device *device, trib_op_handle *op, trib_stream *s, const trib_implementation &offered)
    {
        void *weight = nullptr, *bias = nullptr, *scratch = nullptr;
        trib_status status = trib_device_alloc(device, s, std::size_t(offered.packed_bytes), &packed_);
        if (!trib_failed(&status)) status = upload(device, s, weight_, &weight);
        if (!trib_failed(&status)) status = upload(device, s, bias_, &bias);
        if (!trib_failed(&status)) status = trib_device_alloc(device, s, std::size_t(offered.packing_bytes), &scratch);
        trib_op_parameters parameters = { static_cast<float *>(weight), static_cast<float *>(bias), 0 };
        if (!trib_failed(&status)) status = trib_op_pack(op, s, &parameters, packed_, scratch);
        for (void *memory : { weight, bias, scratch }) trib_device_free(device, s, memory);
        return status;
    }

    static trib_status upload(trib_device *device, trib_stream *s, const std::vector<float> &values, void **memory)
    {
        TRIB_TRY(trib_device_alloc(device, s, values.size() * sizeof(float), memory));
        return trib_copy_to_device(s, *memory, values.data(), values.size() * sizeof(float));
    }

    trib_op_desc conv(trib_device *device)
    {
        trib_op_desc d = {};
        d.kind = TRIB_CONV2D;
        d.input_count = d.output_count = 1;
        d.attributes.conv2d = { 16, 3, 3, 1, 1, { 1, 1, 1, 1 }, false };
        d.has_bias = true;
        d.threads = 1;
        trib_view &v = d.inputs[0];
        v.layout = trib_device_get_info(device)->layouts[0];
        v.n = 1, v.c = v.c_total = 16, v.h = v.w = 8;
        d.outputs[0] = v;
        return d;
    }

    trib_status run_op(trib_op_handle *op, trib_stream *s, trib_stream *t, trib_event *fork, trib_event *join, void *x,
                       void *y)
    {
        const void *inputs[] = { x };
        void *outputs[] = { y };
        TRIB_TRY(trib_event_record(fork, s));
        TRIB_TRY(trib_stream_wait(t, fork));
        TRIB_TRY(trib_op_run(op, t, inputs, outputs, packed_, workspace_));
        TRIB_TRY(trib_event_record(join, t));
        return trib_stream_wait(s, join);
    }

    trib_status capture_op(trib_op_handle *op, trib_stream *s, trib_stream *t, trib_event *fork, trib_event *join,
                           void *x, void *y)
    {
        TRIB_TRY(trib_capture_begin(s));
        trib_status status = run_op(op, s, t, fork, join, x, y);
        trib_capture *capture = nullptr;
        trib_status ended = trib_capture_end(s, &capture);
        Capture own_capture(capture);
        TRIB_TRY(status);
        TRIB_TRY(ended);
        TRIB_TRY(trib_capture_launch(capture, s));
        return trib_capture_launch(capture, s);
    }

    std::string spec_;
    std::vector<float> x_, weight_, bias_;
    void *workspace_ = nullptr, *packed_ = nullptr;
    std::int64_t left_ = 0;
    float result_ = NAN;
};

void try_each_failure(const std::string &spec, bool forever)
{
    Scenario clean(spec);
    trib_fault_arm(0, false);
    trib_status status = clean.run();
    const std::int64_t steps = trib_fault_disarm();
    ASSERT_EQ(status.code, TRIB_OK) << status.message;
    ASSERT_FLOAT_EQ(clean.result(), 1 + 4 * 16 * 0.5f * 0.25f);
    ASSERT_GT(steps, 25);
    int reported = 0;
    for (std::int64_t k = 1; k <= steps; ++k) {
        SCOPED_TRACE("step " + std::to_string(k));
        Scenario scenario(spec);
        trib_fault_arm(k, forever);
        status = scenario.run();
        trib_fault_disarm();
        EXPECT_EQ(scenario.left(), 0) << status.message;
        if (trib_failed(&status)) {
            ++reported;
            EXPECT_NE(status.message[0], '\0');
            EXPECT_TRUE(status.code == TRIB_OUT_OF_MEMORY || status.code == TRIB_DEVICE_ERROR) << status.message;
        } else {
            EXPECT_FLOAT_EQ(scenario.result(), clean.result()) << "a failure was swallowed";
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(reported, steps / 2);
    testing::Test::RecordProperty("steps", int(steps));
}

TEST_P(Faults, EachStepFailsOnce) { try_each_failure(GetParam(), false); }
TEST_P(Faults, EachStepFailsAndEveryLaterOne) { try_each_failure(GetParam(), true); }

// Host memory that runs out while an op runs on a worker thread. (A GPU allocates nothing then; its own faults are in
// tests/cuda.)
class HostFaults : public Faults
{
};

// A failing op is reported at the synchronisation of its stream and of the one that waited for it: once each. What
// follows it does not run.
TEST_P(HostFaults, FailuresAtRunTimeSurfaceOnceAtSynchronisation)
{
    trib_device *opened = nullptr;
    ASSERT_OK(trib_device_open(GetParam().c_str(), nullptr, &opened));
    Device device(opened);
    if (std::strstr(trib_device_get_info(opened)->library, "without")) GTEST_SKIP() << "plain C ops cannot fail";
    trib_stream *s = nullptr, *t = nullptr;
    ASSERT_OK(trib_stream_create(opened, nullptr, &s));
    Stream own_s(s);
    ASSERT_OK(trib_stream_create(opened, nullptr, &t));
    Stream own_t(t);
    trib_op_desc d = {};
    d.kind = TRIB_SOFTMAX;
    d.input_count = d.output_count = 1;
    d.inputs[0].layout = TRIB_NHWC;
    d.inputs[0].n = 1, d.inputs[0].c = d.inputs[0].c_total = 64, d.inputs[0].h = d.inputs[0].w = 1;
    d.outputs[0] = d.inputs[0];
    trib_implementation all[8];
    int count = 0;
    ASSERT_OK(trib_op_implementations(opened, &d, false, all, 8, &count, nullptr));
    ASSERT_GT(count, 0);
    trib_op_handle *op = nullptr;
    ASSERT_OK(trib_op_create(opened, &d, all[0].name, &op));
    Op own_op(op);
    Memory x(opened, s, 256), y(opened, s, 256), workspace(opened, s, std::size_t(all[0].workspace_bytes));
    float seen = 7;
    ASSERT_OK(trib_fill_zero(s, x.get(), 256));
    const void *inputs[] = { x.get() };
    void *outputs[] = { y.get() };
    // Warm up, so that the calls below allocate nothing and the armed fault is met by the op: many items at once.
    {
        Memory large(opened, s, 8 << 20), other(opened, t, 8 << 20);
        for (int i = 0; i < 64; ++i) ASSERT_OK(trib_fill_zero(s, large.get(), 8 << 20));
        for (int i = 0; i < 64; ++i) ASSERT_OK(trib_fill_zero(t, other.get(), 8 << 20));
        ASSERT_OK(trib_stream_synchronize(t));
    }
    ASSERT_OK(trib_op_run(op, s, inputs, outputs, nullptr, workspace.get()));
    ASSERT_OK(trib_stream_synchronize(s));
    trib_fault_arm(1, false);
    trib_status run = trib_op_run(op, s, inputs, outputs, nullptr, workspace.get());
    if (!trib_failed(&run)) run = trib_copy_to_host(s, &seen, y.get(), 4);
    trib_status failure = trib_stream_synchronize(s); // waits until the worker has met the fault
    trib_fault_disarm();
    ASSERT_EQ(run.code, TRIB_OK) << run.message;
    EXPECT_EQ(failure.code, TRIB_OUT_OF_MEMORY) << failure.message;
    EXPECT_NE(std::string(failure.message).find("softmax"), std::string::npos) << failure.message;
    EXPECT_OK(trib_stream_synchronize(s));
    EXPECT_EQ(seen, 7) << "a copy behind the failure ran";
    // The same, seen from a stream that waits for it.
    trib_event *done = nullptr;
    ASSERT_OK(trib_event_create(opened, &done));
    Event own_done(done);
    ASSERT_OK(trib_event_record(done, s)); // its record exists from here on
    ASSERT_OK(trib_stream_synchronize(s));
    trib_fault_arm(1, false);
    run = trib_op_run(op, s, inputs, outputs, nullptr, workspace.get());
    trib_status recorded = trib_event_record(done, s);
    trib_status waited = trib_stream_wait(t, done);
    failure = trib_stream_synchronize(t);
    trib_fault_disarm();
    ASSERT_FALSE(trib_failed(&run) || trib_failed(&recorded) || trib_failed(&waited));
    EXPECT_EQ(failure.code, TRIB_OUT_OF_MEMORY) << failure.message;
    EXPECT_OK(trib_stream_synchronize(t));
    EXPECT_FAILS(trib_event_synchronize(done), TRIB_OUT_OF_MEMORY,
                 "softmax"); // its own stream still reports it as well
    EXPECT_FAILS(trib_stream_synchronize(s), TRIB_OUT_OF_MEMORY, "softmax");
    ASSERT_OK(trib_op_run(op, s, inputs, outputs, nullptr, workspace.get())); // works again
    ASSERT_OK(trib_copy_to_host(s, &seen, y.get(), 4));
    ASSERT_OK(trib_stream_synchronize(s));
    EXPECT_FLOAT_EQ(seen, 1.0f / 64);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Faults); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, Faults, testing::ValuesIn(computing_devices()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HostFaults);
INSTANTIATE_TEST_SUITE_P(Devices, HostFaults, testing::ValuesIn(host_devices()), test_name);

} // namespace
