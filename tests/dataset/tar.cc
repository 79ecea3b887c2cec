// SPDX-License-Identifier: Apache-2.0
// Tar shards and numbered ranges.
#include <algorithm>
#include <filesystem>

#include "data/input.h"
#include "data/names.h"
#include "dataset/make.h"
#include "tributary/internal/fault.h"

using make::Source;
using support::TemporaryFolder;
using support::write_file;
using Names = std::vector<std::string>;

static std::vector<std::string> expand(const std::string &pattern)
{
    trib_names names = {};
    trib_status s = trib_expand_ranges(pattern.c_str(), &names);
    EXPECT_EQ(s.code, TRIB_OK) << s.message;
    Names out(names.items, names.items + names.count);
    trib_names_free(&names);
    return out;
}

TEST(Ranges, Expand)
{
    EXPECT_EQ(expand("plain.tar"), Names({ "plain.tar" }));
    EXPECT_EQ(expand("a-{008..011}.tar"), Names({ "a-008.tar", "a-009.tar", "a-010.tar", "a-011.tar" }));
    EXPECT_EQ(expand("{9..10}"), Names({ "9", "10" }));
    EXPECT_EQ(expand("{0..1}/{5..6}.tar"), Names({ "0/5.tar", "0/6.tar", "1/5.tar", "1/6.tar" }));
    EXPECT_EQ(expand("{3..3}%d%s.tar"), Names({ "3%d%s.tar" }));
    EXPECT_EQ(expand("{0..99999}").size(), 100000u);
}

TEST(Ranges, MalformedOnesAreErrors)
{
    trib_names names = {};
    for (const char *bad : { "{", "a{b.tar", "{}", "{1}", "{1..}", "{..1}", "{1.2}", "{1..2", "{2..1}", "{-1..1}",
                             "{a..c}", "{1,2}", "{0..1234567890}", "{1..2}{", "{1...2}" })
        EXPECT_FAILS(trib_expand_ranges(bad, &names), TRIB_INVALID_ARGUMENT, "malformed range");
    for (const char *many : { "{0..100000}", "{0..999}{0..999}", "{0..999999999}{0..999999999}{0..999999999}" })
        EXPECT_FAILS(trib_expand_ranges(many, &names), TRIB_INVALID_ARGUMENT, "more than 100000");
    EXPECT_EQ(names.count, 0u);
}

class Tar : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
        path = t.file("s.tar");
    }
    std::vector<make::Item> read(const std::string &bytes, bool need_labels = false)
    {
        write_file(path, bytes);
        trib_source_options options = {};
        options.need_labels = need_labels;
        return make::read_all({ path }, options);
    }
    TemporaryFolder t;
    std::string path;
};

TEST_F(Tar, MembersWithImageExtensionsAreItems)
{
    auto items = read(make::tar({ { "a.jpg", "AA" }, { "a.json", "{}" }, { "./d/b.PNG", "B" }, { "c.cls", "1" } }));
    EXPECT_EQ(make::names(items), Names({ path + "/a.jpg", path + "/d/b.PNG" }));
    EXPECT_EQ(items[0].bytes, "AA");
    EXPECT_EQ(items[1].bytes, "B");
    EXPECT_EQ(items[1].label, TRIB_NO_LABEL);
    EXPECT_EQ(Source({ path }).count(), -1);
}

TEST_F(Tar, IsRecognisedByItsContentToo)
{
    write_file(t.file("shard"), make::tar({ { "a.jpg", "A" } }));
    EXPECT_EQ(make::read_all({ t.file("shard") })[0].name, t.file("shard") + "/a.jpg");
}

TEST_F(Tar, LongAndForeignNames)
{
    std::string name = std::string(150, 'n') + "/\xC3\xA4\xE7\x8C\xAB.jpg";
    auto items = read(make::member("././@LongLink", name + std::string(1, '\0'), 'L') + make::member("short.jpg", "x") +
                      make::member("\xC3\xA4.jpg", "y") + make::tar_end());
    EXPECT_EQ(make::names(items), Names({ path + "/" + name, path + "/\xC3\xA4.jpg" }));
    std::string record = "path=p/\xE7\x8C\xAB.jpg\n";
    record = std::to_string(record.size() + 3) + " " + record;
    items = read(make::member("PaxHeaders/x", record, 'x') + make::member("x.jpg", "x") + make::tar_end());
    EXPECT_EQ(make::names(items), Names({ path + "/p/\xE7\x8C\xAB.jpg" }));
}

TEST_F(Tar, GzippedShards)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    std::string bytes = make::gzip(make::tar({ { "a.jpg", "A" }, { "b.jpg", std::string(2000, 'b') } }));
    EXPECT_EQ(read(bytes).size(), 2u);
    auto items = read(bytes.substr(0, 1800));
    EXPECT_NE(items.back().code, TRIB_OK);
    write_file(t.file("s.bin"), bytes);
    EXPECT_EQ(make::read_all({ t.file("s.bin") }).size(), 2u);
}

TEST_F(Tar, LabelsComeBeforeOrAfterTheirImages)
{
    auto items = read(make::tar({ { "d.x/a.jpg", "1" },
                                  { "d.x/a.json", "{}" },
                                  { "d.x/a.cls", "7\n" },
                                  { "b.cls", " 8 " },
                                  { "b.left.jpg", "2" },
                                  { "b.right.jpg", "3" },
                                  { "c.jpg", "4" },
                                  { "e.left.png", "5" },
                                  { "e.right.png", "6" },
                                  { "e.cls", "0" },
                                  { "f.cls", "seven" },
                                  { "f.jpg", "7" },
                                  { "g.jpg", "8" },
                                  { "g.cls", "-1" },
                                  { "h.jpg", "9" },
                                  { "h.cls", std::string(100, '1') },
                                  { "i.jpg", "10" },
                                  { "i.cls", "" } }),
                      true);
    ASSERT_EQ(items.size(), 10u);
    std::vector<int> labels;
    for (const auto &item : items) labels.push_back(item.code == TRIB_OK ? item.label : -1);
    EXPECT_EQ(labels, std::vector<int>({ 7, 8, 8, -1, 0, 0, -1, -1, -1, -1 }));
    EXPECT_EQ(items[0].bytes, "1");
    EXPECT_NE(items[3].message.find("c.jpg: has no label"), std::string::npos);
    EXPECT_NE(items[6].message.find("f.cls: not a class number"), std::string::npos) << items[6].message;
    EXPECT_EQ(items[6].bytes, "");
}

TEST_F(Tar, NamesThatLeaveTheFolderAreFailedItems)
{
    auto items = read(
        make::tar({ { "../a.jpg", "A" }, { "/etc/b.jpg", "B" }, { "c/../../d.jpg", "D" }, { "e../f..jpg", "E" } }));
    ASSERT_EQ(items.size(), 4u);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(items[i].code, TRIB_BAD_DATA);
        EXPECT_NE(items[i].message.find("absolute or has '..'"), std::string::npos);
        EXPECT_EQ(items[i].bytes, "");
    }
    EXPECT_EQ(items[3].bytes, "E");
}

TEST_F(Tar, EmptyAndHugeMembers)
{
    std::string huge = make::member("huge.jpg", "");
    snprintf(&huge[124], 12, "%011o", 0x7FFFFFFFu);
    memset(&huge[148], ' ', 8);
    unsigned sum = 0;
    for (char c : huge) sum += (unsigned char)c;
    snprintf(&huge[148], 8, "%06o", sum);
    auto items = read(make::member("empty.jpg", "") + huge);
    ASSERT_EQ(items.size(), 3u); // and the shard's early end
    EXPECT_NE(items[0].message.find("is empty"), std::string::npos);
    EXPECT_NE(items[1].message.find("2147483647 bytes are too many"), std::string::npos);
}

// Wherever a shard is cut: what is whole is given, in order, and the cut is reported.
TEST_F(Tar, CutAtEveryBlock)
{
    for (bool labels : { false, true }) {
        Names wanted;
        std::string whole;
        std::vector<size_t> ends; // of the image members
        for (int i = 0; i < 4; ++i) {
            std::string key = std::string(1, char('a' + i));
            whole += make::member(key + ".cls", "1");
            whole += make::member(key + ".jpg", std::string(size_t(700 * (i + 1)), key[0]));
            ends.push_back(whole.size());
        }
        whole += make::tar_end();
        for (size_t n = 0; n < whole.size(); n += 512) {
            for (size_t more : { 0, 1, 511 }) {
                if (n + more >= whole.size() - 512) continue; // half an end marker is one
                auto items = read(whole.substr(0, n + more), labels);
                size_t good = 0;
                for (size_t end : ends) good += end <= n + more;
                ASSERT_GE(items.size(), good);
                size_t given = 0;
                for (const auto &item : items) given += item.code == TRIB_OK;
                EXPECT_LE(given - good, 1u); // a member's padding may be missing
                for (size_t i = 0; i < given; ++i) {
                    EXPECT_EQ(items[i].bytes, std::string(700 * (i + 1), char('a' + i)));
                    EXPECT_EQ(items[i].label, labels ? 1 : TRIB_NO_LABEL);
                }
                if (n + more >= ends.back() + 512) continue; // inside the end marker
                ASSERT_GT(items.size(), given) << n + more;
                EXPECT_NE(items.back().message.find(path), std::string::npos);
                EXPECT_LE(items.size(), given + 2);
            }
        }
        EXPECT_EQ(read(whole, labels).size(), 4u);
    }
}

TEST_F(Tar, ADamagedHeaderIsReportedOnceAndPassedOver)
{
    std::string bad = make::member("b.jpg", std::string(3000, 'b'));
    bad[10] ^= 1;
    auto items = read(make::member("a.jpg", "A") + bad + make::member("c.jpg", "C") + make::tar_end());
    EXPECT_EQ(make::names(items), Names({ path + "/a.jpg", path, path + "/c.jpg" }));
    EXPECT_EQ(items[1].code, TRIB_BAD_DATA);
}

TEST_F(Tar, WhatIsNoTarFile)
{
    for (const std::string &bytes : { std::string(), std::string("x"), std::string(5000, 'x') }) {
        auto items = read(bytes);
        ASSERT_EQ(items.size(), 1u);
        EXPECT_EQ(items[0].name, path);
        EXPECT_EQ(items[0].code, TRIB_BAD_DATA) << items[0].message;
    }
}

TEST_F(Tar, ShardsOfARangeInOrderAndAllThere)
{
    for (int i = 8; i < 12; ++i) {
        char name[16];
        snprintf(name, sizeof name, "s-%03d.tar", i);
        write_file(t.file(name), make::tar({ { "a.jpg", std::to_string(i) } }));
    }
    auto items = make::read_all({ t.file("s-{008..011}.tar") });
    ASSERT_EQ(items.size(), 4u);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(items[i].bytes, std::to_string(i + 8));
    EXPECT_EQ(items[3].index, 3);
    EXPECT_FAILS(Source({ t.file("s-{008..012}.tar") }).status, TRIB_NOT_FOUND, "s-012.tar");
    EXPECT_FAILS(Source({ t.file("s-{008..}.tar") }).status, TRIB_INVALID_ARGUMENT, "malformed range");
    write_file(t.file("odd{name.tar"), make::tar({ { "a.jpg", "odd" } }));
    EXPECT_EQ(make::read_all({ t.file("odd{name.tar") }).size(), 1u);
}

TEST_F(Tar, ManyImagesOfOneSampleAreNotHeldForEver)
{
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += make::member("a." + std::to_string(i) + ".jpg", "x");
    auto items = read(bytes + make::member("a.cls", "3") + make::tar_end(), true);
    ASSERT_EQ(items.size(), 1000u);
    EXPECT_NE(items[0].code, TRIB_OK);
    EXPECT_EQ(items[999].label, 3);
}

TEST_F(Tar, LongNamesWithoutALabelAreNotRepeated)
{
    const std::string key(61, 'k'), dotted = "k." + std::string(61, 'x');
    auto items = read(make::tar({ { key + ".jpg", "A" }, { dotted + ".jpg", "B" } }), true);
    ASSERT_EQ(items.size(), 2u);
    for (const auto &item : items) {
        EXPECT_EQ(item.code, TRIB_NOT_FOUND);
        EXPECT_NE(item.message.find("has no label: there is no .cls member beside it"), std::string::npos)
            << item.message;
    }
}

// Its size is what a member's header says, which may be wrong: memory is taken as bytes arrive.
TEST_F(Tar, MemoryOfALargeMemberGrowsAndMayFail)
{
    const std::string large(5 << 20, 'L');
    write_file(path, make::tar({ { "a.jpg", large }, { "b.jpg", "B" } }));
    int failures = 0;
    for (int64_t k = 1;; ++k) {
        ASSERT_LT(k, 1000);
        Source source({ path });
        ASSERT_OK(source.status);
        trib_item item = {};
        bool end = false;
        trib_fault_arm(k, false);
        trib_status s = trib_source_next(source.source, &item, &end);
        const bool reached = trib_fault_disarm() >= k;
        if (!trib_failed(&s)) s = item.status;
        EXPECT_EQ(trib_failed(&s), reached) << k << ": " << s.message;
        if (!trib_failed(&s)) {
            EXPECT_EQ(std::string(reinterpret_cast<char *>(item.bytes), item.size), large);
        }
        failures += std::string(s.message).find("/a.jpg: out of memory") != std::string::npos;
        trib_item_release(&item);
        if (!reached) break;
    }
    EXPECT_GE(failures, 4); // 1, 2, 4 and 5 MiB
}

// WebDataset's key ends at the first dot, but people's file names have more of them.
TEST_F(Tar, LabelsBesideNamesWithSeveralDots)
{
    auto items = read(make::tar({ { "2024.01.15.cls", "1" },
                                  { "2024.01.15.jpg", "A" },
                                  { "2024.01.16.jpg", "B" },
                                  { "2024.01.16.cls", "2" },
                                  { "2024.01.17.jpg", "C" },
                                  { "a.left.jpg", "D" },
                                  { "a.right.jpg", "E" },
                                  { "a.cls", "4" },
                                  { "a.left.cls", "3" },
                                  { "v1.2/b.jpg", "F" },
                                  { "v1.2/b.cls", "5" },
                                  { "c.1.jpg", "G" },
                                  { "c.1.cls", "x" } }),
                      true);
    ASSERT_EQ(items.size(), 7u);
    std::vector<int> labels;
    for (const auto &item : items) labels.push_back(item.code == TRIB_OK ? item.label : -1);
    EXPECT_EQ(labels, std::vector<int>({ 1, 2, -1, 3, 4, 5, -1 }));
    EXPECT_NE(items[2].message.find("there is no 2024.01.17.cls or 2024.cls beside it (members belong together up to "
                                    "the first dot"),
              std::string::npos)
        << items[2].message;
    EXPECT_NE(items[6].message.find("c.1.cls: not a class number"), std::string::npos) << items[6].message;
}
