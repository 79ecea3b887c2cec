// SPDX-License-Identifier: Apache-2.0
// Files of proposals: what is written is read, damaged lines are refused by name, and images are known by their sums.
#include <sys/stat.h>
#include <thread>

#include "detect/pictures.h"
#include "host/detect/proposal_store.h"
#include "tributary/internal/fault.h"

namespace
{

using Boxes = std::vector<trib_proposal>;

std::string sum_of(char digit) { return std::string(64, digit); }

std::string line_of(const std::string &image, const std::string &sum, Boxes boxes, int width = 100, int height = 50,
                    const char *by = "fast")
{
    trib_proposal_line line = {};
    line.image = const_cast<char *>(image.c_str());
    line.by = const_cast<char *>(by);
    sum.copy(line.sha256, 64);
    line.width = width, line.height = height;
    line.proposals = { boxes.data(), boxes.size() };
    trib_text text = {};
    trib_proposal_line_write(&line, &text);
    EXPECT_FALSE(text.failed);
    std::string out(text.bytes, text.size);
    trib_text_free(&text);
    return out;
}

struct Line {
    trib_proposal_line line = {};
    ~Line() { trib_proposal_line_release(&line); }
    Boxes boxes() const { return { line.proposals.boxes, line.proposals.boxes + line.proposals.count }; }
};

trib_status read_line(const std::string &text, Line *out)
{
    trib_proposal_line_release(&out->line);
    return trib_proposal_line_read(text.data(), text.size(), &out->line);
}

TEST(ProposalLines, AreWrittenAsDocumented)
{
    EXPECT_EQ(line_of("a/1.jpg", sum_of('7'), { { 0, 0, 100, 50 }, { 12, 3, 80, 44 } }),
              "{\"image\":\"a/1.jpg\",\"sha256\":\"" + sum_of('7') +
                  "\",\"width\":100,\"height\":50,\"by\":\"fast\",\"boxes\":[[0,0,100,50],[12,3,80,44]]}\n");
}

TEST(ProposalLines, AreReadAsWritten)
{
    for (const char *image : { "a.jpg", "with \"quotes\" and \\", "of two\nlines",
                               "gr\xc3\xbc\xc3\x9f"
                               "e.png" })
        for (const Boxes &boxes :
             { Boxes(), Boxes({ { 0, 0, 1, 1 } }), Boxes({ { 99, 49, 100, 50 }, { 3, 4, 5, 6 }, { 3, 4, 5, 6 } }) }) {
            Line l;
            ASSERT_OK(read_line(line_of(image, sum_of('a'), boxes), &l));
            EXPECT_STREQ(l.line.image, image);
            EXPECT_EQ(l.line.sha256, sum_of('a'));
            EXPECT_EQ(l.line.width, 100);
            EXPECT_EQ(l.line.height, 50);
            EXPECT_STREQ(l.line.by, "fast");
            EXPECT_EQ(l.boxes(), boxes);
        }
    Line l;
    ASSERT_OK(read_line(line_of("\xff.png", sum_of('b'), {}, 1, 1, nullptr), &l));
    EXPECT_STREQ(l.line.image, "\xef\xbf\xbd.png");
    EXPECT_EQ(l.line.by, nullptr);
}

TEST(ProposalLines, ThatLieAreRefused)
{
    const std::string good = line_of("a", sum_of('c'), { { 1, 2, 3, 4 } });
    Line l;
    ASSERT_OK(read_line(good, &l));
    auto with = [&](const std::string &from, const std::string &to) {
        std::size_t at = good.find(from);
        EXPECT_NE(at, std::string::npos);
        return good.substr(0, at) + to + good.substr(at + from.size());
    };
    auto refused = [&](const std::string &text, const char *why) {
        Line bad;
        EXPECT_FAILS(read_line(text, &bad), TRIB_BAD_DATA, why);
        EXPECT_EQ(bad.line.image, nullptr);
    };
    refused("", "");
    refused("[]", "no JSON object");
    refused(good.substr(0, good.size() - 3), "");
    refused(good + good, "");
    refused(with("\"image\":\"a\",", ""), "'image' of a line of proposals is missing");
    refused(with("\"a\"", "5"), "'image' of a line of proposals is no text");
    refused(with("\"image\"", "\"picture\""), "unknown member 'picture'");
    refused(with("\"fast\"", "[]"), "'by'");
    refused(with(sum_of('c'), sum_of('C')), "'sha256'");
    refused(with(sum_of('c'), sum_of('c') + "c"), "'sha256'");
    refused(with("\"" + sum_of('c') + "\"", "1"), "'sha256'");
    refused(with("100", "0"), "'width'");
    refused(with("100", "1e300"), "'width'");
    refused(with("50", "-50"), "'height'");
    refused(with("50", "2.5"), "'height'");
    refused(with("50", "170000000"), "'height'");
    refused(with(",\"height\":50", ""), "'height' of a line of proposals is missing");
    refused(with("[[1,2,3,4]]", "7"), "'boxes' of a line of proposals is no list");
    refused(with(",\"boxes\":[[1,2,3,4]]", ""), "'boxes' of a line of proposals is missing");
    for (const char *box : { "7", "[]", "[1,2,3]", "[1,2,3,4,5]", "[1,2,1,4]", "[3,2,1,4]", "[1,4,3,4]", "[-1,2,3,4]",
                             "[1,2,101,4]", "[1,2,3,51]", "[1,2,3,4.5]", "[1,2,3,\"4\"]", "[1,2,3,null]", "{\"x\":1}",
                             "[1,2,4294967299,4]", "[1,2,1e400,4]" })
        refused(with("[1,2,3,4]", std::string("[1,2,3,4],") + box), "");
    refused(with("[1,2,3,4]", "[1,2,3,4],[5,2,3,4]"), "box 1 ");
}

struct Store {
    trib_proposal_store *store = nullptr;
    ~Store() { trib_proposal_store_close(store); }
};

struct StoreFile : testing::Test {
    support::TemporaryFolder folder;
    std::string path = folder.file("boxes.jsonl");
    trib_status open(const std::string &text, Store *s)
    {
        support::write_file(path, text);
        return trib_proposal_store_open(path.c_str(), &s->store);
    }
};

TEST_F(StoreFile, FindsImagesByTheirSum)
{
    std::string text;
    for (char c : std::string("fa3d5b0"))
        text += line_of(std::string("image-") + c, sum_of(c), { { 1, 2, 3, c - '0' + 3 } }, 100, 90);
    text += line_of("copy", sum_of('d'), {});
    Store s;
    ASSERT_OK(open(text, &s));
    EXPECT_EQ(trib_proposal_store_count(s.store), 8u);
    for (char c : std::string("0abdf53")) {
        Line l;
        ASSERT_OK(trib_proposal_store_find(s.store, "any name", sum_of(c).c_str(), &l.line));
        EXPECT_EQ(l.line.image, std::string("image-") + c);
        EXPECT_EQ(l.boxes(), Boxes({ { 1, 2, 3, c - '0' + 3 } }));
    }
    Line l;
    EXPECT_FAILS(trib_proposal_store_find(s.store, "image-a", sum_of('1').c_str(), &l.line), TRIB_NOT_FOUND,
                 "boxes.jsonl: 'image-a' has changed");
    EXPECT_FAILS(trib_proposal_store_find(s.store, "image-b2", sum_of('1').c_str(), &l.line), TRIB_NOT_FOUND,
                 "no proposals for 'image-b2'");
}

TEST_F(StoreFile, MayBeEmptyOrLarge)
{
    Store empty, large;
    ASSERT_OK(open("", &empty));
    Line l;
    EXPECT_FAILS(trib_proposal_store_find(empty.store, "a", sum_of('1').c_str(), &l.line), TRIB_NOT_FOUND, "'a'");
    // Lines longer than what is read at a time, and pieces that end anywhere in them.
    std::string text;
    for (int i = 0; i < 12; ++i) {
        Boxes boxes;
        for (int b = 0; b < 900 * i; ++b) boxes.push_back({ b, i, b + 1 + i, 1000 + i });
        text += line_of(std::to_string(i), sum_of(char(i < 10 ? '0' + i : 'a' + i - 10)), boxes, 20000, 2000);
    }
    ASSERT_OK(open(text, &large));
    ASSERT_OK(trib_proposal_store_find(large.store, "", sum_of('b').c_str(), &l.line));
    ASSERT_EQ(l.boxes().size(), 9900u);
    EXPECT_EQ(l.boxes().back(), (trib_proposal { 9899, 11, 9911, 1011 }));
}

TEST_F(StoreFile, MayHaveSeveralImagesOfOneName)
{
    Store s;
    ASSERT_OK(open(line_of("a", sum_of('1'), { { 1, 1, 2, 2 } }) + line_of("a", sum_of('2'), { { 2, 2, 4, 4 } }), &s));
    for (char c : std::string("12")) {
        Line l;
        ASSERT_OK(trib_proposal_store_find(s.store, "a", sum_of(c).c_str(), &l.line));
        EXPECT_EQ(l.boxes()[0].x0, c - '0');
    }
    Line l;
    EXPECT_FAILS(trib_proposal_store_find(s.store, "a", sum_of('3').c_str(), &l.line), TRIB_NOT_FOUND, "has changed");
}

TEST_F(StoreFile, SaysWhichLineIsDamaged)
{
    const std::string good = line_of("a", sum_of('a'), {});
    Store s;
    EXPECT_FAILS(open(good + "{}\n", &s), TRIB_BAD_DATA, "boxes.jsonl: line 2: 'image'");
    EXPECT_FAILS(open(good + "\n" + good, &s), TRIB_BAD_DATA, "line 2");
    EXPECT_FAILS(open(good + good.substr(0, 30), &s), TRIB_BAD_DATA, "line 2 has no end");
    EXPECT_FAILS(open(std::string(1000, '\0') + "\n", &s), TRIB_BAD_DATA, "line 1");
    EXPECT_FAILS(trib_proposal_store_open(folder.file("none").c_str(), &s.store), TRIB_NOT_FOUND, "none");
    EXPECT_NE(trib_proposal_store_open(folder.path().c_str(), &s.store).code, TRIB_OK);
    EXPECT_EQ(s.store, nullptr);
}

TEST_F(StoreFile, ThatChangesMeanwhileIsNoticed)
{
    Store s;
    ASSERT_OK(open(line_of("a", sum_of('a'), {}) + line_of("b", sum_of('b'), {}), &s));
    Line l;
    support::write_file(path, line_of("a", sum_of('a'), {}));
    EXPECT_FAILS(trib_proposal_store_find(s.store, "b", sum_of('b').c_str(), &l.line), TRIB_BAD_DATA, "shorter");
    support::write_file(path, line_of("a", sum_of('c'), {}));
    EXPECT_FAILS(trib_proposal_store_find(s.store, "a", sum_of('a').c_str(), &l.line), TRIB_BAD_DATA, "has changed");
}

TEST_F(StoreFile, IsAskedFromSeveralThreads)
{
    std::string text;
    for (char c : std::string("0123456789abcdef"))
        text += line_of({ c }, sum_of(c), Boxes(std::size_t(c), { 0, 0, 9, 9 }));
    Store s;
    ASSERT_OK(open(text, &s));
    std::vector<std::thread> threads;
    std::vector<int> wrong(4, 0);
    for (int &w : wrong)
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                Line l;
                char c = "0123456789abcdef"[i % 16];
                trib_status status = trib_proposal_store_find(s.store, "", sum_of(c).c_str(), &l.line);
                w += status.code != TRIB_OK || l.line.proposals.count != std::size_t(c);
            }
        });
    for (std::thread &t : threads) t.join();
    EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST_F(StoreFile, EveryCallMayFail)
{
    support::write_file(path, line_of("a", sum_of('a'), { { 1, 2, 3, 4 } }) + line_of("b", sum_of('b'), {}));
    auto all = [&] {
        Store s;
        Line l;
        TRIB_TRY(trib_proposal_store_open(path.c_str(), &s.store));
        return trib_proposal_store_find(s.store, "a", sum_of('a').c_str(), &l.line);
    };
    trib_fault_arm(0, false);
    EXPECT_OK(all());
    int64_t calls = trib_fault_disarm();
    EXPECT_GE(calls, 30);
    for (int64_t k = 1; k <= calls; ++k) {
        trib_fault_arm(k, false);
        trib_status s = all();
        trib_fault_disarm();
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << s.code << " " << s.message;
    }
}

std::string sha256(const std::string &bytes)
{
    char text[TRIB_SHA256_TEXT];
    trib_sha256_of_bytes(bytes.data(), bytes.size(), text);
    return text;
}

// FIPS 180-4's examples, and lengths around a block beside the sum of the same bytes as a file.
TEST_F(StoreFile, SumsOfBytesAreThoseOfFiles)
{
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (std::size_t size : { 1, 55, 56, 63, 64, 65, 119, 120, 128, 5000 }) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i) bytes += char(i * 7);
        support::write_file(path, bytes);
        char text[TRIB_SHA256_TEXT];
        ASSERT_OK(trib_sha256_of_file(path.c_str(), text));
        EXPECT_EQ(sha256(bytes), text) << size;
    }
}

} // namespace
