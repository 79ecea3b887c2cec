/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/html.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "profile/html_private.h"
#include "tributary/version.h"

/* ---- JSON ---- */

static void separate(trib_text *t)
{
    const char last = t->size ? t->bytes[t->size - 1] : ',';
    if (!strchr("{[>,", last)) trib_text_add(t, ",");
}

void trib_html_key(trib_text *t, const char *key)
{
    separate(t);
    if (key) trib_text_format(t, "\"%s\":", key);
}

/* "<" cannot stand in a script element, where it could begin "</script". */
static void put_json(trib_text *t, const char *value)
{
    trib_text json = { 0 };
    trib_text_json_any(&json, value);
    t->failed |= json.failed;
    for (size_t i = 0; i < json.size && !t->failed; ++i) {
        if (json.bytes[i] == '<')
            trib_text_add(t, "\\u003c");
        else
            trib_text_put(t, json.bytes + i, 1);
    }
    trib_text_free(&json);
}

void trib_html_string(trib_text *t, const char *key, const char *value)
{
    if (!value) return;
    trib_html_key(t, key);
    put_json(t, value);
}

void trib_html_integer(trib_text *t, const char *key, int64_t value)
{
    trib_html_key(t, key);
    trib_text_format(t, "%" PRId64, value);
}

void trib_html_number(trib_text *t, const char *key, double value)
{
    trib_html_key(t, key);
    if (isfinite(value))
        trib_text_format(t, "%.9g", value);
    else
        trib_text_add(t, "null");
}

void trib_html_open(trib_text *t, const char *key, char bracket)
{
    trib_html_key(t, key);
    trib_text_put(t, &bracket, 1);
}

void trib_html_close(trib_text *t, char bracket) { trib_text_put(t, &bracket, 1); }

/* ---- the page ---- */

static void put_report(trib_writer *file, const trib_html_report *r)
{
    trib_text *t = &file->text;
    trib_html_open(t, NULL, '{');
    trib_html_string(t, "model", r->model);
    trib_html_string(t, "device", r->device);
    trib_html_integer(t, "batch", r->batch ? r->batch : r->schedules[0].plan->batch);
    trib_html_integer(t, "other", r->fastest.other);
    trib_html_integer(t, "best", r->fastest.known ? r->fastest.best : -1);
    trib_html_string(t, "headline", r->headline);
    trib_html_string(t, "verdict", r->verdict);
    trib_html_string(t, "advice", r->advice);
    trib_html_string(t, "command", r->command);
    trib_html_string(t, "date", r->date);
    trib_html_string(t, "version", TRIB_VERSION);
    trib_html_open(t, "notes", '[');
    for (int i = 0; i < r->note_count; ++i) trib_html_string(t, NULL, r->notes[i]);
    trib_html_close(t, ']');
    trib_html_open(t, "schedules", '[');
    for (int i = 0; i < r->schedule_count && trib_writer_drain(file); ++i)
        trib_html_put_schedule(file, &r->schedules[i]);
    trib_html_close(t, ']');
    trib_html_close(t, '}');
}

static trib_status check(const char *path, const trib_html_report *r)
{
    if (r->schedule_count < 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: a report needs at least one schedule", path);
    for (int i = 1; i < r->schedule_count; ++i)
        if (r->schedules[i].profile->window_count != r->schedules[0].profile->window_count)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                              "%s: schedule %s has %d modules and pieces of trunk, and schedule %s has %d", path,
                              r->schedules[i].name, r->schedules[i].profile->window_count, r->schedules[0].name,
                              r->schedules[0].profile->window_count);
    return trib_success();
}

static const unsigned char *find_data(void)
{
    const size_t size = sizeof TRIB_HTML_DATA - 1;
    for (size_t i = 0; i + size <= trib_html_page_size; ++i)
        if (memcmp(trib_html_page + i, TRIB_HTML_DATA, size) == 0) return trib_html_page + i;
    return trib_html_page + trib_html_page_size; /* cannot be: a test looks at it */
}

trib_status trib_html_write(const char *path, const trib_html_report *report)
{
    const trib_status s = check(path, report);
    if (trib_failed(&s)) return s;
    trib_writer file = trib_writer_open(path);
    const unsigned char *data = find_data(), *end = trib_html_page + trib_html_page_size;
    trib_text_put(&file.text, (const char *)trib_html_page, (size_t)(data - trib_html_page));
    put_report(&file, report);
    if (data < end) data += sizeof TRIB_HTML_DATA - 1;
    trib_text_put(&file.text, (const char *)data, (size_t)(end - data));
    return trib_writer_close(&file, trib_success());
}
