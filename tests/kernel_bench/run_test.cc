// SPDX-License-Identifier: Apache-2.0
// The whole benchmark on the simulated CUDA, with the kernels emulated: its numbers mean nothing there, but all of it
// is executed, and any call may fail.
#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "benches/kernels/measure.h"
#include "fakecuda/fakecuda.h"
#include "fakecuda/library.h"
#include "layers.h"
#include "streams.h"
#include "text_file.h"

trib_status give_to_stream(void *stream, std::function<trib_status()> work)
{
    const cudaError_t error = fakecuda::launch(static_cast<cudaStream_t>(stream), "kernel", [work = std::move(work)] {
        const trib_status status = work();
        EXPECT_EQ(status.code, TRIB_OK) << status.message;
        return trib_failed(&status) ? cudaErrorLaunchFailure : cudaSuccess;
    });
    if (error == cudaSuccess) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_DEVICE_ERROR, int(error), "launch", "the kernel could not be launched");
}

namespace
{

const bench_sizes small = { 4096, 1 << 20, 65536, 32, 1 << 16, 3 };

class KernelBench : public testing::Test
{
  protected:
    void SetUp() override
    {
        fakecuda::reset();
        use_streams(true);
    }
    void TearDown() override
    {
        use_streams(false);
        EXPECT_EQ(fakecuda::leaks(), "");
        EXPECT_EQ(fakecuda::library::leaks(), "");
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
        EXPECT_EQ(fakecuda::counts().pageable_copies, 0);
    }
    bench_options only(const std::string &name)
    {
        bench_options o = {};
        o.batches[0] = 1, o.batches[1] = 2, o.batch_count = 2;
        o.seconds = 1e-6;
        for (int i = 0; trib_kernel_at(i); ++i)
            if (name == trib_kernel_at(i)->name) o.kernel = trib_kernel_at(i);
        return o;
    }
};

bench_layer find(const std::string &kernel, trib_dtype dtype, const std::string &name, int batch)
{
    const Layers layers(batch);
    for (const bench_layer &l : layers)
        if (kernel == l.kernel->name && dtype == l.dtype && name == l.name) return l;
    ADD_FAILURE() << kernel << " has no layer " << name;
    return {};
}

struct Json {
    std::unique_ptr<cJSON, void (*)(cJSON *)> root;
    explicit Json(const std::string &text) : root(cJSON_Parse(text.c_str()), cJSON_Delete) {}
    double number(const cJSON *of, const char *name) const
    {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(of, name);
        return cJSON_IsNumber(item) ? item->valuedouble : NAN;
    }
};

std::string read_file(const std::string &path)
{
    std::string text;
    if (std::FILE *file = std::fopen(path.c_str(), "r")) {
        for (int c; (c = std::fgetc(file)) != EOF;) text += char(c);
        std::fclose(file);
    }
    return text;
}

TEST_F(KernelBench, MeasuresLimitsAndRows)
{
    const std::string path = testing::TempDir() + "kernel_bench.json";
    bench_options o = only("softmax_top_k");
    o.json = path.c_str();
    TextFile out;
    const trib_status status = bench_run(&o, &small, out.file);
    ASSERT_EQ(status.code, TRIB_OK) << status.message;
    const std::string text = out.text();
    EXPECT_NE(text.find("NVIDIA H200, sm_90"), std::string::npos) << text;
    EXPECT_NE(text.find("softmax_top_k"), std::string::npos) << text;
    EXPECT_EQ(text.find("not run"), std::string::npos) << text;

    const Json json(read_file(path));
    std::remove(path.c_str());
    ASSERT_TRUE(json.root);
    const cJSON *limits = cJSON_GetObjectItem(json.root.get(), "limits");
    for (const char *limit : { "copy_bytes_per_second", "fp32_flops", "tf32_flops", "fp16_flops", "bf16_flops",
                               "launch_seconds", "launch_and_wait_seconds", "hop_seconds" })
        EXPECT_GT(json.number(limits, limit), 0) << limit;
    const cJSON *rows = cJSON_GetObjectItem(json.root.get(), "rows");
    ASSERT_EQ(cJSON_GetArraySize(rows), 2); // batches: plans have logits in one type
    for (int i = 0; i < 2; ++i) {
        const cJSON *row = cJSON_GetArrayItem(rows, i);
        EXPECT_EQ(json.number(row, "batch"), 1 + i);
        EXPECT_EQ(json.number(row, "bytes"), (1 + i) * (1000 * 4 + 40));
        EXPECT_GT(json.number(row, "median_seconds"), 0);
        EXPECT_GE(json.number(row, "median_seconds"), json.number(row, "least_seconds"));
        EXPECT_GE(json.number(row, "rounds"), BENCH_LEAST_ROUNDS);
        EXPECT_EQ(json.number(row, "launches"), 16);
        EXPECT_NEAR(json.number(row, "of_floor"),
                    json.number(row, "floor_seconds") / json.number(row, "median_seconds"), 1e-5);
    }
}

// The layer of each kernel that moves the fewest bytes.
std::map<const trib_kernel *, const bench_layer *> smallest(const Layers &layers)
{
    std::map<const trib_kernel *, const bench_layer *> all;
    for (const bench_layer &layer : layers) {
        const bench_layer *&least = all[layer.kernel];
        if (!least || bench_bytes(&layer.problem, layer.dtype) < bench_bytes(&least->problem, least->dtype))
            least = &layer;
    }
    return all;
}

// Every kernel of the table can be run with the arrays that the benchmark gives it.
TEST_F(KernelBench, RunsEveryKernel)
{
    bench_gpu gpu;
    bench_sizes once = small;
    once.rotation_bytes = 0;
    const bench_limits limits = { 1e12, 1e12, 1e12, 1e12, 1e12, 0, 0, 0 };
    ASSERT_EQ(bench_gpu_open(&once, &gpu).code, TRIB_OK);
    const Layers layers(1);
    for (const auto &[kernel, layer] : smallest(layers)) {
        bench_row row;
        const trib_status status = bench_measure_row(&gpu, &limits, layer, 1e-6, &row);
        EXPECT_EQ(status.code, TRIB_OK) << status.message;
        EXPECT_GT(row.seconds, 0) << kernel->name << ": " << row.missing;
        EXPECT_EQ(row.launches, 1);
    }
    bench_gpu_close(&gpu);
}

// What a kernel of the table would have got.
struct Call {
    std::vector<const char *> inputs;
    std::vector<char *> outputs;
};
std::vector<Call> calls;

trib_status note(const trib_kernel_problem *p, trib_dtype, const void *const *inputs, void *const *outputs, void *)
{
    Call call;
    for (int i = 0; i < p->input_count; ++i) call.inputs.push_back(static_cast<const char *>(inputs[i]));
    for (int i = 0; i < p->output_count; ++i) call.outputs.push_back(static_cast<char *>(outputs[i]));
    calls.push_back(call);
    return trib_success();
}

// Slices begin where their channels do, and launches take turns in the copies.
TEST_F(KernelBench, PlacesArrays)
{
    trib_kernel kernel = *only("max_pool2d_conv1x1").kernel;
    kernel.run = note;
    bench_layer layer = find("max_pool2d_conv1x1", TRIB_BF16, "inception_5b/pool+inception_5b/pool_proj", 1);
    layer.kernel = &kernel; // 832 to 128 of 1024 channels, 49 pixels
    const bench_layout layout = bench_layout_of(&layer.problem, TRIB_BF16);
    bench_sizes twice = small;
    twice.rotation_bytes = 2 * layout.bytes + 1;
    const bench_limits limits = {};
    bench_gpu gpu;
    bench_row row;
    ASSERT_EQ(bench_gpu_open(&twice, &gpu).code, TRIB_OK);
    calls.clear();
    EXPECT_EQ(bench_measure_row(&gpu, &limits, &layer, 1e-9, &row).code, TRIB_OK);
    bench_gpu_close(&gpu);
    EXPECT_EQ(row.launches, 2);
    ASSERT_EQ(calls.size(), std::size_t(2 * (1 + BENCH_LEAST_ROUNDS)));
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const char *copy = calls[0].inputs[0] + i % 2 * layout.bytes;
        ASSERT_EQ(calls[i].inputs.size(), 3u);
        EXPECT_EQ(calls[i].inputs[0], copy);
        EXPECT_EQ(calls[i].inputs[1], copy + layout.inputs[1]);
        EXPECT_EQ(calls[i].inputs[2], copy + layout.inputs[2]);
        EXPECT_EQ(calls[i].outputs[0], copy + layout.outputs[0] + 2 * (1024 - 128));
    }
}

// Contents that kernels of training depend on: labels are classes, indices lie in their windows, controls are those of
// the problem, and what is updated has values.
trib_status look(const trib_kernel_problem *p, trib_dtype, const void *const *inputs, void *const *outputs,
                 void *stream)
{
    const void *last = inputs[p->input_count - 1], *second = inputs[p->input_count > 1], *first_output = outputs[0];
    return give_to_stream(stream, [=] {
        for (int i = 0; i < p->cross_entropy.n; ++i) {
            EXPECT_GE(static_cast<const std::int32_t *>(second)[i], 0);
            EXPECT_LT(static_cast<const std::int32_t *>(second)[i], p->cross_entropy.classes);
        }
        for (int i = 0; p->window.r && i < p->inputs[1].rows * p->inputs[1].c; ++i)
            EXPECT_LT(static_cast<const std::uint8_t *>(second)[i], p->window.r * p->window.s);
        if (p->inputs[p->input_count - 1].element == TRIB_KERNEL_CONTROLS) {
            EXPECT_EQ(std::memcmp(last, &p->controls, sizeof p->controls), 0);
        }
        for (int i = 0; p->outputs[0].content == TRIB_KERNEL_UPDATED && i < p->outputs[0].c; ++i)
            EXPECT_LE(std::abs(static_cast<const float *>(first_output)[i]), 1);
        return trib_success();
    });
}

TEST_F(KernelBench, FillsWhatTrainingReads)
{
    const Layers layers(2);
    const bench_limits limits = {};
    bench_gpu gpu;
    bench_row row;
    ASSERT_EQ(bench_gpu_open(&small, &gpu).code, TRIB_OK);
    for (const auto &[kernel, least] : smallest(layers)) {
        const std::string name = kernel->name;
        if (name != "cross_entropy" && name != "max_pool2d_backward_accumulated" && name != "moving_average") continue;
        trib_kernel looking = *kernel;
        bench_layer layer = *least;
        looking.run = look;
        layer.kernel = &looking;
        EXPECT_EQ(bench_measure_row(&gpu, &limits, &layer, 1e-9, &row).code, TRIB_OK);
    }
    bench_gpu_close(&gpu);
}

TEST_F(KernelBench, SaysWhatDoesNotFit)
{
    fakecuda::Options machine;
    machine.memory = 1 << 20;
    fakecuda::reset(machine);
    bench_gpu gpu;
    const bench_limits limits = {};
    bench_row row;
    const bench_layer layer = find("lrn", TRIB_F32, "pool1/norm1", 256);
    ASSERT_EQ(bench_gpu_open(&small, &gpu).code, TRIB_OK);
    EXPECT_EQ(bench_measure_row(&gpu, &limits, &layer, 1e-6, &row).code, TRIB_OK);
    EXPECT_EQ(row.seconds, 0);
    EXPECT_NE(std::string(row.missing).find("cudaMallocFromPoolAsync"), std::string::npos) << row.missing;
    TextFile out;
    bench_print_row(out.file, &row);
    EXPECT_NE(out.text().find("not run: cudaMallocFromPoolAsync"), std::string::npos);
    bench_gpu_close(&gpu);
}

TEST_F(KernelBench, SaysThatThereIsNoGpu)
{
    const std::string path = testing::TempDir() + "kernel_bench_none.json";
    std::FILE *kept = std::fopen(path.c_str(), "w");
    ASSERT_NE(kept, nullptr);
    std::fputs("kept", kept);
    std::fclose(kept);
    bench_options o = only("softmax");
    o.json = path.c_str();
    for (const bool driver : { true, false }) {
        fakecuda::Options machine;
        machine.devices = 0;
        machine.driver = driver;
        fakecuda::reset(machine);
        TextFile out;
        const trib_status status = bench_run(&o, &small, out.file);
        EXPECT_EQ(status.code, TRIB_NOT_FOUND);
        EXPECT_NE(std::string(status.message).find("there is no GPU"), std::string::npos) << status.message;
        EXPECT_EQ(out.text(), "");
        EXPECT_EQ(read_file(path), "kept");
    }
    std::remove(path.c_str());
}

TEST_F(KernelBench, SaysThatAFileCannotBeWritten)
{
    bench_options o = only("softmax");
    TextFile out;
    o.json = "/nonexistent/kernel_bench.json";
    EXPECT_EQ(bench_run(&o, &small, out.file).code, TRIB_IO_ERROR);
    EXPECT_EQ(out.text(), ""); // before anything is measured
    o.json = "/dev/full";
    EXPECT_EQ(bench_run(&o, &small, out.file).code, TRIB_IO_ERROR);
}

// Whatever call fails: a failure is reported, or the run is whole; nothing is left (TearDown).
TEST_F(KernelBench, EveryCallMayFail)
{
    const bench_options o = only("softmax");
    const bench_sizes least = { 256, 0, 256, 16, 1 << 16, 1 };
    const Layers layers(1);
    for (std::int64_t k = 1;; ++k) {
        fakecuda::reset();
        fakecuda::fail(k, fakecuda::Failure::once);
        TextFile out;
        const trib_status status = bench_measure(&o, &least, layers.get(), out.file);
        const std::string failed = fakecuda::failed_function();
        if (fakecuda::stop_failing() < k) break;
        if (status.code == TRIB_OK && out.text().find("not run") == std::string::npos) {
            EXPECT_TRUE(failed == "cudaFreeAsync" || failed.find("Destroy") != std::string::npos ||
                        failed == "cudaStreamSynchronize" || failed == "cudaFreeHost")
                << failed << ", call " << k;
        } else if (status.code != TRIB_OK) {
            EXPECT_NE(status.message[0], 0);
        }
    }
}

} // namespace
