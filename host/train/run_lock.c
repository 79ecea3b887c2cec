/* SPDX-License-Identifier: Apache-2.0
 * One process per run. The kernel's lock ends with its process, so a killed one leaves nothing behind that the next
 * must judge; the file's text, "PID HOST", is only for the message. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "data/file.h"
#include "train/run_private.h"

static trib_status held(const char *folder, int fd)
{
    char text[128] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    long pid = 0;
    char host[64] = "";
    if (sscanf(text, "%ld %63[A-Za-z0-9._-]", &pid, host) != 2)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: another process trains into this folder; give another one",
                          trib_shorten(folder).text);
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: process %ld on %s trains into this folder; wait until it ends, or give another one",
                      trib_shorten(folder).text, pid, host);
}

static void write_owner(int fd)
{
    char host[64] = "unknown", text[128];
    if (gethostname(host, sizeof host - 1)) strcpy(host, "unknown");
    int size = snprintf(text, sizeof text, "%ld %s\n", (long)getpid(), host);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) == size) return;
    (void)ftruncate(fd, 0); /* on a full disk, the message lacks the id */
}

trib_status trib_run_lock(const char *folder, int *fd, bool *locked)
{
    char path[TRIB_RUN_PATH];
    snprintf(path, sizeof path, "%s/" TRIB_RUN_LOCK, folder);
    int opened, failed;
    while ((opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, (mode_t)0666)) < 0 && errno == EINTR) continue;
    opened = trib_above_standard(opened);
    if (opened < 0) return TRIB_FILE_ERROR("open", "open", path, errno);
    while ((failed = flock(opened, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR) continue;
    *locked = !failed;
    if (failed && errno == EWOULDBLOCK) {
        trib_status s = held(folder, opened);
        close(opened);
        return s;
    }
    if (*locked) write_owner(opened);
    *fd = opened; /* other failures: the file system has no locks */
    return trib_success();
}
