/* SPDX-License-Identifier: Apache-2.0
 * How files of boxes are continued. */
#include <string.h>

#include "box_rows.h"
#include "tributary/image_loader.h"

static void start(const void *context, cli_buffer *out)
{
    const cli_box_rows *rows = context;
    cli_box_rows_header(rows, out);
    if (rows->format == CLI_BOXES_JSONL) cli_append_format(out, "{\"filename\":\"");
}

static void begin(const void *context, const char *name, int64_t index, cli_buffer *out)
{
    /* For the inputs after it; what an earlier one already is, is refused when its turn comes. */
    (void)cli_box_rows_take(context, name, index);
    cli_box_rows_begin(context, name, index, out);
}

static const char *json_fault(const void *context, const cJSON *row, char text[CLI_RECORD_FAULT_TEXT])
{
    (void)context, (void)text;
    return cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(row, "detections")) ? NULL : "has no detections";
}

/* The bytes up to the first separator, with it; commas between quotes are none. */
static size_t up_to(const char *record, size_t size, char separator)
{
    bool quoted = false;
    for (size_t i = 0; i < size; ++i) {
        quoted ^= record[i] == '"';
        if (record[i] == separator && !quoted) return i + 1;
    }
    return 0;
}

static size_t csv_key(const char *record, size_t size, bool complete)
{
    size_t fields = 0;
    for (size_t at = 0, step; (step = up_to(record + at, size - at, ',')); at += step) ++fields;
    return complete && fields != 6 ? 0 : fields ? up_to(record, size, ',') : size;
}

static size_t coco_key(const char *record, size_t size, bool complete)
{
    static const char first[] = "{\"image_id\": ";
    const size_t common = size < sizeof first - 1 ? size : sizeof first - 1;
    if (memcmp(record, first, common) != 0) return 0;
    const size_t key = up_to(record, size, ',');
    return key || complete ? key : size + !size;
}

static size_t ilsvrc_key(const char *record, size_t size, bool complete)
{
    int spaces = 0;
    for (size_t i = 0; i < size; ++i) {
        if (!record[i] || !strchr("0123456789 .-+e\n", record[i])) return 0;
        spaces += record[i] == ' ';
    }
    return complete && spaces != 6 ? 0 : spaces ? up_to(record, size, ' ') : size;
}

/* Only whether it can be decoded, and has proposals where a file has them; what has no rows may have failed by either.
 */
static trib_status look_for_proposals(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    const trib_proposal_source *proposals = context;
    trib_proposals found = { 0 };
    (void)result, (void)bytes_kept;
    if (!proposals) return trib_success();
    TRIB_TRY(trib_proposal_source_find(proposals, task, &found));
    trib_proposals_release(&found);
    return trib_success();
}

static trib_status attempt(const void *context, trib_item *item)
{
    const cli_box_rows *rows = context;
    char text[TRIB_IMAGE_FAULT_TEXT];
    void *result = NULL;
    int64_t kept = 0;
    const char *fault = cli_box_rows_fault(rows, item->name, text);
    if (fault) return TRIB_ERROR(TRIB_NOT_FOUND, "%s", fault);
    TRIB_TRY(cli_box_rows_take(rows, item->name, item->index));
    const trib_image_loader_options options = { .decode = *rows->decode, .memory_limit = rows->memory_limit };
    return trib_item_make(item, &options, look_for_proposals, (void *)rows->proposals, &result, &kept);
}

cli_records cli_box_rows_records(const cli_box_rows *rows)
{
    const bool lines = rows->format == CLI_BOXES_JSONL;
    static size_t (*const key[])(const char *, size_t, bool) = {
        [CLI_BOXES_CSV] = csv_key, [CLI_BOXES_COCO] = coco_key, [CLI_BOXES_ILSVRC] = ilsvrc_key
    };
    static const char *const misfit[] = { "it is not csv of this command",
                                          "it does not look like jsonl of this program",
                                          "it does not look like COCO's results as this program writes them",
                                          "it does not look like ILSVRC's results" };
    return (cli_records) { .context = rows,
                           .per_item = lines ? CLI_ONE_RECORD : CLI_ANY_NUMBER_OF_RECORDS,
                           .quoted = rows->format == CLI_BOXES_CSV,
                           .lead = rows->format == CLI_BOXES_COCO,
                           .last = rows->format == CLI_BOXES_COCO ? "]\n" : NULL,
                           .misfit = misfit[rows->format],
                           .header = rows->format == CLI_BOXES_CSV || rows->format == CLI_BOXES_COCO,
                           .start = start,
                           .begin = begin,
                           .key = lines ? NULL : key[rows->format],
                           .fault = lines ? json_fault : NULL,
                           .attempt = attempt };
}
