/* SPDX-License-Identifier: Apache-2.0
 * A file of class names: one per line, that of class 0 first. Two classes may have one name, as in ImageNet. */
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "train/class_names.h"
#include "tributary/internal/alloc.h"

static trib_status check(size_t line, const char *name, size_t length)
{
    if (!length) return TRIB_ERROR(TRIB_BAD_DATA, "line %zu is empty", line);
    if (memchr(name, '\0', length)) return TRIB_ERROR(TRIB_BAD_DATA, "line %zu has a zero byte", line);
    return trib_success();
}

static trib_status add_line(trib_names *names, const char *line, size_t length)
{
    if (length && line[length - 1] == '\r') --length;
    TRIB_TRY(check(names->count + 1, line, length));
    char *name = trib_alloc(length + 1);
    if (name) {
        memcpy(name, line, length);
        name[length] = '\0';
    }
    return trib_names_add(names, name, "class names");
}

static trib_status add_lines(trib_names *names, const char *line, const char *end)
{
    if (end - line >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) line += 3;
    if (line == end) return TRIB_ERROR(TRIB_BAD_DATA, "is empty");
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        TRIB_TRY(add_line(names, line, length));
        line += newline ? length + 1 : length;
    }
    return trib_success();
}

trib_status trib_train_read_class_names(const char *path, trib_names *names)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_whole(path, &bytes, &size));
    trib_status s = add_lines(names, (const char *)bytes, (const char *)bytes + size);
    if (s.code == TRIB_BAD_DATA) trib_add_context(&s, "a file of class names has one per line, that of class 0 first");
    trib_free(bytes);
    return trib_with_name(s, path);
}
