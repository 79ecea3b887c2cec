/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/writer.h"

#include <string.h>

#include "data/file.h"

enum { ENOUGH = 64 * 1024 }; /* bytes for one write */

trib_writer trib_writer_open(const char *path)
{
    trib_writer s = { .path = path, .status = trib_success() };
    s.status = trib_output_open(path, &s.output);
    return s;
}

/* All but the last `kept` bytes. */
static void write_text(trib_writer *s, size_t kept)
{
    trib_text *t = &s->text;
    if (!trib_failed(&s->status)) {
        if (t->failed)
            s->status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(s->path).text);
        else if (t->size > kept)
            s->status = trib_output_write(s->output, t->bytes, t->size - kept);
    }
    if (t->size > kept) memmove(t->bytes, t->bytes + t->size - kept, kept);
    if (t->size > kept) t->size = kept;
}

bool trib_writer_drain(trib_writer *s)
{
    if (s->text.size >= ENOUGH || s->text.failed) write_text(s, 1);
    return !trib_failed(&s->status);
}

trib_status trib_writer_close(trib_writer *s, trib_status other)
{
    if (trib_failed(&other) && !trib_failed(&s->status)) s->status = other;
    write_text(s, 0);
    trib_text_free(&s->text);
    if (!trib_failed(&s->status)) return trib_output_commit(s->output);
    trib_output_abandon(s->output);
    return s->status;
}
