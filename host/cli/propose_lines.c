/* SPDX-License-Identifier: Apache-2.0 */
#include "propose_lines.h"

#include <string.h>

#include "tributary/internal/alloc.h"

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a line of proposals"); }

trib_status cli_propose_make(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    const cli_propose_lines *lines = context;
    trib_proposal_line line = {
        .image = (char *)task->name, .by = (char *)lines->by, .width = task->image->width, .height = task->image->height
    };
    trib_image_task_sha256(task, line.sha256);
    TRIB_TRY(trib_proposal_source_find(&lines->source, task, &line.proposals));
    cli_propose_line *made = trib_alloc_zeroed(1, sizeof *made);
    if (made) {
        made->boxes = line.proposals.count;
        trib_proposal_line_write(&line, &made->text);
    }
    trib_proposals_release(&line.proposals);
    if (!made || made->text.failed) {
        cli_propose_release(made);
        return no_memory();
    }
    *result = made;
    *bytes_kept = (int64_t)(sizeof *made + made->text.capacity);
    return trib_success();
}

void cli_propose_release(void *result)
{
    cli_propose_line *line = result;
    if (!line) return;
    trib_text_free(&line->text);
    trib_free(line);
}

int64_t cli_propose_bytes(void *context, int width, int height)
{
    const cli_propose_lines *lines = context;
    return trib_proposal_source_bytes(&lines->source, width, height);
}

/* ---- continuing a file ---- */

static const char line_start[] = "{\"image\":";

static void start(const void *context, cli_buffer *out)
{
    (void)context;
    cli_append(out, line_start, strlen(line_start));
}

/* As trib_proposal_line_write begins. */
static void begin(const void *context, const char *name, int64_t index, cli_buffer *out)
{
    (void)context, (void)index;
    trib_text text = { 0 };
    trib_text_add(&text, line_start);
    trib_text_json_any(&text, name);
    trib_text_add(&text, ",");
    if (!text.failed) cli_append(out, text.bytes, text.size);
    out->failed |= text.failed;
    trib_text_free(&text);
}

static const char *fault(const void *context, const cJSON *record, char text[CLI_RECORD_FAULT_TEXT])
{
    const cli_propose_lines *lines = context;
    trib_proposal_line line;
    trib_status s = trib_proposal_line_read_json(record, &line);
    if (trib_failed(&s)) {
        snprintf(text, CLI_RECORD_FAULT_TEXT, "is damaged: %.100s", s.message);
        return text;
    }
    const bool same = line.by && strcmp(line.by, lines->by) == 0;
    if (!same) snprintf(text, CLI_RECORD_FAULT_TEXT, "was made by other options: %.60s", line.by ? line.by : "unknown");
    trib_proposal_line_release(&line);
    return same ? NULL : text;
}

static trib_status nothing(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    (void)context, (void)task, (void)result, (void)bytes_kept;
    return trib_success();
}

static trib_status attempt(const void *context, trib_item *item)
{
    const cli_propose_lines *lines = context;
    void *result;
    int64_t kept;
    return trib_item_make(item, &lines->loading, nothing, (void *)lines, &result, &kept);
}

cli_records cli_propose_records(const cli_propose_lines *lines)
{
    return (cli_records) { .context = lines,
                           .per_item = CLI_ONE_RECORD_IF_GOOD,
                           .misfit = "it does not look like a file of proposals",
                           .start = start,
                           .begin = begin,
                           .fault = fault,
                           .attempt = attempt };
}
