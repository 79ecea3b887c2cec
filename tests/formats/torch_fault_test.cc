// SPDX-License-Identifier: Apache-2.0
// Reading files of torch.save: every allocation and every call to the system fails once, in turn.
#include "formats/fail_each.h"
#include "formats/files.h"
#include "formats/pipe.h"
#include "formats/torch_files.h"
#include "formats/weights_file.h"

using files::fail_each;

namespace
{

class TorchFault : public testing::TestWithParam<bool>
{
};
INSTANTIATE_TEST_SUITE_P(, TorchFault, testing::Bool(),
                         [](const auto &info) { return info.param ? "FromThenOn" : "Once"; });

// Opens a file, loads it and closes it.
trib_status read(const std::string &path)
{
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open(path.c_str(), &file);
    EXPECT_EQ(file == nullptr, trib_failed(&s));
    if (!trib_failed(&s)) s = trib_weights_load(file, nullptr, nullptr);
    trib_weights_close(file);
    EXPECT_NE(std::string(s.message).find(trib_failed(&s) ? path : ""), std::string::npos) << s.message;
    return s;
}

// A tensor that is put in order and narrowed, in a tree of modules.
std::string whole_model()
{
    torch::Tensor wide;
    wide.type = "DoubleStorage";
    wide.sizes = torch::numbers({ 2, 2 });
    wide.strides = torch::numbers({ 1, 2 });
    const auto module = [&](const std::string &below) {
        return torch::name("my", "Net") + ")\x81" +
               torch::dict({ torch::text("_parameters"), torch::dict({ torch::text("w"), wide }),
                             torch::text("_modules"), below }) +
               "b";
    };
    return torch::pickle(module(torch::dict({ torch::text("a"), module("}") })));
}

std::string before_16()
{
    torch::Tensor t;
    t.more = "N";
    return torch::legacy(torch::state(t), "](" + torch::text("0") + "e", torch::little(4, 8) + std::string(16, '\0'));
}

TEST_P(TorchFault, Files)
{
    support::TemporaryFolder folder;
    const std::string bytes[] = { torch::zip(whole_model(), std::string(32, '\0')), before_16(),
                                  torch::Tar {}(std::string(16, '\0')) };
    for (const std::string &b : bytes) {
        support::write_file(folder.file("f"), b);
        EXPECT_GE(fail_each([&](int) { return read(folder.file("f")); }, GetParam()), 20);
    }
}

TEST_P(TorchFault, Pipe)
{
    const std::string bytes = torch::zip(torch::state(torch::Tensor {}));
    const int faults = fail_each(
        [&](int k) {
            trib_fault_arm(0, false);
            files::Pipe pipe(bytes);
            trib_fault_arm(k, GetParam());
            return read(pipe.path);
        },
        GetParam());
    EXPECT_GE(faults, 20);
}

TEST_P(TorchFault, ANetwork)
{
    const std::string path = support::data_file("torch/strided.pth");
    trib_fault_arm(0, false);
    ASSERT_OK(read(path));
    const std::int64_t total = trib_fault_disarm();
    ASSERT_GT(total, 300);
    for (std::int64_t k = 1; k <= total; k += k < 50 || k > total - 50 ? 1 : 97) {
        trib_fault_arm(k, GetParam());
        const trib_status s = read(path);
        trib_fault_disarm();
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR)
            << "operation " << k << ": " << trib_code_name(s.code) << ": " << s.message;
    }
}

} // namespace
