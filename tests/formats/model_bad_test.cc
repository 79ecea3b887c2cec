// SPDX-License-Identifier: Apache-2.0
// Model files that cannot be used, and the message for each.
#include <cmath>
#include <functional>

#include "formats/model_files.h"

using files::ModelFile;

namespace
{

TEST(ModelBad, FilesThatAreNone)
{
    support::TemporaryFolder folder;
    files::Model model;
    support::write_file(folder.file("text"), "this is not a model");
    EXPECT_FAILS(files::load(folder.file("text"), model), TRIB_BAD_DATA, "text: ");
    EXPECT_FAILS(files::load(folder.file("none"), model), TRIB_NOT_FOUND, "none: cannot open");
    EXPECT_FAILS(files::load(folder.path(), model), TRIB_INVALID_ARGUMENT, "is a folder");
    EXPECT_FAILS(trib_model_load(nullptr, nullptr, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
}

TEST(ModelBad, AnotherNetworkIsToldWhatItLacks)
{
    ModelFile file;
    file.weights.tensors.clear();
    file.weights.add("layer1.0.conv1.weight", trib_shape_of(4, 64, 64, 3, 3));
    file.weights.add("fc.weight", trib_shape_of(2, 1000, 512, 0, 0));
    EXPECT_FAILS(file.load(), TRIB_BAD_DATA, "model.safetensors: ");
    EXPECT_FAILS(file.load(), TRIB_BAD_DATA, "conv1");
    file.weights.tensors.clear();
    EXPECT_FAILS(file.load(), TRIB_BAD_DATA, "model.safetensors: ");
}

struct Spoiled {
    const char *name;
    trib_code code;
    const char *text;
    std::function<void(ModelFile &)> spoil;
};
void PrintTo(const Spoiled &spoiled, std::ostream *out) { *out << spoiled.name; }

class ModelSpoiled : public testing::TestWithParam<Spoiled>
{
};

TEST_P(ModelSpoiled, IsRefusedNamingFileAndReason)
{
    ModelFile file;
    GetParam().spoil(file);
    trib_status s = file.load();
    EXPECT_FAILS(s, GetParam().code, GetParam().text);
    EXPECT_NE(std::string(s.message).find("model.safetensors: "), std::string::npos) << s.message;
}

const char weight[] = "inception_4c/3x3_reduce.weight";

std::vector<Spoiled> tensors()
{
    return {
        { "missing", TRIB_BAD_DATA, weight, [](ModelFile &f) { f.weights.remove(weight); } },
        { "missing_bias", TRIB_BAD_DATA, "conv1/7x7_s2.bias is missing",
          [](ModelFile &f) { f.weights.remove("conv1/7x7_s2.bias"); } },
        { "extra", TRIB_BAD_DATA, "surprise",
          [](ModelFile &f) { f.weights.add("surprise", trib_shape_of(1, 1, 0, 0, 0)); } },
        { "misshaped", TRIB_BAD_DATA, weight,
          [](ModelFile &f) {
              trib_shape &shape = f.weights.tensors[f.weights.find(weight)].shape;
              std::swap(shape.dim[0], shape.dim[1]);
          } },
        { "not_a_number", TRIB_BAD_DATA, weight, [](ModelFile &f) { f.weights.set(weight, 3, std::nanf("")); } },
        { "infinite", TRIB_BAD_DATA, weight, [](ModelFile &f) { f.weights.set(weight, 0, INFINITY); } },
        { "integers", TRIB_BAD_DATA, "i64",
          [](ModelFile &f) {
              const std::string name = "loss3/classifier.bias";
              trib_shape shape = f.weights.tensors[f.weights.find(name)].shape;
              f.weights.remove(name);
              f.weights.add(name, shape, TRIB_I64);
          } },
    };
}

Spoiled metadata(const char *name, const char *key, const std::string &value, const char *text)
{
    return { name, TRIB_BAD_DATA, text, [key, value](ModelFile &f) { f.metadata[key] = value; } };
}

std::vector<Spoiled> variant_and_labels()
{
    const char *v = "tributary.variant", *l = "tributary.labels";
    return {
        metadata("variant_unknown", v, "v3", "tributary.variant: there is no network 'v3'"),
        metadata("variant_unprintable", v, "\x1b[2J", "there is no network '(unprintable)'"),
        metadata("variant_other", v, "torchvision", "says 'torchvision', but the tensors are those of 'bvlc'"),
        metadata("labels_no_json", l, "a,b,c", "tributary.labels: not JSON"),
        metadata("labels_empty", l, "", "tributary.labels: not JSON"),
        metadata("labels_object", l, "{\"a\":1}", "tributary.labels: is not a list"),
        metadata("labels_too_few", l, "[\"a\",\"b\"]", "names 2 classes, but the network has 3"),
        metadata("labels_too_many", l, "[\"a\",\"b\",\"c\",\"d\"]", "names 4 classes, but the network has 3"),
        metadata("labels_number", l, "[\"a\",2,\"c\"]", "class 1: its name is not a string"),
        metadata("labels_unprintable", l, "[\"a\",\"b\",\"\\u001b[2J\"]", "class 2: its name has control characters"),
        metadata("labels_zero", l, "[\"a\\u0000b\",\"b\",\"c\"]", "a character of code 0"),
        metadata("labels_more", l, "[\"a\",\"b\",\"c\"] x", "more text after the JSON"),
    };
}

// The good preprocessing with `from` replaced.
Spoiled preprocessing(const char *name, const std::string &from, const std::string &to, const char *text)
{
    std::string value = files::good_preprocessing;
    std::size_t at = value.find(from);
    if (at == std::string::npos) ADD_FAILURE() << from;
    return metadata(name, "tributary.preprocessing", value.replace(at, from.size(), to), text);
}

std::vector<Spoiled> preprocessings()
{
    return {
        metadata("no_json", "tributary.preprocessing", "squash", "tributary.preprocessing: "),
        metadata("list", "tributary.preprocessing", "[]", "tributary.preprocessing: is not an object"),
        metadata("empty", "tributary.preprocessing", "{}", "'resize_mode' is missing"),
        preprocessing("no_resize", "\"resize\":72,", "", "'resize' is missing"),
        preprocessing("no_std", ",\"std\":[4,5,6.5]", "", "'std' is missing"),
        preprocessing("unknown_key", "\"scale\"", "\"gamma\":2,\"scale\"", "'gamma' is not a known key"),
        preprocessing("key_twice", "\"scale\"", "\"scale\":2,\"scale\"", "'scale' appears twice"),
        preprocessing("mode", "squash", "stretch", "'resize_mode' is not one of 'short_side', 'squash', 'none'"),
        preprocessing("mode_number", "\"squash\"", "1", "'resize_mode' is not one of"),
        preprocessing("interpolation", "bicubic", "lanczos", "'interpolation' is not one of 'bilinear', 'bicubic'"),
        preprocessing("order", "cheaper_first", "vertical_first",
                      "'resample_order' is not one of 'horizontal_first', 'cheaper_first'"),
        preprocessing("channels", "bgr", "gbr", "'channels' is not one of 'rgb', 'bgr'"),
        preprocessing("resize_half", "72", "72.5", "'resize' is not a whole number"),
        preprocessing("resize_huge", "72", "4294967296", "'resize' is not a whole number"),
        preprocessing("resize_out_of_range", "72", "2000000000", "resize is 2000000000"),
        preprocessing("crop_one", "[64,48]", "[64]", "'crop' is not a list of height and width"),
        preprocessing("crop_number", "[64,48]", "64", "'crop' is not a list of height and width"),
        preprocessing("crop_text", "[64,48]", "[64,\"48\"]", "'crop' is not a whole number"),
        preprocessing("crop_zero", "[64,48]", "[0,48]", "crop_height is 0"),
        preprocessing("crop_larger", "[64,48]", "[80,48]", "larger than resize"),
        preprocessing("scale_text", "0.5", "\"0.5\"", "'scale' is not a number"),
        preprocessing("scale_infinite", "0.5", "1e999", "'scale' is not a number"),
        preprocessing("mean_two", "[1,2,3]", "[1,2]", "'mean' is not a list of three"),
        preprocessing("mean_four", "[1,2,3]", "[1,2,3,4]", "'mean' is not a list of three"),
        preprocessing("mean_null", "[1,2,3]", "[1,null,3]", "'mean' is not a number"),
        preprocessing("std_zero", "6.5", "0", "std"),
    };
}

std::string name_of(const testing::TestParamInfo<Spoiled> &info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Tensors, ModelSpoiled, testing::ValuesIn(tensors()), name_of);
INSTANTIATE_TEST_SUITE_P(VariantAndLabels, ModelSpoiled, testing::ValuesIn(variant_and_labels()), name_of);
INSTANTIATE_TEST_SUITE_P(Preprocessing, ModelSpoiled, testing::ValuesIn(preprocessings()), name_of);

} // namespace
