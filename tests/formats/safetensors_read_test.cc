// SPDX-License-Identifier: Apache-2.0
// Files and pipes read piece by piece, and what other programs do to a file meanwhile.
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstring>
#include <filesystem>

#include "formats/files.h"
#include "formats/pipe.h"

using files::entry;
using files::File;
using files::raw;

namespace
{

File open_header(const std::string &path)
{
    trib_safetensors *file = nullptr;
    EXPECT_OK(trib_safetensors_open_header(path.c_str(), &file));
    return File(file);
}

const trib_tensor *tensor(const File &file, const char *name) { return trib_safetensors_find(file.get(), name); }

// Two tensors of recognisable bytes: "a" is 3 MB of them, "b" is "tail".
struct Example {
    std::string a, bytes;
    Example()
    {
        for (int i = 0; i < 3000000; ++i) a += char(i % 251);
        bytes =
            raw("{" + entry("a", "U8", "3000000", "0,3000000") + "," + entry("b", "U8", "4", "3000000,3000004") + "}",
                a + "tail");
    }
};

void expect_read(const File &file, const char *name, std::int64_t offset, const std::string &wanted)
{
    std::string got(wanted.size(), '?');
    EXPECT_OK(trib_safetensors_read(file.get(), tensor(file, name), offset, got.data(), got.size()));
    EXPECT_TRUE(got == wanted) << name << " from " << offset;
}

TEST(SafetensorsRead, PiecesOfAFileInAnyOrder)
{
    support::TemporaryFolder folder;
    Example example;
    support::write_file(folder.file("f"), example.bytes);
    File file = open_header(folder.file("f"));
    ASSERT_TRUE(file);
    EXPECT_EQ(tensor(file, "a")->data, nullptr);
    expect_read(file, "b", 0, "tail");
    expect_read(file, "a", 1000001, example.a.substr(1000001, 1500000));
    expect_read(file, "a", 0, example.a);
    expect_read(file, "b", 4, "");
    char byte;
    EXPECT_FAILS(trib_safetensors_read(file.get(), tensor(file, "b"), 4, &byte, 1), TRIB_INVALID_ARGUMENT, "outside");
    EXPECT_FAILS(trib_safetensors_read(file.get(), tensor(file, "b"), -1, &byte, 1), TRIB_INVALID_ARGUMENT, "outside");
    trib_tensor other = *tensor(file, "b");
    EXPECT_FAILS(trib_safetensors_read(file.get(), &other, 0, &byte, 1), TRIB_INVALID_ARGUMENT, "not one of this");
    expect_read(files::parse(example.bytes), "a", 5, example.a.substr(5, 100)); // out of memory just as well
    expect_read(files::open(folder.file("f")), "b", 1, "ail");
}

TEST(SafetensorsRead, PiecesOfAPipeForwards)
{
    Example example;
    files::Pipe pipe(example.bytes);
    File file = open_header(pipe.path);
    ASSERT_TRUE(file);
    expect_read(file, "a", 7, example.a.substr(7, 100));
    expect_read(file, "a", 2000000, example.a.substr(2000000, 5));
    char byte;
    EXPECT_FAILS(trib_safetensors_read(file.get(), tensor(file, "a"), 2000000, &byte, 1), TRIB_INVALID_ARGUMENT,
                 "cannot be read again");
    expect_read(file, "b", 0, "tail");
}

// The pipe ends before the tensor that is asked for.
TEST(SafetensorsRead, APipeThatEndsEarly)
{
    const std::string header =
        "{" + entry("a", "U8", "100000", "0,100000") + "," + entry("b", "U8", "4", "100000,100004") + "}";
    files::Pipe pipe(raw(header, std::string(70000, 'a')));
    File file = open_header(pipe.path);
    ASSERT_TRUE(file);
    char bytes[4];
    const std::string end = std::to_string(8 + header.size() + 70000);
    EXPECT_FAILS(trib_safetensors_read(file.get(), tensor(file, "b"), 0, bytes, 4), TRIB_BAD_DATA,
                 "pipe: ends after " + end + " bytes; it is truncated");
}

TEST(SafetensorsRead, AWholePipe)
{
    Example example;
    files::Pipe pipe(example.bytes);
    File file = files::open(pipe.path);
    ASSERT_TRUE(file);
    EXPECT_EQ(memcmp(tensor(file, "a")->data, example.a.data(), example.a.size()), 0);
    EXPECT_EQ(memcmp(tensor(file, "b")->data, "tail", 4), 0);
    files::Pipe longer(example.bytes + "x");
    trib_safetensors *none = nullptr;
    EXPECT_FAILS(trib_safetensors_open(longer.path.c_str(), &none), TRIB_BAD_DATA, "1 bytes at the end");
}

// As Node.js and others hand it to a child: no name to open it by, and non-blocking.
TEST(SafetensorsRead, AnInheritedSocketThatDoesNotBlock)
{
    Example example;
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ASSERT_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    std::thread writer([&] {
        support::write_to_reader(ends[1], example.bytes);
        close(ends[1]);
    });
    File file = files::open("/dev/fd/" + std::to_string(ends[0]));
    close(ends[0]);
    writer.join();
    ASSERT_TRUE(file);
    EXPECT_EQ(memcmp(tensor(file, "a")->data, example.a.data(), example.a.size()), 0);
}

// The process may take no more than this; with sanitizers, whose own memory counts, there is no limit.
class MemoryLimit
{
  public:
    explicit MemoryLimit(rlim_t bytes)
    {
        EXPECT_EQ(getrlimit(RLIMIT_DATA, &before), 0);
        const rlimit small = { bytes, before.rlim_max };
        EXPECT_EQ(support::sanitized ? 0 : setrlimit(RLIMIT_DATA, &small), 0);
    }
    ~MemoryLimit() { setrlimit(RLIMIT_DATA, &before); }

  private:
    rlimit before;
};

// A wrong size must not make us allocate memory, or wait for ever.
TEST(SafetensorsRead, APipeThatPromisesMoreThanItGives)
{
    trib_safetensors *file = nullptr;
    {
        files::Pipe pipe(raw("{" + entry("a", "U8", "12000000000", "0,12000000000") + "}", "little"));
        MemoryLimit limit(rlim_t(2) << 30);
        trib_status s = trib_safetensors_open(pipe.path.c_str(), &file);
        EXPECT_FAILS(s, TRIB_BAD_DATA, "its data ends at 12000000000, but the file has 6 bytes of data");
    }
    files::Pipe pipe(raw("{" + entry("a", "U8", "90000000000000", "0,90000000000000") + "}", "little"));
    EXPECT_FAILS(trib_safetensors_open(pipe.path.c_str(), &file), TRIB_UNSUPPORTED, "more than the 17179869184");
    EXPECT_EQ(file, nullptr);
    files::Pipe again(raw("{" + entry("a", "U8", "90000000000000", "0,90000000000000") + "}", "little"));
    File header = open_header(again.path);
    expect_read(header, "a", 0, "little");
    char byte;
    EXPECT_FAILS(trib_safetensors_read(header.get(), tensor(header, "a"), 6, &byte, 1), TRIB_BAD_DATA,
                 "ends after 6 bytes; the file is truncated");
}

TEST(SafetensorsRead, AFileThatShrinksMeanwhile)
{
    support::TemporaryFolder folder;
    Example example;
    support::write_file(folder.file("f"), example.bytes);
    File file = open_header(folder.file("f"));
    ASSERT_TRUE(file);
    std::filesystem::resize_file(folder.file("f"), 2000000);
    std::string bytes(3000000, '?');
    const trib_status s = trib_safetensors_read(file.get(), tensor(file, "a"), 0, bytes.data(), bytes.size());
    EXPECT_FAILS(s, TRIB_BAD_DATA, "the file shrank while it was read");
    EXPECT_NE(std::string(s.message).find(folder.file("f")), std::string::npos) << s.message;
    EXPECT_FAILS(trib_safetensors_read(file.get(), tensor(file, "b"), 0, bytes.data(), 4), TRIB_BAD_DATA, "shrank");
    expect_read(file, "a", 0, example.a.substr(0, 1000000)); // what is still there
}

// What was read into memory stays there.
TEST(SafetensorsRead, AFileThatShrinksAfterwards)
{
    support::TemporaryFolder folder;
    Example example;
    support::write_file(folder.file("f"), example.bytes);
    File file = files::open(folder.file("f"));
    ASSERT_TRUE(file);
    std::filesystem::resize_file(folder.file("f"), 0);
    EXPECT_EQ(memcmp(tensor(file, "a")->data, example.a.data(), example.a.size()), 0);
}

} // namespace
