/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/cpus.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpus/evidence.h"

/* The first number of a list; 0 if it does not begin with a positive number. */
static int first_number(const char *list)
{
    char *end;
    errno = 0;
    long number = strtol(list, &end, 10);
    bool read = end != list && !errno;
    while (isspace((unsigned char)*end)) ++end;
    return read && (!*end || *end == ',') && number > 0 && number <= INT_MAX ? (int)number : 0;
}

void trib_cpus_read_omp(const char *value, trib_cpus *cpus)
{
    bool set = value && *value;
    cpus->omp_num_threads = set ? first_number(value) : 0;
    cpus->omp_ignored = set && !cpus->omp_num_threads;
    if (!set)
        snprintf(cpus->omp, sizeof cpus->omp, "OMP_NUM_THREADS not set");
    else if (cpus->omp_ignored)
        snprintf(cpus->omp, sizeof cpus->omp, "OMP_NUM_THREADS=%.32s is ignored: it is not a number from 1", value);
    else
        snprintf(cpus->omp, sizeof cpus->omp, "OMP_NUM_THREADS %d", cpus->omp_num_threads);
}

void trib_cpus_conclude(trib_cpus *cpus)
{
    cpus->limit = cpus->affinity;
    if (cpus->cgroup_cpus > 0 && cpus->cgroup_cpus < cpus->limit) {
        int whole = (int)cpus->cgroup_cpus;
        cpus->limit = whole + (whole < cpus->cgroup_cpus);
    }
    cpus->count = cpus->limit;
    if (cpus->omp_num_threads > 0 && cpus->omp_num_threads < cpus->count) cpus->count = cpus->omp_num_threads;
}

trib_cpus trib_cpus_get(void)
{
    trib_cpus cpus = { .affinity = trib_cpus_affinity(trib_cpus_read_mask) };
    trib_cpus_read_cgroups("", &cpus);
    trib_cpus_read_omp(getenv("OMP_NUM_THREADS"), &cpus);
    trib_cpus_conclude(&cpus);
    return cpus;
}

void trib_cpus_describe(const trib_cpus *cpus, char *text)
{
    snprintf(text, TRIB_CPUS_TEXT_SIZE, "%d CPU%s: affinity %d, %s, %s", cpus->count, cpus->count == 1 ? "" : "s",
             cpus->affinity, cpus->cgroup, cpus->omp);
}
