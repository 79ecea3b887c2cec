/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <math.h>
#include <string.h>

const char *cli_reason(const trib_status *status, const char *name)
{
    size_t length = strlen(name);
    const char *message = status->message;
    bool named = strncmp(message, name, length) == 0 && strncmp(message + length, ": ", 2) == 0;
    return named ? message + length + 2 : message;
}

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
