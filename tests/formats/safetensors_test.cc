// SPDX-License-Identifier: Apache-2.0
// Files that are as they should be, and the writer.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "formats/files.h"

using files::entry;
using files::raw;

TEST(Safetensors, ReadsTensorsAndMetadata)
{
    const float values[] = { 1, 2, 3, 4, 5, 6 };
    std::string data(reinterpret_cast<const char *>(values), sizeof values);
    data += std::string("\x01\x02", 2);
    // Not in file order, not aligned, names in an order of their own.
    std::string bytes = raw("{" + entry("a.u8", "U8", "2", "24,26") + "," + entry("z", "F32", "2,3", "0,24") +
                                ",\"__metadata__\":{\"who\":\"me\",\"format\":\"pt\"}}   ",
                            data);
    auto file = files::parse(bytes);
    ASSERT_TRUE(file);
    ASSERT_EQ(trib_safetensors_count(file.get()), 2);
    const trib_tensor *t = trib_safetensors_tensors(file.get());
    EXPECT_STREQ(t[0].name, "z");
    EXPECT_STREQ(t[1].name, "a.u8");
    EXPECT_EQ(t[0].dtype, TRIB_F32);
    trib_shape shape = trib_shape_of(2, 2, 3, 0, 0);
    EXPECT_TRUE(trib_shape_equal(&t[0].shape, &shape));
    EXPECT_EQ(memcmp(t[0].data, values, sizeof values), 0);
    EXPECT_EQ(static_cast<const unsigned char *>(t[1].data)[1], 2);
    EXPECT_EQ(trib_safetensors_find(file.get(), "a.u8"), &t[1]);
    EXPECT_EQ(trib_safetensors_find(file.get(), "z"), &t[0]);
    EXPECT_EQ(trib_safetensors_find(file.get(), "y"), nullptr);
    ASSERT_EQ(trib_safetensors_metadata_count(file.get()), 2);
    EXPECT_STREQ(trib_safetensors_metadata(file.get())[0].key, "format");
    EXPECT_STREQ(trib_safetensors_metadata_get(file.get(), "who"), "me");
    EXPECT_EQ(trib_safetensors_metadata_get(file.get(), "what"), nullptr);
}

TEST(Safetensors, ReadsEveryDtype)
{
    auto file = files::parse(raw("{" + entry("a", "F32", "1", "0,4") + "," + entry("b", "F16", "1", "4,6") + "," +
                                     entry("c", "BF16", "1", "6,8") + "," + entry("d", "I64", "1", "8,16") + "," +
                                     entry("e", "U8", "1", "16,17") + "}",
                                 std::string(17, 'x')));
    ASSERT_TRUE(file);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(trib_safetensors_tensors(file.get())[i].dtype, i);
}

TEST(Safetensors, ReadsEmptyTensorsScalarsAndNothing)
{
    auto file = files::parse(raw("{" + entry("full", "F32", "", "0,4") + "," + entry("none", "F32", "3,0,2", "0,0") +
                                     "," + entry("after", "U8", "0", "4,4") + "}",
                                 "1234"));
    ASSERT_TRUE(file);
    const trib_tensor *t = trib_safetensors_tensors(file.get());
    EXPECT_STREQ(t[0].name, "none");
    EXPECT_STREQ(t[1].name, "full");
    EXPECT_EQ(t[1].shape.rank, 0);
    EXPECT_STREQ(t[2].name, "after");
    auto nothing = files::parse(raw("{}", ""));
    ASSERT_TRUE(nothing);
    EXPECT_EQ(trib_safetensors_count(nothing.get()), 0);
    EXPECT_EQ(trib_safetensors_find(nothing.get(), "a"), nullptr);
    EXPECT_EQ(trib_safetensors_metadata_get(nothing.get(), "a"), nullptr);
}

TEST(Safetensors, ReadsEscapesAndUtf8)
{
    auto file = files::parse(raw("{" + entry("caf\\u00e9/\\\"q\\\"", "U8", "1", "0,1") +
                                     ",\"__metadata__\":{\"text\":\"line\\nline \xF0\x9F\x91\x9F \\ud83d\\udc5f\"}}",
                                 "x"));
    ASSERT_TRUE(file);
    EXPECT_NE(trib_safetensors_find(file.get(), "caf\xC3\xA9/\"q\""), nullptr);
    EXPECT_STREQ(trib_safetensors_metadata_get(file.get(), "text"), "line\nline \xF0\x9F\x91\x9F \xF0\x9F\x91\x9F");
}

TEST(Safetensors, ReadsPyTorchsFiles)
{
    auto file = files::open(support::data_file("infer-bvlc-seed1-n1-96.safetensors"));
    ASSERT_TRUE(file);
    EXPECT_EQ(trib_safetensors_count(file.get()), 12);
    EXPECT_STREQ(trib_safetensors_metadata_get(file.get(), "layout"), "NCHW");
    EXPECT_NE(trib_safetensors_find(file.get(), "trace/inception_3a/output"), nullptr);
}

TEST(Safetensors, ReadsFromManyThreadsAtOnce)
{
    std::string path = support::data_file("train-bvlc-seed1-n2-224.safetensors");
    std::vector<std::thread> threads;
    int counts[4] = {};
    for (int &count : counts)
        threads.emplace_back([&path, &count] {
            for (int i = 0; i < 5; ++i) {
                trib_safetensors *file = nullptr;
                trib_status s = trib_safetensors_open(path.c_str(), &file);
                if (!trib_failed(&s)) count += trib_safetensors_count(file);
                trib_safetensors_close(file);
            }
        });
    for (auto &thread : threads) thread.join();
    for (int count : counts) EXPECT_EQ(count, 5 * 517);
}

// ---- writer ----

namespace
{

struct Example {
    float weights[6] = { 1, -2, 3.5f, 0, 1e-20f, -1e20f };
    std::uint8_t bytes[3] = { 7, 8, 9 };
    std::int64_t number = -5;
    std::vector<trib_tensor> tensors = {
        { "layer/\"a\".weight", TRIB_F32, trib_shape_of(2, 2, 3, 0, 0), weights },
        { "empty", TRIB_BF16, trib_shape_of(1, 0, 0, 0, 0), nullptr },
        { "b\\\xC3\xA9", TRIB_U8, trib_shape_of(1, 3, 0, 0, 0), bytes },
        { "steps", TRIB_I64, trib_shape_of(0, 0, 0, 0, 0), &number },
    };
    std::vector<trib_key_value> metadata = { { "z", "tab\tnewline\nbell\a" }, { "a", "{\"x\":[1]}" } };

    trib_status write(const std::string &path) const
    {
        return trib_safetensors_write(path.c_str(), tensors.data(), int(tensors.size()), metadata.data(),
                                      int(metadata.size()));
    }
};

std::size_t files_in(const support::TemporaryFolder &folder)
{
    auto all = std::filesystem::directory_iterator(folder.path());
    return std::size_t(std::distance(begin(all), end(all)));
}

} // namespace

TEST(SafetensorsWrite, RoundTrip)
{
    support::TemporaryFolder folder;
    Example example;
    ASSERT_OK(example.write(folder.file("out.safetensors")));
    auto file = files::open(folder.file("out.safetensors"));
    ASSERT_TRUE(file);
    ASSERT_EQ(trib_safetensors_count(file.get()), 4);
    for (int i = 0; i < 4; ++i) {
        const trib_tensor &wanted = example.tensors[std::size_t(i)], &got = trib_safetensors_tensors(file.get())[i];
        std::int64_t count = 0;
        EXPECT_STREQ(got.name, wanted.name);
        EXPECT_EQ(got.dtype, wanted.dtype);
        EXPECT_TRUE(trib_shape_equal(&got.shape, &wanted.shape));
        ASSERT_OK(trib_shape_count(&got.shape, &count));
        std::size_t bytes = std::size_t(count) * trib_dtype_size(got.dtype);
        EXPECT_TRUE(bytes == 0 || memcmp(got.data, wanted.data, bytes) == 0) << got.name;
    }
    for (auto &pair : example.metadata) EXPECT_STREQ(trib_safetensors_metadata_get(file.get(), pair.key), pair.value);
    EXPECT_EQ(files_in(folder), 1u);
}

TEST(SafetensorsWrite, SameBytesEveryTimeAndDataAligned)
{
    support::TemporaryFolder folder;
    Example example;
    ASSERT_OK(example.write(folder.file("a")));
    ASSERT_OK(example.write(folder.file("b")));
    std::string a = support::read_file(folder.file("a"));
    EXPECT_EQ(a, support::read_file(folder.file("b")));
    std::uint64_t length = 0;
    memcpy(&length, a.data(), 8);
    EXPECT_EQ(length % 8, 0u);
    EXPECT_EQ(a.size(), 8 + length + 24 + 3 + 8);
    EXPECT_EQ(a.substr(8, 2), "{\"");
    EXPECT_EQ(memcmp(a.data() + 8 + length, example.weights, 24), 0);
}

TEST(SafetensorsWrite, NothingAtAllIsAValidFile)
{
    support::TemporaryFolder folder;
    ASSERT_OK(trib_safetensors_write(folder.file("out").c_str(), nullptr, 0, nullptr, 0));
    auto file = files::open(folder.file("out"));
    ASSERT_TRUE(file);
    EXPECT_EQ(trib_safetensors_count(file.get()), 0);
}

TEST(SafetensorsWrite, ReplacesFollowsLinksAndKeepsTheUsersMask)
{
    support::TemporaryFolder folder;
    support::write_file(folder.file("real"), "old content");
    std::filesystem::create_symlink("real", folder.file("link"));
    mode_t old = umask(027);
    trib_status s = Example().write(folder.file("link"));
    umask(old);
    ASSERT_OK(s);
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
    EXPECT_TRUE(files::open(folder.file("real")));
    struct stat info;
    ASSERT_EQ(stat(folder.file("real").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0640u);
    EXPECT_EQ(files_in(folder), 2u);
}

TEST(SafetensorsWrite, RefusesWhatCouldNotBeRead)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("out");
    auto with = [&](auto change) {
        Example example;
        change(example);
        return example.write(path);
    };
    auto refuse = [&](const char *text, auto change) { EXPECT_FAILS(with(change), TRIB_INVALID_ARGUMENT, text); };
    refuse("'empty' appears twice", [](Example &e) { e.tensors[0].name = "empty"; });
    refuse("not UTF-8", [](Example &e) { e.tensors[0].name = "\xFF"; });
    refuse("name has control characters", [](Example &e) { e.tensors[0].name = "a\nb"; });
    refuse("has no name", [](Example &e) { e.tensors[0].name = nullptr; });
    refuse("unknown element type", [](Example &e) { e.tensors[0].dtype = trib_dtype(17); });
    refuse("has no data", [](Example &e) { e.tensors[0].data = nullptr; });
    refuse("is too large", [](Example &e) { e.tensors[0].shape.dim[0] = std::int64_t(1) << 55; });
    refuse("'__metadata__' appears twice", [](Example &e) { e.tensors[0].name = "__metadata__"; });
    refuse("'z' appears twice", [](Example &e) { e.metadata[1].key = "z"; });
    refuse("NULL or negative", [](Example &e) { e.metadata[0].value = nullptr; });
    EXPECT_FAILS(with([](Example &e) { e.tensors[0].shape.dim[0] = -1; }), TRIB_INVALID_ARGUMENT, "negative extent");
    EXPECT_FAILS(with([](Example &e) { e.tensors[0].shape.rank = 99; }), TRIB_INVALID_ARGUMENT, "rank 99");
    EXPECT_FAILS(trib_safetensors_write(path.c_str(), nullptr, 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_EQ(files_in(folder), 0u);
}

TEST(SafetensorsWrite, RefusesAHeaderThatNoReaderTakes)
{
    support::TemporaryFolder folder;
    const std::string value((100 << 20), 'x');
    const trib_key_value metadata = { "key", value.c_str() };
    EXPECT_FAILS(trib_safetensors_write(folder.file("out").c_str(), nullptr, 0, &metadata, 1), TRIB_INVALID_ARGUMENT,
                 "out: cannot be written: the header would be over the format's limit of 100 MB");
    EXPECT_EQ(files_in(folder), 0u);
}

TEST(SafetensorsWrite, RefusesPlacesThatAreNotFiles)
{
    support::TemporaryFolder folder;
    EXPECT_FAILS(Example().write(folder.path()), TRIB_INVALID_ARGUMENT, "not a regular file");
    EXPECT_FAILS(Example().write("/dev/null"), TRIB_INVALID_ARGUMENT, "not a regular file");
    EXPECT_FAILS(Example().write(folder.file("no/such/folder")), TRIB_NOT_FOUND, "No such file");
    EXPECT_EQ(files_in(folder), 0u);
}

// A limit on file sizes stands in for a disk that is full: a real write that really fails.
TEST(SafetensorsWrite, DiskThatFillsUpLeavesTheOldFile)
{
    support::TemporaryFolder folder;
    support::write_file(folder.file("out"), "old content");
    std::vector<float> large(1 << 16);
    trib_tensor tensor = { "large", TRIB_F32, trib_shape_of(1, 1 << 16, 0, 0, 0), large.data() };
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = { 4096, before.rlim_max };
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    trib_status s = trib_safetensors_write(folder.file("out").c_str(), &tensor, 1, nullptr, 0);
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_FAILS(s, TRIB_IO_ERROR, "out: cannot write: File too large");
    EXPECT_EQ(support::read_file(folder.file("out")), "old content");
    EXPECT_EQ(files_in(folder), 1u);
}
