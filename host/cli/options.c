/* SPDX-License-Identifier: Apache-2.0
 * Reads a command line. Values are read in values.c, help is printed in options_help.c. */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "tributary/internal/alloc.h"
#include "values.h"

int cli_usage(const cli_command *command, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "tributary %s: ", command->name);
    cli_print_safe(stderr, text);
    fprintf(stderr, "\n'tributary %s --help' lists its arguments and options.\n", command->name);
    return CLI_USAGE;
}

/* ---- suggestions ---- */

enum { LONGEST_WORD = 40 };

/* Levenshtein distance between words of at most LONGEST_WORD letters, to `b` and to its nearest prefix. */
static int distance(const char *a, const char *b, int *to_beginning)
{
    int row[LONGEST_WORD + 1], n = (int)strlen(b);
    for (int j = 0; j <= n; ++j) row[j] = j;
    for (int i = 1; a[i - 1]; ++i) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; ++j) {
            int replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = best < replace ? best : replace;
        }
    }
    *to_beginning = row[n];
    for (int j = 0; j < n; ++j)
        if (row[j] < *to_beginning) *to_beginning = row[j];
    return row[n];
}

cli_suggestion cli_suggestion_begin(const char *word) { return (cli_suggestion) { word, NULL, 0 }; }

void cli_suggestion_offer(cli_suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(suggestion->word);
    if (length > LONGEST_WORD || strlen(candidate) > LONGEST_WORD) return;
    int beginning, whole = distance(suggestion->word, candidate, &beginning);
    /* "--bach" for --batch-size counts as one typing error, but an equally near whole word wins */
    if (length >= 3 && beginning < whole) whole = beginning;
    int rank = 2 * whole + (whole == beginning && whole < (int)strlen(candidate) - (int)length);
    if (whole > (length < 3 ? 0 : length < 6 ? 1 : (int)length / 3)) return;
    if (suggestion->best && rank >= suggestion->distance) return;
    suggestion->best = candidate;
    suggestion->distance = rank;
}

/* ---- parsing ---- */

typedef struct parser {
    const cli_command *command;
    const cli_group *groups;
    int argc, at;
    char **argv;
} parser;

typedef struct found {
    const cli_option *option;
    void *target;
} found;

static found find_option(const parser *p, const char *name, size_t length, char letter)
{
    for (int g = 0; p->groups[g].title; ++g)
        for (int i = 0; i < p->groups[g].count; ++i) {
            const cli_option *o = &p->groups[g].options[i];
            bool same = name ? strlen(o->name) == length && strncmp(o->name, name, length) == 0 : o->letter == letter;
            if (same) return (found) { o, (char *)p->groups[g].target + o->offset };
        }
    return (found) { NULL, NULL };
}

static int unknown_option(const parser *p, const char *argument, const char *name, size_t length)
{
    char word[LONGEST_WORD + 1] = "";
    if (name && length <= LONGEST_WORD) memcpy(word, name, length);
    cli_suggestion near = cli_suggestion_begin(word);
    for (int g = 0; p->groups[g].title && *word; ++g)
        for (int i = 0; i < p->groups[g].count; ++i) cli_suggestion_offer(&near, p->groups[g].options[i].name);
    if (*word) cli_suggestion_offer(&near, "help");
    if (*word) cli_suggestion_offer(&near, "verbose");
    int shown = (int)strcspn(argument, "=");
    if (near.best)
        return cli_usage(p->command, "unknown option '%.*s'; did you mean --%s?", shown, argument, near.best);
    return cli_usage(p->command, "unknown option '%.*s'", shown, argument);
}

/* `value`: the text attached to the option; NULL: take the next argument, unless the option is a flag. */
static int take_value(parser *p, found f, const char *value)
{
    if (f.option->kind == CLI_FLAG) {
        if (value) return cli_usage(p->command, "--%s takes no value, but got '%s'", f.option->name, value);
        *(bool *)f.target = true;
        return CLI_GO_ON;
    }
    if (!value && p->at == p->argc)
        return cli_usage(p->command, "--%s needs a value: %s", f.option->name, f.option->value);
    if (!value) value = p->argv[p->at++];
    char expected[256];
    switch (cli_read_value(f.option, value, f.target, expected, sizeof expected)) {
    case CLI_VALUE_GOOD: return CLI_GO_ON;
    case CLI_VALUE_BAD:
        return cli_usage(p->command, "--%s does not take '%s'; it takes %s", f.option->name, value, expected);
    default: cli_message("no memory for the command line"); return CLI_FAILED;
    }
}

static int parse_option(parser *p, const char *argument)
{
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        cli_print_help(p->command, p->groups);
        return CLI_OK;
    }
    if (strcmp(argument, "--verbose") == 0) {
        cli_be_verbose();
        return CLI_GO_ON;
    }
    if (argument[1] == '-') {
        const char *name = argument + 2;
        size_t length = strcspn(name, "=");
        found f = find_option(p, name, length, 0);
        if (!f.option) return unknown_option(p, argument, name, length);
        return take_value(p, f, name[length] ? name + length + 1 : NULL);
    }
    found f = find_option(p, NULL, 0, argument[1]);
    if (!f.option) return unknown_option(p, argument, NULL, 0);
    return take_value(p, f, argument[2] ? argument + 2 : NULL);
}

int cli_parse(const cli_command *command, const cli_group *groups, int argc, char **argv, cli_texts *arguments)
{
    parser p = { command, groups, argc, 0, argv };
    bool options_ended = false;
    while (p.at < argc) {
        const char *argument = argv[p.at++];
        int result = CLI_GO_ON;
        if (!options_ended && strcmp(argument, "--") == 0)
            options_ended = true;
        else if (!options_ended && argument[0] == '-' && argument[1])
            result = parse_option(&p, argument);
        else if (!cli_texts_add(arguments, argument, strlen(argument))) {
            cli_message("no memory for the command line");
            result = CLI_FAILED;
        }
        if (result != CLI_GO_ON) return result;
    }
    return CLI_GO_ON;
}

void cli_options_release(const cli_group *groups, cli_texts *arguments)
{
    for (int g = 0; groups[g].title; ++g)
        for (int i = 0; i < groups[g].count; ++i) {
            const cli_option *o = &groups[g].options[i];
            void *target = (char *)groups[g].target + o->offset;
            if (o->kind == CLI_TEXTS) cli_texts_release(target);
            if (o->kind == CLI_INTS || o->kind == CLI_CHOICES) cli_ints_release(target);
            if (o->kind == CLI_SCHEDULES) cli_schedules_release(target);
            if (o->kind == CLI_SCHEDULE_LIST) cli_schedule_list_release(target);
        }
    cli_texts_release(arguments);
}
