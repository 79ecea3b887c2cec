// SPDX-License-Identifier: Apache-2.0
// How the CUDA device asks its providers of ops: with two of our own (ops_providers.c) instead of the library's.
#include <cmath>
#include <cstring>
#include <set>

#include "conformance/conformance.h"
#include "cuda/ops_providers.h"
#include "fakecuda/fakecuda.h"
extern "C" {
#include "lowering/measure.h"
#include "lowering/measure_rig.h"
}

using conformance::Capture;
using conformance::Device;
using conformance::Op;
using conformance::Stream;

static std::set<const float *> launched; // inputs

// The launcher, as a kernel's would be; here the "kernel" runs on the simulated device.
cudaError_t test_launch_scale(cudaStream_t stream, const float *x, float *y, const float *weight, const float *bias,
                              int rows, int channels, const test_way *way)
{
    launched.insert(x);
    fakecuda::spend(way->host);
    std::size_t row = std::size_t(channels) * sizeof(float), all = row * std::size_t(rows);
    auto kernel = [=] {
        for (int i = 0; i < rows * channels; ++i) y[i] = weight[i % channels] * x[i] + bias[i % channels];
        return cudaSuccess;
    };
    return fakecuda::launch(stream, "scale", kernel, { { x, all }, { y, all }, { weight, row }, { bias, row } },
                            way->device);
}

namespace
{

constexpr int channels = 8, rows = 12;
constexpr std::size_t packed_bytes = 512; // scale and shift, each in its own 256

class CudaOps : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_device *opened = nullptr;
        ASSERT_OK(trib_device_open("cuda", nullptr, &opened));
        device.reset(opened);
        desc.kind = TRIB_BATCH_NORM;
        desc.attributes.batch_norm = { 1e-5f };
        desc.input_count = desc.output_count = 1;
        trib_view &view = desc.inputs[0];
        view.layout = TRIB_NHWC;
        view.n = 1, view.c = view.c_total = channels, view.h = 3, view.w = 4;
        desc.outputs[0] = view;
        for (int i = 0; i < channels; ++i) weight[i] = float(i), bias[i] = 0.5f;
    }
    void TearDown() override
    {
        EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0);
        device.reset();
        EXPECT_EQ(test_counts.devices, 0);
        EXPECT_EQ(test_counts.handles, 0);
    }
    Op create()
    {
        trib_op_handle *made = nullptr;
        EXPECT_OK(trib_op_create(device.get(), &desc, "scale:plain", &made));
        return Op(made);
    }
    trib_status pack(const Op &op, const Stream &stream, const conformance::Memory &packed) const
    {
        constexpr std::size_t bytes = channels * sizeof(float);
        conformance::Memory w(device.get(), stream.get(), bytes), b(device.get(), stream.get(), bytes);
        TRIB_TRY(trib_copy_to_device(stream.get(), w.get(), weight, bytes));
        TRIB_TRY(trib_copy_to_device(stream.get(), b.get(), bias, bytes));
        trib_op_parameters parameters = { w.floats(), b.floats(), 0 };
        return trib_op_pack(op.get(), stream.get(), &parameters, packed.get(), nullptr);
    }
    // Packed on a stream of their own; usable by all.
    conformance::Memory packed(const Op &op, const Stream &stream)
    {
        conformance::Memory memory = alloc(stream, packed_bytes);
        EXPECT_OK(pack(op, stream, memory));
        EXPECT_OK(trib_stream_synchronize(stream.get()));
        return memory;
    }
    Stream stream()
    {
        trib_stream *made = nullptr;
        EXPECT_OK(trib_stream_create(device.get(), nullptr, &made));
        return Stream(made);
    }
    conformance::Memory alloc(const Stream &stream, std::size_t bytes = rows * channels * sizeof(float))
    {
        return conformance::Memory(device.get(), stream.get(), bytes);
    }
    static void fill(const Stream &stream, const conformance::Memory &memory)
    {
        static const std::vector<float> twos(rows * channels, 2.0f);
        EXPECT_OK(trib_copy_to_device(stream.get(), memory.get(), twos.data(), twos.size() * sizeof(float)));
    }
    static trib_status run(const Op &op, const Stream &stream, const conformance::Memory &x,
                           const conformance::Memory &y, const conformance::Memory &packed,
                           const conformance::Memory &workspace)
    {
        const void *inputs[] = { x.get() };
        void *outputs[] = { y.get() };
        return trib_op_run(op.get(), stream.get(), inputs, outputs, packed.get(), workspace.get());
    }

    Device device;
    trib_op_desc desc = {};
    float weight[channels], bias[channels];
};

TEST_F(CudaOps, ProvidersAreAskedInTurnAndSayWhyNot)
{
    trib_implementation found[4];
    int count = -1;
    char reason[TRIB_MESSAGE_SIZE];
    ASSERT_OK(trib_op_implementations(device.get(), &desc, false, found, 4, &count, reason));
    ASSERT_EQ(count, 1);
    EXPECT_STREQ(found[0].name, "scale:plain");
    EXPECT_EQ(found[0].workspace_bytes, 256);
    EXPECT_EQ(found[0].packed_bytes, std::int64_t(packed_bytes));
    EXPECT_STREQ(reason, "");
    desc.kind = TRIB_RELU;
    ASSERT_OK(trib_op_implementations(device.get(), &desc, false, found, 4, &count, reason));
    EXPECT_EQ(count, 0);
    EXPECT_STREQ(reason, "scale: only batch norm; refuse: never");
    desc.inputs[0].h = 0;
    EXPECT_FAILS(trib_op_implementations(device.get(), &desc, false, found, 4, &count, reason), TRIB_INVALID_ARGUMENT,
                 "extent");
    EXPECT_NE(std::strstr(trib_device_get_info(device.get())->library, ", scale 1.0"), nullptr);
}

// Parameters are the caller's, the handle is not needed by runs that are on their way, on any stream.
TEST_F(CudaOps, RunsOnSeveralStreamsAndOutlivesItsOwner)
{
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        device.reset();
        fakecuda::Options options;
        options.seed = seed;
        fakecuda::reset(options);
        SetUp();
        Stream s = stream(), t = stream();
        conformance::Memory x = alloc(s), y = alloc(s), u = alloc(t), v = alloc(t), scratch = alloc(s, 256);
        std::vector<float> seen(2 * rows * channels);
        Op op = create();
        EXPECT_STREQ(trib_op_detail(op.get()), "plain kernel");
        Stream loading = stream();
        conformance::Memory parameters = packed(op, loading);
        fill(s, x);
        fill(t, u);
        ASSERT_OK(run(op, s, x, y, parameters, scratch));
        ASSERT_OK(run(op, t, u, v, parameters, scratch));
        op.reset();
        ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), y.get(), rows * channels * sizeof(float)));
        ASSERT_OK(trib_copy_to_host(t.get(), &seen[rows * channels], v.get(), rows * channels * sizeof(float)));
        ASSERT_OK(trib_stream_synchronize(t.get()));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], float(i % channels) * 2 + 0.5f);
        EXPECT_EQ(test_counts.handles, 2);
        ASSERT_EQ(fakecuda::violations().size(), 0u) << fakecuda::violations()[0];
    }
}

TEST_F(CudaOps, AreCaptured)
{
    Stream s = stream();
    Op op = create();
    float seen[channels] = {};
    {
        conformance::Memory x = alloc(s), y = alloc(s), scratch = alloc(s, 256), parameters = packed(op, s);
        trib_capture *made = nullptr;
        ASSERT_OK(trib_capture_begin(s.get()));
        ASSERT_OK(run(op, s, x, y, parameters, scratch));
        ASSERT_OK(trib_capture_end(s.get(), &made));
        Capture capture(made);
        fill(s, x);
        ASSERT_OK(trib_capture_launch(made, s.get()));
        ASSERT_OK(trib_copy_to_host(s.get(), seen, y.get(), sizeof seen));
        ASSERT_OK(trib_stream_synchronize(s.get()));
    }
    EXPECT_EQ(seen[7], 14.5f);
}

TEST_F(CudaOps, MisuseIsRefused)
{
    Stream s = stream();
    trib_op_handle *none = nullptr;
    EXPECT_FAILS(trib_op_create(device.get(), &desc, "magic", &none), TRIB_UNSUPPORTED, "\"magic\"");
    EXPECT_FAILS(trib_op_create(device.get(), &desc, "scale:no", &none), TRIB_UNSUPPORTED, "scale:no");
    EXPECT_EQ(none, nullptr);
    Op op = create();
    conformance::Memory x = alloc(s), y = alloc(s), parameters = packed(op, s), scratch = alloc(s, 256), nothing;
    EXPECT_FAILS(run(op, s, x, y, parameters, nothing), TRIB_INVALID_ARGUMENT, "workspace of 256 bytes");
    EXPECT_FAILS(run(op, s, x, y, nothing, scratch), TRIB_INVALID_ARGUMENT, "packed parameters of 512 bytes");
    trib_op_parameters incomplete = { x.floats(), nullptr, 0 };
    EXPECT_FAILS(trib_op_pack(op.get(), s.get(), &incomplete, parameters.get(), nullptr), TRIB_INVALID_ARGUMENT,
                 "shift");
}

// ---- measuring ----

class CudaMeasure : public CudaOps
{
  protected:
    void TearDown() override
    {
        test_ways = &test_plain;
        test_way_count = 1;
        CudaOps::TearDown();
    }

    // Offers these, and times them.
    void measure(const std::vector<test_way> &ways)
    {
        test_ways = ways.data();
        test_way_count = int(ways.size());
        trib_plan_op op {};
        op.name = "scaled";
        op.desc = desc;
        candidates.resize(ways.size());
        measured.resize(ways.size());
        int count = 0, all = int(ways.size());
        ASSERT_OK(trib_op_implementations(device.get(), &desc, false, candidates.data(), all, &count, nullptr));
        ASSERT_EQ(count, all);
        launched.clear();
        ASSERT_OK(trib_measure_candidates(device.get(), &op, candidates.data(), count, measured.data()));
        best = trib_measure_choose(candidates.data(), measured.data(), count, &fastest);
    }

    // 33 MB to read and write: more than half of the simulated card's L2.
    void make_large()
    {
        desc.inputs[0].h = 1024, desc.inputs[0].w = 512;
        desc.outputs[0] = desc.inputs[0];
    }

    std::vector<trib_implementation> candidates;
    std::vector<trib_measurement> measured;
    int best = -1, fastest = -1;
};

// The host needs longer for a launch than the kernel runs: that must not affect the choice.
TEST_F(CudaMeasure, AKernelIsTimedAndNotTheHost)
{
    const std::vector<test_way> ways = { { "scale:slow", 500, 6000, 0 }, { "scale:quick", 50000, 2000, 0 } };
    device.reset();
    fakecuda::Options options;
    options.call = 1000;
    fakecuda::reset(options);
    SetUp();
    ASSERT_NO_FATAL_FAILURE(measure(ways));
    EXPECT_EQ(best, 1);
    EXPECT_NEAR(double(measured[0].ns), 6000, 200);
    EXPECT_NEAR(double(measured[1].ns), 2000, 200);
}

TEST_F(CudaMeasure, OfEqualOnesTheSmallestWorkspaceIsTaken)
{
    ASSERT_NO_FATAL_FAILURE(measure({ { "scale:a", 0, 10000, 8192 },
                                      { "scale:b", 0, 10100, 256 },
                                      { "scale:c", 0, 10100, 256 },
                                      { "scale:d", 0, 10500, 0 } }));
    EXPECT_EQ(fastest, 0);
    EXPECT_EQ(best, 1) << "d is slower beyond noise";
}

TEST_F(CudaMeasure, TensorsThatFillTheCacheAreRotated)
{
    ASSERT_NO_FATAL_FAILURE(measure({ { "scale:a", 0, 4000, 0 } }));
    EXPECT_EQ(launched.size(), 1u) << "a small one is found in the cache by a network, too";
    make_large();
    ASSERT_NO_FATAL_FAILURE(measure({ { "scale:a", 0, 3000000, 0 } }));
    EXPECT_EQ(launched.size(), 4u) << "twice the L2 of 60 MB";
    EXPECT_NEAR(double(measured[0].ns), 3e6, 1e5);
}

TEST_F(CudaMeasure, WithoutMemoryForThatFewerWillDo)
{
    make_large();
    trib_device_set_memory_limit(device.get(), 80 << 20);
    ASSERT_NO_FATAL_FAILURE(measure({ { "scale:a", 0, 3000000, 0 } }));
    EXPECT_EQ(launched.size(), 2u);
    trib_device_set_memory_limit(device.get(), 140 << 20); // all four, but no workspace beside them
    ASSERT_NO_FATAL_FAILURE(measure({ { "scale:a", 0, 3000000, 40 << 20 }, { "scale:b", 0, 3000000, 200 << 20 } }));
    EXPECT_EQ(best, 0);
    EXPECT_EQ(measured[1].ns, 0) << "it cannot be had";
    trib_device_set_memory_limit(device.get(), 20 << 20);
    trib_plan_op op {};
    op.name = "scaled";
    op.desc = desc;
    EXPECT_FAILS(trib_measure_candidates(device.get(), &op, candidates.data(), 1, measured.data()), TRIB_OUT_OF_MEMORY,
                 "measuring layer scaled");
}

TEST(Measure, NoiseDecidesWhatIsAsFast)
{
    const trib_implementation list[] = { { "a", 4096, nullptr, 0, 0, false },
                                         { "b", 0, nullptr, 0, 0, false },
                                         { "c", 100, nullptr, 0, 0, false } };
    int fastest = -1;
    trib_measurement m[] = { { 1000, 0 }, { 1100, 0 }, { 1015, 0 } };
    EXPECT_EQ(trib_measure_choose(list, m, 3, &fastest), 2) << "2 % is as fast";
    m[1].noise = 100;
    EXPECT_EQ(trib_measure_choose(list, m, 3, &fastest), 1) << "its own noise reaches so far";
    m[1] = { 1101, 50 };
    m[0].noise = 101;
    EXPECT_EQ(trib_measure_choose(list, m, 3, &fastest), 1) << "or the fastest's";
    EXPECT_EQ(fastest, 0);
    m[0].ns = m[2].ns = 0;
    EXPECT_EQ(trib_measure_choose(list, m, 3, &fastest), 1) << "the others cannot be had";
    m[1].ns = 0;
    EXPECT_EQ(trib_measure_choose(list, m, 3, &fastest), -1);
}

TEST(Measure, SetsFollowTheCache)
{
    const std::int64_t mb = 1 << 20;
    EXPECT_EQ(trib_rig_sets(15 * mb, 60 * mb), 1);
    EXPECT_EQ(trib_rig_sets(16 * mb, 60 * mb), 8);
    EXPECT_EQ(trib_rig_sets(50 * mb, 60 * mb), 3);
    EXPECT_EQ(trib_rig_sets(120 * mb, 60 * mb), 1);
    EXPECT_EQ(trib_rig_sets(500 * mb, 60 * mb), 1);
    EXPECT_EQ(trib_rig_sets(500 * mb, 0), 1) << "nobody knows";
}

TEST_F(CudaOps, FailuresWhilePreparingLeaveNothing)
{
    Stream s = stream();
    const auto prepare = [&] {
        trib_op_handle *made = nullptr;
        TRIB_TRY(trib_op_create(device.get(), &desc, "scale:plain", &made));
        Op op(made);
        void *memory = nullptr;
        TRIB_TRY(trib_device_alloc(device.get(), s.get(), packed_bytes, &memory));
        void *values = nullptr;
        trib_status status = trib_device_alloc(device.get(), s.get(), 64, &values);
        if (!trib_failed(&status)) status = trib_copy_to_device(s.get(), values, weight, sizeof weight);
        trib_op_parameters parameters = { static_cast<float *>(values), static_cast<float *>(values), 0 };
        if (!trib_failed(&status)) status = trib_op_pack(made, s.get(), &parameters, memory, nullptr);
        trib_device_free(device.get(), s.get(), values);
        trib_device_free(device.get(), s.get(), memory);
        trib_status done = trib_stream_synchronize(s.get());
        return trib_failed(&status) ? status : done;
    };
    fakecuda::fail(0, fakecuda::Failure::once);
    ASSERT_OK(prepare());
    std::int64_t calls = fakecuda::stop_failing();
    ASSERT_GT(calls, 8);
    for (std::int64_t k = 1; k <= calls; ++k) {
        fakecuda::fail(k, fakecuda::Failure::once);
        trib_status status = prepare();
        const std::string failed = fakecuda::failed_function();
        fakecuda::stop_failing();
        EXPECT_EQ(trib_device_memory(device.get()).current_bytes, 0) << failed;
        if (trib_failed(&status)) {
            EXPECT_TRUE(status.code == TRIB_DEVICE_ERROR || status.code == TRIB_OUT_OF_MEMORY) << status.message;
        }
    }
    EXPECT_OK(prepare()); // none of them was the end of the device
}

} // namespace
