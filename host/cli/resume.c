/* SPDX-License-Identifier: Apache-2.0
 *
 *     rows of the file   a.png  c.png  d.p|           (cut off in the middle of a row)
 *     items of source    a.png  b.png  c.png  d.png
 *
 * a and c match; b has no row, so it must be unreadable, or the inputs differ; d's row is dropped and the source
 * continues with d. With any number of rows per item, b may also be one without results, and c's rows are dropped,
 * too: the source continues with c. To find them, the file is read twice. As c's rows were begun, all items before c
 * were done, also those without rows and those of the same name as the one before, whose rows cannot be told apart. */
#include "resume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "data/input.h"

typedef struct reader {
    cli_resume *resume;
    const cli_records *records;
    const char *name;
    FILE *file;
    off_t kept;  /* bytes of complete rows so far */
    off_t limit; /* what comes from here on is cut off; -1: none */
    cli_buffer record, wanted;
    int64_t number; /* of the record, from 1 */
    bool matched;   /* `wanted` is how the last item's records begin */
} reader;

static trib_status no_memory(const reader *r)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for a row", r->name);
}

static trib_status foreign(const reader *r, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: cannot resume: %s; give the same options and inputs as the first time, or start "
                      "again with --overwrite",
                      r->name, what);
}

/* ---- records ---- */

static bool is_last(const reader *r)
{
    return r->records->last && r->record.size && strcmp(r->record.data, r->records->last) == 0;
}

/* Reads the next record with its end of line into r->record. *complete = false: the file ends before the end of the
 * line, or with its last line. */
static trib_status read_record(reader *r, bool *complete)
{
    bool quoted = false;
    int c;
    cli_buffer_clear(&r->record);
    *complete = false;
    while (!*complete && (c = getc(r->file)) != EOF) {
        char byte = (char)c;
        cli_append(&r->record, &byte, 1);
        quoted ^= r->records->quoted && byte == '"';
        *complete = byte == '\n' && !quoted;
    }
    ++r->number;
    if (r->record.failed) return no_memory(r);
    if (ferror(r->file))
        return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "read", "%s: cannot read: %s", r->name, strerror(errno));
    if (!*complete || !is_last(r)) return trib_success();
    *complete = false;
    return getc(r->file) == EOF ? trib_success() : foreign(r, "it goes on after its end");
}

static trib_status go_to(reader *r, off_t at, int64_t number, bool *complete)
{
    if (fseeko(r->file, at, SEEK_SET) != 0)
        return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, errno, "fseeko", "%s: cannot read it again: %s", r->name,
                                 strerror(errno));
    r->number = number - 1;
    return read_record(r, complete);
}

/* Where the record at hand says what it belongs to. */
static size_t lead_of(const reader *r) { return r->record.size < r->records->lead ? r->record.size : r->records->lead; }

static bool begins_with(const reader *r, const cli_buffer *start)
{
    const size_t lead = lead_of(r);
    return r->record.size - lead >= start->size && memcmp(r->record.data + lead, start->data, start->size) == 0;
}

/* ---- one item that has no row ---- */

static trib_status pass_item_without_row(reader *r, trib_item *item)
{
    trib_status status = r->records->attempt(r->records->context, item);
    if (!trib_failed(&status) && r->records->per_item == CLI_ANY_NUMBER_OF_RECORDS) return status;
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

/* Reports the error of a jsonl row; checks one without. */
static trib_status check_json_row(reader *r, const char *name)
{
    char text[CLI_RECORD_FAULT_TEXT], what[CLI_RECORD_FAULT_TEXT + 32];
    cJSON *row = cJSON_Parse(r->record.data);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(row, "error");
    const char *fault = NULL;
    if (cJSON_IsString(error)) {
        ++r->resume->failures;
        r->resume->failed(r->resume->context, name, error->valuestring);
    } else {
        fault = r->records->fault(r->records->context, row, text);
    }
    if (fault) snprintf(what, sizeof what, "row %" PRId64 " %s", r->number, fault);
    cJSON_Delete(row);
    return fault ? foreign(r, what) : trib_success();
}

static trib_status check_item(reader *r, trib_item *item, bool *matches)
{
    const cli_records *records = r->records;
    cli_buffer_clear(&r->wanted);
    records->begin(records->context, item->name, r->resume->items, &r->wanted);
    if (r->wanted.failed) return no_memory(r);
    *matches = r->matched = begins_with(r, &r->wanted);
    if (*matches) return records->fault ? check_json_row(r, item->name) : trib_success();
    if (records->per_item != CLI_ONE_RECORD) return pass_item_without_row(r, item);
    char what[256];
    snprintf(what, sizeof what, "row %" PRId64 " is not that of '%.150s', which comes next in the inputs", r->number,
             item->name);
    return foreign(r, what);
}

/* Advances the source past the record's item, or `up_to` it. */
static trib_status match_record(reader *r, bool up_to)
{
    bool matches = r->records->per_item == CLI_ANY_NUMBER_OF_RECORDS && r->matched && begins_with(r, &r->wanted);
    while (!matches) {
        trib_item item = { 0 };
        bool end = false;
        TRIB_TRY(trib_source_next(r->resume->source, &item, &end));
        if (end) return foreign(r, "it has more rows than the inputs have images");
        trib_status status = check_item(r, &item, &matches);
        if (!trib_failed(&status) && matches && up_to)
            trib_source_return(r->resume->source, &item);
        else
            ++r->resume->items;
        trib_item_release(&item);
        if (trib_failed(&status)) return status;
    }
    return trib_success();
}

/* The header, or the beginning of every row where there is none. */
static trib_status check_start(reader *r, bool *complete)
{
    const cli_records *records = r->records;
    cli_buffer_clear(&r->wanted);
    if (records->start) records->start(records->context, &r->wanted);
    TRIB_TRY(read_record(r, complete));
    if (r->wanted.failed) return no_memory(r);
    size_t common = r->record.size < r->wanted.size ? r->record.size : r->wanted.size;
    bool same = common == 0 || memcmp(r->record.data, r->wanted.data, common) == 0;
    if (!same || (records->header && r->record.size > r->wanted.size)) return foreign(r, records->misfit);
    if (!records->header || !*complete) return trib_success();
    r->resume->empty = false;
    r->kept += (off_t)r->record.size;
    return read_record(r, complete);
}

/* Goes on to the end, remembering where the records of the last item begin, and comes back. Also looks at what is to be
 * cut off: it has to be ours. */
static trib_status find_limit(reader *r, bool *complete)
{
    const off_t start = r->kept;
    const int64_t number = r->number;
    off_t at = start;
    r->limit = start;
    cli_buffer_clear(&r->wanted);
    while (r->record.size && !is_last(r)) {
        const size_t lead = lead_of(r);
        const size_t key = r->records->key(r->record.data + lead, r->record.size - lead, *complete);
        if (!key) return foreign(r, r->records->misfit);
        if (!*complete) break;
        if (!r->wanted.size || !begins_with(r, &r->wanted)) {
            r->limit = at;
            cli_buffer_clear(&r->wanted);
            cli_append(&r->wanted, r->record.data + lead, key);
            if (r->wanted.failed) return no_memory(r);
        }
        at += (off_t)r->record.size;
        TRIB_TRY(read_record(r, complete));
    }
    return go_to(r, start, number, complete);
}

static trib_status read_rows(reader *r)
{
    bool complete = false;
    TRIB_TRY(check_start(r, &complete));
    const bool cut = r->records->header && r->resume->empty; /* in the middle of the header */
    if (r->records->per_item == CLI_ANY_NUMBER_OF_RECORDS && !cut) TRIB_TRY(find_limit(r, &complete));
    while (complete && (r->limit < 0 || r->kept < r->limit)) {
        r->resume->empty = false;
        TRIB_TRY(match_record(r, false));
        ++r->resume->kept;
        r->kept += (off_t)r->record.size;
        TRIB_TRY(read_record(r, &complete));
    }
    return complete ? match_record(r, true) : trib_success();
}

trib_status cli_resume_output(cli_resume *resume, cli_output *output)
{
    reader r = { .resume = resume, .records = resume->records, .name = output->name, .limit = -1 };
    resume->empty = true;
    resume->items = resume->failures = resume->kept = 0;
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
