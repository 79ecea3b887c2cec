// SPDX-License-Identifier: Apache-2.0
// Files of weights behind one interface: the format of a file, messages for others, and the duties of a driver.
#include <cstring>
#include <memory>

#include "formats/files.h"
#include "formats/pipe.h"
#include "formats/weights_file.h"

using files::entry;
using files::raw;

namespace
{

struct Close {
    void operator()(trib_weights_file *file) const { trib_weights_close(file); }
};
using Weights = std::unique_ptr<trib_weights_file, Close>;

Weights open(const std::string &path)
{
    trib_weights_file *file = nullptr;
    EXPECT_OK(trib_weights_open(path.c_str(), &file));
    return Weights(file);
}

trib_status open_bytes(const std::string &bytes)
{
    const std::unique_ptr<char[]> exact(new char[bytes.size()]); // the sanitizer sees a byte too many
    std::memcpy(exact.get(), bytes.data(), bytes.size());
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open_memory(exact.get(), bytes.size(), "m.bin", &file);
    EXPECT_EQ(file == nullptr, trib_failed(&s));
    trib_weights_close(file);
    return s;
}

const std::string three = raw("{\"__metadata__\":{\"z\":\"last\",\"a\":\"first\"}," + entry("x", "U8", "2", "0,2") +
                                  "," + entry("y", "U8", "4", "2,6") + "," + entry("w", "U8", "3", "6,9") + "}",
                              "xxyyyywww");

bool is_y(const void *, const trib_tensor *tensor) { return tensor->name[0] == 'y'; }

std::string data_of(const trib_weights_file &file, int i)
{
    const trib_tensor &t = file.tensors[i];
    return t.data ? std::string(static_cast<const char *>(t.data), std::size_t(t.shape.dim[0])) : "none";
}

void expect_header(const trib_weights_file &file)
{
    EXPECT_STREQ(file.driver->format, "safetensors");
    ASSERT_EQ(file.count, 3);
    ASSERT_EQ(file.metadata_count, 2);
    EXPECT_STREQ(file.metadata[0].key, "a");
    EXPECT_STREQ(trib_weights_metadata(&file, "z"), "last");
    EXPECT_EQ(trib_weights_metadata(&file, "b"), nullptr);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(file.tensors[i].data, nullptr);
}

TEST(WeightsFile, ContentTellsTheFormatAndTheNameDoesNot)
{
    support::TemporaryFolder folder;
    support::write_file(folder.file("net.pth"), three);
    Weights file = open(folder.file("net.pth"));
    ASSERT_TRUE(file);
    expect_header(*file);
    ASSERT_OK(trib_weights_load(file.get(), nullptr, nullptr));
    EXPECT_EQ(data_of(*file, 0) + data_of(*file, 1) + data_of(*file, 2), "xxyyyywww");
    trib_weights_release_data(file.get());
    EXPECT_EQ(file->tensors[1].data, nullptr);
    EXPECT_STREQ(file->tensors[1].name, "y");
    char byte;
    EXPECT_FAILS(
        trib_safetensors_read(reinterpret_cast<trib_safetensors *>(file.get()), &file->tensors[1], 0, &byte, 1),
        TRIB_INVALID_ARGUMENT, "tensor 'y': its data was released");
}

TEST(WeightsFile, OfAFileOnlyWhatIsWantedIsLoaded)
{
    support::TemporaryFolder folder;
    support::write_file(folder.file("f"), three);
    Weights file = open(folder.file("f"));
    ASSERT_TRUE(file);
    ASSERT_OK(trib_weights_load(file.get(), is_y, nullptr));
    EXPECT_EQ(data_of(*file, 0), "none");
    EXPECT_EQ(data_of(*file, 1), "yyyy");
    EXPECT_EQ(data_of(*file, 2), "none");
}

TEST(WeightsFile, APipeIsReadOnceAndToItsEnd)
{
    for (std::size_t filling : { 0, 5000 }) { // shorter and longer than what is peeked at
        std::string text = "{" + entry("x", "U8", "2", "0,2") + "," + entry("y", "U8", "4", "2,6") + "}";
        text += std::string(filling, ' ');
        files::Pipe pipe(raw(text, "xxyyyy"));
        Weights file = open(pipe.path);
        ASSERT_TRUE(file);
        ASSERT_OK(trib_weights_load(file.get(), is_y, nullptr));
        EXPECT_EQ(data_of(*file, 1), "yyyy");
    }
    files::Pipe pipe("GGUF and so on");
    trib_weights_file *none = nullptr;
    EXPECT_FAILS(trib_weights_open(pipe.path.c_str(), &none), TRIB_UNSUPPORTED, "pipe: is a GGUF file");
}

TEST(WeightsFile, MemoryIsAFile)
{
    trib_weights_file *opened = nullptr;
    ASSERT_OK(trib_weights_open_memory(three.data(), three.size(), "m", &opened));
    Weights file(opened);
    expect_header(*file);
    ASSERT_OK(trib_weights_load(file.get(), is_y, nullptr));
    EXPECT_EQ(data_of(*file, 1), "yyyy");
    EXPECT_NE(static_cast<const void *>(three.data()), file->tensors[1].data); // its own copy
    EXPECT_FAILS(open_bytes(""), TRIB_BAD_DATA, "m.bin: 0 bytes are too few for a model file");
}

TEST(WeightsFile, DamageBehindTheFirstBytesIsTheDriversToTell)
{
    EXPECT_FAILS(open_bytes(three.substr(0, 9)), TRIB_BAD_DATA, "m.bin: the header needs");
    EXPECT_FAILS(open_bytes(three.substr(0, three.size() - 1)), TRIB_BAD_DATA, "m.bin: tensor 'w'");
    EXPECT_FAILS(open_bytes(three.substr(0, 8)), TRIB_BAD_DATA, "m.bin: 8 bytes are too few");
    EXPECT_FAILS(open_bytes(std::string("\1\2\3\4\5\6\7\0\xFF", 9)), TRIB_BAD_DATA,
                 "m.bin: not a model file of a known format: it begins with the bytes 01 02 03 04 05 06 07 00 (as "
                 "protocol buffers: a field has the number 0);");
}

struct Foreign {
    const char *name;
    std::string bytes;
    const char *what, *instead;
    trib_code code = TRIB_UNSUPPORTED;
};
void PrintTo(const Foreign &foreign, std::ostream *out) { *out << foreign.name; }

class WeightsForeign : public testing::TestWithParam<Foreign>
{
};

TEST_P(WeightsForeign, IsToldByNameWithWhatToDo)
{
    trib_status s = open_bytes(GetParam().bytes);
    EXPECT_FAILS(s, GetParam().code, std::string("m.bin: is ") + GetParam().what);
    EXPECT_NE(std::string(s.message).find(GetParam().instead), std::string::npos) << s.message;
}

// If truncated, nothing is read beyond the end, whatever format it seems to be.
TEST_P(WeightsForeign, CutAnywhere)
{
    for (std::size_t size = 0; size < GetParam().bytes.size(); ++size) {
        trib_status s = open_bytes(GetParam().bytes.substr(0, size));
        ASSERT_TRUE(trib_failed(&s)) << size;
    }
}

std::vector<Foreign> foreign()
{
    return {
        { "lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer", "git lfs pull",
          TRIB_BAD_DATA },
        { "html", "<!DOCTYPE html><html>", "a web page", "download it again", TRIB_BAD_DATA },
        { "html_later", "\xEF\xBB\xBF \r\n\t<HTML lang=en>", "a web page", "download it again", TRIB_BAD_DATA },
        { "html_comment", "<!-- x --><!DOCTYPE html>", "a web page", "download it again", TRIB_BAD_DATA },
        { "xml_error", "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code>", "a web page", "download it again",
          TRIB_BAD_DATA },
        { "other_xml", "<?xml version=\"1.0\"?><net name=\"x\">", "a text file", "holds the weights", TRIB_BAD_DATA },
        { "gzip", std::string("\x1F\x8B\x08\0\0\0\0\0\0\3", 10), "packed with gzip", "gunzip" },
        { "zstd", "\x28\xB5\x2F\xFD and more", "packed with zstd", "unzstd" },
        { "xz", std::string("\xFD\x37zXZ\0\0\4 more", 13), "packed with xz", "unxz" },
        { "bzip2", "BZh91AY&SY", "packed with bzip2", "bunzip2" },
        { "hdf5", "\x89HDF\r\n\x1A\n and more", "an HDF5 file", "as safetensors" },
        { "pickle", std::string("\x80\x04\x95\0\0\0\0\0\0\0\0}", 12), "a Python pickle", "torch.save" },
        { "tflite", std::string("\x1C\0\0\0TFL3\0\0", 10), "a TensorFlow Lite model", "tf2onnx" },
        { "saved_model", "\x08\x01\x12\xF0\x9C\x06\x0A\x0A model", "a TensorFlow SavedModel", "tf2onnx" },
        { "graph", "\x0A\x17\x0A\x05input\x12\x0BPlaceholder*\x01 ", "a TensorFlow graph", "tf2onnx" },
        { "checkpoint_index", std::string("\0\0\x09\x08\x01\x1A\x02\x08\x01\0\0", 11), "a TensorFlow checkpoint",
          "tf2onnx" },
        { "checkpoint_v1", std::string("\0\0\xC9\x56\x0A\xC6\x56\x0A", 8) + "global", "a TensorFlow checkpoint",
          "tf2onnx" },
        { "gguf", "GGUF\3 and so on", "a GGUF file", "Inception network" },
        { "prototxt", "name: \"GoogleNet\"\nlayer {\n", "a text file", "holds the weights", TRIB_BAD_DATA },
        { "utf8_text", "Gewichte f\xC3\xBCr das Netz", "a text file", "holds the weights", TRIB_BAD_DATA },
    };
}
INSTANTIATE_TEST_SUITE_P(, WeightsForeign, testing::ValuesIn(foreign()),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
