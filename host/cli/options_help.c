/* SPDX-License-Identifier: Apache-2.0
 * What --help prints: usage, description, options by group, examples. help2man turns it into a man page: it looks for
 * "Usage:", "Options:" and "Examples:", for titles above indented lines, and for "$ " in front of a command line. */
#include <stdio.h>
#include <string.h>

#include "options.h"

enum { HELP_COLUMN = 28, HELP_WIDTH = 96 };

/* Prints the words of `text`, which begins at `column`; further lines are indented to `indent`. Returns the text after
 * the first end of line. */
static const char *print_wrapped(const char *text, int column, int indent)
{
    while (*text && *text != '\n') {
        int length = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + length > HELP_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            ++column;
        }
        printf("%.*s", length, text);
        column += length;
        text += length;
        text += *text == ' ';
    }
    putchar('\n');
    return text + (*text == '\n');
}

static void print_paragraphs(const char *text)
{
    while (*text) text = print_wrapped(text, 0, 0);
}

static void print_option(char letter, const char *name, const char *value, const char *help)
{
    int column = letter ? printf("  -%c, --%s", letter, name) : printf("      --%s", name);
    if (value) column += printf(" %s", value);
    if (column + 2 > HELP_COLUMN) {
        putchar('\n');
        column = 0;
    }
    printf("%*s", HELP_COLUMN - column, "");
    print_wrapped(help, HELP_COLUMN, HELP_COLUMN);
}

static void print_group(const cli_group *group)
{
    for (int i = 0; i < group->count; ++i) {
        const cli_option *o = &group->options[i];
        char several[128];
        snprintf(several, sizeof several, "%s,...", o->value ? o->value : "");
        print_option(o->letter, o->name,
                     o->kind == CLI_FLAG      ? NULL
                     : o->kind == CLI_CHOICES ? several
                                              : o->value,
                     o->help);
    }
}

/* The first group is the command's own and comes under "Options:". */
void cli_print_help(const cli_command *command, const cli_group *groups)
{
    printf("Usage: tributary %s %s\n\n", command->name, command->synopsis);
    print_paragraphs(command->description);
    printf("\nOptions:\n");
    if (groups[0].title) print_group(&groups[0]);
    print_option(0, "verbose", NULL, "after a failure, also show its source file and line and the library call");
    print_option('h', "help", NULL, "show this text");
    for (int g = 1; groups[0].title && groups[g].title; ++g) {
        printf("\n%s:\n", groups[g].title);
        print_group(&groups[g]);
    }
    printf("\nExamples:\n%s", command->examples);
}
