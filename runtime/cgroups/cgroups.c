/* SPDX-License-Identifier: Apache-2.0
 * Walking over control groups.
 *
 * /proc/self/cgroup has a line per hierarchy: "0::/docker/abc" is version 2, "4:cpu,cpuacct:/docker/abc" version 1.
 * Where a hierarchy can be seen, /proc/self/mountinfo says: a mount shows its group `root`, and all below it, at
 * `point`. A container often sees nothing above its own group. Both versions may be mounted side by side, with each
 * controller in one of them. */
#include "cgroups/cgroups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, SHOWN_OF_GROUP = 120 };

/* ---- reading ---- */

static FILE *open_file(const char *folder, const char *name)
{
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && length < PATH_SIZE ? fopen(path, "re") : NULL;
}

/* A line without its end; false at the end of the file. Skips lines that are longer than any we need. */
static bool read_line(FILE *file, char *line)
{
    while (fgets(line, TRIB_CGROUP_LINE, file)) {
        size_t length = strcspn(line, "\n");
        bool whole = line[length] == '\n' || feof(file);
        line[length] = 0;
        if (whole) return true;
        for (int c = 0; c != EOF && c != '\n';) c = getc(file);
    }
    return false;
}

bool trib_cgroup_first_line(const trib_cgroup *g, const char *name, char *line)
{
    FILE *file = open_file(g->folder, name);
    bool found = file && read_line(file, line);
    if (file) fclose(file);
    return found;
}

bool trib_cgroup_take_number(const char **text, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(*text, &end, 10);
    bool taken = end != *text && !errno;
    *text = end;
    return taken;
}

void trib_cgroup_describe(const trib_cgroup *g, const char *version, const char *what, char *text, size_t size)
{
    size_t length = strlen(g->name);
    bool cut = length > SHOWN_OF_GROUP;
    const char *shown = !length ? "/" : cut ? g->name + length - SHOWN_OF_GROUP : g->name;
    snprintf(text, size, "cgroup %s %s%s %s", version, cut ? "..." : "", shown, what);
}

/* ---- finding the groups ---- */

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

/* The path of a group below `root`; NULL if the group is not below it, as in a namespace entered from outside. */
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
static void climb(const char *root, const trib_cgroup_controller *controller, const mount *m, const char *path,
                  void *context)
{
    char folder[PATH_SIZE], name[PATH_SIZE];
    const char *rest = path_below(path, m->root);
    if (!rest || strlen(root) + strlen(m->point) + strlen(rest) >= PATH_SIZE || strlen(path) >= PATH_SIZE) return;
    size_t top = (size_t)snprintf(folder, sizeof folder, "%s%s", root, m->point);
    snprintf(folder + top, sizeof folder - top, "%s", rest);
    snprintf(name, sizeof name, "%s", path);
    for (;;) {
        controller->read(&(trib_cgroup) { folder, name }, context);
        if (strlen(folder) == top) return;
        *strrchr(folder, '/') = 0;
        *strrchr(name, '/') = 0;
    }
}

static void read_controller(const char *root, const trib_cgroup_controller *controller, const char *path, void *context)
{
    char line[TRIB_CGROUP_LINE];
    mount m;
    FILE *file = open_file(root, "proc/self/mountinfo");
    while (file && read_line(file, line))
        if (parse_mount(line, &m) && !strcmp(m.file_system, controller->file_system) &&
            (!*controller->name || has_word(m.options, controller->name)))
            climb(root, controller, &m, path, context);
    if (file) fclose(file);
}

/* "4:cpu,cpuacct:/docker/abc" */
static void read_hierarchy(const char *root, char *line, const trib_cgroup_controller *controllers, int count,
                           void *context)
{
    strsep(&line, ":");
    const char *names = strsep(&line, ":");
    if (!line || *line != '/') return;
    for (int i = 0; i < count; ++i)
        if (has_word(names, controllers[i].name)) read_controller(root, &controllers[i], line, context);
}

void trib_cgroups_walk(const char *root, const trib_cgroup_controller *controllers, int count, void *context)
{
    char line[TRIB_CGROUP_LINE];
    FILE *file = open_file(root, "proc/self/cgroup");
    while (file && read_line(file, line)) read_hierarchy(root, line, controllers, count, context);
    if (file) fclose(file);
}
