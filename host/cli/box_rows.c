/* SPDX-License-Identifier: Apache-2.0 */
#include "box_rows.h"

#include <inttypes.h>
#include <string.h>

#include "rows.h"
#include "train/number.h"
#include "tributary/internal/alloc.h"

/* ---- numbers ---- */

static trib_status find_category(const cli_box_rows *rows, int klass, int64_t *number)
{
    const trib_truths *t = rows->truths;
    for (size_t i = 0; i < t->category_count; ++i) {
        if (strcmp(t->categories[i].name, rows->labels[klass]) != 0) continue;
        *number = t->categories[i].id;
        return trib_success();
    }
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "--truth has no category '%.200s', which is class %d of the model; the model was made for other "
                      "classes",
                      rows->labels[klass], klass);
}

trib_status cli_box_rows_open(cli_box_rows *rows)
{
    int64_t place = 0;
    rows->categories = trib_alloc_zeroed((size_t)rows->classes, sizeof *rows->categories);
    if (!rows->categories) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d classes", rows->classes);
    if (rows->truths) rows->inputs = trib_alloc_zeroed(rows->truths->image_count + 1, sizeof *rows->inputs);
    if (rows->truths && !rows->inputs)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu images", rows->truths->image_count);
    for (int c = 0; c < rows->classes; ++c) {
        if (c == rows->background) continue;
        rows->categories[c] = ++place;
        if (rows->truths) TRIB_TRY(find_category(rows, c, &rows->categories[c]));
    }
    return trib_success();
}

void cli_box_rows_close(cli_box_rows *rows)
{
    trib_free(rows->categories);
    trib_free(rows->inputs);
    rows->categories = rows->inputs = NULL;
}

const char *cli_box_rows_fault(const cli_box_rows *rows, const char *name, char text[TRIB_IMAGE_FAULT_TEXT])
{
    if (!rows->truths) return NULL;
    const int found = trib_find_image(rows->names, name);
    return found < 0 ? trib_image_fault(found, name, text) : NULL;
}

trib_status cli_box_rows_take(const cli_box_rows *rows, const char *name, int64_t index)
{
    const int found = rows->truths ? trib_find_image(rows->names, name) : TRIB_NO_IMAGE;
    if (found < 0) return trib_success();
    int64_t *input = &rows->inputs[found];
    if (!*input) *input = index + 1;
    if (*input == index + 1) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%.300s: another input is the truth's image '%.200s' as well, by its name; leave one out", name,
                      rows->truths->images[found].name);
}

/* -1: the truth does not have it, so it has no rows. */
static int64_t image_number(const cli_box_rows *rows, const char *name, int64_t index)
{
    if (!rows->truths) return index + 1;
    const int found = trib_find_image(rows->names, name);
    return found < 0 ? -1 : rows->truths->images[found].id;
}

/* ---- rows ---- */

static const char csv_header[] = "filename,label,score,x,y,width,height\n", coco_header[] = "[\n", coco_end[] = "]\n";

void cli_box_rows_header(const cli_box_rows *rows, cli_buffer *out)
{
    if (rows->format == CLI_BOXES_CSV) cli_append_format(out, csv_header);
    if (rows->format == CLI_BOXES_COCO) cli_append_format(out, coco_header);
}

void cli_box_rows_end(const cli_box_rows *rows, cli_buffer *out)
{
    if (rows->format == CLI_BOXES_COCO) cli_append_format(out, coco_end);
}

void cli_box_rows_begin(const cli_box_rows *rows, const char *name, int64_t index, cli_buffer *out)
{
    static const cli_rows json = { .format = CLI_JSONL }, csv = { .format = CLI_CSV };
    switch (rows->format) {
    case CLI_BOXES_CSV: cli_rows_begin(&csv, name, out); break;
    case CLI_BOXES_JSONL: cli_rows_begin(&json, name, out); break;
    case CLI_BOXES_COCO: cli_append_format(out, "{\"image_id\": %" PRId64 ",", image_number(rows, name, index)); break;
    case CLI_BOXES_ILSVRC: cli_append_format(out, "%" PRId64 " ", image_number(rows, name, index)); break;
    }
}

static void append_numbers(const double *numbers, int count, const char *between, cli_buffer *out)
{
    char text[TRIB_NUMBER_TEXT];
    for (int i = 0; i < count; ++i)
        cli_append_format(out, "%s%s", i ? between : "", trib_number_text(numbers[i], text));
}

static void append_csv_box(const cli_box_rows *rows, const trib_scored_box *b, cli_buffer *out)
{
    cli_append_csv(out, rows->labels[b->klass]);
    cli_append_format(out, ",%.6f,", b->score);
    append_numbers((const double[]) { b->box.x, b->box.y, b->box.width, b->box.height }, 4, ",", out);
    cli_append_format(out, "\n");
}

static void append_json_place(const trib_scored_box *b, const char *space, cli_buffer *out)
{
    cli_append_format(out, "\"bbox\":%s[", space);
    append_numbers((const double[]) { b->box.x, b->box.y, b->box.width, b->box.height }, 4, *space ? ", " : ",", out);
    cli_append_format(out, "],%s\"score\":%s", space, space);
    append_numbers(&(const double) { b->score }, 1, "", out);
}

static void append_json_box(const cli_box_rows *rows, const trib_scored_box *b, bool first, cli_buffer *out)
{
    cli_append_format(out, "%s{\"label\":", first ? "" : ",");
    cli_append_json(out, rows->labels[b->klass]);
    cli_append_format(out, ",");
    append_json_place(b, "", out);
    cli_append_format(out, "}");
}

static void append_coco_box(const cli_box_rows *rows, const char *name, const trib_scored_box *b, cli_buffer *out)
{
    cli_append_format(out, " \"category_id\": %" PRId64 ", ", rows->categories[b->klass]);
    append_json_place(b, " ", out);
    cli_append_format(out, ", \"file_name\": ");
    cli_append_json(out, name);
    cli_append_format(out, ", \"category\": ");
    cli_append_json(out, rows->labels[b->klass]);
    cli_append_format(out, "}\n");
}

static void append_ilsvrc_box(const cli_box_rows *rows, const trib_scored_box *b, cli_buffer *out)
{
    const double right = b->box.x + b->box.width - 1, bottom = b->box.y + b->box.height - 1;
    cli_append_format(out, "%" PRId64 " ", rows->categories[b->klass]);
    append_numbers((const double[]) { b->score, b->box.x, b->box.y, right, bottom }, 5, " ", out);
    cli_append_format(out, "\n");
}

static void append_json_image(const cli_box_rows *rows, const cli_boxed_image *image, cli_buffer *out)
{
    cli_box_rows_begin(rows, image->name, image->index, out);
    cli_append_format(out, "\"width\":%d,\"height\":%d,\"detections\":[", image->width, image->height);
    for (size_t i = 0; i < image->count; ++i) append_json_box(rows, &image->boxes[i], i == 0, out);
    cli_append_format(out, "]}\n");
}

void cli_box_rows_good(cli_box_rows *rows, const cli_boxed_image *image, cli_buffer *out)
{
    if (rows->format == CLI_BOXES_JSONL) {
        append_json_image(rows, image, out);
        return;
    }
    for (size_t i = 0; i < image->count; ++i) {
        const trib_scored_box *b = &image->boxes[i];
        /* The comma stands before a box, so that what has been written is never changed. */
        if (rows->format == CLI_BOXES_COCO) cli_append_format(out, rows->some ? "," : " ");
        rows->some = true;
        cli_box_rows_begin(rows, image->name, image->index, out);
        if (rows->format == CLI_BOXES_CSV) append_csv_box(rows, b, out);
        if (rows->format == CLI_BOXES_COCO) append_coco_box(rows, image->name, b, out);
        if (rows->format == CLI_BOXES_ILSVRC) append_ilsvrc_box(rows, b, out);
    }
}

void cli_box_rows_failed(const cli_box_rows *rows, const char *name, const char *reason, cli_buffer *out)
{
    static const cli_rows json = { .format = CLI_JSONL };
    if (rows->format == CLI_BOXES_JSONL) cli_rows_failed(&json, name, reason, out);
}
