/* SPDX-License-Identifier: Apache-2.0
 * summary.csv and metrics.jsonl. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "formats/json.h"
#include "train/number.h"
#include "train/run_private.h"
#include "tributary/internal/alloc.h"

#define FIRST_COLUMNS "epoch,train_loss,eval_loss,eval_top1,lr,step" /* timm's, and ours */
enum { STEP_COLUMN = 5 };

void trib_run_tables_free(trib_run_folder *run)
{
    trib_text_free(&run->header);
    trib_free(run->history);
    run->history = NULL;
    run->rows = run->history_capacity = 0;
}

int64_t trib_run_folder_history(const trib_run_folder *run, const double **values)
{
    *values = run->history;
    return (int64_t)run->rows;
}

/* Room for one more row; NULL when out of memory. */
static double *next_row(trib_run_folder *run)
{
    void *block = run->history;
    const size_t columns = (size_t)run->columns;
    if (trib_grow(&block, &run->history_capacity, (run->rows + 1) * columns, sizeof(double))) return NULL;
    run->history = block;
    return run->history + run->rows * columns;
}

/* ---- reading ---- */

/* A field up to its comma or the end; NaN if it is empty. */
static bool read_field(const char **at, double *value)
{
    char *end;
    const size_t length = strcspn(*at, ",");
    *value = NAN;
    if (length) {
        *value = strtod(*at, &end);
        if (end != *at + length) return false;
    }
    *at += length;
    return true;
}

/* What the rows are read into. */
typedef struct reading {
    trib_run_folder *run;
    int64_t until;
} reading;

static bool read_fields(const char *line, double *row, int columns)
{
    for (int i = 0; i < columns; ++i) {
        if (!read_field(&line, &row[i])) return false;
        if (*line != (i + 1 < columns ? ',' : '\0')) return false;
        if (*line) ++line;
    }
    return row[STEP_COLUMN] >= 0 && row[STEP_COLUMN] < 0x1p53;
}

static trib_status read_row(void *context, const char *line, int64_t *step)
{
    reading *r = context;
    double *row = next_row(r->run);
    if (!row) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its rows");
    if (!read_fields(line, row, r->run->columns)) return TRIB_ERROR(TRIB_BAD_DATA, "a row is damaged");
    *step = (int64_t)row[STEP_COLUMN];
    if (*step <= r->until) ++r->run->rows;
    return trib_success();
}

static trib_status read_line(void *context, const char *line, int64_t *step)
{
    cJSON *json = NULL;
    (void)context;
    TRIB_TRY(trib_json_parse(line, strlen(line), &json));
    const bool good = trib_json_integer(cJSON_GetObjectItemCaseSensitive(json, "step"), step);
    trib_json_free(json);
    return good ? trib_success() : TRIB_ERROR(TRIB_BAD_DATA, "a line has no step");
}

/* ---- opening ---- */

static trib_status open_summary(trib_run_folder *run, const char *header, int64_t step)
{
    char path[TRIB_RUN_PATH];
    trib_run_folder_file(run, "summary.csv", path);
    return trib_run_table_open(path, header, step, read_row, &(reading) { run, step }, &run->summary);
}

static trib_status open_metrics(trib_run_folder *run, int64_t step)
{
    char path[TRIB_RUN_PATH];
    trib_run_folder_file(run, "metrics.jsonl", path);
    return trib_run_table_open(path, NULL, step, read_line, NULL, &run->metrics);
}

trib_status trib_run_folder_begin(trib_run_folder *run, int64_t step, const char *const *columns, int count)
{
    trib_run_table_close(&run->summary);
    trib_run_table_close(&run->metrics);
    trib_run_tables_free(run);
    run->columns = TRIB_RUN_COLUMNS + count;
    trib_text_add(&run->header, FIRST_COLUMNS);
    for (int i = 0; i < count; ++i) {
        trib_text_add(&run->header, ",");
        trib_text_add(&run->header, columns[i]);
    }
    if (run->header.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the columns of summary.csv");
    TRIB_TRY(open_summary(run, run->header.bytes, step));
    return open_metrics(run, step);
}

/* ---- writing ---- */

static trib_status append(trib_run_table *table, trib_text *line)
{
    trib_text_add(line, "\n");
    trib_status s = !table->path ? TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the tables of the run are not open")
                    : line->failed
                        ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for a line", trib_shorten(table->path).text)
                        : trib_run_table_append(table, line->bytes, line->size);
    trib_text_free(line);
    return s;
}

static bool is_last(const trib_run_folder *run, const trib_run_epoch *row)
{
    if (!run->rows) return false;
    const double *last = run->history + (run->rows - 1) * (size_t)run->columns;
    return last[0] == (double)row->epoch && last[STEP_COLUMN] == (double)row->step;
}

trib_status trib_run_folder_add_epoch(trib_run_folder *run, const trib_run_epoch *row)
{
    char number[TRIB_NUMBER_TEXT];
    trib_text line = { 0 };
    if (is_last(run, row)) return trib_success();
    double *values = run->summary.path ? next_row(run) : NULL;
    if (!values) {
        line.failed = true;
        return append(&run->summary, &line);
    }
    const double first[TRIB_RUN_COLUMNS] = { (double)row->epoch, row->train_loss, row->eval_loss,
                                             row->eval_top1,     row->lr,         (double)row->step };
    for (int i = 0; i < run->columns; ++i) {
        values[i] = i < TRIB_RUN_COLUMNS ? first[i] : row->more[i - TRIB_RUN_COLUMNS];
        if (i) trib_text_add(&line, ",");
        if (!isnan(values[i])) trib_text_add(&line, trib_number_text(values[i], number));
    }
    trib_status s = append(&run->summary, &line);
    if (!trib_failed(&s)) ++run->rows;
    return s;
}

trib_status trib_run_folder_add_step(trib_run_folder *run, int64_t step, const trib_run_number *numbers, int count)
{
    char number[TRIB_NUMBER_TEXT];
    trib_text line = { 0 };
    trib_text_format(&line, "{\"step\":%" PRId64, step);
    for (int i = 0; i < count; ++i) {
        const double value = numbers[i].value;
        trib_text_add(&line, ",");
        trib_text_json(&line, numbers[i].name);
        trib_text_add(&line, ":");
        trib_text_add(&line, isfinite(value) ? trib_number_text(value, number) : "null");
    }
    trib_text_add(&line, "}");
    return append(&run->metrics, &line);
}
