/* SPDX-License-Identifier: Apache-2.0
 * A text file to which lines are appended, each of one step, in order of the steps. */
#ifndef TRIBUTARY_TRAIN_RUN_TABLE_H
#define TRIBUTARY_TRAIN_RUN_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_run_table {
    char *path; /* NULL: closed */
    int fd;
    int64_t size; /* of all whole lines */
} trib_run_table;

/* How a line is read, which ends in a zero byte, without the newline: TRIB_BAD_DATA if it is damaged; other failures
 * are those of opening. */
typedef trib_status (*trib_run_line)(void *context, const char *line, int64_t *step);

/* Opens or creates the file, and cuts it off before the first line that is unfinished, damaged, or of a step beyond
 * `step`. A `header` line, if not NULL, comes first and must be the same as in the file. */
trib_status trib_run_table_open(const char *path, const char *header, int64_t step, trib_run_line line, void *context,
                                trib_run_table *out);
/* Appends `size` bytes, which end in a newline: all or, on failure, none. */
trib_status trib_run_table_append(trib_run_table *table, const char *line, size_t size);
/* Brings it to the disk. Harmless when closed. */
trib_status trib_run_table_sync(trib_run_table *table);
void trib_run_table_close(trib_run_table *table);

#ifdef __cplusplus
}
#endif
#endif
