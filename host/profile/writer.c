/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/writer.h"

#include "data/file.h"

enum { ENOUGH = 64 * 1024 }; /* bytes for one write */

trib_writer trib_writer_open(const char *path)
{
    trib_writer s = { .path = path, .status = trib_success() };
    s.status = trib_output_open(path, &s.output);
    return s;
}

static void write_text(trib_writer *s)
{
    const size_t size = s->text.size;
    s->text.size = 0;
    if (trib_failed(&s->status)) return;
    if (s->text.failed)
        s->status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(s->path).text);
    else if (size)
        s->status = trib_output_write(s->output, s->text.bytes, size);
}

bool trib_writer_drain(trib_writer *s)
{
    if (s->text.size >= ENOUGH || s->text.failed) write_text(s);
    return !trib_failed(&s->status);
}

trib_status trib_writer_close(trib_writer *s, trib_status other)
{
    if (trib_failed(&other) && !trib_failed(&s->status)) s->status = other;
    write_text(s);
    trib_text_free(&s->text);
    if (!trib_failed(&s->status)) return trib_output_commit(s->output);
    trib_output_abandon(s->output);
    return s->status;
}
