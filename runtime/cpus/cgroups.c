/* SPDX-License-Identifier: Apache-2.0
 * Limits of control groups.
 *
 * /proc/self/cgroup has a line per hierarchy: "0::/docker/abc" is version 2, "4:cpu,cpuacct:/docker/abc" version 1.
 * Where a hierarchy can be seen, /proc/self/mountinfo says: a mount shows its group `root`, and all below it, at
 * `point`. A container often sees nothing above its own group. Both versions may be mounted side by side; each
 * controller is then in one of them. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus/evidence.h"

enum { LINE_SIZE = 8192, PATH_SIZE = 4096, SHOWN_OF_GROUP = 120 };

/* One group of the process, or one above it. */
typedef struct group {
    const char *folder; /* where its files are */
    const char *name;   /* its path in the hierarchy */
} group;

/* ---- reading ---- */

static FILE *open_file(const char *folder, const char *name)
{
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && length < PATH_SIZE ? fopen(path, "re") : NULL;
}

/* A line without its end; false at the end of the file. Longer lines, which none of ours is, are passed over. */
static bool read_line(FILE *file, char *line)
{
    while (fgets(line, LINE_SIZE, file)) {
        size_t length = strcspn(line, "\n");
        bool whole = line[length] == '\n' || feof(file);
        line[length] = 0;
        if (whole) return true;
        for (int c = 0; c != EOF && c != '\n';) c = getc(file);
    }
    return false;
}

static bool read_first_line(const group *g, const char *name, char *line)
{
    FILE *file = open_file(g->folder, name);
    bool found = file && read_line(file, line);
    if (file) fclose(file);
    return found;
}

/* Moves *text past the number. */
static bool take_number(const char **text, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(*text, &end, 10);
    bool taken = end != *text && !errno;
    *text = end;
    return taken;
}

/* CPUs in a list such as "0-3,8"; 0 when it is none. */
static int count_listed(const char *list)
{
    enum { HIGHEST = 1 << 24 };
    long long count = 0;
    for (;; ++list) {
        long long first, last;
        if (!take_number(&list, &first)) return 0;
        last = first;
        if (*list == '-' && (++list, !take_number(&list, &last))) return 0;
        if (first < 0 || last < first || last > HIGHEST) return 0;
        count += last - first + 1;
        if (!*list) return count < INT_MAX ? (int)count : INT_MAX;
        if (*list != ',') return 0;
    }
}

/* ---- limits of one group ---- */

/* False: a lesser limit is known. */
static bool is_least(const trib_cpus *cpus, double limit)
{
    return !(cpus->cgroup_cpus > 0) || limit < cpus->cgroup_cpus;
}

/* Long names are those of Kubernetes: their end says more. */
static void note_limit(trib_cpus *cpus, double limit, const char *version, const group *g, const char *what)
{
    size_t length = strlen(g->name);
    bool cut = length > SHOWN_OF_GROUP;
    const char *shown = !length ? "/" : cut ? g->name + length - SHOWN_OF_GROUP : g->name;
    cpus->cgroup_cpus = limit;
    snprintf(cpus->cgroup, sizeof cpus->cgroup, "cgroup %s %s%s %s", version, cut ? "..." : "", shown, what);
}

static void note_quota(trib_cpus *cpus, const char *version, const group *g, const char *file, long long quota,
                       long long period)
{
    char what[96];
    if (quota <= 0 || period <= 0 || !is_least(cpus, (double)quota / (double)period)) return;
    snprintf(what, sizeof what, "%s %lld/%lld", file, quota, period);
    note_limit(cpus, (double)quota / (double)period, version, g, what);
}

/* The kernel keeps the affinity mask inside the set, so that this matters only where the mask could not be read, or
 * where something other than Linux's kernel stands in for it. */
static void note_set(trib_cpus *cpus, const char *version, const group *g, const char *file, const char *list)
{
    char what[64];
    int count = count_listed(list);
    if (count == 0 || count >= cpus->affinity || !is_least(cpus, count)) return;
    snprintf(what, sizeof what, "%s of %d", file, count);
    note_limit(cpus, count, version, g, what);
}

static void read_quota_v2(const group *g, trib_cpus *cpus)
{
    char line[LINE_SIZE]; /* "200000 100000", or "max 100000" for none */
    const char *text = line;
    long long quota, period;
    if (read_first_line(g, "cpu.max", line) && take_number(&text, &quota) && take_number(&text, &period))
        note_quota(cpus, "v2", g, "cpu.max", quota, period);
}

static void read_quota_v1(const group *g, trib_cpus *cpus)
{
    char first[LINE_SIZE], second[LINE_SIZE]; /* a quota of -1 is none */
    const char *quota_text = first, *period_text = second;
    long long quota, period;
    if (read_first_line(g, "cpu.cfs_quota_us", first) && take_number(&quota_text, &quota) &&
        read_first_line(g, "cpu.cfs_period_us", second) && take_number(&period_text, &period))
        note_quota(cpus, "v1", g, "cpu.cfs_quota_us", quota, period);
}

static void read_set_v2(const group *g, trib_cpus *cpus)
{
    char list[LINE_SIZE];
    if (read_first_line(g, "cpuset.cpus.effective", list)) note_set(cpus, "v2", g, "cpuset.cpus.effective", list);
}

static void read_set_v1(const group *g, trib_cpus *cpus)
{
    char list[LINE_SIZE];
    if (read_first_line(g, "cpuset.effective_cpus", list)) note_set(cpus, "v1", g, "cpuset.effective_cpus", list);
}

/* ---- finding the groups ---- */

static const struct controller {
    const char *name; /* in /proc/self/cgroup, and among the options of the mount; version 2 has none */
    const char *file_system;
    void (*read)(const group *, trib_cpus *);
} controllers[] = {
    { "", "cgroup2", read_quota_v2 },
    { "", "cgroup2", read_set_v2 },
    { "cpu", "cgroup", read_quota_v1 },
    { "cpuset", "cgroup", read_set_v1 },
};

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (;; ++list) {
        size_t next = strcspn(list, ",");
        if (next == length && !strncmp(list, word, length)) return true;
        list += next;
        if (!*list) return false;
    }
}

typedef struct mount {
    char *root, *point, *file_system, *options;
} mount;

/* mountinfo writes a space as \040. */
static void decode(char *text)
{
    char *out = text;
    for (; *text; ++out) {
        bool octal = text[0] == '\\' && strspn(text + 1, "01234567") >= 3;
        *out = octal ? (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0')) : *text;
        text += octal ? 4 : 1;
    }
    *out = 0;
}

/* "32 31 0:29 ROOT POINT rw,relatime shared:5 - cgroup SOURCE rw,cpu", with any number of words before the "-". */
static bool parse_mount(char *line, mount *m)
{
    char *words[5] = { 0 };
    for (int i = 0; i < 5; ++i) words[i] = strsep(&line, " ");
    for (char *word = ""; strcmp(word, "-");)
        if (!(word = strsep(&line, " "))) return false;
    m->root = words[3];
    m->point = words[4];
    m->file_system = strsep(&line, " ");
    strsep(&line, " ");
    m->options = strsep(&line, " ");
    if (!m->options) return false;
    decode(m->root);
    decode(m->point);
    return true;
}

/* What follows `root` in the path of a group; NULL when the group is not below it, as in a namespace entered from
 * outside. */
static const char *path_below(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") ? strlen(root) : 0;
    if (strncmp(path, root, length)) return NULL;
    const char *rest = path + length;
    if ((*rest && *rest != '/') || strstr(rest, "/../")) return NULL;
    size_t left = strlen(rest);
    if (left >= 3 && !strcmp(rest + left - 3, "/..")) return NULL;
    return left == 1 ? rest + 1 : rest;
}

/* From the group at `path` up to the root of the mount. */
static void climb(const char *root, const struct controller *controller, const mount *m, const char *path,
                  trib_cpus *cpus)
{
    char folder[PATH_SIZE], name[PATH_SIZE];
    const char *rest = path_below(path, m->root);
    if (!rest || strlen(root) + strlen(m->point) + strlen(rest) >= PATH_SIZE || strlen(path) >= PATH_SIZE) return;
    size_t top = (size_t)snprintf(folder, sizeof folder, "%s%s", root, m->point);
    snprintf(folder + top, sizeof folder - top, "%s", rest);
    snprintf(name, sizeof name, "%s", path);
    for (;;) {
        controller->read(&(group) { folder, name }, cpus);
        if (strlen(folder) == top) return;
        *strrchr(folder, '/') = 0;
        *strrchr(name, '/') = 0;
    }
}

static void read_controller(const char *root, const struct controller *controller, const char *path, trib_cpus *cpus)
{
    char line[LINE_SIZE];
    mount m;
    FILE *file = open_file(root, "proc/self/mountinfo");
    while (file && read_line(file, line))
        if (parse_mount(line, &m) && !strcmp(m.file_system, controller->file_system) &&
            (!*controller->name || has_word(m.options, controller->name)))
            climb(root, controller, &m, path, cpus);
    if (file) fclose(file);
}

/* "4:cpu,cpuacct:/docker/abc" */
static void read_hierarchy(const char *root, char *line, trib_cpus *cpus)
{
    strsep(&line, ":");
    const char *names = strsep(&line, ":");
    if (!line || *line != '/') return;
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; ++i)
        if (has_word(names, controllers[i].name)) read_controller(root, &controllers[i], line, cpus);
}

void trib_cpus_read_cgroups(const char *root, trib_cpus *cpus)
{
    char line[LINE_SIZE];
    cpus->cgroup_cpus = 0;
    snprintf(cpus->cgroup, sizeof cpus->cgroup, "no cgroup limit");
    FILE *file = open_file(root, "proc/self/cgroup");
    while (file && read_line(file, line)) read_hierarchy(root, line, cpus);
    if (file) fclose(file);
}
