// SPDX-License-Identifier: Apache-2.0
// Which paths of a command line are models, whatever they are called, and which are images.
#include <filesystem>

#include "formats/fail_each.h"
#include "formats/pipe.h"
#include "formats/torch_files.h"

namespace fs = std::filesystem;
using support::data_file;
using support::TemporaryFolder;
using support::write_file;

namespace
{

bool is_model(const std::string &path)
{
    bool found = false;
    EXPECT_OK(trib_model_recognise(path.c_str(), &found));
    return found;
}

TEST(Recognise, ModelsOfEveryFormatWhateverTheirNames)
{
    TemporaryFolder folder;
    const std::string jpg = folder.file("photo.jpg");
    for (const char *name : { "import/bvlc-v1.caffemodel", "import/torchvision-9.onnx", "torch/timm.pth.tar",
                              "torch/legacy-py27-1.0.pth" })
        EXPECT_TRUE(is_model(data_file(name))) << name;
    fs::copy_file(support::model_file("googlenet-fashion-64.safetensors"), jpg);
    EXPECT_TRUE(is_model(jpg));
    const std::string link = folder.file("link");
    fs::create_symlink(jpg, link);
    EXPECT_TRUE(is_model(link));
    write_file(folder.file("old.tar"), torch::Tar()(std::string(16, '\0')));
    EXPECT_TRUE(is_model(folder.file("old.tar")));
}

TEST(Recognise, ImagesAreNone)
{
    for (const auto &entry : fs::directory_iterator(data_file("images"))) {
        const std::string extension = entry.path().extension();
        if (extension == ".safetensors" || extension == ".py") continue;
        EXPECT_FALSE(is_model(entry.path())) << entry.path();
    }
    EXPECT_FALSE(is_model(data_file("fashion-64-images-idx3-ubyte.gz")));
    EXPECT_FALSE(is_model(data_file("images")));
}

TEST(Recognise, OtherThingsAreNone)
{
    TemporaryFolder folder;
    const std::string path = folder.file("x");
    const std::string idx = std::string("\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\1", 16) + "p";
    for (const std::string &bytes :
         { std::string(), std::string("?"), std::string("some/list\nof/names\n"), idx,
           torch::tar_member("0001.jpg", "\xFF\xD8\xFF"), torch::tar_member("storages.jpg", "\xFF\xD8\xFF") }) {
        write_file(path, bytes);
        EXPECT_FALSE(is_model(path)) << bytes.substr(0, 20);
    }
    EXPECT_FALSE(is_model(folder.file("missing")));
    EXPECT_FALSE(is_model(folder.path()));
    EXPECT_FALSE(is_model("-"));
    EXPECT_FALSE(is_model("@list"));
}

// A pipe is read once, by whom it is for.
TEST(Recognise, PipesAreNotRead)
{
    const std::string bytes = support::read_file(data_file("import/torchvision-9.onnx"));
    files::Pipe pipe(bytes);
    EXPECT_FALSE(is_model(pipe.path));
    EXPECT_FALSE(is_model("/dev/null"));
}

TEST(Recognise, TheFolderOfARun)
{
    TemporaryFolder folder;
    bool found = false;
    write_file(folder.file("args.json"), "{}");
    EXPECT_FAILS(trib_model_recognise(folder.path().c_str(), &found), TRIB_NOT_FOUND, "no checkpoint yet");
    write_file(folder.file("last"), "anything");
    EXPECT_TRUE(is_model(folder.path()));
}

TEST(Recognise, AFailureIsNoAnswer)
{
    const std::string path = data_file("import/torchvision-9.onnx");
    const int operations = files::fail_each(
        [&](int) {
            bool found = false;
            trib_status s = trib_model_recognise(path.c_str(), &found);
            if (!trib_failed(&s) && !found) return TRIB_ERROR(TRIB_IO_ERROR, "it cannot be read, and is no model");
            return s;
        },
        false);
    EXPECT_GE(operations, 2);
}

} // namespace
