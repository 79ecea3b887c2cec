/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tributary/internal/alloc.h"

void trib_text_free(trib_text *text)
{
    trib_free(text->bytes);
    *text = (trib_text) { 0 };
}

void trib_text_put(trib_text *text, const char *bytes, size_t size)
{
    void *block = text->bytes;
    if (text->failed) return;
    if (size >= SIZE_MAX - text->size || trib_grow(&block, &text->capacity, text->size + size + 1, 1)) {
        text->failed = true;
        return;
    }
    text->bytes = block;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void trib_text_add(trib_text *text, const char *chars) { trib_text_put(text, chars, strlen(chars)); }

void trib_text_format(trib_text *text, const char *format, ...)
{
    char chars[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(chars, sizeof chars, format, arguments);
    va_end(arguments);
    trib_text_add(text, chars);
}

void trib_text_json(trib_text *text, const char *chars)
{
    trib_text_add(text, "\"");
    for (; *chars; ++chars) {
        if (*chars == '"' || *chars == '\\')
            trib_text_format(text, "\\%c", *chars);
        else if ((unsigned char)*chars < 0x20)
            trib_text_format(text, "\\u%04x", (unsigned)*chars);
        else
            trib_text_put(text, chars, 1);
    }
    trib_text_add(text, "\"");
}

bool trib_is_control(const char *chars, int length)
{
    const unsigned char first = (unsigned char)chars[0];
    return length == 0 || first < 0x20 || first == 0x7F || (first == 0xC2 && (unsigned char)chars[1] < 0xA0);
}

int trib_utf8_length(const char *chars)
{
    const unsigned char *s = (const unsigned char *)chars;
    const int length = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (length > 1 && (s[0] < 0xC2 || s[0] > 0xF4)) return 0;
    for (int i = 1; i < length; ++i)
        if ((s[i] & 0xC0) != 0x80) return 0; /* also for a zero byte */
    const bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    const bool outside = (s[0] == 0xED && s[1] >= 0xA0) || (s[0] == 0xF4 && s[1] >= 0x90);
    return overlong || outside ? 0 : length;
}

#define REPLACEMENT "\xEF\xBF\xBD"

void trib_text_json_any(trib_text *text, const char *chars)
{
    trib_text valid = { 0 };
    trib_text_add(&valid, "");
    while (*chars) {
        const int length = trib_utf8_length(chars);
        trib_text_put(&valid, length ? chars : REPLACEMENT, length ? (size_t)length : sizeof REPLACEMENT - 1);
        chars += length ? length : 1;
    }
    if (valid.failed)
        text->failed = true;
    else
        trib_text_json(text, valid.bytes);
    trib_text_free(&valid);
}

static const char *xml_entity(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : NULL;
}

void trib_text_xml(trib_text *text, const char *chars)
{
    while (*chars) {
        const int length = trib_utf8_length(chars);
        const char *entity = xml_entity(*chars);
        const bool control = (unsigned char)*chars < 0x20 || *chars == 0x7F;
        if (!length || control)
            trib_text_add(text, REPLACEMENT);
        else if (entity)
            trib_text_add(text, entity);
        else
            trib_text_put(text, chars, (size_t)length);
        chars += length ? length : 1;
    }
}
