// SPDX-License-Identifier: Apache-2.0
// Models written in another format: the same tensors, the same bytes each time, and what is known about the model.
#include <cmath>
#include <cstring>
#include <filesystem>

#include "formats/fail_each.h"
#include "formats/files.h"
#include "formats/model_files.h"
#include "formats/sha256.h"
#include "formats/torch_write.h"
#include "formats/weights_file.h"
#include "formats/zip_write.h"

namespace
{

const char torch_file[] = "torch/legacy-py27-1.0.pth";

files::Model load(const std::string &path)
{
    files::Model model;
    const trib_model_options options = { 0, 0, true, nullptr, nullptr };
    EXPECT_OK(files::load(path, model, &options));
    return model;
}

void expect_same(const trib_model *a, const trib_model *b)
{
    const int count = trib_graph_parameter_count(trib_model_graph(a));
    ASSERT_EQ(trib_graph_parameter_count(trib_model_graph(b)), count);
    for (int i = 0; i < count; ++i) {
        const trib_tensor &x = trib_model_parameters(a)[i], &y = trib_model_parameters(b)[i];
        ASSERT_STREQ(x.name, y.name);
        ASSERT_EQ(x.dtype, y.dtype) << x.name;
        const std::size_t bytes = std::size_t(models::count(x.shape)) * trib_dtype_size(x.dtype);
        ASSERT_EQ(std::memcmp(x.data, y.data, bytes), 0) << x.name;
    }
}

trib_model_save_options options(trib_model_format format)
{
    trib_model_save_options o = {};
    o.format = format;
    return o;
}

TEST(ModelSave, EachFormatHasTheSameTensorsAndTheSameBytesAgain)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(torch_file));
    for (trib_model_format format : { TRIB_MODEL_SAFETENSORS, TRIB_MODEL_PYTORCH }) {
        const trib_model_save_options o = options(format);
        ASSERT_OK(trib_model_save(model.get(), folder.file("a").c_str(), &o));
        ASSERT_OK(trib_model_save(model.get(), folder.file("b").c_str(), &o));
        EXPECT_EQ(support::read_file(folder.file("a")), support::read_file(folder.file("b")));
        const files::Model again = load(folder.file("a"));
        ASSERT_TRUE(again);
        expect_same(model.get(), again.get());
    }
}

TEST(ModelSave, SafetensorsSayWhereTheModelComesFrom)
{
    support::TemporaryFolder folder;
    const files::Model model = load(support::data_file(torch_file));
    support::write_file(folder.file("names"), "a\nb\nc\nd\ne\nf\ng g\n");
    const std::string names = folder.file("names"), path = folder.file("m");
    trib_model_save_options o = options(TRIB_MODEL_SAFETENSORS);
    o.labels = names.c_str();
    ASSERT_OK(trib_model_save(model.get(), path.c_str(), &o));
    const files::Model again = load(path);
    ASSERT_TRUE(again);
    EXPECT_STREQ(trib_model_label(again.get(), 6), "g g");
    EXPECT_EQ(trib_model_preprocess_guess(again.get()), nullptr);
    const std::string provenance = trib_model_provenance(again.get());
    EXPECT_NE(provenance.find("from legacy-py27-1.0.pth (SHA-256 "), std::string::npos) << provenance;
    EXPECT_NE(provenance.find("): a PyTorch file"), std::string::npos) << provenance;
    EXPECT_NE(provenance.find("; its preprocessing was guessed"), std::string::npos) << provenance;
    trib_preprocess given = *trib_model_preprocess(model.get());
    given.mean[0] += 1;
    o.preprocess = &given;
    ASSERT_OK(trib_model_save(model.get(), path.c_str(), &o));
    const files::Model third = load(path);
    EXPECT_EQ(trib_model_preprocess(third.get())->mean[0], given.mean[0]);
    EXPECT_EQ(std::string(trib_model_provenance(third.get())).find("guessed"), std::string::npos);
    // Labels stay, if no others are given.
    const trib_model_save_options plain = options(TRIB_MODEL_SAFETENSORS);
    ASSERT_OK(trib_model_save(third.get(), path.c_str(), &plain));
    EXPECT_STREQ(trib_model_label(load(path).get(), 0), "a");
}

TEST(ModelSave, OtherElementTypes)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("m");
    const files::Model model = load(support::data_file(torch_file));
    for (trib_dtype dtype : { TRIB_F16, TRIB_BF16, TRIB_F32 }) {
        trib_model_save_options o = options(TRIB_MODEL_PYTORCH);
        o.dtype = &dtype;
        ASSERT_OK(trib_model_save(model.get(), path.c_str(), &o));
        const files::Model again = load(path);
        const trib_tensor &a = trib_model_parameters(model.get())[0], &b = trib_model_parameters(again.get())[0];
        ASSERT_EQ(b.dtype, dtype);
        float wanted, found;
        std::memcpy(&wanted, a.data, sizeof wanted);
        trib_convert_to_f32(b.data, dtype, 1, &found);
        wanted = dtype == TRIB_F16    ? trib_f16_to_f32(trib_f32_to_f16(wanted))
                 : dtype == TRIB_BF16 ? trib_bf16_to_f32(trib_f32_to_bf16(wanted))
                                      : wanted;
        EXPECT_EQ(found, wanted);
        const trib_dtype single = TRIB_F32;
        o.dtype = &single;
        ASSERT_OK(trib_model_save(again.get(), folder.file("single").c_str(), &o));
        const files::Model back = load(folder.file("single"));
        EXPECT_EQ(*static_cast<const float *>(trib_model_parameters(back.get())[0].data), wanted);
    }
}

TEST(ModelSave, WhatCannotBeWrittenLeavesTheOldFile)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("m"), names = folder.file("names");
    support::write_file(path, "old");
    support::write_file(names, "one\ntwo\n");
    files::ModelFile large;
    large.weights.set("conv2/3x3.bias", 1, 70000);
    files::Model model;
    ASSERT_OK(large.load(model));
    trib_model_save_options o = options(TRIB_MODEL_SAFETENSORS);
    trib_dtype dtype = TRIB_F16;
    o.dtype = &dtype;
    EXPECT_FAILS(trib_model_save(model.get(), path.c_str(), &o), TRIB_UNSUPPORTED,
                 "tensor conv2/3x3.bias: 70000 is too large for f16");
    dtype = TRIB_I32;
    EXPECT_FAILS(trib_model_save(model.get(), path.c_str(), &o), TRIB_INVALID_ARGUMENT, "f32, f16 or bf16");
    o.dtype = nullptr;
    o.labels = names.c_str();
    EXPECT_FAILS(trib_model_save(model.get(), path.c_str(), &o), TRIB_BAD_DATA, "has 2 names, but the model has 3");
    EXPECT_FAILS(trib_model_save(nullptr, path.c_str(), &o), TRIB_INVALID_ARGUMENT, "an argument is NULL");
    trib_model_release_parameters(model.get());
    EXPECT_FAILS(trib_model_save(model.get(), path.c_str(), nullptr), TRIB_INVALID_ARGUMENT, "were released");
    EXPECT_EQ(support::read_file(path), "old");
}

TEST(ModelSave, TorchFilesOfAnyTensors)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("t.pth");
    const std::int64_t integers[] = { 1, -2 };
    const double wide = 0.5;
    const unsigned char byte = 7;
    std::vector<trib_tensor> tensors = { { "n", TRIB_I64, trib_shape_of(1, 2, 0, 0, 0), integers },
                                         { "w", TRIB_F64, trib_shape_of(0, 0, 0, 0, 0), &wide },
                                         { "b", TRIB_U8, trib_shape_of(4, 1, 1, 1, 1), &byte },
                                         { "none", TRIB_F32, trib_shape_of(2, 0, 3, 0, 0), &byte } };
    ASSERT_OK(trib_torch_write(path.c_str(), tensors.data(), int(tensors.size())));
    trib_weights_file *file = nullptr;
    ASSERT_OK(trib_weights_open(path.c_str(), &file));
    ASSERT_OK(trib_weights_load(file, nullptr, nullptr));
    ASSERT_EQ(file->count, 4);
    for (int i = 0; i < 4; ++i) {
        EXPECT_STREQ(file->tensors[i].name, tensors[std::size_t(i)].name);
        EXPECT_TRUE(trib_shape_equal(&file->tensors[i].shape, &tensors[std::size_t(i)].shape));
    }
    EXPECT_EQ(std::memcmp(file->tensors[0].data, integers, sizeof integers), 0);
    EXPECT_EQ(*static_cast<const float *>(file->tensors[1].data), 0.5f);
    EXPECT_EQ(*static_cast<const unsigned char *>(file->tensors[2].data), 7);
    trib_weights_close(file);
    for (trib_dtype dtype : { TRIB_I32, TRIB_BF16, TRIB_F16 }) {
        tensors[0].dtype = dtype;
        EXPECT_OK(trib_torch_write(path.c_str(), tensors.data(), 1));
    }
    tensors[0].dtype = TRIB_U64;
    EXPECT_FAILS(trib_torch_write(path.c_str(), tensors.data(), 1), TRIB_UNSUPPORTED, "tensor 'n' is u64");
}

TEST(ModelSave, ArchivesHaveLimits)
{
    trib_zip_writer zip = {};
    zip.count = 65534;
    EXPECT_FAILS(trib_zip_add(&zip, "n", "", 0), TRIB_UNSUPPORTED, "more than 4 GiB or 65534 members");
    zip.count = 0;
    zip.at = std::uint64_t(4) << 30;
    EXPECT_FAILS(trib_zip_add(&zip, "n", "", 0), TRIB_UNSUPPORTED, "more than 4 GiB");
    EXPECT_FAILS(trib_zip_finish(&zip), TRIB_UNSUPPORTED, "more than 4 GiB");
    trib_zip_writer_free(&zip);
}

TEST(ModelSave, AnyFailureLeavesTheOldFile)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("m");
    const files::Model model = load(support::data_file(torch_file));
    const trib_dtype half = TRIB_F16;
    for (trib_model_format format : { TRIB_MODEL_SAFETENSORS, TRIB_MODEL_PYTORCH }) {
        trib_model_save_options o = options(format);
        o.dtype = &half;
        support::write_file(path, "old");
        trib_fault_arm(0, false);
        ASSERT_OK(trib_model_save(model.get(), folder.file("good").c_str(), &o));
        const std::int64_t total = trib_fault_disarm();
        std::filesystem::remove(folder.file("good"));
        ASSERT_GT(total, 300);
        // Of conversions some; all of what comes before the header of a file, and of the end.
        for (std::int64_t k = 1; k <= total; k += k < 20 || (k > 270 && k < 340) || k > total - 50 ? 1 : 31) {
            trib_fault_arm(k, k % 2 == 0);
            const trib_status s = trib_model_save(model.get(), path.c_str(), &o);
            trib_fault_disarm();
            if (!trib_failed(&s)) continue; // the folder could not be put on disk after all was done
            EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
            EXPECT_EQ(support::read_file(path), "old") << k;
            auto all = std::filesystem::directory_iterator(folder.path());
            EXPECT_EQ(std::distance(begin(all), end(all)), 1) << k;
        }
        std::filesystem::remove(path);
    }
}

TEST(Sha256, KnownSums)
{
    support::TemporaryFolder folder;
    const auto sum = [&](const std::string &bytes) {
        char text[TRIB_SHA256_TEXT];
        support::write_file(folder.file("f"), bytes);
        EXPECT_OK(trib_sha256_of_file(folder.file("f").c_str(), text));
        return std::string(text);
    };
    EXPECT_EQ(sum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sum(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    char text[TRIB_SHA256_TEXT];
    EXPECT_FAILS(trib_sha256_of_file(folder.file("none").c_str(), text), TRIB_NOT_FOUND, "none");
}

} // namespace
