// SPDX-License-Identifier: Apache-2.0
#include "train/calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <string>

namespace
{

bool armed, persistent;
std::int64_t target, seen;
calls::Trouble kind;
const char *met = "";

// Sets errno and returns true if this call fails. *half: do half of it. Calls that change names are never interrupted.
bool fails(const char *name, bool interruptible = false, bool *half = nullptr)
{
    if (!armed) return false;
    const std::int64_t now = ++seen;
    if (now != target && !(persistent && now > target)) return false;
    met = name;
    switch (kind) {
    case calls::Trouble::none: return false;
    case calls::Trouble::no_space: errno = ENOSPC; return true;
    case calls::Trouble::broken: errno = EIO; return true;
    case calls::Trouble::interrupted: errno = EINTR; return interruptible;
    case calls::Trouble::half:
        if (half) *half = true;
        return false;
    case calls::Trouble::no_links: errno = EPERM; return std::string("link") == name;
    case calls::Trouble::no_locks: errno = ENOSYS; return std::string("flock") == name;
    case calls::Trouble::no_folders: errno = EINVAL; return std::string("fsync folder") == name;
    case calls::Trouble::dies: raise(SIGKILL);
    }
    return false;
}

// A file system on a disk writes back at every rename onto a file, thousands of times here: folders of this program's
// tests are in memory where that can be.
const bool in_memory = access("/dev/shm", W_OK) == 0 && setenv("TMPDIR", "/dev/shm", 0) == 0;

} // namespace

extern "C" {

ssize_t write(int fd, const void *bytes, size_t size)
{
    bool half = false;
    if (fails("write", true, &half)) return -1;
    return syscall(SYS_write, fd, bytes, half && size > 1 ? size / 2 : size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    bool half = false;
    if (fails("pwrite", true, &half)) return -1;
    return syscall(SYS_pwrite64, fd, bytes, half && size > 1 ? size / 2 : size, at);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (fails("open", true)) return -1;
    return int(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

// No power fails in a test: the disk need not be waited for.
int fsync(int fd)
{
    struct stat info = {};
    const bool folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    return fails(folder ? "fsync folder" : "fsync", true) ? -1 : 0;
}
int flock(int fd, int operation) { return fails("flock", true) ? -1 : int(syscall(SYS_flock, fd, operation)); }
int ftruncate(int fd, off_t size) { return fails("ftruncate", true) ? -1 : int(syscall(SYS_ftruncate, fd, size)); }
int rename(const char *from, const char *to)
{
    return fails("rename") ? -1 : int(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int mkdir(const char *path, mode_t mode)
{
    return fails("mkdir") ? -1 : int(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
int link(const char *from, const char *to)
{
    return fails("link") ? -1 : int(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int unlink(const char *path) { return fails("unlink") ? -1 : int(syscall(SYS_unlinkat, AT_FDCWD, path, 0)); }

// As on Linux, the descriptor is closed even if this fails.
int close(int fd)
{
    const bool failing = fails("close", true);
    const int error = errno, result = int(syscall(SYS_close, fd));
    if (failing) errno = error;
    return failing ? -1 : result;
}
}

namespace calls
{

void arm(std::int64_t k, Trouble trouble, bool forever)
{
    target = k;
    kind = trouble;
    persistent = forever;
    seen = 0;
    met = "";
    armed = true;
}

std::int64_t disarm()
{
    armed = false;
    return seen;
}

std::string last() { return met; }

} // namespace calls
