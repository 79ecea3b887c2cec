// SPDX-License-Identifier: Apache-2.0
// Models that load: with metadata and without, at other sizes, random ones.
#include <cmath>
#include <cstring>

#include "formats/model_files.h"
#include "model/input_size.h"

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
    const std::string path = std::string(TRIB_MODELS) + "/googlenet-fashion-64.safetensors";
    ASSERT_OK(files::load(path, model));
    const trib_googlenet *net = trib_model_network(model.get());
    EXPECT_EQ(net->variant, TRIB_TORCHVISION);
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
    EXPECT_NE(std::string(trib_model_provenance(model.get())).find("9,168"), std::string::npos);
    EXPECT_FALSE(trib_model_preprocess_is_default(model.get()));
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

// The pages come back from the file with the same content.
TEST(ModelLoad, ReleasedPagesAreReadAgain)
{
    Model model;
    ASSERT_OK(files::load(std::string(TRIB_MODELS) + "/googlenet-fashion-64.safetensors", model));
    const trib_tensor &t = trib_model_parameters(model.get())[0];
    std::int64_t count = 0;
    ASSERT_OK(trib_shape_count(&t.shape, &count));
    std::string before(static_cast<const char *>(t.data), std::size_t(count) * trib_dtype_size(t.dtype));
    trib_model_release_pages(model.get());
    EXPECT_EQ(memcmp(before.data(), t.data, before.size()), 0);
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
    EXPECT_FALSE(trib_model_preprocess_is_default(model.get()));
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
    for (trib_variant variant : { TRIB_BVLC, TRIB_TORCHVISION }) {
        ModelFile file(variant, false, 5);
        Model model;
        ASSERT_OK(file.load(model));
        const trib_googlenet *net = trib_model_network(model.get());
        EXPECT_EQ(net->variant, variant);
        EXPECT_EQ(net->classes, 5);
        EXPECT_EQ(net->height, 224);
        EXPECT_NEAR(net->width_multiplier, 0.125, 0.01); // the simplest number that gives these channels
        EXPECT_TRUE(trib_model_preprocess_is_default(model.get()));
        trib_preprocess wanted = variant == TRIB_BVLC ? trib_preprocess_caffe() : trib_preprocess_torchvision();
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

TEST(ModelLoad, KeepsAuxiliaryClassifiersOnlyWhenAsked)
{
    ModelFile file(TRIB_BVLC, true);
    Model with, without;
    trib_model_options options = {};
    ASSERT_OK(file.load(without, &options));
    options.aux = true;
    ASSERT_OK(file.load(with, &options));
    EXPECT_TRUE(trib_model_network(with.get())->aux);
    EXPECT_FALSE(trib_model_network(without.get())->aux);
    EXPECT_GT(trib_graph_parameter_count(trib_model_graph(with.get())),
              trib_graph_parameter_count(trib_model_graph(without.get())));
    Model none; // asking for what the file lacks gives what it has
    ASSERT_OK(ModelFile(TRIB_BVLC, false).load(none, &options));
    EXPECT_FALSE(trib_model_network(none.get())->aux);
}

TEST(ModelLoad, AnotherSizeScalesTheResize)
{
    ModelFile file(TRIB_TORCHVISION); // 256 on the short side, 224 x 224
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
    ASSERT_OK(files::load(std::string(TRIB_MODELS) + "/googlenet-fashion-64.safetensors", model, &options));
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
    trib_googlenet net = {};
    net.variant = TRIB_TORCHVISION, net.width_multiplier = 0.125, net.height = 64, net.width = 96;
    trib_model *a = nullptr, *b = nullptr;
    ASSERT_OK(trib_model_random(&net, 7, &a));
    Model first(a);
    ASSERT_OK(trib_model_random(&net, 7, &b));
    Model second(b);
    EXPECT_STREQ(trib_model_path(a), "random:torchvision:7");
    EXPECT_EQ(trib_model_network(a)->classes, 1000);
    EXPECT_EQ(trib_model_network(a)->width, 96);
    EXPECT_EQ(trib_model_preprocess(a)->crop_height, 64);
    EXPECT_EQ(trib_model_preprocess(a)->resize, 110); // 256 * 96 / 224 = 109.7
    EXPECT_TRUE(trib_model_preprocess_is_default(a));
    EXPECT_EQ(trib_model_label(a, 0), nullptr);
    EXPECT_EQ(trib_model_provenance(a), nullptr);
    trib_model_release_pages(a); // there are none
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
    trib_googlenet net = {};
    net.classes = -1;
    EXPECT_FAILS(trib_model_random(&net, 1, &model), TRIB_INVALID_ARGUMENT, "random:bvlc:1: ");
    net.classes = 10;
    net.width_multiplier = std::nan("");
    EXPECT_FAILS(trib_model_random(&net, 1, &model), TRIB_INVALID_ARGUMENT, "random:bvlc:1: ");
    net = {};
    net.variant = trib_variant(9);
    EXPECT_FAILS(trib_model_random(&net, 1, &model), TRIB_INVALID_ARGUMENT, "variant");
    EXPECT_FAILS(trib_model_random(nullptr, 1, &model), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_EQ(model, nullptr);
    trib_model_destroy(nullptr);
}

} // namespace
