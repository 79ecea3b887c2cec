/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/json_walk.h"

#include <string.h>

#include "data/file.h"
#include "detect/fields.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The next character that is not space, or UTF-8's mark at the beginning; 0 at the end. */
static char next(trib_json_walk *walk)
{
    if (!walk->at) walk->at = trib_mark_length(walk->bytes, walk->size);
    while (walk->at < walk->size && is_space(walk->bytes[walk->at])) ++walk->at;
    return walk->at < walk->size ? walk->bytes[walk->at] : '\0';
}

trib_status trib_json_walk_error(const trib_json_walk *walk, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s, byte %zu: %s", trib_shorten(walk->name).text, walk->at, what);
}

char trib_json_kind(trib_json_walk *walk)
{
    const char c = next(walk);
    return c == '[' || c == '{' ? c : '\0';
}

void trib_json_enter(trib_json_walk *walk) { ++walk->at; }

/* Past a separator before all but the first item, or out at `close`. */
static trib_status separate(trib_json_walk *walk, bool first, char close, bool *end)
{
    const char c = next(walk);
    *end = c == close;
    if (*end || !first) ++walk->at;
    if (*end || first || c == ',') return trib_success();
    --walk->at;
    return trib_json_walk_error(walk, "no comma between two values, or the file ends: this is not JSON");
}

trib_status trib_json_element(trib_json_walk *walk, bool first, bool *end) { return separate(walk, first, ']', end); }

trib_status trib_json_member(trib_json_walk *walk, bool first, cJSON **key)
{
    bool end = false;
    cJSON *name = NULL;
    TRIB_TRY(separate(walk, first, '}', &end));
    if (end) {
        *key = NULL;
        return trib_success();
    }
    if (next(walk) != '"') return trib_json_walk_error(walk, "a member without a name: this is not JSON");
    TRIB_TRY(trib_json_value(walk, &name));
    if (next(walk) != ':') {
        trib_json_free(name);
        return trib_json_walk_error(walk, "a name without a colon after it: this is not JSON");
    }
    ++walk->at;
    *key = name;
    return trib_success();
}

/* Past a string that begins here; false if it has no end. */
static bool skip_string(trib_json_walk *walk)
{
    for (++walk->at; walk->at < walk->size; ++walk->at) {
        if (walk->bytes[walk->at] == '\\')
            ++walk->at;
        else if (walk->bytes[walk->at] == '"')
            return ++walk->at, true;
    }
    walk->at = walk->size;
    return false;
}

trib_status trib_json_skip(trib_json_walk *walk)
{
    size_t depth = 0;
    const char first = next(walk);
    const size_t start = walk->at;
    while (walk->at < walk->size) {
        const char c = walk->bytes[walk->at];
        const bool closes = c == ']' || c == '}';
        if (!depth && walk->at > start && (closes || c == ',' || c == ':' || is_space(c))) break;
        if (c == '"') {
            if (!skip_string(walk)) return trib_json_walk_error(walk, "the file ends in a text");
        } else {
            if (closes && !depth) return trib_json_walk_error(walk, "a bracket that closes nothing");
            depth += c == '[' || c == '{';
            depth -= closes;
            ++walk->at;
        }
        if (!depth && (first == '"' || first == '[' || first == '{')) break;
    }
    if (depth || walk->at == start) return trib_json_walk_error(walk, "the file ends where a value should be");
    return trib_success();
}

trib_status trib_json_value(trib_json_walk *walk, cJSON **value)
{
    next(walk);
    const size_t start = walk->at;
    TRIB_TRY(trib_json_skip(walk));
    trib_status s = trib_json_parse(walk->bytes + start, walk->at - start, value);
    if (trib_failed(&s)) trib_add_context(&s, "%s, value from byte %zu on", trib_shorten(walk->name).text, start);
    return s;
}

trib_status trib_json_at_end(trib_json_walk *walk)
{
    next(walk);
    return walk->at == walk->size ? trib_success() : trib_json_walk_error(walk, "more text after the JSON");
}
