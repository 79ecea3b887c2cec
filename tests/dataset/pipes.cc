// SPDX-License-Identifier: Apache-2.0
// Pipes as inputs: read as they come, once, and never waited for in a way that cannot be interrupted.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "data/file.h"
#include "data/input.h"
#include "dataset/make.h"

using make::Source;
using support::TemporaryFolder;
using support::write_file;
using support::write_to_reader;
using Names = std::vector<std::string>;

namespace
{

// Something to read under the name of a descriptor, and a thread that writes it.
class Written
{
  public:
    explicit Written(const std::string &bytes, bool socket = false)
    {
        EXPECT_EQ(socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) : pipe(ends_), 0);
        writer_ = std::thread([this, bytes] {
            write_to_reader(ends_[1], bytes);
            close(ends_[1]);
        });
    }
    ~Written()
    {
        close(ends_[0]);
        writer_.join();
    }
    std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

  private:
    int ends_[2];
    std::thread writer_;
};

// A FIFO in the file system whose writer comes late.
class Fifo
{
  public:
    Fifo(const std::string &path, const std::string &bytes) : path_(path)
    {
        EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
        writer_ = std::thread([this, bytes] {
            int fd = open(path_.c_str(), O_WRONLY);
            usleep(20000);
            write_to_reader(fd, bytes);
            close(fd);
        });
    }
    ~Fifo() { writer_.join(); }

  private:
    std::string path_;
    std::thread writer_;
};

// Standard input replaced for one test.
class StandardInput
{
  public:
    explicit StandardInput(int fd) : saved_(dup(STDIN_FILENO))
    {
        if (fd >= 0)
            dup2(fd, STDIN_FILENO);
        else
            close(STDIN_FILENO);
    }
    ~StandardInput()
    {
        dup2(saved_, STDIN_FILENO);
        close(saved_);
    }

  private:
    int saved_;
};

trib_source_options with_labels(const char *path = nullptr)
{
    trib_source_options options = {};
    options.need_labels = true;
    options.labels_path = path;
    return options;
}

} // namespace

TEST(Pipes, AnImage)
{
    for (bool socket : { false, true }) {
        for (size_t size : { 1, 3, 4095, 4096, 4097, 70000, 3000000 }) {
            std::string bytes = "\x89PNG" + std::string(size, 'x');
            Written pipe(bytes, socket);
            Source source({ pipe.path() });
            ASSERT_OK(source.status);
            EXPECT_EQ(source.count(), -1);
            auto items = source.all();
            ASSERT_EQ(items.size(), 1u);
            EXPECT_EQ(items[0].name, pipe.path());
            EXPECT_EQ(items[0].path, "");
            EXPECT_EQ(items[0].bytes, bytes);
        }
    }
}

TEST(Pipes, AnImageIsBounded)
{
    int zero = open("/dev/zero", O_RDONLY), ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread writer([&] {
        std::string zeros(1 << 20, '\1');
        while (write_to_reader(ends[1], zeros) == zeros.size()) continue; // for ever
        close(ends[1]);
    });
    {
        Source source({ "/proc/self/fd/" + std::to_string(ends[0]) });
        auto items = source.all();
        ASSERT_EQ(items.size(), 1u);
        EXPECT_EQ(items[0].code, TRIB_BAD_DATA);
        EXPECT_NE(items[0].message.find("too many for an image file"), std::string::npos) << items[0].message;
        EXPECT_EQ(items[0].bytes, "");
    }
    close(ends[0]);
    close(zero);
    writer.join();
}

TEST(Pipes, AnEmptyOneIsAFailedItem)
{
    Written pipe("");
    auto items = make::read_all({ pipe.path() });
    ASSERT_EQ(items.size(), 1u);
    EXPECT_NE(items[0].message.find("the pipe is empty"), std::string::npos) << items[0].message;
}

TEST(Pipes, FifosMayWaitForOneAnother)
{
    TemporaryFolder t;
    std::string first(200000, 'a'), second(200000, 'b'); // more than a pipe holds
    Fifo a(t.file("a.jpg"), first), b(t.file("b.jpg"), second);
    auto items = make::read_all({ t.file("b.jpg"), t.file("a.jpg") });
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].bytes, second);
    EXPECT_EQ(items[1].bytes, first);
}

TEST(Pipes, Shards)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    std::string big(100000, 'b'),
        tar = make::tar({ { "a.jpg", "A" }, { "a.cls", "3" }, { "b.jpg", big }, { "b.cls", "4" } });
    Names all = { tar };
    if (make::built_with_gzip()) all.push_back(make::gzip(tar));
    for (const std::string &bytes : all) {
        Written pipe(bytes);
        auto items = make::read_all({ pipe.path() }, with_labels());
        ASSERT_EQ(make::names(items), Names({ pipe.path() + "/a.jpg", pipe.path() + "/b.jpg" }));
        EXPECT_EQ(items[1].bytes, big);
        EXPECT_EQ(items[1].label, 4);
    }
    Written cut(tar.substr(0, 3000));
    auto items = make::read_all({ cut.path() });
    EXPECT_NE(items.back().code, TRIB_OK);
    TemporaryFolder t;
    Fifo zero(t.file("s-0.tar"), tar);
    write_file(t.file("s-1.tar"), tar);
    EXPECT_EQ(make::read_all({ t.file("s-{0..1}.tar") }).size(), 4u);
}

// Its writer must not be told that nobody reads what comes behind the end marker.
TEST(Pipes, AShardIsReadToItsEnd)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::string bytes = make::tar({ { "a.jpg", "A" } }) + std::string(300000, '\0');
    std::atomic<bool> all_read = false;
    std::thread writer([&] {
        all_read = write_to_reader(ends[1], bytes) == bytes.size();
        close(ends[1]);
    });
    std::string path = "/dev/fd/" + std::to_string(ends[0]);
    {
        Source source({ path });
        StandardInput keep(ends[0]); // the pipe stays readable when the source closes its own end
        EXPECT_EQ(source.all().size(), 1u);
        close(ends[0]);
    }
    writer.join();
    EXPECT_TRUE(all_read);
}

TEST(Pipes, IdxFiles)
{
    std::string images = make::idx_images(3, 40, 50), labels = make::idx_labels({ 1, 2, 3 });
    std::vector<std::pair<std::string, std::string>> all = { { images, labels } };
    if (make::built_with_gzip()) all.push_back({ make::gzip(images), make::gzip(labels) });
    for (const auto &bytes : all) {
        Written pipe(bytes.first), label_pipe(bytes.second);
        auto items = make::read_all({ pipe.path() }, with_labels(label_pipe.path().c_str()));
        ASSERT_EQ(items.size(), 3u) << items[0].message;
        EXPECT_EQ(items[2].name, pipe.path() + "#2");
        EXPECT_EQ(items[2].width, 50);
        EXPECT_EQ(items[2].label, 3);
    }
    Written no_labels(images), cut(images.substr(0, 5000));
    EXPECT_NE(make::read_all({ no_labels.path() }, with_labels())[0].message.find("cannot guess its file of labels"),
              std::string::npos);
    auto items = make::read_all({ cut.path() });
    ASSERT_EQ(items.size(), 3u);
    EXPECT_NE(items[2].message.find("truncated inside image 2"), std::string::npos) << items[2].message;
}

TEST(Pipes, LabelsBelongToIdxFiles)
{
    TemporaryFolder t;
    write_file(t.file("labels"), make::idx_labels({ 1 }));
    std::string labels = t.file("labels");
    Written image("x"), one(make::idx_images(1, 2, 2)), other("y");
    auto items = make::read_all({ image.path() }, with_labels(labels.c_str()));
    ASSERT_EQ(items.size(), 1u);
    EXPECT_NE(items[0].message.find("labels belong to an IDX file"), std::string::npos) << items[0].message;
    if (make::built_with_tar()) {
        Written shard(make::tar({ { "a.jpg", "A" } }));
        items = make::read_all({ shard.path() }, with_labels(labels.c_str()));
        ASSERT_EQ(items.size(), 1u);
        EXPECT_NE(items[0].message.find("but this is a tar shard"), std::string::npos) << items[0].message;
    }
    EXPECT_FAILS(Source({ one.path(), other.path() }, with_labels(labels.c_str())).status, TRIB_INVALID_ARGUMENT,
                 "there are 2");
}

TEST(Pipes, Lists)
{
    TemporaryFolder t;
    Written pipe("a.jpg\nb.jpg\n"), socket("c.jpg\n", true);
    EXPECT_EQ(make::names(make::read_all({ "@" + pipe.path(), "@" + socket.path() })),
              Names({ "a.jpg", "b.jpg", "c.jpg" }));
    Fifo late(t.file("l"), "d.jpg");
    EXPECT_EQ(make::names(make::read_all({ "@" + t.file("l") })), Names({ "d.jpg" }));
}

// What nobody writes to: an image, a list. Reading waits, and can be told not to.
TEST(Pipes, WaitingForAWriterCanBeInterrupted)
{
    TemporaryFolder t;
    ASSERT_EQ(mkfifo(t.file("p").c_str(), 0600), 0);
    for (const std::string &input : { t.file("p"), "@" + t.file("p") }) {
        Source source({ input });
        ASSERT_OK(source.status);
        trib_item item = {};
        bool end = false;
        std::thread interrupter([&] {
            usleep(20000);
            trib_source_interrupt(source.source);
        });
        EXPECT_FAILS(trib_source_next(source.source, &item, &end), TRIB_CANCELLED, "cancelled");
        interrupter.join();
        trib_source_clear_interrupt(source.source);
        // Nothing was lost: the writer may still come.
        std::thread writer([&] {
            int fd = open(t.file("p").c_str(), O_WRONLY);
            write_to_reader(fd, "x.jpg");
            close(fd);
        });
        ASSERT_OK(trib_source_next(source.source, &item, &end));
        EXPECT_FALSE(end);
        EXPECT_EQ(item.status.code, TRIB_OK);
        trib_item_release(&item);
        writer.join();
    }
}

TEST(Pipes, WaitingInsideAShardOrAnIdxFileCanBeInterrupted)
{
    Names beginnings = { make::idx_images(5, 100, 100).substr(0, 6000) };
    if (make::built_with_gzip()) beginnings.push_back(make::gzip(make::idx_images(5, 100, 100)).substr(0, 6000));
    if (make::built_with_tar()) {
        beginnings.push_back(make::tar({ { "a.jpg", std::string(9000, 'a') } }).substr(0, 6000));
        beginnings.push_back(make::tar({ { "other", std::string(9000, 'a') } }).substr(0, 6000));
        beginnings.push_back(make::tar({ { "other", std::string(100, 'a') } }));
    }
    for (const std::string &bytes : beginnings) {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        write_to_reader(ends[1], bytes);
        Source source({ "/dev/fd/" + std::to_string(ends[0]) });
        ASSERT_OK(source.status);
        std::thread interrupter([&] {
            usleep(20000);
            trib_source_interrupt(source.source);
        });
        trib_item item = {};
        bool end = false;
        EXPECT_FAILS(trib_source_next(source.source, &item, &end), TRIB_CANCELLED, "cancelled");
        interrupter.join();
        close(ends[0]);
        close(ends[1]);
    }
}

// A program's signal handlers do not end the wait for a slow writer.
TEST(Pipes, ASignalDoesNotDisturb)
{
    static std::atomic<int> signals;
    signals = 0;
    struct sigaction counts = {}, before;
    counts.sa_handler = [](int) { ++signals; }; // without SA_RESTART
    ASSERT_EQ(sigaction(SIGUSR1, &counts, &before), 0);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pthread_t reader = pthread_self();
    std::thread writer([&] {
        for (int i = 0; i < 20; ++i) {
            pthread_kill(reader, SIGUSR1);
            usleep(1000);
        }
        write_to_reader(ends[1], "an image");
        close(ends[1]);
    });
    auto items = make::read_all({ "/dev/fd/" + std::to_string(ends[0]) });
    writer.join();
    close(ends[0]);
    sigaction(SIGUSR1, &before, nullptr);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].bytes, "an image");
    EXPECT_GT(signals, 0);
}

TEST(Pipes, WhatCannotBeReadSaysWhy)
{
    TemporaryFolder t;
    uint8_t *bytes = nullptr;
    size_t size = 0;
    ASSERT_EQ(mkfifo(t.file("p").c_str(), 0600), 0);
    // The loader reads what lists name on several threads: a pipe has no place there.
    EXPECT_FAILS(trib_read_whole(t.file("p").c_str(), &bytes, &size), TRIB_INVALID_ARGUMENT,
                 "is a pipe, not a file; pipes are read only as inputs, not from lists or folders");
    int fd = open("/dev/null", O_WRONLY);
    EXPECT_FAILS(Source({ "/dev/fd/" + std::to_string(fd) }).status, TRIB_IO_ERROR, "not open for reading");
    EXPECT_FAILS(Source({ "@/dev/fd/" + std::to_string(fd) }).status, TRIB_IO_ERROR, "not open for reading");
    close(fd);
    EXPECT_FAILS(Source({ "/dev/fd/" + std::to_string(fd) }).status, TRIB_IO_ERROR, "is closed");
}

TEST(StandardInput, ThatIsClosedIsReported)
{
    TemporaryFolder t;
    write_file(t.file("x-images-idx3-ubyte"), make::idx_images(1, 2, 2));
    StandardInput closed(-1);
    // An IDX file stays open, and would be descriptor 0.
    for (const char *input : { "-", "@-", "@/dev/stdin", "/dev/stdin" })
        EXPECT_FAILS(Source({ t.file("x-images-idx3-ubyte"), input }).status, TRIB_IO_ERROR, "is closed");
    EXPECT_LT(fcntl(STDIN_FILENO, F_GETFD), 0);
}

TEST(StandardInput, ThatIsOpenForWritingIsReported)
{
    int fd = open("/dev/null", O_WRONLY);
    StandardInput wrong(fd);
    close(fd);
    EXPECT_FAILS(Source({ "-" }).status, TRIB_IO_ERROR, "standard input: is closed, or not open for reading");
}

TEST(StandardInput, NoFileOfOursTakesItsPlace)
{
    TemporaryFolder t;
    write_file(t.file("a"), "x");
    StandardInput closed(-1);
    int fd = -1;
    int64_t size = 0;
    ASSERT_OK(trib_open_regular(t.file("a").c_str(), &fd, &size));
    EXPECT_GT(fd, STDERR_FILENO);
    close(fd);
}

TEST(StandardInput, AsAnImage)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    write_to_reader(ends[1], "image");
    close(ends[1]);
    StandardInput in(ends[0]);
    close(ends[0]);
    auto items = make::read_all({ "/dev/stdin" });
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].bytes, "image");
}
