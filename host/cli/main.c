/* SPDX-License-Identifier: Apache-2.0
 * tributary: the program. Finds the command and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "options.h"

static const cli_command *const commands[] = { &cli_classify, &cli_eval,    &cli_train,   &cli_bench, &cli_profile,
                                               &cli_tune,     &cli_propose, &cli_detect,  &cli_info,  &cli_plan,
                                               &cli_run,      &cli_convert, &cli_devices, &cli_help,  &cli_version };

const cli_command *cli_command_at(int index)
{
    return index >= 0 && index < (int)(sizeof commands / sizeof *commands) ? commands[index] : NULL;
}

const cli_command *cli_command_find(const char *name)
{
    for (int i = 0; cli_command_at(i); ++i)
        if (strcmp(cli_command_at(i)->name, name) == 0) return cli_command_at(i);
    return NULL;
}

static int unknown_command(const char *name)
{
    cli_suggestion near = cli_suggestion_begin(name);
    for (int i = 0; cli_command_at(i); ++i) cli_suggestion_offer(&near, cli_command_at(i)->name);
    if (near.best)
        cli_message("there is no command '%s'; did you mean '%s'?", name, near.best);
    else
        cli_message("there is no command '%s'", name);
    fputs("'tributary help' lists them.\n", stderr);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    if (!cli_hold_standard_files()) {
        cli_message("standard input, output or error is closed, and /dev/null cannot be opened in its place");
        return CLI_FAILED;
    }
    cli_limit_spinning();
    cli_start_time();
    cli_open_streams();
    /* If the reader goes away, writes fail and are reported. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* Likewise for a file at its size limit. */

    if (argc < 2) {
        fputs("Usage: tributary COMMAND [ARGUMENT...]\n'tributary help' lists the commands.\n", stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) name = "version";
    const cli_command *command = cli_command_find(name);
    if (!command) return unknown_command(name);
    return cli_finish_stdout(command->run(command, argc - 2, argv + 2));
}
