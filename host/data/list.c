/* SPDX-License-Identifier: Apache-2.0
 * "@list" and "-": one path per line, read as they come, so that `find ... | tributary classify MODEL -` streams. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

enum { BUFFER_SIZE = 64 << 10, MAX_LINE = 8 << 10 };

typedef struct list_input {
    trib_input base;
    const trib_input_context *context;
    char *path; /* for messages */
    trib_reader reader;
    bool owned; /* the list owns the reader's file */
    bool open;
    size_t begin, end; /* of the part of the buffer that was not yet returned */
    int64_t line;      /* lines returned so far */
    bool at_end;       /* of the file */
    bool long_line;    /* the current line was reported as too long: skip the rest of it */
    char buffer[BUFFER_SIZE];
} list_input;

static trib_status fill(list_input *list)
{
    memmove(list->buffer, list->buffer + list->begin, list->end - list->begin);
    list->end -= list->begin;
    list->begin = 0;
    size_t got = 0;
    TRIB_TRY(trib_reader_read_some(&list->reader, list->buffer + list->end, BUFFER_SIZE - list->end, &got));
    list->at_end = got == 0;
    list->end += got;
    return trib_success();
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; ++i) {
        if (text[i] != ' ' && text[i] != '\t') return false;
    }
    return true;
}

static trib_status report_line(list_input *list, trib_item *item, const char *what)
{
    trib_short_name name = trib_shorten(list->path);
    trib_status reason = TRIB_ERROR(TRIB_BAD_DATA, "%s: line %lld %s; a list has one path per line", name.text,
                                    (long long)list->line, what);
    return trib_item_set_failure(item, list->path, &reason);
}

/* `text` is the line without its end. Leaves the item without a name if the line is empty. */
static trib_status take_line(list_input *list, char *text, size_t length, trib_item *item)
{
    if (length && text[length - 1] == '\r') --length;
    if (list->line == 1 && length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, length -= 3;
    if (is_blank(text, length)) return trib_success();
    if (memchr(text, '\0', length)) return report_line(list, item, "has a zero byte in it");
    char path[MAX_LINE + 1];
    memcpy(path, text, length);
    path[length] = '\0';
    const char *unwanted = trib_unwanted_in_list(path);
    if (!unwanted) return trib_item_set_path(item, path);
    trib_pass_over(list->context->passed_over, unwanted);
    return trib_success();
}

/* Takes the next line from the buffer; *done = false if more must be read first. */
static trib_status scan_line(list_input *list, trib_item *item, bool *done)
{
    char *text = list->buffer + list->begin;
    size_t there = list->end - list->begin;
    char *newline = memchr(text, '\n', there);
    size_t length = newline ? (size_t)(newline - text) : there;
    bool skipping = list->long_line, too_long = length > MAX_LINE;
    *done = newline || too_long || skipping || (list->at_end && there);
    if (!*done) return trib_success();
    list->begin += length + (newline ? 1 : 0);
    list->long_line = !newline && (too_long || skipping);
    if (skipping) {
        *done = newline || length;
        return trib_success();
    }
    ++list->line;
    if (too_long) return report_line(list, item, "is too long");
    return take_line(list, text, length, item);
}

static void close_file(list_input *list)
{
    if (list->open && list->owned) trib_reader_close(&list->reader);
    list->open = false;
}

static trib_status list_next(trib_input *input, trib_item *item, bool *end)
{
    list_input *list = (list_input *)input;
    while (list->open) {
        bool done = false;
        TRIB_TRY(scan_line(list, item, &done));
        if (item->name) return trib_success();
        if (done) continue;
        if (!list->at_end) {
            trib_status s = fill(list);
            if (!trib_failed(&s)) continue;
            if (s.code == TRIB_CANCELLED) return s;
            TRIB_TRY(trib_item_set_failure(item, list->path, &s)); /* the failure is an item; then the list is over */
        }
        close_file(list);
        if (item->name) return trib_success();
    }
    *end = true;
    return trib_success();
}

static void list_close(trib_input *input)
{
    list_input *list = (list_input *)input;
    close_file(list);
    trib_free(list->path);
    trib_free(list);
}

/* Any kind of file will do, even a terminal: it is read like a pipe. */
static trib_status open_file(list_input *list, const char *path)
{
    list->reader =
        (trib_reader) { .path = list->path, .fd = STDIN_FILENO, .wake_fd = list->context->wake_fd, .size = -1 };
    if (!list->owned) return trib_success();
    trib_status s = trib_open_file(path, &list->reader.fd);
    list->open = !trib_failed(&s);
    /* A folder can be opened but not read: find out now, before anything runs. */
    if (list->open && read(list->reader.fd, list->buffer, 0) < 0 && errno != EAGAIN)
        s = TRIB_FILE_ERROR("read", "read the list", path, errno);
    return s;
}

trib_status trib_list_input_open(const trib_input_context *context, const char *path, trib_input **out)
{
    static const trib_input_kind kind = { .next = list_next, .close = list_close };
    list_input *list = trib_alloc_zeroed(1, sizeof *list);
    if (!list) return trib_no_memory(path);
    list->base.kind = &kind;
    list->context = context;
    list->owned = strcmp(path, "-") != 0;
    list->path = trib_strdup(list->owned ? path : "standard input");
    trib_status s = list->path ? open_file(list, path) : trib_no_memory(path);
    if (trib_failed(&s)) {
        list_close(&list->base);
        return s;
    }
    list->open = true;
    *out = &list->base;
    return s;
}
