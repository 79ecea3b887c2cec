// SPDX-License-Identifier: Apache-2.0
// Names that are no images and no classes: passed over, and counted.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "data/passed_over.h"
#include "dataset/make.h"

namespace fs = std::filesystem;
using make::Source;
using support::TemporaryFolder;
using support::write_file;
using Names = std::vector<std::string>;

static void put(const TemporaryFolder &t, const std::vector<std::string> &names)
{
    for (const std::string &name : names) {
        fs::create_directories(fs::path(t.file(name)).parent_path());
        write_file(t.file(name), "x");
    }
}

TEST(PassedOver, HiddenNamesAndWhatSystemsLeave)
{
    TemporaryFolder t;
    put(t, { "a/1.jpg", "a/._1.jpg", "a/.2.jpg", "a/Thumbs.db", "a/thumbs.db", ".ipynb_checkpoints/1-checkpoint.jpg",
             "__MACOSX/a/._1.jpg", "__MACOSX/a/2.jpg", "b/@eaDir/3.jpg/SYNO.jpg", "b/4.jpg", "lost+found/x.jpg",
             "a/.DS_Store", "a/desktop.ini" });
    trib_source_options labels = {};
    labels.need_labels = true;
    Source source({ t.path() }, labels);
    ASSERT_OK(source.status);
    auto items = source.all();
    EXPECT_EQ(make::names(items), Names({ t.file("a/1.jpg"), t.file("b/4.jpg") }));
    EXPECT_EQ(items[0].label, 0); // ".ipynb_checkpoints" sorts before "a"
    EXPECT_EQ(items[1].label, 1);
    EXPECT_EQ(source.passed_over(), "1 ._*, 1 @eaDir, 2 Thumbs.db, 1 __MACOSX, 1 desktop.ini, 3 hidden, 1 lost+found");
}

// Hidden names may be meant; what a shell found for `photos/*` is not always.
TEST(PassedOver, NamedInputs)
{
    TemporaryFolder t;
    put(t, { ".hidden/1.jpg", "._a.jpg", "Thumbs.db", "__MACOSX/._b.jpg", "__MACOSX/c.jpg", ".d.jpg" });
    Source source({ t.file(".hidden"), t.file("._a.jpg"), t.file("Thumbs.db"), t.file("__MACOSX"), t.file("__MACOSX//"),
                    t.file("__MACOSX/c.jpg"), t.file(".d.jpg"), t.file(".hidden") + "/../.hidden/." });
    ASSERT_OK(source.status);
    EXPECT_EQ(make::names(source.all()), Names({ t.file(".hidden/1.jpg"), t.file("__MACOSX/c.jpg"), t.file(".d.jpg"),
                                                 t.file(".hidden/../.hidden/./1.jpg") }));
    EXPECT_EQ(source.passed_over(), "1 ._*, 1 Thumbs.db, 2 __MACOSX");
    EXPECT_FAILS(Source({ t.file("._a.jpg") }).status, TRIB_NOT_FOUND, "._a.jpg: ignored, because it has");
    EXPECT_FAILS(Source({ t.file("._gone.jpg") }).status, TRIB_NOT_FOUND, "cannot find it");
}

TEST(PassedOver, FilesAreCountedByTheirExtension)
{
    TemporaryFolder t;
    put(t, { "a.jfif", "b.jpe", "c.JPE", "d.gif", "e.GIF", "f.heic", "g.avif", "h.tif", "i.bmp", "readme", "j.",
             "k.a b", "l.verylongextension", "m.tar.gz" });
    Source source({ t.path() });
    EXPECT_EQ(make::names(source.all()), Names({ t.file("a.jfif"), t.file("b.jpe"), t.file("c.JPE") }));
    EXPECT_EQ(source.passed_over(), "1 .avif, 1 .bmp, 2 .gif, 1 .gz, 1 .heic, 1 .tif, 4 other");
    TemporaryFolder none;
    put(none, { "a.gif", "b.gif" });
    EXPECT_FAILS(Source({ none.path() }).status, TRIB_NOT_FOUND, "passed over: 2 .gif");
}

TEST(PassedOver, KindsAreBounded)
{
    trib_passed_list list = {};
    for (int i = 0; i < 100; ++i) trib_pass_over_file(&list, ("x." + std::to_string(1000 + i)).c_str());
    trib_pass_over_file(&list, "x.1000");
    EXPECT_EQ(list.count, TRIB_MAX_PASSED_KINDS);
    int64_t total = 0;
    for (int i = 0; i < list.count; ++i) total += list.kinds[i].count;
    EXPECT_EQ(total, 101);
    EXPECT_STREQ(list.kinds[0].kind, ".1000");
    EXPECT_EQ(list.kinds[0].count, 2);
    EXPECT_STREQ(list.kinds[list.count - 1].kind, "other");
    char text[20];
    trib_passed_over_text(list.kinds, list.count, text, sizeof text);
    EXPECT_STREQ(text, "2 .1000, 1 .1001, 1");
}

TEST(PassedOver, ListsMeanWhatTheySay)
{
    TemporaryFolder t;
    write_file(t.file("l"), ".a.jpg\n./b/.c/d.jpg\n../e.jpg\n/lost+found/f.jpg\n._g.jpg\nh/._i.jpg\n/x/__MACOSX/j.jpg\n"
                            "Thumbs.db\nk.jpg\n");
    Source source({ "@" + t.file("l") });
    auto items = source.all();
    EXPECT_EQ(make::names(items), Names({ ".a.jpg", "./b/.c/d.jpg", "../e.jpg", "/lost+found/f.jpg", "k.jpg" }));
    EXPECT_EQ(items[4].index, 4);
    EXPECT_EQ(source.passed_over(), "2 ._*, 1 Thumbs.db, 1 __MACOSX");
}

TEST(PassedOver, InShardsToo)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    TemporaryFolder t;
    write_file(t.file("s.tar"), make::tar({ { "./a.jpg", "A" },
                                            { "./._a.jpg", "x" },
                                            { "__MACOSX/._a.jpg", "x" },
                                            { "__MACOSX/a.jpg", "x" },
                                            { ".ipynb_checkpoints/b.jpg", "x" },
                                            { "d/.b.jpg", "x" },
                                            { "Thumbs.db", "x" },
                                            { "b.gif", "x" },
                                            { "a.json", "x" },
                                            { "._a.cls", "x" },
                                            { "a.cls", "3" } }));
    for (bool need_labels : { false, true }) {
        trib_source_options options = {};
        options.need_labels = need_labels;
        Source source({ t.file("s.tar") }, options);
        auto items = source.all();
        ASSERT_EQ(make::names(items), Names({ t.file("s.tar") + "/a.jpg" }));
        EXPECT_EQ(items[0].label, need_labels ? 3 : TRIB_NO_LABEL);
        EXPECT_EQ(source.passed_over(), "2 ._*, 1 .gif, 1 .json, 1 Thumbs.db, 2 __MACOSX, 2 hidden");
    }
}

// A pipe in a folder has no writer that waits for us: it must not be waited for.
TEST(PassedOver, PipesSocketsAndDevicesInFoldersAreFailedItems)
{
    TemporaryFolder t;
    put(t, { "a.jpg" });
    ASSERT_EQ(mkfifo(t.file("b.jpg").c_str(), 0600), 0);
    fs::create_symlink("b.jpg", t.file("c.jpg"));
    fs::create_symlink("/dev/zero", t.file("d.jpg"));
    ASSERT_EQ(mkfifo(t.file("fifo").c_str(), 0600), 0);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", t.file("e.jpg").c_str());
    ASSERT_EQ(bind(s, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
    Source source({ t.path() });
    auto items = source.all();
    close(s);
    ASSERT_EQ(items.size(), 5u);
    const char *const reasons[] = { "", "is a pipe", "is a pipe", "is a device", "is a socket" };
    for (size_t i = 1; i < 5; ++i) {
        EXPECT_EQ(items[i].code, TRIB_BAD_DATA);
        EXPECT_NE(items[i].message.find(reasons[i]), std::string::npos) << items[i].message;
    }
    EXPECT_EQ(source.passed_over(), "1 other");
}
