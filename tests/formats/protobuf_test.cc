// SPDX-License-Identifier: Apache-2.0
// Protocol buffers and their text form, field by field.
#include <memory>

#include "formats/protobuf.h"
#include "formats/text_format.h"
#include "formats/wire.h"
#include "support/support.h"

namespace
{

// Numbers of the fields, with their types; the reader sees memory of exactly this size.
std::string fields(const std::string &text, trib_status *status)
{
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    std::memcpy(exact.get(), text.data(), text.size());
    trib_pb message = trib_pb_of(exact.get(), text.size());
    trib_pb_field f;
    std::string seen;
    while (trib_pb_next(&message, &f)) seen += std::to_string(f.number) + ":" + std::to_string(int(f.type)) + " ";
    *status = trib_pb_end(&message);
    return seen;
}

std::string good(const std::string &text)
{
    trib_status s;
    std::string seen = fields(text, &s);
    EXPECT_OK(s);
    return seen;
}

trib_status bad(const std::string &text)
{
    trib_status s;
    fields(text, &s);
    return s;
}

TEST(Protobuf, FieldsOfAllTypes)
{
    EXPECT_EQ(good(""), "");
    EXPECT_EQ(good(wire::number(1, -1) + wire::bytes(2, "") + wire::single(3, 1) + wire::twice(536870911, 1)),
              "1:0 2:2 3:5 536870911:1 ");
    const std::string group =
        wire::key(9, 3) + wire::number(1, 5) + wire::key(4, 3) + wire::key(4, 4) + wire::key(9, 4);
    EXPECT_EQ(good(group + wire::number(2, 0)), "2:0 ");
}

TEST(Protobuf, NumbersKeepTheirBits)
{
    const std::string text =
        wire::number(1, INT64_MIN) + wire::single(2, 0.75f) + wire::twice(3, 0.5) + wire::number(4, -7);
    trib_pb message = trib_pb_of(text.data(), text.size());
    trib_pb_field f;
    ASSERT_TRUE(trib_pb_next(&message, &f));
    EXPECT_EQ(std::int64_t(f.value), INT64_MIN);
    for (float wanted : { 0.75f, 0.5f, -7.0f }) {
        ASSERT_TRUE(trib_pb_next(&message, &f));
        EXPECT_EQ(trib_pb_float(&f), wanted);
    }
}

TEST(Protobuf, RepeatedNumbersArePackedOrNot)
{
    const std::string text =
        wire::number(1, 3) + wire::bytes(1, wire::varint(4) + wire::varint(500)) + wire::number(1, -1);
    trib_pb message = trib_pb_of(text.data(), text.size());
    trib_pb_field f;
    std::int64_t values[3] = {};
    int count = 0;
    while (trib_pb_next(&message, &f)) EXPECT_OK(trib_pb_take_integers(&f, values, 3, &count));
    EXPECT_EQ(count, 4); // one more than there was room for
    EXPECT_EQ(values[0] + values[1] + values[2], 507);
    const std::string cut = wire::bytes(1, "\x80"), fixed = wire::single(1, 1);
    for (const std::string &wrong : { cut, fixed }) {
        message = trib_pb_of(wrong.data(), wrong.size());
        ASSERT_TRUE(trib_pb_next(&message, &f));
        EXPECT_FAILS(trib_pb_take_integers(&f, values, 3, &count), TRIB_BAD_DATA, "number");
    }
}

TEST(Protobuf, DamageIsNamedWithItsPlace)
{
    const std::string one = wire::number(1, 1);
    EXPECT_FAILS(bad(one + std::string(10, '\xFF') + "\1"), TRIB_BAD_DATA, "more than 64 bits (at byte 2)");
    EXPECT_FAILS(bad(one + "\x80"), TRIB_BAD_DATA, "(varint) goes on after the end");
    EXPECT_FAILS(bad(one + wire::key(1, 0)), TRIB_BAD_DATA, "a field is cut off at the end");
    EXPECT_FAILS(bad(wire::key(1, 5) + "abc"), TRIB_BAD_DATA, "a number goes on after the end");
    EXPECT_FAILS(bad(wire::key(1, 1) + "abcdefg"), TRIB_BAD_DATA, "a number goes on after the end");
    EXPECT_FAILS(bad(wire::key(1, 2) + wire::varint(4) + "abc"), TRIB_BAD_DATA, "length");
    EXPECT_FAILS(bad(wire::key(1, 2) + wire::varint(UINT64_MAX)), TRIB_BAD_DATA, "length");
    EXPECT_FAILS(bad(wire::key(0, 0) + "\1"), TRIB_BAD_DATA, "the number 0");
    EXPECT_FAILS(bad(wire::key(1u << 29, 0) + "\1"), TRIB_BAD_DATA, "29 bits");
    EXPECT_FAILS(bad(wire::key(1, 6)), TRIB_BAD_DATA, "wire type");
    EXPECT_FAILS(bad(wire::key(1, 4)), TRIB_BAD_DATA, "not begun");
    EXPECT_FAILS(bad(wire::key(1, 3) + wire::key(2, 4)), TRIB_BAD_DATA, "not begun");
    EXPECT_FAILS(bad(wire::key(1, 3)), TRIB_BAD_DATA, "a group has no end");
    std::string deep;
    for (int i = 0; i < 30000; ++i) deep += wire::key(50, 3);
    EXPECT_FAILS(bad(deep), TRIB_BAD_DATA, "nested more than 100 deep");
}

TEST(Protobuf, NamesHaveNoControlCharacters)
{
    const auto is_name = [](const std::string &text) {
        const trib_pb bytes = trib_pb_of(text.data(), text.size());
        return trib_pb_is_name(&bytes);
    };
    EXPECT_TRUE(is_name("inception_3a/1x1"));
    EXPECT_TRUE(is_name("Gr\xC3\xB6\xC3\x9F"
                        "e"));
    for (const char *wrong : { "", "a\x1b[2J", "a\x7F", "a\xC2\x9B", "a\xC3", "\xFF" }) EXPECT_FALSE(is_name(wrong));
    EXPECT_FALSE(is_name(std::string("a\0b", 3)));
    const std::string odd = "a\x1b\xFF" + std::string(200, 'b');
    const trib_pb bytes = trib_pb_of(odd.data(), odd.size());
    EXPECT_EQ(std::string(trib_pb_show(&bytes).text), "a??" + std::string(124, 'b'));
}

// ---- text ----

std::string text_of(const std::string &text, trib_status *status)
{
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    std::memcpy(exact.get(), text.data(), text.size());
    trib_tf tf = trib_tf_of(exact.get(), text.size());
    trib_tf_field f = {};
    std::string seen;
    while (trib_tf_next(&tf, &f)) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.17g", f.number);
        seen += f.kind == TRIB_TF_CLOSE    ? "}"
                : f.kind == TRIB_TF_OPEN   ? f.name + std::string("{")
                : f.kind == TRIB_TF_NUMBER ? f.name + std::string("=") + digits
                                           : f.name + std::string("=") + f.text;
        seen += " ";
    }
    *status = trib_tf_end(&tf, &f);
    return seen;
}

std::string read(const std::string &text)
{
    trib_status s;
    std::string seen = text_of(text, &s);
    EXPECT_OK(s);
    return seen;
}

TEST(TextFormat, FieldsAndMessages)
{
    EXPECT_EQ(read(""), "");
    EXPECT_EQ(read("# only a comment"), "");
    EXPECT_EQ(read("a:1 b { c: MAX; d < e: 'x' >, } # end\nf: true"), "a=1 b{ c=MAX d{ e=x } } f=true ");
    EXPECT_EQ(read("a: { b: 1 } c: [1, 2,3] d: [ 'x' 'y' ]"), "a{ b=1 } c=1 c=2 c=3 d=xy ");
}

TEST(TextFormat, Numbers)
{
    EXPECT_EQ(read("a: 0 a: -3 a: 0x1F a: 017"), "a=0 a=-3 a=31 a=15 ");
    EXPECT_EQ(read("a: 0.0001 a: 1e-4 a: .75 a: 2.5E2 a: 1.5f a: - 0.5"),
              "a=0.0001 a=0.0001 a=0.75 a=250 a=1.5 a=-0.5 ");
}

TEST(TextFormat, Strings)
{
    EXPECT_EQ(read("a: \"x\\x41\\102\\n\" 'y' b: 'it''s'"), "a=xAB\ny b=its ");
    EXPECT_EQ(read("a: '" + std::string(1000, 'x') + "'").size(), std::size_t(TRIB_TF_TEXT - 1 + 3));
}

TEST(TextFormat, ErrorsNameTheLine)
{
    const std::pair<std::string, const char *> cases[] = {
        { "a: 1\nb {", "line 2: the end comes before a closing brace" },
        { "}", "line 1: a brace closes" },
        { "a { >", "a brace closes" },
        { "a: 'x\n'", "no closing quote on its line" },
        { "a: 'x", "no closing quote" },
        { "a: '\\", "no closing quote" },
        { "a: '\\q'", "unknown escape" },
        { "a: 99999999999999999999", "more than 64 bits (at 'a')" },
        { "a: 1e999", "out of range" },
        { "a: 1e", "no exponent" },
        { "a: -", "no digits" },
        { "a: 12abc", "followed by letters" },
        { "a: 08", "followed by letters" },
        { "a", "neither ':' nor a brace" },
        { "a:", "no value before the end" },
        { "a: [1, 2", "no value before the end" },
        { ": 1", "a field's name is missing" },
        { std::string("a\0", 2), "neither" },
    };
    for (const auto &c : cases) {
        trib_status s;
        text_of(c.first, &s);
        EXPECT_FAILS(s, TRIB_BAD_DATA, c.second);
    }
    std::string deep;
    for (int i = 0; i < 30000; ++i) deep += "a{";
    trib_status s;
    text_of(deep, &s);
    EXPECT_FAILS(s, TRIB_BAD_DATA, "nested more than 32 deep");
}

} // namespace
