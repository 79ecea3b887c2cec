/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "train/run_private.h"
#include "tributary/internal/alloc.h"

enum { DEFAULT_KEEP = 2, LONGEST_NAME = 300 /* of a file in the folder */ };

const char *trib_run_folder_path(const trib_run_folder *run) { return run->path; }
bool trib_run_folder_is_new(const trib_run_folder *run) { return run->is_new; }
bool trib_run_folder_is_locked(const trib_run_folder *run) { return run->is_locked; }

const char *trib_run_folder_file(const trib_run_folder *run, const char *name, char *path)
{
    snprintf(path, TRIB_RUN_PATH, "%s/%s", run->path, name);
    return path;
}

/* ---- what is in a folder ---- */

trib_status trib_run_each_name(const char *folder, trib_status (*found)(void *context, const char *name), void *context)
{
    DIR *list = opendir(folder);
    trib_status s = list ? trib_success() : TRIB_FILE_ERROR("opendir", "list", folder, errno);
    while (list && !trib_failed(&s)) {
        errno = 0;
        const struct dirent *entry = readdir(list);
        if (!entry && errno) s = TRIB_FILE_ERROR("readdir", "list", folder, errno);
        if (!entry) break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) s = found(context, entry->d_name);
    }
    if (list) closedir(list);
    return s;
}

/* The process that writes a temporary file; 0: it is none. */
static long temporary_owner(const char *name)
{
    long pid = 0;
    size_t length = strlen(name);
    bool temporary = length > 4 && strcmp(name + length - 4, ".tmp") == 0;
    return temporary && sscanf(name, ".tributary-%ld-", &pid) == 1 && pid > 0 ? pid : 0;
}

typedef struct inventory {
    bool args;
    char foreign[64]; /* a name that is not a run's; "": none */
} inventory;

static trib_status note(void *context, const char *name)
{
    inventory *held = context;
    if (strcmp(name, TRIB_RUN_ARGS) == 0)
        held->args = true;
    else if (strcmp(name, TRIB_RUN_LOCK) != 0 && !temporary_owner(name) &&
             strncmp(name, TRIB_RUN_PROPOSALS, strlen(TRIB_RUN_PROPOSALS)) != 0)
        snprintf(held->foreign, sizeof held->foreign, "%.60s", name);
    return trib_success();
}

/* Changes nothing. *has_run: the folder holds a run. */
static trib_status check_folder(const char *path, bool resume, bool *has_run)
{
    inventory held = { 0 };
    char args[TRIB_RUN_PATH];
    trib_status s = trib_run_each_name(path, note, &held);
    if (s.vendor_code == ENOENT) return trib_success(); /* it is created */
    if (trib_failed(&s)) return s;
    if (!held.args && held.foreign[0])
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: holds other files than a training run ('%s'); give an empty folder or a new one",
                          trib_shorten(path).text, held.foreign);
    if (!held.args) return trib_success();
    snprintf(args, sizeof args, "%s/" TRIB_RUN_ARGS, path);
    TRIB_TRY(trib_run_check_args(args));
    if (!resume)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: holds a training run already; give another folder, or resume the run",
                          trib_shorten(path).text);
    *has_run = true;
    return trib_success();
}

/* ---- opening ---- */

/* As mkdir -p. A folder above that exists may refuse with another error than EEXIST; what is really missing, the next
 * folder says. */
static trib_status create_folders(const char *path)
{
    char part[TRIB_RUN_PATH];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1; *slash; ++slash) {
        if (*slash != '/') continue;
        *slash = '\0';
        if (mkdir(part, 0777) && errno != EEXIST && errno != EISDIR && errno != EROFS && errno != EACCES)
            return TRIB_FILE_ERROR("mkdir", "create the folder", part, errno);
        *slash = '/';
    }
    return mkdir(part, 0777) && errno != EEXIST ? TRIB_FILE_ERROR("mkdir", "create the folder", path, errno)
                                                : trib_success();
}

/* An id may have been given out again, also to this process: in a container it often is 1 each time. */
static trib_status remove_if_dead(void *context, const char *name)
{
    char path[TRIB_RUN_PATH];
    const long pid = temporary_owner(name);
    if (!pid || (pid != (long)getpid() && (kill((pid_t)pid, 0) == 0 || errno != ESRCH))) return trib_success();
    trib_run_folder_file(context, name, path);
    return unlink(path) && errno != ENOENT ? TRIB_FILE_ERROR("unlink", "remove the unfinished file", path, errno)
                                           : trib_success();
}

static trib_status open_folder(trib_run_folder *run, bool resume)
{
    bool has_run = false;
    TRIB_TRY(check_folder(run->path, true, &has_run)); /* of others' folders not even a lock is changed */
    TRIB_TRY(create_folders(run->path));
    TRIB_TRY(trib_run_lock(run->path, &run->lock, &run->is_locked));
    has_run = false;
    TRIB_TRY(check_folder(run->path, resume, &has_run));
    run->is_new = !has_run;
    return trib_run_each_name(run->path, remove_if_dead, run);
}

trib_status trib_run_folder_open(const char *path, const trib_run_options *options, trib_run_folder **out)
{
    if (!path || !*path || !options || !out)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_run_folder_open: an argument is NULL or empty");
    if (strlen(path) > TRIB_RUN_PATH - LONGEST_NAME)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: the name is too long; give a shorter one",
                          trib_shorten(path).text);
    trib_run_folder *run = trib_alloc_zeroed(1, sizeof *run);
    if (run) run->path = trib_strdup(path);
    if (!run || !run->path) {
        trib_free(run);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(path).text);
    }
    run->lock = run->summary.fd = run->metrics.fd = -1;
    run->keep = options->keep > 0 ? options->keep : DEFAULT_KEEP;
    trib_status s = open_folder(run, options->resume);
    if (trib_failed(&s))
        trib_run_folder_close(run);
    else
        *out = run;
    return s;
}

void trib_run_folder_close(trib_run_folder *run)
{
    if (!run) return;
    trib_run_table_close(&run->summary);
    trib_run_table_close(&run->metrics);
    trib_run_tables_free(run);
    if (run->lock >= 0) close(run->lock); /* the file stays: another process may be about to lock it */
    trib_free(run->path);
    trib_free(run);
}
