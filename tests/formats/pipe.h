// SPDX-License-Identifier: Apache-2.0
// A named pipe with a writer that writes some bytes and closes.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "support/support.h"

namespace files
{

class Pipe
{
  public:
    explicit Pipe(const std::string &bytes)
    {
        EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
        writer = std::thread([this, bytes] {
            int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            support::write_to_reader(fd, bytes);
            close(fd);
            done = true;
        });
    }
    Pipe(const Pipe &) = delete;
    // If the pipe was not read to the end, the writer still waits for a reader.
    ~Pipe()
    {
        int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        char ignored[4096];
        while (!done)
            if (read(fd, ignored, sizeof ignored) <= 0) std::this_thread::yield();
        writer.join();
        close(fd);
    }

  private:
    support::TemporaryFolder folder;
    std::atomic<bool> done { false };
    std::thread writer;

  public:
    const std::string path = folder.file("pipe");
};

} // namespace files
