/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "tributary/internal/alloc.h"

static trib_status open_again(const char *path, int *fd)
{
    while ((*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, (mode_t)0666)) < 0 && errno == EINTR) continue;
    *fd = trib_above_standard(*fd);
    return *fd < 0 ? TRIB_FILE_ERROR("open", "open", path, errno) : trib_success();
}

static trib_status read_all(const trib_run_table *table, char **text, size_t *size)
{
    struct stat info;
    if (fstat(table->fd, &info)) return TRIB_FILE_ERROR("fstat", "look at it", table->path, errno);
    if (!S_ISREG(info.st_mode))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: is %s, not a file; remove it", trib_shorten(table->path).text,
                          trib_kind_of_file(info.st_mode));
    *text = trib_alloc((size_t)info.st_size + 1);
    if (!*text)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for its %lld bytes", trib_shorten(table->path).text,
                          (long long)info.st_size);
    trib_status s = trib_read_full(table->fd, table->path, *text, (size_t)info.st_size, size);
    if (trib_failed(&s)) trib_free(*text);
    return s;
}

/* Bytes that stay, *keep: whole lines up to `step`. `text` loses its newlines. */
static trib_status lines_to_keep(char *text, size_t size, int64_t step, trib_run_line line, void *context, size_t *keep)
{
    size_t at = 0;
    for (char *end; at < size && (end = memchr(text + at, '\n', size - at)); at = (size_t)(end - text) + 1) {
        int64_t found = -1;
        *end = '\0';
        if (strlen(text + at) != (size_t)(end - text) - at) break; /* zero bytes, as a power failure leaves them */
        trib_status s = line(context, text + at, &found);
        if (trib_failed(&s) && s.code != TRIB_BAD_DATA) return s;
        if (trib_failed(&s) || found > step) break;
    }
    *keep = at;
    return trib_success();
}

/* Sets *start to the length of the header line if the file begins with it, else to 0, when it is torn or missing. */
static trib_status check_header(const trib_run_table *table, const char *text, size_t size, const char *header,
                                size_t *start)
{
    size_t length = strlen(header);
    const char *end = memchr(text, '\n', size);
    if (!end || !text[0]) return trib_success();
    if ((size_t)(end - text) != length || memcmp(text, header, length) != 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: its columns are not those of this version, '%.150s'; move the file away",
                          trib_shorten(table->path).text, header);
    *start = length + 1;
    return trib_success();
}

static trib_status cut(trib_run_table *table, int64_t size)
{
    int failed;
    while ((failed = ftruncate(table->fd, (off_t)size)) != 0 && errno == EINTR) continue;
    if (failed) return TRIB_FILE_ERROR("ftruncate", "cut off its end", table->path, errno);
    table->size = size;
    return trib_success();
}

static trib_status repair(trib_run_table *table, const char *header, int64_t step, trib_run_line line, void *context)
{
    char *text = NULL;
    size_t size = 0, start = 0;
    TRIB_TRY(read_all(table, &text, &size));
    trib_status s = header ? check_header(table, text, size, header, &start) : trib_success();
    size_t keep = 0;
    if (!trib_failed(&s) && (!header || start)) /* without its header, nothing in it counts */
        s = trib_with_name(lines_to_keep(text + start, size - start, step, line, context, &keep), table->path);
    if (!trib_failed(&s)) s = cut(table, (int64_t)(start + keep));
    trib_free(text);
    return s;
}

trib_status trib_run_table_open(const char *path, const char *header, int64_t step, trib_run_line line, void *context,
                                trib_run_table *out)
{
    trib_run_table table = { .path = trib_strdup(path), .fd = -1 };
    if (!table.path) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(path).text);
    trib_status s = open_again(path, &table.fd);
    if (!trib_failed(&s)) s = repair(&table, header, step, line, context);
    if (header && !trib_failed(&s) && !table.size) {
        s = trib_run_table_append(&table, header, strlen(header));
        if (!trib_failed(&s)) s = trib_run_table_append(&table, "\n", 1);
    }
    if (trib_failed(&s))
        trib_run_table_close(&table);
    else
        *out = table;
    return s;
}

trib_status trib_run_table_append(trib_run_table *table, const char *line, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(table->fd, line + done, size - done, (off_t)(table->size + (int64_t)done));
        if (n < 0 && errno == EINTR) continue;
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        trib_status s = TRIB_FILE_ERROR("pwrite", "write", table->path, n ? errno : ENOSPC);
        (void)cut(table, table->size); /* a part that stays is cut off at the next start */
        return s;
    }
    table->size += (int64_t)size;
    return trib_success();
}

trib_status trib_run_table_sync(trib_run_table *table)
{
    int failed;
    if (!table->path) return trib_success();
    while ((failed = fsync(table->fd)) != 0 && errno == EINTR) continue;
    return failed ? TRIB_FILE_ERROR("fsync", "bring to the disk", table->path, errno) : trib_success();
}

void trib_run_table_close(trib_run_table *table)
{
    if (!table->path) return;
    if (table->fd >= 0) close(table->fd);
    trib_free(table->path);
    *table = (trib_run_table) { .fd = -1 };
}
