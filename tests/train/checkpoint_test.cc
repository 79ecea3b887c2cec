// SPDX-License-Identifier: Apache-2.0
// What a checkpoint holds, and what is refused as one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/heap.h"
#include "train/checkpoints.h"
#include "train/crc32c.h"

using checkpoints::State;

TEST(Crc32c, PublishedValues) // RFC 3720, B.4
{
    EXPECT_EQ(trib_crc32c(0, "123456789", 9), 0xE3069283u);
    EXPECT_EQ(trib_crc32c(0, std::string(32, '\0').data(), 32), 0x8A9136AAu);
    EXPECT_EQ(trib_crc32c(0, std::string(32, '\xFF').data(), 32), 0x62A8AB43u);
    EXPECT_EQ(trib_crc32c(0, nullptr, 0), 0u);
}

TEST(Crc32c, InPiecesOfAnyLengthIsTheSame)
{
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += char(i * 77 + 5);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        EXPECT_EQ(trib_crc32c(trib_crc32c(0, bytes.data(), cut), bytes.data() + cut, bytes.size() - cut),
                  trib_crc32c(0, bytes.data(), bytes.size()));
}

TEST(Checkpoint, HoldsWhatWasWritten)
{
    support::TemporaryFolder folder;
    State state(7);
    ASSERT_OK(state.write(folder.file("a")));
    state.expect_in(checkpoints::opened(folder.file("a")).get());
}

TEST(Checkpoint, IsAFileOfSafetensorsWithAlignedData)
{
    support::TemporaryFolder folder;
    State state(7);
    ASSERT_OK(state.write(folder.file("a")));
    trib_safetensors *file = nullptr;
    ASSERT_OK(trib_safetensors_open(folder.file("a").c_str(), &file));
    ASSERT_EQ(trib_safetensors_count(file), int(state.tensors.size()));
    const char *first = static_cast<const char *>(trib_safetensors_tensors(file)[0].data);
    for (int i = 0; i < trib_safetensors_count(file); ++i) {
        const trib_tensor &tensor = trib_safetensors_tensors(file)[i];
        auto at = std::size_t(static_cast<const char *>(tensor.data) - first);
        EXPECT_EQ(at % trib_dtype_size(tensor.dtype), 0u) << tensor.name;
    }
    trib_safetensors_close(file);
}

TEST(Checkpoint, WithoutTensorsOrTexts)
{
    support::TemporaryFolder folder;
    ASSERT_OK(trib_checkpoint_write(folder.file("a").c_str(), nullptr, 0, nullptr, 0));
    auto c = checkpoints::opened(folder.file("a"));
    EXPECT_EQ(trib_checkpoint_count(c.get()), 0);
    EXPECT_EQ(trib_checkpoint_find(c.get(), "x"), nullptr);
    EXPECT_EQ(trib_checkpoint_metadata(c.get(), "x"), nullptr);
}

TEST(Checkpoint, HeaderAloneHasNamesAndTextsWithoutData)
{
    support::TemporaryFolder folder;
    ASSERT_OK(State(7).write(folder.file("a")));
    trib_checkpoint *c = nullptr;
    ASSERT_OK(trib_checkpoint_open_header(folder.file("a").c_str(), &c));
    EXPECT_EQ(checkpoints::step_of(c), "7");
    ASSERT_TRUE(trib_checkpoint_find(c, "training/scale"));
    EXPECT_EQ(trib_checkpoint_find(c, "training/scale")->data, nullptr);
    trib_checkpoint_close(c);
}

TEST(Checkpoint, SameContentSameBytes)
{
    support::TemporaryFolder folder;
    ASSERT_OK(State(7).write(folder.file("a")));
    ASSERT_OK(State(7).write(folder.file("b")));
    EXPECT_EQ(support::read_file(folder.file("a")), support::read_file(folder.file("b")));
}

TEST(Checkpoint, PermissionsAreThoseOfTheUmask)
{
    support::TemporaryFolder folder;
    struct stat info = {};
    for (mode_t mask : { mode_t(022), mode_t(077), mode_t(002) }) {
        const mode_t before = umask(mask);
        EXPECT_OK(State(1).write(folder.file("a")));
        umask(before);
        ASSERT_EQ(stat(folder.file("a").c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
    }
}

// ---- what is refused ----

TEST(CheckpointDamage, EveryFlippedBitIsFoundWithItsSection)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    ASSERT_OK(State(7).write(path));
    const std::string good = support::read_file(path);
    const std::size_t header = 8 + (unsigned char)good[0] + 256u * (unsigned char)good[1];
    const int file = ::open(path.c_str(), O_RDWR);
    for (std::size_t bit = 0; bit < 8 * good.size() && !testing::Test::HasFailure(); ++bit) {
        if (bit % 8 == 0 && bit) {
            ASSERT_EQ(pwrite(file, &good[bit / 8 - 1], 1, off_t(bit / 8 - 1)), 1);
        }
        const char bad = char(good[bit / 8] ^ 1 << bit % 8);
        ASSERT_EQ(pwrite(file, &bad, 1, off_t(bit / 8)), 1);
        checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
        SCOPED_TRACE("bit " + std::to_string(bit));
        EXPECT_FAILS(checkpoints::open(path, c), TRIB_BAD_DATA,
                     bit / 8 < header ? path + ": header (bytes 0 to " : path + ": section '");
    }
    close(file);
}

TEST(CheckpointDamage, TheSectionAndItsBytesAreNamed)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    ASSERT_OK(State(7).write(path));
    std::string bad = support::read_file(path);
    const std::size_t last = bad.size() - 5; // the bytes of "training/mask"
    bad[last] = char(bad[last] ^ 4);
    support::write_file(path, bad);
    checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
    EXPECT_FAILS(checkpoints::open(path, c), TRIB_BAD_DATA,
                 "section 'training/mask' (bytes " + std::to_string(last) + " to " + std::to_string(last + 4) +
                     "): is damaged: its checksum is ");
}

TEST(CheckpointDamage, EveryTruncationIsFound)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    ASSERT_OK(State(7).write(path));
    const std::string good = support::read_file(path);
    for (std::size_t size = good.size(); size-- > 0;) {
        std::filesystem::resize_file(path, size);
        checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
        SCOPED_TRACE("truncated to " + std::to_string(size));
        EXPECT_FAILS(checkpoints::open(path, c), TRIB_BAD_DATA, size ? "truncated" : "is empty");
    }
    support::write_file(path, good + '\0');
    checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
    EXPECT_FAILS(checkpoints::open(path, c), TRIB_BAD_DATA, "belong to no tensor");
}

TEST(CheckpointDamage, SwappedTensorsAreFound)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    const std::int64_t values[] = { 1, 2 };
    const trib_tensor tensors[] = { { "a", TRIB_I64, {}, values }, { "b", TRIB_I64, {}, values + 1 } };
    ASSERT_OK(trib_checkpoint_write(path.c_str(), tensors, 2, nullptr, 0));
    std::string bytes = support::read_file(path);
    bytes = bytes.substr(0, bytes.size() - 16) + bytes.substr(bytes.size() - 8) + bytes.substr(bytes.size() - 16, 8);
    support::write_file(path, bytes);
    checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
    EXPECT_FAILS(checkpoints::open(path, c), TRIB_BAD_DATA, "section 'a'");
}

TEST(CheckpointDamage, OtherFilesAreNoCheckpoints)
{
    support::TemporaryFolder folder;
    checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
    EXPECT_FAILS(checkpoints::open(support::model_file("googlenet-fashion-64.safetensors"), c), TRIB_BAD_DATA,
                 "does not begin like that of a checkpoint");
    support::write_file(folder.file("text"), "Once upon a time there was a text of some length.");
    EXPECT_FAILS(checkpoints::open(folder.file("text"), c), TRIB_BAD_DATA, "is no checkpoint");
    EXPECT_FAILS(checkpoints::open(folder.file("none"), c), TRIB_NOT_FOUND, "none");
    EXPECT_FAILS(checkpoints::open(folder.path(), c), TRIB_INVALID_ARGUMENT, "folder");
    ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0666), 0);
    EXPECT_FAILS(checkpoints::open(folder.file("pipe"), c), TRIB_INVALID_ARGUMENT, "a checkpoint is a file");
    EXPECT_FAILS(trib_checkpoint_open(nullptr, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
}

// Changes a header's text, not its length, and gives it the checksum that it then has.
static std::string forged(std::string bytes, const std::string &from, const std::string &to)
{
    const std::size_t header = 8 + (unsigned char)bytes[0] + 256u * (unsigned char)bytes[1];
    const std::size_t digits = bytes.find("\"1 ") + 3;
    EXPECT_NE(bytes.find(from), std::string::npos);
    bytes.replace(bytes.find(from), from.size(), to);
    bytes.replace(digits, 8, "00000000");
    char sum[9];
    snprintf(sum, sizeof sum, "%08x", trib_crc32c(0, bytes.data(), header));
    return bytes.replace(digits, 8, sum);
}

TEST(CheckpointDamage, ALaterVersionSaysSo)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    ASSERT_OK(State(7).write(path));
    support::write_file(path, forged(support::read_file(path), "\"1 ", "\"2 "));
    checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
    EXPECT_FAILS(checkpoints::open(path, c), TRIB_UNSUPPORTED, "version 2");
}

TEST(CheckpointDamage, SizesThatAreNotThereTakeNoMemory)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    const std::vector<std::uint64_t> values(1000);
    const trib_tensor tensor = { "x", TRIB_U64, trib_shape_of(1, 1000, 0, 0, 0), values.data() };
    ASSERT_OK(trib_checkpoint_write(path.c_str(), &tensor, 1, nullptr, 0));
    const std::string good = support::read_file(path);
    std::string long_header = good;
    long_header[3] = 5; // 80 MB
    const std::string many = forged(forged(good, "[1000]", "[1e14]"), "[0,8000]", "[0,8e14]");
    const std::string large = forged(forged(good, "[1000]", "[1249]"), "[0,8000]", "[0,9992]");
    for (const std::string &bad : { long_header, many, large }) {
        support::write_file(path, bad);
        checkpoints::Checkpoint c(nullptr, trib_checkpoint_close);
        support::Heap heap;
        trib_status s = checkpoints::open(path, c);
        EXPECT_LT(heap.peak(), 100000);
        EXPECT_EQ(s.code, TRIB_BAD_DATA) << s.message;
    }
}

TEST(CheckpointArguments, WhatCouldNotBeReadIsNotWritten)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("a");
    const std::int64_t value = 1;
    const trib_tensor good = { "a", TRIB_I64, {}, &value }, twice[] = { good, good };
    const trib_tensor unnamed = { nullptr, TRIB_I64, {}, &value }, empty = { "a", TRIB_I64, {}, nullptr };
    const trib_tensor odd = { "a", TRIB_DTYPE_COUNT, {}, &value };
    const trib_key_value own = { "tributary.checkpoint.data", "" }, none = { nullptr, "" };
    auto write = [&](const trib_tensor *t, int n, const trib_key_value *m, int k) {
        return trib_checkpoint_write(path.c_str(), t, n, m, k);
    };
    EXPECT_FAILS(write(twice, 2, nullptr, 0), TRIB_INVALID_ARGUMENT, "appears twice");
    EXPECT_FAILS(write(&unnamed, 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "no name");
    EXPECT_FAILS(write(&empty, 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "no data");
    EXPECT_FAILS(write(&odd, 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "element type");
    EXPECT_FAILS(write(&good, 1, &own, 1), TRIB_INVALID_ARGUMENT, "the format's own");
    EXPECT_FAILS(write(&good, 1, &none, 1), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(write(nullptr, 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_checkpoint_write(nullptr, &good, 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}
