/* SPDX-License-Identifier: Apache-2.0
 * The only file that knows SQLite. What guards against a hostile file: it is opened read-only and as unchanging, so
 * that no journal beside it is looked for; SQLite distrusts its schema; limits keep rows, texts and statements small;
 * and an authorizer allows reading of tables and nothing else, so that generated columns, views and triggers cannot
 * call functions. */
#include "profile/nsys_database.h"

#include "tributary/internal/alloc.h"

#if TRIB_HAVE_SQLITE

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tributary/internal/fault.h"

struct trib_nsys_database {
    sqlite3 *handle;
    const char *path;
    trib_nsys_stop stop;
};

struct trib_nsys_rows {
    trib_nsys_database *database;
    const char *table;
    const trib_nsys_column *columns;
    int count;
    int place[TRIB_NSYS_MAX_COLUMNS]; /* in the statement; -1: missing */
    int64_t row;
    sqlite3_stmt *statement;
};

static trib_status failure(const trib_nsys_database *database, int code, const char *table)
{
    const char *what = database->handle ? sqlite3_errmsg(database->handle) : "out of memory";
    const char *place = table ? table : "it";
    switch (code & 0xff) {
    case SQLITE_INTERRUPT: return TRIB_ERROR(TRIB_CANCELLED, "%s: interrupted", database->path);
    case SQLITE_NOMEM: return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to read %s", database->path, place);
    case SQLITE_NOTADB:
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "sqlite", "%s is no SQLite database", database->path);
    case SQLITE_CORRUPT:
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "sqlite",
                                 "%s: %s is damaged or cut off (%s); export the report again", database->path, place,
                                 what);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, code, "sqlite", "%s: %s cannot be read (%s)", database->path, place,
                                 what);
    default:
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "sqlite", "%s: %s cannot be read (%s)", database->path, place,
                                 what);
    }
}

/* ---- opening ---- */

static int64_t big_endian(const unsigned char *bytes, int count)
{
    int64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
    return value;
}

/* A database says how long it is. SQLite would take what a file that is cut off lacks for empty. */
static trib_status check_size(const char *path)
{
    unsigned char head[32];
    struct stat info;
    int file = trib_fault("open") ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool whole = file >= 0 && fstat(file, &info) == 0 && pread(file, head, sizeof head, 0) == (ssize_t)sizeof head;
    if (file >= 0) close(file);
    if (file < 0) return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "open", "%s: %s", path, strerror(errno));
    int64_t size = whole ? big_endian(head + 16, 2) * big_endian(head + 28, 4) : 0;
    if (!whole || memcmp(head, "SQLite format 3", 16))
        return TRIB_ERROR(TRIB_BAD_DATA, "%s is no SQLite database", path);
    if (info.st_size >= size) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s is cut off: it has %lld of %lld bytes", path, (long long)info.st_size,
                      (long long)size);
}

/* "file:PATH?immutable=1", with every byte that has a meaning there written as %XX. */
static char *uri_of(const char *path)
{
    static const char begin[] = "file:", end[] = "?immutable=1";
    char *uri = trib_alloc(strlen(path) * 3 + sizeof begin + sizeof end);
    if (!uri) return NULL;
    char *to = uri + sprintf(uri, "%s", begin);
    for (const unsigned char *c = (const unsigned char *)path; *c; ++c) {
        if (strchr("?#%", *c) || *c < 33 || *c > 126)
            to += sprintf(to, "%%%02X", *c);
        else
            *to++ = (char)*c;
    }
    strcpy(to, end);
    return uri;
}

static int allow(void *context, int action, const char *a, const char *b, const char *schema, const char *trigger)
{
    (void)context, (void)b, (void)schema;
    if (trigger) return SQLITE_DENY;
    if (action == SQLITE_SELECT || action == SQLITE_READ) return SQLITE_OK;
    if (action == SQLITE_PRAGMA && !strcmp(a, "table_info")) return SQLITE_OK;
    return SQLITE_DENY;
}

static int ask(void *context)
{
    const trib_nsys_database *database = context;
    return database->stop && database->stop();
}

static void set_limits(sqlite3 *handle)
{
    static const int limits[][2] = {
        { SQLITE_LIMIT_LENGTH, 1 << 22 },
        { SQLITE_LIMIT_SQL_LENGTH, 1 << 17 },
        { SQLITE_LIMIT_COLUMN, 256 },
        { SQLITE_LIMIT_EXPR_DEPTH, 64 },
        { SQLITE_LIMIT_COMPOUND_SELECT, 1 },
        { SQLITE_LIMIT_VDBE_OP, 10000 },
        { SQLITE_LIMIT_FUNCTION_ARG, 4 },
        { SQLITE_LIMIT_ATTACHED, 0 },
        { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64 },
        { SQLITE_LIMIT_VARIABLE_NUMBER, 4 },
        { SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
        { SQLITE_LIMIT_WORKER_THREADS, 0 },
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) sqlite3_limit(handle, limits[i][0], limits[i][1]);
}

static void distrust(sqlite3 *handle)
{
    static const int settings[][2] = {
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },       { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },  { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
        { SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 }, { SQLITE_DBCONFIG_DQS_DML, 0 },
        { SQLITE_DBCONFIG_DQS_DDL, 0 },         { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; ++i)
        sqlite3_db_config(handle, settings[i][0], settings[i][1], NULL);
}

/* Reads the schema, so that a file of another kind is known at once. */
static trib_status set_up(trib_nsys_database *database)
{
    sqlite3 *handle = database->handle;
    distrust(handle);
    set_limits(handle);
    int code = sqlite3_exec(handle, "PRAGMA cell_size_check = 1; PRAGMA mmap_size = 0; PRAGMA cache_size = -16384;",
                            NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(handle, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL);
    if (code != SQLITE_OK) return failure(database, code, "its list of tables");
    sqlite3_set_authorizer(handle, allow, NULL);
    sqlite3_progress_handler(handle, 100000, ask, database);
    return trib_success();
}

trib_status trib_nsys_database_open(const char *path, trib_nsys_stop stop, trib_nsys_database **out)
{
    trib_nsys_database *database = trib_alloc_zeroed(1, sizeof *database);
    char *uri = uri_of(path);
    trib_status status = trib_success();
    if (!database || !uri) {
        status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to open %s", path);
        goto done;
    }
    TRIB_TRY_GOTO(status, done, check_size(path));
    *database = (trib_nsys_database) { NULL, path, stop };
    int code =
        sqlite3_open_v2(uri, &database->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    status = code == SQLITE_OK ? set_up(database) : failure(database, code, NULL);
done:
    trib_free(uri);
    if (trib_failed(&status))
        trib_nsys_database_close(database);
    else
        *out = database;
    return status;
}

void trib_nsys_database_close(trib_nsys_database *database)
{
    if (!database) return;
    sqlite3_close(database->handle);
    trib_free(database);
}

/* ---- tables and columns ---- */

static trib_status prepare(trib_nsys_database *database, const char *sql, const char *table, sqlite3_stmt **out)
{
    int code = trib_fault("sqlite") ? SQLITE_IOERR : sqlite3_prepare_v2(database->handle, sql, -1, out, NULL);
    return code == SQLITE_OK ? trib_success() : failure(database, code, table);
}

static int step(sqlite3_stmt *statement) { return trib_fault("sqlite") ? SQLITE_IOERR : sqlite3_step(statement); }

/* A view, a virtual table or an index of that name is refused: no export has one. */
static trib_status find_table(trib_nsys_database *database, const char *table, bool *out)
{
    sqlite3_stmt *found = NULL;
    *out = false;
    TRIB_TRY(prepare(database, "SELECT type, rootpage FROM sqlite_master WHERE name = ?", table, &found));
    sqlite3_bind_text(found, 1, table, -1, SQLITE_STATIC);
    int code = step(found);
    trib_status status = trib_success();
    if (code == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(found, 0);
        *out = type && !strcmp(type, "table") && sqlite3_column_int64(found, 1) > 0;
        if (!*out)
            status = TRIB_ERROR(TRIB_BAD_DATA, "%s: %s is no table, as in an export of nsys", database->path, table);
    } else if (code != SQLITE_DONE) {
        status = failure(database, code, table);
    }
    sqlite3_finalize(found);
    return status;
}

/* Sets place[i] to 0 where the table has column i. */
static trib_status find_columns(trib_nsys_database *database, const char *table, const trib_nsys_column *columns,
                                int count, int *place)
{
    char sql[128];
    sqlite3_stmt *info = NULL;
    snprintf(sql, sizeof sql, "PRAGMA table_info(\"%s\")", table);
    TRIB_TRY(prepare(database, sql, table, &info));
    for (int i = 0; i < count; ++i) place[i] = -1;
    int code;
    while ((code = step(info)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(info, 1);
        for (int i = 0; name && i < count; ++i)
            if (!sqlite3_stricmp(name, columns[i].name)) place[i] = 0;
    }
    trib_status status = code == SQLITE_DONE ? trib_success() : failure(database, code, table);
    sqlite3_finalize(info);
    return status;
}

trib_status trib_nsys_has_column(trib_nsys_database *database, const char *table, const char *column, bool *out)
{
    const trib_nsys_column wanted = { column, TRIB_NSYS_NUMBER, true };
    int place = -1;
    TRIB_TRY(find_table(database, table, out));
    if (!*out) return trib_success();
    trib_status status = find_columns(database, table, &wanted, 1, &place);
    *out = place == 0;
    return status;
}

static trib_status write_query(trib_nsys_rows *rows, char *sql, size_t size)
{
    int at = snprintf(sql, size, "SELECT 1"), placed = 1;
    for (int i = 0; i < rows->count; ++i) {
        if (rows->place[i] >= 0) {
            rows->place[i] = placed++;
            at += snprintf(sql + at, size - (size_t)at, ", \"%s\"", rows->columns[i].name);
        } else if (!rows->columns[i].optional) {
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: %s has no column %s: this is no export of nsys that is known here",
                              rows->database->path, rows->table, rows->columns[i].name);
        }
    }
    snprintf(sql + at, size - (size_t)at, " FROM \"%s\"", rows->table);
    return trib_success();
}

trib_status trib_nsys_rows_open(trib_nsys_database *database, const char *table, const trib_nsys_column *columns,
                                int count, trib_nsys_rows **out)
{
    bool found = false;
    char sql[1024];
    *out = NULL;
    TRIB_TRY(find_table(database, table, &found));
    if (!found) return trib_success();
    trib_nsys_rows *rows = trib_alloc_zeroed(1, sizeof *rows);
    if (!rows) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to read %s", database->path, table);
    rows->database = database, rows->table = table, rows->columns = columns, rows->count = count;
    trib_status status = find_columns(database, table, columns, count, rows->place);
    if (!trib_failed(&status)) status = write_query(rows, sql, sizeof sql);
    if (!trib_failed(&status)) status = prepare(database, sql, table, &rows->statement);
    if (trib_failed(&status))
        trib_nsys_rows_close(rows);
    else
        *out = rows;
    return status;
}

void trib_nsys_rows_close(trib_nsys_rows *rows)
{
    if (!rows) return;
    sqlite3_finalize(rows->statement);
    trib_free(rows);
}

/* ---- values ---- */

static trib_status check_value(const trib_nsys_rows *rows, int i)
{
    static const char *const names[] = { "?", "a whole number", "a fraction", "text", "bytes", "NULL" };
    const trib_nsys_column *column = &rows->columns[i];
    int type = sqlite3_column_type(rows->statement, rows->place[i]);
    int wanted = column->type == TRIB_NSYS_NUMBER ? SQLITE_INTEGER : SQLITE_TEXT;
    if (type == wanted || (type == SQLITE_NULL && column->optional)) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: row %lld of %s has %s in column %s, where %s is expected",
                      rows->database->path, (long long)rows->row, rows->table, names[type], column->name,
                      names[wanted]);
}

trib_status trib_nsys_rows_next(trib_nsys_rows *rows, bool *more)
{
    int code = step(rows->statement);
    *more = code == SQLITE_ROW;
    if (code == SQLITE_DONE) return trib_success();
    if (code != SQLITE_ROW) return failure(rows->database, code, rows->table);
    ++rows->row;
    for (int i = 0; i < rows->count; ++i)
        if (rows->place[i] >= 0) TRIB_TRY(check_value(rows, i));
    return trib_success();
}

bool trib_nsys_is_null(const trib_nsys_rows *rows, int column)
{
    int place = rows->place[column];
    return place < 0 || sqlite3_column_type(rows->statement, place) == SQLITE_NULL;
}

int64_t trib_nsys_number(const trib_nsys_rows *rows, int column, int64_t otherwise)
{
    return trib_nsys_is_null(rows, column) ? otherwise : sqlite3_column_int64(rows->statement, rows->place[column]);
}

const char *trib_nsys_text(const trib_nsys_rows *rows, int column)
{
    if (trib_nsys_is_null(rows, column)) return NULL;
    return (const char *)sqlite3_column_text(rows->statement, rows->place[column]);
}

#else

trib_status trib_nsys_database_open(const char *path, trib_nsys_stop stop, trib_nsys_database **out)
{
    (void)stop, (void)out;
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "%s: this program was built without SQLite (sqlite3), which reads reports of Nsight Systems",
                      path);
}

void trib_nsys_database_close(trib_nsys_database *database) { (void)database; }

trib_status trib_nsys_has_column(trib_nsys_database *database, const char *table, const char *column, bool *out)
{
    (void)database, (void)table, (void)column;
    *out = false;
    return trib_success();
}

trib_status trib_nsys_rows_open(trib_nsys_database *database, const char *table, const trib_nsys_column *columns,
                                int count, trib_nsys_rows **out)
{
    (void)database, (void)table, (void)columns, (void)count;
    *out = NULL;
    return trib_success();
}

void trib_nsys_rows_close(trib_nsys_rows *rows) { (void)rows; }

trib_status trib_nsys_rows_next(trib_nsys_rows *rows, bool *more)
{
    (void)rows;
    *more = false;
    return trib_success();
}

int64_t trib_nsys_number(const trib_nsys_rows *rows, int column, int64_t otherwise)
{
    (void)rows, (void)column;
    return otherwise;
}

const char *trib_nsys_text(const trib_nsys_rows *rows, int column)
{
    (void)rows, (void)column;
    return NULL;
}

bool trib_nsys_is_null(const trib_nsys_rows *rows, int column)
{
    (void)rows, (void)column;
    return true;
}

#endif
