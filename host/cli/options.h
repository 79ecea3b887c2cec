/* SPDX-License-Identifier: Apache-2.0
 * Command lines, driven by tables: one row per option has its names, its values, and where the value is stored.
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

typedef struct cli_schedules {
    bool automatic;            /* "auto": what is stored; then the rest is empty */
    int all;                   /* a trib_schedule, of all forks ... */
    trib_fork_schedule *forks; /* ... but of these, `names.count` of them */
    cli_texts names, words;    /* theirs: "inception_3a", "serial" */
} cli_schedules;

typedef struct cli_schedule_list {
    cli_schedules *items;
    int count;
} cli_schedule_list;

typedef enum cli_kind {
    CLI_FLAG,         /* bool */
    CLI_INT,          /* int, low .. high */
    CLI_REAL,         /* double, low < value <= high */
    CLI_AMOUNT,       /* double, low <= value <= high */
    CLI_BYTES,        /* int64_t; K, M, G are powers of 1024 */
    CLI_COUNT,        /* int64_t; K, M, G are powers of 1000 */
    CLI_TEXT,         /* const char * */
    CLI_FILE_IN,      /* const char *, a file to read */
    CLI_FILE_OUT,     /* const char *, a file to write; "FILE|word": the word means no file */
    CLI_TEXTS,        /* cli_texts, separated by commas; may be repeated */
    CLI_INTS,         /* cli_ints, each low .. high, separated by commas; may be repeated */
    CLI_TRIPLE,       /* cli_triple, "a,b,c" */
    CLI_CHOICE,       /* int: index of the word in `value`, "serial|branches" */
    CLI_CHOICES,      /* cli_ints: indices of such words, separated by commas; may be repeated */
    CLI_SCHEDULES,    /* cli_schedules, "fused,inception_3a=serial,inception_3b=1110-0112"; may be repeated */
    CLI_SCHEDULE_LIST /* cli_schedule_list: "serial,fused,inception_3a=serial" are two; may be repeated */
} cli_kind;

typedef struct cli_option {
    char letter; /* 0: no short form */
    const char *name;
    cli_kind kind;
    size_t offset;     /* of the value in the group's target */
    const char *value; /* placeholder in help, or the words of a choice */
    const char *help;
    double low, high;
} cli_option;

typedef struct cli_group {
    const char *title;
    const cli_option *options;
    int count;
    void *target; /* holds the defaults beforehand */
} cli_group;

/* A command's groups are an array that ends with CLI_GROUPS_END. */
#define CLI_GROUP(title, table, target)                              \
    {                                                                \
        title, table, (int)(sizeof(table) / sizeof *(table)), target \
    }

#define CLI_GROUPS_END      \
    {                       \
        NULL, NULL, 0, NULL \
    }

enum { CLI_GO_ON = -1 };

/* Fills the groups' targets and `arguments`. Returns CLI_GO_ON, or an exit code if the command line was wrong (reported
 * on standard error) or asked for help (printed on standard output). In every case, release with cli_options_release.
 */
int cli_parse(const cli_command *command, const cli_group *groups, int argc, char **argv, cli_texts *arguments);
void cli_options_release(const cli_group *groups, cli_texts *arguments);

/* Prints "tributary COMMAND: ..." and a hint at --help on standard error; returns CLI_USAGE. */
TRIB_PRINTF(2, 3)
int cli_usage(const cli_command *command, const char *format, ...);

/* Prints the text of --help. */
void cli_print_help(const cli_command *command, const cli_group *groups);

/* Finds the word nearest to a mistyped one, if any is near enough. */
typedef struct cli_suggestion {
    const char *word, *best;
    int distance;
} cli_suggestion;
cli_suggestion cli_suggestion_begin(const char *word);
void cli_suggestion_offer(cli_suggestion *suggestion, const char *candidate);

#endif
