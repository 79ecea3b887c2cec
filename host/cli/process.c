/* SPDX-License-Identifier: Apache-2.0
 * The process around a command: messages, flushing standard output, time, signals. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "text.h"

void cli_message(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs("tributary: ", stderr);
    cli_print_safe(stderr, text);
    fputc('\n', stderr);
}

static bool verbose; /* set while the command line is read, when there is no other thread */

void cli_be_verbose(void) { verbose = true; }

/* The meaning of the code depends on the library, so it is shown with the call that failed; of a system call it is
 * errno. */
static void report_origin(const trib_status *status)
{
    char call[128] = "", code[40] = "";
    const char *file = status->file ? status->file : "?";
    while (strncmp(file, "../", 3) == 0) file += 3; /* from the build folder */
    if (status->vendor_code) snprintf(code, sizeof code, " failed with code %d", status->vendor_code);
    if (status->call) snprintf(call, sizeof call, ", %s%s", status->call, code);
    if (!status->call && status->vendor_code) snprintf(call, sizeof call, ", code %d", status->vendor_code);
    cli_message("  %s at %s:%d%s", trib_code_name(status->code), file, status->line, call);
}

trib_status cli_with_hint(const trib_status *status)
{
    static const struct {
        const char *words, *option;
    } hints[] = { { "open device cpu", "--device cpu" },
                  { "resume the run", "--resume" },
                  { "resume it anyway", "--resume-anyway" },
                  { "auxiliary weight of 0", "--aux-weight" },
                  { "; make them first", "tributary propose" },
                  { "; make them again", "tributary propose" },
                  { "trib_loader_options.memory_limit", "--loader-memory" },
                  { "trib_decode_options.max_pixels", "--max-pixels" } };
    trib_status hinted = *status;
    size_t used = strlen(hinted.message);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; ++i) {
        if (!strstr(status->message, hints[i].words)) continue;
        snprintf(hinted.message + used, sizeof hinted.message - used, " (%s)", hints[i].option);
        break;
    }
    return hinted;
}

int cli_report(const trib_status *status)
{
    bool closed_pipe = status->code == TRIB_IO_ERROR && status->vendor_code == EPIPE;
    if (closed_pipe || status->code == TRIB_CANCELLED) return CLI_FAILED;
    cli_message("%s", cli_with_hint(status).message);
    if (verbose) report_origin(status);
    return CLI_FAILED;
}

trib_status cli_write_stdout(const char *text, size_t size)
{
    errno = 0;
    if (fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0) return trib_success();
    int error = errno;
    return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, error, "fwrite", "standard output: cannot write: %s", strerror(error));
}

int cli_finish_stdout(int exit_code)
{
    trib_status status = cli_write_stdout("", 0);
    if (!trib_failed(&status) && !ferror(stdout)) return exit_code;
    if (exit_code == CLI_FAILED) return exit_code; /* already reported */
    if (trib_failed(&status)) return cli_report(&status);
    cli_message("standard output: cannot write");
    return CLI_FAILED;
}

double cli_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double cli_start_time(void)
{
    static double start; /* set by main() before there is any other thread */
    if (start == 0) start = cli_now();
    return start;
}

/* All that a signal handler may touch. */
static volatile sig_atomic_t stop_requested, save_requested, told = -1;

static void request_stop(int signal_number)
{
    (void)signal_number;
    int error = errno;
    stop_requested = 1;
    if (told >= 0 && write((int)told, "!", 1) != 1) stop_requested = 1; /* the flag is checked at the next batch */
    errno = error;
}

static void stop_at(int signal_number, int flags)
{
    struct sigaction action = { .sa_handler = request_stop, .sa_flags = flags | SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

/* A shell without job control starts background jobs with SIGINT ignored, and nohup ignores SIGHUP: they stay ignored.
 */
static bool is_ignored(int signal_number)
{
    struct sigaction now;
    return sigaction(signal_number, NULL, &now) != 0 || now.sa_handler == SIG_IGN;
}

void cli_catch_signals(void)
{
    stop_at(SIGTERM, (int)SA_RESETHAND);
    if (!is_ignored(SIGINT)) stop_at(SIGINT, (int)SA_RESETHAND);
}

void cli_tell_signals(int fd)
{
    told = fd;
    if (fd >= 0 && stop_requested && write(fd, "!", 1) != 1) stop_requested = 1;
}

bool cli_stopped(void) { return stop_requested != 0; }

static void request_save(int signal_number)
{
    (void)signal_number;
    save_requested = 1;
}

void cli_catch_training_signals(void)
{
    cli_catch_signals();
    if (!is_ignored(SIGHUP)) stop_at(SIGHUP, 0); /* one from the shell, and one from the kernel when that has ended */
    struct sigaction action = { .sa_handler = request_save, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
}

bool cli_save_requested(void)
{
    bool requested = save_requested != 0;
    save_requested = 0;
    return requested;
}
