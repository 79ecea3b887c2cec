/* SPDX-License-Identifier: Apache-2.0
 * The process's number is in a page that Linux (4.14 and later) clears in a child, which finds 0 there and takes the
 * next number. Unlike a pthread_atfork handler this also works for _Fork and a bare clone; unlike getpid it is not a
 * system call, and numbers are not reused. Without such a page, the process id has to do. */
#define _GNU_SOURCE /* MADV_WIPEONFORK */
#include "tributary/internal/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic uint64_t *current; /* in that page; NULL: the system lacks it */
static _Atomic uint64_t last;     /* last number, of this process or an ancestor */

static void make_page(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
#ifdef MADV_WIPEONFORK
    /* Some emulators accept any advice, even invalid one. */
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
    return atomic_compare_exchange_strong(current, &number, mine) ? mine : number; /* another thread was first */
}

trib_status trib_made_here(uint64_t process, const char *what)
{
    if (process == trib_process()) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: created before fork(), so it works only in the parent; create one in the child", what);
}
