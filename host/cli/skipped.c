/* SPDX-License-Identifier: Apache-2.0 */
#include "skipped.h"

#include <stdio.h>

static const char header[] = "filename,reason\n";

cli_skipped cli_skipped_begin(const char *path)
{
    cli_skipped skipped = { .path = path, .file = { .fd = -1 } };
    if (path) cli_append(&skipped.rows, header, sizeof header - 1);
    return skipped;
}

void cli_say_skipped(const char *name, const char *reason)
{
    fputs("skipped: ", stderr);
    cli_print_safe(stderr, name);
    fputs(": ", stderr);
    cli_print_safe(stderr, reason);
    fputc('\n', stderr);
}

void cli_skipped_note(cli_skipped *skipped, const char *name, const char *reason)
{
    cli_say_skipped(name, reason);
    if (!skipped->path) return;
    cli_append_csv(&skipped->rows, name);
    cli_append(&skipped->rows, ",", 1);
    cli_append_csv(&skipped->rows, reason);
    cli_append(&skipped->rows, "\n", 1);
}

static trib_status check_old_list(const char *path, bool *replaces)
{
    TRIB_TRY(cli_output_begins(path, header, replaces));
    trib_status status = cli_output_check(path, *replaces ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW);
    if (trib_failed(&status))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: not a list of skipped images, so --resume does not rewrite it; name another file", path);
    return trib_success();
}

trib_status cli_skipped_open(cli_skipped *skipped, bool resumes, bool overwrites)
{
    if (!skipped->path) return trib_success();
    if (resumes) TRIB_TRY(check_old_list(skipped->path, &overwrites));
    return cli_output_open(skipped->path, overwrites ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW, &skipped->file);
}

trib_status cli_skipped_write(cli_skipped *skipped)
{
    return skipped->path ? cli_output_write(&skipped->file, &skipped->rows) : trib_success();
}

trib_status cli_skipped_close(cli_skipped *skipped) { return cli_output_close(&skipped->file); }

void cli_skipped_release(cli_skipped *skipped)
{
    cli_output_close(&skipped->file);
    cli_buffer_release(&skipped->rows);
}
