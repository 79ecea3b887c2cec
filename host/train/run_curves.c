/* SPDX-License-Identifier: Apache-2.0
 * The curves of a run, from its tables. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "formats/json.h"
#include "plot/curves.h"
#include "train/run_private.h"
#include "tributary/internal/alloc.h"

enum { MOST_COLUMNS = 32, MOST_CURVES = 12, NAME = 48 };

/* Numbers by row; the first column is that of the axis. */
typedef struct table {
    char names[MOST_COLUMNS][NAME];
    int columns;
    double *values;
    size_t rows, capacity;
} table;

static const char *const axis_names[] = { "epoch", "step" };

/* ---- from summary.csv ---- */

static void read_names(table *t, const char *header)
{
    for (const char *name = header; *name && t->columns < MOST_COLUMNS;) {
        const size_t length = strcspn(name, ",");
        snprintf(t->names[t->columns++], NAME, "%.*s", (int)length, name);
        name += length + (name[length] == ',');
    }
}

static trib_status from_summary(const trib_run_folder *run, table *t)
{
    read_names(t, run->header.bytes);
    t->rows = run->rows;
    t->values = trib_realloc_array(NULL, run->rows * (size_t)t->columns, sizeof *t->values);
    if (!t->values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its rows");
    for (size_t i = 0; i < run->rows; ++i) {
        double *row = t->values + i * (size_t)t->columns;
        memcpy(row, run->history + i * (size_t)run->columns, (size_t)t->columns * sizeof *row);
        row[0] += 1; /* epochs done */
    }
    return trib_success();
}

/* ---- from metrics.jsonl ---- */

static void name_columns(table *t, const cJSON *line)
{
    const cJSON *item;
    snprintf(t->names[t->columns++], NAME, "step");
    cJSON_ArrayForEach(item, line) if (t->columns < MOST_COLUMNS && strcmp(item->string, "step") != 0)
        snprintf(t->names[t->columns++], NAME, "%.47s", item->string);
}

static trib_status add_line(table *t, const cJSON *line)
{
    if (!t->columns) name_columns(t, line);
    const size_t columns = (size_t)t->columns;
    void *block = t->values;
    if (trib_grow(&block, &t->capacity, (t->rows + 1) * columns, sizeof *t->values))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its rows");
    t->values = block;
    for (size_t i = 0; i < columns; ++i) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, t->names[i]);
        t->values[t->rows * columns + i] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    }
    ++t->rows;
    return trib_success();
}

static trib_status add_lines(table *t, char *text, size_t size)
{
    trib_status s = trib_success();
    for (size_t at = 0; at < size && !trib_failed(&s);) {
        cJSON *json = NULL;
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        s = trib_json_parse(text + at, length, &json);
        if (!trib_failed(&s)) s = add_line(t, json);
        trib_json_free(json);
        at += length + 1;
    }
    return s;
}

static trib_status from_metrics(const trib_run_folder *run, table *t)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!run->metrics.size) return trib_success();
    TRIB_TRY(trib_read_whole(run->metrics.path, &bytes, &size));
    trib_status s = add_lines(t, (char *)bytes, size);
    trib_free(bytes);
    return s;
}

/* ---- drawing ---- */

static bool is_loss(const char *name) { return strstr(name, "loss") != NULL; }
static bool is_top1(const char *name) { return strstr(name, "top1") != NULL; }
static bool is_rate(const char *name) { return strcmp(name, "lr") == 0; }

/* The head of a loss: what follows "train_loss" or "eval_loss". */
static const char *head_of(const char *name)
{
    const char *loss = strstr(name, "_loss");
    return loss ? loss + 5 : name;
}

typedef struct panel {
    const char *title;
    bool (*shows)(const char *name);
    const char *word; /* left out of its names: the title says it */
    trib_curve curves[MOST_CURVES];
    char names[MOST_CURVES][NAME];
    int columns[MOST_CURVES];
    int count;
} panel;

/* Losses of one head have its color. */
static int color_of(const panel *p, const table *t, int column)
{
    int next = 0;
    for (int i = 0; i < p->count; ++i) {
        if (is_loss(t->names[column]) && !strcmp(head_of(t->names[p->columns[i]]), head_of(t->names[column])))
            return p->curves[i].color;
        if (p->curves[i].color >= next) next = p->curves[i].color + 1;
    }
    return next;
}

/* "train_loss_aux1" without "loss" is "train aux1". */
static void label(char *out, const char *column, const char *word)
{
    size_t used = 0;
    for (const char *at = column; *at;) {
        const size_t length = strcspn(at, "_");
        if (length != strlen(word) || strncmp(at, word, length) != 0)
            used += (size_t)snprintf(out + used, NAME - used, "%s%.*s", used ? " " : "", (int)length, at);
        at += length + (at[length] == '_');
    }
    if (!used) snprintf(out, NAME, "%s", column);
}

static void add_curve(panel *p, const table *t, int column)
{
    const int i = p->count, color = color_of(p, t, column);
    char *name = p->names[i];
    label(name, t->names[column], p->word);
    p->columns[i] = column;
    p->curves[i] = (trib_curve) { .name = name,
                                  .color = color,
                                  .dashed = is_loss(t->names[column]) && strncmp(name, "eval", 4) == 0,
                                  .x = t->values,
                                  .y = t->values + column,
                                  .count = t->rows,
                                  .stride = (size_t)t->columns };
    ++p->count;
}

/* Curves of one color beside each other. */
static void sort(panel *p)
{
    for (int i = 1; i < p->count; ++i)
        for (int k = i; k && p->curves[k - 1].color > p->curves[k].color; --k) {
            const trib_curve other = p->curves[k];
            p->curves[k] = p->curves[k - 1];
            p->curves[k - 1] = other;
        }
}

static void fill(panel *p, const table *t)
{
    for (int i = 1; i < t->columns && p->count < MOST_CURVES; ++i)
        if (p->shows(t->names[i])) add_curve(p, t, i);
    sort(p);
}

static trib_status draw(const trib_run_folder *run, const table *t, const char *axis)
{
    panel panels[] = { { .title = "Loss", .shows = is_loss, .word = "loss" },
                       { .title = "Top-1, percent", .shows = is_top1, .word = "top1" },
                       { .title = "Learning rate", .shows = is_rate, .word = "" } };
    trib_curve_panel shown[3];
    char path[TRIB_RUN_PATH];
    for (int i = 0; i < 3; ++i) {
        if (t->rows) fill(&panels[i], t);
        shown[i] =
            (trib_curve_panel) { .title = panels[i].title, .curves = panels[i].curves, .count = panels[i].count };
    }
    const trib_short_name title = trib_shorten(run->path);
    return trib_curves_write(trib_run_folder_file(run, "curves.svg", path),
                             &(trib_curves) { .title = title.text, .x_title = axis, .panels = shown, .count = 3 });
}

trib_status trib_run_folder_draw(const trib_run_folder *run)
{
    if (!run->metrics.path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the tables of the run are not open");
    const bool by_step = run->rows < 2;
    table t = { .columns = 0 };
    trib_status s = by_step ? from_metrics(run, &t) : from_summary(run, &t);
    trib_add_context(&s, "%s: curves.svg", trib_shorten(run->path).text);
    if (!trib_failed(&s)) s = draw(run, &t, axis_names[by_step]);
    trib_free(t.values);
    return s;
}
