/* SPDX-License-Identifier: Apache-2.0
 * The OpenMP run time that oneDNN brings along, found by name: Tributary itself does not link one, and must set the
 * team of the very run time oneDNN uses. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>

#include "cpu/libraries/onednn.h"

/* Written once, before anybody can compute. */
static void (*set_threads)(int);
static int (*get_threads)(void);

/* As oneDNN's own calls are resolved: what the program was linked with comes first, then what oneDNN was. */
static void *symbol(void *onednn, const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    return found ? found : dlsym(onednn, name);
}

void trib_cpu_omp_find(void *onednn)
{
    /* The way POSIX gives for turning a data pointer into a function pointer. */
    *(void **)&set_threads = symbol(onednn, "omp_set_num_threads");
    *(void **)&get_threads = symbol(onednn, "omp_get_max_threads");
}

void trib_cpu_omp_set_threads(int threads)
{
    if (set_threads) set_threads(threads);
}

int trib_cpu_omp_get_threads(void) { return get_threads ? get_threads() : 1; }
