// SPDX-License-Identifier: Apache-2.0
#include "tributary/status.h"

#include <cstring>
#include <set>
#include <string>

#include "support/support.h"
#include "tributary/version.h"

namespace
{

trib_status with_message(const std::string &text) { return TRIB_ERROR(TRIB_BAD_DATA, "%s", text.c_str()); }

bool is_utf8(const std::string &text)
{
    for (std::size_t i = 0; i < text.size();) {
        unsigned char lead = static_cast<unsigned char>(text[i]);
        std::size_t more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        if (lead >= 0x80 && lead < 0xC0) return false;
        if (i + more >= text.size()) return false;
        for (std::size_t k = 1; k <= more; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

TEST(Status, SuccessIsEmpty)
{
    trib_status s = trib_success();
    EXPECT_FALSE(trib_failed(&s));
    EXPECT_STREQ(s.message, "");
    EXPECT_EQ(s.file, nullptr);
    EXPECT_EQ(s.vendor_code, 0);
}

TEST(Status, ErrorSaysWhatAndWhere)
{
    trib_status s = TRIB_VENDOR_ERROR(TRIB_IO_ERROR, 28, "write", "cannot write %s: %d bytes left", "a.txt", 3);
    const int line = __LINE__ - 1;
    EXPECT_TRUE(trib_failed(&s));
    EXPECT_EQ(s.code, TRIB_IO_ERROR);
    EXPECT_EQ(s.vendor_code, 28);
    EXPECT_EQ(s.line, line);
    EXPECT_STREQ(s.call, "write");
    EXPECT_NE(std::strstr(s.file, "status_test.cc"), nullptr);
    EXPECT_STREQ(s.message, "cannot write a.txt: 3 bytes left");
}

TEST(Status, ContextGoesInFront)
{
    trib_status s = with_message("no such layer");
    trib_add_context(&s, "model %d", 7);
    trib_add_context(&s, "file.safetensors");
    EXPECT_STREQ(s.message, "file.safetensors: model 7: no such layer");
    EXPECT_EQ(s.code, TRIB_BAD_DATA);
}

TEST(Status, ContextLeavesSuccessAlone)
{
    trib_status s = trib_success();
    trib_add_context(&s, "context");
    EXPECT_STREQ(s.message, "");
}

TEST(Status, LongMessagesAreCutAtTheEnd)
{
    trib_status s = with_message("start " + std::string(2000, 'x'));
    EXPECT_EQ(std::strlen(s.message), std::size_t(TRIB_MESSAGE_SIZE - 1));
    EXPECT_EQ(std::string(s.message).substr(0, 7), "start x");
    trib_add_context(&s, "%s", std::string(2000, 'c').c_str());
    EXPECT_EQ(std::string(s.message), std::string(TRIB_MESSAGE_SIZE - 1, 'c'));
}

TEST(Status, ContextCutsTheMessageNotItself)
{
    trib_status s = with_message(std::string(TRIB_MESSAGE_SIZE - 1, 'm'));
    trib_add_context(&s, "name");
    EXPECT_EQ(std::string(s.message).substr(0, 7), "name: m");
    EXPECT_EQ(std::strlen(s.message), std::size_t(TRIB_MESSAGE_SIZE - 1));
}

TEST(Status, NeverCutsACharacter)
{
    for (const char *character : { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8A" }) // 2, 3 and 4 bytes
        for (int shift = 0; shift < 4; ++shift) {
            std::string text(std::size_t(shift), 'a');
            while (text.size() < 600) text += character;
            trib_status s = with_message(text);
            EXPECT_TRUE(is_utf8(s.message)) << shift << " " << character;
            EXPECT_GE(std::strlen(s.message), std::size_t(TRIB_MESSAGE_SIZE - 4));
            trib_add_context(&s, "%s", "contexts");
            EXPECT_TRUE(is_utf8(s.message)) << shift << " " << character;
            EXPECT_GE(std::strlen(s.message), std::size_t(TRIB_MESSAGE_SIZE - 4));
        }
}

TEST(Status, WholeCharactersAtTheEndStay)
{
    for (const char *text : { "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8A", "a" })
        EXPECT_STREQ(with_message(text).message, text);
}

TEST(Status, CodesHaveNames)
{
    std::set<std::string> names;
    for (int code = TRIB_OK; code <= TRIB_INTERNAL; ++code) names.insert(trib_code_name(trib_code(code)));
    EXPECT_EQ(names.size(), std::size_t(TRIB_INTERNAL + 1));
    EXPECT_EQ(names.count("unknown code"), 0u);
    EXPECT_STREQ(trib_code_name(trib_code(99)), "unknown code");
}

trib_status try_both(bool first, bool second, int *reached)
{
    TRIB_TRY(first ? trib_success() : with_message("first"));
    *reached = 1;
    TRIB_TRY(second ? trib_success() : with_message("second"));
    *reached = 2;
    return trib_success();
}

TEST(Status, TryReturnsTheFirstFailure)
{
    int reached = 0;
    EXPECT_FAILS(try_both(false, false, &reached), TRIB_BAD_DATA, "first");
    EXPECT_EQ(reached, 0);
    EXPECT_FAILS(try_both(true, false, &reached), TRIB_BAD_DATA, "second");
    EXPECT_EQ(reached, 1);
    EXPECT_OK(try_both(true, true, &reached));
    EXPECT_EQ(reached, 2);
}

trib_status acquire(bool first, bool second, int *released)
{
    trib_status s;
    TRIB_TRY_GOTO(s, done, first ? trib_success() : with_message("first"));
    TRIB_TRY_GOTO(s, done, second ? trib_success() : with_message("second"));
done:
    ++*released;
    return trib_outcome(&s);
}

TEST(Status, TryGotoHasOneExitAndNeedsNoSuccessBefore)
{
    int released = 0;
    EXPECT_FAILS(acquire(false, true, &released), TRIB_BAD_DATA, "first");
    EXPECT_FAILS(acquire(true, false, &released), TRIB_BAD_DATA, "second");
    EXPECT_OK(acquire(true, true, &released));
    EXPECT_EQ(released, 3);
}

TEST(Status, AnOutcomeIsTheWholeFailureOrAnEmptySuccess)
{
    trib_status failure = TRIB_VENDOR_ERROR(TRIB_IO_ERROR, 5, "read", "cannot read");
    trib_status s = trib_outcome(&failure);
    EXPECT_EQ(s.code, TRIB_IO_ERROR);
    EXPECT_EQ(s.vendor_code, 5);
    EXPECT_EQ(s.line, failure.line);
    EXPECT_EQ(s.file, failure.file);
    EXPECT_STREQ(s.call, "read");
    EXPECT_STREQ(s.message, "cannot read");
    failure = trib_success();
    s = trib_outcome(&failure);
    EXPECT_FALSE(trib_failed(&s));
    EXPECT_STREQ(s.message, "");
    EXPECT_EQ(s.call, nullptr);
}

TEST(Version, HeaderAndLibraryAgree)
{
    EXPECT_STREQ(trib_version(), TRIB_VERSION);
    EXPECT_EQ(std::to_string(TRIB_VERSION_MAJOR) + "." + std::to_string(TRIB_VERSION_MINOR) + "." +
                  std::to_string(TRIB_VERSION_PATCH),
              TRIB_VERSION);
}

} // namespace
