/* SPDX-License-Identifier: Apache-2.0
 * The OpenMP run time of oneDNN, found by name: Tributary itself does not link one, and must set the team in the run
 * time that oneDNN uses. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>

#include "cpu/libraries/onednn.h"

/* Written once, before any computing. */
static void (*set_threads)(int);
static int (*get_threads)(void);

/* In the order in which oneDNN's own calls are resolved: libraries of the program first, then those of oneDNN. */
static void *symbol(void *onednn, const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    return found ? found : dlsym(onednn, name);
}

void trib_cpu_omp_find(void *onednn)
{
    /* POSIX's way of turning a data pointer into a function pointer. */
    *(void **)&set_threads = symbol(onednn, "omp_set_num_threads");
    *(void **)&get_threads = symbol(onednn, "omp_get_max_threads");
}

void trib_cpu_omp_set_threads(int threads)
{
    if (set_threads) set_threads(threads);
}

int trib_cpu_omp_get_threads(void) { return get_threads ? get_threads() : 1; }
