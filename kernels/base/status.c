/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *trib_code_name(trib_code code)
{
    switch (code) {
    case TRIB_OK: return "ok";
    case TRIB_INVALID_ARGUMENT: return "invalid argument";
    case TRIB_NOT_FOUND: return "not found";
    case TRIB_IO_ERROR: return "input/output error";
    case TRIB_BAD_DATA: return "bad data";
    case TRIB_UNSUPPORTED: return "unsupported";
    case TRIB_OUT_OF_MEMORY: return "out of memory";
    case TRIB_DEVICE_ERROR: return "device error";
    case TRIB_CANCELLED: return "cancelled";
    case TRIB_INTERNAL: return "internal error";
    }
    return "unknown code";
}

/* A cut in the middle of a UTF-8 sequence would print as garbage: drop the incomplete tail. */
static void trim_partial_utf8(char *text)
{
    size_t n = strlen(text), back = 0;
    while (back < n && back < 4 && ((unsigned char)text[n - 1 - back] & 0xC0) == 0x80) ++back;
    if (back == n || back == 4) return;
    unsigned char lead = (unsigned char)text[n - 1 - back];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (need > back) text[n - 1 - back] = '\0';
}

trib_status trib_make_error(trib_code code, int vendor_code, const char *file, int line, const char *call,
                            const char *format, ...)
{
    trib_status s = { .code = code, .vendor_code = vendor_code, .line = line, .file = file, .call = call };
    va_list args;
    va_start(args, format);
    vsnprintf(s.message, sizeof s.message, format, args);
    va_end(args);
    trim_partial_utf8(s.message);
    return s;
}

void trib_add_context(trib_status *status, const char *format, ...)
{
    if (!trib_failed(status)) return;
    char context[TRIB_MESSAGE_SIZE], joined[2 * TRIB_MESSAGE_SIZE + 4];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    snprintf(joined, sizeof joined, "%s: %s", context, status->message);
    memcpy(status->message, joined, sizeof status->message - 1);
    status->message[sizeof status->message - 1] = '\0';
    trim_partial_utf8(status->message);
}
