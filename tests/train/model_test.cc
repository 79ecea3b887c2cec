// SPDX-License-Identifier: Apache-2.0
// Checkpoints and folders of runs as models.
#include <algorithm>
#include <filesystem>

#include "formats/files.h"
#include "train/runs.h"

namespace fs = std::filesystem;

namespace
{

// The shipped model as a checkpoint: its tensors, its metadata, and state of a training beside them.
class ModelOfARun : public testing::Test
{
  protected:
    void SetUp() override
    {
        original = files::open(support::model_file("googlenet-fashion-64.safetensors"));
        ASSERT_TRUE(original);
        tensors.assign(trib_safetensors_tensors(original.get()),
                       trib_safetensors_tensors(original.get()) + trib_safetensors_count(original.get()));
        for (const trib_tensor &tensor : std::vector<trib_tensor>(tensors)) {
            names.push_back("training/momentum/" + std::string(tensor.name));
            tensors.push_back(tensor);
            tensors.back().name = names.back().c_str();
        }
        tensors.push_back({ "training/counter", TRIB_U64, {}, &counter });
    }
    trib_status save(trib_run_folder *run, int step, bool best = false)
    {
        const trib_run_checkpoint what = { step,
                                           best,
                                           tensors.data(),
                                           int(tensors.size()),
                                           trib_safetensors_metadata(original.get()),
                                           trib_safetensors_metadata_count(original.get()) };
        return trib_run_folder_save(run, &what);
    }
    void expect_the_original(const std::string &path, const std::string &name)
    {
        files::Model found, wanted;
        ASSERT_OK(files::load(path, found));
        ASSERT_OK(files::load(support::model_file("googlenet-fashion-64.safetensors"), wanted));
        EXPECT_EQ(trib_model_path(found.get()), name);
        EXPECT_STREQ(trib_model_label(found.get(), 9), trib_model_label(wanted.get(), 9));
        EXPECT_EQ(trib_model_preprocess_guess(found.get()), nullptr);
        for (int i = 0; i < trib_graph_parameter_count(trib_model_graph(wanted.get())); ++i) {
            const trib_tensor &a = trib_model_parameters(found.get())[i], &b = trib_model_parameters(wanted.get())[i];
            std::int64_t count = 0;
            ASSERT_OK(trib_shape_count(&b.shape, &count));
            ASSERT_EQ(a.dtype, b.dtype);
            EXPECT_EQ(memcmp(a.data, b.data, std::size_t(count) * trib_dtype_size(b.dtype)), 0) << b.name;
        }
    }

    files::File original;
    std::vector<trib_tensor> tensors;
    std::deque<std::string> names;
    const std::uint64_t counter = 42;
    support::TemporaryFolder folder;
    const std::string run = folder.file("run");
};

} // namespace

TEST_F(ModelOfARun, AnyCheckpointIsAModel)
{
    auto r = runs::begun(run);
    ASSERT_OK(save(r.get(), 100, true));
    for (const char *name : { "/checkpoint-100", "/last", "/model_best" }) expect_the_original(run + name, run + name);
}

TEST_F(ModelOfARun, TheFolderIsItsBestModel)
{
    auto r = runs::begun(run);
    files::Model model;
    EXPECT_FAILS(files::load(run, model), TRIB_NOT_FOUND, run + ": the training run has no checkpoint yet");
    ASSERT_OK(save(r.get(), 100));
    expect_the_original(run, run + "/last");
    ASSERT_OK(save(r.get(), 200, true));
    expect_the_original(run, run + "/model_best");
    fs::copy_file(support::model_file("googlenet-fashion-64.safetensors"), run + "/model.safetensors");
    expect_the_original(run + "/", run + "//model.safetensors");
}

TEST_F(ModelOfARun, OtherFoldersAreNone)
{
    files::Model model;
    fs::create_directory(run);
    support::write_file(run + "/last", "x");
    EXPECT_FAILS(files::load(run, model), TRIB_INVALID_ARGUMENT, "is a folder, not a file");
}

TEST_F(ModelOfARun, DamagedParametersAreRefusedAndDamagedStateIsNotRead)
{
    auto r = runs::begun(run);
    ASSERT_OK(save(r.get(), 100));
    trib_checkpoint *c = nullptr;
    ASSERT_OK(trib_checkpoint_open((run + "/last").c_str(), &c));
    const std::string good = support::read_file(run + "/last");
    for (const std::string name : { "conv1.conv.weight", "training/momentum/conv1.conv.weight" }) {
        const trib_tensor *tensor = trib_checkpoint_find(c, name.c_str());
        ASSERT_TRUE(tensor) << name;
        std::string bad = good;
        std::int64_t count = 0;
        ASSERT_OK(trib_shape_count(&tensor->shape, &count));
        const std::string values(static_cast<const char *>(tensor->data),
                                 std::size_t(count) * trib_dtype_size(tensor->dtype));
        std::size_t at = bad.find(values); // the parameter's; its momentum, which is equal here, follows
        if (name[0] == 't') at = bad.find(values, at + 1);
        ASSERT_NE(at, std::string::npos);
        bad[at] = char(bad[at] ^ 1);
        support::write_file(run + "/bad", bad);
        files::Model model;
        if (name[0] == 't')
            EXPECT_OK(files::load(run + "/bad", model));
        else
            EXPECT_FAILS(files::load(run + "/bad", model), TRIB_BAD_DATA, run + "/bad: section '" + name + "' (bytes ");
    }
    trib_checkpoint_close(c);
}

// A program that copies the metadata into a file of its own does not make that file a damaged checkpoint.
TEST_F(ModelOfARun, ChecksumsInAnotherProgramsFileAreNotBelieved)
{
    auto r = runs::begun(run);
    ASSERT_OK(save(r.get(), 100));
    files::File copy = files::open(run + "/last");
    std::vector<trib_tensor> reversed(trib_safetensors_tensors(copy.get()),
                                      trib_safetensors_tensors(copy.get()) + trib_safetensors_count(copy.get()));
    std::reverse(reversed.begin(), reversed.end());
    ASSERT_OK(trib_safetensors_write((run + "/copy").c_str(), reversed.data(), int(reversed.size()),
                                     trib_safetensors_metadata(copy.get()),
                                     trib_safetensors_metadata_count(copy.get())));
    expect_the_original(run + "/copy", run + "/copy");
}
