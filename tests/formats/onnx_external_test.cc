// SPDX-License-Identifier: Apache-2.0
// ONNX models whose values lie in other files, and every call that fails once.
#include <unistd.h>

#include <filesystem>

#include "formats/onnx_model.h"
#include "formats/weights_file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

using namespace onnx;

namespace
{

struct External {
    Graph graph;
    support::TemporaryFolder folder;
    files::Model model;

    External()
    {
        support::write_file(folder.file("w.bin"),
                            std::string(16, '\xFF') +
                                wire::floats(values_of(graph.tensor(std::string(tampered) + ".weight"))));
    }
    trib_status load(const std::string &location, const std::string &offset = "16", const std::string &length = "1024")
    {
        const std::string name = std::string(tampered) + ".weight";
        graph.initialisers[name] =
            initialiser(name, external({ { "location", location }, { "offset", offset }, { "length", length } }));
        return graph.load(model, raw_form, folder.path());
    }
};

TEST(OnnxExternal, IsReadBesideTheModel)
{
    External e;
    ASSERT_OK(e.load("w.bin"));
    e.graph.expect_weights(e.model.get());
    ASSERT_EQ(::rename(e.folder.file("w.bin").c_str(), (e.folder.path() + "/v.bin").c_str()), 0);
    EXPECT_FAILS(e.load("w.bin"), TRIB_NOT_FOUND, "5x5_reduce.weight: w.bin: cannot read external data");
}

TEST(OnnxExternal, StaysBelowTheFolderAndFollowsNoLinks)
{
    External e;
    support::TemporaryFolder outside;
    support::write_file(outside.file("w.bin"), support::read_file(e.folder.file("w.bin")));
    ASSERT_EQ(::symlink(outside.file("w.bin").c_str(), e.folder.file("link").c_str()), 0);
    ASSERT_EQ(::symlink(outside.path().c_str(), e.folder.file("folder").c_str()), 0);
    const char odd[] = "an empty part, '.' or '..'", absolute[] = "relative to the model's folder",
               control[] = "control characters";
    const struct {
        std::string location;
        const char *why;
    } refused[] = { { "../w.bin", odd },
                    { "a/../w.bin", odd },
                    { "./w.bin", odd },
                    { "a//w.bin", odd },
                    { "w.bin/", odd },
                    { "..", odd },
                    { "/etc/passwd", absolute },
                    { "a\\b", absolute },
                    { "w\x1b.bin", control },
                    { { "w.bin\0x", 7 }, control },
                    { "", "the file has no name" } };
    for (const auto &[location, why] : refused)
        for (const char *length : { "1024", "4" }) { // where both are wrong, the name is what is told
            trib_status s = e.load(location, "16", length);
            EXPECT_FAILS(s, TRIB_BAD_DATA, why);
            EXPECT_NE(std::string(s.message).find("5x5_reduce.weight: external data in '"), std::string::npos)
                << s.message;
        }
    EXPECT_FAILS(e.load("link"), TRIB_BAD_DATA, "a link is in the way");
    std::filesystem::create_directory(e.folder.file("own"));
    EXPECT_FAILS(e.load("own"), TRIB_BAD_DATA, "it is not a regular file");
    support::write_file(e.folder.file("own/w.bin"), support::read_file(e.folder.file("w.bin")));
    EXPECT_OK(e.load("own/w.bin"));
    EXPECT_FAILS(e.load("folder/w.bin"), TRIB_BAD_DATA, "a link or a file where a folder is needed");
    EXPECT_FAILS(e.load("w.bin", "17"), TRIB_BAD_DATA, "1024 bytes from byte 17 on are not in its 1040");
    EXPECT_FAILS(e.load("w.bin", "18446744073709551000"), TRIB_BAD_DATA, "are not in its 1040");
    ASSERT_EQ(::link(e.folder.file("w.bin").c_str(), e.folder.file("second").c_str()), 0);
    EXPECT_FAILS(e.load("w.bin"), TRIB_BAD_DATA, "a second name (a hard link)");
    support::TemporaryFolder empty;
    EXPECT_FAILS(e.load("/dev/zero"), TRIB_BAD_DATA, "relative to the model's folder");
}

TEST(OnnxExternal, NeedsAFolder)
{
    External e;
    ASSERT_OK(e.load("w.bin"));
    const std::string bytes = e.graph.file();
    trib_weights_file *file = nullptr;
    EXPECT_FAILS(trib_weights_open_memory(bytes.data(), bytes.size(), "m", &file), TRIB_UNSUPPORTED,
                 "a model from a pipe or from memory has no folder");
}

// ---- failing calls ----

TEST(OnnxFault, EveryCallFailsOnce)
{
    External e;
    ASSERT_OK(e.load("w.bin"));
    const std::string path = e.folder.file("m.onnx");
    int k = 1;
    for (;; k += k < 60 ? 1 : 5) {
        trib_fault_arm(k, false);
        trib_model *model = nullptr;
        trib_status s = trib_model_load(path.c_str(), nullptr, &model);
        const bool reached = trib_fault_disarm() >= k;
        EXPECT_EQ(model == nullptr, trib_failed(&s)) << k;
        trib_model_destroy(model);
        if (!reached) break;
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
    }
    EXPECT_GT(k, 200);
}

TEST(OnnxFault, EveryCallOfExternalDataFailsOnce)
{
    External e;
    std::filesystem::create_directory(e.folder.file("own"));
    support::write_file(e.folder.file("own/w.bin"), support::read_file(e.folder.file("w.bin")));
    const std::string message = external({ { "location", "own/w.bin" }, { "offset", "16" } });
    trib_onnx_tensor tensor;
    ASSERT_OK(trib_onnx_read_tensor(trib_pb_of(message.data(), message.size()), &tensor));
    int k = 1;
    for (;; ++k) {
        const void *values = nullptr;
        void *owned = nullptr;
        trib_fault_arm(k, false);
        trib_status s = trib_onnx_take(&tensor, e.folder.path().c_str(), &values, &owned);
        const bool reached = trib_fault_disarm() >= k;
        if (!reached) {
            ASSERT_OK(s);
            const std::vector<float> wanted = values_of(e.graph.tensor(std::string(tampered) + ".weight"));
            EXPECT_EQ(std::memcmp(values, wanted.data(), 1024), 0);
            trib_onnx_tensor small = tensor;
            EXPECT_EQ(::truncate(e.folder.file("own/w.bin").c_str(), 100), 0);
            void *none = nullptr;
            EXPECT_FAILS(trib_onnx_take(&small, e.folder.path().c_str(), &values, &none), TRIB_BAD_DATA,
                         "are not in its 100");
        }
        trib_free(owned);
        if (!reached) break;
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
    }
    EXPECT_GE(k, 7); // memory twice, three steps of the path, stat, read
}

} // namespace
