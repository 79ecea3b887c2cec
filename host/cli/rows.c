/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <math.h>

void cli_rows_header(const cli_rows *rows, cli_buffer *out)
{
    if (rows->format != CLI_CSV) return;
    cli_append_format(out, "filename");
    for (int i = 0; i < rows->topk; ++i) cli_append_format(out, ",index_%d,label_%d,prob_%d", i, i, i);
    cli_append_format(out, "\n");
}

void cli_rows_begin(const cli_rows *rows, const char *name, cli_buffer *out)
{
    switch (rows->format) {
    case CLI_CSV:
        cli_append_csv(out, name);
        cli_append_format(out, ",");
        break;
    case CLI_JSONL:
        cli_append_format(out, "{\"filename\":");
        cli_append_json(out, name);
        if (!cli_is_utf8(name)) {
            cli_append_format(out, ",\"filename_bytes\":\"");
            cli_append_percent(out, name);
            cli_append_format(out, "\"");
        }
        cli_append_format(out, ",");
        break;
    case CLI_TABLE:
        cli_append_safe(out, name);
        cli_append_format(out, "\n");
        break;
    }
}

static void append_csv_class(int klass, const char *label, float probability, bool first, cli_buffer *out)
{
    cli_append_format(out, "%s%d,", first ? "" : ",", klass);
    cli_append_csv(out, label ? label : "");
    cli_append_format(out, ",%.6f", (double)probability);
}

static void append_json_class(int klass, const char *label, float probability, bool first, cli_buffer *out)
{
    cli_append_format(out, "%s{\"index\":%d,\"label\":", first ? "" : ",", klass);
    if (label)
        cli_append_json(out, label);
    else
        cli_append_format(out, "null");
    /* JSON has no NaN */
    if (isfinite(probability))
        cli_append_format(out, ",\"prob\":%.6f}", (double)probability);
    else
        cli_append_format(out, ",\"prob\":null}");
}

static void append_table_class(int klass, const char *label, float probability, cli_buffer *out)
{
    cli_append_format(out, "  %6.2f %%  ", 100.0 * (double)probability);
    if (label)
        cli_append_safe(out, label);
    else
        cli_append_format(out, "class %d", klass);
    cli_append_format(out, "\n");
}

void cli_rows_good(const cli_rows *rows, const char *name, const float *probabilities, const int32_t *indices,
                   cli_buffer *out)
{
    cli_rows_begin(rows, name, out);
    if (rows->format == CLI_JSONL) cli_append_format(out, "\"predictions\":[");
    for (int i = 0; i < rows->topk; ++i) {
        int klass = indices[i];
        const char *label = trib_model_label(rows->model, klass);
        switch (rows->format) {
        case CLI_CSV: append_csv_class(klass, label, probabilities[i], i == 0, out); break;
        case CLI_JSONL: append_json_class(klass, label, probabilities[i], i == 0, out); break;
        case CLI_TABLE: append_table_class(klass, label, probabilities[i], out); break;
        }
    }
    cli_append_format(out, rows->format == CLI_JSONL ? "]}\n" : rows->format == CLI_CSV ? "\n" : "");
}

void cli_rows_failed(const cli_rows *rows, const char *name, const char *reason, cli_buffer *out)
{
    if (rows->format != CLI_JSONL) return;
    cli_rows_begin(rows, name, out);
    cli_append_format(out, "\"error\":");
    cli_append_json(out, reason);
    cli_append_format(out, "}\n");
}

/* ---- continuing a file ---- */

static void start(const void *context, cli_buffer *out)
{
    const cli_rows *rows = context;
    if (rows->format == CLI_CSV)
        cli_rows_header(rows, out);
    else
        cli_append_format(out, "{\"filename\":\"");
}

static void begin(const void *context, const char *name, int64_t index, cli_buffer *out)
{
    (void)index;
    cli_rows_begin(context, name, out);
}

static const char *fault(const void *context, const cJSON *row, char text[CLI_RECORD_FAULT_TEXT])
{
    const cli_rows *rows = context;
    const cJSON *predictions = cJSON_GetObjectItemCaseSensitive(row, "predictions");
    if (cJSON_IsArray(predictions) && cJSON_GetArraySize(predictions) == rows->topk) return NULL;
    snprintf(text, CLI_RECORD_FAULT_TEXT, "does not have %d predictions", rows->topk);
    return text;
}

/* Does a loader's work on an item. */
static trib_status attempt(const void *context, trib_item *item)
{
    return cli_feed_try(((const cli_rows *)context)->feed, item);
}

cli_records cli_rows_records(const cli_rows *rows)
{
    const bool csv = rows->format == CLI_CSV;
    return (cli_records) { .context = rows,
                           .per_item = csv ? CLI_ONE_RECORD_IF_GOOD : CLI_ONE_RECORD,
                           .quoted = csv,
                           .header = csv,
                           .misfit = csv ? "its first line is not the header of these options"
                                         : "it does not look like jsonl of this program",
                           .start = start,
                           .begin = begin,
                           .fault = csv ? NULL : fault,
                           .attempt = attempt };
}
