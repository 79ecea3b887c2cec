/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

static trib_status read_all(trib_reader *reader, char **bytes, size_t *size)
{
    enum { STEP = 1 << 16 };
    void *all = NULL;
    size_t capacity = 0, filled = 0, got = 1;
    trib_status s = trib_success();
    while (got && !trib_failed(&s)) {
        if (filled > TRIB_MOST_TEXT)
            s = TRIB_ERROR(TRIB_BAD_DATA, "%s: more than %d MB of boxes", trib_shorten(reader->path).text,
                           TRIB_MOST_TEXT >> 20);
        else if (trib_grow(&all, &capacity, filled + STEP, 1))
            s = trib_no_memory(reader->path);
        else
            s = trib_reader_read_some(reader, (char *)all + filled, STEP, &got);
        filled += trib_failed(&s) ? 0 : got;
    }
    if (trib_failed(&s)) {
        trib_free(all);
        return s;
    }
    *bytes = all;
    *size = filled;
    return trib_success();
}

trib_status trib_read_text(const char *path, char **bytes, size_t *size)
{
    trib_reader reader;
    TRIB_TRY(trib_reader_open(path, -1, &reader));
    trib_status s = read_all(&reader, bytes, size);
    trib_reader_close(&reader);
    return s;
}

size_t trib_mark_length(const char *bytes, size_t size)
{
    return size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
}

void trib_lines_start(trib_lines *lines, const char *bytes, size_t size, const char *name)
{
    lines->at = bytes + trib_mark_length(bytes, size);
    lines->end = bytes + size;
    lines->name = name;
    lines->number = 0;
    lines->count = 0;
}

trib_status trib_line_error(const trib_lines *lines, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s, line %zu: %s", trib_shorten(lines->name).text, lines->number, what);
}

static const char between[] = " \t\r";

static void split(trib_lines *lines)
{
    char *at = lines->text + strspn(lines->text, between);
    for (lines->count = 0; *at && lines->count <= TRIB_LINE_WORDS; ++lines->count) {
        const size_t length = strcspn(at, between);
        if (lines->count < TRIB_LINE_WORDS) lines->words[lines->count] = at;
        char *next = at + length + strspn(at + length, between);
        at[length] = '\0'; /* if this is the end, it is one already */
        at = next;
    }
}

/* The text of the next line, of which there is one. */
static trib_status take_line(trib_lines *lines)
{
    const size_t left = (size_t)(lines->end - lines->at);
    const char *stop = memchr(lines->at, '\n', left);
    const size_t length = stop ? (size_t)(stop - lines->at) : left;
    ++lines->number;
    if (length >= TRIB_LINE_BYTES) return trib_line_error(lines, "the line is too long");
    if (memchr(lines->at, '\0', length)) return trib_line_error(lines, "a byte of 0: this is not text");
    memcpy(lines->text, lines->at, length);
    lines->text[length] = '\0';
    lines->at += stop ? length + 1 : length;
    return trib_success();
}

trib_status trib_lines_next(trib_lines *lines, bool *end)
{
    for (lines->count = 0; lines->at < lines->end && !lines->count;) {
        TRIB_TRY(take_line(lines));
        split(lines);
    }
    *end = !lines->count;
    return trib_success();
}

trib_status trib_lines_next_whole(trib_lines *lines, bool *end)
{
    lines->count = 0;
    *end = lines->at == lines->end;
    if (*end) return trib_success();
    TRIB_TRY(take_line(lines));
    char *word = lines->text + strspn(lines->text, between);
    size_t length = strlen(word);
    while (length && strchr(between, word[length - 1])) --length;
    word[length] = '\0';
    lines->words[0] = word;
    lines->count = length > 0;
    return trib_success();
}

bool trib_parse_number(const char *text, double *out)
{
    char *end = NULL;
    if (!*text || text[strspn(text, "+-.0123456789eE")]) return false;
    const double value = strtod(text, &end);
    if (*end || !isfinite(value)) return false;
    *out = value;
    return true;
}

bool trib_parse_integer(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-');
    const size_t count = strspn(digits, "0123456789");
    if (!count || count > 15 || digits[count]) return false;
    *out = (int64_t)strtoll(text, NULL, 10);
    return true;
}
