/* SPDX-License-Identifier: Apache-2.0
 * What --help prints: synopsis, description, options by group, examples. */
#include <stdio.h>
#include <string.h>

#include "options.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

/* Words of `text` from `column` on, lines wrapped and indented to `indent`. */
static void print_wrapped(const char *text, int column, int indent)
{
    while (*text) {
        int length = (int)strcspn(text, " ");
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

void cli_print_help(const cli_command *command, const cli_group *groups, int group_count)
{
    printf("usage: tributary %s %s\n\n%s\n", command->name, command->synopsis, command->description);
    for (int g = 0; g < group_count; ++g) {
        printf("\n%s:\n", groups[g].title);
        for (int i = 0; i < groups[g].count; ++i) {
            const cli_option *o = &groups[g].options[i];
            print_option(o->letter, o->name, o->kind == CLI_FLAG ? NULL : o->value, o->help);
        }
    }
    printf("\nOther:\n");
    print_option('h', "help", NULL, "show this text");
    printf("\nExamples:\n%s", command->examples);
}
