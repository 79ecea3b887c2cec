/* SPDX-License-Identifier: Apache-2.0
 * Command lines, driven by tables: one row per option says its names, what it takes, and where the value goes.
 *
 * Accepted: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, options and arguments in any order, `--` to end options. */
#ifndef TRIBUTARY_CLI_OPTIONS_H
#define TRIBUTARY_CLI_OPTIONS_H

#include <stddef.h>

#include "cli.h"

typedef struct cli_texts {
    char **items;
    int count;
} cli_texts;

typedef struct cli_ints {
    int *items;
    int count;
} cli_ints;

typedef struct cli_triple {
    bool given;
    float values[3];
} cli_triple;

typedef enum cli_kind {
    CLI_FLAG,     /* bool */
    CLI_INT,      /* int, low .. high */
    CLI_REAL,     /* double, low .. high, low itself excluded */
    CLI_BYTES,    /* int64_t; K, M, G are powers of 1024 */
    CLI_COUNT,    /* int64_t; K, M, G are powers of 1000 */
    CLI_TEXT,     /* const char * */
    CLI_FILE_IN,  /* const char *, a file that is read */
    CLI_FILE_OUT, /* const char *, one that is written; "FILE|word" for a value that is none */
    CLI_TEXTS,    /* cli_texts; a comma separates, and the option may be repeated */
    CLI_INTS,     /* cli_ints, each low .. high; likewise */
    CLI_TRIPLE,   /* cli_triple, "a,b,c" */
    CLI_CHOICE    /* int: which word of `value`, "serial|branches", from 0 */
} cli_kind;

typedef struct cli_option {
    char letter; /* 0 when there is no short form */
    const char *name;
    cli_kind kind;
    size_t offset;     /* of the value in the group's target */
    const char *value; /* how help calls the value; the words of a choice */
    const char *help;
    double low, high;
} cli_option;

typedef struct cli_group {
    const char *title;
    const cli_option *options;
    int count;
    void *target; /* holds the defaults beforehand */
} cli_group;

#define CLI_GROUP(title, table, target)                              \
    {                                                                \
        title, table, (int)(sizeof(table) / sizeof *(table)), target \
    }

enum { CLI_GO_ON = -1 };

/* Fills the groups' targets and `arguments` (what is not an option). Returns CLI_GO_ON, or the exit code when the
 * command line was wrong (said on standard error) or asked for help (on standard output). In every case release with
 * cli_options_release. */
int cli_parse(const cli_command *command, const cli_group *groups, int group_count, int argc, char **argv,
              cli_texts *arguments);
void cli_options_release(const cli_group *groups, int group_count, cli_texts *arguments);

/* "tributary COMMAND: ..." and a pointer to --help on standard error; returns CLI_USAGE. */
TRIB_PRINTF(2, 3)
int cli_usage(const cli_command *command, const char *format, ...);

/* Everything --help says. */
void cli_print_help(const cli_command *command, const cli_group *groups, int group_count);

/* The nearest of several words, if near enough for a typing error. */
typedef struct cli_suggestion {
    const char *word, *best;
    int distance;
} cli_suggestion;
cli_suggestion cli_suggestion_begin(const char *word);
void cli_suggestion_offer(cli_suggestion *suggestion, const char *candidate);

#endif
