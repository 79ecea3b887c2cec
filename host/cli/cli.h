/* SPDX-License-Identifier: Apache-2.0
 * What every command of the program shares: the table of commands, exit codes, messages, time, and being told to stop.
 *
 * Data goes to standard output, messages to standard error. Only main() decides how the process ends. */
#ifndef TRIBUTARY_CLI_H
#define TRIBUTARY_CLI_H

#include <stddef.h>

#include "tributary.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_SKIPPED = 3 };

typedef struct cli_command cli_command;
struct cli_command {
    const char *name, *summary, *synopsis, *description, *examples;
    int (*run)(const cli_command *self, int argc, char **argv); /* arguments after the command's name; exit code */
};

/* NULL past the end. */
const cli_command *cli_command_at(int index);
/* NULL when there is none of that name. */
const cli_command *cli_command_find(const char *name);

extern const cli_command cli_devices, cli_info, cli_plan, cli_run, cli_classify, cli_eval, cli_bench, cli_help,
    cli_version;

/* "tributary: ..." on standard error; returns CLI_FAILED. A closed pipe and an interruption end quietly. */
int cli_report(const trib_status *status);
/* From now on cli_report adds a line with the source file, the line and the library call of the failure. */
void cli_be_verbose(void);
/* "tributary: ..." on standard error, control characters made harmless. */
TRIB_PRINTF(1, 2)
void cli_message(const char *format, ...);

/* First of all: makes stdout and stderr streams that wait where a non-blocking descriptor would not. */
void cli_open_streams(void);
/* All of `bytes`, waiting as long as it takes, also where `fd` is non-blocking. 0, or errno. */
int cli_write_all(int fd, const char *bytes, size_t size);

/* For texts of any length: a failure keeps its reason. Short ones may be printed: main() looks at the end. */
trib_status cli_write_stdout(const char *text, size_t size);
/* Writes what is left of standard output; CLI_FAILED when that, or any earlier write, did not succeed. */
int cli_finish_stdout(int exit_code);

/* Makes sure that no file that is opened later becomes standard input, output or error. False: it cannot. */
bool cli_hold_standard_files(void);
/* Asks for shorter waiting at OpenMP barriers, unless the environment says how to wait. Changes the environment: only
 * main() calls it, before there is any other thread and before a device is opened. */
void cli_limit_spinning(void);

/* Seconds on a clock that never jumps, and the reading when the program started. */
double cli_now(void);
double cli_start_time(void);

/* After this, SIGINT and SIGTERM set a flag; the second one ends the process at once. */
void cli_catch_signals(void);
bool cli_stopped(void);
/* A byte is written to `fd` when a signal comes, or has come already; -1: no longer. */
void cli_tell_signals(int fd);

#endif
