/* SPDX-License-Identifier: Apache-2.0
 * A page that Linux (4.14 and later) clears in the child holds the process's number: a child finds 0 there and takes
 * the next number. Unlike a handler of pthread_atfork this also sees _Fork and a bare clone, and unlike getpid it is no
 * system call, and no child gets the number again when process ids have gone round. Where there is no such page, the
 * process id has to do. */
#define _GNU_SOURCE /* MADV_WIPEONFORK */
#include "tributary/internal/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic uint64_t *current; /* in that page; NULL: the system has none */
static _Atomic uint64_t last;     /* number given out, to this process or one it was forked from */

static void make_page(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
#ifdef MADV_WIPEONFORK
    /* Emulators are known that accept any advice, even one that there is not. */
    if (madvise(page, size, -1) != 0 && madvise(page, size, MADV_WIPEONFORK) == 0) {
        current = page;
        return;
    }
#endif
    munmap(page, size);
}

uint64_t trib_process(void)
{
    pthread_once(&once, make_page);
    if (!current) return (uint64_t)getpid();
    uint64_t number = atomic_load_explicit(current, memory_order_relaxed);
    if (number) return number;
    uint64_t mine = atomic_fetch_add(&last, 1) + 1;
    return atomic_compare_exchange_strong(current, &number, mine) ? mine : number; /* another thread's was first */
}

trib_status trib_made_here(uint64_t process, const char *what)
{
    if (process == trib_process()) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: made before fork(): it works in the parent only; create one in the child", what);
}
