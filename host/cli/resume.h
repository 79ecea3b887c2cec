/* SPDX-License-Identifier: Apache-2.0
 * Finds where an interrupted output of classify or detect ends, and advances the source to the next item. */
#ifndef TRIBUTARY_CLI_RESUME_H
#define TRIBUTARY_CLI_RESUME_H

#include "output.h"
#include "text.h"

typedef enum cli_records_per_item {
    CLI_ONE_RECORD,           /* of every item */
    CLI_ONE_RECORD_IF_GOOD,   /* an item that failed has none */
    CLI_ANY_NUMBER_OF_RECORDS /* side by side, and none of an item that failed or had no results */
} cli_records_per_item;

enum { CLI_RECORD_FAULT_TEXT = 128 };

/* How a file is made of records: lines, each about an item of the source, and perhaps one at the beginning and one at
 * the end. */
typedef struct cli_records {
    const void *context;
    cli_records_per_item per_item;
    bool quoted;        /* csv: ends of lines between quotes belong to a record */
    size_t lead;        /* first bytes of a record that say nothing, such as a comma between it and the last one */
    const char *last;   /* (optional) the last line of a finished file; cut off to go on */
    const char *misfit; /* what is wrong with a file that has other lines: "it does not look like jsonl of ..." */
    bool header;        /* `start` is a line of its own, otherwise what every record begins with */
    /* (optional) What the file begins with. */
    void (*start)(const void *context, cli_buffer *out);
    /* What the records of an item begin with; of different items differently. */
    void (*begin)(const void *context, const char *name, int64_t index, cli_buffer *out);
    /* (any number of records) How many bytes of a record are as `begin` writes them; 0: it is none of ours. The last
     * one of a file may be incomplete; then any other number stands for one that may be ours. */
    size_t (*key)(const char *record, size_t size, bool complete);
    /* (optional, jsonl) NULL, or what is wrong with a record that has no "error"; it may be written to `text`. */
    const char *(*fault)(const void *context, const cJSON *record, char text[CLI_RECORD_FAULT_TEXT]);
    /* (records not of every item) Whether an item without a record can be read: does what is needed to find out. */
    trib_status (*attempt)(const void *context, trib_item *item);
} cli_records;

typedef struct cli_resume {
    /* in */
    const cli_records *records;
    trib_source *source;
    void (*failed)(void *context, const char *name, const char *reason); /* an item that was skipped the first time */
    void *context;
    /* out */
    bool empty;              /* the file is empty, without even a header */
    int64_t kept;            /* records */
    int64_t items, failures; /* items skipped in the source, and how many of them have no result */
} cli_resume;

/* Checks that the records are those of the source's items, in order, cuts off an incomplete last one, and leaves the
 * file ready for appending. Any mismatch fails and leaves the file unchanged. An item without a record, where all
 * readable ones have one, must be unreadable: it is tried again. Where an item has any number of records, those of the
 * last one are cut off, for there may have been more; items before it without records are tried again, to list those
 * that failed. */
trib_status cli_resume_output(cli_resume *resume, cli_output *output);

#endif
