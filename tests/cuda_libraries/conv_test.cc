// SPDX-License-Identifier: Apache-2.0
// Convolutions through simulated cuDNN: every candidate computes the right thing, and the good ones come first.
#include "cuda_libraries/problems.h"
#include "fakecuda/library.h"

#include <algorithm>
#include <cmath>

using namespace problems;

namespace
{

const Slice packed_x = { 0, 8 }, sliced_x = { 8, 24 }, packed_y = { 0, 16 }, sliced_y = { 16, 40 };
constexpr std::int64_t limit = 1 << 20;

class Convolutions : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_OK(open_h200(&library));
        ASSERT_OK(trib_cudnn_handle_create(nullptr, &handle));
    }
    void TearDown() override
    {
        trib_conv_list_clear(&list);
        trib_cudnn_handle_destroy(handle);
        trib_cudnn_close(library);
        EXPECT_EQ(fakecuda::library::leaks(), "");
    }
    void find(const trib_conv_desc &desc, trib_conv_limits limits = {})
    {
        trib_conv_list_clear(&list);
        ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
    }
    const trib_compiled_conv_info &info(int i) { return *trib_compiled_conv_get_info(list.convs[i]); }

    trib_cudnn *library = nullptr;
    cudnnContext *handle = nullptr;
    trib_conv_list list = {};
};

void run(const trib_compiled_conv *plan, cudnnContext *handle, const trib_conv_desc &desc, Slice x, Slice y)
{
    const trib_compiled_conv_info *info = trib_compiled_conv_get_info(plan);
    SCOPED_TRACE(info->name);
    Conv conv(desc, x, y);
    Memory workspace(std::size_t(info->workspace_bytes));
    trib_conv_pointers pointers = conv.pointers(info->bias);
    ASSERT_OK(trib_conv_run(plan, handle, &pointers, workspace.data()));
    EXPECT_LE(conv.error(), tolerance(desc.precision));
    EXPECT_TRUE(conv.neighbours_untouched());
}

TEST_F(Convolutions, EveryCandidateIsRight)
{
    for (int direction = TRIB_CONV_FORWARD; direction <= TRIB_CONV_WGRAD; ++direction)
        for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
            for (Slice x : { packed_x, sliced_x })
                for (Slice y : { packed_y, sliced_y }) {
                    trib_conv_desc desc = small_conv(trib_conv_direction(direction), trib_precision(precision), x, y);
                    char key[TRIB_CONV_KEY];
                    SCOPED_TRACE(trib_conv_key(&desc, key));
                    trib_conv_limits limits = {};
                    limits.workspace_bytes = limit;
                    find(desc, limits);
                    ASSERT_GE(list.count, 1);
                    for (int i = 0; i < list.count; ++i) run(list.convs[i], handle, desc, x, y);
                }
}

// Gradients of filters have their own type, whatever the tensors'; those of inputs may be added up.
TEST_F(Convolutions, EveryCandidateAddsAndWidens)
{
    for (trib_conv_direction direction : { TRIB_CONV_DGRAD, TRIB_CONV_WGRAD })
        for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
            for (Slice x : { packed_x, sliced_x })
                for (Slice y : { packed_y, sliced_y }) {
                    trib_conv_desc desc = small_conv(direction, trib_precision(precision), x, y);
                    desc.add = direction == TRIB_CONV_DGRAD;
                    desc.wide_w = direction == TRIB_CONV_WGRAD;
                    char key[TRIB_CONV_KEY];
                    SCOPED_TRACE(trib_conv_key(&desc, key));
                    trib_conv_limits limits = {};
                    limits.workspace_bytes = limit;
                    find(desc, limits);
                    ASSERT_GE(list.count, 1);
                    for (int i = 0; i < list.count; ++i) run(list.convs[i], handle, desc, x, y);
                }
}

// A bias that is not packed is float32.
TEST_F(Convolutions, OnlyAFloat32BiasWhereItIsAskedFor)
{
    trib_conv_limits limits = {};
    limits.wide_bias = true;
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, packed_y), limits);
    ASSERT_GE(list.count, 1);
    for (int i = 0; i < list.count; ++i) EXPECT_EQ(info(i).bias, TRIB_F32) << info(i).name;
}

// Both ways a library may treat the factors of tf32 are within the tolerance, and not the same.
TEST_F(Convolutions, FactorsOfTf32AreRoundedOrCutOff)
{
    const trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_TF32, packed_x, packed_y);
    find(desc);
    ASSERT_TRUE(info(0).tensor_cores);
    double errors[2];
    for (bool rounds : { false, true }) {
        fakecuda::library::round_tf32(rounds);
        Conv conv(desc, packed_x, packed_y);
        Memory workspace(std::size_t(info(0).workspace_bytes));
        trib_conv_pointers pointers = conv.pointers(info(0).bias);
        ASSERT_OK(trib_conv_run(list.convs[0], handle, &pointers, workspace.data()));
        errors[rounds] = conv.error();
    }
    EXPECT_GT(errors[true], 0);
    EXPECT_GT(errors[false], 1.3 * errors[true]);
    EXPECT_LE(errors[false], tolerance(TRIB_PRECISION_TF32));
}

// The reference and our kernels keep NaN through ReLU; of a library's engines some may not, and nothing may rely on it.
TEST_F(Convolutions, ReluMayLoseNaN)
{
    int kept = 0, lost = 0;
    for (bool relu : { false, true }) {
        trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, packed_y);
        desc.relu = relu;
        trib_conv_limits limits = {};
        limits.workspace_bytes = limit;
        find(desc, limits);
        for (int i = 0; i < list.count; ++i) {
            Conv conv(desc, packed_x, packed_y);
            Memory workspace(std::size_t(info(i).workspace_bytes));
            trib_conv_pointers pointers = conv.pointers(info(i).bias);
            std::memset(conv.x.data(), 0xff, 16); // the first pixel's channels
            ASSERT_OK(trib_conv_run(list.convs[i], handle, &pointers, workspace.data()));
            const float first = take(conv.y.data(), 1, desc.k, packed_y, desc.precision)[0];
            if (!relu) {
                EXPECT_TRUE(std::isnan(first)) << info(i).name;
            } else if (std::isnan(first)) {
                EXPECT_TRUE(info(i).runtime_compiled) << info(i).name;
                ++kept;
            } else {
                EXPECT_EQ(first, 0) << info(i).name;
                ++lost;
            }
        }
    }
    EXPECT_GT(kept, 0);
    EXPECT_GT(lost, 0);
}

TEST_F(Convolutions, StridesPaddingsAndEpilogues)
{
    for (bool bias : { false, true })
        for (bool relu : { false, true }) {
            trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_FP32, sliced_x, sliced_y);
            desc.has_bias = bias, desc.relu = relu;
            desc.r = 5, desc.s = 4, desc.pad_top = 2, desc.pad_left = 0, desc.stride_h = 2, desc.stride_w = 1;
            desc.p = 3, desc.q = 2;
            find(desc);
            ASSERT_GE(list.count, 1);
            run(list.convs[0], handle, desc, sliced_x, sliced_y);
        }
}

TEST_F(Convolutions, NothingImpreciseIsOffered)
{
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision) {
        find(small_conv(TRIB_CONV_FORWARD, trib_precision(precision), packed_x, packed_y));
        EXPECT_GE(list.imprecise, 2);
        EXPECT_EQ(list.unsupported > 0, precision != TRIB_PRECISION_FP32); // one fails to compile
        for (int i = 0; i < list.count; ++i) {
            const int engine = info(i).engine;
            EXPECT_FALSE(engine >= 30 && engine <= 33) << info(i).name;
            EXPECT_FALSE(precision == TRIB_PRECISION_FP32 && info(i).tensor_cores) << info(i).name;
        }
    }
    trib_conv_limits any = {};
    any.any_order = true;
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, packed_y), any);
    bool found = false;
    for (int i = 0; i < list.count; ++i) found |= info(i).engine == 30;
    EXPECT_TRUE(found);
}

TEST_F(Convolutions, SlicesPreferTheEngineThatDoesNotCopy)
{
    trib_conv_limits limits = {};
    limits.workspace_bytes = limit;
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, sliced_y), limits);
    EXPECT_EQ(info(0).engine, 7);
    EXPECT_EQ(info(0).bias, TRIB_F32);
    EXPECT_EQ(info(0).workspace_bytes, 0);
    EXPECT_TRUE(info(0).runtime_compiled && info(0).native_graph && info(0).tensor_cores);
    EXPECT_FALSE(info(0).hides_copy);
    EXPECT_TRUE(info(list.count - 1).hides_copy);
    EXPECT_EQ(list.copies, 6);
    EXPECT_EQ(list.too_large, 2); // once for each type of bias

    limits.no_copies = true;
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, sliced_y), limits);
    for (int i = 0; i < list.count; ++i) EXPECT_EQ(info(i).engine, 7);
    EXPECT_EQ(list.count, 2);

    limits.no_runtime_compilation = true;
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, sliced_y), limits);
    EXPECT_EQ(list.count, 0);

    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, packed_y), {});
    EXPECT_EQ(info(0).engine, 41);
    EXPECT_EQ(info(0).bias, TRIB_BF16);
    EXPECT_FALSE(info(0).hides_copy);
}

// Of packed tensors: a plan that sums in parts is none that copies, though it needs more room than those.
TEST_F(Convolutions, PartialSumsAreNoCopies)
{
    trib_conv_limits limits = {};
    limits.workspace_bytes = limit;
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, packed_y), limits);
    std::int64_t most = 0;
    for (int i = 0; i < list.count; ++i) {
        EXPECT_FALSE(info(i).hides_copy) << info(i).name;
        most = std::max(most, info(i).workspace_bytes);
    }
    EXPECT_GT(most, 1 << 18);
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_TF32, packed_x, packed_y), limits);
    int turns = 0;
    for (int i = 0; i < list.count; ++i)
        if (info(i).engine == 26) {
            EXPECT_TRUE(info(i).hides_copy);
            ++turns;
        }
    EXPECT_EQ(turns, 1);
    EXPECT_EQ(info(0).engine, 51);
}

TEST_F(Convolutions, Tf32PrefersTensorCoresToNotCopying)
{
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_TF32, packed_x, sliced_y));
    EXPECT_TRUE(info(0).tensor_cores);
    EXPECT_FALSE(info(list.count - 1).tensor_cores);
    find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_FP32, packed_x, sliced_y));
    EXPECT_EQ(info(0).engine, 11);
    EXPECT_FALSE(info(0).hides_copy);
    EXPECT_EQ(info(1).engine, 44);
    EXPECT_TRUE(info(1).hides_copy);
}

TEST_F(Convolutions, NoMoreThanWanted)
{
    trib_conv_limits limits = {};
    for (limits.most = 1; limits.most <= 3; ++limits.most) {
        find(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_FP16, packed_x, sliced_y), limits);
        EXPECT_EQ(list.count, limits.most);
        EXPECT_EQ(info(0).engine, 7);
    }
}

TEST_F(Convolutions, ANameMakesThePlanAgain)
{
    trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_FP16, packed_x, sliced_y);
    find(desc);
    for (int i = 0; i < list.count; ++i) {
        trib_compiled_conv *plan = nullptr;
        ASSERT_OK(trib_compiled_conv_by_name(library, &desc, info(i).name, &plan));
        const trib_compiled_conv_info *again = trib_compiled_conv_get_info(plan);
        EXPECT_STREQ(again->name, info(i).name);
        EXPECT_EQ(again->workspace_bytes, info(i).workspace_bytes);
        EXPECT_EQ(again->tensor_cores, info(i).tensor_cores);
        EXPECT_EQ(again->bias, info(i).bias);
        if (again->workspace_bytes < limit) run(plan, handle, desc, packed_x, sliced_y);
        trib_compiled_conv_destroy(plan);
    }
    trib_compiled_conv *plan = nullptr;
    for (const char *bad : { "", "cudnn", "cudnn:f32", "cudnn:f32:", "cudnn:f32:x:", "cudnn:f32:7", "cudnn:f32:7:24",
                             "cudnn:f32:7:24=", "cudnn:f32:7:24=21,", "cudnn:f32:7:24=21x", "cudnn:f32:7:99=1",
                             "cudnn:f32:99999999999999999999:", "cudnn:bf16:41:2=0",
                             "cudnn:i64:7:", "other:f32:7:", "cudnn:f32:7:24=21,24=--1", "cudnn:f32: 7:" })
        EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, bad, &plan), TRIB_BAD_DATA, "is no name");
    EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, "cudnn:f32:1234:", &plan), TRIB_UNSUPPORTED, "engine 1234");
    EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, "cudnn:f32:7:24=999", &plan), TRIB_UNSUPPORTED, "engine 7");
    std::string long_name = "cudnn:f32:7:";
    for (int i = 0; i < 100; ++i) long_name += i ? ",24=1" : "24=1";
    EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, long_name.c_str(), &plan), TRIB_BAD_DATA, "is no name");
    EXPECT_EQ(plan, nullptr);
}

TEST_F(Convolutions, SavedPlansLoad)
{
    trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, sliced_x, sliced_y);
    find(desc);
    char *json = nullptr;
    std::size_t bytes = 0;
    ASSERT_OK(trib_compiled_conv_save(list.convs[0], &json, &bytes));
    EXPECT_EQ(std::strlen(json), bytes);
    trib_compiled_conv *plan = nullptr;
    ASSERT_OK(trib_compiled_conv_load(library, &desc, info(0).name, json, bytes, &plan));
    EXPECT_STREQ(trib_compiled_conv_get_info(plan)->name, info(0).name);
    EXPECT_TRUE(trib_compiled_conv_get_info(plan)->runtime_compiled);
    run(plan, handle, desc, sliced_x, sliced_y);
    trib_compiled_conv_destroy(plan);

    plan = nullptr;
    EXPECT_FAILS(trib_compiled_conv_load(library, &desc, info(0).name, json, bytes / 2, &plan), TRIB_DEVICE_ERROR,
                 "cudnnBackendFinalize");
    EXPECT_FAILS(trib_compiled_conv_load(library, &desc, info(0).name, "{}", 2, &plan), TRIB_DEVICE_ERROR, "IsObject");
    EXPECT_FAILS(trib_compiled_conv_load(library, &desc, "cudnn:f32:41:", json, bytes, &plan), TRIB_BAD_DATA,
                 "engine 7");
    trib_cudnn *other = nullptr;
    std::string card = support::read_file(support::data_file("cudnn/h200.json"));
    card.replace(card.find("H200"), 4, "H100");
    ASSERT_OK(trib_cudnn_open_described(card.c_str(), &other));
    EXPECT_FAILS(trib_compiled_conv_load(other, &desc, info(0).name, json, bytes, &plan), TRIB_UNSUPPORTED,
                 "another card");
    trib_cudnn_close(other);
    EXPECT_EQ(plan, nullptr);
    trib_free(json);
}

TEST_F(Convolutions, DescribingTellsTheSame)
{
    trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, packed_x, sliced_y);
    trib_conv_limits limits = {};
    limits.workspace_bytes = limit;
    find(desc, limits);
    trib_conv_list made = list;
    list = {};
    limits.describe_only = true;
    find(desc, limits);
    ASSERT_GE(list.count, made.count); // what is refused when made is described all the same
    for (int i = 0; i < made.count; ++i) {
        bool found = false;
        for (int j = 0; j < list.count; ++j) {
            const trib_compiled_conv_info *a = trib_compiled_conv_get_info(made.convs[i]);
            found |= !std::strcmp(a->name, info(j).name) && a->workspace_bytes == info(j).workspace_bytes;
        }
        EXPECT_TRUE(found) << trib_compiled_conv_get_info(made.convs[i])->name;
    }
    trib_conv_pointers none = {};
    char *json = nullptr;
    std::size_t bytes = 0;
    EXPECT_FAILS(trib_conv_run(list.convs[0], handle, &none, nullptr), TRIB_INVALID_ARGUMENT, "only described");
    EXPECT_FAILS(trib_compiled_conv_save(list.convs[0], &json, &bytes), TRIB_INVALID_ARGUMENT, "only described");
    trib_conv_list_clear(&made);
}

TEST_F(Convolutions, NonsenseIsRefused)
{
    const trib_conv_desc good = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_FP32, packed_x, packed_y);
    const auto refused = [&](auto change) {
        trib_conv_desc desc = good;
        change(desc);
        EXPECT_FAILS(trib_conv_candidates(library, &desc, nullptr, &list), TRIB_INVALID_ARGUMENT, "convolution");
    };
    refused([](trib_conv_desc &d) { d.n = 0; });
    refused([](trib_conv_desc &d) { d.x_pitch = 7; });
    refused([](trib_conv_desc &d) { d.y_pitch = 15; });
    refused([](trib_conv_desc &d) { d.stride_w = 0; });
    refused([](trib_conv_desc &d) { d.pad_top = -1; });
    refused([](trib_conv_desc &d) { d.direction = TRIB_CONV_DGRAD; }); // with a bias
    refused([](trib_conv_desc &d) { d.direction = trib_conv_direction(7); });
    refused([](trib_conv_desc &d) { d.add = true; });
    refused([](trib_conv_desc &d) { d.wide_w = true; });
    refused([](trib_conv_desc &d) { d.precision = trib_precision(9); });
    trib_compiled_conv *plan = nullptr;
    trib_conv_desc desc = good;
    desc.direction = trib_conv_direction(7);
    EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, "cudnn:f32:7:", &plan), TRIB_INVALID_ARGUMENT,
                 "convolution");
    desc = good;
    desc.p = 3; // fewer than the windows that fit
    EXPECT_FAILS(trib_conv_candidates(library, &desc, nullptr, &list), TRIB_DEVICE_ERROR, "fwd fp32 n2 c8 6x5 k16");
}

TEST_F(Convolutions, FailuresQuoteCudnn)
{
    trib_cudnn *other = nullptr;
    EXPECT_FAILS(trib_cudnn_open_described("{}", &other), TRIB_DEVICE_ERROR,
                 "cudnnBackendFinalize: CUDNN_STATUS_BAD_PARAM: !json_object.HasMember");
    EXPECT_FAILS(trib_cudnn_open(5, &other), TRIB_DEVICE_ERROR, "CUDNN_STATUS_NOT_INITIALIZED");
    ASSERT_OK(trib_cudnn_open(0, &other));
    EXPECT_NE(std::string(trib_cudnn_version(other)).find("9."), std::string::npos);
    trib_cudnn_close(other);

    trib_conv_desc desc = small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_FP32, packed_x, packed_y);
    find(desc);
    Conv conv(desc, packed_x, packed_y);
    Memory workspace(1 << 16);
    trib_conv_pointers pointers = conv.pointers(TRIB_F32);
    pointers.x = conv.x.data() + 4;
    EXPECT_FAILS(trib_conv_run(list.convs[0], handle, &pointers, workspace.data()), TRIB_DEVICE_ERROR, "tensor 1");
    pointers = conv.pointers(TRIB_F32);
    pointers.bias = nullptr;
    EXPECT_FAILS(trib_conv_run(list.convs[0], handle, &pointers, workspace.data()), TRIB_DEVICE_ERROR, "null");
    EXPECT_FAILS(trib_conv_run(list.convs[0], nullptr, &pointers, workspace.data()), TRIB_DEVICE_ERROR, "handle");
    pointers = conv.pointers(TRIB_F32);
    EXPECT_FAILS(trib_conv_run(list.convs[0], handle, &pointers, workspace.data() + 128), TRIB_DEVICE_ERROR,
                 "the workspace");
}

} // namespace
