// SPDX-License-Identifier: Apache-2.0
// Every allocation and every call to the system fails once, in turn. The address sanitizer looks for leaks.
#include <algorithm>
#include <filesystem>

#include "formats/fail_each.h"
#include "formats/files.h"
#include "formats/pipe.h"
#include "formats/weights_file.h"
#include "tributary/internal/fault.h"

using files::fail_each;

namespace
{

class SafetensorsFault : public testing::TestWithParam<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, SafetensorsFault, testing::Bool(),
                         [](const auto &info) { return info.param ? "FromThenOn" : "Once"; });

TEST_P(SafetensorsFault, Open)
{
    const std::string path = support::data_file("infer-torchvision-seed1-n2-224.safetensors");
    int faults = fail_each(
        [&](int) {
            trib_safetensors *file = nullptr;
            trib_status s = trib_safetensors_open(path.c_str(), &file);
            EXPECT_EQ(file == nullptr, trib_failed(&s));
            trib_safetensors_close(file);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 20); // open, stat, read, and memory for the file, the JSON, the lists and the data
}

TEST_P(SafetensorsFault, ReadPieces)
{
    const std::string path = support::data_file("infer-torchvision-seed1-n2-224.safetensors");
    int faults = fail_each(
        [&](int) {
            trib_safetensors *opened = nullptr;
            trib_status s = trib_safetensors_open_header(path.c_str(), &opened);
            files::File file(opened);
            const int count = trib_failed(&s) ? 0 : trib_safetensors_count(opened);
            char byte;
            for (int i = count; i-- > 0 && !trib_failed(&s);)
                s = trib_safetensors_read(opened, &trib_safetensors_tensors(opened)[i], 0, &byte, 1);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 20 + 2 * 3); // also seek and read of each tensor
}

TEST_P(SafetensorsFault, OpenPipe)
{
    const std::string bytes = files::raw("{" + files::entry("a", "U8", "3000000", "0,3000000") + "}",
                                         std::string(3000000, 'x')); // grows twice
    int faults = fail_each(
        [&](int k) {
            trib_fault_arm(0, false);
            files::Pipe pipe(bytes);
            trib_fault_arm(k, GetParam());
            trib_safetensors *file = nullptr;
            trib_status s = trib_safetensors_open(pipe.path.c_str(), &file);
            trib_safetensors_close(file);
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 20);
}

// As models are read: the driver is found, names and shapes are known, the data comes.
TEST_P(SafetensorsFault, AsAFileOfWeights)
{
    const std::string path = support::data_file("infer-torchvision-seed1-n2-224.safetensors");
    const std::string bytes = support::read_file(path);
    for (bool memory : { false, true }) {
        int faults = fail_each(
            [&](int) {
                trib_weights_file *file = nullptr;
                trib_status s = memory ? trib_weights_open_memory(bytes.data(), bytes.size(), "memory", &file)
                                       : trib_weights_open(path.c_str(), &file);
                EXPECT_EQ(file == nullptr, trib_failed(&s));
                if (!trib_failed(&s)) s = trib_weights_load(file, nullptr, nullptr);
                trib_weights_close(file);
                EXPECT_NE(std::string(s.message).find(trib_failed(&s) ? memory ? "memory" : path : ""),
                          std::string::npos)
                    << s.message;
                return s;
            },
            GetParam());
        EXPECT_GE(faults, memory ? 16 : 20);
    }
}

TEST_P(SafetensorsFault, WriteLeavesTheOldFileOrTheNew)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("out.safetensors");
    const float values[] = { 1, 2, 3, 4 };
    const trib_tensor tensors[] = { { "a", TRIB_F32, trib_shape_of(1, 4, 0, 0, 0), values },
                                    { "b", TRIB_F32, trib_shape_of(1, 2, 0, 0, 0), values } };
    const trib_key_value metadata = { "key", "value" };
    bool exists = false; // alternately there is an old file, or none
    int faults = fail_each(
        [&](int k) {
            exists = k % 2;
            trib_fault_arm(0, false);
            if (exists)
                support::write_file(path, "old");
            else
                std::filesystem::remove(path);
            trib_fault_arm(k, GetParam());
            trib_status s = trib_safetensors_write(path.c_str(), tensors, 2, &metadata, 1);
            if (trib_failed(&s)) {
                EXPECT_EQ(std::filesystem::exists(path), exists) << "operation " << k;
                if (exists) {
                    EXPECT_EQ(support::read_file(path), "old") << "operation " << k;
                }
                auto all = std::filesystem::directory_iterator(folder.path());
                EXPECT_EQ(std::distance(begin(all), end(all)), exists ? 1 : 0) << "operation " << k;
            }
            return s;
        },
        GetParam());
    EXPECT_GE(faults, 25); // memory, stat, open, write x 3, fsync, close, rename
    EXPECT_TRUE(files::open(path));
}

TEST_P(SafetensorsFault, ModelLoad)
{
    support::TemporaryFolder folder;
    const std::string path = support::model_file("googlenet-fashion-64.safetensors");
    auto load = [&](int) {
        files::Model model;
        return files::load(path, model);
    };
    // Some 8,000 operations, most of them the same allocation of one JSON value: every one of the first and last few
    // hundred, and a sample of the rest.
    trib_fault_arm(0, false);
    ASSERT_OK(load(0));
    const std::int64_t total = trib_fault_disarm();
    ASSERT_GT(total, 1000);
    for (std::int64_t k = 1; k <= total; k += k < 200 || k > total - 400 ? 1 : 37) {
        trib_fault_arm(k, GetParam());
        trib_status s = load(0);
        trib_fault_disarm();
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR)
            << "operation " << k << ": " << trib_code_name(s.code) << ": " << s.message;
    }
}

} // namespace
