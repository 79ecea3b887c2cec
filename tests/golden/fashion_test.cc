// SPDX-License-Identifier: Apache-2.0
// The shipped model through decoding, PIL's resize, normalisation and the network, against PyTorch with PIL.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "support/form.h"
#include "support/support.h"

namespace
{

const char *const full_set = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

// Logits of the first `limit` images (all: 0) of an IDX file, by the shipped model.
std::vector<float> logits_of(const std::string &images, std::int64_t limit)
{
    std::vector<float> all;
    trib_model *model = nullptr;
    trib_device *device = nullptr;
    trib_session *session = nullptr;
    trib_source *source = nullptr;
    trib_loader *loader = nullptr;
    const char *inputs[] = { images.c_str() };
    std::string path = support::model_file("googlenet-fashion-64.safetensors");
    trib_session_options so = trib_session_default_options();
    so.max_batch = 32;
    trib_loader_options lo {};
    lo.batch_size = 32;
    lo.layout = so.plan.input_layout;
    EXPECT_OK(trib_model_load(path.c_str(), nullptr, &model));
    EXPECT_OK(trib_device_open("cpu", nullptr, &device));
    if (model && device)
        EXPECT_OK(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &so, &session));
    EXPECT_OK(trib_source_open(inputs, 1, nullptr, &source));
    if (session && source) EXPECT_OK(trib_loader_create(source, trib_model_preprocess(model), &lo, &loader));
    while (loader && (!limit || std::int64_t(all.size()) < limit * 10)) {
        const trib_batch *batch = nullptr;
        EXPECT_OK(trib_loader_next(loader, &batch));
        if (!batch) break;
        std::vector<float> y(std::size_t(batch->count) * 10);
        void *outputs[] = { y.data() };
        EXPECT_OK(trib_session_run(session, batch->pixels, batch->count, outputs));
        all.insert(all.end(), y.begin(), y.end());
        trib_loader_give_back(loader, batch);
    }
    trib_loader_destroy(loader);
    trib_source_close(source);
    trib_session_destroy(session);
    trib_device_close(device);
    trib_model_destroy(model);
    return all;
}

struct Expected {
    trib_safetensors *file = nullptr;
    Expected()
    {
        EXPECT_OK(
            trib_safetensors_open(support::data_file("googlenet-fashion-64.expected.safetensors").c_str(), &file));
    }
    ~Expected() { trib_safetensors_close(file); }
};

TEST(Fashion, FirstLogitsMatchPyTorchWithPil)
{
    Expected expected;
    const trib_tensor *t = trib_safetensors_find(expected.file, "logits_u8");
    ASSERT_TRUE(t);
    auto ours = logits_of(support::data_file("fashion-64-images-idx3-ubyte.gz"), 0);
    ASSERT_EQ(ours.size(), 640u);
    std::vector<float> theirs(640);
    trib_convert_to_f32(t->data, t->dtype, theirs.size(), theirs.data());
    double error = support::relative_error(ours, theirs);
    std::printf("relative error %.2g\n", error);
    EXPECT_LE(error, 1e-4);
}

// The whole test set needs Debian's dataset-fashion-mnist (CI installs it).
TEST(Fashion, WholeTestSetIsClassifiedAsByPyTorchWithPil)
{
    if (!std::filesystem::exists(full_set)) GTEST_SKIP() << "apt-get install dataset-fashion-mnist";
    const std::int64_t limit = support::by_form(1000, 10000);
    Expected expected;
    const trib_tensor *t = trib_safetensors_find(expected.file, "predictions_u8");
    ASSERT_TRUE(t);
    auto y = logits_of(full_set, limit);
    ASSERT_GE(y.size(), std::size_t(limit) * 10);
    int different = 0;
    for (std::int64_t i = 0; i < limit; ++i) {
        std::int64_t theirs = 0;
        std::memcpy(&theirs, static_cast<const char *>(t->data) + i * 8, 8);
        int best = -1;
        trib_top_k(&y[std::size_t(i) * 10], 10, 1, &best);
        different += best != theirs;
    }
    std::printf("%d of %lld predictions differ\n", different, static_cast<long long>(limit));
    EXPECT_LE(different, 5);
}

} // namespace
