// SPDX-License-Identifier: Apache-2.0
// Files that are written while a source is read: none of them is read, whatever it is called.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "dataset/make.h"

namespace fs = std::filesystem;
using support::TemporaryFolder;
using support::write_file;

namespace
{

trib_status open_with(const std::vector<std::string> &inputs, const std::string &output)
{
    const char *path = output.c_str();
    trib_source_options options = {};
    options.outputs = &path;
    options.output_count = 1;
    return make::Source(inputs, options).status;
}

TEST(Outputs, AreRefusedAsInputs)
{
    TemporaryFolder folder;
    fs::create_directories(folder.file("in/deep"));
    write_file(folder.file("in/deep/a.png"), make::png(1, 1, 1));
    write_file(folder.file("list"), folder.file("in/deep/a.png") + "\n");
    fs::create_symlink("in/deep/a.png", folder.file("link"));
    fs::create_hard_link(folder.file("in/deep/a.png"), folder.file("hard"));
    fs::create_directory_symlink("in", folder.file("linked"));
    fs::create_directory(folder.file("links"));
    fs::create_symlink(folder.file("hard"), folder.file("links/b.png"));
    for (const char *output : { "in/deep/a.png", "link", "hard", "linked/deep/../deep/a.png", "links/b.png" })
        for (const char *input : { "in", "linked", "in/deep/a.png", "link", "hard", "links" }) {
            const trib_status s = open_with({ folder.file(input) }, folder.file(output));
            EXPECT_FAILS(s, TRIB_INVALID_ARGUMENT, "is also written, as ");
        }
    EXPECT_FAILS(open_with({ "@" + folder.file("list") }, folder.file("list")), TRIB_INVALID_ARGUMENT,
                 "list: is also written");
    EXPECT_OK(open_with({ folder.file("in"), "@" + folder.file("list") }, folder.file("new.csv")));
    EXPECT_OK(open_with({ folder.file("in") }, folder.file("list")));
    EXPECT_OK(open_with({ folder.file("in") }, "/dev/null"));
}

// One that is made after the source was opened, and named by a list.
TEST(Outputs, AnItemThatTurnsOutToBeOneIsNotRead)
{
    TemporaryFolder folder;
    write_file(folder.file("a.png"), make::png(1, 1, 1));
    const std::string output = folder.file("rows.csv");
    write_file(folder.file("list"), folder.file("a.png") + "\n" + output + "\n" + folder.file("a.png") + "\n");
    const char *paths[] = { "/dev/stdout", output.c_str() };
    trib_source_options options = {};
    options.outputs = paths;
    options.output_count = 2;
    make::Source source({ "@" + folder.file("list") }, options);
    ASSERT_OK(source.status);
    write_file(output, "filename\n");
    const std::vector<make::Item> items = source.all();
    ASSERT_EQ(items.size(), 3u);
    EXPECT_EQ(items[0].code, TRIB_OK);
    EXPECT_EQ(items[1].code, TRIB_INVALID_ARGUMENT);
    EXPECT_EQ(items[1].message, output + ": is also written, as " + output + "; name another output");
    EXPECT_EQ(items[1].name, output);
    EXPECT_EQ(items[1].path, "");
    EXPECT_EQ(items[2].code, TRIB_OK);
}

// A list is read twice when a file that is to be replaced might be in it.
TEST(Outputs, WhatAListPassesOverIsCountedOnce)
{
    TemporaryFolder folder;
    write_file(folder.file("a.png"), make::png(1, 1, 1));
    write_file(folder.file("rows.csv"), "filename\n");
    write_file(folder.file("list"), folder.file("a.png") + "\n" + folder.file("._a.png") + "\n");
    const std::string output = folder.file("rows.csv");
    const char *path = output.c_str();
    trib_source_options options = {};
    options.outputs = &path;
    options.output_count = 1;
    make::Source source({ "@" + folder.file("list") }, options);
    ASSERT_OK(source.status);
    EXPECT_EQ(source.all().size(), 1u);
    EXPECT_EQ(source.passed_over(), "1 ._*");
}

TEST(SameFile, ByWhateverName)
{
    TemporaryFolder folder;
    auto same = [&](const char *a, const char *b) {
        const bool forwards = trib_same_file(folder.file(a).c_str(), folder.file(b).c_str());
        EXPECT_EQ(forwards, trib_same_file(folder.file(b).c_str(), folder.file(a).c_str())) << a << " " << b;
        return forwards;
    };
    fs::create_directory(folder.file("f"));
    write_file(folder.file("a"), "");
    write_file(folder.file("b"), "");
    fs::create_hard_link(folder.file("a"), folder.file("f/hard"));
    fs::create_symlink("../a", folder.file("f/link"));
    EXPECT_TRUE(same("a", "a"));
    EXPECT_TRUE(same("a", "f/../a"));
    EXPECT_TRUE(same("a", "f/hard"));
    EXPECT_TRUE(same("f/hard", "f/link"));
    EXPECT_FALSE(same("a", "b"));
    EXPECT_FALSE(same("f", "f")); // no regular file
    // not there yet
    fs::create_symlink("new", folder.file("soon"));
    fs::create_symlink("../soon", folder.file("f/later"));
    fs::create_symlink(folder.file("new"), folder.file("f/absolute"));
    fs::create_symlink("round", folder.file("round"));
    EXPECT_TRUE(same("new", "f/../new"));
    EXPECT_TRUE(same("new", "soon"));
    EXPECT_TRUE(same("new", "f/later"));
    EXPECT_TRUE(same("f/absolute", "f/later"));
    EXPECT_FALSE(same("new", "newer"));
    EXPECT_FALSE(same("new", "f/new"));
    EXPECT_FALSE(same("new", "a"));
    EXPECT_FALSE(same("nowhere/new", "nowhere/new"));
    EXPECT_FALSE(same("round", "a"));
    EXPECT_FALSE(trib_same_file("", folder.file("a").c_str()));
    const std::string name(300, 'n'), path = "/tmp/" + std::string(5000, 'p');
    EXPECT_FALSE(same(name.c_str(), name.c_str())); // cannot be made
    EXPECT_FALSE(trib_same_file(path.c_str(), path.c_str()));
    EXPECT_FALSE(trib_same_file("/dev/null", "/dev/null"));
}

TEST(Outputs, WithoutNamesAreAnError)
{
    TemporaryFolder folder;
    write_file(folder.file("a.png"), make::png(1, 1, 1));
    const char *none = nullptr;
    trib_source_options options = {};
    options.output_count = 1;
    EXPECT_FAILS(make::Source({ folder.file("a.png") }, options).status, TRIB_INVALID_ARGUMENT, "without names");
    options.outputs = &none;
    EXPECT_FAILS(make::Source({ folder.file("a.png") }, options).status, TRIB_INVALID_ARGUMENT, "output 0 is NULL");
    options.output_count = -1;
    EXPECT_FAILS(make::Source({ folder.file("a.png") }, options).status, TRIB_INVALID_ARGUMENT, "-1 outputs");
}

} // namespace
