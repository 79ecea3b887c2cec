// SPDX-License-Identifier: Apache-2.0
// Members of a shard that are not plain files: links, sparse files, devices. From a plain file, a gzipped one, a pipe.
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "data/members.h"
#include "dataset/make.h"

using support::TemporaryFolder;
using support::write_file;
using Names = std::vector<std::string>;

namespace
{

class Links : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    }
    std::vector<make::Item> read(const std::string &bytes, bool need_labels = false)
    {
        write_file(path, bytes);
        return read_path(path, need_labels);
    }
    std::vector<make::Item> read_path(const std::string &from, bool need_labels)
    {
        trib_source_options options = {};
        options.need_labels = need_labels;
        make::Source source({ from }, options);
        EXPECT_OK(source.status);
        auto items = source.all();
        passed_over = source.passed_over();
        for (auto &item : items) item.name = item.name.substr(std::min(item.name.size(), from.size() + 1));
        return items;
    }
    std::vector<make::Item> read_packed(const std::string &bytes, bool need_labels = false)
    {
        return read(make::gzip(bytes), need_labels);
    }
    std::vector<make::Item> read_pipe(const std::string &bytes, bool need_labels = false)
    {
        int ends[2];
        EXPECT_EQ(pipe(ends), 0);
        std::thread writer([&] {
            support::write_to_reader(ends[1], bytes);
            close(ends[1]);
        });
        auto items = read_path("/dev/fd/" + std::to_string(ends[0]), need_labels);
        writer.join();
        close(ends[0]);
        return items;
    }
    // However the shard is read, these are its items.
    void expect(const std::string &bytes, const std::vector<std::pair<std::string, std::string>> &wanted)
    {
        const struct {
            const char *how;
            std::vector<make::Item> items;
        } ways[] = { { "file", read(bytes) },
                     { "gzip", make::built_with_gzip() ? read_packed(bytes) : read(bytes) },
                     { "pipe", read_pipe(bytes) } };
        for (const auto &way : ways) {
            ASSERT_EQ(way.items.size(), wanted.size()) << way.how;
            for (size_t i = 0; i < wanted.size(); ++i) {
                EXPECT_EQ(way.items[i].name, wanted[i].first) << way.how;
                EXPECT_EQ(way.items[i].code, TRIB_OK) << way.how << ": " << way.items[i].message;
                EXPECT_EQ(way.items[i].bytes, wanted[i].second) << way.how;
            }
        }
    }
    TemporaryFolder t;
    std::string path = t.file("s.tar"), passed_over;
};

// Old GNU format: the data of `pieces` (offset, bytes) in a file of `size` bytes.
std::string sparse(const std::string &name, const std::vector<std::pair<size_t, std::string>> &pieces, size_t size)
{
    std::string data;
    for (const auto &p : pieces) data += p.second;
    std::string m = make::member(name, data, 'S');
    memcpy(&m[257], "ustar  ", 8);
    for (size_t i = 0; i < pieces.size(); ++i) {
        snprintf(&m[386 + 24 * i], 12, "%011o", unsigned(pieces[i].first));
        snprintf(&m[386 + 24 * i + 12], 12, "%011o", unsigned(pieces[i].second.size()));
    }
    snprintf(&m[483], 12, "%011o", unsigned(size));
    memset(&m[148], ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; ++i) sum += (unsigned char)m[size_t(i)];
    snprintf(&m[148], 8, "%06o", sum);
    return m;
}

} // namespace

TEST_F(Links, HardLinksAreTheMembersThatTheyMean)
{
    expect(make::member("a.jpg", "AA") + make::member("d/b.jpg", "", '1', "a.jpg") + make::member("c.jpg", "CC") +
               make::member("./e.jpg", "", '1', "./d/b.jpg") + make::tar_end(),
           { { "a.jpg", "AA" }, { "d/b.jpg", "AA" }, { "c.jpg", "CC" }, { "e.jpg", "AA" } });
}

TEST_F(Links, SymbolicLinksAreSeenFromTheirFolder)
{
    expect(make::member("d/a.jpg", "AA") + make::member("d/b.jpg", "", '2', "a.jpg") +
               make::member("e/c.jpg", "", '2', "../d/./b.jpg") + make::member("f.jpg", "", '2', "e//c.jpg") +
               make::tar_end(),
           { { "d/a.jpg", "AA" }, { "d/b.jpg", "AA" }, { "e/c.jpg", "AA" }, { "f.jpg", "AA" } });
}

TEST_F(Links, WhatTheyMeanNeedNotBeCalledAsAnImage)
{
    expect(make::member("objects/17", "AA") + make::member(".git/18", "BB") +
               make::member("a.jpg", "", '1', "objects/17") + make::member("b.jpg", "", '2', ".git/18") +
               make::tar_end(),
           { { "a.jpg", "AA" }, { "b.jpg", "BB" } });
}

TEST_F(Links, TheLastMemberOfANameCounts)
{
    expect(make::member("a.jpg", "old") + make::member("a.jpg", "new") + make::member("b.jpg", "", '1', "a.jpg") +
               make::tar_end(),
           { { "a.jpg", "old" }, { "a.jpg", "new" }, { "b.jpg", "new" } });
}

TEST_F(Links, NamesOfPaxHeaders)
{
    const std::string name = std::string(120, 'n') + "/\xE7\x8C\xAB.jpg";
    expect(make::pax({ { "path", name } }, make::member("a.jpg", "AA")) +
               make::pax({ { "linkpath", name } }, make::member("b.jpg", "", '1', "cut")) +
               make::pax({ { "linkpath", name } }, make::member("c.jpg", "", '2', "cut")) + make::tar_end(),
           { { name, "AA" }, { "b.jpg", "AA" }, { "c.jpg", "AA" } });
}

TEST_F(Links, OnesThatCannotBeFollowedAreFailedItems)
{
    const struct {
        std::string member, reason;
    } cases[] = {
        { make::member("x.jpg", "", '1', "later.jpg"), "link to 'later.jpg', which is not among the" },
        { make::member("x.jpg", "", '2', "later.jpg"), "link to 'later.jpg', which is not among the" },
        { make::member("x.jpg", "", '2', "x.jpg"), "link to 'x.jpg', which is not among the" },
        { make::member("x.jpg", "", '1', ""), "not a file" },
        { make::member("x.jpg", "", '2', "/etc/passwd"), "which is not in the shard" },
        { make::member("x.jpg", "", '1', "/etc/passwd"), "which is not in the shard" },
        { make::member("d/x.jpg", "", '2', "../../a.jpg"), "which is not in the shard" },
        { make::member("../x.jpg", "", '1', "a.jpg"), "absolute or has '..'" },
        { make::member("x.jpg", "", '1', "empty.jpg"), "" },
    };
    for (const auto &c : cases) {
        std::string bytes = make::member("a.jpg", "AA") + make::member("empty.jpg", "") + c.member +
                            make::member("later.jpg", "LL") + make::tar_end();
        for (const auto &items : { read(bytes), read_pipe(bytes) }) {
            ASSERT_EQ(items.size(), 4u) << c.reason;
            EXPECT_NE(items[2].code, TRIB_OK);
            EXPECT_EQ(items[2].bytes, "");
            EXPECT_NE(items[2].message.find(c.reason), std::string::npos) << items[2].message;
            EXPECT_EQ(items[3].bytes, "LL");
        }
    }
}

TEST_F(Links, LabelsMayBeLinks)
{
    std::string bytes = make::member("a.cls", "7") + make::member("a.jpg", "A") +
                        make::member("b.cls", "", '1', "a.cls") + make::member("b.jpg", "", '2', "a.jpg") +
                        make::member("c.cls", "", '1', "gone.cls") + make::member("c.jpg", "C") + make::tar_end();
    for (const auto &items : { read(bytes, true), read_pipe(bytes, true) }) {
        ASSERT_EQ(items.size(), 3u);
        EXPECT_EQ(items[1].bytes, "A");
        EXPECT_EQ(items[1].label, 7);
        EXPECT_NE(items[2].message.find("c.cls: a link to 'gone.cls'"), std::string::npos) << items[2].message;
    }
}

TEST_F(Links, OtherKindsOfMembersAreReported)
{
    std::string bytes = make::member("f.jpg", "", '6') + make::member("c.jpg", "", '3') +
                        make::member("b.jpg", "", '4') + make::member("d.jpg/", "", '5') +
                        make::member("7.jpg", "77", '7') + make::member("Z.jpg", "ZZ", 'Z') +
                        make::member("f.cls", "", '6') + make::member("link", "", '2', "7.jpg") +
                        make::member("fifo", "", '6') + make::member("a.jpg", "A") + make::tar_end();
    auto items = read(bytes);
    ASSERT_EQ(items.size(), 6u);
    const char *const reasons[] = { "is a pipe, not a file", "is a device", "is a device" };
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(items[i].code, TRIB_BAD_DATA);
        EXPECT_NE(items[i].message.find(reasons[i]), std::string::npos) << items[i].message;
    }
    EXPECT_EQ(items[3].bytes, "77"); // contiguous files, and unknown types, are plain ones by POSIX
    EXPECT_EQ(items[4].bytes, "ZZ");
    EXPECT_EQ(items[5].bytes, "A");
    EXPECT_EQ(passed_over, "1 link, 1 other");
    items = read(make::member("f.cls", "", '6') + make::member("f.jpg", "F") + make::tar_end(), true);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_NE(items[0].message.find("f.cls: the member is a pipe"), std::string::npos) << items[0].message;
}

TEST_F(Links, SparseMembersAreWhole)
{
    std::string begin(512, 'b'), end(700, 'e');
    std::string inner = begin + std::string(3584, '\0') + end,
                outer = std::string(1024, '\0') + begin + std::string(5000, '\0');
    expect(sparse("a.jpg", { { 0, begin }, { 4096, end } }, 4796) + make::member("b.jpg", "B") +
               sparse("c.jpg", { { 1024, begin }, { 6536, "" } }, 6536) + make::member("d.jpg", "", '1', "a.jpg") +
               make::member("e.jpg", "", '1', "c.jpg") +
               sparse("f.jpg", { { 1024, begin } }, 6536) + // its last hole is in the size alone
               sparse("g.jpg", { { 300, "" } }, 300) + make::tar_end(),
           { { "a.jpg", inner },
             { "b.jpg", "B" },
             { "c.jpg", outer },
             { "d.jpg", inner },
             { "e.jpg", outer },
             { "f.jpg", outer },
             { "g.jpg", std::string(300, '\0') } });
}

TEST_F(Links, OfAPlainFileReachBackAsFarAsItGoes)
{
    std::string bytes = make::member("a.jpg", "AA"), big(20 << 20, 'x');
    for (int i = 0; i < 4; ++i) bytes += make::member("big" + std::to_string(i) + ".jpg", big);
    bytes += make::member("b.jpg", "", '1', "a.jpg") + make::member("c.jpg", "", '2', "big3.jpg") + make::tar_end();
    auto items = read(bytes);
    ASSERT_EQ(items.size(), 7u);
    EXPECT_EQ(items[5].bytes, "AA");
    EXPECT_EQ(items[6].bytes, big);
    items = read_pipe(bytes);
    ASSERT_EQ(items.size(), 7u);
    EXPECT_NE(items[5].message.find("not among the last 64 MiB of members"), std::string::npos) << items[5].message;
    EXPECT_EQ(items[6].bytes, big);
}

// Another program writes to the shard while it is read: its first member has become something else.
TEST_F(Links, WhatTheyMeanIsGoneWhenTheShardIsOverwritten)
{
    write_file(path, make::member("a.jpg", "AA") + make::member("b.jpg", "", '1', "a.jpg") +
                         make::member("c.jpg", "CC") + make::tar_end());
    make::Source source({ path });
    ASSERT_OK(source.status);
    trib_item first = {};
    bool end = false;
    ASSERT_OK(trib_source_next(source.source, &first, &end));
    trib_item_release(&first);
    write_file(path, make::tar_end());
    auto items = source.all(); // the shard is short: all of it was read with its first member
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].code, TRIB_BAD_DATA);
    EXPECT_NE(items[0].message.find("the target of a link is gone"), std::string::npos) << items[0].message;
    EXPECT_EQ(items[0].bytes, "");
    EXPECT_EQ(items[1].bytes, "CC");
}

// Of a pipe, members that a link may mean later are kept, unless there is nothing to keep or too much of it. A link to
// one of those must not get the bytes of an older member of that name.
TEST_F(Links, WhatIsNotKeptOfAPipeHidesTheOlderOfItsName)
{
    for (const std::string &later : { std::string(), std::string((32 << 20) + 1, 'x') }) {
        auto items = read_pipe(make::member("data", "old") + make::member("data", later) +
                               make::member("a.jpg", "", '1', "data") + make::tar_end());
        ASSERT_EQ(items.size(), 1u);
        EXPECT_EQ(items[0].code, TRIB_NOT_FOUND);
        EXPECT_NE(items[0].message.find("a link to 'data', which is not among the last 64 MiB"), std::string::npos)
            << items[0].message;
    }
}

// The shard ends inside a member that is neither an image nor a label: that is one failure, not two.
TEST_F(Links, ACutInsideWhatIsKeptIsReportedOnce)
{
    auto items = read_pipe(make::member("a.jpg", "AA") + make::member("data", std::string(5000, 'x')).substr(0, 3000));
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].bytes, "AA");
    EXPECT_EQ(items[1].code, TRIB_BAD_DATA);
    EXPECT_NE(items[1].message.find("the shard is cut or damaged here"), std::string::npos) << items[1].message;
}

TEST(Members, TheOldestAreForgotten)
{
    trib_members members = {};
    members.most_bytes = TRIB_MAX_REMEMBERED_BYTES;
    std::vector<uint8_t> bytes(1 << 20, 7);
    for (int i = 0; i < 100; ++i) {
        std::string name = "m" + std::to_string(i);
        ASSERT_OK(trib_members_add(&members, name.c_str(), i, bytes.data(), bytes.size()));
        ASSERT_LE(members.bytes_held, size_t(TRIB_MAX_REMEMBERED_BYTES));
        ASSERT_NE(trib_members_find(&members, name.c_str()), nullptr);
    }
    EXPECT_EQ(trib_members_find(&members, "m0"), nullptr);
    EXPECT_EQ(trib_members_find(&members, "m30"), nullptr);
    ASSERT_NE(trib_members_find(&members, "m60"), nullptr);
    EXPECT_EQ(trib_members_find(&members, "m60")->position, 60);
    EXPECT_EQ(trib_members_find(&members, "m"), nullptr);
    for (int i = 0; i < 100000; ++i) // names only, and the table grows
        ASSERT_OK(trib_members_add(&members, ("n" + std::to_string(i % 60000)).c_str(), i, nullptr, 0));
    EXPECT_EQ(trib_members_find(&members, "n39999")->position, 99999);
    EXPECT_EQ(trib_members_find(&members, "n40000")->position, 40000);
    trib_members_free(&members);
    EXPECT_EQ(trib_members_find(&members, "n1"), nullptr);
}

// A link must not get the bytes of an older member because those of the newer one of that name were too many to keep.
TEST(Members, OneTooLargeToKeepHidesTheOlderOfItsName)
{
    trib_members members = {};
    members.most_bytes = 1000;
    std::vector<uint8_t> bytes(600, 7);
    ASSERT_OK(trib_members_add(&members, "a", 0, bytes.data(), 10));
    ASSERT_NE(trib_members_find(&members, "a"), nullptr);
    ASSERT_OK(trib_members_add(&members, "a", 0, bytes.data(), bytes.size()));
    EXPECT_EQ(trib_members_find(&members, "a"), nullptr);
    ASSERT_OK(trib_members_add(&members, "a", 0, bytes.data(), 20));
    ASSERT_NE(trib_members_find(&members, "a"), nullptr);
    EXPECT_EQ(trib_members_find(&members, "a")->size, 20u);
    trib_members_free(&members);
}

TEST(Members, NamesAndTargets)
{
    const struct {
        const char *link, *target, *wanted; // link nullptr: a member's own name
    } cases[] = { { nullptr, "./a//b/./c", "a/b/c" },
                  { nullptr, "a/../b", "b" },
                  { nullptr, "../a", nullptr },
                  { nullptr, "a/../..", nullptr },
                  { nullptr, "/a", nullptr },
                  { nullptr, "", "" },
                  { "d/l", "../a", "a" },
                  { "d/l", "../../a", nullptr },
                  { "l", "a/b/", "a/b" },
                  { "d/e/l", "./../f", "d/f" },
                  { "d/l", "/a", nullptr } };
    for (const auto &c : cases) {
        char *name = nullptr;
        ASSERT_OK(c.link ? trib_member_target(c.link, c.target, &name) : trib_member_name(c.target, &name));
        EXPECT_EQ(name ? std::string(name) : "(none)", c.wanted ? c.wanted : "(none)") << c.target;
        free(name);
    }
}
