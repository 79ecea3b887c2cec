/* SPDX-License-Identifier: Apache-2.0
 * The control groups that this process is in, of both versions. */
#ifndef TRIBUTARY_RUNTIME_CGROUPS_CGROUPS_H
#define TRIBUTARY_RUNTIME_CGROUPS_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>

enum { TRIB_CGROUP_LINE = 8192 };

/* One group of the process, or one above it. */
typedef struct trib_cgroup {
    const char *folder; /* folder of its files */
    const char *name;   /* its path in the hierarchy */
} trib_cgroup;

typedef struct trib_cgroup_controller {
    const char *name;        /* in /proc/self/cgroup, and among the options of the mount; version 2 has none: "" */
    const char *file_system; /* "cgroup2", "cgroup" */
    void (*read)(const trib_cgroup *group, void *context);
} trib_cgroup_controller;

/* Calls `read` of each controller for each group from the process's own up to the root of the mount, reading
 * ROOT/proc/self/cgroup and ROOT/proc/self/mountinfo. Unreadable groups are skipped. */
void trib_cgroups_walk(const char *root, const trib_cgroup_controller *controllers, int count, void *context);

/* The first line of one of the group's files, without its end; false if there is none. */
bool trib_cgroup_first_line(const trib_cgroup *group, const char *file, char *line);
/* Reads a number and moves *text past it; false if there is none. */
bool trib_cgroup_take_number(const char **text, long long *out);
/* "cgroup v2 /docker/abc cpu.max 200000/100000". Of long names, such as Kubernetes', the end is kept. */
void trib_cgroup_describe(const trib_cgroup *group, const char *version, const char *what, char *text, size_t size);

#endif
