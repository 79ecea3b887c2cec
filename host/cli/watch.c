/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tributary/internal/alloc.h"

struct cli_watch {
    void (*cancel)(void *loader);
    void *loader;
    pthread_t thread;
    int pipe[2];
};

/* Reads a byte for a signal, or the end of file when there is nothing left to watch. */
static void *wait_for_signal(void *argument)
{
    cli_watch *watch = argument;
    char byte;
    ssize_t got;
    do got = read(watch->pipe[0], &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1) watch->cancel(watch->loader);
    return NULL;
}

trib_status cli_watch_start(void (*cancel)(void *loader), void *loader, cli_watch **out)
{
    cli_watch *watch = trib_alloc_zeroed(1, sizeof *watch);
    if (!watch) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to watch for signals");
    watch->cancel = cancel;
    watch->loader = loader;
    if (pipe(watch->pipe) != 0) {
        trib_free(watch);
        return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "pipe", "cannot watch for signals: %s", strerror(errno));
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&watch->thread, NULL, wait_for_signal, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        close(watch->pipe[0]);
        close(watch->pipe[1]);
        trib_free(watch);
        return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, error, "pthread_create", "cannot start a thread: %s",
                                 strerror(error));
    }
    cli_tell_signals(watch->pipe[1]);
    *out = watch;
    return trib_success();
}

void cli_watch_stop(cli_watch *watch)
{
    if (!watch) return;
    cli_tell_signals(-1);
    close(watch->pipe[1]);
    pthread_join(watch->thread, NULL);
    close(watch->pipe[0]);
    trib_free(watch);
}
