/* SPDX-License-Identifier: Apache-2.0
 * An SQLite file that anybody may have written, read table by table. Only tables are read, never views, and only their
 * named columns; nothing in the file is run, and nothing is written. */
#ifndef TRIBUTARY_PROFILE_NSYS_DATABASE_H
#define TRIBUTARY_PROFILE_NSYS_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_nsys_database trib_nsys_database;
typedef struct trib_nsys_rows trib_nsys_rows;

typedef enum trib_nsys_type { TRIB_NSYS_NUMBER, TRIB_NSYS_TEXT } trib_nsys_type;

typedef struct trib_nsys_column {
    const char *name;
    trib_nsys_type type;
    bool optional; /* the column may be missing; a value may be NULL */
} trib_nsys_column;

enum { TRIB_NSYS_MAX_COLUMNS = 12 };

/* Asked now and then while a query runs: true ends it with TRIB_CANCELLED. NULL: never. */
typedef bool (*trib_nsys_stop)(void);

/* TRIB_UNSUPPORTED where this program was built without SQLite. `path` must outlive *out. */
trib_status trib_nsys_database_open(const char *path, trib_nsys_stop stop, trib_nsys_database **out);
void trib_nsys_database_close(trib_nsys_database *database); /* NULL is fine */

/* Whether there is a table (a view is none) that has this column. */
trib_status trib_nsys_has_column(trib_nsys_database *database, const char *table, const char *column, bool *out);

/* All rows of a table. *out is NULL if there is no such table: an export leaves out those without rows. `table` and the
 * columns are constants of this program, and outlive *out. */
trib_status trib_nsys_rows_open(trib_nsys_database *database, const char *table, const trib_nsys_column *columns,
                                int count, trib_nsys_rows **out);
void trib_nsys_rows_close(trib_nsys_rows *rows); /* NULL is fine */
/* Goes to the next row; *more is false after the last. Fails if a value has another type than its column. */
trib_status trib_nsys_rows_next(trib_nsys_rows *rows, bool *more);
/* Of the present row; `otherwise` and NULL stand for NULL and a missing column. The text is valid until the next row.
 */
int64_t trib_nsys_number(const trib_nsys_rows *rows, int column, int64_t otherwise);
const char *trib_nsys_text(const trib_nsys_rows *rows, int column);
bool trib_nsys_is_null(const trib_nsys_rows *rows, int column);

#ifdef __cplusplus
}
#endif
#endif
