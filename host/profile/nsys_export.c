/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/nsys_export.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

extern char **environ;

static const char magic[] = "NVIDIA Tegra Profiler Report";

/* Reports of 2022 and 2023 begin with this; later ones may not. */
static bool begins_as_report(const char *path, const char *head, size_t size)
{
    static const char database[] = "SQLite format 3", ending[] = ".nsys-rep";
    size_t length = strlen(path), end = sizeof ending - 1;
    if (size >= sizeof magic - 1 && !memcmp(head, magic, sizeof magic - 1)) return true;
    if (size >= sizeof database && !memcmp(head, database, sizeof database)) return false;
    return length > end && !strcmp(path + length - end, ending);
}

static trib_status look_at(const char *path, bool *is_report)
{
    char head[sizeof magic - 1];
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &info) != 0) {
        int error = errno;
        if (file >= 0) close(file);
        return TRIB_VENDOR_ERROR(error == ENOENT ? TRIB_NOT_FOUND : TRIB_IO_ERROR, error, "open", "%s: %s", path,
                                 strerror(error));
    }
    ssize_t got = S_ISREG(info.st_mode) ? pread(file, head, sizeof head, 0) : 0;
    close(file);
    if (!S_ISREG(info.st_mode))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s is no regular file: a database is not read in order", path);
    if (got == 0) return TRIB_ERROR(TRIB_BAD_DATA, "%s is empty", path);
    *is_report = begins_as_report(path, head, got > 0 ? (size_t)got : 0);
    return trib_success();
}

static char *join(const char *a, const char *b)
{
    char *text = trib_alloc(strlen(a) + strlen(b) + 1);
    if (text) strcat(strcpy(text, a), b);
    return text;
}

static trib_status make_folder(trib_nsys_exported *exported)
{
    const char *parent = getenv("TMPDIR");
    exported->folder = join(parent && *parent ? parent : "/tmp", "/tributary-nsys-XXXXXX");
    if (!exported->folder) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a folder");
    if (trib_fault("mkdtemp") || !mkdtemp(exported->folder)) {
        trib_status status = TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "mkdtemp", "no temporary folder %s: %s",
                                               exported->folder, strerror(errno));
        trib_free(exported->folder);
        exported->folder = NULL;
        return status;
    }
    exported->path = join(exported->folder, "/report.sqlite");
    return exported->path ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a file");
}

/* Its messages go to /dev/null: what failed is said with the command to try by hand. Returns 0 or errno. */
static int start(const char *const *arguments, pid_t *child)
{
    posix_spawn_file_actions_t files;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!error) error = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawnp(child, arguments[0], &files, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

static bool wait_for(pid_t child, trib_nsys_stop stop, int *result)
{
    bool stopped = false;
    pid_t ended;
    while ((ended = waitpid(child, result, stop && !stopped ? WNOHANG : 0)) != child) {
        if (ended < 0 && errno != EINTR) return false;
        if (stop && !stopped && stop()) {
            stopped = true;
            kill(child, SIGTERM);
        }
        nanosleep(&(struct timespec) { .tv_nsec = 20 * 1000 * 1000 }, NULL);
    }
    return !stopped;
}

static trib_status run(const char *path, trib_nsys_stop stop, const char *to)
{
    /* A name that begins with a dash is no option. */
    char *from = join(path[0] == '-' ? "./" : "", path);
    if (!from) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to export %s", path);
    const char *const arguments[] = { "nsys", "export", "-t", "sqlite", "-o", to, from, NULL };
    pid_t child;
    int result = 0, error = start(arguments, &child);
    bool ended = !error && wait_for(child, stop, &result);
    trib_free(from);
    if (error == ENOENT)
        return TRIB_ERROR(
            TRIB_UNSUPPORTED,
            "%s: nsys, which has to export it, is not on PATH; where it is: nsys export -t sqlite %s, and "
            "give the .sqlite file",
            path, path);
    if (error) return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, error, "posix_spawnp", "%s: nsys: %s", path, strerror(error));
    if (!ended) return TRIB_ERROR(TRIB_CANCELLED, "%s: interrupted", path);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0 && access(to, R_OK) == 0) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: nsys could not export it (status %d); its messages: nsys export -t sqlite %s",
                      path, WIFEXITED(result) ? WEXITSTATUS(result) : WTERMSIG(result), path);
}

trib_status trib_nsys_export(const char *path, trib_nsys_stop stop, trib_nsys_exported *exported)
{
    bool is_report = false;
    *exported = (trib_nsys_exported) { 0 };
    TRIB_TRY(look_at(path, &is_report));
    if (!is_report) return trib_success();
    TRIB_TRY(make_folder(exported));
    return run(path, stop, exported->path);
}

void trib_nsys_export_remove(trib_nsys_exported *exported)
{
    if (exported->path) unlink(exported->path);
    if (exported->folder) rmdir(exported->folder);
    trib_free(exported->path);
    trib_free(exported->folder);
    *exported = (trib_nsys_exported) { 0 };
}
