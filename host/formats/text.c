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
