/* SPDX-License-Identifier: Apache-2.0
 * CPU limits of control groups. */
#include <limits.h>
#include <stdio.h>

#include "cgroups/cgroups.h"
#include "cpus/evidence.h"

/* CPUs in a list such as "0-3,8"; 0 if it is not a list. */
static int count_listed(const char *list)
{
    enum { HIGHEST = 1 << 24 };
    long long count = 0;
    for (;; ++list) {
        long long first, last;
        if (!trib_cgroup_take_number(&list, &first)) return 0;
        last = first;
        if (*list == '-' && (++list, !trib_cgroup_take_number(&list, &last))) return 0;
        if (first < 0 || last < first || last > HIGHEST) return 0;
        count += last - first + 1;
        if (!*list) return count < INT_MAX ? (int)count : INT_MAX;
        if (*list != ',') return 0;
    }
}

/* False: a lower limit is known. */
static bool is_least(const trib_cpus *cpus, double limit)
{
    return !(cpus->cgroup_cpus > 0) || limit < cpus->cgroup_cpus;
}

static void note_quota(trib_cpus *cpus, const char *version, const trib_cgroup *g, const char *file, long long quota,
                       long long period)
{
    char what[96];
    if (quota <= 0 || period <= 0 || !is_least(cpus, (double)quota / (double)period)) return;
    snprintf(what, sizeof what, "%s %lld/%lld", file, quota, period);
    cpus->cgroup_cpus = (double)quota / (double)period;
    trib_cgroup_describe(g, version, what, cpus->cgroup, sizeof cpus->cgroup);
}

/* The kernel keeps the affinity mask inside the set, so this matters only if the mask could not be read, or on kernels
 * other than Linux that imitate it. */
static void note_set(trib_cpus *cpus, const char *version, const trib_cgroup *g, const char *file, const char *list)
{
    char what[64];
    int count = count_listed(list);
    if (count == 0 || count >= cpus->affinity || !is_least(cpus, count)) return;
    snprintf(what, sizeof what, "%s of %d", file, count);
    cpus->cgroup_cpus = count;
    trib_cgroup_describe(g, version, what, cpus->cgroup, sizeof cpus->cgroup);
}

static void read_quota_v2(const trib_cgroup *g, void *cpus)
{
    char line[TRIB_CGROUP_LINE]; /* "200000 100000", or "max 100000" for none */
    const char *text = line;
    long long quota, period;
    if (trib_cgroup_first_line(g, "cpu.max", line) && trib_cgroup_take_number(&text, &quota) &&
        trib_cgroup_take_number(&text, &period))
        note_quota(cpus, "v2", g, "cpu.max", quota, period);
}

static void read_quota_v1(const trib_cgroup *g, void *cpus)
{
    char first[TRIB_CGROUP_LINE], second[TRIB_CGROUP_LINE]; /* a quota of -1 means none */
    const char *quota_text = first, *period_text = second;
    long long quota, period;
    if (trib_cgroup_first_line(g, "cpu.cfs_quota_us", first) && trib_cgroup_take_number(&quota_text, &quota) &&
        trib_cgroup_first_line(g, "cpu.cfs_period_us", second) && trib_cgroup_take_number(&period_text, &period))
        note_quota(cpus, "v1", g, "cpu.cfs_quota_us", quota, period);
}

static void read_set_v2(const trib_cgroup *g, void *cpus)
{
    char list[TRIB_CGROUP_LINE];
    if (trib_cgroup_first_line(g, "cpuset.cpus.effective", list))
        note_set(cpus, "v2", g, "cpuset.cpus.effective", list);
}

static void read_set_v1(const trib_cgroup *g, void *cpus)
{
    char list[TRIB_CGROUP_LINE];
    if (trib_cgroup_first_line(g, "cpuset.effective_cpus", list))
        note_set(cpus, "v1", g, "cpuset.effective_cpus", list);
}

static const trib_cgroup_controller controllers[] = {
    { "", "cgroup2", read_quota_v2 },
    { "", "cgroup2", read_set_v2 },
    { "cpu", "cgroup", read_quota_v1 },
    { "cpuset", "cgroup", read_set_v1 },
};

void trib_cpus_read_cgroups(const char *root, trib_cpus *cpus)
{
    cpus->cgroup_cpus = 0;
    snprintf(cpus->cgroup, sizeof cpus->cgroup, "no cgroup limit");
    trib_cgroups_walk(root, controllers, (int)(sizeof controllers / sizeof *controllers), cpus);
}
