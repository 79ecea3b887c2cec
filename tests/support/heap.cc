// SPDX-License-Identifier: Apache-2.0
// The program's own malloc takes the place of libc's, also for the libraries it is linked with; with AddressSanitizer,
// which has its own, hooks are called.
#include "support/heap.h"

#include <atomic>
#include <cstddef>

#include "support/sanitized.h"

static std::atomic<int64_t> in_use(0), most(0);

static void count(int64_t bytes)
{
    int64_t now = in_use += bytes, seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) continue;
}

#if SUPPORT_SANITIZED

#include <sanitizer/allocator_interface.h>

static void on_malloc(const volatile void *, std::size_t bytes) { count(int64_t(bytes)); }
static void on_free(const volatile void *block)
{
    if (block) count(-int64_t(__sanitizer_get_allocated_size(block)));
}
static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

#else

#include <cerrno>
#include <cstring>
#include <malloc.h>

extern "C" {
void *__libc_malloc(std::size_t bytes);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *block, std::size_t bytes);
void *__libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void *block);

static void *counted(void *block)
{
    if (block) count(int64_t(malloc_usable_size(block)));
    return block;
}

void *malloc(std::size_t bytes) { return counted(__libc_malloc(bytes)); }
void *calloc(std::size_t n, std::size_t size) { return counted(__libc_calloc(n, size)); }
void *memalign(std::size_t alignment, std::size_t bytes) { return counted(__libc_memalign(alignment, bytes)); }
void *aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void **out, std::size_t alignment, std::size_t bytes)
{
    void *block = memalign(alignment, bytes);
    if (!block) return ENOMEM;
    *out = block;
    return 0;
}
void *realloc(void *block, std::size_t bytes)
{
    int64_t before = block ? int64_t(malloc_usable_size(block)) : 0;
    void *larger = __libc_realloc(block, bytes);
    if (larger || !bytes) count(-before);
    return counted(larger);
}
void free(void *block)
{
    if (block) count(-int64_t(malloc_usable_size(block)));
    __libc_free(block);
}
}

#endif

namespace support
{

Heap::Heap() : before_(in_use) { most = before_; }
int64_t Heap::peak() const { return most - before_; }
int64_t Heap::current() const { return in_use - before_; }

} // namespace support
