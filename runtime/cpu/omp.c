/* SPDX-License-Identifier: Apache-2.0
 * The OpenMP run time that oneDNN brings along, found by name: Tributary itself does not link one, and must set the
 * team of the very run time oneDNN uses. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <pthread.h>

#include "cpu/onednn.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Written once. */
static void (*set_threads)(int);
static int (*get_threads)(void);

/* In a program that loaded libtributary with dlopen the run time is not in the global scope, but it is loaded. */
static void *symbol(const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    void *library = found ? NULL : dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (library) {
        found = dlsym(library, name);
        dlclose(library); /* whoever loaded it keeps it */
    }
    return found;
}

static void find_once(void)
{
    /* The way POSIX gives for turning a data pointer into a function pointer. */
    *(void **)&set_threads = symbol("omp_set_num_threads");
    *(void **)&get_threads = symbol("omp_get_max_threads");
}

void trib_cpu_omp_set_threads(int threads)
{
    pthread_once(&once, find_once);
    if (set_threads) set_threads(threads);
}

int trib_cpu_omp_get_threads(void)
{
    pthread_once(&once, find_once);
    return get_threads ? get_threads() : 1;
}
