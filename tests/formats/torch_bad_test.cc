// SPDX-License-Identifier: Apache-2.0
// Files of torch.save that are refused: each with a reason, whatever they hold, and nothing is run.
#include <cstring>
#include <memory>

#include "formats/torch_files.h"
#include "formats/weights_file.h"
#include "support/support.h"

namespace
{

// Opens and loads a copy that ends where the bytes end, so that the sanitizer sees a byte too many.
trib_status read(const std::string &bytes)
{
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::memcpy(exact.get(), bytes.data(), bytes.size());
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open_memory(exact.get(), bytes.size(), "net.pth", &file);
    if (!trib_failed(&s)) s = trib_weights_load(file, nullptr, nullptr);
    trib_weights_close(file);
    return s;
}

struct Bad {
    const char *name;
    std::string bytes;
    const char *why;
};
void PrintTo(const Bad &bad, std::ostream *out) { *out << bad.name; }

class TorchBad : public testing::TestWithParam<Bad>
{
};

TEST_P(TorchBad, IsRefused)
{
    const trib_status s = read(GetParam().bytes);
    ASSERT_TRUE(trib_failed(&s));
    EXPECT_EQ(std::strncmp(s.message, "net.pth: ", 9), 0) << s.message;
    EXPECT_NE(std::string(s.message).find(GetParam().why), std::string::npos) << s.message;
    for (const char *c = s.message; *c; ++c) EXPECT_GE(static_cast<unsigned char>(*c), ' ');
}

TEST_P(TorchBad, CutAnywhere)
{
    const std::string &bytes = GetParam().bytes;
    const std::size_t step = bytes.size() > 4000 ? bytes.size() / 100 : 1;
    for (std::size_t size = 0; size < bytes.size(); size += step) {
        const trib_status s = read(bytes.substr(0, size));
        ASSERT_TRUE(trib_failed(&s)) << size;
    }
}

using namespace torch;

std::string repeat(const std::string &s, int times)
{
    std::string out;
    for (int i = 0; i < times; ++i) out += s;
    return out;
}

// A pickle that is one call.
std::string calling(const char *module, const char *function)
{
    return zip(pickle(call(name(module, function), tuple({ text("echo") }))));
}
// A pickle of these opcodes.
std::string machine(const std::string &opcodes) { return zip("\x80\x02" + opcodes + "."); }
std::string tensor(const Tensor &t) { return zip(state(t)); }
std::string with(std::string Tensor::*field, const std::string &value)
{
    Tensor t;
    t.*field = value;
    return tensor(t);
}
std::string with_shape(const std::vector<std::int64_t> &sizes, const std::vector<std::int64_t> &strides)
{
    Tensor t;
    t.sizes = numbers(sizes);
    t.strides = numbers(strides);
    return tensor(t);
}
std::string named(const std::string &key) { return zip(pickle(dict({ text(key), Tensor {} }))); }

// A tensor, wrapped: a parameter.
std::string parameter(const std::string &tensor)
{
    return call(name("torch._utils", "_rebuild_parameter"), tuple({ tensor, "\x88", "}" }));
}
// A tensor with metadata.
std::string marked(const std::string &metadata)
{
    const std::string id = tuple({ text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(4) });
    return call(name("torch._utils", "_rebuild_tensor_v2"),
                tuple({ id + "Q", number(0), numbers({ 4 }), numbers({ 1 }), "\x89", "}", metadata }));
}

std::vector<Bad> calls()
{
    return {
        { "os_system", calling("os", "system"), "asks to run os.system" },
        { "posix_system", calling("posix", "system"), "asks to run posix.system" },
        { "eval_of_python_2", calling("__builtin__", "eval"), "__builtin__.eval" },
        { "inside_of_a_module", calling("importlib.util", "find_spec"), "importlib.util.find_spec" },
        { "popen", zip(pickle(name("subprocess", "Popen") + tuple({ text("echo") }) + "\x81")), "subprocess.Popen" },
        { "torch_load", calling("torch.serialization", "load"), "torch.serialization.load" },
        { "numpy_load", calling("numpy", "load"), "numpy.load" },
        { "stack_global", zip(std::string("\x80\x04\x8C\x02os\x8C\x06system\x93)R.")), "os.system" },
        { "strange_name", calling("os", "sys\x1B[2Jtem"), "os.sys?[2Jtem" },
        { "a_calls_result", machine(call(call(name("my", "getter"), ")"), ")")), "calls a value that is not a name" },
        { "no_arguments", machine(name("my", "f") + "NR"), "arguments that are not a tuple" },
        { "in_the_third_pickle", magic + pickle(number(1001)) + pickle(call(name("os", "system"), ")")), "os.system" },
        { "setstate", zip(pickle(std::string(Tensor {}) + dict({ text("__setstate__"), name("os", "system") }) + "b")),
          "no weights" },
        { "storage_of_a_call", with(&Tensor::id, call(name("os", "system"), ")")), "os.system" },
    };
}

std::vector<Bad> opcodes()
{
    return {
        { "unknown", machine("\xFE"), "opcode 0xfe at byte 2" },
        { "inst", machine("(ios\nsystem\n"), "opcode 0x69" },
        { "obj", machine("(cos\nsystem\no"), "opcode 0x6f" },
        { "ext", machine("\x82\x01"), "opcode 0x82" },
        { "underflow", machine("R"), "empty stack" },
        { "below_the_mark", machine("K\1(a"), "empty stack" },
        { "no_mark", machine("K\1t"), "no mark" },
        { "memo_missing", machine("h\xFA"), "memo is empty" },
        { "memo_huge", machine("K\1r\xFF\xFF\xFF\xFF"), "memo is beyond" },
        { "string_too_long", machine("X\xF0\xFF\xFF\xFF"), "ends inside a value" },
        { "string8_too_long", machine("\x8D" + std::string(8, '\xFF')), "ends inside a value" },
        { "long4_negative", machine("\x8B" + std::string(4, '\xFF')), "negative size" },
        { "text_integer", machine("I12x\n"), "text of an integer" },
        { "huge_text_integer", machine("I99999999999999999999\n"), "over 64 bits" },
        { "no_stop", zip("\x80\x02}"), "without STOP" },
        { "protocol", zip("\x80\x09}."), "protocol 9" },
        { "odd_items", machine("}(U\1au"), "no pairs" },
        { "odd_dict", machine("(K\1d"), "key without a value" },
        { "item_of_a_number", machine("K\1K\2K\3s"), "not a dict" },
        { "append_to_a_dict", machine("}K\1a"), "not a list" },
        { "duplicate_nothing", machine("2"), "empty stack" },
        { "pop_nothing", machine("0"), "empty stack" },
        { "pop_no_mark", machine("1"), "no mark" },
        { "memoize_nothing", machine("\x94"), "empty stack" },
        { "reference_to_nothing", machine("Q"), "empty stack" },
        { "build_nothing", machine("}b"), "empty stack" },
        { "append_to_nothing", machine("K\1a"), "empty stack" },
        { "append_no_mark", machine("]K\1e"), "no mark" },
        { "item_of_nothing", machine("K\1s"), "empty stack" },
        { "items_no_mark", machine("}K\1K\1u"), "no mark" },
        { "names_of_numbers", machine("K\1K\2\x93"), "a name in it is not a string" },
        { "line_without_end",
          zip("\x80\x02"
              "cos"),
          "ends inside a line" },
        { "empty_integer", machine("I\n"), "text of an integer" },
        { "call_with_names", machine(name("my", "f") + ")}\x92"), "no weights" },
        { "add_to_a_list", machine("](K\1\x90"), "not a set" },
        { "deep_tuples", machine(repeat("(", 40000) + repeat("t", 40000)), "nested more than 100 deep" },
        { "deep_lists", machine(repeat("]", 40000) + repeat("a", 39999)), "nested more than 100 deep" },
        { "cyclic_list", machine(std::string("]q\0h\0a", 6)), "no weights" },
        { "cyclic_dict", machine(std::string("}q\0X\x0A\0\0\0state_dicth\0s", 21)), "no weights" },
    };
}

std::vector<Bad> tensors()
{
    Tensor half, other, wide;
    half.type = "HalfStorage";
    wide.type = "DoubleStorage";
    const double values[] = { 1, 2, 3, 1e300 };
    const std::string big(reinterpret_cast<const char *>(values), sizeof values);
    other.count = number(5);
    const auto two = [](const Tensor &t) { return zip(pickle(dict({ text("v"), Tensor {}, text("w"), t }))); };
    const std::string module_id = tuple({ text("module"), name("os", "system"), text("x.py"), text("") });
    return {
        { "not_a_dict", zip(pickle("](" + number(1) + "e")), "no weights" },
        { "two_sets",
          zip(pickle(dict(
              { text("teacher"), dict({ text("w"), Tensor {} }), text("student"), dict({ text("w"), Tensor {} }) }))),
          "'teacher' and 'student'" },
        { "two_sets_below",
          zip(pickle(dict({ text("checkpoint"), dict({ text("a"), dict({ text("w"), Tensor {} }), text("b"),
                                                       dict({ text("w"), Tensor {} }) }) }))),
          "two sets of weights, 'a' and 'b'" },
        { "tensor_as_key", zip(pickle(dict({ Tensor {}, number(1) }))), "no weights" },
        { "nul_in_name", named(std::string("a\0b", 3)), "control characters" },
        { "control_in_name", named("\x1B[2Jw"), "control characters" },
        { "name_not_utf8", named("\xFF\xFE"), "not UTF-8" },
        { "name_ends_in_utf8", named("w\xE2\x82"), "not UTF-8" },
        { "long_name", named(std::string(300, 'w')), "too long" },
        { "no_storage", with(&Tensor::key, text("7")), "no member data/7" },
        { "short_storage", zip(state(Tensor {}), "twelve bytes"), "storage '0' needs 16 bytes" },
        { "count_negative", with(&Tensor::count, number(-1)), "storage '0' has a number of elements" },
        { "count_huge", with(&Tensor::count, number(INT64_MAX)), "storage '0' has a number of elements" },
        { "count_text", with(&Tensor::count, text("many")), "storage '0' has a number of elements" },
        { "two_counts", two(other), "storage '0' has" },
        { "two_types", two(half), "storage '0' is read as two types" },
        { "key_outside", with(&Tensor::key, text("../../etc/passwd")), "no member data/../../etc/passwd" },
        { "key_number", with(&Tensor::key, number(7)), "not a string" },
        { "no_type", with(&Tensor::id, tuple({ text("storage"), number(1), text("0"), text("cpu"), number(4) })),
          "has no type" },
        { "id_short", with(&Tensor::id, tuple({ text("storage") })), "no storage" },
        { "id_number", with(&Tensor::id, number(3)), "no storage" },
        { "id_module", with(&Tensor::id, module_id), "no storage" },
        { "packed_storage", with(&Tensor::type, "QUInt4x2Storage"), "QUInt4x2Storage" },
        { "complex", with(&Tensor::type, "ComplexFloatStorage"), "tensor 'w': is in a storage of type" },
        { "offset_negative", with(&Tensor::offset, number(-5)), "tensor 'w': its offset" },
        { "offset_beyond", with(&Tensor::offset, number(1 << 30)), "tensor 'w': has elements outside" },
        { "offset_one", with(&Tensor::offset, number(1)), "tensor 'w': has elements outside" },
        { "sizes_negative", with_shape({ -2, -2 }, { 1, 1 }), "tensor 'w': one of its sizes" },
        { "sizes_huge", with_shape({ INT64_C(1) << 32, INT64_C(1) << 32 }, { 0, 0 }), "tensor 'w'" },
        { "sizes_number", with(&Tensor::sizes, number(4)), "not a tuple" },
        { "repeated", with_shape({ 1 << 20, 1 << 20 }, { 0, 0 }), "repeat or compress" },
        { "strides_negative", with_shape({ 4 }, { -1 }), "tensor 'w': one of its strides" },
        { "strides_beyond", with_shape({ 4 }, { INT64_C(1) << 40 }), "tensor 'w': has elements outside" },
        { "strides_overflow", with_shape({ 3, 3 }, { INT64_MAX / 2, INT64_MAX / 2 }),
          "tensor 'w': has elements outside" },
        { "strides_fewer", with_shape({ 2, 2 }, { 1 }), "2 sizes and 1 strides" },
        { "rank", with_shape(std::vector<std::int64_t>(70, 1), std::vector<std::int64_t>(70, 1)), "70 dimensions" },
        { "too_many_elements", with_shape({ INT64_C(1) << 31, INT64_C(1) << 30 }, { 0, 0 }), "too many elements" },
        { "conjugate", zip(state(marked(dict({ text("conj"), "\x88" })))), "tensor 'w': is a conjugate" },
        { "negated", zip(state(marked(dict({ text("conj"), "\x89", text("neg"), "\x88" })))), "negated view" },
        { "not_conjugate", zip(state(marked(dict({ text("conj"), "\x89" }))), "twelve bytes"), "needs 16 bytes" },
        { "parameter_of_a_number", zip(state(parameter(number(3)))), "tensor 'w': is no tensor" },
        { "parameter_of_a_call", zip(state(parameter(call(name("my", "f"), ")")))), "is what my.f makes" },
        { "wrapped", zip(state(parameter(parameter(parameter(parameter(Tensor {})))))), "wrapped too often" },
        { "offset_text", with(&Tensor::offset, text("x")), "tensor 'w': its offset" },
        { "sizes_text", with(&Tensor::sizes, tuple({ text("x") })), "tensor 'w': one of its sizes" },
        { "storage_number",
          zip(state(call(name("torch._utils", "_rebuild_tensor"),
                         tuple({ number(1), number(0), numbers({}), numbers({}) })))),
          "its storage is none" },
        { "f64_overflow", zip(state(wide), big), "element 3 is 1e+300, which is too large for float32" },
    };
}

std::vector<Bad> containers()
{
    const std::string p = state(Tensor {}), s(16, '\0'), keys = "](" + text("0") + "e", data = little(4, 8) + s;
    const auto member = [&](const Member &m) { return Zip {}({ { "archive/data.pkl", p }, m }); };
    Member m = { "archive/data/0", s };
    Member encrypted = m, zstd = m, beyond = m, lying = m, renamed = m, broken = m, bomb = m, two_sizes = m;
    encrypted.flags = 0x809, zstd.method = 93, zstd.unpacked = s, beyond.header = 0xFFFFFF00,
    lying.size = lying.packed = INT32_MAX;
    renamed.own_name = "archive/data/1", broken.method = 8, broken.unpacked = s, bomb = broken, bomb.size = 1 << 30;
    two_sizes.size = 15;
    Zip count, place, wide;
    count.count = 60000, place.directory_at = 1 << 30, wide.wide = true;
    const std::vector<Member> good = { { "archive/data.pkl", p }, m };
    std::string lie = wide(good);
    Member inside = m;
    inside.header = 0;
    Member longer = m, shorter = m, shifted = m;
    longer.method = 8, longer.data = std::string("\1\x11\0\xEE\xFF", 5) + s + "x", longer.unpacked = s;
    shorter.method = 8, shorter.data = std::string("\1\x10\0\xEF\xFF", 5) + s, shorter.unpacked = s + "x";
    shifted.own_name = "archive/data/00";
    Tensor view, packed;
    view.more = tuple({ text("v"), number(2), number(3) });
    packed.type = "QUInt4x2Storage";
    std::string lost = lie, differs = lie, split = zip(p), damaged = zip(p);
    lost.replace(lost.size() - 22 - 12, 8, std::string(8, '\0'));
    differs.replace(differs.size() - 22 + 10, 2, std::string("\5\0", 2));
    split[split.size() - 22 + 4] = 1;
    damaged[damaged.rfind("PK\1\2")] = 'Q';
    lie.replace(lie.size() - 22 - 12, 8, std::string(7, '\xFF') + "\x7F");
    return {
        { "no_pickle", Zip {}({ { "readme.txt", "hello" } }), "zip archive without data.pkl" },
        { "empty_archive", "PK\3\4" + Zip {}({}), "zip archive" },
        { "exported_program", Zip {}({ { "a/archive_format", "pt2" }, { "a/data.pkl", p } }), ".pt2" },
        { "exported_models", Zip {}({ { "a/models/model.json", "{}" } }), ".pt2" },
        { "exported_before", Zip {}({ { "serialized_exported_program.json", "{}" } }), ".pt2" },
        { "keras", Zip {}({ { "config.json", "{}" }, { "model.weights.h5", "\x89HDF" } }), "is a Keras model" },
        { "numpy", Zip {}({ { "a.npy", "\x93NUMPY" } }), "is a NumPy archive (.npz)" },
        { "byte_order", zip(p, s, "middle"), "byteorder" },
        { "directory_count", count(good), "does not have 60000 members" },
        { "directory_beyond", place(good), "directory is not where" },
        { "wide_lie", lie, "64-bit directory is outside" },
        { "member_beyond", member(beyond), "is not inside the file" },
        { "member_size", member(lying), "is not inside the file" },
        { "two_sizes", member(two_sizes), "two sizes" },
        { "encrypted", member(encrypted), "encrypted" },
        { "method", member(zstd), "compression method 93" },
        { "another_name", member(renamed), "another name" },
        { "damaged_deflate", member(broken), "data/0" },
        { "bomb", member(bomb), "cannot hold so many" },
        { "two_pickles", Zip {}({ { "a/data.pkl", p }, { "a/data.pkl", p } }), "there twice" },
        { "two_folders", Zip {}({ { "a/data.pkl", p }, { "b/data.pkl", p } }), "two pickles" },
        { "strange_name", Zip {}({ { "a/../data.pkl", p } }), "'..'" },
        { "shorter_deflate", member(shorter), "data/0" },
        { "longer_deflate", member(longer), "data/0" },
        { "another_length", member(shifted), "another name" },
        { "wide_lost", lost, "not where the archive says" },
        { "two_directories", differs, "two directories that differ" },
        { "split_archive", split, "one that was split" },
        { "damaged_directory", damaged, "directory is damaged" },
        { "absolute_name", Zip {}({ { "/data.pkl", p } }), "absolute" },
        { "control_in_name", Zip {}({ { "a\n/data.pkl", p } }), "control characters" },
        { "empty_name", Zip {}({ { "", p } }), "whose name is empty" },
        { "long_byte_order", zip(p, s, "little-endian"), "too large" },
        { "legacy_view", legacy(state(view), keys, data), "tensor 'w': is in a view that reaches beyond" },
        { "legacy_type", legacy(state(packed), keys, data), "QUInt4x2Storage, whose size is not known" },
        { "legacy_no_count", legacy(p, keys, ""), "ends before the storage" },
        { "legacy_protocol_text", magic + pickle(text("1001")) + data, "protocol version is not a number" },
        { "legacy_protocol", legacy(p, keys, data, 1002), "protocol version 1002" },
        { "legacy_count", legacy(p, keys, little(3, 8) + s), "storage '0': has 3 elements" },
        { "legacy_count_huge", legacy(p, keys, little(INT64_C(1) << 60, 8) + s), "storage '0': has" },
        { "legacy_cut_object", magic + pickle(number(1001)) + pickle("}") + p.substr(0, p.size() - 2),
          "ends inside of the object: it was cut short; download or copy it again" },
        { "overlap", member(inside), "overlaps another member" },
        { "legacy_cut", legacy(p, keys, data.substr(0, 20)), "cut short" },
        { "legacy_unknown_key", legacy(p, "](" + text("1") + "e", data), "no tensor uses" },
        { "legacy_key_number", legacy(p, "](" + number(0) + "e", data), "not a string" },
        { "legacy_key_twice", legacy(p, "](" + text("0") + text("0") + "e", data + data), "there twice" },
        { "legacy_no_list", legacy(p, "}", data), "not in a list" },
        { "legacy_no_storage", legacy(p, "]", ""), "storage '0' is not in the file" },
    };
}

std::vector<Bad> tars()
{
    const std::string data(16, '\0');
    const auto with = [&](auto change) {
        Tar tar;
        change(tar);
        return tar(data);
    };
    return {
        { "tar_of_others", tar_member("readme.txt", "hello"), "without PyTorch's members" },
        { "tar_of_tensorflow", tar_member("inception_v1.ckpt", "x"), "a TensorFlow checkpoint; export" },
        { "tar_outside", with([](Tar &t) { t.name = "../../storages"; }), "without PyTorch's members" },
        { "tar_twice", with([](Tar &t) { t.name = "pickle"; }), "'pickle' twice" },
        { "tar_size", tar_member("storages", "abcd", "77777777777"), "larger than the file" },
        { "tar_no_size", tar_member("storages", "abcd", "12345678x"), "larger than the file" },
        { "tar_type", with([](Tar &t) { t.type = "OtherStorage"; }), "'storages': an entry is no storage" },
        { "tar_complex", with([](Tar &t) {
              t.type = "CharStorage";
              t.elements = 16;
              t.view = "";
          }),
          "not supported" },
        { "tar_elements", with([](Tar &t) { t.elements = INT64_C(1) << 60; }), "does not fit" },
        { "tar_negative", with([](Tar &t) { t.elements = -1; }), "does not fit" },
        { "tar_more_storages", with([](Tar &t) { t.storages = 1 << 20; }), "'storages': " },
        { "tar_view", with([](Tar &t) {
              t.view = tuple({ number(9), number(7), number(2), number(3) });
          }),
          "view reaches beyond" },
        { "tar_view_of_none", with([](Tar &t) {
              t.view = tuple({ number(9), number(6), number(0), number(0) });
          }),
          "not there" },
        { "tar_view_number", with([](Tar &t) {
              t.view = tuple({ number(7), number(7), number(2), number(2) });
          }),
          "same number" },
        { "tar_no_view", with([](Tar &t) { t.view = number(3); }), "not four numbers" },
        { "tar_storage", with([](Tar &t) { t.tensor_storage = number(5); }), "storage that is not there" },
        { "tar_sizes", with([](Tar &t) { t.sizes = { -4 }; }), "negative size" },
        { "tar_beyond", with([](Tar &t) { t.offset = 1; }), "outside of its storage" },
        { "tar_strides", with([](Tar &t) { t.strides = { INT64_MAX }; }), "outside of its storage" },
        { "tar_rank", with([](Tar &t) { t.rank = 70; }), "70 dimensions" },
        { "tar_rank_negative", with([](Tar &t) { t.rank = INT64_C(0xFFFFFFFF); }), "dimensions" },
    };
}

const auto name_of = [](const auto &info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Calls, TorchBad, testing::ValuesIn(calls()), name_of);
INSTANTIATE_TEST_SUITE_P(Opcodes, TorchBad, testing::ValuesIn(opcodes()), name_of);
INSTANTIATE_TEST_SUITE_P(Tensors, TorchBad, testing::ValuesIn(tensors()), name_of);
INSTANTIATE_TEST_SUITE_P(Containers, TorchBad, testing::ValuesIn(containers()), name_of);
INSTANTIATE_TEST_SUITE_P(Tars, TorchBad, testing::ValuesIn(tars()), name_of);

TEST(TorchBadly, BytesAfterAnArchive)
{
    const trib_status s = read(zip(state(Tensor {})) + "x");
    EXPECT_FAILS(s, TRIB_BAD_DATA, "net.pth: the zip archive has no directory at its end");
}

TEST(TorchBadly, TooManyValues)
{
    const trib_status s = read(machine("(" + repeat("K\1", 4200000) + "t"));
    EXPECT_FAILS(s, TRIB_UNSUPPORTED, "more than 4194304 values");
}

// A dict of many dicts that are all one takes no time, and is refused.
TEST(TorchBadly, RepeatedDicts)
{
    std::string object = "}q\1(" + repeat("K\1K\2", 100000) + "u0}(";
    for (int i = 0; i < 100000; ++i) object += "K\1h\1";
    const trib_status s = read(machine(object + "u"));
    EXPECT_TRUE(trib_failed(&s));
}

} // namespace
