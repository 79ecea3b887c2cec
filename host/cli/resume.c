/* SPDX-License-Identifier: Apache-2.0
 *
 *     rows of the file   a.png  c.png  d.p|           (cut off in the middle of a row)
 *     items of source    a.png  b.png  c.png  d.png
 *
 * a and c match; b has no row, so it must be unreadable, or the inputs differ; d's row is dropped and the source
 * continues with d. */
#include "resume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tributary/internal/alloc.h"

typedef struct reader {
    cli_resume *resume;
    const char *name;
    FILE *file;
    off_t kept; /* bytes of complete rows so far */
    cli_buffer record, wanted;
    int64_t number; /* of the record, from 1 */
} reader;

/* Reads the next record with its end of line into r->record. *complete = false: the file ends before the end of the
 * line. */
static trib_status read_record(reader *r, bool *complete)
{
    bool quoted = false, csv = r->resume->rows->format == CLI_CSV;
    int c;
    cli_buffer_clear(&r->record);
    *complete = false;
    while (!*complete && (c = getc(r->file)) != EOF) {
        char byte = (char)c;
        cli_append(&r->record, &byte, 1);
        quoted ^= csv && byte == '"';
        *complete = byte == '\n' && !quoted;
    }
    ++r->number;
    if (r->record.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for a row", r->name);
    if (ferror(r->file))
        return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "read", "%s: cannot read: %s", r->name, strerror(errno));
    return trib_success();
}

static trib_status foreign(const reader *r, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: cannot resume: %s; give the same options and inputs as the first time, or start "
                      "again with --overwrite",
                      r->name, what);
}

/* ---- one item that has no row ---- */

/* Does a loader's work on an item. */
static trib_status try_item(const cli_resume *resume, trib_item *item)
{
    const trib_preprocess *p = resume->preprocess;
    TRIB_TRY(item->status);
    trib_loader_options options = { .layout = TRIB_NHWC,
                                    .decode = resume->settings->decode,
                                    .memory_limit = resume->settings->loader_memory };
    float *row = trib_realloc_array(NULL, (size_t)p->crop_height * (size_t)p->crop_width * 3, sizeof *row);
    if (!row) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for an image");
    trib_status status = trib_item_load(item, p, &options, row);
    trib_free(row);
    return status;
}

static trib_status pass_failed_item(reader *r, trib_item *item)
{
    trib_status status = try_item(r->resume, item);
    if (!trib_failed(&status)) {
        char what[256];
        snprintf(what, sizeof what, "'%.150s' comes next in the inputs, but is not in row %" PRId64, item->name,
                 r->number);
        return foreign(r, what);
    }
    if (status.code == TRIB_OUT_OF_MEMORY) return status;
    ++r->resume->failures;
    status = cli_with_hint(&status);
    r->resume->failed(r->resume->context, item->name, cli_reason(&status, item->name));
    return trib_success();
}

/* ---- rows ---- */

static bool begins_with(const cli_buffer *record, const cli_buffer *start)
{
    return record->size >= start->size && memcmp(record->data, start->data, start->size) == 0;
}

/* Reports the error of a jsonl row; checks that a row without one has the expected number of predictions. */
static trib_status check_json_row(reader *r, const char *name)
{
    cJSON *row = cJSON_Parse(r->record.data);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(row, "error");
    const cJSON *predictions = cJSON_GetObjectItemCaseSensitive(row, "predictions");
    trib_status status = trib_success();
    if (cJSON_IsString(error)) {
        ++r->resume->failures;
        r->resume->failed(r->resume->context, name, error->valuestring);
    } else if (!cJSON_IsArray(predictions) || cJSON_GetArraySize(predictions) != r->resume->rows->topk) {
        char what[128];
        snprintf(what, sizeof what, "row %" PRId64 " does not have %d predictions", r->number, r->resume->rows->topk);
        status = foreign(r, what);
    }
    cJSON_Delete(row);
    return status;
}

static trib_status check_item(reader *r, trib_item *item, bool *matches)
{
    const cli_rows *rows = r->resume->rows;
    cli_buffer_clear(&r->wanted);
    cli_rows_begin(rows, item->name, &r->wanted);
    if (r->wanted.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for a row", r->name);
    *matches = begins_with(&r->record, &r->wanted);
    if (*matches) return rows->format == CLI_JSONL ? check_json_row(r, item->name) : trib_success();
    if (rows->format == CLI_CSV) return pass_failed_item(r, item);
    char what[256];
    snprintf(what, sizeof what, "row %" PRId64 " is not that of '%.150s', which comes next in the inputs", r->number,
             item->name);
    return foreign(r, what);
}

/* Advances the source past the record's item. */
static trib_status match_record(reader *r)
{
    for (bool matches = false; !matches;) {
        trib_item item = { 0 };
        bool end = false;
        TRIB_TRY(trib_source_next(r->resume->source, &item, &end));
        if (end) return foreign(r, "it has more rows than the inputs have images");
        trib_status status = check_item(r, &item, &matches);
        trib_item_release(&item);
        if (trib_failed(&status)) return status;
        ++r->resume->items;
    }
    return trib_success();
}

/* The first record of a csv; for a jsonl without a complete record, the beginning of every row. */
static trib_status check_start(reader *r, bool *complete)
{
    cli_buffer_clear(&r->wanted);
    bool csv = r->resume->rows->format == CLI_CSV;
    if (csv) cli_rows_header(r->resume->rows, &r->wanted);
    if (!csv) cli_append_format(&r->wanted, "{\"filename\":\"");
    TRIB_TRY(read_record(r, complete));
    if (r->wanted.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for a row", r->name);
    size_t common = r->record.size < r->wanted.size ? r->record.size : r->wanted.size;
    bool same = common == 0 || memcmp(r->record.data, r->wanted.data, common) == 0;
    if (!same || (csv && r->record.size > r->wanted.size))
        return foreign(r, csv ? "its first line is not the header of these options"
                              : "it does not look like jsonl of this program");
    return trib_success();
}

static trib_status read_rows(reader *r)
{
    bool complete = false;
    TRIB_TRY(check_start(r, &complete));
    if (r->resume->rows->format == CLI_CSV && complete) {
        r->resume->empty = false;
        r->kept += (off_t)r->record.size;
        TRIB_TRY(read_record(r, &complete));
    }
    while (complete) {
        r->resume->empty = false;
        TRIB_TRY(match_record(r));
        r->kept += (off_t)r->record.size;
        TRIB_TRY(read_record(r, &complete));
    }
    return trib_success();
}

trib_status cli_resume_output(cli_resume *resume, cli_output *output)
{
    reader r = { .resume = resume, .name = output->name };
    resume->empty = true;
    resume->items = resume->failures = 0;
    int copy = dup(output->fd);
    r.file = copy >= 0 ? fdopen(copy, "rb") : NULL;
    if (!r.file) {
        trib_status status =
            TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "fdopen", "%s: cannot read it: %s", r.name, strerror(errno));
        if (copy >= 0) close(copy);
        return status;
    }
    trib_status status = read_rows(&r);
    fclose(r.file);
    cli_buffer_release(&r.record);
    cli_buffer_release(&r.wanted);
    if (trib_failed(&status)) return status;
    if (ftruncate(output->fd, r.kept) != 0 || lseek(output->fd, r.kept, SEEK_SET) < 0)
        return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "ftruncate", "%s: cannot cut off its last row: %s", r.name,
                                 strerror(errno));
    return status;
}
