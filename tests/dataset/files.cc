// SPDX-License-Identifier: Apache-2.0
// Files, folders, class folders and lists.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "data/file.h"
#include "data/input.h"
#include "dataset/make.h"
#include "tributary/internal/fault.h"

namespace fs = std::filesystem;
using make::Source;
using support::TemporaryFolder;
using support::write_file;
using Names = std::vector<std::string>;

static trib_source_options with_labels(const char *const *names = nullptr, int count = 0)
{
    trib_source_options options = {};
    options.need_labels = true;
    options.class_names = names;
    options.class_count = count;
    return options;
}

TEST(Files, NamedFilesAreTakenWhateverTheirName)
{
    TemporaryFolder t;
    write_file(t.file("b.txt"), "x");
    write_file(t.file("a.jpg"), "");
    Source source({ t.file("b.txt"), t.file("a.jpg") });
    ASSERT_OK(source.status);
    EXPECT_EQ(source.count(), 2);
    auto items = source.all();
    EXPECT_EQ(make::names(items), Names({ t.file("b.txt"), t.file("a.jpg") }));
    EXPECT_EQ(items[1].index, 1);
    EXPECT_EQ(items[1].path, t.file("a.jpg"));
    EXPECT_EQ(items[1].label, TRIB_NO_LABEL);
}

TEST(Files, MissingOnesFailBeforeTheRun)
{
    TemporaryFolder t;
    write_file(t.file("a.jpg"), "x");
    EXPECT_FAILS(Source({ t.file("a.jpg"), t.file("gone.jpg") }).status, TRIB_NOT_FOUND, "gone.jpg");
    EXPECT_FAILS(Source({ t.file("a.jpg/inside") }).status, TRIB_NOT_FOUND, "inside");
    EXPECT_FAILS(Source({ "" }).status, TRIB_NOT_FOUND, "''");
    EXPECT_FAILS(Source({}).status, TRIB_INVALID_ARGUMENT, "no inputs");
}

TEST(Files, ALinkToNowhereIsOneFailedItem)
{
    TemporaryFolder t;
    fs::create_symlink("nowhere", t.file("a.jpg"));
    EXPECT_EQ(make::read_all({ t.file("a.jpg") }).size(), 1u);
    uint8_t *bytes = nullptr;
    size_t size = 0;
    EXPECT_FAILS(trib_read_whole(t.file("a.jpg").c_str(), &bytes, &size), TRIB_NOT_FOUND, "a.jpg: cannot open");
}

TEST(Files, OnlyRegularFilesAreRead)
{
    TemporaryFolder t;
    uint8_t *bytes = nullptr;
    size_t size = 0;
    ASSERT_EQ(mkfifo(t.file("pipe.jpg").c_str(), 0600), 0);
    EXPECT_FAILS(trib_read_whole(t.file("pipe.jpg").c_str(), &bytes, &size), TRIB_INVALID_ARGUMENT, "is a pipe");
    EXPECT_OK(Source({ t.file("pipe.jpg") }).status); // and looking at it does not wait for a writer
    EXPECT_FAILS(trib_read_whole(t.path().c_str(), &bytes, &size), TRIB_INVALID_ARGUMENT, "is a folder");
    EXPECT_FAILS(trib_read_whole("/dev/null", &bytes, &size), TRIB_INVALID_ARGUMENT, "is a device");
    write_file(t.file("empty.jpg"), "");
    EXPECT_FAILS(trib_read_whole(t.file("empty.jpg").c_str(), &bytes, &size), TRIB_BAD_DATA, "is empty");
    write_file(t.file("huge.jpg"), "x");
    fs::resize_file(t.file("huge.jpg"), uintmax_t(TRIB_MAX_FILE_BYTES) + 1);
    EXPECT_FAILS(trib_read_whole(t.file("huge.jpg").c_str(), &bytes, &size), TRIB_BAD_DATA, "too many");
}

TEST(Files, AreReadWhole)
{
    TemporaryFolder t;
    write_file(t.file("a.jpg"), std::string(70000, 'a'));
    uint8_t *bytes = nullptr;
    size_t size = 0;
    ASSERT_OK(trib_read_whole(t.file("a.jpg").c_str(), &bytes, &size));
    EXPECT_EQ(std::string(reinterpret_cast<char *>(bytes), size), std::string(70000, 'a'));
    free(bytes);
}

TEST(Files, ALongNameLeavesRoomForTheReason)
{
    std::string path = "/nowhere";
    for (int i = 0; i < 100; ++i) path += "/\xC3\xA4rger";
    EXPECT_FAILS(Source({ path }).status, TRIB_NOT_FOUND, "rger: cannot find it: No such file");
}

TEST(Folders, AreWalkedInTheByteOrderOfPaths)
{
    TemporaryFolder t;
    for (const char *name :
         { "b.jpg", "a/z.PNG", "a-b.webp", "a.jpeg", "a/b/c.Jpg", "a/notes.txt", "B.jpg", "a/b.png" }) {
        fs::create_directories(fs::path(t.file(name)).parent_path());
        write_file(t.file(name), "x");
    }
    fs::create_directory(t.file("empty.jpg")); // a folder, whatever it is called
    Names wanted;
    for (const char *name : { "B.jpg", "a-b.webp", "a.jpeg", "a/b.png", "a/b/c.Jpg", "a/z.PNG", "b.jpg" })
        wanted.push_back(t.file(name));
    EXPECT_EQ(make::names(make::read_all({ t.path() })), wanted);
    EXPECT_EQ(make::names(make::read_all({ t.path() + "/" })), wanted); // no double slash
    EXPECT_EQ(Source({ t.path() }).count(), 7);
}

TEST(Folders, WithoutImagesAreAnError)
{
    TemporaryFolder t;
    fs::create_directories(t.file("a/b"));
    write_file(t.file("a/readme.md"), "x");
    EXPECT_FAILS(Source({ t.path() }).status, TRIB_NOT_FOUND, t.path() + ": a folder without images");
}

// Then the reason is the first of these.
TEST(Folders, InWhichEverythingFailsAreAnError)
{
    TemporaryFolder t;
    fs::create_directories(t.file("a"));
    fs::create_directory_symlink(t.file("a"), t.file("a/back"));
    EXPECT_FAILS(Source({ t.file("a") }).status, TRIB_BAD_DATA, t.file("a") + ": a folder without images: ");
    EXPECT_FAILS(Source({ t.file("a") }).status, TRIB_BAD_DATA, "a loop: it leads back to the folder");
}

TEST(Folders, LinksAreFollowedAndLoopsReported)
{
    TemporaryFolder t;
    fs::create_directories(t.file("a/b"));
    fs::create_directories(t.file("elsewhere"));
    write_file(t.file("elsewhere/e.jpg"), "x");
    write_file(t.file("a/1.jpg"), "x");
    fs::create_directory_symlink(t.file("a"), t.file("a/b/back"));
    fs::create_directory_symlink(t.file("elsewhere"), t.file("a/linked"));
    fs::create_symlink("nowhere", t.file("a/dangling.jpg"));
    auto items = make::read_all({ t.file("a") });
    EXPECT_EQ(make::names(items),
              Names({ t.file("a/1.jpg"), t.file("a/b/back"), t.file("a/dangling.jpg"), t.file("a/linked/e.jpg") }));
    EXPECT_EQ(items[1].code, TRIB_BAD_DATA);
    EXPECT_NE(items[1].message.find("a loop: it leads back to the folder " + t.file("a")), std::string::npos);
    EXPECT_EQ(items[1].path, "");
}

TEST(Folders, DepthIsLimited)
{
    TemporaryFolder t;
    std::string path = t.path();
    write_file(t.file("a.jpg"), "x");
    for (int i = 0; i < 140; ++i) path += "/d";
    fs::create_directories(path);
    write_file(path + "/deep.jpg", "x");
    auto items = make::read_all({ t.path() });
    ASSERT_EQ(items.size(), 2u);
    EXPECT_NE(items[1].message.find("nested more than 128 deep"), std::string::npos);
}

TEST(Folders, LinksThatMultiplyAreStopped)
{
    TemporaryFolder t;
    const int n = 18; // each folder leads twice to the next: 2^18 ways
    for (int i = 0; i <= n; ++i) fs::create_directory(t.file("d" + std::to_string(i)));
    for (int i = 0; i < n; ++i) {
        fs::create_directory_symlink(t.file("d" + std::to_string(i + 1)), t.file("d" + std::to_string(i) + "/x"));
        fs::create_directory_symlink(t.file("d" + std::to_string(i + 1)), t.file("d" + std::to_string(i) + "/y"));
    }
    write_file(t.file("d" + std::to_string(n) + "/a.jpg"), "x");
    EXPECT_FAILS(Source({ t.file("d0") }).status, TRIB_BAD_DATA, "reached through links");
}

TEST(ClassFolders, SortedAsStrings)
{
    TemporaryFolder t;
    for (const char *name : { "a-b/1.jpg", "a/2.jpg", "a/deep/3.jpg", "zebra/4.jpg", "loose.jpg" }) {
        fs::create_directories(fs::path(t.file(name)).parent_path());
        write_file(t.file(name), "x");
    }
    fs::create_directory(t.file("m_empty"));
    Source source({ t.path() }, with_labels());
    ASSERT_OK(source.status);
    int count = 0;
    const char *const *names = trib_source_class_names(source.source, &count);
    EXPECT_EQ(Names(names, names + count), Names({ "a", "a-b", "m_empty", "zebra" }));
    std::vector<int> labels;
    for (const auto &item : source.all()) {
        labels.push_back(item.label);
        EXPECT_EQ(item.code, item.name == t.file("loose.jpg") ? TRIB_NOT_FOUND : TRIB_OK) << item.message;
    }
    EXPECT_EQ(labels, std::vector<int>({ 1, 0, 0, TRIB_NO_LABEL, 3 }));
}

TEST(ClassFolders, SeveralFoldersShareTheirClasses)
{
    TemporaryFolder t;
    for (const char *name : { "one/b/1.jpg", "two/a/2.jpg", "two/b/3.jpg" }) {
        fs::create_directories(fs::path(t.file(name)).parent_path());
        write_file(t.file(name), "x");
    }
    auto items = make::read_all({ t.file("one"), t.file("two") }, with_labels());
    ASSERT_EQ(items.size(), 3u);
    EXPECT_EQ(items[0].label, 1);
    EXPECT_EQ(items[1].label, 0);
    EXPECT_EQ(items[2].label, 1);
}

TEST(ClassFolders, MatchTheModelsClasses)
{
    TemporaryFolder t;
    for (const char *name : { "cat/1.jpg", "dog/2.jpg" }) {
        fs::create_directories(fs::path(t.file(name)).parent_path());
        write_file(t.file(name), "x");
    }
    const char *const model[] = { "dog", "bird", "cat", "bird" };
    auto items = make::read_all({ t.path() }, with_labels(model, 4));
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].label, 2);
    EXPECT_EQ(items[1].label, 0);
    const char *const other[] = { "dog", "fish" };
    EXPECT_FAILS(Source({ t.path() }, with_labels(other, 2)).status, TRIB_BAD_DATA, "'cat' is not a class");
    EXPECT_FAILS(Source({ t.path() }, with_labels(other, 2)).status, TRIB_BAD_DATA, "dog, fish");
    EXPECT_FAILS(Source({ t.path() }, with_labels(other, 2)).status, TRIB_BAD_DATA, "found: cat, dog");
    fs::create_directory(t.file("bird"));
    write_file(t.file("bird/3.jpg"), "x");
    EXPECT_FAILS(Source({ t.path() }, with_labels(model, 4)).status, TRIB_BAD_DATA, "more than one class named");
}

TEST(ClassFolders, AFolderOfLooseImagesHasNoClasses)
{
    TemporaryFolder t;
    write_file(t.file("a.jpg"), "x");
    EXPECT_FAILS(Source({ t.path() }, with_labels()).status, TRIB_BAD_DATA, "no class folders");
}

TEST(Lists, OnePathPerLine)
{
    TemporaryFolder t;
    write_file(t.file("l"), "\xEF\xBB\xBFone.jpg\r\n\r\n  \t\n#two.jpg\n three .jpg\nlast");
    Source source({ "@" + t.file("l") });
    ASSERT_OK(source.status);
    EXPECT_EQ(source.count(), -1);
    auto items = source.all();
    EXPECT_EQ(make::names(items), Names({ "one.jpg", "#two.jpg", " three .jpg", "last" }));
    EXPECT_EQ(items[3].path, "last");
    EXPECT_EQ(items[3].index, 3);
}

TEST(Lists, LongAndBinaryLinesAreFailedItems)
{
    TemporaryFolder t;
    std::string text = "a.jpg\n" + std::string(8192, 'x') + "\n" + std::string(8193, 'y') + "\r\nb.jpg\n" +
                       std::string(300000, 'z') + "\nc.jpg\nd" + std::string(1, '\0') + "e\n" + std::string(70000, 'w');
    write_file(t.file("l"), text);
    auto items = make::read_all({ "@" + t.file("l") });
    ASSERT_EQ(items.size(), 8u);
    EXPECT_EQ(items[1].name.size(), 8192u);
    EXPECT_NE(items[2].message.find("line 3 is too long"), std::string::npos) << items[2].message;
    EXPECT_EQ(items[3].name, "b.jpg");
    EXPECT_NE(items[4].message.find("line 5 is too long"), std::string::npos);
    EXPECT_EQ(items[5].name, "c.jpg");
    EXPECT_NE(items[6].message.find("line 7 has a zero byte"), std::string::npos);
    EXPECT_NE(items[7].message.find("line 8 is too long"), std::string::npos);
}

TEST(Lists, BadOnesFailAtOnce)
{
    TemporaryFolder t;
    EXPECT_FAILS(Source({ "@" + t.file("gone") }).status, TRIB_NOT_FOUND, "gone");
    EXPECT_FAILS(Source({ "@" + t.path() }).status, TRIB_IO_ERROR, "cannot read the list");
    EXPECT_FAILS(Source({ "@" }).status, TRIB_INVALID_ARGUMENT, "@list.txt");
    write_file(t.file("empty"), "");
    EXPECT_EQ(make::read_all({ "@" + t.file("empty") }).size(), 0u);
}

namespace
{

// Standard input replaced by a pipe, for one test.
class StandardInput
{
  public:
    StandardInput()
    {
        EXPECT_EQ(pipe(ends_), 0);
        saved_ = dup(STDIN_FILENO);
        dup2(ends_[0], STDIN_FILENO);
        close(ends_[0]);
    }
    ~StandardInput()
    {
        dup2(saved_, STDIN_FILENO);
        close(saved_);
        finish();
    }
    void put(const std::string &text) { EXPECT_EQ(write(ends_[1], text.data(), text.size()), ssize_t(text.size())); }
    void finish()
    {
        if (ends_[1] >= 0) close(ends_[1]);
        ends_[1] = -1;
    }

  private:
    int ends_[2], saved_;
};

} // namespace

TEST(Lists, StandardInputStreams)
{
    StandardInput in;
    Source source({ "-" });
    ASSERT_OK(source.status);
    trib_item item = {};
    bool end = false;
    in.put("first.jpg\nsec"); // nothing more is needed for the first line
    ASSERT_OK(trib_source_next(source.source, &item, &end));
    EXPECT_STREQ(item.name, "first.jpg");
    trib_item_release(&item);
    in.put("ond.jpg");
    in.finish();
    auto rest = source.all();
    EXPECT_EQ(make::names(rest), Names({ "second.jpg" }));
}

TEST(Lists, WaitingForStandardInputCanBeInterrupted)
{
    StandardInput in;
    Source source({ "-" });
    ASSERT_OK(source.status);
    trib_item item = {};
    bool end = false;
    in.put("half");
    trib_source_interrupt(source.source);
    EXPECT_FAILS(trib_source_next(source.source, &item, &end), TRIB_CANCELLED, "standard input");
    trib_source_clear_interrupt(source.source);
    in.put(".jpg\n");
    ASSERT_OK(trib_source_next(source.source, &item, &end)); // nothing was lost
    EXPECT_STREQ(item.name, "half.jpg");
    trib_item_release(&item);
}

TEST(Lists, LabelsAreAskedForInVain)
{
    TemporaryFolder t;
    write_file(t.file("l"), "a.jpg\n");
    auto items = make::read_all({ "@" + t.file("l") }, with_labels());
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].code, TRIB_NOT_FOUND);
    EXPECT_NE(items[0].message.find("a.jpg: has no label"), std::string::npos);
    EXPECT_EQ(items[0].path, "");
}

TEST(Sources, WrongArgumentsAreRefused)
{
    trib_source *none = nullptr;
    const char *const inputs[] = { "a.jpg", nullptr };
    EXPECT_FAILS(trib_source_open(nullptr, 1, nullptr, &none), TRIB_INVALID_ARGUMENT, "no inputs");
    EXPECT_FAILS(trib_source_open(inputs, 0, nullptr, &none), TRIB_INVALID_ARGUMENT, "no inputs");
    EXPECT_FAILS(trib_source_open(inputs, 2, nullptr, &none), TRIB_INVALID_ARGUMENT, "input 1 of 2 is NULL");
    trib_source_options options = {};
    options.class_names = inputs;
    EXPECT_FAILS(Source({ "a.jpg" }, options).status, TRIB_INVALID_ARGUMENT, "class names with a count of 0");
    options.class_count = -1;
    EXPECT_FAILS(Source({ "a.jpg" }, options).status, TRIB_INVALID_ARGUMENT, "class names with a count of -1");
    options = {};
    options.labels_path = "/dev/fd/987";
    EXPECT_FAILS(Source({ "a.jpg" }, options).status, TRIB_IO_ERROR, "/dev/fd/987: is closed");
    EXPECT_EQ(none, nullptr);
}

// What could not be read is lost, and so is the place: nothing more comes from such a source.
TEST(Sources, StayFailed)
{
    TemporaryFolder t;
    write_file(t.file("a.jpg"), "a");
    write_file(t.file("b.jpg"), "b");
    Source source({ t.file("a.jpg"), t.file("b.jpg") });
    ASSERT_OK(source.status);
    trib_item item = {};
    bool end = false;
    trib_fault_arm(1, false);
    EXPECT_FAILS(trib_source_next(source.source, &item, &end), TRIB_OUT_OF_MEMORY, "a.jpg: out of memory");
    trib_fault_disarm();
    EXPECT_FAILS(trib_source_next(source.source, &item, &end), TRIB_OUT_OF_MEMORY, "a.jpg: out of memory");
}

TEST(Sources, KeepTheOrderOfTheirInputs)
{
    TemporaryFolder t;
    fs::create_directory(t.file("f"));
    write_file(t.file("f/a.jpg"), "x");
    write_file(t.file("l"), "listed.jpg\n");
    write_file(t.file("idx"), make::idx_images(2, 3, 4));
    auto items = make::read_all({ t.file("idx"), "@" + t.file("l"), t.file("f"), t.file("l") });
    EXPECT_EQ(make::names(items),
              Names({ t.file("idx") + "#0", t.file("idx") + "#1", "listed.jpg", t.file("f/a.jpg"), t.file("l") }));
    for (size_t i = 0; i < items.size(); ++i) EXPECT_EQ(items[i].index, int64_t(i));
}

// A build without a library says which one, before the run.
TEST(Sources, MissingLibrariesAreNamed)
{
    TemporaryFolder t;
    write_file(t.file("a.tar"), make::tar({ { "a.jpg", "A" } }));
    write_file(t.file("a.gz"), make::gzip(make::idx_images(1, 2, 2)));
    Source tar({ t.file("a.tar") }), gz({ t.file("a.gz") });
    EXPECT_TRUE(tar.status.code == TRIB_OK ||
                std::string(tar.status.message).find("no libarchive") != std::string::npos);
    EXPECT_TRUE(gz.status.code == TRIB_OK || std::string(gz.status.message).find("no zlib") != std::string::npos);
}
