/* SPDX-License-Identifier: Apache-2.0
 * slow_reader [--stuck] COMMAND...: runs a command whose standard output and error are non-blocking pipes, as a program
 * that shares their other ends may have made them, and reads only when they are full. What was read goes to this
 * program's own output and error; its exit code is the command's.
 *
 * --stuck: reads nothing, sends SIGTERM twice, and succeeds if that ends the command. */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct pipe_reader {
    int read_end, to;
    bool open;
} pipe_reader;

static int held(const pipe_reader *pipe)
{
    int bytes = 0;
    ioctl(pipe->read_end, FIONREAD, &bytes);
    return bytes;
}

/* Until the command has added nothing for a while: it is done, or it waits for us. */
static void wait_until_quiet(const pipe_reader pipes[2])
{
    for (int before = -1, quiet = 0; quiet < 5; usleep(10000)) {
        const int now = held(&pipes[0]) + held(&pipes[1]);
        quiet = now == before ? quiet + 1 : 0;
        before = now;
    }
}

/* What is there now, or the end of it. */
static void drain(pipe_reader *pipe)
{
    char bytes[4096];
    const ssize_t n = read(pipe->read_end, bytes, sizeof bytes);
    if (n <= 0) pipe->open = false;
    if (n > 0 && write(pipe->to, bytes, (size_t)n) != n) _exit(95);
}

static void read_slowly(pipe_reader pipes[2])
{
    while (pipes[0].open || pipes[1].open) {
        struct pollfd fds[2];
        for (int i = 0; i < 2; ++i) fds[i] = (struct pollfd) { pipes[i].open ? pipes[i].read_end : -1, POLLIN, 0 };
        poll(fds, 2, -1);
        wait_until_quiet(pipes);
        for (int i = 0; i < 2; ++i)
            if (fds[i].revents) drain(&pipes[i]);
    }
}

int main(int argc, char **argv)
{
    const bool stuck = argc > 1 && strcmp(argv[1], "--stuck") == 0;
    if (argc < 2 + stuck) return 96;
    pipe_reader pipes[2];
    int write_ends[2];
    for (int i = 0; i < 2; ++i) {
        int ends[2];
        if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK) != 0) return 97;
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        if (fcntl(ends[1], F_SETPIPE_SZ, 4096) < 0) return 97; /* full soon */
        pipes[i] = (pipe_reader) { .read_end = ends[0], .to = STDOUT_FILENO + i, .open = true };
        write_ends[i] = ends[1];
    }
    const pid_t child = fork();
    if (child < 0) return 97;
    if (child == 0) {
        for (int i = 0; i < 2; ++i) {
            dup2(write_ends[i], STDOUT_FILENO + i);
            close(write_ends[i]);
        }
        execv(argv[1 + stuck], argv + 1 + stuck);
        _exit(97);
    }
    close(write_ends[0]);
    close(write_ends[1]);
    int status = 0;
    if (stuck) {
        while (held(&pipes[0]) + held(&pipes[1]) == 0) usleep(10000);
        wait_until_quiet(pipes);
        while (waitpid(child, &status, WNOHANG) == 0) { /* it must not take long: the test has a time limit */
            kill(child, SIGTERM);
            usleep(100000);
        }
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 94;
    }
    read_slowly(pipes);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 94;
}
