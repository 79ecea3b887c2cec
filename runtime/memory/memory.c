/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cgroups/cgroups.h"
#include "memory/evidence.h"

/* ---- control groups ---- */

static void read_limit(const trib_cgroup *group, const char *version, const char *file, trib_memory *memory)
{
    char line[TRIB_CGROUP_LINE], what[64]; /* "max" means none, and so does version 1's largest number */
    const char *text = line;
    long long bytes;
    if (!trib_cgroup_first_line(group, file, line) || !trib_cgroup_take_number(&text, &bytes)) return;
    if (bytes < 1 || bytes >= memory->bytes) return;
    memory->bytes = bytes;
    snprintf(what, sizeof what, "%s %lld", file, bytes);
    trib_cgroup_describe(group, version, what, memory->source, sizeof memory->source);
}

static void read_v2(const trib_cgroup *group, void *memory)
{
    read_limit(group, "v2", "memory.max", memory);
    read_limit(group, "v2", "memory.high", memory);
}

static void read_v1(const trib_cgroup *group, void *memory)
{
    read_limit(group, "v1", "memory.limit_in_bytes", memory);
}

void trib_memory_read_cgroups(const char *root, trib_memory *memory)
{
    static const trib_cgroup_controller controllers[] = { { "", "cgroup2", read_v2 }, { "memory", "cgroup", read_v1 } };
    trib_cgroups_walk(root, controllers, (int)(sizeof controllers / sizeof *controllers), memory);
}

/* ---- machine and process ---- */

static int64_t machine_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (int64_t)pages * page : INT64_MAX;
}

static void read_ulimit(int resource, const char *option, trib_memory *memory)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY) return;
    if (limit.rlim_cur < 1 || limit.rlim_cur >= (rlim_t)memory->bytes) return;
    memory->bytes = (int64_t)limit.rlim_cur;
    snprintf(memory->source, sizeof memory->source, "ulimit %s %lld", option, (long long)(limit.rlim_cur >> 10));
}

trib_memory trib_memory_get(void)
{
    trib_memory memory = { .bytes = machine_bytes(), .source = "the machine's memory" };
    trib_memory_read_cgroups("", &memory);
    read_ulimit(RLIMIT_AS, "-v", &memory);
    read_ulimit(RLIMIT_DATA, "-d", &memory);
    return memory;
}
