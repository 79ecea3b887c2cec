// SPDX-License-Identifier: Apache-2.0
// Choosing a convolution's plan: measured, remembered, measured again when what is remembered is of no use.
#include "cuda_libraries/problems.h"
#include "fakecuda/library.h"

using namespace problems;

namespace
{

constexpr std::int64_t limit = 1 << 20;

// A timer that says what it is told: nanoseconds for each sample, in turn.
struct Script {
    std::vector<std::int64_t> samples;
    std::size_t next = 0;
    int starts = 0;
    static trib_status start(void *context)
    {
        ++static_cast<Script *>(context)->starts;
        return trib_success();
    }
    static trib_status stop(void *context, std::int64_t *nanoseconds)
    {
        Script *s = static_cast<Script *>(context);
        *nanoseconds = s->samples.at(s->next++ % s->samples.size());
        return trib_success();
    }
};

trib_status count_call(void *context)
{
    ++*static_cast<int *>(context);
    return trib_success();
}

TEST(Timer, TakesTheLeastOfSeveralSamples)
{
    Script script = { { 900000, 50000, 480000, 470000, 600000 } };
    trib_timer timer = { &script, Script::start, Script::stop };
    int calls = 0;
    std::int64_t nanoseconds = 0;
    ASSERT_OK(trib_time_work(&timer, count_call, &calls, &nanoseconds));
    EXPECT_EQ(calls, 2 + 3 * 10); // half a millisecond's worth
    EXPECT_EQ(nanoseconds, 47000);

    script = { { 900000000 } };
    calls = 0;
    ASSERT_OK(trib_time_work(&timer, count_call, &calls, &nanoseconds));
    EXPECT_EQ(calls, 5);
    EXPECT_EQ(nanoseconds, 900000000);

    script = { { 0 } };
    ASSERT_OK(trib_time_work(&timer, count_call, &calls, &nanoseconds));
    EXPECT_EQ(nanoseconds, 0);
}

class Choosing : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_OK(open_h200(&library));
        ASSERT_OK(trib_cudnn_handle_create(nullptr, &handle));
        ASSERT_OK(trib_plan_cache_open(nullptr, "cuDNN", "card", nullptr, &cache));
        limits.workspace_bytes = limit;
    }
    void TearDown() override
    {
        trib_plan_cache_close(cache);
        trib_cudnn_handle_destroy(handle);
        trib_cudnn_close(library);
        EXPECT_EQ(fakecuda::library::leaks(), "");
    }
    // The engine that is chosen when candidate i takes times[i] nanoseconds; -1 after a failure.
    int choose(const std::vector<std::int64_t> &times)
    {
        script = {};
        for (std::int64_t time : times)
            for (int i = 0; i < 5; ++i) script.samples.push_back(time);
        trib_timer timer = { &script, Script::start, Script::stop };
        trib_conv_trial trial = { &timer, handle, conv.pointers(TRIB_F32), workspace.data() };
        trib_conv_plan *plan = nullptr;
        EXPECT_OK(trib_conv_choose(library, &conv.desc, &limits, cache, &trial, report, &nanoseconds, &plan));
        int engine = plan ? trib_conv_plan_get_info(plan)->engine : -1;
        trib_conv_plan_destroy(plan);
        return engine;
    }

    trib_cudnn *library = nullptr;
    cudnnContext *handle = nullptr;
    trib_plan_cache *cache = nullptr;
    trib_conv_limits limits = {};
    Script script;
    char report[TRIB_MESSAGE_SIZE] = "";
    std::int64_t nanoseconds = -1;
    Memory workspace { limit };
    Slice x_slice = { 0, 8 }, y_slice = { 16, 40 };
    Conv conv { small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, x_slice, y_slice), x_slice, y_slice };
    // Candidates, in order: 7, 7, 41, 41, 10.
};

TEST_F(Choosing, TakesTheFastest)
{
    EXPECT_EQ(choose({ 9000000, 8000000, 7000000, 6000000, 5000000 }), 10);
    EXPECT_EQ(script.starts, 25);
    EXPECT_NE(std::string(report).find("cudnn:bf16:10:2=1 5000.0 us"), std::string::npos) << report;
    EXPECT_NE(std::string(report).find("hides a copy"), std::string::npos) << report;
    EXPECT_EQ(trib_plan_cache_count(cache), 1);
    EXPECT_EQ(nanoseconds, 5000000);
}

TEST_F(Choosing, RemembersInsteadOfMeasuring)
{
    EXPECT_EQ(choose({ 5000000, 8000000, 7000000, 6000000, 9000000 }), 7);
    EXPECT_EQ(choose({ 1 }), 7);
    EXPECT_EQ(script.starts, 0);
    EXPECT_EQ(nanoseconds, 5000000);
    EXPECT_NE(std::string(report).find("cudnn:f32:7:24=21 5000.0 us (remembered)"), std::string::npos) << report;
    // What was compiled is kept whole.
    char key[TRIB_CONV_KEY];
    trib_plan_choice choice;
    bool found = false;
    ASSERT_OK(trib_plan_cache_find(cache, trib_conv_key(&conv.desc, key), &found, &choice));
    ASSERT_TRUE(found);
    EXPECT_NE(choice.json, nullptr);
    trib_plan_choice_clear(&choice);
}

TEST_F(Choosing, MeasuresAgainWhatIsOfNoUse)
{
    char key[TRIB_CONV_KEY];
    trib_conv_key(&conv.desc, key);
    char garbage[] = "garbage";
    trib_plan_choice bad[] = { { "cudnn:f32:1234:", 1, nullptr, 0 },
                               { "nonsense", 1, nullptr, 0 },
                               { "cudnn:f32:7:24=21", 1, garbage, 7 },
                               { "cudnn:f32:29:12=-1", 1, nullptr, 0 } }; // too large a workspace
    for (const trib_plan_choice &choice : bad) {
        ASSERT_OK(trib_plan_cache_put(cache, key, &choice));
        EXPECT_EQ(choose({ 9000000, 8000000, 7000000, 6000000, 5000000 }), 10) << choice.name;
        EXPECT_EQ(script.starts, 25) << choice.name;
    }
}

TEST_F(Choosing, WithoutATrialTakesTheBestGuess)
{
    trib_conv_plan *plan = nullptr;
    ASSERT_OK(trib_conv_choose(library, &conv.desc, &limits, cache, nullptr, report, &nanoseconds, &plan));
    EXPECT_EQ(trib_conv_plan_get_info(plan)->engine, 7);
    EXPECT_STREQ(report, "cudnn:f32:7:24=21");
    EXPECT_EQ(nanoseconds, 0);
    EXPECT_EQ(trib_plan_cache_count(cache), 0); // a guess is not remembered
    trib_conv_plan_destroy(plan);
}

TEST_F(Choosing, SaysWhyThereIsNone)
{
    limits.no_copies = limits.no_runtime_compilation = true;
    trib_conv_plan *plan = nullptr;
    EXPECT_FAILS(trib_conv_choose(library, &conv.desc, &limits, cache, nullptr, report, &nanoseconds, &plan),
                 TRIB_UNSUPPORTED, "cuDNN has no plan for fwd bf16");
    EXPECT_EQ(plan, nullptr);
    limits.workspace_bytes = 0;
    trib_conv_trial trial = {};
    EXPECT_FAILS(trib_conv_choose(library, &conv.desc, &limits, cache, &trial, report, &nanoseconds, &plan),
                 TRIB_INVALID_ARGUMENT, "within a workspace");
}

// ---- products ----

TEST(ChoosingProducts, OneByOneConvolutionsAreProducts)
{
    trib_conv_desc conv = {};
    conv.precision = TRIB_PRECISION_TF32;
    conv.n = 2, conv.h = conv.p = 6, conv.w = conv.q = 5, conv.c = 24, conv.k = 16, conv.r = conv.s = 1;
    conv.stride_h = conv.stride_w = 1, conv.x_pitch = 32, conv.y_pitch = 40, conv.has_bias = true;
    trib_matmul_desc product = {};
    ASSERT_TRUE(trib_matmul_of_conv(&conv, &product));
    char key[TRIB_MATMUL_KEY];
    EXPECT_STREQ(trib_matmul_key(&product, key), "matmul tf32 r60 i24 o16 x32 y40 bias");
    const auto none = [&](auto change) {
        trib_conv_desc other = conv;
        change(other);
        EXPECT_FALSE(trib_matmul_of_conv(&other, &product));
    };
    none([](trib_conv_desc &d) { d.r = 3; });
    none([](trib_conv_desc &d) { d.stride_w = 2; });
    none([](trib_conv_desc &d) { d.pad_top = 1; });
    none([](trib_conv_desc &d) { d.q = 4; });
    none([](trib_conv_desc &d) { d.direction = TRIB_CONV_DGRAD; });
}

TEST(ChoosingProducts, MeasuresThenRemembers)
{
    trib_cublaslt *library = nullptr;
    trib_plan_cache *cache = nullptr;
    ASSERT_OK(trib_cublaslt_open(&library));
    ASSERT_OK(trib_plan_cache_open(nullptr, "cuBLASLt", "card", nullptr, &cache));
    Memory memory(1024, 0), workspace(1 << 16);
    trib_matmul_desc desc = {};
    desc.rows = desc.in = desc.out = desc.x_pitch = desc.y_pitch = 8, desc.relu = true;
    Script script;
    script.samples.assign(5, 9000000);
    script.samples.resize(10, 8000000); // the second candidate is faster
    trib_timer timer = { &script, Script::start, Script::stop };
    trib_matmul_trial trial = {
        &timer, nullptr, { memory.data(), memory.data() + 256, nullptr, memory.data() + 512 }, workspace.data()
    };
    char report[TRIB_MESSAGE_SIZE] = "", name[TRIB_MATMUL_NAME] = "";
    std::int64_t nanoseconds = 0;
    trib_matmul_plan *plan = nullptr;
    ASSERT_OK(trib_matmul_choose(library, &desc, 1 << 16, cache, &trial, report, &nanoseconds, &plan));
    EXPECT_EQ(nanoseconds, 8000000);
    EXPECT_EQ(trib_matmul_plan_get_info(plan)->workspace_bytes, 0); // the plain algorithm, offered second
    std::strcpy(name, trib_matmul_plan_get_info(plan)->name);
    trib_matmul_plan_destroy(plan);

    script.starts = 0;
    ASSERT_OK(trib_matmul_choose(library, &desc, 1 << 16, cache, &trial, report, &nanoseconds, &plan));
    EXPECT_EQ(script.starts, 0);
    EXPECT_EQ(nanoseconds, 8000000);
    EXPECT_STREQ(trib_matmul_plan_get_info(plan)->name, name);
    EXPECT_NE(std::string(report).find("8000.0 us (remembered)"), std::string::npos) << report;
    trib_matmul_plan_destroy(plan);

    ASSERT_OK(trib_matmul_choose(library, &desc, 0, nullptr, nullptr, report, &nanoseconds, &plan));
    EXPECT_EQ(nanoseconds, 0);
    trib_matmul_plan_destroy(plan);
    plan = nullptr;
    EXPECT_FAILS(trib_matmul_choose(library, &desc, 0, cache, &trial, report, &nanoseconds, &plan),
                 TRIB_INVALID_ARGUMENT, "within a workspace");
    trib_plan_cache_close(cache);
    trib_cublaslt_close(library);
    EXPECT_EQ(fakecuda::library::leaks(), "");
}

} // namespace
