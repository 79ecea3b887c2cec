/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/json_scan.h"

#include <string.h>

#define REFUSE(at, what) TRIB_ERROR(TRIB_BAD_DATA, "%s at byte %zu of the JSON", (what), (size_t)(at))

/* Length of the UTF-8 sequence at `p`, 0 when it is not one (overlong forms, surrogates and beyond U+10FFFF are not).
 */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first, last, second_min, second_max;
        size_t length;
    } forms[] = {
        { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
        { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 },
        { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };
    if (p[0] < 0x80) return 1;
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; ++f) {
        if (p[0] < forms[f].first || p[0] > forms[f].last) continue;
        if (left < forms[f].length || p[1] < forms[f].second_min || p[1] > forms[f].second_max) return 0;
        for (size_t i = 2; i < forms[f].length; ++i)
            if ((p[i] & 0xC0) != 0x80) return 0;
        return forms[f].length;
    }
    return 0;
}

/* `*at` is after the opening quote on entry, and after the closing one on return. */
static trib_status scan_string(const unsigned char *text, size_t size, size_t *at)
{
    size_t i = *at;
    while (i < size && text[i] != '"') {
        if (text[i] < 0x20) return REFUSE(i, "a control character in a string");
        if (text[i] == '\\') {
            if (size - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) return REFUSE(i, "a character of code 0");
            i += size - i >= 2 ? 2 : 1;
            continue;
        }
        size_t length = utf8_length(text + i, size - i);
        if (!length) return REFUSE(i, "text that is not UTF-8");
        i += length;
    }
    if (i >= size) return REFUSE(*at, "a string without an end");
    *at = i + 1;
    return trib_success();
}

static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

static size_t skip_digits(const unsigned char *text, size_t size, size_t i)
{
    while (i < size && is_digit(text[i])) ++i;
    return i;
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? : cJSON takes whatever strtod takes. */
static trib_status scan_number(const unsigned char *text, size_t size, size_t *at)
{
    size_t i = *at, start;
    if (text[i] == '-') ++i;
    start = i;
    i = skip_digits(text, size, i);
    if (i == start || (text[start] == '0' && i > start + 1)) return REFUSE(*at, "a malformed number");
    if (i < size && text[i] == '.') {
        start = ++i;
        i = skip_digits(text, size, i);
        if (i == start) return REFUSE(*at, "a malformed number");
    }
    if (i < size && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < size && (text[i] == '+' || text[i] == '-')) ++i;
        start = i;
        i = skip_digits(text, size, i);
        if (i == start) return REFUSE(*at, "a malformed number");
    }
    if (i - *at > 60) return REFUSE(*at, "a number of more than 60 characters"); /* cJSON silently truncates at 63 */
    *at = i;
    return trib_success();
}

trib_status trib_json_scan(const char *chars, size_t size)
{
    const unsigned char *text = (const unsigned char *)chars;
    int depth = 0, values = 1;
    size_t i = 0;
    while (i < size) {
        unsigned char c = text[i];
        if (c == '"') {
            ++i;
            TRIB_TRY(scan_string(text, size, &i));
            continue;
        }
        if (c == '-' || is_digit(c)) {
            TRIB_TRY(scan_number(text, size, &i));
            continue;
        }
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c >= 0x7F)
            return REFUSE(i, c ? "a byte that is not JSON" : "a byte of 0");
        if ((c == '{' || c == '[') && ++depth > TRIB_JSON_MAX_DEPTH) return REFUSE(i, "nesting that is too deep");
        if (c == '}' || c == ']') --depth;
        if ((c == ',' || c == '{' || c == '[') && ++values > TRIB_JSON_MAX_VALUES)
            return REFUSE(i, "more values than any model needs");
        ++i;
    }
    return trib_success();
}
