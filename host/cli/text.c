/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <string.h>

#include "cli.h"
#include "formats/text.h"
#include "tributary/internal/alloc.h"

void cli_buffer_release(cli_buffer *buffer)
{
    trib_free(buffer->data);
    *buffer = (cli_buffer) { 0 };
}

void cli_buffer_clear(cli_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void cli_append(cli_buffer *buffer, const char *bytes, size_t size)
{
    if (buffer->failed) return;
    if (trib_grow((void **)&buffer->data, &buffer->capacity, buffer->size + size + 1, 1) != 0) {
        buffer->failed = true;
        return;
    }
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void cli_append_format(cli_buffer *buffer, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cli_append(buffer, text, strlen(text));
}

void cli_append_csv(cli_buffer *buffer, const char *field)
{
    if (!strpbrk(field, ",\"\r\n")) {
        cli_append(buffer, field, strlen(field));
        return;
    }
    cli_append(buffer, "\"", 1);
    for (const char *c = field; *c; ++c) {
        cli_append(buffer, c, 1);
        if (*c == '"') cli_append(buffer, c, 1);
    }
    cli_append(buffer, "\"", 1);
}

const char *cli_reason(const trib_status *status, const char *name)
{
    size_t length = strlen(name);
    const char *message = status->message;
    bool named = strncmp(message, name, length) == 0 && strncmp(message + length, ": ", 2) == 0;
    return named ? message + length + 2 : message;
}

int cli_utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] == 0) return 0;
    if (s[0] < 0x80) return 1;
    int length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4) return 0;
    for (int i = 1; i < length; ++i)
        if ((s[i] & 0xC0) != 0x80) return 0; /* also for a zero byte */
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] >= 0xA0, too_large = s[0] == 0xF4 && s[1] >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

void cli_append_json(cli_buffer *buffer, const char *text)
{
    cli_append(buffer, "\"", 1);
    while (*text) {
        int length = cli_utf8_length(text);
        if (length == 0)
            cli_append(buffer, "\xEF\xBF\xBD", 3);
        else if (*text == '"' || *text == '\\')
            cli_append_format(buffer, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7F)
            cli_append_format(buffer, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            cli_append(buffer, text, (size_t)length);
        text += length ? length : 1;
    }
    cli_append(buffer, "\"", 1);
}

bool cli_is_utf8(const char *text)
{
    int length;
    for (; *text; text += length)
        if ((length = cli_utf8_length(text)) == 0) return false;
    return true;
}

void cli_append_percent(cli_buffer *buffer, const char *text)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    for (; *text; ++text) {
        if (strchr(kept, *text))
            cli_append(buffer, text, 1);
        else
            cli_append_format(buffer, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void cli_append_safe(cli_buffer *buffer, const char *text)
{
    while (*text) {
        int length = cli_utf8_length(text);
        if (trib_is_control(text, length))
            cli_append(buffer, "?", 1);
        else
            cli_append(buffer, text, (size_t)length);
        text += length ? length : 1;
    }
}

void cli_print_safe(FILE *out, const char *text)
{
    while (*text) {
        int length = cli_utf8_length(text);
        if (trib_is_control(text, length))
            fputc('?', out);
        else
            fwrite(text, 1, (size_t)length, out);
        text += length ? length : 1;
    }
}

cJSON *cli_json_text(const char *text)
{
    if (!text) return cJSON_CreateNull();
    cli_buffer quoted = { 0 };
    cli_append_json(&quoted, text);
    cJSON *json = quoted.failed ? NULL : cJSON_CreateRaw(quoted.data);
    cli_buffer_release(&quoted);
    return json;
}

void cli_json_add_name(cJSON *object, const char *key, const char *name)
{
    cJSON_AddItemToObject(object, key, cli_json_text(name));
    if (cli_is_utf8(name)) return;
    cli_buffer text = { 0 };
    char second[64];
    snprintf(second, sizeof second, "%s_bytes", key);
    cli_append_percent(&text, name);
    cJSON_AddItemToObject(object, second, text.failed ? NULL : cJSON_CreateString(text.data));
    cli_buffer_release(&text);
}

trib_status cli_json_print(cJSON *json)
{
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (!text) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the JSON text");
    trib_status status = cli_write_stdout(text, strlen(text));
    cJSON_free(text);
    return trib_failed(&status) ? status : cli_write_stdout("\n", 1);
}
