/* SPDX-License-Identifier: Apache-2.0
 * tributary help [COMMAND], tributary version. */
#include <stdio.h>

#include "options.h"
#include "text.h"

static int overview(void)
{
    printf("Usage: tributary COMMAND [ARGUMENT...]\n\n"
           "Tributary %s runs and trains Inception networks (GoogLeNet): it classifies images, measures accuracy and\n"
           "speed, and shows what a network is made of and how it will run.\n\nCommands:\n",
           trib_version());
    for (int i = 0; cli_command_at(i); ++i) printf("  %-10s %s\n", cli_command_at(i)->name, cli_command_at(i)->summary);
    printf("\nOptions:\n  -h, --help     show this text\n  -V, --version  show the version\n");
    printf("\n'tributary COMMAND --help' shows a command's arguments, options and examples.\n\n"
           "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some inputs were skipped,\n"
           "4 a training run was stopped by a signal, and saved.\n");
    return CLI_OK;
}

static int run_help(const cli_command *self, int argc, char **argv)
{
    cli_texts arguments = { 0 };
    const cli_group groups[] = { CLI_GROUPS_END };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON && arguments.count > 1) code = cli_usage(self, "one COMMAND at most");
    if (code == CLI_GO_ON && arguments.count == 1) {
        const cli_command *command = cli_command_find(arguments.items[0]);
        char *help[] = { "--help" };
        code =
            command ? command->run(command, 1, help) : cli_usage(self, "there is no command '%s'", arguments.items[0]);
    }
    if (code == CLI_GO_ON) code = overview();
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_help = {
    .name = "help",
    .summary = "list the commands, or show one command's help",
    .synopsis = "[COMMAND]",
    .description = "Lists the commands, or shows the help of one command, as COMMAND --help does.",
    .examples = "  $ tributary help\n  $ tributary help classify\n",
    .run = run_help,
};

typedef struct version_options {
    bool json;
} version_options;
static const cli_option version_table[] = {
    { 0, "json", CLI_FLAG, offsetof(version_options, json), NULL, "print JSON", 0, 0 },
};

static int run_version(const cli_command *self, int argc, char **argv)
{
    version_options options = { 0 };
    cli_group groups[] = { CLI_GROUP("Options", version_table, &options), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON && arguments.count)
        code = cli_usage(self, "takes no argument, but got '%s'", arguments.items[0]);
    if (code == CLI_GO_ON && options.json) printf("{\"version\":\"%s\"}\n", trib_version());
    if (code == CLI_GO_ON && !options.json) printf("tributary %s\n", trib_version());
    cli_options_release(groups, &arguments);
    return code == CLI_GO_ON ? CLI_OK : code;
}

const cli_command cli_version = {
    .name = "version",
    .summary = "show the version of this program",
    .synopsis = "[--json]",
    .description = "Prints the version of this program. 'tributary devices' shows the versions of its libraries.",
    .examples = "  $ tributary version\n  $ tributary version --json\n",
    .run = run_version,
};
