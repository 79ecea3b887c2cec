/* SPDX-License-Identifier: Apache-2.0
 * Detections as csv (RFC 4180): columns are found by their names, others are passed over. */
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "detect/detection_names.h"
#include "detect/fields.h"
#include "detect/truth_private.h"

enum { MOST_COLUMNS = 64, FIELD_BYTES = 2000 };
enum { IMAGE, LABEL, SCORE, X, Y, WIDTH, HEIGHT, XMAX, YMAX, COLUMNS };

static const struct {
    const char *name;
    int column;
} headings[] = { { "filename", IMAGE }, { "image", IMAGE }, { "label", LABEL },
                 { "score", SCORE },    { "x", X },         { "y", Y },
                 { "xmin", X },         { "ymin", Y },      { "width", WIDTH },
                 { "height", HEIGHT },  { "xmax", XMAX },   { "ymax", YMAX } };

typedef struct csv {
    const char *at, *end, *name;
    size_t line;
    int columns;               /* of the header */
    int meaning[MOST_COLUMNS]; /* of each, -1: none */
    bool has[COLUMNS];
    char fields[COLUMNS][FIELD_BYTES]; /* of the row at hand */
} csv;

static csv start(const char *bytes, size_t size, const char *name)
{
    return (csv) { .at = bytes + trib_mark_length(bytes, size), .end = bytes + size, .name = name };
}

static trib_status csv_error(const csv *c, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s, line %zu: %s", trib_shorten(c->name).text, c->line, what);
}

/* One field into `text`, what does not fit is cut off; *last: the row ends after it. */
static trib_status next_field(csv *c, char text[FIELD_BYTES], bool *last)
{
    size_t size = 0;
    bool quoted = c->at < c->end && *c->at == '"';
    c->at += quoted;
    for (; c->at < c->end; ++c->at) {
        if (quoted && *c->at == '"' && c->at + 1 < c->end && c->at[1] == '"')
            ++c->at;
        else if (quoted && *c->at == '"')
            quoted = false, ++c->at;
        if (c->at < c->end && !*c->at) return csv_error(c, "a byte of 0: this is not text");
        if (!quoted && (c->at == c->end || strchr(",\r\n", *c->at))) break;
        c->line += *c->at == '\n';
        if (size + 1 < FIELD_BYTES) text[size++] = *c->at;
    }
    if (quoted) return csv_error(c, "a quote is not closed");
    text[size] = '\0';
    *last = c->at == c->end || *c->at != ',';
    if (c->at < c->end && *c->at == '\r') ++c->at;
    if (c->at < c->end && *c->at != '\r') ++c->at;
    return trib_success();
}

static int column_of(const char *heading)
{
    for (size_t i = 0; i < sizeof headings / sizeof *headings; ++i)
        if (!strcmp(headings[i].name, heading)) return headings[i].column;
    return -1;
}

static trib_status read_header(csv *c)
{
    char heading[FIELD_BYTES];
    c->line = 1;
    for (bool last = false; !last; ++c->columns) {
        if (c->columns == MOST_COLUMNS) return csv_error(c, "more than 64 columns");
        TRIB_TRY(next_field(c, heading, &last));
        const int column = c->meaning[c->columns] = column_of(heading);
        if (column < 0) continue;
        if (c->has[column]) return csv_error(c, "two columns of the same meaning");
        c->has[column] = true;
    }
    const bool sizes = c->has[WIDTH] && c->has[HEIGHT], ends = c->has[XMAX] && c->has[YMAX];
    if (c->has[IMAGE] && c->has[LABEL] && c->has[SCORE] && c->has[X] && c->has[Y] && sizes != ends)
        return trib_success();
    return csv_error(c, "the header has to name filename, label, score, and either x, y, width, height or xmin, ymin, "
                        "xmax, ymax");
}

static trib_status read_row(csv *c)
{
    char other[FIELD_BYTES];
    bool last = false;
    int count = 0;
    for (; !last; ++count) {
        const int column = count < c->columns ? c->meaning[count] : -1;
        TRIB_TRY(next_field(c, column < 0 ? other : c->fields[column], &last));
    }
    if (count == c->columns) return trib_success();
    snprintf(other, sizeof other, "%d fields, but the header has %d", count, c->columns);
    return csv_error(c, other);
}

static trib_status number_of(const csv *c, int column, double *out)
{
    char what[200];
    if (trib_parse_number(c->fields[column], out)) return trib_success();
    snprintf(what, sizeof what, "'%.80s' is not a number", c->fields[column]);
    return csv_error(c, what);
}

static trib_status take_row(const csv *c, trib_detection_names *names, trib_detections *detections)
{
    trib_detection d = { 0 };
    char fault[TRIB_DETECTION_FAULT_TEXT];
    const bool ends = c->has[XMAX];
    TRIB_TRY(number_of(c, SCORE, &d.score));
    TRIB_TRY(number_of(c, X, &d.box.x));
    TRIB_TRY(number_of(c, Y, &d.box.y));
    TRIB_TRY(number_of(c, ends ? XMAX : WIDTH, &d.box.width));
    TRIB_TRY(number_of(c, ends ? YMAX : HEIGHT, &d.box.height));
    if (ends) d.box.width -= d.box.x;
    if (ends) d.box.height -= d.box.y;
    if (trib_box_fault(&d.box)) return csv_error(c, trib_box_fault(&d.box));
    TRIB_TRY(trib_name_detection(names, c->fields[IMAGE], c->fields[LABEL], &d, fault));
    if (*fault) return csv_error(c, fault);
    return trib_detections_add(detections, &d);
}

static trib_status read_rows(csv *c, trib_detection_names *names, trib_detections *detections)
{
    TRIB_TRY(read_header(c));
    for (c->line = 2; c->at < c->end; ++c->line) {
        c->at += *c->at == '\r';
        if (c->at < c->end && *c->at == '\n') { /* an empty line */
            ++c->at;
            continue;
        }
        TRIB_TRY(read_row(c));
        TRIB_TRY(take_row(c, names, detections));
    }
    return trib_success();
}

/* The first line is a list of names, one of which is that of the score. */
bool trib_is_detection_csv(const char *bytes, size_t size)
{
    csv c = start(bytes, size, "");
    char heading[FIELD_BYTES];
    for (bool last = false; !last;) {
        trib_status s = next_field(&c, heading, &last);
        if (trib_failed(&s)) return false;
        if (!strcmp(heading, "score") || !strcmp(heading, "filename")) return true;
    }
    return false;
}

trib_status trib_read_detection_csv(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                    trib_detections *detections)
{
    trib_detection_names names = { 0 };
    csv c = start(bytes, size, name);
    TRIB_TRY(trib_detection_names_of(truths, &names));
    trib_status s = read_rows(&c, &names, detections);
    trib_detection_names_release(&names);
    return s;
}
