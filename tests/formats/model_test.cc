// SPDX-License-Identifier: Apache-2.0
// Models that load: with metadata and without, at other sizes, random ones.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "formats/model_files.h"
#include "model/preprocess_size.h"

using files::Model;
using files::ModelFile;

namespace
{

trib_model_options sized(int height, int width)
{
    trib_model_options options = {};
    options.height = height, options.width = width;
    return options;
}

TEST(ModelLoad, TheFashionModel)
{
    Model model;
    const std::string path = support::model_file("googlenet-fashion-64.safetensors");
    ASSERT_OK(files::load(path, model));
    const trib_network_spec *net = trib_model_network(model.get());
    EXPECT_EQ(net->network, support::torchvision);
    EXPECT_EQ(net->classes, 10);
    EXPECT_EQ(net->height, 64);
    EXPECT_EQ(net->width, 64);
    EXPECT_FALSE(net->aux);
    EXPECT_EQ(net->width_multiplier, 1);
    EXPECT_EQ(trib_model_path(model.get()), path);
    EXPECT_STREQ(trib_model_label(model.get(), 0), "T-shirt/top");
    EXPECT_STREQ(trib_model_label(model.get(), 9), "Ankle boot");
    EXPECT_EQ(trib_model_label(model.get(), 10), nullptr);
    EXPECT_EQ(trib_model_label(model.get(), -1), nullptr);
    EXPECT_NE(std::string(trib_model_provenance(model.get())).find("Fashion-MNIST"), std::string::npos);
    EXPECT_EQ(trib_model_preprocess_guess(model.get()), nullptr);
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_EQ(p->resize_mode, TRIB_RESIZE_SQUASH);
    EXPECT_EQ(p->resize, 64);
    EXPECT_EQ(p->crop_height, 64);
    EXPECT_EQ(p->crop_width, 64);
    EXPECT_EQ(p->interpolation, TRIB_BILINEAR);
    EXPECT_FALSE(p->bgr);
    EXPECT_EQ(p->scale, float(1.0 / 255));
    for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(p->mean[c], 0.5f);
        EXPECT_EQ(p->std[c], 0.5f);
    }
}

TEST(ModelLoad, WhatHappensToTheFileAfterwardsChangesNothing)
{
    support::TemporaryFolder folder;
    const std::string shipped = support::model_file("googlenet-fashion-64.safetensors");
    const std::string path = folder.file("model.safetensors");
    support::write_file(path, support::read_file(shipped));
    Model model, original;
    ASSERT_OK(files::load(path, model));
    ASSERT_OK(files::load(shipped, original));
    std::filesystem::resize_file(path, 0);
    for (int i = 0; i < trib_graph_parameter_count(trib_model_graph(model.get())); ++i) {
        const trib_tensor &t = trib_model_parameters(model.get())[i];
        std::int64_t count = 0;
        ASSERT_OK(trib_shape_count(&t.shape, &count));
        EXPECT_EQ(memcmp(trib_model_parameters(original.get())[i].data, t.data,
                         std::size_t(count) * trib_dtype_size(t.dtype)),
                  0)
            << t.name;
    }
}

// Sessions go on; everything but the parameters' data stays.
TEST(ModelLoad, ReleasedParametersMakeNoMoreSessions)
{
    trib_device *opened = nullptr;
    ASSERT_OK(trib_device_open("cpu", nullptr, &opened));
    std::unique_ptr<trib_device, void (*)(trib_device *)> device(opened, trib_device_close);
    for (bool random : { false, true }) {
        trib_network_spec net = {};
        net.network = support::bvlc, net.width_multiplier = 0.125, net.height = net.width = 64, net.classes = 3;
        Model model;
        trib_model *made = nullptr;
        if (random) {
            ASSERT_OK(trib_model_random(&net, 7, &made));
            model.reset(made);
        } else
            ASSERT_OK(files::load(support::model_file("googlenet-fashion-64.safetensors"), model));
        trib_session_options options = trib_session_default_options();
        auto create = [&](trib_session **out) {
            return trib_session_create(device.get(), trib_model_graph(model.get()), trib_model_parameters(model.get()),
                                       &options, out);
        };
        trib_session *session = nullptr, *second = nullptr;
        ASSERT_OK(create(&session));
        const std::size_t outputs = std::size_t(trib_session_plan(session)->output_count);
        std::vector<float> pixels(3 * 64 * 64, 0.5f);
        std::vector<std::vector<float>> results(2 * outputs, std::vector<float>(64));
        auto run = [&](std::size_t first) {
            std::vector<void *> places;
            for (std::size_t i = 0; i < outputs; ++i) places.push_back(results[first + i].data());
            return trib_session_run(session, pixels.data(), 1, places.data());
        };
        ASSERT_OK(run(0));
        trib_model_release_parameters(model.get());
        trib_model_release_parameters(model.get()); // once more is fine
        ASSERT_OK(run(outputs));
        for (std::size_t i = 0; i < outputs; ++i) EXPECT_EQ(results[i], results[outputs + i]);
        EXPECT_EQ(trib_model_parameters(model.get())[0].data, nullptr);
        EXPECT_FAILS(create(&second), TRIB_INVALID_ARGUMENT, "is not given");
        if (!random) {
            EXPECT_STREQ(trib_model_label(model.get(), 9), "Ankle boot");
        }
        trib_session_destroy(session);
    }
}

TEST(ModelLoad, EveryKeyOfThePreprocessing)
{
    ModelFile file;
    file.metadata = { { "tributary.variant", "bvlc" },
                      { "tributary.labels", "[\"a\",\"b, \\\"c\\\"\",\"\xC3\xA9\"]" },
                      { "tributary.preprocessing", files::good_preprocessing },
                      { "tributary.provenance", "a test" } };
    Model model;
    ASSERT_OK(file.load(model));
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_EQ(p->resize_mode, TRIB_RESIZE_SQUASH);
    EXPECT_EQ(p->resize, 72);
    EXPECT_EQ(p->interpolation, TRIB_BICUBIC);
    EXPECT_EQ(p->resample_order, TRIB_CHEAPER_FIRST);
    EXPECT_EQ(p->crop_height, 64);
    EXPECT_EQ(p->crop_width, 48);
    EXPECT_TRUE(p->bgr);
    EXPECT_EQ(p->scale, 0.5f);
    EXPECT_EQ(p->mean[2], 3);
    EXPECT_EQ(p->std[0], 4);
    EXPECT_EQ(p->std[2], 6.5f);
    EXPECT_EQ(trib_model_preprocess_guess(model.get()), nullptr);
    EXPECT_EQ(trib_model_network(model.get())->height, 64);
    EXPECT_EQ(trib_model_network(model.get())->width, 48);
    EXPECT_STREQ(trib_model_label(model.get(), 1), "b, \"c\"");
    EXPECT_STREQ(trib_model_label(model.get(), 2), "\xC3\xA9");
    EXPECT_STREQ(trib_model_provenance(model.get()), "a test");
}

TEST(ModelLoad, FilesFromBeforePillow13NameNoOrder)
{
    std::string text = files::good_preprocessing;
    const std::string key = "\"resample_order\":\"cheaper_first\",";
    text.erase(text.find(key), key.size());
    ModelFile file;
    file.metadata = { { "tributary.preprocessing", text } };
    Model model;
    ASSERT_OK(file.load(model));
    EXPECT_EQ(trib_model_preprocess(model.get())->resample_order, TRIB_HORIZONTAL_FIRST);
}

TEST(ModelLoad, WithoutMetadataItIsRecognised)
{
    for (const trib_network *variant : { support::bvlc, support::torchvision }) {
        ModelFile file(variant, false, 5);
        Model model;
        ASSERT_OK(file.load(model));
        const trib_network_spec *net = trib_model_network(model.get());
        EXPECT_EQ(net->network, variant);
        EXPECT_EQ(net->classes, 5);
        EXPECT_EQ(net->height, 224);
        EXPECT_NEAR(net->width_multiplier, 0.125, 0.01); // the simplest number that gives these channels
        EXPECT_NE(trib_model_preprocess_guess(model.get()), nullptr);
        trib_preprocess wanted = variant == support::bvlc ? trib_preprocess_caffe() : trib_preprocess_torchvision();
        const trib_preprocess *p = trib_model_preprocess(model.get());
        EXPECT_EQ(p->bgr, wanted.bgr);
        EXPECT_EQ(p->resize_mode, wanted.resize_mode);
        EXPECT_EQ(p->resize, wanted.resize);
        EXPECT_EQ(p->crop_width, wanted.crop_width);
        EXPECT_EQ(p->mean[0], wanted.mean[0]);
        EXPECT_EQ(trib_model_label(model.get(), 0), nullptr);
        EXPECT_EQ(trib_model_provenance(model.get()), nullptr);
        EXPECT_EQ(trib_graph_parameter_count(trib_model_graph(model.get())), int(file.weights.tensors.size()));
    }
}

TEST(ModelLoad, PreprocessingThatTheFileDoesNotSayIsGuessedAndSaid)
{
    const struct {
        const trib_network *variant;
        int classes;
        float mean, std;
        const char *said;
    } cases[] = { { support::torchvision, 1000, 0.5f, 0.5f, "mean and std 0.5" },
                  { support::torchvision, 10, 0.485f, 0.229f, "cannot be known" },
                  { support::torchvision, 1001, 0.485f, 0.229f, "cannot be known" },
                  { support::bvlc, 1000, 104, 1, "BVLC's own weights" },
                  { support::bvlc, 21, 104, 1, "cannot be known" } };
    for (auto &c : cases) {
        SCOPED_TRACE(std::string(trib_network_name(c.variant)) + " " + std::to_string(c.classes));
        ModelFile file(c.variant, false, c.classes);
        Model guessed, said;
        ASSERT_OK(file.load(guessed));
        EXPECT_EQ(trib_model_preprocess(guessed.get())->mean[0], c.mean);
        EXPECT_EQ(trib_model_preprocess(guessed.get())->std[0], c.std);
        const char *guess = trib_model_preprocess_guess(guessed.get());
        ASSERT_NE(guess, nullptr);
        EXPECT_NE(std::string(guess).find(c.said), std::string::npos) << guess;
        file.metadata["tributary.preprocessing"] = files::good_preprocessing;
        ASSERT_OK(file.load(said));
        EXPECT_EQ(trib_model_preprocess(said.get())->mean[0], 1);
        EXPECT_EQ(trib_model_preprocess_guess(said.get()), nullptr);
    }
}

TEST(ModelLoad, KeepsAuxiliaryClassifiersOnlyWhenAsked)
{
    ModelFile file(support::bvlc, true);
    Model with, without;
    trib_model_options options = {};
    ASSERT_OK(file.load(without, &options));
    options.aux = true;
    ASSERT_OK(file.load(with, &options));
    EXPECT_TRUE(trib_model_network(with.get())->aux);
    EXPECT_FALSE(trib_model_network(without.get())->aux);
    EXPECT_GT(trib_graph_parameter_count(trib_model_graph(with.get())),
              trib_graph_parameter_count(trib_model_graph(without.get())));
    Model none; // asking for more than the file has gives what it has
    ASSERT_OK(ModelFile(support::bvlc, false).load(none, &options));
    EXPECT_FALSE(trib_model_network(none.get())->aux);
}

TEST(ModelLoad, AnotherSizeScalesTheResize)
{
    ModelFile file(support::torchvision); // 256 on the short side, 224 x 224
    trib_model_options options = sized(160, 160);
    Model model;
    ASSERT_OK(file.load(model, &options));
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 160);
    EXPECT_EQ(trib_model_preprocess(model.get())->resize, 183); // 182.86
    EXPECT_EQ(trib_model_network(model.get())->width, 160);
    options = sized(0, 448);
    ASSERT_OK(file.load(model, &options));
    EXPECT_EQ(trib_model_network(model.get())->height, 224);
    EXPECT_EQ(trib_model_network(model.get())->width, 448);
    EXPECT_EQ(trib_model_preprocess(model.get())->resize, 512);
}

TEST(ModelLoad, AnotherSizeOfASquashedInputIsSquashedToThat)
{
    trib_model_options options = sized(96, 96);
    Model model;
    ASSERT_OK(files::load(support::model_file("googlenet-fashion-64.safetensors"), model, &options));
    EXPECT_EQ(trib_model_preprocess(model.get())->resize, 96);
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_width, 96);
}

TEST(InputSize, EverySizeThatFitsStaysValid)
{
    for (int height = 1; height <= 1000; height += 7)
        for (int width = 1; width <= 1000; width += 11) {
            trib_preprocess p = trib_preprocess_torchvision();
            ASSERT_OK(trib_preprocess_set_size(&p, height, width));
            EXPECT_GE(p.resize, std::max(height, width));
            EXPECT_LE(p.resize, std::ceil(std::max(height, width) * 256.0 / 224));
        }
    trib_preprocess p = trib_preprocess_caffe();
    ASSERT_OK(trib_preprocess_set_size(&p, 0, 0));
    EXPECT_EQ(p.resize, 256);
    p.resize_mode = TRIB_RESIZE_NONE;
    ASSERT_OK(trib_preprocess_set_size(&p, 500, 100));
    EXPECT_EQ(p.crop_height, 500);
}

TEST(InputSize, SizesThatCannotBeAreRefused)
{
    trib_preprocess p = trib_preprocess_caffe();
    EXPECT_FAILS(trib_preprocess_set_size(&p, -1, 224), TRIB_INVALID_ARGUMENT, "-1 x 224");
    EXPECT_FAILS(trib_preprocess_set_size(&p, 2147483647, 2147483647), TRIB_INVALID_ARGUMENT, "2147483647");
    EXPECT_EQ(p.crop_height, 224);
    trib_model_options options = sized(3, 3);
    Model model;
    EXPECT_FAILS(ModelFile().load(model, &options), TRIB_INVALID_ARGUMENT, "model.safetensors: ");
}

TEST(ModelRandom, IsDeterministicAndComplete)
{
    trib_network_spec net = {};
    net.network = support::torchvision, net.width_multiplier = 0.125, net.height = 64, net.width = 96;
    trib_model *a = nullptr, *b = nullptr;
    ASSERT_OK(trib_model_random(&net, 7, &a));
    Model first(a);
    ASSERT_OK(trib_model_random(&net, 7, &b));
    Model second(b);
    EXPECT_STREQ(trib_model_path(a), "random:torchvision:7");
    EXPECT_EQ(trib_model_network(a)->classes, 1000);
    EXPECT_EQ(trib_model_network(a)->width, 96);
    EXPECT_EQ(trib_model_preprocess(a)->crop_height, 64);
    EXPECT_EQ(trib_model_preprocess(a)->resize, 110);   // 256 * 96 / 224 = 109.7
    EXPECT_EQ(trib_model_preprocess_guess(a), nullptr); // random parameters were trained on nothing
    EXPECT_EQ(trib_model_label(a, 0), nullptr);
    EXPECT_EQ(trib_model_provenance(a), nullptr);
    for (int i = 0; i < trib_graph_parameter_count(trib_model_graph(a)); ++i) {
        const trib_tensor &x = trib_model_parameters(a)[i], &y = trib_model_parameters(b)[i];
        std::int64_t count = 0;
        ASSERT_OK(trib_shape_count(&x.shape, &count));
        EXPECT_EQ(memcmp(x.data, y.data, std::size_t(count) * trib_dtype_size(x.dtype)), 0) << x.name;
    }
}

TEST(ModelRandom, RefusesNonsense)
{
    trib_model *model = nullptr;
    trib_network_spec net = {};
    net.network = support::bvlc;
    net.classes = -1;
    EXPECT_FAILS(trib_model_random(&net, 1, &model), TRIB_INVALID_ARGUMENT, "random:bvlc:1: ");
    net.classes = 10;
    net.width_multiplier = std::nan("");
    EXPECT_FAILS(trib_model_random(&net, 1, &model), TRIB_INVALID_ARGUMENT, "random:bvlc:1: ");
    net = {};
    EXPECT_FAILS(trib_model_random(&net, 1, &model), TRIB_INVALID_ARGUMENT, "spec->network is NULL");
    EXPECT_FAILS(trib_model_random(nullptr, 1, &model), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_EQ(model, nullptr);
    trib_model_destroy(nullptr);
}

} // namespace
