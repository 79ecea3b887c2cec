// SPDX-License-Identifier: Apache-2.0
// Calls to the system that fail, as a disk does that is full, broken or slow: this program's own write, fsync, rename,
// ... stand in front of libc's.
#pragma once

#include <cstdint>
#include <string>

namespace calls
{

enum class Trouble {
    none,
    no_space,    // ENOSPC
    broken,      // EIO
    interrupted, // EINTR once, then the call works
    half,        // write: half of the bytes are written; other calls work
    no_links,    // link: EPERM, as on FAT; other calls work
    no_locks,    // flock: ENOSYS, as on some network file systems; other calls work
    no_folders,  // fsync of a folder: EINVAL, as on some network file systems; other calls work
    dies,        // the process ends, as by SIGKILL, before the call
};

// From here on, the k-th call (from 1) meets `trouble`, and with `forever` every later one, too. Calls of one thread
// at a time.
void arm(std::int64_t k, Trouble trouble, bool forever = false);
// Back to normal; returns the number of calls since arm().
std::int64_t disarm();
// Name of the call that met trouble last; "" since arm(): none has.
std::string last();

} // namespace calls
