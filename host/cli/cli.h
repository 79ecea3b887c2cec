/* SPDX-License-Identifier: Apache-2.0
 * What all commands share: the table of commands, exit codes, messages, time, and signals.
 *
 * Data goes to standard output, messages to standard error. Only main() decides how the process ends. */
#ifndef TRIBUTARY_CLI_H
#define TRIBUTARY_CLI_H

#include <stddef.h>

#include "tributary.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_SKIPPED = 3, CLI_STOPPED = 4 };

typedef struct cli_command cli_command;
struct cli_command {
    const char *name, *summary, *synopsis, *description, *examples;
    int (*run)(const cli_command *self, int argc, char **argv); /* arguments after the command's name; exit code */
};

/* NULL past the end. */
const cli_command *cli_command_at(int index);
/* NULL if there is no such command. */
const cli_command *cli_command_find(const char *name);

extern const cli_command cli_devices, cli_info, cli_plan, cli_run, cli_classify, cli_eval, cli_train, cli_bench,
    cli_profile, cli_tune, cli_propose, cli_detect, cli_convert, cli_help, cli_version;

/* The message with the program's option for what it advises: the library names fields and functions, not options. */
trib_status cli_with_hint(const trib_status *status);
/* "tributary: ..." with its hint on standard error; returns CLI_FAILED. A closed pipe and an interruption are not
 * reported. */
int cli_report(const trib_status *status);
/* From now on, cli_report adds the source file, line and library call of a failure. */
void cli_be_verbose(void);
/* "tributary: ..." on standard error, without control characters. */
TRIB_PRINTF(1, 2)
void cli_message(const char *format, ...);

/* Called first: makes stdout and stderr streams that wait where a non-blocking descriptor would fail. */
void cli_open_streams(void);
/* Writes all of `bytes`, waiting as long as it takes even if `fd` is non-blocking. Returns 0 or errno. */
int cli_write_all(int fd, const char *bytes, size_t size);

/* For texts of any length; a failure has its reason. Short texts may be printed with stdio: main() checks at the end.
 */
trib_status cli_write_stdout(const char *text, size_t size);
/* Flushes standard output; CLI_FAILED if that or any earlier write failed. */
int cli_finish_stdout(int exit_code);

/* Makes sure that no file opened later becomes standard input, output or error. False if that is impossible. */
bool cli_hold_standard_files(void);
/* Shortens the waiting at OpenMP barriers, unless the environment says how to wait. Changes the environment: only
 * main() calls it, before there is any other thread and before a device is opened. */
void cli_limit_spinning(void);

/* Seconds on a monotonic clock, and its reading when the program started. */
double cli_now(void);
double cli_start_time(void);

/* From now on, SIGINT and SIGTERM set a flag; a second one ends the process at once. */
void cli_catch_signals(void);
bool cli_stopped(void);
/* The same; SIGHUP, the end of a terminal, sets that flag, too, however often it comes; SIGUSR1 asks for a checkpoint.
 */
void cli_catch_training_signals(void);
/* Whether SIGUSR1 came since the last call. */
bool cli_save_requested(void);
/* A byte is written to `fd` when a signal comes or has already come; -1: no longer. */
void cli_tell_signals(int fd);

#endif
