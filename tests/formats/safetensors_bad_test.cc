// SPDX-License-Identifier: Apache-2.0
// Files that are wrong, damaged, or something else: each is refused with its own reason.
#include <algorithm>
#include <string>

#include "formats/files.h"
#include "formats/pipe.h"

using files::entry;
using files::raw;

namespace
{

struct Bad {
    const char *name;
    std::string bytes;
    trib_code code;
    std::string text;
    std::string (*make)() = nullptr; // instead of many bytes, which every start of this program would copy

    std::string file() const { return make ? make() : bytes; }
};

void PrintTo(const Bad &bad, std::ostream *out) { *out << bad.name; }

std::string with_tensor(const std::string &tensor, const std::string &data) { return raw("{" + tensor + "}", data); }

const char whole[] = "not a whole number from 0 to 2^53 - 1";

std::vector<Bad> framing()
{
    const std::string good = "{" + entry("a", "U8", "2", "0,2") + "}";
    return {
        { "no_bytes", "", TRIB_BAD_DATA, "0 bytes are too few" },
        { "seven_bytes", "1234567", TRIB_BAD_DATA, "7 bytes are too few" },
        { "no_header", raw("", ""), TRIB_BAD_DATA, "does not begin with '{'" },
        { "header_cut", raw(good, "", 1000), TRIB_BAD_DATA, "the header needs 1000 bytes" },
        { "header_one_longer", raw(good, "", good.size() + 1), TRIB_BAD_DATA, "truncated" },
        { "header_over_limit", raw(good, "xy", 100000001), TRIB_BAD_DATA, "over the limit of 100 MB" },
        { "header_of_2_64", raw(good, "xy", ~std::uint64_t(0)), TRIB_BAD_DATA, "18446744073709551615 bytes" },
        { "text_file", std::string("hello\0\0\0 world, how are you", 27), TRIB_BAD_DATA, "not a safetensors file" },
        { "space_before_brace", raw(" " + good, "xy"), TRIB_BAD_DATA, "does not begin with '{'" },
        { "list", raw("[]", ""), TRIB_BAD_DATA, "does not begin with '{'" },
    };
}

std::vector<Bad> json()
{
    const std::string good = entry("a", "U8", "2", "0,2");
    const std::string zero(1, '\0');
    return {
        { "not_json", raw("{nonsense}", ""), TRIB_BAD_DATA, "header: not JSON near byte" },
        { "never_closed", raw("{" + good, "xy"), TRIB_BAD_DATA, "not JSON" },
        { "missing_comma", raw("{" + good + " " + good + "}", "xy"), TRIB_BAD_DATA, "not JSON" },
        { "trailing_comma", raw("{" + good + ",}", "xy"), TRIB_BAD_DATA, "not JSON" },
        { "two_values", raw("{" + good + "}{}", "xy"), TRIB_BAD_DATA, "more text after the JSON" },
        { "zero_behind", raw("{" + good + "}" + zero, "xy"), TRIB_BAD_DATA, "a byte of 0" },
        { "zero_in_name", raw("{" + entry("a" + zero + "b", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA,
          "control character" },
        { "escaped_zero", raw("{" + entry("a\\u0000b", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA,
          "a character of code 0" },
        { "raw_newline", raw("{" + entry("a\nb", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA, "control character" },
        { "vertical_tab", raw("{\v" + good + "}", "xy"), TRIB_BAD_DATA, "a byte that is not JSON" },
        { "bad_utf8", raw("{" + entry("a\xC3", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA, "not UTF-8" },
        { "overlong_utf8", raw("{" + entry("\xC0\xAF", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA, "not UTF-8" },
        { "utf8_surrogate", raw("{" + entry("\xED\xA0\x80", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA,
          "not UTF-8" },
        { "half_surrogate", raw("{" + entry("\\ud800", "U8", "2", "0,2") + "}", "xy"), TRIB_BAD_DATA, "not JSON" },
        { "string_without_end", raw("{\"abc", ""), TRIB_BAD_DATA, "a string without an end" },
        { "escape_at_end", raw("{\"abc\\", ""), TRIB_BAD_DATA, "a string without an end" },
        { "deep", raw("{\"a\":" + std::string(100000, '['), ""), TRIB_BAD_DATA, "nesting that is too deep" },
        { "many_values", "", TRIB_BAD_DATA, "more values",
          [] { return raw("{\"a\":[" + std::string(5000000, ',') + "]}", ""); } },
        { "same_name", raw("{" + good + "," + good + "}", "xy"), TRIB_BAD_DATA, "'a' appears twice" },
        { "same_name_escaped", raw("{" + good + "," + entry("\\u0061", "U8", "0", "2,2") + "}", "xy"), TRIB_BAD_DATA,
          "'a' appears twice" },
        { "same_key", raw("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", "xy"),
          TRIB_BAD_DATA, "'dtype' appears twice" },
        { "leading_zero", with_tensor(entry("a", "U8", "02", "0,2"), "xy"), TRIB_BAD_DATA, "malformed number" },
        { "lone_minus", with_tensor(entry("a", "U8", "-", "0,2"), "xy"), TRIB_BAD_DATA, "malformed number" },
        { "lone_point", with_tensor(entry("a", "U8", "2.", "0,2"), "xy"), TRIB_BAD_DATA, "malformed number" },
        { "lone_exponent", with_tensor(entry("a", "U8", "2e+", "0,2"), "xy"), TRIB_BAD_DATA, "malformed number" },
        { "endless_number", with_tensor(entry("a", "U8", "2." + std::string(80, '0'), "0,2"), "xy"), TRIB_BAD_DATA,
          "more than 60 characters" },
    };
}

std::vector<Bad> entries()
{
    auto object = [](const char *inside) { return raw(std::string("{\"a\":") + inside + "}", "xy"); };
    return {
        { "not_an_object", object("[1]"), TRIB_BAD_DATA, "tensor 'a': its description is not an object" },
        { "no_dtype", object("{\"shape\":[2],\"data_offsets\":[0,2]}"), TRIB_BAD_DATA, "'dtype' is missing" },
        { "no_shape", object("{\"dtype\":\"U8\",\"data_offsets\":[0,2]}"), TRIB_BAD_DATA, "'shape' is missing" },
        { "no_offsets", object("{\"dtype\":\"U8\",\"shape\":[2]}"), TRIB_BAD_DATA, "'data_offsets' is missing" },
        { "unknown_key", object("{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2],\"strides\":[1]}"),
          TRIB_BAD_DATA, "keys other than" },
        { "dtype_number", object("{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,2]}"), TRIB_BAD_DATA,
          "'dtype' is not a string" },
        { "dtype_unknown", with_tensor(entry("conv.w", "C64", "1", "0,8"), "12345678"), TRIB_UNSUPPORTED,
          "tensor 'conv.w': has the dtype 'C64'" },
        { "dtype_lower_case", with_tensor(entry("a", "f32", "1", "0,4"), "1234"), TRIB_UNSUPPORTED, "'f32'" },
        { "dtype_unprintable", with_tensor(entry("a", "\\u001b[2J", "1", "0,4"), "1234"), TRIB_UNSUPPORTED,
          "(unprintable)" },
        { "name_unprintable", with_tensor(entry("\\u001b[2J", "U8", "2", "0,2"), "xy"), TRIB_BAD_DATA,
          "name has control characters" },
        { "shape_not_a_list", object("{\"dtype\":\"U8\",\"shape\":2,\"data_offsets\":[0,2]}"), TRIB_BAD_DATA,
          "'shape' is not a list" },
        { "negative_extent", with_tensor(entry("a", "U8", "-2", "0,2"), "xy"), TRIB_BAD_DATA, whole },
        { "half_extent", with_tensor(entry("a", "U8", "2.5", "0,2"), "xy"), TRIB_BAD_DATA, whole },
        { "text_extent", with_tensor(entry("a", "U8", "\"2\"", "0,2"), "xy"), TRIB_BAD_DATA, whole },
        { "extent_2_53", with_tensor(entry("a", "U8", "9007199254740992", "0,2"), "xy"), TRIB_BAD_DATA, whole },
        { "infinite_extent", with_tensor(entry("a", "U8", "1e999", "0,2"), "xy"), TRIB_BAD_DATA, whole },
        { "nine_dimensions", with_tensor(entry("a", "U8", "1,1,1,1,1,1,1,1,2", "0,2"), "xy"), TRIB_UNSUPPORTED,
          "more than 8 dimensions" },
        { "product_overflows", with_tensor(entry("a", "U8", "4294967296,4294967296,2", "0,2"), "xy"), TRIB_BAD_DATA,
          "tensor 'a': a shape with more than 2^62" },
        { "bytes_overflow", with_tensor(entry("a", "F32", "2147483648,2147483648", "0,2"), "xy"), TRIB_BAD_DATA,
          "does not fill" },
        { "one_offset", with_tensor(entry("a", "U8", "2", "0"), "xy"), TRIB_BAD_DATA, "not a list of two numbers" },
        { "three_offsets", with_tensor(entry("a", "U8", "2", "0,2,2"), "xy"), TRIB_BAD_DATA, "a list of two numbers" },
        { "offset_2_53", with_tensor(entry("a", "U8", "2", "0,9007199254740992"), "xy"), TRIB_BAD_DATA, whole },
        { "offset_2_63", with_tensor(entry("a", "U8", "2", "0,9223372036854775810"), "xy"), TRIB_BAD_DATA, whole },
        { "negative_offset", with_tensor(entry("a", "U8", "2", "-2,0"), "xy"), TRIB_BAD_DATA, whole },
        { "backwards", with_tensor(entry("a", "U8", "2", "2,0"), "xy"), TRIB_BAD_DATA,
          "its data ends (0) before it begins (2)" },
        { "too_small", with_tensor(entry("a", "F32", "1", "0,2"), "xy"), TRIB_BAD_DATA,
          "[1] of F32 does not fill its 2 bytes" },
        { "too_large", with_tensor(entry("a", "U8", "1", "0,2"), "xy"), TRIB_BAD_DATA,
          "[1] of U8 does not fill its 2 bytes" },
    };
}

std::vector<Bad> places()
{
    auto two = [](const char *first, const char *second) {
        return raw("{" + entry("a", "U8", "2", first) + "," + entry("b", "U8", "2", second) + "}", "wxyz");
    };
    return {
        { "cut_short", with_tensor(entry("a", "U8", "4", "0,4"), "xyz"), TRIB_BAD_DATA,
          "the file has 3 bytes of data" },
        { "no_data", with_tensor(entry("a", "U8", "4", "0,4"), ""), TRIB_BAD_DATA, "truncated" },
        { "longer", with_tensor(entry("a", "U8", "2", "0,2"), "xyz"), TRIB_BAD_DATA, "1 bytes at the end of the file" },
        { "only_data", raw("{}", "x"), TRIB_BAD_DATA, "1 bytes at the end of the file" },
        { "hole_in_front", with_tensor(entry("a", "U8", "2", "1,3"), "xyz"), TRIB_BAD_DATA,
          "1 bytes before its data belong to no tensor" },
        { "hole_between", two("0,2", "3,5"), TRIB_BAD_DATA, "tensor 'b': 1 bytes before its data" },
        { "overlap", two("0,2", "1,3"), TRIB_BAD_DATA, "tensor 'b': its data begins at 1, inside the data of 'a'" },
        { "same_place", two("0,2", "0,2"), TRIB_BAD_DATA, "inside the data of 'a'" },
        { "far_away", with_tensor(entry("a", "U8", "2", "9007199254740989,9007199254740991"), "xy"), TRIB_BAD_DATA,
          "belong to no tensor" },
        { "empty_far_away", with_tensor(entry("a", "U8", "0", "8,8"), ""), TRIB_BAD_DATA, "belong to no tensor" },
        { "metadata_list", raw("{\"__metadata__\":[]}", ""), TRIB_BAD_DATA, "__metadata__ is not an object" },
        { "metadata_number", raw("{\"__metadata__\":{\"a\":1}}", ""), TRIB_BAD_DATA, "value of 'a' is not a string" },
        { "metadata_twice", raw("{\"__metadata__\":{},\"__metadata__\":{}}", ""), TRIB_BAD_DATA, "appears twice" },
        { "metadata_key_twice", raw("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", ""), TRIB_BAD_DATA,
          "'k' appears twice" },
        { "metadata_unprintable_key", raw("{\"__metadata__\":{\"\\u0007\":\"1\"}}", ""), TRIB_BAD_DATA,
          "key of __metadata__ has control characters" },
    };
}

class BadSafetensors : public testing::TestWithParam<Bad>
{
};

// In memory, ending where the allocation ends, so that the address sanitizer sees every byte too far.
TEST_P(BadSafetensors, IsRefusedInMemory)
{
    const Bad &bad = GetParam();
    const std::string bytes = bad.file();
    std::vector<char> exact(bytes.begin(), bytes.end());
    trib_safetensors *file = nullptr;
    trib_status s = trib_safetensors_parse(exact.data(), exact.size(), "memory", &file);
    EXPECT_FAILS(s, bad.code, bad.text);
    EXPECT_EQ(std::string(s.message).find("memory: "), 0u) << s.message;
    EXPECT_EQ(file, nullptr);
}

TEST_P(BadSafetensors, IsRefusedInAFile)
{
    const Bad &bad = GetParam();
    support::TemporaryFolder folder;
    std::string path = folder.file("bad.safetensors");
    support::write_file(path, bad.file());
    trib_safetensors *file = nullptr;
    trib_status s = trib_safetensors_open(path.c_str(), &file);
    EXPECT_FAILS(s, bad.code, bad.file().empty() ? "the file is empty" : bad.text);
    EXPECT_NE(std::string(s.message).find("bad.safetensors: "), std::string::npos) << s.message;
    EXPECT_EQ(file, nullptr);
}

TEST_P(BadSafetensors, IsRefusedInAPipe)
{
    const Bad &bad = GetParam();
    files::Pipe pipe(bad.file());
    trib_safetensors *file = nullptr;
    trib_status s = trib_safetensors_open(pipe.path.c_str(), &file);
    EXPECT_FAILS(s, bad.code, bad.text);
    EXPECT_NE(std::string(s.message).find("/pipe: "), std::string::npos) << s.message;
    EXPECT_EQ(file, nullptr);
}

std::string name_of(const testing::TestParamInfo<Bad> &info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Framing, BadSafetensors, testing::ValuesIn(framing()), name_of);
INSTANTIATE_TEST_SUITE_P(Json, BadSafetensors, testing::ValuesIn(json()), name_of);
INSTANTIATE_TEST_SUITE_P(Entries, BadSafetensors, testing::ValuesIn(entries()), name_of);
INSTANTIATE_TEST_SUITE_P(Places, BadSafetensors, testing::ValuesIn(places()), name_of);

trib_status open(const std::string &path)
{
    trib_safetensors *file = nullptr;
    trib_status s = trib_safetensors_open(path.c_str(), &file);
    trib_safetensors_close(file);
    return s;
}

// Every file that is cut anywhere is refused: nothing of it is believed.
TEST(BadSafetensorsFile, EveryCutIsRefused)
{
    std::string good = raw("{" + entry("a", "F32", "2", "0,8") + ",\"__metadata__\":{\"k\":\"v\"}}", "12345678");
    ASSERT_TRUE(files::parse(good));
    for (std::size_t size = 0; size < good.size(); ++size) {
        std::vector<char> cut(good.begin(), good.begin() + std::ptrdiff_t(size));
        trib_safetensors *file = nullptr;
        EXPECT_FAILS(trib_safetensors_parse(cut.data(), cut.size(), "cut", &file), TRIB_BAD_DATA, "cut");
        files::Pipe pipe(good.substr(0, size));
        EXPECT_FAILS(trib_safetensors_open(pipe.path.c_str(), &file), TRIB_BAD_DATA, "truncated");
    }
}

TEST(BadSafetensorsFile, ThingsThatAreNotFiles)
{
    support::TemporaryFolder folder;
    EXPECT_FAILS(open(folder.path()), TRIB_INVALID_ARGUMENT, "is a folder");
    EXPECT_FAILS(open("/dev/zero"), TRIB_INVALID_ARGUMENT, "is a device");
    EXPECT_FAILS(open(folder.file("none")), TRIB_NOT_FOUND, "none: cannot open: No such file or directory");
    EXPECT_FAILS(trib_safetensors_open(nullptr, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_safetensors_parse(nullptr, 5, "x", nullptr), TRIB_INVALID_ARGUMENT, "NULL");
}

// A name longer than a message must not push the reason out of it.
TEST(BadSafetensorsFile, LongNamesLeaveRoomForTheReason)
{
    std::string bytes = with_tensor(entry(std::string(100000, 'n'), "U8", "3", "0,2"), "xy");
    trib_safetensors *file = nullptr;
    EXPECT_FAILS(trib_safetensors_parse(bytes.data(), bytes.size(), std::string(5000, 'p').c_str(), &file),
                 TRIB_BAD_DATA, "does not fill its 2 bytes");
}

} // namespace
