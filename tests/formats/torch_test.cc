// SPDX-License-Identifier: Apache-2.0
// Files of torch.save that are read: what PyTorch itself wrote (tests/data/torch), bit for bit, and each way of
// writing a tensor, an object and a container on a small scale.
#include <cmath>
#include <cstring>

#include "formats/files.h"
#include "formats/pipe.h"
#include "formats/torch_files.h"
#include "formats/weights_file.h"
#include "models/weights.h"

namespace
{

struct Close {
    void operator()(trib_weights_file *file) const { trib_weights_close(file); }
};
using Weights = std::unique_ptr<trib_weights_file, Close>;

// Opens and loads.
Weights load(const std::string &bytes)
{
    trib_weights_file *file = nullptr;
    EXPECT_OK(trib_weights_open_memory(bytes.data(), bytes.size(), "net.pth", &file));
    if (file) EXPECT_OK(trib_weights_load(file, nullptr, nullptr));
    return Weights(file);
}

std::string bytes_of(const void *data, std::size_t size) { return std::string(static_cast<const char *>(data), size); }
std::string floats(const std::vector<float> &values) { return bytes_of(values.data(), 4 * values.size()); }

// The values of the only tensor, called "w".
std::vector<float> values(const std::string &bytes)
{
    Weights file = load(bytes);
    if (!file || file->count != 1 || !file->tensors[0].data) return { NAN };
    EXPECT_STREQ(file->tensors[0].name, "w");
    std::vector<float> out(std::size_t(models::count(file->tensors[0].shape)));
    trib_convert_to_f32(file->tensors[0].data, file->tensors[0].dtype, out.size(), out.data());
    return out;
}

using Floats = std::vector<float>;
const std::string four = floats({ 1, 2, 3, 4 });

// One block, stored.
std::string deflate(const std::string &bytes)
{
    return "\1" + torch::little(bytes.size(), 2) + torch::little(~bytes.size(), 2) + bytes;
}

// ---- what PyTorch wrote ----

struct Written {
    const char *name;
    int seed;
    const char *found;     // where the weights were
    const char *different; // the tensor that is not the network's
};
void PrintTo(const Written &written, std::ostream *out) { *out << written.name; }

class TorchWritten : public testing::TestWithParam<Written>
{
};
INSTANTIATE_TEST_SUITE_P(, TorchWritten,
                         testing::Values(Written { "timm.pth.tar", 23, "the weights are those under state_dict_ema",
                                                   "" },
                                         Written { "legacy-py27-1.0.pth", 21, nullptr, "" },
                                         Written { "strided.pth", 21, nullptr, "conv1/7x7_s2/bn.weight" }));

TEST_P(TorchWritten, IsTheNetworkBitForBit)
{
    trib_model *loaded = nullptr;
    ASSERT_OK(trib_model_load(support::data_file(std::string("torch/") + GetParam().name).c_str(), nullptr, &loaded));
    files::Model model(loaded);
    const trib_network_spec *net = trib_model_network(loaded);
    EXPECT_EQ(net->network, support::torchvision);
    EXPECT_EQ(net->classes, 7);
    EXPECT_STREQ(trib_model_provenance(loaded), "a PyTorch file (torch.save)");
    EXPECT_STREQ(trib_model_note(loaded), GetParam().found);
    const int count = trib_graph_parameter_count(trib_model_graph(loaded));
    std::vector<trib_tensor> expected(std::size_t(count), trib_tensor {});
    void *storage = nullptr;
    ASSERT_OK(trib_parameters_random(trib_model_graph(loaded), trib_model_dialect(loaded),
                                     std::uint64_t(GetParam().seed), expected.data(), &storage));
    std::string different;
    for (int i = 0; i < count; ++i) {
        const trib_tensor &t = trib_model_parameters(loaded)[i];
        ASSERT_EQ(t.dtype, TRIB_F32);
        if (std::memcmp(t.data, expected[std::size_t(i)].data, 4 * std::size_t(models::count(t.shape))))
            different += t.name;
    }
    EXPECT_EQ(different, GetParam().different);
    trib_parameters_free(storage);
}

TEST(TorchRefused, WithAReason)
{
    const struct {
        const char *name, *why;
    } cases[] = {
        { "quantized.pth", "tensor 'conv1.conv.weight': is quantised" },
        { "sparse.pth", "tensor 'conv1.conv.weight': is sparse" },
        { "meta.pth", "has no data" },
        { "float8.pth", "torch.float8_e4m3fn" },
        { "torchscript.pt", "is TorchScript" },
        { "optimizer-only.pth", "holds no weights" },
    };
    for (const auto &c : cases) {
        files::Model model;
        const trib_status s = files::load(support::data_file(std::string("torch/") + c.name), model);
        ASSERT_TRUE(trib_failed(&s)) << c.name;
        EXPECT_NE(std::string(s.message).find(c.why), std::string::npos) << s.message;
        EXPECT_NE(std::string(s.message).find(c.name), std::string::npos) << s.message;
    }
}

// ---- elements ----

TEST(Torch, ElementTypes)
{
    torch::Tensor t;
    EXPECT_EQ(values(torch::zip(torch::state(t), four)), (Floats { 1, 2, 3, 4 }));
    t.type = "HalfStorage";
    EXPECT_EQ(values(torch::zip(torch::state(t), std::string("\x00\x3C\x00\x40\x00\xC0\x00\x38", 8))),
              (Floats { 1, 2, -2, 0.5f }));
    t.type = "BFloat16Storage";
    EXPECT_EQ(values(torch::zip(torch::state(t), std::string("\x80\x3F\x00\x40\x00\xC0\x00\x3F", 8))),
              (Floats { 1, 2, -2, 0.5f }));
    t.type = "DoubleStorage";
    const double wide[] = { 1, -2, 1.0 / 3, NAN };
    const Floats narrow = values(torch::zip(torch::state(t), bytes_of(wide, sizeof wide)));
    ASSERT_EQ(narrow.size(), 4u);
    EXPECT_EQ(narrow[2], 1.0f / 3);
    EXPECT_TRUE(std::isnan(narrow[3]));
    t.type = "LongStorage";
    const std::int64_t integers[] = { 1, 2, 3, -4 };
    EXPECT_EQ(values(torch::zip(torch::state(t), bytes_of(integers, sizeof integers))), (Floats { 1, 2, 3, -4 }));
}

TEST(Torch, BigEndianFiles)
{
    std::string swapped = four;
    for (std::size_t i = 0; i < swapped.size(); i += 4)
        std::swap(swapped[i], swapped[i + 3]), std::swap(swapped[i + 1], swapped[i + 2]);
    EXPECT_EQ(values(torch::zip(torch::state(torch::Tensor {}), swapped, "big")), (Floats { 1, 2, 3, 4 }));
}

TEST(Torch, Strides)
{
    torch::Tensor t;
    t.count = torch::number(7);
    t.offset = torch::number(1);
    t.sizes = torch::numbers({ 3, 2 });
    t.strides = torch::numbers({ 1, 3 });
    const std::string seven = floats({ 0, 1, 2, 3, 4, 5, 6 });
    EXPECT_EQ(values(torch::zip(torch::state(t), seven)), (Floats { 1, 4, 2, 5, 3, 6 }));
    t.strides = torch::numbers({ 0, 0 });
    EXPECT_EQ(values(torch::zip(torch::state(t), seven)), (Floats { 1, 1, 1, 1, 1, 1 }));
    t.sizes = t.strides = torch::numbers({});
    EXPECT_EQ(values(torch::zip(torch::state(t), seven)), (Floats { 1 }));
    t.sizes = torch::numbers({ 2, 0 });
    t.strides = torch::numbers({ 100, 100 });
    EXPECT_EQ(values(torch::zip(torch::state(t), seven)), (Floats {}));
}

TEST(Torch, AStorageMayBeSharedAndOnlyWhatIsWantedIsLoaded)
{
    torch::Tensor a, b;
    b.sizes = torch::numbers({ 2 });
    b.offset = torch::number(2);
    const std::string file = torch::zip(torch::pickle(torch::dict({ torch::text("a"), a, torch::text("b"), b })), four);
    support::TemporaryFolder folder;
    support::write_file(folder.file("f"), file);
    trib_weights_file *opened = nullptr;
    ASSERT_OK(trib_weights_open(folder.file("f").c_str(), &opened));
    Weights weights(opened);
    ASSERT_EQ(weights->count, 2);
    EXPECT_EQ(weights->tensors[0].data, nullptr);
    const auto is_b = [](const void *, const trib_tensor *tensor) { return tensor->name[0] == 'b'; };
    ASSERT_OK(trib_weights_load(weights.get(), is_b, nullptr));
    EXPECT_EQ(weights->tensors[0].data, nullptr);
    EXPECT_EQ(bytes_of(weights->tensors[1].data, 8), four.substr(8));
    trib_weights_release_data(weights.get());
    EXPECT_EQ(weights->tensors[1].data, nullptr);
    EXPECT_STREQ(weights->tensors[1].name, "b");
}

// ---- objects ----

std::string tensor() { return torch::Tensor {}; }

TEST(Torch, WaysToWriteATensor)
{
    const std::string none = torch::call(torch::name("collections", "OrderedDict"), ")");
    const auto utils = [](const char *leaf) { return torch::name("torch._utils", leaf); };
    const std::string id = torch::tuple({ torch::text("storage"), torch::name("torch.storage", "UntypedStorage"),
                                          torch::text("0"), torch::text("cuda:0"), torch::number(16) }) +
                           "Q";
    const std::string typed = torch::call(
        utils("_rebuild_tensor_v3"), torch::tuple({ id, torch::number(1), torch::numbers({ 3 }), torch::numbers({ 1 }),
                                                    "\x89", none, torch::name("torch", "float32") }));
    EXPECT_EQ(values(torch::zip(torch::state(typed), four)), (Floats { 2, 3, 4 }));
    const std::string parameter = torch::call(utils("_rebuild_parameter"), torch::tuple({ tensor(), "\x88", none }));
    EXPECT_EQ(values(torch::zip(torch::state(parameter), four)), (Floats { 1, 2, 3, 4 }));
    const std::string with_type = torch::call(torch::name("torch._tensor", "_rebuild_from_type_v2"),
                                              torch::tuple({ utils("_rebuild_parameter"), torch::name("my", "Buffer"),
                                                             torch::tuple({ tensor(), "\x88", none }), "}" }));
    EXPECT_EQ(values(torch::zip(torch::state(with_type), four)), (Floats { 1, 2, 3, 4 }));
}

TEST(Torch, OpcodesOfOtherProtocols)
{
    const auto is_four = [](const std::string &object) {
        return values(torch::zip("\x80\x04\x95" + torch::little(1000, 8) + object + ".", four)) ==
               (Floats { 1, 2, 3, 4 });
    };
    EXPECT_TRUE(is_four("}\x94\x8C\1w" + tensor() + "s"));                       // SHORT_BINUNICODE, MEMOIZE, SETITEM
    EXPECT_TRUE(is_four("}(\x8D" + torch::little(1, 8) + "w" + tensor() + "u")); // BINUNICODE8
    EXPECT_TRUE(is_four("(U\1w" + tensor() + "d"));                              // Python 2's string, DICT
    EXPECT_TRUE(is_four("N0K\1"
                        "20"
                        "0(NN1}U\1w" +
                        tensor() + "s"));                                         // POP, DUP, POP_MARK
    EXPECT_TRUE(is_four("\x8C\1w\x94}h" + torch::little(0, 1) + tensor() + "s")); // BINGET
    // Python 2's OrderedDict; and the name of a class as two strings.
    EXPECT_TRUE(is_four("ccollections\nOrderedDict\n](]U\1wa" + tensor() + "ae\x85R"));
    EXPECT_TRUE(is_four("\x8C\x0B"
                        "collections\x8C\x0BOrderedDict\x93)\x81U\1w" +
                        tensor() + "s"));
    // Beside the weights: numbers of each kind, bytes, sets, objects with state.
    EXPECT_TRUE(is_four("}(U\1w" + tensor() + "U\1aI12345678901\nU\1bI01\nU\1cG" + std::string(8, '\1') +
                        "U\1dJ\xFF\xFF\xFF\xFFU\1eM\1\1U\1f\x8F(K\1\x90U\1g(K\1\x91U\1hC\1xU\1i\x8A\x01\xFFU\1j" +
                        torch::name("argparse", "Namespace") + ")\x81}bU\1k" + torch::name("my", "Dict") +
                        ")R(K\1K\2uK\1aU\1l(K\1lU\1mB" + torch::little(1, 4) + "xU\1n\x96" + torch::little(1, 8) +
                        "xu"));
}

TEST(Torch, TheWeightsInACheckpoint)
{
    const std::string state = torch::dict({ torch::text("w"), tensor() }),
                      other = torch::dict({ torch::text("v"), tensor() });
    const auto found = [](std::initializer_list<std::string> items) {
        return values(torch::zip(torch::pickle(torch::dict(items)), four)) == (Floats { 1, 2, 3, 4 });
    };
    EXPECT_TRUE(found({ torch::text("state_dict"), other, torch::text("state_dict_ema"), state }));
    EXPECT_TRUE(found(
        { torch::text("epoch"), torch::number(3), torch::text("model"), state, torch::text("optimizer"), other }));
    EXPECT_TRUE(found({ torch::text("weights"), state, torch::text("epoch"), torch::number(3) }));
    EXPECT_TRUE(found({ torch::text("w"), tensor(), torch::text("n_averaged"), tensor() }));
    EXPECT_TRUE(found(
        { torch::text("checkpoint"), torch::dict({ torch::text("optimizer"), other, torch::text("model"), state }) }));
    EXPECT_TRUE(found({ torch::text("model"), torch::dict({ torch::text("state_dict"), state }) }));
    EXPECT_TRUE(found({ torch::text("a"), torch::dict({ torch::text("b"), "](" + state + "e" }) }));
}

TEST(Torch, TheWayToTheWeightsIsSaid)
{
    const std::string state = torch::dict({ torch::text("w"), tensor() });
    const auto note = [](const std::string &object) -> std::string {
        return trib_weights_metadata(load(torch::zip(torch::pickle(object), four)).get(), "tributary.note");
    };
    EXPECT_EQ(note(torch::dict({ torch::text("checkpoint"), torch::dict({ torch::text("model"), state }) })),
              "the weights are those under checkpoint, model");
    EXPECT_EQ(note("](" + state + "e"), "the weights are those under a list");
}

// A module with the parameter "w", and a module below it.
std::string module(const std::string &below)
{
    return torch::name("my", "Net") + ")\x81" +
           torch::dict({ torch::text("training"), "\x88", torch::text("_parameters"),
                         torch::dict({ torch::text("w"), tensor(), torch::text("bias"), "N" }), torch::text("_buffers"),
                         "}", torch::text("_modules"), below }) +
           "b";
}

TEST(Torch, AWholeModel)
{
    const std::string file =
        torch::zip(torch::pickle(module(torch::dict({ torch::text("a"), module("}"), torch::text("b"),
                                                      module(torch::dict({ torch::text("c"), module("}") })) }))),
                   four);
    Weights weights = load(file);
    ASSERT_TRUE(weights);
    ASSERT_EQ(weights->count, 4);
    const char *const names[] = { "w", "a.w", "b.w", "b.c.w" };
    for (int i = 0; i < 4; ++i) EXPECT_STREQ(weights->tensors[i].name, names[i]);
    EXPECT_NE(std::string(trib_weights_metadata(weights.get(), "tributary.note")).find("a whole model"),
              std::string::npos);
}

TEST(Torch, PrefixesThatAllNamesShareAreLeftOffAndSaid)
{
    std::string object = "}";
    for (char c = 'a'; c < 'k'; ++c)
        object += torch::text(std::string("module._orig_mod.") + c + ".weight") + tensor() + "s";
    Weights weights = load(torch::zip(torch::pickle(object), four));
    ASSERT_TRUE(weights);
    EXPECT_STREQ(weights->tensors[9].name, "j.weight");
    EXPECT_STREQ(trib_weights_metadata(weights.get(), "tributary.note"), "left off before all names: module._orig_mod");
}

// ---- containers ----

TEST(Torch, Archives)
{
    const std::string state = torch::state(torch::Tensor {});
    torch::Zip wide, commented;
    wide.wide = true;
    commented.comment = "PK\5\6 packed by hand, with the mark of an end in the comment";
    const std::vector<torch::Member> members = {
        { "a b/data/0", four }, { "a b/", "" }, { "a b/version", "3\n" }, { "a b/data.pkl", state }
    };
    EXPECT_EQ(values(wide(members)), (Floats { 1, 2, 3, 4 }));
    EXPECT_EQ(values(commented(members)), (Floats { 1, 2, 3, 4 }));
}

TEST(Torch, CompressedArchives)
{
    const std::string state = torch::state(torch::Tensor {});
    torch::Member pickle = { "data.pkl", deflate(state), 8 }, storage = { "data/0", deflate(four), 8 };
    pickle.unpacked = state;
    storage.unpacked = four;
    const std::string bytes = torch::Zip {}({ pickle, storage });
    trib_weights_file *file = nullptr;
    const trib_status s = trib_weights_open_memory(bytes.data(), bytes.size(), "net.pth", &file);
    trib_weights_close(file);
    if (s.code == TRIB_UNSUPPORTED) GTEST_SKIP() << s.message; // this build has no zlib
    EXPECT_EQ(values(bytes), (Floats { 1, 2, 3, 4 }));
}

TEST(Torch, FilesFromBefore16)
{
    torch::Tensor t;
    t.more = "N";
    const std::string keys = "](" + torch::text("0") + "e", count = torch::little(4, 8);
    EXPECT_EQ(values(torch::legacy(torch::state(t), keys, count + four)), (Floats { 1, 2, 3, 4 }));
    EXPECT_EQ(values(torch::legacy(torch::state(t), keys, count + four + "more")), (Floats { 1, 2, 3, 4 }));
    t.more = torch::tuple({ torch::text("v"), torch::number(1), torch::number(3) }); // a view of the storage
    t.sizes = torch::numbers({ 2 });
    t.offset = torch::number(1);
    EXPECT_EQ(values(torch::legacy(torch::state(t), keys, count + four)), (Floats { 3, 4 }));
    // A pickle longer than what is read first, and a class that a reference names.
    const std::string klass = torch::tuple({ torch::text("module"), torch::name("my", "Net"), torch::text("net.py"),
                                             torch::text("class Net") }) +
                              "Q";
    const std::string long_one = torch::pickle(
        torch::dict({ torch::text("a"), torch::text(std::string(3 << 20, 'x')), torch::text("b"), klass + ")\x81}b",
                      torch::text("model"), torch::dict({ torch::text("w"), torch::Tensor {} }) }));
    EXPECT_EQ(values(torch::legacy(long_one, keys, count + four)), (Floats { 1, 2, 3, 4 }));
}

TEST(Torch, FilesFromBefore0111)
{
    torch::Tar tar;
    EXPECT_EQ(values(tar(four)), (Floats { 1, 2, 3, 4 }));
    tar.sizes = { 2, 2 };
    tar.strides = { 1, 2 };
    EXPECT_EQ(values(tar(four)), (Floats { 1, 3, 2, 4 }));
    tar.tensor_storage = torch::number(9); // the view
    tar.sizes = { 1 };
    tar.strides = { 1 };
    tar.offset = 1;
    EXPECT_EQ(values(tar(four)), (Floats { 4 }));
}

TEST(Torch, APipeIsAFile)
{
    files::Pipe pipe(torch::zip(torch::state(torch::Tensor {}), four));
    trib_weights_file *file = nullptr;
    ASSERT_OK(trib_weights_open(pipe.path.c_str(), &file));
    Weights weights(file);
    ASSERT_OK(trib_weights_load(file, nullptr, nullptr));
    EXPECT_EQ(bytes_of(file->tensors[0].data, 16), four);
}

} // namespace
