// SPDX-License-Identifier: Apache-2.0
// What cuDNN makes of every convolution of GoogLeNet on an H200: that it takes each graph, and that there is a plan
// that hides no copy wherever there can be one. The tables show, for each batch size, the plan that comes first: its
// engine and its workspace, with "+copy" when that hides one, of how many configurations offered.
#include "cudnn_plans/shapes.h"
#include "support/form.h"
#include "support/support.h"

extern "C" {
#include "cuda/libraries/cublaslt_matmul.h"
#include "tributary/internal/alloc.h"
}

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace
{

const int batches[] = { 1, 32, 256 };

trib_conv_limits some() // as many as a device would try
{
    trib_conv_limits limits = {};
    limits.most = 8;
    return limits;
}

trib_conv_limits describe_first()
{
    trib_conv_limits limits = {};
    limits.most = 1;
    limits.describe_only = true;
    return limits;
}

class Plans : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_OK(
            trib_cudnn_open_described(support::read_file(support::data_file("cudnn/h200.json")).c_str(), &library));
        layers = googlenet_convolutions();
        ASSERT_GE(layers.size(), 60u);
    }
    void TearDown() override { trib_cudnn_close(library); }

    // Calls check(layer, desc, list) for all layers and batch sizes; a row of the table for each layer.
    template <typename Check>
    void for_all(trib_conv_direction direction, trib_precision precision, trib_conv_limits limits, Check check)
    {
        std::printf("%-36s %-13s", trib_precision_name(precision), "filter, slice");
        for (int batch : batches) std::printf(" %18s %-3d", "batch", batch);
        std::printf("\n");
        for (const Layer &layer : layers) {
            std::printf("%-36s %dx%d %-9s", layer.name.c_str(), layer.desc.r, layer.desc.s,
                        layer.sliced()
                            ? (std::to_string(layer.desc.k) + "/" + std::to_string(layer.desc.y_pitch)).c_str()
                            : "");
            for (int batch : batches) {
                trib_conv_desc desc = layer.desc;
                desc.direction = direction;
                desc.precision = precision;
                desc.n = batch;
                if (direction != TRIB_CONV_FORWARD) {
                    desc.has_bias = desc.relu = false;
                    desc.y_pitch = desc.k; // gradients are taken apart first
                }
                char key[TRIB_CONV_KEY];
                SCOPED_TRACE(layer.name + ": " + trib_conv_key(&desc, key));
                trib_conv_list list = {};
                EXPECT_OK(trib_conv_candidates(library, &desc, &limits, &list));
                EXPECT_GT(list.count, 0) << list.configs << " configurations, " << list.unsupported << " refused, "
                                         << list.imprecise << " imprecise; " << list.reason;
                if (list.count) check(layer, desc, list);
                print(list);
                trib_conv_list_clear(&list);
            }
            std::printf("\n");
        }
    }

    static void print(const trib_conv_list &list)
    {
        char cell[32] = "none";
        if (list.count) {
            const trib_compiled_conv_info *info = trib_compiled_conv_get_info(list.convs[0]);
            std::snprintf(cell, sizeof cell, "%d:%lld%s", info->engine, static_cast<long long>(info->workspace_bytes),
                          info->hides_copy ? "+copy" : "");
        }
        std::printf(" %15s of %2d", cell, list.configs);
    }

    static const trib_compiled_conv_info &first(const trib_conv_list &list)
    {
        return *trib_compiled_conv_get_info(list.convs[0]);
    }

    trib_cudnn *library = nullptr;
    std::vector<Layer> layers;
};

// ---- forward: what runs at inference ----

// Described with the engines that are compiled at run time.
void forward_16(const Layer &layer, const trib_conv_desc &, const trib_conv_list &list)
{
    const trib_compiled_conv_info &info = *trib_compiled_conv_get_info(list.convs[0]);
    EXPECT_FALSE(info.hides_copy) << info.name << " needs " << info.workspace_bytes << " bytes";
    EXPECT_TRUE(info.tensor_cores) << info.name;
    EXPECT_EQ(info.runtime_compiled, layer.sliced())
        << info.name << "; without a CUDA driver or its stand-in in LD_LIBRARY_PATH there are none (run ctest)";
}

TEST_F(Plans, ForwardBf16) { for_all(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, describe_first(), forward_16); }

TEST_F(Plans, ForwardFp16) { for_all(TRIB_CONV_FORWARD, TRIB_PRECISION_FP16, describe_first(), forward_16); }

TEST_F(Plans, ForwardFp32)
{
    for_all(TRIB_CONV_FORWARD, TRIB_PRECISION_FP32, some(),
            [](const Layer &layer, const trib_conv_desc &, const trib_conv_list &list) {
                EXPECT_TRUE(layer.sliced() || !first(list).hides_copy) << first(list).name;
                EXPECT_FALSE(first(list).tensor_cores) << first(list).name;
            });
}

// No engine writes float32 slices with tensor cores, and none takes 8 channels: those that copy are the best there is.
TEST_F(Plans, ForwardTf32)
{
    for_all(TRIB_CONV_FORWARD, TRIB_PRECISION_TF32, some(),
            [](const Layer &layer, const trib_conv_desc &, const trib_conv_list &list) {
                EXPECT_TRUE(first(list).tensor_cores) << first(list).name;
                EXPECT_TRUE(layer.sliced() || layer.desc.c == 8 || !first(list).hides_copy) << first(list).name;
            });
}

// At batch 1 the inner dimension is split to keep the card busy: room for partial sums is not a copy. What turns dense
// tensors to another layout is one.
// ReLU without a bias in fp32: of what mode A offers, all need tensor cores.
TEST_F(Plans, WhatModeALacksComesFromTheFallbacks)
{
    trib_conv_desc desc = layers[0].desc;
    desc.has_bias = false;
    trib_conv_list list = {};
    const trib_conv_limits limits = describe_first();
    ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
    EXPECT_GT(list.imprecise, 0);
    ASSERT_EQ(list.count, 1);
    EXPECT_FALSE(trib_compiled_conv_get_info(list.convs[0])->tensor_cores);
    trib_conv_list_clear(&list);
}

TEST_F(Plans, PartialSumsAreNoCopies)
{
    int splits = 0, turns = 0;
    for (const Layer &layer : layers)
        for (trib_precision precision : { TRIB_PRECISION_FP32, TRIB_PRECISION_BF16, TRIB_PRECISION_FP16 }) {
            trib_conv_desc desc = layer.desc;
            trib_conv_limits limits = {};
            trib_conv_list list = {};
            desc.n = 1;
            desc.precision = precision;
            desc.x_pitch = desc.c, desc.y_pitch = desc.k;
            limits.describe_only = limits.no_runtime_compilation = true;
            ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
            for (int i = 0; i < list.count; ++i) {
                const trib_compiled_conv_info &info = *trib_compiled_conv_get_info(list.convs[i]);
                if (info.engine == 41) {
                    EXPECT_FALSE(info.hides_copy) << layer.name << ": " << info.name << ", " << info.workspace_bytes;
                    splits += info.workspace_bytes > 4096;
                }
                if (info.engine == 44) {
                    EXPECT_TRUE(info.hides_copy) << layer.name << ": " << info.name << ", " << info.workspace_bytes;
                    ++turns;
                }
            }
            trib_conv_list_clear(&list);
        }
    EXPECT_GT(splits, 50);
    EXPECT_GT(turns, 50);
}

// Described plans can be made: the precompiled ones all.
TEST_F(Plans, PrecompiledPlansAreMade)
{
    trib_conv_limits limits = some();
    limits.no_runtime_compilation = true;
    for (trib_precision precision : { TRIB_PRECISION_FP16, TRIB_PRECISION_BF16 })
        for_all(TRIB_CONV_FORWARD, precision, limits,
                [](const Layer &layer, const trib_conv_desc &, const trib_conv_list &list) {
                    EXPECT_EQ(first(list).hides_copy, layer.sliced())
                        << first(list).name; // else the facts have changed
                });
}

// And the ones compiled at run time, for each sliced layer once, through all batch sizes and both types; saved, and
// loaded again. Half a second each.
TEST_F(Plans, RuntimeCompiledPlansAreMade)
{
    const char *all = std::getenv("TRIBUTARY_ALL_PLANS"); // every batch size and type of every layer
    const int most = support::by_form(3, 1000);
    int turn = 0, made = 0;
    for (const Layer &layer : layers) {
        if (!layer.sliced()) continue;
        const int turns = all ? 6 : 1;
        for (int i = 0; i < turns && made < most; ++i, ++turn, ++made) {
            trib_conv_desc desc = layer.desc;
            desc.n = batches[turn % 3];
            desc.precision = turn / 3 % 2 ? TRIB_PRECISION_FP16 : TRIB_PRECISION_BF16;
            char key[TRIB_CONV_KEY];
            SCOPED_TRACE(layer.name + ": " + trib_conv_key(&desc, key));
            trib_conv_limits limits = {};
            limits.most = 1;
            limits.no_copies = true;
            trib_conv_list list = {};
            auto start = std::chrono::steady_clock::now();
            ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
            std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
            ASSERT_EQ(list.count, 1) << list.reason;
            EXPECT_TRUE(first(list).runtime_compiled) << first(list).name;
            EXPECT_EQ(first(list).workspace_bytes, 0) << first(list).name;
            EXPECT_TRUE(first(list).native_graph) << first(list).name;
            char *json = nullptr;
            std::size_t bytes = 0;
            trib_compiled_conv *loaded = nullptr;
            ASSERT_OK(trib_compiled_conv_save(list.convs[0], &json, &bytes));
            ASSERT_OK(trib_compiled_conv_load(library, &desc, first(list).name, json, bytes, &loaded));
            EXPECT_EQ(0,
                      std::memcmp(trib_compiled_conv_get_info(loaded), &first(list), sizeof(trib_compiled_conv_info)));
            std::printf("%-36s n%-3d %s %s, %.2f s, %zu bytes saved\n", layer.name.c_str(), desc.n,
                        trib_precision_name(desc.precision), first(list).name, seconds.count(), bytes);
            trib_compiled_conv_destroy(loaded);
            trib_free(json);
            trib_conv_list_clear(&list);
        }
    }
    EXPECT_GE(made, support::by_form(3, 36));
}

// ---- backward ----

// conv1 has no dgrad: the image needs no gradient. Its row exists all the same. For float32 nothing is promised
// (most dgrads copy), nor for conv1 in tf32.
void backward(const Layer &, const trib_conv_desc &desc, const trib_conv_list &list)
{
    const trib_compiled_conv_info &info = *trib_compiled_conv_get_info(list.convs[0]);
    EXPECT_EQ(info.tensor_cores, desc.precision != TRIB_PRECISION_FP32) << info.name;
    bool copies = desc.precision == TRIB_PRECISION_FP32 || (desc.precision == TRIB_PRECISION_TF32 && desc.c == 8);
    EXPECT_TRUE(copies || !info.hides_copy) << info.name << " needs " << info.workspace_bytes << " bytes";
}

TEST_F(Plans, Dgrad)
{
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
        for_all(TRIB_CONV_DGRAD, trib_precision(precision), some(), backward);
}

TEST_F(Plans, Wgrad)
{
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
        for_all(TRIB_CONV_WGRAD, trib_precision(precision), some(), backward);
}

// As training asks for them: added to a gradient that is there, and float32 gradients of filters.
TEST_F(Plans, GradientsThatAddOrWiden)
{
    const std::size_t step = support::by_form(11, 1);
    for (std::size_t i = 0; i < layers.size(); i += step)
        for (trib_conv_direction direction : { TRIB_CONV_DGRAD, TRIB_CONV_WGRAD })
            for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision) {
                trib_conv_desc desc = layers[i].desc;
                desc.direction = direction;
                desc.precision = trib_precision(precision);
                desc.n = 32;
                desc.has_bias = desc.relu = false;
                desc.y_pitch = desc.k;
                desc.add = direction == TRIB_CONV_DGRAD;
                desc.wide_w = direction == TRIB_CONV_WGRAD;
                char key[TRIB_CONV_KEY];
                SCOPED_TRACE(layers[i].name + ": " + trib_conv_key(&desc, key));
                trib_conv_limits limits = {};
                limits.most = 1;
                trib_conv_list list = {};
                EXPECT_OK(trib_conv_candidates(library, &desc, &limits, &list));
                EXPECT_GT(list.count, 0) << list.configs << " configurations: " << list.reason;
                if (list.count)
                    std::printf("%-36s %-24s %lld bytes%s: %s\n", layers[i].name.c_str(), first(list).name,
                                static_cast<long long>(first(list).workspace_bytes),
                                first(list).hides_copy ? ", copies" : "", key);
                trib_conv_list_clear(&list);
            }
}

// Gradients of classifiers' weights in 16 bits: there is a plan for whole pixels of a multiple of 8 channels, and none
// for a slice of them, which is why channels up to the next multiple are taken in.
TEST_F(Plans, GradientsOfClassifiersNeedWholePixels)
{
    for (trib_precision precision : { TRIB_PRECISION_FP16, TRIB_PRECISION_BF16 })
        for (int classes : { 1, 10, 37, 100 })
            for (int k : { (classes + 7) / 8 * 8, classes }) {
                trib_conv_desc desc = {};
                desc.direction = TRIB_CONV_WGRAD;
                desc.precision = precision;
                desc.wide_w = true;
                desc.n = 32;
                desc.c = desc.x_pitch = 1024;
                desc.h = desc.w = desc.p = desc.q = desc.r = desc.s = desc.stride_h = desc.stride_w = 1;
                desc.k = k;
                desc.y_pitch = (classes + 7) / 8 * 8;
                char key[TRIB_CONV_KEY];
                SCOPED_TRACE(trib_conv_key(&desc, key));
                const trib_conv_limits limits = describe_first();
                trib_conv_list list = {};
                ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
                EXPECT_EQ(list.count, k == desc.y_pitch) << list.reason; // else the facts have changed
                trib_conv_list_clear(&list);
            }
}

// What training in any order of sums (--fast) may choose from: how many of the plans it would try say that they sum so,
// and how often such a plan comes first.
TEST_F(Plans, SomeGradientsSumInAnyOrder)
{
    const std::size_t step = support::by_form(11, 1);
    for (trib_precision precision : { TRIB_PRECISION_FP32, TRIB_PRECISION_TF32, TRIB_PRECISION_BF16 })
        for (trib_conv_direction direction : { TRIB_CONV_DGRAD, TRIB_CONV_WGRAD }) {
            int all = 0, any_order = 0, come_first = 0;
            for (std::size_t i = 0; i < layers.size(); i += step) {
                trib_conv_desc desc = layers[i].desc;
                desc.direction = direction;
                desc.precision = precision;
                desc.n = 32;
                desc.has_bias = desc.relu = false;
                desc.y_pitch = desc.k;
                trib_conv_limits limits = {};
                limits.any_order = limits.describe_only = true;
                trib_conv_list list = {};
                ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
                for (int k = 0; k < list.count; ++k) {
                    const bool so = trib_compiled_conv_get_info(list.convs[k])->any_order;
                    ++all;
                    any_order += so;
                    come_first += so && k == 0;
                }
                trib_conv_list_clear(&list);
            }
            std::printf("%s of %s: %d of %d plans sum in any order, %d come first\n",
                        direction == TRIB_CONV_DGRAD ? "data" : "weights", trib_precision_name(precision), any_order,
                        all, come_first);
            EXPECT_EQ(any_order > 0, precision != TRIB_PRECISION_BF16);
            EXPECT_EQ(come_first > 0, precision == TRIB_PRECISION_FP32);
        }
}

// ---- names and damage, as the real library takes them ----

TEST_F(Plans, NamesMakeTheSamePlans)
{
    for (trib_precision precision : { TRIB_PRECISION_FP32, TRIB_PRECISION_TF32, TRIB_PRECISION_BF16 }) {
        trib_conv_desc desc = layers[0].desc;
        desc.precision = precision;
        desc.n = 32;
        trib_conv_limits limits = {};
        limits.no_runtime_compilation = true;
        trib_conv_list list = {};
        ASSERT_OK(trib_conv_candidates(library, &desc, &limits, &list));
        for (int i = 0; i < list.count; ++i) {
            const trib_compiled_conv_info *info = trib_compiled_conv_get_info(list.convs[i]);
            trib_compiled_conv *plan = nullptr;
            ASSERT_OK(trib_compiled_conv_by_name(library, &desc, info->name, &plan));
            EXPECT_EQ(0, std::memcmp(trib_compiled_conv_get_info(plan), info, sizeof *info)) << info->name;
            trib_compiled_conv_destroy(plan);
        }
        trib_conv_list_clear(&list);
    }
}

TEST_F(Plans, UselessPlansAreRefused)
{
    trib_conv_desc desc = layers[0].desc;
    trib_compiled_conv *plan = nullptr;
    EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, "cudnn:f32:9999:", &plan), TRIB_UNSUPPORTED,
                 "CUDNN_STATUS_NOT_SUPPORTED");
    EXPECT_FAILS(trib_compiled_conv_by_name(library, &desc, "cudnn:f32:11:2=123456", &plan), TRIB_UNSUPPORTED,
                 "CUDNN_STATUS_NOT_SUPPORTED");
    EXPECT_FAILS(trib_compiled_conv_load(library, &desc, "cudnn:f32:11:", "{}", 2, &plan), TRIB_DEVICE_ERROR,
                 "json_object.HasMember");
    EXPECT_FAILS(trib_compiled_conv_load(library, &desc, "cudnn:f32:11:", "garbage", 7, &plan), TRIB_DEVICE_ERROR,
                 "cudnnBackendFinalize");
    trib_cudnn *other = nullptr;
    EXPECT_FAILS(trib_cudnn_open_described("{}", &other), TRIB_DEVICE_ERROR, "json_object.HasMember");
    EXPECT_FAILS(trib_cudnn_open_described("garbage", &other), TRIB_DEVICE_ERROR, "json_object.IsObject");
}

// cuBLASLt chooses nothing without a card, but it accepts the description of a product before that.
TEST(Products, CublasLtTakesTheDescription)
{
    trib_cublaslt *library = nullptr;
    trib_status status = trib_cublaslt_open(&library);
    if (!trib_failed(&status)) {
        trib_cublaslt_close(library);
        GTEST_SKIP() << "a card is at hand: the product is computed there";
    }
    EXPECT_NE(std::string(status.message).find("cublasLtCreate: CUBLAS_STATUS_NOT_INITIALIZED"), std::string::npos)
        << status.message;
    alignas(16) char nothing[256] = {}; // a library without a handle
    library = reinterpret_cast<trib_cublaslt *>(nothing);
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
        for (bool bias : { false, true })
            for (bool relu : { false, true }) {
                trib_matmul_desc desc = {};
                desc.precision = trib_precision(precision);
                desc.rows = 25088, desc.in = 192, desc.out = 64, desc.x_pitch = 192, desc.y_pitch = 256;
                desc.has_bias = bias, desc.relu = relu;
                trib_matmul_algorithm *plans[4];
                int count = 0;
                EXPECT_FAILS(trib_matmul_candidates(library, &desc, 0, plans, 4, &count, nullptr), TRIB_DEVICE_ERROR,
                             "cublasLtMatmulAlgoGetHeuristic: CUBLAS_STATUS_NOT_INITIALIZED");
            }
}

} // namespace
